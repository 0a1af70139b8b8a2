package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
)

// callers are components with a state that make host calls in every way.
var callers = map[string]string{
	"caller.js": `import { call, callSync } from "spore";
let n = 0;
export const render = () => n;
export const add = () => ++n;
export const wait = async p => { n++; await call(p.name, {}); return ++n };
export const block = p => { n++; callSync(p.name, {}); return ++n };
export const all = async p => { await Promise.all(Array.from({ length: p.count }, () => call(p.name, {}))); return n += p.count };
export const loose = p => { call(p.name, {}).then(() => n += 100, () => n += 1000); return ++n };
export const race = async p => await Promise.race([call(p.name, {}).then(() => "answer"), new Promise(r => setTimeout(r, 1000, "time"))]);
export const caught = async p => { n++; try { await call(p.name, {}) } catch (e) { return e.code } return "no error" };
export const spin = async p => { n = 1000; call(p.name, {}); await call("app.nothing", {}); for (;;); };`,
	"caller.py": `import asyncio, spore
n = 0
def render(): return n
def add():
    global n
    n += 1
    return n
async def wait(p):
    global n
    n += 1
    await spore.call(p["name"], {})
    n += 1
    return n
def block(p):
    global n
    n += 1
    spore.call_sync(p["name"], {})
    n += 1
    return n
async def all(p):
    global n
    await asyncio.gather(*[spore.call(p["name"], {}) for _ in range(p["count"])])
    n += p["count"]
    return n
async def one(name):
    global n
    try:
        await spore.call(name, {})
        n += 100
    except spore.HostError:
        n += 1000
kept = []
async def loose(p):
    global n
    kept.append(asyncio.create_task(one(p["name"])))
    await asyncio.sleep(0)
    n += 1
    return n
async def race(p):
    try:
        await asyncio.wait_for(spore.call(p["name"], {}), 1)
    except asyncio.TimeoutError:
        return "time"
    return "answer"
async def caught(p):
    global n
    n += 1
    try:
        await spore.call(p["name"], {})
    except spore.HostError as e:
        return e.code
    return "no error"
async def spin(p):
    global n
    n = 1000
    kept.append(asyncio.create_task(one(p["name"])))
    await spore.call("app.nothing", {})
    while True: pass`,
}

// eachCaller runs f with an instance of each of callers in each isolation mode.
func eachCaller(t *testing.T, opt *engine.Options, f func(t *testing.T, in *engine.Instance)) {
	t.Helper()
	eachOf(t, callers, opt, f)
}

// faultSet has functions that the host should not have, and some that it may.
func faultSet(t testing.TB) hostfuncs.Set {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	type none = struct{}
	slow := hostfuncs.New("app.slow", "", func(ctx context.Context, _ none) (none, error) {
		select {
		case <-time.After(100 * time.Millisecond):
			return none{}, nil
		case <-ctx.Done():
			return none{}, ctx.Err()
		}
	})
	s, err := hostfuncs.NewSet(slow,
		hostfuncs.New("app.nothing", "", func(context.Context, none) (none, error) { return none{}, nil }),
		hostfuncs.New("app.panic", "", func(context.Context, none) (none, error) { panic("hunter2") }),
		hostfuncs.New("app.hang", "", func(context.Context, none) (none, error) { <-hang; return none{}, nil }),
		hostfuncs.New("app.later", "", func(context.Context, none) (none, error) { return none{}, hostfuncs.ErrLater }),
		hostfuncs.New("app.laterer", "", func(ctx context.Context, _ none) (none, error) {
			<-ctx.Done()
			return none{}, hostfuncs.ErrLater
		}),
		hostfuncs.Raw("app.junk", "", func(context.Context, hostfuncs.Value) (hostfuncs.Value, error) {
			return hostfuncs.Value{JSON: []byte(`{"a":`)}, nil
		}),
	)
	require.NoError(t, err)
	return s
}

// TestSuspendInBlockingCall: a guest that waits in the middle of a function cannot be
// suspended there, but at the next await.
func TestSuspendInBlockingCall(t *testing.T) {
	eachCaller(t, &engine.Options{Grants: faultSet(t)}, func(t *testing.T, in *engine.Instance) {
		for i := range 3 {
			stop := time.AfterFunc(30*time.Millisecond, in.Suspend)
			r, err := in.Call(t.Context(), "block", props{"name": "app.slow"})
			stop.Stop()
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(2*i+2), r.Text())
		}
	})
}

// TestManyHostCallsWithFixedEnvironment: replies are taken in the order of the calls, so more
// calls than may run at once must not keep the first from running.
func TestManyHostCallsWithFixedEnvironment(t *testing.T) {
	opt := &engine.Options{Grants: faultSet(t), Fixed: &engine.Fixed{}}
	eachCaller(t, opt, func(t *testing.T, in *engine.Instance) {
		require.Equal(t, "1000", text(t, in, "all", props{"name": "app.nothing", "count": 1000}))
	})
}

