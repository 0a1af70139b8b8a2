package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/snapshot"
)

// isolated returns an engine whose guests run in worker processes.
func isolated(t testing.TB, workers int) *engine.Engine {
	return newEngine(t, engine.Config{Isolation: engine.Subprocess, Workers: workers})
}

// modeCases are calls that end in every way there is.
var modeCases = []struct {
	name, code string
	props      any
	opt        engine.Options
}{
	{name: "text.tsx", code: `export default ({ n }: { n: number }) => <b title="ä">{n}</b>`, props: map[string]any{"n": 1}},
	{name: "json.js", code: `export const render = p => ({ p, x: [1.5, null, "ü"] })`, props: []any{1, "a"}},
	{name: "nothing.js", code: `export const render = () => undefined`},
	{name: "bytes.py", code: "def render(p): return {'a': b'12', 'b': [b'', bytes(range(256))]}"},
	{name: "random.py", code: "import random, time\ndef render(p): return [random.random(), time.time()]", opt: engine.Options{Fixed: &engine.Fixed{Seed: 7}}},
	{name: "clock.js", code: `export async function render() { await new Promise(r => setTimeout(r, 1500)); return [Math.random(), Date.now()] }`,
		opt: engine.Options{Fixed: &engine.Fixed{Now: time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC), Seed: 1}}},
	{name: "console.js", code: `export function render() { console.log("one %d", 1); console.error("zwei\nlines"); console.debug("\ud800"); return "" }`},
	{name: "console.py", code: "import sys\ndef render(p):\n    print('one', 1)\n    print('zwei', file=sys.stderr, end='')\n    sys.stdout.buffer.write(b'\\xff\\xfe\\n')\n    return ''"},
	{name: "throw.tsx", code: "const f = (x: any) => x.y.z;\n\nexport default () => <b>{f({})}</b>"},
	{name: "throw.py", code: "def f(x): raise KeyError('ключ')\ndef render(p):\n    try: f(1)\n    except KeyError as e: raise ValueError('two') from e"},
	{name: "result.js", code: `export const render = () => { const a = {}; a.a = a; return a }`},
	{name: "missing.py", code: "def other(p): return 1"},
	{name: "exit.py", code: "import sys\ndef render(p): sys.exit(3)"},
	{name: "stuck.js", code: `export const render = () => new Promise(() => {})`},
	{name: "spin.js", code: `export const render = () => { for (;;); }`, opt: engine.Options{Limits: engine.Limits{CallTime: 20 * time.Millisecond}}},
	{name: "fuel.py", code: "def render(p):\n    while True: pass", opt: engine.Options{Limits: engine.Limits{Fuel: 10_000_000}, Fixed: &engine.Fixed{}}},
	{name: "memory.py", code: "def render(p): return len(bytearray(1 << 28))"},
	{name: "output.js", code: `export const render = () => "x".repeat(5 << 20)`},
	{name: "flood.js", code: `export const render = () => { for (;;) console.log("x".repeat(1000)) }`},
	{name: "depth.js", code: `export const render = () => { let a = []; for (let i = 0; i < 2000; i++) a = [a]; return a }`},
	{name: "calls.js", code: `export const render = async () => { for (;;) await new Promise(r => setTimeout(r, 0)) }`, opt: engine.Options{Limits: engine.Limits{HostCalls: 50}, Fixed: &engine.Fixed{}}},
	{name: "props.js", code: `export const render = () => 1`, props: func() {}},
	{name: "config.js", code: `export const render = () => 1`, opt: engine.Options{Limits: engine.Limits{CallTime: time.Hour}}},
	{name: "syntax.tsx", code: "export default () => <b>{</b>"},
	{name: "syntax.py", code: "def render(p):\n  return 'ä' +"},
	{name: "top.js", code: "throw new RangeError('top')"},
	{name: "none.rb", code: "puts 1"},
}

// TestIsolationModes compares a call in this process with one in a worker
// process: results, errors, fuel, output and images are the same.
func TestIsolationModes(t *testing.T) {
	here, there := newEngine(t, engine.Config{}), isolated(t, 2)
	for _, tc := range modeCases {
		t.Run(tc.name, func(t *testing.T) {
			type outcome struct {
				Text    string
				Buffers [][]byte
				Fuel    int64
				Output  string
				Digest  snapshot.Digest
				Err     error
				ErrText string
			}
			do := func(e *engine.Engine) (o outcome) {
				var out bytes.Buffer
				defer func() {
					o.Output = out.String()
					if o.Err != nil {
						o.ErrText = o.Err.Error()
					}
				}()
				c, err := e.Compile(t.Context(), engine.Source{Name: tc.name, Code: []byte(tc.code)})
				if err != nil {
					return outcome{Err: err}
				}
				defer c.Close()
				o.Digest = c.Digest()
				opt := tc.opt
				opt.Console = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
					if a.Key == slog.TimeKey {
						return slog.Attr{}
					}
					return a
				}}))
				r, err := c.Render(t.Context(), tc.props, &opt)
				if err != nil {
					o.Err = err
					return o
				}
				o.Text, o.Buffers, o.Fuel = string(r.JSON()), r.Buffers, r.Usage.Fuel
				return o
			}
			a, b := do(here), do(there)
			if typeOf(a.Err) == nil && typeOf(b.Err) == nil {
				a.Err, b.Err = nil, nil // compared by their text
			}
			if tc.opt.Fixed == nil {
				a.Fuel, b.Fuel = 0, 0
			}
			if !reflect.DeepEqual(a, b) {
				t.Errorf("in this process:\n%+v\nin a worker process:\n%+v", a, b)
			}
		})
	}
}

