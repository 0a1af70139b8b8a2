package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/snapshot"
)

// counters are components with a state.
var counters = map[string]string{
	"counter.js": `import { call } from "spore";
let n = 0;
export const render = () => n;
export const add = p => n += p.by ?? 1;
export const fail = () => { n = 1000; throw new Error("no"); };
export const spin = () => { n = 1000; for (;;); };
export const ask = async p => { n += 1; const v = await call("app.ask", p); n += v.by; return n; };
export const sleep = async p => { await new Promise(r => setTimeout(r, p.ms)); return ++n; };
export const wait = async () => { n += 1; await call("app.wait"); return ++n; };
export const random = () => Math.random();`,
	"counter.py": `import asyncio, spore, random as r
n = 0
def render(): return n
def add(p):
    global n
    n += p.get("by", 1)
    return n
def fail():
    global n
    n = 1000
    raise ValueError("no")
def spin():
    global n
    n = 1000
    while True: pass
async def ask(p):
    global n
    n += 1
    v = await spore.call("app.ask", p)
    n += v["by"]
    return n
async def sleep(p):
    global n
    await asyncio.sleep(p["ms"] / 1000)
    n += 1
    return n
async def wait():
    global n
    n += 1
    await spore.call("app.wait")
    n += 1
    return n
def random(): return r.random()`,
}

type props = map[string]any

// askSet has functions that do not answer at once.
func askSet(t testing.TB) hostfuncs.Set {
	s, err := hostfuncs.NewSet(
		hostfuncs.New("app.ask", "", func(context.Context, struct {
			Q string `json:"q,omitempty"`
		}) (struct{}, error) {
			return struct{}{}, hostfuncs.ErrLater
		}),
		hostfuncs.New("app.wait", "", func(ctx context.Context, _ struct{}) (struct{}, error) {
			<-ctx.Done()
			return struct{}{}, ctx.Err()
		}),
	)
	require.NoError(t, err)
	return s
}

// eachCounter runs f with an instance of each counter in each isolation mode.
func eachCounter(t *testing.T, opt *engine.Options, f func(t *testing.T, in *engine.Instance)) {
	t.Helper()
	eachOf(t, counters, opt, f)
}

func eachOf(t *testing.T, sources map[string]string, opt *engine.Options, f func(t *testing.T, in *engine.Instance)) {
	for _, mode := range []engine.Isolation{engine.InProcess, engine.Subprocess} {
		for name, code := range sources {
			t.Run(fmt.Sprintf("%v/%s", mode, name), func(t *testing.T) {
				e := shared
				if mode == engine.Subprocess {
					e = newEngine(t, engine.Config{Isolation: mode})
				}
				c, err := e.Compile(t.Context(), engine.Source{Name: name, Code: []byte(code)})
				require.NoError(t, err)
				defer c.Close()
				in, err := c.Open(t.Context(), opt)
				require.NoError(t, err)
				defer in.Close()
				f(t, in)
			})
		}
	}
}

func text(t *testing.T, in *engine.Instance, function string, arg any) string {
	t.Helper()
	r, err := in.Call(t.Context(), function, arg)
	require.NoError(t, err)
	return r.Text()
}

func TestInstanceKeepsItsState(t *testing.T) {
	eachCounter(t, nil, func(t *testing.T, in *engine.Instance) {
		for want := 1; want <= 20; want++ {
			require.Equal(t, fmt.Sprint(want), text(t, in, "add", props{}))
		}
		_, err := in.Call(t.Context(), "fail", nil)
		ge, ok := errors.AsType[*engine.GuestError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, "no", ge.Message)
		require.Equal(t, "1000", text(t, in, "render", nil), "an exception takes nothing back")
	})
}

func TestInstanceTakesBack(t *testing.T) {
	opt := &engine.Options{Limits: engine.Limits{CallTime: 500 * time.Millisecond}}
	eachCounter(t, opt, func(t *testing.T, in *engine.Instance) {
		text(t, in, "add", props{"by": 7})
		_, err := in.Call(t.Context(), "spin", nil)
		le, ok := errors.AsType[*engine.LimitError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, "CallTime", le.Limit)
		require.Equal(t, "7", text(t, in, "render", nil))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		_, err = in.Call(ctx, "spin", nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, "8", text(t, in, "add", nil))
	})
}

func TestInstanceForks(t *testing.T) {
	eachCounter(t, nil, func(t *testing.T, in *engine.Instance) {
		text(t, in, "add", props{"by": 7})
		fork, err := in.Fork(t.Context())
		require.NoError(t, err)
		defer fork.Close()
		require.NotEqual(t, in.ID(), fork.ID())
		require.Equal(t, "10", text(t, fork, "add", props{"by": 3}))
		require.Equal(t, "8", text(t, in, "add", nil))
		require.NotEqual(t, text(t, in, "random", nil), text(t, fork, "random", nil))
		require.NoError(t, in.Close())
		require.Equal(t, "11", text(t, fork, "add", nil))
		_, err = in.Call(t.Context(), "add", nil)
		require.ErrorIs(t, err, engine.ErrClosed)
	})
}

