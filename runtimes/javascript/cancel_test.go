package javascript_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sleeping are the milliseconds of the sleeps that are open.
func (h *host) sleeping() (list []string) {
	for _, c := range h.open {
		if c.name == "spore.sleep" {
			list = append(list, c.arg)
		}
	}
	return list
}

func TestCancel(t *testing.T) {
	h := start(t, `import { call } from 'spore';
		const reason = (p) => p.then((v) => ['value', v], (e) => [e.name ?? typeof e, e.message ?? e]);
		export async function aborted(how) {
			const c = new AbortController(), p = reason(call('app.slow', 1, { signal: c.signal }));
			await call('app.quick');
			c.abort(...how);
			return p;
		}
		export const before = () => reason(call('app.slow', 1, { signal: AbortSignal.abort('no') }));
		export async function after() {
			const c = new AbortController();
			const v = await call('app.quick', 1, { signal: c.signal });
			c.abort();
			return [v, await reason(call('app.quick', 1, { signal: c.signal }))];
		}
		export async function all() {
			const c = new AbortController();
			const list = [1, 2, 3].map((i) => reason(call('app.slow', i, { signal: c.signal })));
			await call('app.quick');
			c.abort('all');
			return Promise.all(list);
		}
		export const wrong = () => Promise.all([{ signal: {} }, { signal: 1 }, { signal: null }, {}, 1, null].map((o) => reason(call('app.quick', 1, o))));
		export async function any() {
			const a = new AbortController(), b = new AbortController(), p = reason(call('app.slow', 1, { signal: AbortSignal.any([a.signal, b.signal]) }));
			await call('app.quick');
			b.abort('b'); a.abort('a');
			return p;
		}
		export const timeout = () => reason(call('app.slow', 1, { signal: AbortSignal.any([AbortSignal.timeout(50)]) }));
		export async function inTime() { return call('app.quick', 1, { signal: AbortSignal.timeout(50) }) }
		export async function listeners() {
			const c = new AbortController(), log = [];
			c.signal.addEventListener('abort', () => { log.push('event'); call('app.more').then(() => log.push('more')) });
			const p = reason(call('app.slow', 1, { signal: c.signal })).then(() => log.push('rejected'));
			await call('app.quick');
			c.abort(); c.abort();
			await p;
			return log;
		}`)
	h.answer = func(c hostCall) ([]byte, bool) { return ok("5"), c.name == "app.quick" }
	for _, test := range []struct{ function, arg, want, calls string }{
		{"aborted", "[]", `["AbortError","This operation was aborted"]`, "app.slow app.quick spore.cancel"},
		{"aborted", `["why"]`, `["string","why"]`, "app.slow app.quick spore.cancel"},
		{"before", "", `["string","no"]`, ""},
		{"after", "", `[5,["AbortError","This operation was aborted"]]`, "app.quick"},
		{"all", "", `[["string","all"],["string","all"],["string","all"]]`, "app.slow app.slow app.slow app.quick spore.cancel spore.cancel spore.cancel"},
		{"any", "", `["string","b"]`, "app.slow app.quick spore.cancel"},
		{"inTime", "", "5", "app.quick"},
		{"listeners", "", `["event","rejected"]`, "app.slow app.quick spore.cancel app.more"},
		{"wrong", "", `[["TypeError","the signal of a call must be an AbortSignal"],["TypeError","the signal of a call must be an AbortSignal"],["value",5],["value",5],["value",5],["value",5]]`,
			"app.quick app.quick app.quick app.quick"},
	} {
		h.calls = nil
		o := h.begin(test.function, test.arg)
		require.Equal(t, int32(statusJSON), o.status, "%s: %s", test.function, o.text)
		require.Equal(t, test.want, o.text, test.function)
		require.Equal(t, test.calls, h.names(), test.function)
		for _, c := range h.calls {
			require.Equal(t, c.name == "spore.cancel", c.blocking, "%s: %s blocks", test.function, c.name)
		}
		require.Len(t, h.open, h.pending(), test.function)
		for id, c := range h.open {
			require.Equal(t, "app.more", c.name)
			h.settle(id, ok("null"))
		}
	}

	h.calls = nil
	o := h.begin("timeout", "")
	require.Equal(t, int32(statusPending), o.status)
	require.Equal(t, 2, h.pending())
	require.Len(t, h.sleeping(), 1)
	for id, c := range h.open {
		if c.name == "spore.sleep" {
			h.advance(50 * time.Millisecond)
			o = h.settle(id, ok("null"))
		}
	}
	require.Equal(t, `["TimeoutError","The operation timed out."]`, o.text)
	require.Equal(t, "app.slow spore.sleep spore.cancel", h.names())
	require.Zero(t, h.pending())

	// In time, nothing is left of the signal.
	h.calls = nil
	o = h.begin("timeout", "")
	for id, c := range h.open {
		if c.name == "app.slow" {
			o = h.settle(id, ok("7"))
		}
	}
	require.Equal(t, `["value",7]`, o.text)
	require.Equal(t, "app.slow spore.sleep spore.cancel", h.names())
	require.Empty(t, h.open)
	require.Zero(t, h.pending())
}