// TestHostFunctionFaults: whatever a host function does, the call ends and the instance is sound.
func TestHostFunctionFaults(t *testing.T) {
	opt := &engine.Options{Grants: faultSet(t), Limits: engine.Limits{HostTime: time.Second, CallTime: time.Second}}
	eachCaller(t, opt, func(t *testing.T, in *engine.Instance) {
		for _, name := range []string{"app.panic", "app.junk"} {
			require.Equal(t, "internal", text(t, in, "caught", props{"name": name}))
		}
		for _, function := range []string{"wait", "block"} {
			_, err := in.Call(t.Context(), function, props{"name": "app.hang"})
			require.Equal(t, "HostTime", limitOf(err), function)
		}
		_, err := in.Call(t.Context(), "spin", props{"name": "app.hang"})
		require.Equal(t, "CallTime", limitOf(err))
		require.Equal(t, "2", text(t, in, "render", nil))
		for _, name := range []string{"app.laterer", "app.hang"} {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			_, err = in.Call(ctx, "wait", props{"name": name})
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			list, err := in.Pending(t.Context())
			require.NoError(t, err)
			require.Empty(t, list)
		}
		require.Equal(t, "cannot_wait", func() string {
			_, err := in.Call(t.Context(), "block", props{"name": "app.later"})
			ge, _ := errors.AsType[*engine.GuestError](err)
			require.NotNil(t, ge, "%v", err)
			return hostfuncs.ForGuest(ge.Unwrap()).Code
		}())
		require.Equal(t, "4", text(t, in, "add", nil), "a blocking call that cannot wait is an exception, which takes nothing back")

		// The answer to work in the background comes with any call.
		require.Equal(t, "5", text(t, in, "loose", props{"name": "app.later"}))
		list, err := in.Pending(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.NoError(t, in.Answer(t.Context(), list[0].Number, nil, errors.New("hunter2")))
		require.Equal(t, "5", text(t, in, "render", nil))
		require.Equal(t, "1005", text(t, in, "render", nil))
	})
}

// TestInterruptedStaysSo: a call that was under way at a suspension is not taken for one whose
// function has promised an answer, however often the instance goes on in between, and an answer
// that was given is not lost.
func TestInterruptedStaysSo(t *testing.T) {
	opt := &engine.Options{Grants: faultSet(t)}
	eachCaller(t, opt, func(t *testing.T, in *engine.Instance) {
		stop := time.AfterFunc(50*time.Millisecond, in.Suspend)
		defer stop.Stop()
		_, err := in.Call(t.Context(), "all", props{"name": "app.laterer", "count": 2})
		require.ErrorIs(t, err, engine.ErrSuspended)
		for range 3 {
			list, err := in.Pending(t.Context())
			require.NoError(t, err)
			require.Len(t, list, 2)
			require.True(t, list[0].Interrupted)
			require.True(t, list[1].Interrupted)
			_, err = in.Continue(t.Context())
			require.ErrorIs(t, err, engine.ErrSuspended)
		}
		list, err := in.Pending(t.Context())
		require.NoError(t, err)
		require.NoError(t, in.Retry(t.Context(), list[0].Number))
		require.ErrorIs(t, in.Retry(t.Context(), list[0].Number), engine.ErrNoCall)
		require.NoError(t, in.Answer(t.Context(), list[1].Number, nil, nil))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err = in.Continue(ctx) // the function is called again, and waits
		require.ErrorIs(t, err, context.DeadlineExceeded)
		again, err := in.Pending(t.Context())
		require.NoError(t, err)
		require.True(t, again[1].Answered, "taken back")
		require.Equal(t, list[0].Key, again[0].Key)
		stop = time.AfterFunc(50*time.Millisecond, in.Suspend)
		defer stop.Stop()
		_, err = in.Continue(t.Context())
		require.ErrorIs(t, err, engine.ErrSuspended)
		again, err = in.Pending(t.Context())
		require.NoError(t, err)
		require.Len(t, again, 1)
		require.Equal(t, list[0].Key, again[0].Key)
		require.NoError(t, in.Answer(t.Context(), again[0].Number, nil, nil))
		r, err := in.Continue(t.Context())
		require.NoError(t, err)
		require.Equal(t, "2", r.Text())
	})
}

// TestFixedClockWaitsForTheHost: a fixed clock stands still until the host has come back
// without an answer.
func TestFixedClockWaitsForTheHost(t *testing.T) {
	opt := &engine.Options{Grants: faultSet(t), Fixed: &engine.Fixed{}}
	eachCaller(t, opt, func(t *testing.T, in *engine.Instance) {
		for _, want := range []string{"time", "answer"} {
			_, err := in.Call(t.Context(), "race", props{"name": "app.later"})
			require.ErrorIs(t, err, engine.ErrSuspended)
			if want == "answer" {
				list, err := in.Pending(t.Context())
				require.NoError(t, err)
				for _, p := range list {
					if p.Due.IsZero() {
						err = in.Answer(t.Context(), p.Number, nil, nil)
					}
				}
				require.NoError(t, err)
			}
			r, err := in.Continue(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, r.Text())
		}
	})
}
