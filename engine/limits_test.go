package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
)

func TestLimits(t *testing.T) {
	e := newEngine(t, engine.Config{Limits: engine.Limits{CallTime: time.Minute}})
	for _, c := range []struct{ name, code, limit string }{
		{"spin.js", `for (;;);`, "CallTime"},
		{"builtin.js", `const a = Array(1e5).fill(0).map(Math.random); for (;;) a.sort()`, "CallTime"},
		{"catch.js", `for (;;) try { for (;;); } catch {} finally { for (;;); }`, "CallTime"},
		{"regex.js", `/^(a+)+$/.test("a".repeat(40) + "b")`, "CallTime"},
		{"array.js", `const a = []; for (;;) a.push(new Array(1000).fill(a.length))`, "Memory"},
		{"string.js", `const a = []; for (;;) a.push("é".repeat(1e6) + a.length)`, "Memory"},
		{"buffer.js", `const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))`, "Memory"},
		{"output.js", `return "x".repeat(10001)`, "Output"},
		{"console.js", `for (;;) console.log("hello")`, "Console"},
		{"empty.js", `for (;;) console.log("")`, "Console"},
		{"sleep.js", `return new Promise(r => setTimeout(r, 60000))`, "CallTime"},
		{"timers.js", `return new Promise(() => { setInterval(() => {}, 1) })`, "CallTime"},
		{"microtasks.js", `return (async () => { for (;;) await 0 })()`, "CallTime"},

		{"spin.py", `while True: pass`, "CallTime"},
		{"builtin.py", `sum(range(10**12))`, "CallTime"},
		{"catch.py", "while True:\n        try:\n            while True: pass\n        except BaseException: pass\n        finally:\n            while True: pass", "CallTime"},
		{"regex.py", "import re; re.match('(a+)+$', 'a' * 40 + 'b')", "CallTime"},
		{"list.py", "a = []\n    while True: a.append([len(a)] * 1000)", "Memory"},
		{"string.py", "s = 'x'\n    while True: s += s", "Memory"},
		{"bytes.py", "return len(bytearray(10**9))", "Memory"},
		{"output.py", `return "x" * 10001`, "Output"},
		{"console.py", "while True: print('hello')", "Console"},
		{"empty.py", "while True: print()", "Console"},
		{"sleep.py", "import time; time.sleep(60)", "CallTime"},
		{"async.py", "import asyncio; return asyncio.sleep(60)", "CallTime"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code := "export function render(p) { if (p.ok) return 'ok';\n" + c.code + "\n}"
			if c.name[len(c.name)-3:] == ".py" {
				code = "def render(p):\n    if p.get('ok'): return 'ok'\n    " + c.code + "\n"
			}
			comp := compile(t, e, c.name, code)
			small := engine.Limits{Memory: 40 << 20, Output: 10000, Console: 1000}
			if c.limit == "CallTime" {
				small.CallTime = 50 * time.Millisecond
			}
			_, err := comp.Render(t.Context(), nil, &engine.Options{Limits: small})
			var le *engine.LimitError
			if !errors.As(err, &le) {
				t.Fatalf("got %v, want a LimitError", err)
			}
			if le.Limit != c.limit || le.Max <= 0 {
				t.Errorf("limit is %+v, want %s", le, c.limit)
			}
			if got := render(t, comp, map[string]bool{"ok": true}, nil); got != "ok" {
				t.Errorf("next render is %q", got)
			}
		})
	}
}

func TestCompileTimeIsLimited(t *testing.T) {
	e := newEngine(t, engine.Config{Limits: engine.Limits{CompileTime: 2 * time.Second}})
	for name, code := range map[string]string{
		"top.js": `for (;;); export const render = 1`,
		"top.py": "while True: pass\ndef render(p): pass",
	} {
		_, err := e.Compile(t.Context(), engine.Source{Name: name, Code: []byte(code)})
		var le *engine.LimitError
		if !errors.As(err, &le) || le.Limit != "CompileTime" {
			t.Errorf("%s: %v", name, err)
		}
		compile(t, e, name, map[string]string{"top.js": "export const render = () => 1", "top.py": "def render(p): pass"}[name])
	}
}
