package javascript_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// values are what arguments can be, as source.
var values = []string{
	"null", "true", "false", "0", "-0", "1", "-2147483648", "4294967296", "0.1", "1e21", "1e-7", "123456789.123", "NaN", "-Infinity", "2 ** 53", "Number.MAX_VALUE", "5e-324",
	"''", "'a'", `'"\\\/\b\f\n\r\t\v\0\x1f\x7f'`, "'é€😀'", "'\\ud800x'", "'x\\udfff'", "'\\u2028'", "'a'.repeat(600)", "'é'.repeat(300)", "'a'.repeat(300) + 'b'.repeat(300)",
	"'abcdef'.slice(2)", "'x'.repeat(1000).slice(3, 9)", "({})", "[]", "[1, 'a', null, [], {}]", "[1, , 3]", "[undefined, () => 1, Symbol()]", "({ a: 1, b: 'x', c: { d: [] } })",
	"({ b: 1, a: 2, 2: 3, 1: 4, '-1': 5, '01': 6, 4294967294: 7, 4294967295: 8 })", "({ u: undefined, f() {}, s: Symbol(), a: 1 })", "({ [Symbol()]: 1, a: 2 })",
	"({ get a() { return 1 }, b: 2 })", "({ toJSON: 1, a: 2 })", "({ toJSON() { return { x: 1 } } })", "[{ toJSON() { return 'x' } }]", "Object.create({ a: 1 })",
	"Object.create({ toJSON: () => 5 })", "Object.assign(Object.create(null), { a: 1 })", "({ __proto__: null, ['__proto__']: 1 })", "JSON.parse('{\"__proto__\":{\"a\":1}}')",
	"(() => { const o = { a: 1, b: 2, c: 3 }; delete o.b; return o })()", "(() => { const o = { a: 1 }; Object.defineProperty(o, 'h', { value: 1 }); return o })()",
	"(() => { const a = [1, 2]; a.x = 5; return a })()", "(() => { const a = [1, 2]; a.length = 4; return a })()", "(() => { const a = []; a[5] = 1; return a })()", "(() => { const a = [3]; a.toJSON = () => 'j'; return a })()",
	"new (class A { x = 1; #y = 2 })", "new (class B extends Array {})(3)", "new Date(0)", "new Map([[1, 2]])", "new Number(5)", "new String('s')", "new Boolean(false)", "Object.freeze({ a: Object.freeze([1]) })",
	"[[[[[[[[[[[[1]]]]]]]]]]]]", "({ a: { a: { a: { a: { a: { a: { a: { a: { a: { a: 1 } } } } } } } } } })", "({ '': 1, ' ': 2, é: 3, '😀': 4, $: 5, $x: 6, _: 7 })", "Array.from({ length: 400 }, (_, i) => i)",
	"new Proxy({ a: 1 }, {})", "new Proxy([1], {})", "JSON.rawJSON('1e1000')", "(function () { return arguments })(1, 2)", "/x/", "new Error('x')",
}

// The short way to the JSON of an argument writes what JSON.stringify does.
func TestArgumentsAreJSON(t *testing.T) {
	code := "import { callSync } from 'spore'; const values = [\n"
	for _, v := range values {
		code += "() => " + v + ",\n"
	}
	h := start(t, code+`];
		export const f = (i) => { const v = values[i](); callSync('app.take', v); return JSON.stringify(v) ?? 'undefined' };
		export const patched = (i) => { Object.prototype.toJSON = () => 'object'; try { return f(i) } finally { delete Object.prototype.toJSON } };
		export const arrays = (i) => { Array.prototype.toJSON = () => 'array'; try { return f(i) } finally { delete Array.prototype.toJSON } };`)
	h.answer = func(hostCall) ([]byte, bool) { return ok("null"), true }
	for i, v := range values {
		for _, f := range []string{"f", "patched", "arrays"} {
			h.calls = nil
			o := h.begin(f, fmt.Sprint(i))
			require.NotEqual(t, int32(statusError), o.status, "%s: %s", v, o.text)
			require.Len(t, h.calls, 1)
			require.Equal(t, o.text, h.calls[0].arg, "%s: %s", f, v)
		}
	}
}

// What a host answers comes back as it is, also by the short way.
func TestAnswersAreJSON(t *testing.T) {
	h := start(t, `import { call, callSync } from 'spore';
		export const sync = () => JSON.stringify([callSync('app.give')]);
		export const async = async () => JSON.stringify([await call('app.give')])`)
	for _, text := range []string{
		"null", "true", "false", "0", "1", "-1", "10", "999999999", "1234567890", "4294967296", "0.5", "1e3", `""`, `"null"`, `"é😀\u0001"`, "[]", "{}", `{"a":[1,{"__proto__":{"b":2}}],"then":1}`, "[[[[1]]]]",
	} {
		h.answer = func(hostCall) ([]byte, bool) { return ok(text), true }
		var want any
		require.NoError(t, json.Unmarshal([]byte(text), &want))
		for _, f := range []string{"sync", "async"} {
			var got []any
			require.NoError(t, json.Unmarshal([]byte(h.begin(f, "").text), &got), text)
			require.Equal(t, []any{want}, got, f)
		}
	}
	for _, bad := range []string{"01", "1 2", "nul", "nulll", "-", "+1", "00", "1.", "{"} {
		h.answer = func(hostCall) ([]byte, bool) { return ok(bad), true }
		for _, f := range []string{"sync", "async"} {
			require.Equal(t, "SyntaxError", h.begin(f, "").err(t).Name, bad)
		}
	}
	// A value cannot pass for a thenable.
	h = start(t, `import { call } from 'spore';
		Object.prototype.then = function (f) { f('stolen') };
		export const f = () => call('app.give').then === undefined ? 0 : 1`)
	h.answer = func(hostCall) ([]byte, bool) { return ok("{}"), true }
	require.Equal(t, "1", h.begin("f", "").text)
}

// Errors of host calls carry the number of theirs, at once and later.
func TestHostErrors(t *testing.T) {
	h := start(t, `import { call, callSync } from 'spore';
		export const sync = () => callSync('app.f', 1);
		export const async = () => call('app.f', 1);
		export const caught = async () => [
			await call('app.f').catch((e) => [e.name, e.code, e.message, e instanceof Error]),
			(() => { try { callSync('app.f') } catch (e) { return e.code } })(),
			await call(Symbol()).catch((e) => e.name), await call('app.f', () => 1).catch((e) => e.message), await call('app.f', 1n).catch((e) => e.name),
			(() => { try { callSync('app.f', () => 1) } catch (e) { return e.name } })(),
		]`)
	h.answer = func(hostCall) ([]byte, bool) { return refused("quota", "enough"), true }
	for _, f := range []string{"sync", "async"} {
		e := h.begin(f, "").err(t)
		require.Equal(t, []string{"error", "HostError", "enough"}, []string{e.Kind, e.Name, e.Message})
		require.Equal(t, h.calls[len(h.calls)-1].id, e.Host)
		require.Equal(t, "component.tsx", e.Stack[0].File)
		require.Equal(t, f, e.Stack[0].Func)
	}
	h.answer = nil
	require.Equal(t, int32(statusPending), h.begin("async", "").status)
	id := h.calls[len(h.calls)-1].id
	require.Equal(t, id, h.settle(id, refused("quota", "enough")).err(t).Host)
	h.answer = func(hostCall) ([]byte, bool) { return refused("quota", "enough"), true }
	require.Equal(t, `[["HostError","quota","enough",true],"quota","TypeError","a function or symbol cannot be passed on","TypeError","TypeError"]`, h.begin("caught", "").text)
}
