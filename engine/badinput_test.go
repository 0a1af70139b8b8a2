package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
)

func TestSourceErrorsNameEveryProblemAndItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, code string
		want       []runtimes.Diagnostic // Text is a substring
	}{
		{"two.tsx", "const a = ;\nexport default () => <b>{1 +}</b>;\n", []runtimes.Diagnostic{
			{Line: 1, Column: 11, Text: `Unexpected ";"`, LineText: "const a = ;"},
		}},
		{"import.tsx", "import x from 'lodash';\nimport y from \"./other\";\nexport default () => <b>{x}{y}</b>;\n", []runtimes.Diagnostic{
			{Line: 1, Column: 15, Text: "lodash", LineText: "import x from 'lodash';"},
			{Line: 2, Column: 15, Text: "./other", LineText: `import y from "./other";`},
		}},
		{"jsx.tsx", "export default () =>\n  <div>é</span>;\n", []runtimes.Diagnostic{
			{Line: 2, Column: 12, Text: "closing", LineText: "  <div>é</span>;"},
		}},
		{"empty.tsx", "", []runtimes.Diagnostic{{Text: "exports nothing"}}},
		{"nothing.ts", "export const a = 1;", []runtimes.Diagnostic{{Text: "exports nothing"}}},
		{"syntax.py", "def render(p):\n    é = (1 +\n    return 2\n", []runtimes.Diagnostic{
			{Line: 2, Column: 10, Text: "was never closed", LineText: "    é = (1 +"},
		}},
		{"indent.py", "def render(p):\nreturn 1\n", []runtimes.Diagnostic{
			{Line: 2, Column: 1, Text: "expected an indented block", LineText: "return 1"},
		}},
		{"empty.py", "", []runtimes.Diagnostic{{Text: "defines no function"}}},
		{"nul.py", "a = 1\nb = '\x00'\n", []runtimes.Diagnostic{{Line: 2, Text: "NUL"}}},
		{"nul.js", "let a;\nlet b = '\x00';", []runtimes.Diagnostic{{Line: 2, Text: "NUL"}}},
		{"utf8.py", "a = 1\nb = '\xff'\n", []runtimes.Diagnostic{{Line: 2, Text: "UTF-8"}}},
		{"utf8.js", "let a;\nlet b = '\xff';", []runtimes.Diagnostic{{Line: 2, Text: "UTF-8"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := shared.Compile(t.Context(), engine.Source{Name: c.name, Code: []byte(c.code)})
			var se *engine.SourceError
			if !errors.As(err, &se) {
				t.Fatalf("got %v, want a SourceError", err)
			}
			if len(se.Diagnostics) < len(c.want) {
				t.Fatalf("diagnostics are %+v, want %d", se.Diagnostics, len(c.want))
			}
			for i, want := range c.want {
				got := se.Diagnostics[i]
				if got.File != c.name || !strings.Contains(strings.ToLower(got.Text), strings.ToLower(want.Text)) {
					t.Errorf("diagnostic %d is %+v, want %q in %s", i, got, want.Text, c.name)
				}
				if want.Line != 0 && got.Line != want.Line || want.Column != 0 && got.Column != want.Column {
					t.Errorf("diagnostic %d is at %d:%d, want %d:%d", i, got.Line, got.Column, want.Line, want.Column)
				}
				if want.LineText != "" && got.LineText != want.LineText {
					t.Errorf("diagnostic %d shows %q, want %q", i, got.LineText, want.LineText)
				}
			}
		})
	}
}

