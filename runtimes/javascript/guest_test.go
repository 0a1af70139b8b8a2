package javascript_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/runtimestest"
)

// cacheDir lets the tests of this package compile the interpreter once.
var cacheDir string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	cacheDir, err = os.MkdirTemp("", "spore-javascript-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(cacheDir)
	return m.Run()
}

// body makes a component whose render function has this body.
func body(code string) string {
	return "export async function render(p) {\n" + code + "\n}"
}

func TestValues(t *testing.T) {
	eng := runtimestest.Engine(t, javascript.Runtime(), cacheDir)
	tests := []struct{ what, code, props, want string }{
		{"nothing", "", "", `null`},
		{"undefined and functions in objects", "return { a: undefined, f() {}, n: NaN, d: new Date(0) }", "", `{"n":null,"d":"1970-01-01T00:00:00.000Z"}`},
		{"text", "return 'a\\ud800b é 😀'", "", "\"a\uFFFDb é 😀\""},
		{"__proto__ is data", "return [Object.getPrototypeOf(p) === Object.prototype, p]", `{"__proto__":{"x":1},"constructor":2}`, `[true,{"__proto__":{"x":1},"constructor":2}]`},
		{"promise", "return new Promise((r) => queueMicrotask(() => r([1])))", "", `[1]`},
		{"thenable", "return { then(f) { f({ a: 1 }) } }", "", `{"a":1}`},
		{"timers in order", `const log = [];
			const wait = (ms, x) => new Promise((r) => setTimeout(() => { log.push(x); r(); }, ms));
			setImmediate(() => log.push('now'));
			const never = setTimeout(() => log.push('never'), 5); clearTimeout(never);
			await Promise.all([wait(30, 'c'), wait(10, 'a'), wait(20, 'b'), wait(10, 'a2')]);
			return log`, "", `["now","a","a2","b","c"]`},
		{"interval", `let n = 0; return new Promise((r) => { const id = setInterval(() => { if (++n === 3) { clearInterval(id); r(n); } }, 1); })`, "", `3`},
		{"arguments of timers", "return new Promise((r) => setTimeout((a, b) => r(a + b), 1, 2, 3))", "", `5`},
		{"URL", `const u = new URL('../x y?q=ä&b=1#ü', 'https://Bücher.example:443/a/b/c'); u.searchParams.append('k', 'v w');
			return [u.href, u.origin, [...u.searchParams.keys()], URL.canParse('nope'), String(new URLSearchParams({ a: 'b c' }))]`, "",
			`["https://xn--bcher-kva.example/a/x%20y?q=%C3%A4&b=1&k=v+w#%C3%BC","https://xn--bcher-kva.example",["q","b","k"],false,"a=b+c"]`},
		{"TextEncoder", "return [Array.from(new TextEncoder().encode('aé€😀\\ud800')), new TextEncoder().encodeInto('aé€', new Uint8Array(4))]", "",
			`[[97,195,169,226,130,172,240,159,152,128,239,191,189],{"read":2,"written":3}]`},
		{"TextDecoder", `const d = new TextDecoder(); const b = (...x) => new Uint8Array(x);
			let fatal; try { new TextDecoder('utf-8', { fatal: true }).decode(b(0xff)) } catch (e) { fatal = e.name }
			return [new TextDecoder().decode(b(0xef, 0xbb, 0xbf, 0x61, 0xc3, 0xa9, 0xff, 0xe2, 0x82, 0x41)),
				d.decode(b(0xe2, 0x82), { stream: true }) + '|' + d.decode(b(0xac)), new TextDecoder('latin1').decode(b(0x80, 0xe9)),
				new TextDecoder('utf-16le').decode(b(0x61, 0, 0x3d, 0xd8, 0, 0xde)), fatal]`, "", "[\"aé\uFFFD\uFFFDA\",\"|€\",\"€é\",\"a😀\",\"TypeError\"]"},
		{"structuredClone", `const a = { d: new Date(0), m: new Map([[1, { s: new Set([1]) }]]), r: /x/gi, b: new Uint8Array([1, 2]), e: new TypeError('q') }; a.self = a;
			const c = structuredClone(a); let error; try { structuredClone({ f() {} }) } catch (e) { error = e.name }
			return [c.self === c, c !== a, c.d, [...c.m.get(1).s], String(c.r), [...c.b], c.e instanceof TypeError, c.e.message, error]`, "",
			`[true,true,"1970-01-01T00:00:00.000Z",[1],"/x/gi",[1,2],true,"q","DataCloneError"]`},
		{"structuredClone of errors and buffers", `const b = new ArrayBuffer(4), error = (f) => { try { return f() } catch (e) { return e.name } };
			const c = structuredClone({ b, v: new Uint8Array(b, 1, 2) }, { transfer: [b] }), d = structuredClone(new DOMException('m', 'AbortError'));
			const e = structuredClone(new AggregateError([1], 'q', { cause: new Date(0) }));
			return [b.detached, c.v.length, c.v.buffer === c.b, d instanceof DOMException, d.name, e.errors, e.cause, Object.keys(structuredClone),
				error(() => structuredClone(new EventTarget())), error(() => structuredClone(b, { transfer: [b, b] })), error(() => structuredClone(Symbol()))]`, "",
			`[true,2,true,true,"AbortError",[1],"1970-01-01T00:00:00.000Z",[],"DataCloneError","DataCloneError","DataCloneError"]`},
		{"TextDecoder in chunks", `const run = (label, options, ...chunks) => { const d = new TextDecoder(label, options); return chunks.map((c) => d.decode(new Uint8Array(c), { stream: true })).join('|') + '|' + d.decode() };
			return [run('utf-16le', {}, [0x3d], [0xd8, 0], [0xde]), run('utf-8', {}, [0xef], [0xbb, 0xbf, 65], [0xf0, 0x9f], [66], [0xe2]),
				run('utf-8', { ignoreBOM: true }, [0xef, 0xbb, 0xbf]).length, run('utf-16be', {}, [0, 65]), new TextDecoder('Latin1').encoding]`, "",
			"[\"||😀|\",\"|A||\uFFFDB||\uFFFD\",2,\"A|\",\"windows-1252\"]"},
		{"listeners", `const log = []; const t = new EventTarget(), h = { handleEvent(e) { log.push(this === h, e.eventPhase) } }, last = () => log.push('removed');
			t.addEventListener('x', h); t.addEventListener('x', h);
			t.addEventListener('x', (e) => { e.preventDefault(); log.push(e.defaultPrevented) }, { passive: true });
			t.addEventListener('x', (e) => { e.preventDefault(); t.removeEventListener('x', last); t.addEventListener('x', () => log.push('late')) });
			t.addEventListener('x', last);
			t.addEventListener('x', (e) => { try { t.dispatchEvent(e) } catch (error) { log.push(error.name) } });
			const c = new AbortController(); t.addEventListener('x', () => log.push('aborted'), { signal: c.signal });
			c.signal.onabort = (e) => log.push(e.target === c.signal); c.abort('why'); c.abort('again');
			log.push(t.dispatchEvent(new Event('x', { cancelable: true })), c.signal.reason);
			return log`, "", `[true,true,2,false,"InvalidStateError",false,"why"]`},
		{"events", `const log = []; const t = new EventTarget();
			t.addEventListener('x', (e) => log.push(e.type, e.detail, e.target === t), { once: true });
			t.dispatchEvent(new CustomEvent('x', { detail: 5 })); t.dispatchEvent(new CustomEvent('x'));
			const c = new AbortController(); c.signal.addEventListener('abort', () => log.push('aborted')); c.abort(); c.abort();
			log.push(c.signal.reason.name, AbortSignal.any([c.signal]).aborted);
			await new Promise((r) => AbortSignal.timeout(1).addEventListener('abort', r));
			return log`, "", `["x",5,true,"aborted","AbortError",true]`},
		{"crypto", `return [/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()), crypto.getRandomValues(new Uint32Array(3)).length, atob(btoa('a'))]`, "", `[true,3,"a"]`},
		{"browser is absent", "return [typeof window, typeof document, typeof process, typeof fetch, typeof require, typeof __spore, Object.keys(globalThis)]", "",
			`["undefined","undefined","undefined","undefined","function","undefined",[]]`},
		{"JSON of classes", "class A { #p = 1; x = 2; toJSON() { return { x: this.x, s: JSON.stringify(new Uint8Array(1)) } } } return new A()", "", `{"x":2,"s":"{\"0\":0}"}`},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			if got := render(t, eng, body(test.code), test.props); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// render returns what a component rendered, as JSON.
func render(t *testing.T, eng *engine.Engine, code, props string) string {
	t.Helper()
	c, err := eng.Compile(context.Background(), engine.Source{Name: "a.jsx", Code: []byte(code)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r, err := c.Render(context.Background(), raw(props), nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(r.JSON())
}

func raw(props string) any {
	if props == "" {
		return nil
	}
	return rawJSON(props)
}

// rawJSON goes through encoding/json as it is.
type rawJSON string

func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

func TestBytes(t *testing.T) {
	eng := runtimestest.Engine(t, javascript.Runtime(), cacheDir)
	c, err := eng.Compile(context.Background(), engine.Source{Name: "a.js", Code: []byte(body(
		"const b = new Uint8Array([1, 2, 3]); return { a: b, b: b.buffer, c: b.subarray(1), d: new ArrayBuffer(0), e: 'x' }"))})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r, err := c.Render(context.Background(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(r.JSON()), `{"a":{"$bytes":0},"b":{"$bytes":1},"c":{"$bytes":2},"d":{"$bytes":3},"e":"x"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(r.Buffers), "[[1 2 3] [1 2 3] [2 3] []]"; got != want {
		t.Errorf("buffers %s, want %s", got, want)
	}
}

func TestErrors(t *testing.T) {
	eng := runtimestest.Engine(t, javascript.Runtime(), cacheDir)
	tests := []struct{ what, code, kind, name, message string }{
		{"exception", body("null.x"), engine.KindThrown, "TypeError", "cannot read property 'x' of null"},
		{"rejection", body("await null; throw new RangeError('r')"), engine.KindThrown, "RangeError", "r"},
		{"own class", body("class E extends Error { name = 'Mine' } throw new E('m')"), engine.KindThrown, "Mine", "m"},
		{"thrown string", body("throw 'text'"), engine.KindThrown, "", "text"},
		{"thrown object", body("throw { a: 1 }"), engine.KindThrown, "", `{"a":1}`},
		{"thrown nothing", body("throw undefined"), engine.KindThrown, "", "undefined"},
		{"thrown trap", body("throw { get message() { throw 1 }, toString() { throw 2 }, toJSON() { throw 3 } }"), engine.KindThrown, "", "[object Object]"},
		{"thrown null", body("throw null"), engine.KindThrown, "", "null"},
		{"in a timer", body("return new Promise(() => setTimeout(() => { throw new Error('late') }, 1))"), engine.KindThrown, "Error", "late"},
		{"in a microtask", body("queueMicrotask(() => { throw new Error('micro') }); await new Promise(() => {})"), engine.KindThrown, "Error", "micro"},
		{"recursion", body("const f = () => f() + 1; f()"), engine.KindThrown, "RangeError", "Maximum call stack size exceeded"},
		{"function", body("return () => 1"), engine.KindResult, "TypeError", "a function or symbol cannot be passed on"},
		{"BigInt", body("return { n: 1n }"), engine.KindResult, "TypeError", "BigInt are forbidden in JSON.stringify"},
		{"cycle", body("const a = {}; a.a = a; return a"), engine.KindResult, "TypeError", "circular reference"},
		{"numbers as bytes", body("return new Float32Array(1)"), engine.KindResult, "TypeError", "only ArrayBuffer and Uint8Array can be passed as bytes"},
		{"reserved key", body("return [{ $bytes: 0 }]"), engine.KindResult, "TypeError", "the key $bytes is reserved"},
		{"no render", "export const other = () => 1", engine.KindMissing, "", `the component exports no function "render"; it exports other`},
		{"never", body("await new Promise(() => {})"), engine.KindStuck, "", "the promise can never settle"},
		{"host call", "import { call } from 'spore'; export const render = () => call('nothing', 1)", engine.KindThrown, "HostError", ""},
		{"props", "export default (p) => null; ", engine.KindThrown, "TypeError", "must be an object"},
		{"component", "export default () => ({ a: 1 })", engine.KindThrown, "Error", "Objects are not valid as a React child (found: object with keys {a})"},
		{"element type", "export default () => <Undefined.x />; const Undefined = {}", engine.KindThrown, "Error", "Element type is invalid: expected a string"},
		{"hook outside", "import { useState } from 'react'; export const render = () => useState(1)", engine.KindThrown, "TypeError", "Hooks can only be called inside"},
		{"suspended", "import { use } from 'react'; export default () => use(new Promise(() => {}))", engine.KindThrown, "Error", "no <Suspense> is around it"},
		{"portal", "import { createPortal } from 'react-dom'; export default () => createPortal('x', {})", engine.KindThrown, "Error", "not a DOM element"},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			c, err := eng.Compile(context.Background(), engine.Source{Name: "a.jsx", Code: []byte(test.code)})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			var props any
			if test.what == "props" {
				props = []int{1}
			}
			r, err := c.Render(context.Background(), props, nil)
			var g *engine.GuestError
			if !errors.As(err, &g) {
				t.Fatalf("result %v, error %v", r, err)
			}
			if g.Kind != test.kind || g.Name != test.name || !strings.Contains(g.Message, test.message) {
				t.Errorf("kind %q, name %q, message %q; want %q, %q, %q", g.Kind, g.Name, g.Message, test.kind, test.name, test.message)
			}
		})
	}
}

func TestErrorPosition(t *testing.T) {
	eng := runtimestest.Engine(t, javascript.Runtime(), cacheDir)
	code := "type P = { a: string };\n\nfunction inner(p: P): never { throw new Error('x'); }\nexport function render(p: P) {\n  return inner(p);\n}\n"
	c, err := eng.Compile(context.Background(), engine.Source{Name: "dir/a.tsx", Code: []byte(code)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Render(context.Background(), nil, nil)
	var g *engine.GuestError
	if !errors.As(err, &g) {
		t.Fatal(err)
	}
	if len(g.Stack) != 2 || g.Stack[0].Func != "inner" || g.Stack[0].Line != 3 || g.Stack[1].Func != "render" || g.Stack[1].Line != 5 || g.Stack[1].File != "dir/a.tsx" {
		t.Errorf("stack %+v", g.Stack)
	}
}

func TestMemory(t *testing.T) {
	eng := runtimestest.Engine(t, javascript.Runtime(), cacheDir)
	for _, code := range []string{
		"const a = []; for (;;) a.push(new Array(10000).fill({}))",
		"const a = []; for (;;) a.push({ b: [] })",
		"let s = 'x'; for (;;) s += s.toUpperCase()",
		"const a = []; for (;;) a.push(new Uint8Array(1 << 20))",
		"const m = new Map(); for (let i = 0; ; i++) m.set(i, [i])",
		"const a = []; for (let i = 0; ; i++) a.push('text ' + i)",
	} {
		c, err := eng.Compile(context.Background(), engine.Source{Name: "a.js", Code: []byte(body(code))})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Render(context.Background(), nil, &engine.Options{Limits: engine.Limits{Memory: 16 << 20}})
		var l *engine.LimitError
		if !errors.As(err, &l) || l.Limit != "Memory" {
			t.Errorf("%s: %v", code, err)
		}
		c.Close()
	}
}

func TestExportsNothing(t *testing.T) {
	eng := runtimestest.Engine(t, javascript.Runtime(), cacheDir)
	_, err := eng.Compile(context.Background(), engine.Source{Name: "a.tsx", Code: []byte("const A = () => <p />;")})
	var s *engine.SourceError
	if !errors.As(err, &s) || !strings.Contains(s.Diagnostics[0].Text, "component exports nothing: export default a React component") {
		t.Errorf("error %v", err)
	}
}

func TestForms(t *testing.T) {
	eng := runtimestest.Engine(t, javascript.Runtime(), cacheDir)
	for _, code := range []string{
		"export default function A() { return <p>x</p> }",
		"export default async function A() { await null; return <p>x</p> }",
		"export default <p>x</p>",
		"module.exports = () => <p>x</p>",
		"exports.render = () => <p>x</p>",
		"export const render = async () => (await import('react')).createElement('p', null, (await import('react')).default.version ? 'x' : '')",
		"export const render = () => '<p>x</p>'",
		"export const render = async () => <p>x</p>",
		"export default function A() { return <i>not this</i> } export const render = () => <p>x</p>",
		"import { memo, Component } from 'react'; export default memo(class extends Component { render() { return <p>x</p> } })",
		"import React from 'react'; export default () => React.createElement('p', null, 'x')",
		"import * as R from 'react'; import { jsx } from 'react/jsx-runtime'; export default R.forwardRef(() => jsx('p', { children: 'x' }))",
	} {
		if got := render(t, eng, code, ""); got != `"\u003cp\u003ex\u003c/p\u003e"` && got != `"<p>x</p>"` {
			t.Errorf("%s: %s", code, got)
		}
	}
}

func TestConsole(t *testing.T) {
	eng := runtimestest.Engine(t, javascript.Runtime(), cacheDir)
	c, err := eng.Compile(context.Background(), engine.Source{Name: "a.js", Code: []byte(body(`
		console.log('%s is %d', 'x', 3, { a: [1, { b: { c: { d: 1 } } }], m: new Map([['k', new Set([1])]]) });
		console.debug(-0, 1n, null, undefined, Symbol('s'), () => 1, class A {}, [1, , 3], 'it\'s', ["it's"]);
		console.warn('lone \ud800');
		console.error(new TypeError('bad'));
		Promise.reject(new Error('lost'));
		const o = {}; o.o = o; console.info(o);
		console.group('g'); console.log('in'); console.groupEnd(); console.assert(false, 'no');
		console.table([{ a: 1 }]);`))})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	if _, err := c.Render(context.Background(), nil, &engine.Options{Console: log}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"INFO", "x is 3 { a: [ 1, { b: [Object] } ], m: Map(1) { 'k' => Set(1) { 1 } } }",
		"DEBUG", "-0 1n null undefined Symbol(s) [Function (anonymous)] [class A] [ 1, <1 empty item>, 3 ] it's [ \\\"it's\\\" ]",
		"WARN", "lone \uFFFD", "ERROR", "TypeError: bad", "Unhandled promise rejection: Error: lost", "<ref *1> { o: [Circular *1] }", "  in", "Assertion failed: no", "│ 0       │ 1 │",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// Two starts of one image differ in every source of randomness; equal sources
// make equal images.
func TestRandomness(t *testing.T) {
	eng := runtimestest.Engine(t, javascript.Runtime(), cacheDir)
	code := "const early = Math.random();\n" + body("return [early, [Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(8)).join()]]")
	var digests, results []string
	for range 2 {
		c, err := eng.Compile(context.Background(), engine.Source{Name: "a.js", Code: []byte(code)})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		digests = append(digests, fmt.Sprint(c.Digest()))
		for range 2 {
			r, err := c.Render(context.Background(), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			var v []any
			if err := r.Decode(&v); err != nil {
				t.Fatal(err)
			}
			results = append(results, fmt.Sprint(v[1].([]any)...))
			for _, x := range v[1].([]any) {
				if n := strings.Count(strings.Join(results, " "), fmt.Sprint(x)); n != 1 {
					t.Errorf("%v came %d times", x, n)
				}
			}
		}
	}
	if digests[0] != digests[1] {
		t.Errorf("equal sources gave the images %v", digests)
	}
}

// The old generation and the collector: see build/patches/0002-immortal.patch.
func TestCollector(t *testing.T) {
	code, err := os.ReadFile("testdata/stress.tsx")
	if err != nil {
		t.Fatal(err)
	}
	eng, err := engine.New(engine.Config{
		Runtimes: []runtimes.Runtime{javascript.Runtime()}, CacheDir: cacheDir, Limits: engine.Limits{CallTime: time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	c, err := eng.Compile(context.Background(), engine.Source{Name: "stress.tsx", Code: code})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		r, err := c.Render(context.Background(), map[string]int{"rounds": 10}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(r.JSON()), `[[10,9,10],42,true,true,20,50]`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if r.Usage.Memory > 16<<20 {
			t.Errorf("garbage was not collected: %d bytes", r.Usage.Memory)
		}
	}
}

func BenchmarkSmallRender(b *testing.B) {
	eng, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{javascript.Runtime()}, CacheDir: cacheDir})
	if err != nil {
		b.Fatal(err)
	}
	defer eng.Close()
	c, err := eng.Compile(context.Background(), engine.Source{Name: "a.tsx", Code: []byte(`
		export default ({ items }: { items: string[] }) => <section className="p-4"><h1>{items.length} items</h1><ul>{items.map((x, i) => <li key={i}>{x}</li>)}</ul></section>`)})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	props := map[string]any{"items": []string{"a", "b", "c", "d", "e", "f", "g"}}
	for b.Loop() {
		if _, err := c.Render(context.Background(), props, nil); err != nil {
			b.Fatal(err)
		}
	}
}
