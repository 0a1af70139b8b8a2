package engine_test

import (
	"context"
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