// typeOf returns err as one of the types of errors that the engine has, or nil.
func typeOf(err error) any {
	if e, ok := errors.AsType[*engine.GuestError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*engine.LimitError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*engine.SourceError](err); ok {
		return e
	}
	return nil
}

// TestIsolationSnapshots moves a component between engines of both modes.
func TestIsolationSnapshots(t *testing.T) {
	here, there := newEngine(t, engine.Config{}), isolated(t, 1)
	for _, way := range [][2]*engine.Engine{{here, there}, {there, here}, {there, there}} {
		c := compile(t, way[0], "a.py", "import json\nx = [1, 2]\ndef render(p): return [x, p]")
		s, err := c.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d, err := way[1].Load(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if got := render(t, d, 3, nil); got != "[[1,2],3]" || d.Digest() != c.Digest() || d.Name() != "a.py" {
			t.Errorf("got %s, name %s", got, d.Name())
		}
		d.Close()
		if _, err := d.Render(t.Context(), nil, nil); !errors.Is(err, engine.ErrClosed) {
			t.Errorf("render of a closed component: %v", err)
		}
		s.Close()
	}
}

// TestIsolationTenants makes sure that a process which has worked for somebody
// works for nobody else.
func TestIsolationTenants(t *testing.T) {
	e := isolated(t, 2)
	c, err := e.Compile(t.Context(), engine.Source{Name: "a.js", Code: []byte(`export const render = p => p.n`), Tenant: "a"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range 12 {
		// Two processes, and the component of a rendered for three: each has its own.
		tenant := []string{"", "b", "c"}[i%3]
		if got := render(t, c, map[string]any{"n": i}, &engine.Options{Tenant: tenant}); got != fmt.Sprint(i) {
			t.Errorf("render %d: %s", i, got)
		}
		if n := len(engine.WorkerProcesses(e)); n > 2 {
			t.Errorf("%d processes", n)
		}
	}
	if s := e.Stats(); s.ProcessStarts < 10 {
		t.Errorf("%d processes were started for 12 calls of three tenants in turns", s.ProcessStarts)
	}
	before := e.Stats().ProcessStarts
	for range 20 {
		render(t, c, map[string]any{"n": 1}, &engine.Options{Tenant: "c"})
	}
	if n := e.Stats().ProcessStarts - before; n > 1 {
		t.Errorf("%d processes were started for one tenant", n)
	}
}

// TestIsolationManyComponents has more components than a process keeps.
func TestIsolationManyComponents(t *testing.T) {
	e := newEngine(t, engine.Config{Isolation: engine.Subprocess, Workers: 1, ImageMemory: 1 << 20})
	const length = 3 << 20
	var all []*engine.Component
	for i := range 40 {
		all = append(all, compile(t, e, "a.js", fmt.Sprintf(`const big = "x".repeat(%d); export const render = p => big.length + p + %d`, length, i)))
	}
	for i := range 80 {
		n := i * 7 % len(all)
		if got, want := render(t, all[n], 1000, nil), fmt.Sprint(length+1000+n); got != want {
			t.Errorf("component %d: got %s, want %s", n, got, want)
		}
	}
}

func TestIsolationConfig(t *testing.T) {
	_, err := engine.New(engine.Config{Runtimes: allRuntimes(), Isolation: 7})
	if !errors.Is(err, engine.ErrConfig) || !strings.Contains(err.Error(), "Isolation is 7") {
		t.Errorf("got %v", err)
	}
	rts := allRuntimes()
	rts[0].SHA256[0]++
	_, err = engine.New(engine.Config{Runtimes: rts, Isolation: engine.Subprocess})
	if !errors.Is(err, engine.ErrConfig) || !strings.Contains(err.Error(), `not given the runtime "javascript"`) {
		t.Errorf("got %v", err)
	}
}

// TestIsolationCancel ends a call in a worker process by its context. The
// process lives on.
func TestIsolationCancel(t *testing.T) {
	e := isolated(t, 1)
	for _, c := range []*engine.Component{
		compile(t, e, "spin.js", `export const render = p => { while (p.spin); return "done" }`),
		compile(t, e, "nap.py", "import asyncio\nasync def render(p):\n    if p['spin']: await asyncio.sleep(60)\n    return 'done'"),
	} {
		render(t, c, map[string]any{"spin": false}, nil)
		before := e.Stats().ProcessEnds
		for i := range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+10*i)*time.Millisecond)
			_, err := c.Render(ctx, map[string]any{"spin": true}, nil)
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", c.Name(), err)
			}
			if got := render(t, c, map[string]any{"spin": false}, nil); got != "done" {
				t.Errorf("%s: next render is %q", c.Name(), got)
			}
		}
		if after := e.Stats().ProcessEnds; after != before {
			t.Errorf("%s: %d processes ended", c.Name(), after-before)
		}
	}
}