func TestGuestErrorsHavePositionsInTheSource(t *testing.T) {
	for _, c := range []struct{ name, code, errName, message, fn string }{
		{"throw.tsx", "type P = { rows: { n: number }[] };\n\nfunction Row({ n }: { n: number }) {\n  return <b>{n.toFixed(1)}</b>;\n}\n\nexport default function Table(p: P) {\n  return <i>{[null, 2].map((r: any) => Row(r))}</i>;\n}\n",
			"TypeError", "", "Row"},
		{"throw.py", "def inner(x):\n    return 1 / x\n\ndef render(p):\n    return inner(0)\n", "ZeroDivisionError", "division by zero", "inner"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := compile(t, shared, c.name, c.code).Render(t.Context(), nil, nil)
			var ge *engine.GuestError
			if !errors.As(err, &ge) {
				t.Fatalf("got %v, want a GuestError", err)
			}
			if ge.Kind != engine.KindThrown || ge.Name != c.errName || !strings.Contains(ge.Message, c.message) {
				t.Errorf("got %+v", ge)
			}
			i := slices.IndexFunc(ge.Stack, func(f engine.Frame) bool { return f.File == c.name })
			if i < 0 {
				t.Fatalf("no frame of %s in %+v", c.name, ge.Stack)
			}
			line := strings.Split(c.code, "\n")[ge.Stack[i].Line-1]
			if f := ge.Stack[i]; f.Func != c.fn || !strings.Contains(line, "Row({ n }") && !strings.Contains(line, "1 / x") {
				t.Errorf("innermost frame is %+v, which is %q", f, line)
			}
			if !strings.Contains(ge.Trace, c.name) || !strings.Contains(err.Error(), c.errName) {
				t.Errorf("error is %q, trace %q", err, ge.Trace)
			}
		})
	}
}

// Every way to fail has a type, and the render after it is right.
func TestBadRendersAreTypedAndDoNotStick(t *testing.T) {
	const js = `
		const loop = {}; loop.loop = loop;
		const ways = {
			ok: () => "fine",
			string: () => { throw "a string" },
			null: () => { throw null },
			getter: () => { throw { get message() { throw 1 }, toString() { throw 2 } } },
			cycle: () => loop,
			bigint: () => 1n,
			fn: () => ({ f: ways.ok, toJSON() { throw new RangeError("no") } }),
			reserved: () => ({ $bytes: 0 }),
			deep: () => { const f = n => f(n + 1) + 1; return f(0) },
			never: () => new Promise(() => {}),
			reject: async () => { throw new SyntaxError("later") },
			host: async () => (await import_spore()).call("db.query", {}),
			surrogate: () => "\ud800",
		};
		import * as spore from "spore";
		const import_spore = async () => spore;
		export const render = p => ways[p.way]();`
	const py = `
import spore, os, sys
loop = []
loop.append(loop)
class Odd(Exception):
    def __str__(self): raise ValueError("odd")
    __repr__ = __str__
def deep(n): return deep(n + 1) + 1
async def host(): return await spore.call("db.query", {})
async def never():
    import asyncio
    await asyncio.get_running_loop().create_future()
def odd(): raise Odd()
def leave(): sys.exit(3)
def stop(): raise KeyboardInterrupt
ways = {
    "ok": lambda: "fine",
    "odd": odd,
    "cycle": lambda: loop,
    "object": lambda: object(),
    "nan": lambda: [float("nan")],
    "reserved": lambda: {"$bytes": 0},
    "deep": lambda: deep(0),
    "exit": leave,
    "interrupt": stop,
    "abort": lambda: os.abort(),
    "never": never,
    "host": host,
    "surrogate": lambda: "\ud800",
    "key": lambda: {(1, 2): 3},
}
def render(p): return ways[p["way"]]()
`
	for _, lang := range []struct {
		name, code string
		kinds      map[string]string
	}{
		{"ways.tsx", js, map[string]string{
			"string": engine.KindThrown, "null": engine.KindThrown, "getter": engine.KindThrown,
			"cycle": engine.KindResult, "bigint": engine.KindResult, "fn": engine.KindResult, "reserved": engine.KindResult,
			"deep": engine.KindThrown, "never": engine.KindStuck, "reject": engine.KindThrown, "host": engine.KindThrown, "unknown": engine.KindThrown,
		}},
		{"ways.py", py, map[string]string{
			"odd": engine.KindThrown, "cycle": engine.KindResult, "object": engine.KindResult, "nan": engine.KindResult,
			"reserved": engine.KindResult, "deep": engine.KindThrown, "exit": engine.KindExit, "interrupt": engine.KindThrown,
			"abort": engine.KindTrap, "never": engine.KindStuck, "host": engine.KindThrown, "surrogate": engine.KindResult,
			"key": engine.KindResult, "unknown": engine.KindThrown,
		}},
	} {
		c := compile(t, shared, lang.name, lang.code)
		for way, kind := range lang.kinds {
			t.Run(lang.name+"/"+way, func(t *testing.T) {
				_, err := c.Render(t.Context(), map[string]string{"way": way}, nil)
				var ge *engine.GuestError
				if !errors.As(err, &ge) {
					t.Fatalf("got %v, want a GuestError", err)
				}
				if ge.Kind != kind {
					t.Errorf("kind is %s, want %s: %v", ge.Kind, kind, err)
				}
				if ge.Message == "" && ge.Name == "" {
					t.Errorf("error says nothing: %+v", ge)
				}
				if got := render(t, c, map[string]string{"way": "ok"}, nil); got != "fine" {
					t.Errorf("next render is %q", got)
				}
			})
		}
	}
}

