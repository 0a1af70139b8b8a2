package javascript_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// notebook is a component for cells to run beside.
const notebook = `
let count = 0;
export const add = (n: number) => (count += n);
export default ({ name }: { name: string }) => <p>Hello, {name}</p>;
`

func TestCells(t *testing.T) {
	const ten = `1, 2, 3, 4, 5, 6, 7, 8, 9, 10`
	for _, test := range []struct {
		what  string
		cells []string // all but the last must not fail
		want  string   // the last one's result, or how it ends
	}{
		{"a value", []string{"1 + 1"}, `{"text":"2","data":{"application/json":2}}`},
		{"no value", []string{"let a = 1"}, `null`},
		{"nothing", []string{""}, `null`},
		{"undefined", []string{"5; undefined"}, `null`},
		{"null", []string{"null"}, `{"text":"null","data":{"application/json":null}}`},
		{"text", []string{`"it's"`}, `{"text":"\"it's\"","data":{"application/json":"it's"}}`},
		{"an object", []string{"{ a: 1 }"}, `{"text":"{ a: 1 }","data":{"application/json":{"a":1}}}`},
		{"a block", []string{"{ let q = 1; q }"}, `{"text":"1","data":{"application/json":1}}`},

		{"declarations stay", []string{"let x = 5; const y = 6; class A {} function f() { return 7 } var v = 8", "[x, y, f(), v, typeof A]"},
			`{"text":"[ 5, 6, 7, 8, 'function' ]","data":{"application/json":[5,6,7,8,"function"]}}`},
		{"again: const", []string{"const x = 1", "const x = 2; x"}, `{"text":"2","data":{"application/json":2}}`},
		{"again: class", []string{"class A { a() { return 1 } }", "class A { b() { return 2 } }", "new A().b()"}, `{"text":"2","data":{"application/json":2}}`},
		{"again: let for a function", []string{"function f() {}", "let f = 3", "f"}, `{"text":"3","data":{"application/json":3}}`},
		{"again: a function for const", []string{"const f = 3", "function f() { return 4 }", "f()"}, `{"text":"4","data":{"application/json":4}}`},
		{"again: var for let", []string{"var x = 1", "let x = 2", "var x; x"}, `{"text":"2","data":{"application/json":2}}`},
		{"again: after a failure", []string{"let f = () => g()", "let g = () => 9", "f()"}, `{"text":"9","data":{"application/json":9}}`},
		{"closures keep up", []string{"let n = 1; const get = () => n", "let n = 2", "get()"}, `{"text":"2","data":{"application/json":2}}`},
		{"an enum", []string{"enum E { A, B }", "E.B"}, `{"text":"1","data":{"application/json":1}}`},
		{"without a declaration", []string{"x = 5", "globalThis.x"}, `{"text":"5","data":{"application/json":5}}`},
		{"this", []string{"this === globalThis"}, `{"text":"true","data":{"application/json":true}}`},

		{"await", []string{"const z = await Promise.resolve(5); await null; z + 1"}, `{"text":"6","data":{"application/json":6}}`},
		{"await time", []string{"const t = performance.now(); await new Promise((r) => setTimeout(r, 500)); performance.now() - t >= 500"}, `{"text":"true","data":{"application/json":true}}`},
		{"for await", []string{"let s = 0; for await (const x of (async function* () { yield 1; yield 2 })()) s += x", "s"}, `{"text":"3","data":{"application/json":3}}`},
		{"what was awaited stays", []string{"let [p, q] = await Promise.all([1, Promise.resolve(2)])", "[p, q]"}, `{"text":"[ 1, 2 ]","data":{"application/json":[1,2]}}`},

		{"the component", []string{"import Main, { add } from 'component'; add(2)", "require('component').add(3); add(1)", "<Main name='x' />"},
			`"data":{"text/html":"<p>Hello, x</p>"}}`},
		{"the component's state", []string{"import { add } from 'component'; add(2)", "import * as C from 'component'; C.add(3)"}, `{"text":"5","data":{"application/json":5}}`},
		{"imports stay", []string{"import React, { useState as s } from 'react'\nimport { call } from 'spore'", "[typeof React.memo, typeof s, typeof call, (await import('react')).version === React.version]"},
			`{"text":"[ 'function', 'function', 'function', true ]","data":{"application/json":["function","function","function",true]}}`},
		{"components", []string{"const Item = ({ x }) => <li>{x}</li>", "const List = () => { const [n] = require('react').useState([1, 2]); return <ul>{n.map((x) => <Item key={x} x={x} />)}</ul> }; <><List /><b /></>"},
			`"data":{"text/html":"<ul><li>1</li><li>2</li></ul><b></b>"}}`},

		{"bytes", []string{"new Uint8Array([1, 2])"}, `{"text":"Uint8Array(2) [ 1, 2 ]","data":{"application/octet-stream":{"$bytes":0}}}`},
		{"bytes inside", []string{"({ a: [new Uint8Array([1, 2])], d: new Date(0), u: undefined })"},
			`{"text":"{\n  a: [ Uint8Array(2) [ 1, 2 ] ],\n  d: 1970-01-01T00:00:00.000Z,\n  u: undefined\n}","data":{"application/json":{"a":[{"$bytes":0}],"d":"1970-01-01T00:00:00.000Z"}}}`},
		{"no JSON: function", []string{"({ f() {} })"}, `{"text":"{ f: [Function: f] }","data":{}}`},
		{"no JSON: Map", []string{"new Map([[1, 2]])"}, `{"text":"Map(1) { 1 => 2 }","data":{}}`},
		{"no JSON: BigInt", []string{"1n"}, `{"text":"1n","data":{}}`},
		{"no JSON: NaN", []string{"NaN"}, `{"text":"NaN","data":{}}`},
		{"no JSON: cycle", []string{"const o = {}; o.o = o; o"}, `{"text":"<ref *1> { o: [Circular *1] }","data":{}}`},
		{"no JSON: promise", []string{"Promise.resolve(1)"}, `{"text":"Promise { ... }","data":{}}`},
		{"no JSON: reserved key", []string{"({ $bytes: 0 })"}, `{"text":"{ $bytes: 0 }","data":{}}`},
		{"__proto__ is data", []string{`JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}')`},
			`{"text":"{ __proto__: { x: 1 }, constructor: 2 }","data":{"application/json":{"__proto__":{"x":1},"constructor":2}}}`},

		{"a MIME bundle", []string{"({ toMimeBundle: () => ({ 'text/html': <b>1</b>, 'image/png': new Uint8Array(1), 'application/geo+json; v=1': [" + ten + "] }) })"},
			`{"text":"{ toMimeBundle: [Function: toMimeBundle] }","data":{"text/html":"<b>1</b>","image/png":{"$bytes":0},"application/geo+json; v=1":[1,2,3,4,5,6,7,8,9,10]}}`},
		{"spore.display", []string{"class P { #x = '<svg/>'; async [Symbol.for('spore.display')]() { await null; return { 'image/svg+xml': this.#x } } toMimeBundle() { return {} } }; new P"},
			`{"text":"P {}","data":{"image/svg+xml":"<svg/>"}}`},

		// What a declaration hides is hidden from the program only.
		{"hidden globals", []string{"class Map {} let Array = 5, Object = 6, JSON = 7, Symbol = 8; const String = 9; Array", "<i>{[1, 2].map((x) => <b key={x} />)}</i>"},
			`"data":{"text/html":"<i><b></b><b></b></i>"}}`},
		{"nothing is on the global object", []string{"Object.keys(globalThis)"}, `{"text":"[]","data":{"application/json":[]}}`},
	} {
		t.Run(test.what, func(t *testing.T) {
			h := start(t, notebook)
			for i, code := range test.cells {
				o := h.exec(code)
				require.Equal(t, int32(statusJSON), o.status, "%s: %s", code, o.text)
				if i == len(test.cells)-1 {
					require.True(t, strings.HasSuffix(o.text, test.want), "got %s\nwant %s", o.text, test.want)
				}
			}
		})
	}
}

