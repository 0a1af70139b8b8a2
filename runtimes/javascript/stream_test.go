package javascript_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/runtimestest"
)

// parts answers a call's emits one after the other and returns what was emitted.
func (h *host) parts(o outcome) (list []string, last outcome) {
	h.t.Helper()
	for o.status == statusPending {
		require.Len(h.t, h.open, 1, "one part at a time")
		for id, c := range h.open {
			require.Equal(h.t, "spore.emit", c.name)
			require.False(h.t, c.blocking)
			list = append(list, c.arg)
			o = h.settle(id, ok("null"))
		}
	}
	return list, o
}

func TestEmit(t *testing.T) {
	for _, test := range []struct {
		what, code string
		parts      []string
		result     string
	}{
		{"emit", "import { emit } from 'spore'; export async function f() { await emit(1); await emit(<b>x</b>); const r = await emit({ a: [null] }); return typeof r }",
			[]string{`1`, `"<b>x</b>"`, `{"a":[null]}`}, "undefined"},
		{"emit nothing", "import { emit } from 'spore'; export async function f() { await emit(); return 1 }", []string{``}, "1"},
		{"generator", "export function* f() { yield 1; const r = yield Promise.resolve(2); return r === undefined }", []string{"1", "2"}, "true"},
		{"asynchronous generator", "export async function* f(p) { for (let i = 0; i < p.n; i++) yield <li>{i}</li>; return <ul /> }", []string{`"<li>0</li>"`, `"<li>1</li>"`}, "<ul></ul>"},
		{"a promise of a generator", "export async function f() { await null; return (function* () { yield 1; return [2] })() }", []string{"1"}, "[2]"},
		{"a generator that returns one", "function* g() { yield 2; return 3 } export function* f() { yield 1; return g() }", []string{"1", "2"}, "3"},
		{"yield *", "async function* g() { yield 1; return 2 } export async function* f() { yield yield* g() }", []string{"1", "2"}, ""},
		{"default export", "export default async function* App({ n }) { yield <i>{n}</i>; return <b>{n}</b> }", []string{`"<i>2</i>"`}, "<b>2</b>"},
		{"bytes", "export function* f() { yield new Uint8Array(3) }", []string{`{"$bytes":0}`}, ""},
	} {
		t.Run(test.what, func(t *testing.T) {
			h := start(t, test.code)
			name := "f"
			if test.what == "default export" {
				name = "render"
			}
			parts, o := h.parts(h.begin(name, `{"n":2}`))
			require.NotEqual(t, int32(statusError), o.status, o.text)
			require.Equal(t, test.parts, parts)
			require.Equal(t, test.result, o.text)
			require.Zero(t, h.pending())
		})
	}
}

// What the host says to an emit is thrown where it was made, and one who does
// not want more can say so.
func TestEmitFails(t *testing.T) {
	h := start(t, `import { emit, HostError } from 'spore';
		export async function* caught() { try { yield 1 } catch (e) { return [e instanceof HostError, e.code] } finally { yield 2 } }
		export function* uncaught() { yield 1; yield 2 }
		export async function called() { await emit(1) }
		export function* unserialisable() { try { yield () => {} } catch (e) { return e.name } }
		export async function* broken() { yield <Broken /> }
		const Broken = () => { throw new RangeError('render') }
		export async function* late() { yield 1; throw new Error('late') }`)
	h.answer = func(c hostCall) ([]byte, bool) { return refused("not_granted", "no stream"), true }
	for _, f := range []string{"uncaught", "called", "caught"} {
		e := h.begin(f, "").err(t)
		require.Equal(t, []string{"error", "HostError", "no stream"}, []string{e.Kind, e.Name, e.Message}, f)
		require.Equal(t, h.calls[len(h.calls)-1].id, e.Host, f)
	}
	h.answer = func(c hostCall) ([]byte, bool) { return refused("not_granted", "no stream"), c.arg == "1" }
	o := h.begin("caught", "")
	require.Equal(t, int32(statusPending), o.status)
	_, o = h.parts(o)
	require.Equal(t, `[true,"not_granted"]`, o.text)

	h.answer = nil
	_, o = h.parts(h.begin("unserialisable", ""))
	require.Equal(t, "TypeError", o.text)
	require.Equal(t, "RangeError", h.begin("broken", "").err(t).Name)
	parts, o := h.parts(h.begin("late", ""))
	require.Equal(t, []string{"1"}, parts)
	require.Equal(t, "late", o.err(t).Message)
}

// A stream is suspended between two parts.
func TestStreamIsResumed(t *testing.T) {
	h := start(t, "export async function* f() { for (let i = 0; i < 3; i++) yield i; return 'end' }")
	o := h.begin("f", "")
	var all []string
	for o.status == statusPending {
		h = h.resume(time.Second, time.Minute)
		for id, c := range h.open {
			all = append(all, c.arg)
			o = h.settle(id, ok("null"))
		}
	}
	require.Equal(t, []string{"0", "1", "2"}, all)
	require.Equal(t, "end", o.text)
}

// What never ends, the limits end.
func TestEndlessStreams(t *testing.T) {
	eng := runtimestest.Engine(t, javascript.Runtime(), cacheDir)
	for code, limit := range map[string]string{
		"export function* render() { for (;;) try { yield 1 } catch {} }":                                                       "HostCalls",
		"export async function* render() { for (;;) try { yield 1 } catch {} }":                                                 "HostCalls",
		"import { emit } from 'spore'; export async function render() { for (;;) await emit(1).catch(() => {}) }":               "HostCalls",
		"import { emit } from 'spore'; export async function render() { for (;;) emit(1).catch(() => {}) }":                     "HostCalls",
		"export function* render() { for (;;); }":                                                                               "CallTime",
		"const g = () => (function* () { return g() })(); export const render = g":                                              "CallTime",
		"export const render = async () => (function* () { yield { then(f) { for (;;) f } } })()":                               "CallTime",
		"export function render() { const g = (function* () {})(); g.next = () => ({ value: 1 }); g.throw = g.next; return g }": "HostCalls",
	} {
		c, err := eng.Compile(t.Context(), engine.Source{Name: "a.js", Code: []byte(code)})
		require.NoError(t, err, code)
		limits := engine.Limits{HostCalls: 200}
		if limit == "CallTime" {
			limits.CallTime = time.Second
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		_, err = c.Render(ctx, nil, &engine.Options{Limits: limits})
		cancel()
		var l *engine.LimitError
		require.True(t, errors.As(err, &l), "%s: %v", code, err)
		require.Equal(t, limit, l.Limit, fmt.Sprint(code))
		require.NoError(t, c.Close())
	}
}