func TestBadProps(t *testing.T) {
	for name, code := range map[string]string{
		"echo.js": `export const render = p => p`,
		"echo.py": "def render(p): return p",
	} {
		c := compile(t, shared, name, code)
		var unsupported *json.UnsupportedTypeError
		if _, err := c.Render(t.Context(), make(chan int), nil); !errors.As(err, &unsupported) {
			t.Errorf("%s: channel as props: %v", name, err)
		}
		var value *json.UnsupportedValueError
		if _, err := c.Render(t.Context(), math.NaN(), nil); !errors.As(err, &value) {
			t.Errorf("%s: NaN as props: %v", name, err)
		}
		if _, err := c.Render(t.Context(), json.RawMessage(`{"a":`), nil); err == nil {
			t.Errorf("%s: half a JSON text was accepted", name)
		}
		for _, props := range []string{
			`{"__proto__":{"polluted":1},"constructor":2}`, `"\u0000é\ud83d\ude00"`, `[[[[1e300,-0.5,12345678901234567890]]]]`, `{"":{"a":[]}}`,
		} {
			got := render(t, c, json.RawMessage(props), nil)
			var a, b any
			if props[0] == '"' {
				b, _ = json.Marshal(got)
				got = string(b.([]byte))
			}
			if json.Unmarshal([]byte(got), &a) != nil || json.Unmarshal([]byte(props), &b) != nil {
				t.Fatalf("%s: %s came back as %s", name, props, got)
			}
			x, _ := json.Marshal(a)
			y, _ := json.Marshal(b)
			if string(x) != string(y) {
				t.Errorf("%s: %s came back as %s", name, y, x)
			}
		}
		// Invalid UTF-8 in a Go string becomes U+FFFD, as encoding/json documents.
		if got := render(t, c, "a\xffb", nil); got != "a\ufffdb" {
			t.Errorf("%s: invalid UTF-8 came back as %q", name, got)
		}
		// 10 MB fit, or end in a limit, of time where the race detector makes
		// everything slow; the next render is right in either case.
		big := strings.Repeat("x", 10<<20)
		if _, err := c.Render(t.Context(), map[string]string{"big": big}, nil); err != nil {
			var le *engine.LimitError
			if !errors.As(err, &le) || !slices.Contains([]string{"Memory", "Output", "CallTime"}, le.Limit) {
				t.Errorf("%s: 10 MB of props: %v", name, err)
			}
		}
		many := make([]int, 2<<20)
		if _, err := c.Render(t.Context(), many, nil); err != nil {
			var le *engine.LimitError
			if !errors.As(err, &le) {
				t.Errorf("%s: two million numbers: %v", name, err)
			}
		}
		if got := render(t, c, 1, nil); got != "1" {
			t.Errorf("%s: next render is %s", name, got)
		}
	}
}