// A guestError is the JSON of an error, as far as tests look at it.
type guestError struct {
	Kind, Name, Message string
	Stack               []struct {
		Func, File   string
		Line, Column int
	}
	Diagnostics []struct {
		File, Text   string
		Line, Column int
	}
	Host uint32
}

func (o outcome) err(t *testing.T) guestError {
	t.Helper()
	require.Equal(t, int32(statusError), o.status, o.text)
	var e guestError
	require.NoError(t, json.Unmarshal([]byte(o.text), &e))
	return e
}

func TestCellErrors(t *testing.T) {
	for _, test := range []struct{ what, code, kind, name, message string }{
		{"thrown", "throw new TypeError('x')", "error", "TypeError", "x"},
		{"awaited", "await Promise.reject(new RangeError('x'))", "error", "RangeError", "x"},
		{"a constant", "fixed = 2", "error", "TypeError", "'fixed' is read-only"},
		{"too early", "let fixed = fixed + 1", "error", "ReferenceError", "fixed is not initialized"},
		{"NaN", "let NaN = 1", "error", "SyntaxError", "redeclaration of 'NaN'"},
		{"export", "export const q = 1", "syntax", "", "export"},
		{"import below", "1;\nimport React from 'react'", "syntax", "", "identifier"},
		{"unknown module", "require('fs')", "error", "Error", `there is no module "fs"`},
		{"stuck", "await new Promise(() => {})", "stuck", "", "can never settle"},
		{"getter", "({ get a() { throw new Error('got') } })", "error", "Error", "got"},
		{"toJSON", "({ toJSON() { throw new Error('got') } })", "error", "Error", "got"},
		{"proxy", "new Proxy({}, { ownKeys() { throw new RangeError('trap') } })", "error", "RangeError", "trap"},
		{"revoked proxy", "const r = Proxy.revocable({}, {}); r.revoke(); r.proxy", "error", "TypeError", "revoked"},
		{"display throws", "({ toMimeBundle() { throw new Error('no') } })", "error", "Error", "no"},
		{"display of nothing", "({ toMimeBundle() {} })", "error", "TypeError", "must be an object"},
		{"display of no type", "({ toMimeBundle: () => ({ html: '' }) })", "error", "TypeError", `"html" in a MIME bundle is not a MIME type`},
		{"display under __proto__", `({ toMimeBundle: () => JSON.parse('{"__proto__": 1}') })`, "error", "TypeError", "is not a MIME type"},
		{"display of a function", "({ toMimeBundle: () => ({ 'text/html': () => 1 }) })", "error", "TypeError", "must be a string, JSON or bytes"},
		{"display of numbers", "({ toMimeBundle: () => ({ 'a/b': new Float32Array(1) }) })", "error", "TypeError", "must be a string, JSON or bytes"},
		{"display of too much", "({ toMimeBundle: () => Object.fromEntries(Array.from({ length: 40 }, (_, i) => ['a/b' + i, 1])) })", "error", "TypeError", "32 are allowed"},
		{"a bundle that throws", "({ toMimeBundle: () => new Proxy({ 'a/b': 1 }, { get() { throw new Error('trap') } }) })", "error", "Error", "trap"},
		{"an endless bundle", "({ toMimeBundle: () => ({ 'a/b': new Proxy([], { get: (o, k) => k === 'length' ? Infinity : 1 }) }) })", "error", "TypeError", "must be a string"},
		{"an element that throws", "const A = () => { throw new Error('render') }; <A />", "error", "Error", "render"},
	} {
		t.Run(test.what, func(t *testing.T) {
			h := start(t, notebook)
			h.exec("const fixed = 1")
			e := h.exec(test.code).err(t)
			require.Equal(t, []string{test.kind, test.name}, []string{e.Kind, e.Name}, e.Message)
			require.Contains(t, e.Message, test.message)
			require.Equal(t, `{"text":"1","data":{"application/json":1}}`, h.exec("1").text, "the session goes on")
		})
	}
}