func TestInstanceAnswer(t *testing.T) {
	opt := &engine.Options{Grants: askSet(t)}
	eachCounter(t, opt, func(t *testing.T, in *engine.Instance) {
		_, err := in.Call(t.Context(), "ask", props{"q": "why"})
		require.ErrorIs(t, err, engine.ErrSuspended)
		_, err = in.Call(t.Context(), "add", nil)
		require.ErrorIs(t, err, engine.ErrSuspended)
		_, err = in.Continue(t.Context())
		require.ErrorIs(t, err, engine.ErrSuspended, "nobody has answered")
		list, err := in.Pending(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 1)
		p := list[0]
		require.Equal(t, "app.ask", p.Name)
		require.JSONEq(t, `{"q":"why"}`, string(p.Argument.JSON))
		require.Equal(t, fmt.Sprintf("%s.0.%d", in.ID(), p.Number), p.Key)
		require.False(t, p.Interrupted)

		fork, err := in.Fork(t.Context())
		require.NoError(t, err)
		defer fork.Close()

		require.ErrorIs(t, in.Answer(t.Context(), p.Number+1, nil, nil), engine.ErrNoCall)
		require.NoError(t, in.Answer(t.Context(), p.Number, props{"by": 10}, nil))
		require.ErrorIs(t, in.Answer(t.Context(), p.Number, nil, nil), engine.ErrNoCall)
		r, err := in.Continue(t.Context())
		require.NoError(t, err)
		require.Equal(t, "11", r.Text())
		list, err = in.Pending(t.Context())
		require.NoError(t, err)
		require.Empty(t, list)

		require.NoError(t, fork.Answer(t.Context(), p.Number, nil, hostfuncs.Errorf("refused", "not today")))
		_, err = fork.Continue(t.Context())
		require.ErrorContains(t, err, "not today")
		require.Equal(t, "1", text(t, fork, "render", nil))
		require.Equal(t, "11", text(t, in, "render", nil))
	})
}

