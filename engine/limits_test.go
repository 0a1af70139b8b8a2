package engine_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
)

// TestLimits runs into every limit of a call, in both languages and both modes.
func TestLimits(t *testing.T) {
	cases := []struct{ name, code, limit string }{
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
		{"sleep.js", `await new Promise(r => setTimeout(r, 60000))`, "CallTime"},
		{"timers.js", `await new Promise(() => { setInterval(() => {}, 1) })`, "CallTime"},
		{"microtasks.js", `for (;;) await 0`, "CallTime"},
		{"fuel.js", `for (;;);`, "Fuel"},
		{"timer.js", `for (;;) await new Promise(r => setTimeout(r, 0))`, "HostCalls"},
		{"calls.js", `for (;;) await call("app.nothing", {})`, "HostCalls"},
		{"sync.js", `for (;;) callSync("app.nothing", {})`, "HostCalls"},
		{"wait.js", `await call("app.wait", {})`, "HostTime"},
		{"block.js", `callSync("app.wait", {})`, "HostTime"},
		{"depth.js", `let v = []; for (let i = 0; i < 60; i++) v = [v]; return v`, "Depth"},

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
		{"async.py", "await asyncio.sleep(60)", "CallTime"},
		{"fuel.py", `while True: pass`, "Fuel"},
		{"timer.py", `while True: await asyncio.sleep(0.001)`, "HostCalls"},
		{"calls.py", `while True: await spore.call("app.nothing", {})`, "HostCalls"},
		{"sync.py", `while True: spore.call_sync("app.nothing", {})`, "HostCalls"},
		{"wait.py", `await spore.call("app.wait", {})`, "HostTime"},
		{"block.py", `spore.call_sync("app.wait", {})`, "HostTime"},
		{"depth.py", "v = []\n    for i in range(60): v = {'a': v}\n    return v", "Depth"},
	}
	for _, mode := range []engine.Isolation{engine.InProcess, engine.Subprocess} {
		e := newEngine(t, engine.Config{Isolation: mode, Workers: 2})
		for _, c := range cases {
			t.Run(mode.String()+"/"+c.name, func(t *testing.T) {
				code := "import { call, callSync } from 'spore'; export async function render(p) { if (p.ok) return 'ok';\n" + c.code + "\n}"
				if strings.HasSuffix(c.name, ".py") {
					code = "import asyncio, spore\nasync def render(p):\n    if p.get('ok'): return 'ok'\n    " + c.code + "\n"
				}
				comp := compile(t, e, c.name, code)
				small := engine.Limits{Memory: 40 << 20, Output: 10000, Console: 1000, Depth: 50}
				switch c.limit {
				case "CallTime":
					small.CallTime = 50 * time.Millisecond
				case "HostTime":
					small.HostTime = 20 * time.Millisecond
				case "HostCalls":
					small.HostCalls = 20
				case "Fuel":
					small.Fuel = 100_000_000
				}
				_, err := comp.Render(t.Context(), nil, &engine.Options{Limits: small, Grants: hostSet(t)})
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
}

// TestLimitsOfCompile runs into those of a compilation.
func TestLimitsOfCompile(t *testing.T) {
	for _, mode := range []engine.Isolation{engine.InProcess, engine.Subprocess} {
		with := func(l engine.Limits) *engine.Engine {
			return newEngine(t, engine.Config{Isolation: mode, Workers: 2, Limits: l})
		}
		engines := map[string]*engine.Engine{
			"CompileTime": with(engine.Limits{CompileTime: 5 * time.Second}),
			"Fuel":        with(engine.Limits{Fuel: 1_000_000_000}),
			"Memory":      with(engine.Limits{Memory: 40 << 20}),
			"Source":      with(engine.Limits{Source: 1000}),
		}
		fine := map[string]string{".js": "export const render = () => 1", ".py": "def render(p): return 1"}
		for _, c := range []struct{ name, code, limit string }{
			{"top.js", `for (;;); export const render = 1`, "CompileTime"},
			{"top.py", "while True: pass\ndef render(p): pass", "CompileTime"},
			{"fuel.js", `for (;;); export const render = 1`, "Fuel"},
			{"fuel.py", "while True: pass\ndef render(p): pass", "Fuel"},
			{"memory.js", `const a = []; for (;;) a.push(new Array(1000).fill(a.length)); export const render = 1`, "Memory"},
			{"memory.py", "a = []\nwhile True: a.append([len(a)] * 1000)", "Memory"},
			{"source.js", "export const render = () => 1 //" + strings.Repeat("x", 1000), "Source"},
			{"source.py", "def render(p): return 1 #" + strings.Repeat("x", 1000), "Source"},
			{strings.Repeat("x", 1000) + ".js", "export const render = 1", "Source"},
			{strings.Repeat("x", 1000) + ".py", "render = str", "Source"},
		} {
			t.Run(mode.String()+"/"+c.name[max(0, len(c.name)-9):], func(t *testing.T) {
				e := engines[c.limit]
				_, err := e.Compile(t.Context(), engine.Source{Name: c.name, Code: []byte(c.code)})
				if limitOf(err) != c.limit {
					t.Errorf("got %v, want the limit %s", err, c.limit)
				}
				ext := filepath.Ext(c.name)
				if got := render(t, compile(t, e, "a"+ext, fine[ext]), nil, nil); got != "1" {
					t.Errorf("the next component renders %q", got)
				}
			})
		}
	}
}