func TestCellPositions(t *testing.T) {
	h := start(t, notebook)
	require.Equal(t, "null", h.finish(h.beginCell("cell 1", "function f() { null.x }")).text)
	e := h.finish(h.beginCell("cell 2", "await null;f()")).err(t)
	require.Len(t, e.Stack, 2)
	require.Equal(t, []string{"f", "cell 1", "", "cell 2"}, []string{e.Stack[0].Func, e.Stack[0].File, e.Stack[1].Func, e.Stack[1].File})
	require.Equal(t, []int{2, 3, 2, 1}, []int{e.Stack[0].Line, e.Stack[0].Column, e.Stack[1].Line, e.Stack[1].Column})

	e = h.begin("spore.exec", `{"code":"1;\n  let = 5 5","name":"cell 3"}`).err(t)
	require.Equal(t, "syntax", e.Kind)
	require.Len(t, e.Diagnostics, 1)
	require.Equal(t, "cell 3", e.Diagnostics[0].File)
	require.Equal(t, 2, e.Diagnostics[0].Line)

	for _, arg := range []string{``, `1`, `{}`, `{"code":1,"name":"x"}`, `{"code":"1"}`} {
		require.Equal(t, "TypeError", h.begin("spore.exec", arg).err(t).Name, arg)
	}
}