func TestInstanceSuspend(t *testing.T) {
	opt := &engine.Options{Grants: askSet(t)}
	eachCounter(t, opt, func(t *testing.T, in *engine.Instance) {
		stop := time.AfterFunc(20*time.Millisecond, in.Suspend)
		defer stop.Stop()
		_, err := in.Call(t.Context(), "wait", nil)
		require.ErrorIs(t, err, engine.ErrSuspended)
		list, err := in.Pending(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.True(t, list[0].Interrupted)
		require.NoError(t, in.Answer(t.Context(), list[0].Number, nil, nil))
		r, err := in.Continue(t.Context())
		require.NoError(t, err)
		require.Equal(t, "2", r.Text())

		_, err = in.Call(t.Context(), "sleep", props{"ms": 3_600_000})
		require.ErrorIs(t, err, engine.ErrSuspended)
		list, err = in.Pending(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, "spore.sleep", list[0].Name)
		require.WithinDuration(t, time.Now().Add(time.Hour), list[0].Due, time.Minute)
		_, err = in.Continue(t.Context())
		require.ErrorIs(t, err, engine.ErrSuspended)
	})
}

func TestInstanceIsBusy(t *testing.T) {
	opt := &engine.Options{Grants: askSet(t)}
	eachCounter(t, opt, func(t *testing.T, in *engine.Instance) {
		done := make(chan error)
		go func() {
			err := engine.ErrBusy
			for errors.Is(err, engine.ErrBusy) { // one of the forks below is at work
				_, err = in.Call(context.Background(), "wait", nil)
			}
			done <- err
		}()
		require.Eventually(t, func() bool {
			_, err := in.Fork(t.Context())
			return errors.Is(err, engine.ErrBusy)
		}, 5*time.Second, time.Millisecond)
		_, err := in.Call(t.Context(), "add", nil)
		require.ErrorIs(t, err, engine.ErrBusy)
		require.NoError(t, in.Close())
		require.ErrorIs(t, <-done, engine.ErrClosed)
	})
}

// TestInstanceResumes suspends an instance in the middle of an await, writes it to bytes, and goes
// on in another engine that has the component from elsewhere.
func TestInstanceResumes(t *testing.T) {
	opt := &engine.Options{Grants: askSet(t)}
	eachCounter(t, opt, func(t *testing.T, in *engine.Instance) {
		fresh, err := in.Snapshot(t.Context())
		require.NoError(t, err)
		text(t, in, "add", props{"by": 5})
		_, err = in.Call(t.Context(), "ask", props{"q": "why"})
		require.ErrorIs(t, err, engine.ErrSuspended)
		d, err := in.Snapshot(t.Context())
		require.NoError(t, err)
		image, err := in.Component().Snapshot(t.Context())
		require.NoError(t, err)
		before, err := in.Pending(t.Context())
		require.NoError(t, err)

		var b bytes.Buffer
		_, err = d.WriteTo(&b)
		require.NoError(t, err)
		d, err = snapshot.ReadDelta(&b, 16<<20)
		require.NoError(t, err)

		fetched := 0
		e := newEngine(t, engine.Config{Fetch: func(_ context.Context, digest snapshot.Digest) (*snapshot.Snapshot, error) {
			require.Equal(t, image.Digest(), digest)
			fetched++
			return image, nil
		}})
		there, err := e.Resume(t.Context(), d, opt)
		require.NoError(t, err)
		defer there.Close()
		require.Equal(t, in.ID(), there.ID())
		pending, err := there.Pending(t.Context())
		require.NoError(t, err)
		require.Equal(t, before, pending)
		require.NoError(t, there.Answer(t.Context(), pending[0].Number, props{"by": 10}, nil))
		r, err := there.Continue(t.Context())
		require.NoError(t, err)
		require.Equal(t, "16", r.Text())
		require.Equal(t, "17", text(t, there, "add", nil))

		first, err := e.Resume(t.Context(), fresh, opt)
		require.NoError(t, err)
		defer first.Close()
		require.Equal(t, "1", text(t, first, "add", nil))
		require.Equal(t, 1, fetched)

		_, err = newEngine(t, engine.Config{}).Resume(t.Context(), d, opt)
		require.ErrorIs(t, err, engine.ErrMismatch)
		require.ErrorContains(t, err, image.Digest().String())
	})
}

type closer struct{ closed *atomic.Int32 }

func (c closer) Close() error { c.closed.Add(1); return nil }

// TestInstanceHolds has an instance hold something of the host, which keeps it from being captured.
func TestInstanceHolds(t *testing.T) {
	var closed atomic.Int32
	type handle struct {
		H hostfuncs.Handle `json:"h"`
	}
	grants, err := hostfuncs.NewSet(
		hostfuncs.New("app.open", "", func(ctx context.Context, _ struct{}) (handle, error) {
			h, err := hostfuncs.Hold(ctx, closer{&closed})
			return handle{h}, err
		}),
		hostfuncs.New("app.use", "", func(ctx context.Context, in handle) (bool, error) {
			_, err := hostfuncs.Held[closer](ctx, in.H)
			return true, err
		}),
		hostfuncs.New("app.close", "", func(ctx context.Context, in handle) (bool, error) {
			return true, hostfuncs.Release(ctx, in.H)
		}),
	)
	require.NoError(t, err)
	holders := map[string]string{
		"hold.js": `import { callSync } from "spore";
let held;
export const open = p => { held = callSync("app.open"); while (p.spin); return 0; };
export const use = p => callSync("app.use", p.h ? p : held);
export const close = () => callSync("app.close", held);
export const render = () => { open({}); return use({}); };`,
		"hold.py": `import spore
held = None
def open(p):
    global held
    held = spore.call_sync("app.open")
    while p.get("spin"): pass
def use(p): return spore.call_sync("app.use", p if p.get("h") else held)
def close(): return spore.call_sync("app.close", held)
def render():
    open({})
    return use({})`,
	}
	opt := &engine.Options{Grants: grants, Limits: engine.Limits{CallTime: 2 * time.Second}}
	eachOf(t, holders, opt, func(t *testing.T, in *engine.Instance) {
		c := in.Component()
		closed.Store(0)
		text(t, in, "open", props{})
		require.Equal(t, "true", text(t, in, "use", props{}))
		_, err = in.Snapshot(t.Context())
		require.ErrorIs(t, err, engine.ErrHolds)
		require.ErrorContains(t, err, "1 of them")
		_, err = in.Fork(t.Context())
		require.ErrorIs(t, err, engine.ErrHolds)
		_, err = in.Call(t.Context(), "use", props{"h": 12345})
		require.ErrorContains(t, err, "no such handle")

		_, err = in.Call(t.Context(), "open", props{"spin": true})
		require.Error(t, err)
		require.EqualValues(t, 1, closed.Load(), "what a call opened that was taken back")
		require.Equal(t, "true", text(t, in, "use", props{}), "the one before is still there")

		text(t, in, "close", nil)
		require.EqualValues(t, 2, closed.Load())
		_, err = in.Snapshot(t.Context())
		require.NoError(t, err)
		text(t, in, "open", props{})
		require.NoError(t, in.Close())
		require.EqualValues(t, 3, closed.Load())

		r, err := c.Render(t.Context(), nil, opt)
		require.NoError(t, err)
		require.Equal(t, "true", r.Text())
		require.EqualValues(t, 4, closed.Load(), "a render holds nothing when it has ended")
	})
}