// A host that does not know how to cancel answers the call after all.
func TestCancelIsRefused(t *testing.T) {
	h := start(t, `import { call } from 'spore';
		export async function f() {
			const c = new AbortController(), p = call('app.slow', 1, { signal: c.signal });
			setTimeout(() => c.abort('enough'), 1);
			return p.catch((e) => e);
		}`)
	h.answer = func(c hostCall) ([]byte, bool) { return refused("not_granted", "what?"), c.name == "spore.cancel" }
	o := h.begin("f", "")
	for id, c := range h.open {
		if c.name == "spore.sleep" {
			o = h.settle(id, ok("null"))
		}
	}
	require.Equal(t, "enough", o.text)
	require.Equal(t, 1, h.pending())
	for id := range h.open {
		require.Equal(t, outcome{}, h.settle(id, ok(`{"late":true}`)))
	}
	require.Zero(t, h.pending())
}

// A host cannot settle what was cancelled, settled or never begun.
func TestSettleOfNothing(t *testing.T) {
	h := start(t, `import { call } from 'spore';
		export async function f() {
			const c = new AbortController();
			const one = call('app.a', 1, { signal: c.signal }).catch(() => {}), two = call('app.b');
			await call('app.c');
			c.abort();
			return two;
		}`)
	h.answer = func(c hostCall) ([]byte, bool) { return ok("1"), c.name == "app.c" }
	require.Equal(t, int32(statusPending), h.begin("f", "").status)
	require.Equal(t, 1, h.pending())
	for _, id := range []uint32{h.calls[0].id, 0, 99, h.calls[2].id} {
		h.open[id] = hostCall{}
		require.Equal(t, "abi", h.settle(id, ok("2")).err(t).Kind, id)
		require.Equal(t, 1, h.pending())
	}
	require.Equal(t, "3", h.settle(h.calls[1].id, ok("3")).text)
}

// A timer that is cleared takes its sleep along.
func TestTimersLeaveNoSleep(t *testing.T) {
	h := start(t, `
		let kept;
		export const race = () => { const id = setTimeout(() => {}, 1000); clearTimeout(id); clearTimeout(id); return 1 };
		export const two = () => { const a = setTimeout(() => {}, 1000); kept = setTimeout(() => {}, 2000); clearTimeout(a) };
		export const none = () => clearTimeout(kept);
		export const later = () => { kept = setTimeout(() => {}, 2000); const a = setTimeout(() => {}, 1000); clearTimeout(a) };
		export const interval = () => new Promise((r) => { let n = 0; const id = setInterval(() => { if (++n === 3) { clearInterval(id); r(n) } }, 10) });
		export const together = () => new Promise((r) => { setTimeout(() => {}, 20); setTimeout(() => {}, 10); setTimeout(() => {}, 30); let t = performance.now(); while (performance.now() === t); r(1) });
		export const timeout = () => AbortSignal.timeout(1000).aborted;
		export async function noticed() {
			const s = AbortSignal.timeout(1000), before = s.aborted;
			await new Promise((r) => setTimeout(r, 1500));
			return [before, s.aborted, s.reason.name];
		}
		export async function heard() {
			const s = AbortSignal.timeout(1000);
			return new Promise((r) => { s.onabort = (e) => r([e.type, s.aborted]) });
		}`)
	for _, test := range []struct {
		function string
		sleeps   []string
	}{
		{"race", nil}, {"two", []string{`{"ms":2000}`}}, {"none", nil}, {"later", []string{`{"ms":2000}`}}, {"none", nil}, {"timeout", nil},
	} {
		o := h.begin(test.function, "")
		require.Equal(t, int32(statusJSON), o.status, o.text)
		require.Equal(t, test.sleeps, h.sleeping(), test.function)
		require.Equal(t, len(test.sleeps), h.pending(), test.function)
	}
	require.Equal(t, "3", h.finish(h.begin("interval", "")).text)
	require.Empty(t, h.sleeping())
	require.Equal(t, `[false,true,"TimeoutError"]`, h.finish(h.begin("noticed", "")).text)
	require.Equal(t, `["abort",true]`, h.finish(h.begin("heard", "")).text)
	require.Empty(t, h.sleeping())
	require.Zero(t, h.pending())
}