func TestErrorsAtTopLevel(t *testing.T) {
	for name, code := range map[string]string{
		"top.js": "const a = 1;\nnull.x;\nexport const render = () => 1;",
		"top.py": "a = 1\nb = a.missing\ndef render(p): return 1",
	} {
		_, err := shared.Compile(t.Context(), engine.Source{Name: name, Code: []byte(code)})
		var ge *engine.GuestError
		if !errors.As(err, &ge) || ge.Kind != engine.KindThrown {
			t.Fatalf("%s: %v", name, err)
		}
		if i := slices.IndexFunc(ge.Stack, func(f engine.Frame) bool { return f.File == name }); i < 0 || ge.Stack[i].Line != 2 {
			t.Errorf("%s: stack is %+v", name, ge.Stack)
		}
	}
}

func TestMissingRenderFunction(t *testing.T) {
	for name, code := range map[string]string{
		"other.js": `export function other() {}`,
		"other.py": "def other(): pass",
	} {
		_, err := compile(t, shared, name, code).Render(t.Context(), nil, nil)
		var ge *engine.GuestError
		if !errors.As(err, &ge) || ge.Kind != engine.KindMissing {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnknownLanguage(t *testing.T) {
	for _, src := range []engine.Source{
		{Language: "cobol", Code: []byte("x")}, {Name: "a.cob"}, {Name: "noextension"}, {}, {Language: ".py"},
	} {
		if _, err := shared.Compile(t.Context(), src); !errors.Is(err, engine.ErrNoRuntime) {
			t.Errorf("%+v: %v", src, err)
		}
	}
	c, err := shared.Compile(t.Context(), engine.Source{Language: "tsx", Name: "card", Code: []byte("export default () => <b/>")})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.Name() != "card.tsx" {
		t.Errorf("name is %q", c.Name())
	}
}

func TestConfigNamesEveryProblem(t *testing.T) {
	rt := allRuntimes()[0]
	old := rt
	old.ABI = 99
	old.Language = "old"
	old.Extensions = nil
	_, err := engine.New(engine.Config{
		Runtimes: []runtimes.Runtime{rt, rt, old}, Workers: -1, ImageMemory: -1,
		Limits: engine.Limits{Memory: -1, Output: -5, CallTime: -1},
	})
	if !errors.Is(err, engine.ErrConfig) {
		t.Fatal(err)
	}
	for _, want := range []string{"Workers", "ImageMemory", "Memory", "Output", "CallTime", `two runtimes for "javascript"`, "version 99"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not mention %s", err, want)
		}
	}
	c := compile(t, shared, "a.py", "def render(p): return 1")
	_, err = c.Render(t.Context(), nil, &engine.Options{Limits: engine.Limits{Memory: 1 << 40, Console: -1}})
	if !errors.Is(err, engine.ErrConfig) || !strings.Contains(err.Error(), "Memory") || !strings.Contains(err.Error(), "Console") {
		t.Errorf("limits above the engine's: %v", err)
	}
}

func TestContextEndsARender(t *testing.T) {
	for name, code := range map[string]string{
		"spin.js":  `export function render(p) { if (p.ok) return "ok"; for (;;); }`,
		"spin.py":  "def render(p):\n    while not p.get('ok'): pass\n    return 'ok'",
		"sleep.js": `export async function render(p) { if (!p.ok) await new Promise(r => setTimeout(r, 1e6)); return "ok" }`,
		"sleep.py": "import time\ndef render(p):\n    if not p.get('ok'): time.sleep(1000)\n    return 'ok'",
	} {
		c := compile(t, shared, name, code)
		ctx, cancel := context.WithCancelCause(t.Context())
		go cancel(nil)
		if _, err := c.Render(ctx, nil, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if got := render(t, c, map[string]bool{"ok": true}, nil); got != "ok" {
			t.Errorf("%s: next render is %q", name, got)
		}
	}
}
