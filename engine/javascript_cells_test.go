package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
)

// eachNotebook runs f with an instance of a TSX component in each isolation mode.
func eachNotebook(t *testing.T, f func(t *testing.T, e *engine.Engine, in *engine.Instance)) {
	const source = `import { emit } from "spore";
let base = 40;
export const raise = (by: number) => base += by;
export default function Page({ n }: { n: number }) { return <b>{base + n}</b>; }
export async function* parts({ n }: { n: number }) { for (let i = 0; i < n; i++) yield <li>{i}</li>; return "end"; }
export async function twice() { await emit("a"); await emit({ b: 1 }); return base; }`
	for _, mode := range []engine.Isolation{engine.InProcess, engine.Subprocess} {
		t.Run(mode.String(), func(t *testing.T) {
			e := newEngine(t, engine.Config{Isolation: mode})
			c := compile(t, e, "notebook.tsx", source)
			in, err := c.Open(t.Context(), &engine.Options{Grants: askSet(t)})
			require.NoError(t, err)
			t.Cleanup(func() { in.Close() })
			f(t, e, in)
		})
	}
}

func TestJavaScriptCells(t *testing.T) {
	eachNotebook(t, func(t *testing.T, e *engine.Engine, in *engine.Instance) {
		run := func(name, code string) (*engine.Cell, error) {
			t.Helper()
			return in.Exec(t.Context(), name, code)
		}
		cell, err := run("first.tsx", `import { raise } from "component";
const more: number = 2;
console.log("before"); console.error("after");
function broken(): never { throw new TypeError("on purpose"); }
raise(more);
<i title="x">{more}</i>`)
		require.NoError(t, err)
		require.Equal(t, `<i title="x">2</i>`, string(cell.Data["text/html"]))
		require.Equal(t, []engine.Output{{Stream: "stdout", Text: "before"}, {Stream: "stderr", Text: "after"}}, cell.Outputs)
		require.Equal(t, "<b>43</b>", text(t, in, "render", props{"n": 1}))

		cell, err = run("second.ts", "({ more, twice: more * 2 })")
		require.NoError(t, err)
		require.JSONEq(t, `{"more":2,"twice":4}`, string(cell.Data["application/json"]))

		// Positions are those of the cell's own TypeScript, also when it fails in a later one, and
		// in another engine.
		d, err := in.Snapshot(t.Context())
		require.NoError(t, err)
		there, err := in.Component().Resume(t.Context(), d, nil)
		require.NoError(t, err)
		defer there.Close()
		for _, i := range []*engine.Instance{in, there} {
			cell, err = i.Exec(t.Context(), "third.ts", `console.log("printed");
broken();`)
			var ge *engine.GuestError
			require.ErrorAs(t, err, &ge)
			require.Equal(t, "on purpose", ge.Message)
			require.Equal(t, engine.Frame{Func: "broken", File: "first.tsx", Line: 4, Column: 38}, ge.Stack[0])
			require.Equal(t, "third.ts", ge.Stack[1].File)
			require.Equal(t, 2, ge.Stack[1].Line)
			require.Equal(t, []engine.Output{{Stream: "stdout", Text: "printed"}}, cell.Outputs)
		}
		_, err = run("bad.ts", "let x = (1,\n")
		var se *engine.SourceError
		require.ErrorAs(t, err, &se)
		require.Equal(t, "bad.ts", se.Diagnostics[0].File)

		// Limits take a cell back, and a cell can wait for an answer from outside.
		_, err = in.Exec(t.Context(), "spin.ts", "raise(1000); const all = []; for (;;) all.push(new Array(10_000).fill(all.length));")
		var le *engine.LimitError
		require.ErrorAs(t, err, &le)
		require.Equal(t, "<b>43</b>", text(t, in, "render", props{"n": 1}))
		_, err = run("ask.ts", `import { call } from "spore";
const answer = await call("app.ask", { q: "why" });
answer.by + more`)
		require.ErrorIs(t, err, engine.ErrSuspended)
		pending, err := in.Pending(t.Context())
		require.NoError(t, err)
		require.Len(t, pending, 1)
		require.NoError(t, in.Answer(t.Context(), pending[0].Number, props{"by": 5}, nil))
		_, err = in.Continue(t.Context())
		require.NoError(t, err)
		cell, err = run("last.ts", "answer.by")
		require.NoError(t, err)
		require.Equal(t, "5", cell.Text)
	})
}

func TestJavaScriptStreams(t *testing.T) {
	eachNotebook(t, func(t *testing.T, _ *engine.Engine, in *engine.Instance) {
		read := func(function string, arg any, most int) (parts []string, last string) {
			t.Helper()
			for p, err := range in.Stream(t.Context(), function, arg) {
				require.NoError(t, err)
				if p.Last {
					require.Positive(t, p.Usage.Fuel)
					return parts, p.Text()
				}
				parts = append(parts, p.Text())
				if len(parts) == most {
					break
				}
			}
			return parts, ""
		}
		parts, last := read("parts", props{"n": 3}, -1)
		require.Equal(t, []string{"<li>0</li>", "<li>1</li>", "<li>2</li>"}, parts)
		require.Equal(t, "end", last)
		parts, last = read("twice", nil, -1)
		require.Equal(t, []string{"a", `{"b":1}`}, parts)
		require.Equal(t, "40", last)
		parts, _ = read("parts", props{"n": 1_000_000}, 5)
		require.Len(t, parts, 5)
		ctx := t.Context()
		for p, err := range in.Component().Stream(ctx, props{"n": 2}, nil) {
			require.NoError(t, err)
			require.True(t, p.Last)
			require.Equal(t, "<b>42</b>", p.Text())
		}
	})
}
