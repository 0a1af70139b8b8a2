package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
)

// emitters are components that stream.
var emitters = map[string]string{
	"emitter.js": `import { call } from "spore";
let n = 0;
export const render = () => n;
export const add = () => ++n;
export const parts = async p => { for (let i = 0; i < p.count; i++) { n++; await call("spore.emit", { i }) } return n };
export const burst = async p => { await Promise.all(Array.from({ length: p.count }, (_, i) => call("spore.emit", i))); return n += p.count };
export const rude = async () => { n = 1000; call("spore.emit", 1); call("spore.emit", 2); await new Promise(r => setTimeout(r, 1)); for (;;); };`,
	"emitter.py": `import asyncio, spore
n = 0
def render(): return n
def add():
    global n
    n += 1
    return n
async def parts(p):
    global n
    for i in range(p["count"]):
        n += 1
        await spore.call("spore.emit", {"i": i})
    return n
async def burst(p):
    global n
    await asyncio.gather(*[spore.call("spore.emit", i) for i in range(p["count"])])
    n += p["count"]
    return n
kept = []
async def rude():
    global n
    n = 1000
    for i in range(2): kept.append(asyncio.ensure_future(spore.call("spore.emit", i)))
    await asyncio.sleep(0.001)
    while True: pass`,
}

// take consumes a stream and returns its parts as text, and the error at its end.
func take(s func(func(engine.Part, error) bool), body func()) (parts []string, err error) {
	for p, e := range s {
		if e != nil {
			return parts, e
		}
		body()
		parts = append(parts, p.Text())
	}
	return parts, nil
}

func nop() {}

// TestStreamConsumers leaves streams in every way: what the function did is taken back,
// and the instance goes on.
func TestStreamConsumers(t *testing.T) {
	eachOf(t, emitters, nil, func(t *testing.T, in *engine.Instance) {
		parts := func(n int) func(func(engine.Part, error) bool) {
			return in.Stream(t.Context(), "parts", props{"count": n})
		}
		for p, err := range parts(3) {
			require.NoError(t, err)
			if !p.Last {
				_, err := in.Call(t.Context(), "add", nil)
				require.ErrorIs(t, err, engine.ErrBusy)
			}
		}
		require.Equal(t, "3", text(t, in, "render", nil))

		for p := range parts(2) {
			if p.Text() == `{"i":1}` { // the last but for the result
				break
			}
		}
		require.Equal(t, "3", text(t, in, "render", nil), "break")
		require.Panics(t, func() {
			for range parts(10) {
				panic("consumer")
			}
		})
		require.Equal(t, "3", text(t, in, "render", nil), "panic")
		ctx, cancel := context.WithCancel(t.Context())
		got, err := take(in.Stream(ctx, "parts", props{"count": 10}), cancel)
		require.ErrorIs(t, err, context.Canceled)
		require.NotContains(t, got, "13")
		require.Equal(t, "3", text(t, in, "render", nil), "cancel")

		got, err = take(in.Stream(t.Context(), "burst", props{"count": 100}), nop)
		require.NoError(t, err)
		require.Len(t, got, 101)
		require.Equal(t, "103", got[100])

		_, err = take(parts(10), func() { in.Close() })
		require.ErrorIs(t, err, engine.ErrClosed)
		_, err = take(parts(10), nop)
		require.ErrorIs(t, err, engine.ErrClosed)
	})
}

// TestStreamIsOffTheClock: a consumer may take longer than all limits together, also with
// several parts under way, and what is under way when the call ends by a limit does not
// end the worker process afterwards.
func TestStreamIsOffTheClock(t *testing.T) {
	opt := &engine.Options{Limits: engine.Limits{CallTime: 300 * time.Millisecond, HostTime: 50 * time.Millisecond}}
	slow := engine.ProcessGrace + 600*time.Millisecond
	eachOf(t, emitters, opt, func(t *testing.T, in *engine.Instance) {
		t.Parallel()
		ends := engine.EngineOf(in.Component()).Stats().ProcessEnds
		_, err := take(in.Stream(t.Context(), "rude", nil), func() { time.Sleep(500 * time.Millisecond) })
		require.Equal(t, "CallTime", limitOf(err))
		require.Equal(t, "0", text(t, in, "render", nil))
		n := 0
		got, err := take(in.Stream(t.Context(), "burst", props{"count": 3}), func() {
			switch n++; n {
			case 1:
				time.Sleep(50 * time.Millisecond) // until all are under way
			case 2:
				time.Sleep(slow)
			}
		})
		require.NoError(t, err)
		require.Equal(t, "3", got[len(got)-1])
		require.Equal(t, "4", text(t, in, "add", nil))
		require.Equal(t, ends, engine.EngineOf(in.Component()).Stats().ProcessEnds)
	})
}

// TestSuspendEarly suspends calls that have not even a process yet.
func TestSuspendEarly(t *testing.T) {
	opt := &engine.Options{Grants: faultSet(t), Tenant: "early"}
	eachCaller(t, opt, func(t *testing.T, in *engine.Instance) {
		done := make(chan error, 1)
		go func() {
			err := engine.ErrBusy
			for errors.Is(err, engine.ErrBusy) {
				_, err = in.Call(t.Context(), "wait", props{"name": "app.hang"})
			}
			done <- err
		}()
		for {
			if _, err := in.Snapshot(t.Context()); errors.Is(err, engine.ErrBusy) {
				break
			}
		}
		in.Suspend()
		select {
		case err := <-done:
			require.ErrorIs(t, err, engine.ErrSuspended)
		case <-time.After(time.Minute):
			t.Fatal("the call is not suspended")
		}
		list, err := in.Pending(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.True(t, list[0].Interrupted)
		require.NoError(t, in.Answer(t.Context(), list[0].Number, "done", nil))
		r, err := in.Continue(t.Context())
		require.NoError(t, err)
		require.Equal(t, "2", r.Text())
	})
}

type panicker struct{}

func (panicker) MarshalJSON() ([]byte, error) { panic("no JSON") }

// TestStreamPanics has the argument of a stream panic, which is for the consumer to recover.
func TestStreamPanics(t *testing.T) {
	c := compile(t, shared, "parts.js", "export const render = () => 1;")
	in, err := c.Open(t.Context(), nil)
	require.NoError(t, err)
	defer in.Close()
	require.PanicsWithValue(t, "no JSON", func() {
		for range in.Stream(t.Context(), "render", panicker{}) {
		}
	})
	require.Equal(t, "1", text(t, in, "render", nil), "the instance is free again")
}