// One sleep that ends late ends all that are due, and theirs are given up.
func TestDueTogether(t *testing.T) {
	h := start(t, `const log = [];
		export const f = () => new Promise((r) => { for (const ms of [30, 10, 20]) setTimeout(() => { log.push(ms); if (log.length === 3) r(log) }, ms) })`)
	o := h.begin("f", "")
	require.ElementsMatch(t, []string{`{"ms":30}`, `{"ms":10}`}, h.sleeping())
	h.advance(time.Second)
	for id, c := range h.open {
		if c.arg == `{"ms":10}` {
			o = h.settle(id, ok("null"))
		}
	}
	require.Equal(t, "[10,20,30]", o.text)
	require.Zero(t, h.pending())
	require.Empty(t, h.open)
}

// An instance goes on in another process, whose monotonic clock shows anything,
// and at another time.
func TestTimersAreResumed(t *testing.T) {
	const component = `
		export async function f() {
			const log = [], begin = performance.now(), origin = performance.timeOrigin;
			const wait = (ms, x) => new Promise((r) => setTimeout(() => { log.push(x); r() }, ms));
			const all = Promise.all([wait(60_000, 'a'), wait(3_600_000, 'b'), wait(90_000, 'c')]);
			await all;
			await wait(10, 'd');
			const t = performance.now() - begin;
			return { log, hours: Math.floor(t / 3.6e6), back: t < 0, origin: performance.timeOrigin === origin };
		}`
	for _, test := range []struct {
		what  string
		mono  time.Duration // what the other process's clock shows
		later time.Duration
		want  string
	}{
		{"at once, in an older process", 1000 * time.Hour, 0, `{"log":["a","c","b","d"],"hours":1,"back":false,"origin":true}`},
		{"at once, in a new process", 0, 0, `{"log":["a","c","b","d"],"hours":1,"back":false,"origin":true}`},
		{"hours later", 0, 5 * time.Hour, `{"log":["a","c","b","d"],"hours":5,"back":false,"origin":true}`},
		{"with the wall clock set back", time.Minute, -48 * time.Hour, `{"log":["a","c","b","d"],"hours":1,"back":false,"origin":true}`},
	} {
		t.Run(test.what, func(t *testing.T) {
			h := start(t, component)
			o := h.begin("f", "")
			require.Equal(t, int32(statusPending), o.status)
			require.Equal(t, []string{`{"ms":60000}`}, h.sleeping())
			h = h.resume(test.mono, test.later)
			o = h.finish(o)
			require.Equal(t, test.want, o.text)
			require.Empty(t, h.sleeping())
		})
	}
}

// A timer that the component set while it was loaded runs in every start.
func TestTimersOfTheModule(t *testing.T) {
	h := start(t, `const log = []; setTimeout(() => log.push('a'), 20); const never = setTimeout(() => log.push('never'), 10);
		export const f = async () => { clearTimeout(never); await new Promise((r) => setTimeout(r, 50)); return log }`)
	require.Equal(t, `["a"]`, h.finish(h.begin("f", "")).text)
	require.Zero(t, h.pending())
}