// A cell can overwrite what everything stands on. Its session may be lost then,
// but the guest keeps to the ABI.
func TestCellsThatBreakTheirSession(t *testing.T) {
	for _, code := range []string{
		"for (const k of Object.getOwnPropertyNames(globalThis)) try { globalThis[k] = null } catch {}",
		"for (const k of Object.getOwnPropertyNames(globalThis)) delete globalThis[k]",
		"Object.prototype.toJSON = () => 1; Array.prototype.toJSON = () => 2",
		"Object.defineProperty(Object.prototype, 'value', { get() { throw 1 }, set() { throw 2 } })",
		"Array.prototype[Symbol.iterator] = () => { throw new Error('no') }",
		"Promise.prototype.then = () => { throw new Error('no') }; Promise.prototype.constructor = null",
		"Object.freeze(globalThis); Object.freeze(Object.prototype)",
		"Map.prototype.get = Map.prototype.set = Set.prototype.add = () => { throw new Error('no') }",
		"function require() {} var __jsx = 1, __Fragment = 2, Error = 3, String = 4",
		"Error.prepareStackTrace = () => { throw 1 }; Error.stackTraceLimit = -1",
	} {
		h := start(t, notebook)
		h.answer = func(c hostCall) ([]byte, bool) { return ok("null"), true } // whatever became of the argument
		for _, c := range []string{code, "1", "throw new Error('x')", "await new Promise((r) => setTimeout(r, 1))", "<b/>", "nope(", "new Proxy({}, {})"} {
			o := h.begin("spore.exec", cellArg(t, c))
			require.Contains(t, []int32{statusJSON, statusError}, o.status, "%s: %s", code, c)
			require.True(t, json.Valid([]byte(o.text)), "%s: %s: %s", code, c, o.text)
		}
	}
}

func cellArg(t *testing.T, code string) string {
	t.Helper()
	b, err := json.Marshal(map[string]string{"code": code, "name": "cell"})
	require.NoError(t, err)
	return string(b)
}

// A cell is suspended while it awaits, as any call is.
func TestCellIsResumed(t *testing.T) {
	h := start(t, notebook)
	h.exec("import { call } from 'spore'; let n = 1")
	o := h.beginCell("cell", "n += await call('app.ask', { n }); n")
	require.Equal(t, int32(statusPending), o.status)
	require.Equal(t, 1, h.pending())
	r := h.resume(0, time.Hour)
	o = r.settle(h.calls[0].id, ok("41"))
	require.Equal(t, `{"text":"42","data":{"application/json":42}}`, o.text)
	require.Equal(t, `{"text":"42","data":{"application/json":42}}`, r.exec("n").text)
}
