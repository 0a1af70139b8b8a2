package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/snapshot"
)

// spenders are components that use up what they may call, and give calls up.
var spenders = map[string]string{
	"spender.js": `import { call, HostError } from "spore";
const one = async (name, arg) => { try { await call(name, arg); return "ok" } catch (e) { if (!(e instanceof HostError)) throw e; return e.code } };
export const render = async p => { const all = []; for (const c of p.calls) all.push(await one(c.name, c.arg)); return all };
export const around = async p => { const all = await render(p); await call("app.later", {}); return all.concat(await render(p)) };
export const give_up = async p => {
	const c = new AbortController(), held = call("app.held", {}, { signal: c.signal });
	await call("app.begun", {});
	c.abort();
	try { await held } catch (e) { await call("app.ended", {}); return e.name }
};`,
	"spender.py": `import asyncio, spore
async def one(name, arg):
    try:
        await spore.call(name, arg)
    except spore.HostError as e:
        return e.code
    return "ok"
async def render(p): return [await one(c["name"], c["arg"]) for c in p["calls"]]
async def around(p):
    all = await render(p)
    await spore.call("app.later", {})
    return all + await render(p)
async def give_up(p):
    held = asyncio.create_task(spore.call("app.held", {}))
    await spore.call("app.begun", {})
    held.cancel()
    try:
        await held
    except asyncio.CancelledError as e:
        await spore.call("app.ended", {})
        return type(e).__name__`,
}

// budgetSet has functions that may be called twice, and that may take and return 100 bytes.
func budgetSet(t *testing.T, called *atomic.Int64) hostfuncs.Set {
	twice := hostfuncs.New("app.twice", "", func(context.Context, struct{}) (int, error) { called.Add(1); return 1, nil })
	twice.MaxCalls = 2
	bytes := hostfuncs.New("app.bytes", "", func(_ context.Context, in struct {
		Text string `json:"text"`
		N    int    `json:"n"`
	}) (string, error) {
		called.Add(1)
		return strings.Repeat("x", in.N), nil
	})
	bytes.MaxBytes = 100
	later := hostfuncs.New("app.later", "", func(context.Context, struct{}) (int, error) { return 0, hostfuncs.ErrLater })
	s, err := hostfuncs.NewSet(twice, bytes, later)
	require.NoError(t, err)
	return s
}

// TestBudgets: what a call of a component may do of a thing, in calls and in bytes, is counted over all of it, also
// if it was suspended and goes on elsewhere, and the next call begins anew.
func TestBudgets(t *testing.T) {
	spend := func(n, bytes int) props {
		var calls []props
		for range n {
			calls = append(calls, props{"name": "app.twice", "arg": props{}})
		}
		if bytes > 0 { // with the rest of the JSON: {"n":0,"text":"…"} and ""
			calls = append(calls, props{"name": "app.bytes", "arg": props{"n": 0, "text": strings.Repeat("y", bytes-18)}})
		}
		return props{"calls": calls}
	}
	var called atomic.Int64
	opt := &engine.Options{Grants: budgetSet(t, &called)}
	eachOf(t, spenders, opt, func(t *testing.T, in *engine.Instance) {
		for range 2 {
			called.Store(0)
			require.Equal(t, `["ok","ok","quota"]`, strings.ReplaceAll(text(t, in, "render", spend(3, 0)), " ", ""))
			require.EqualValues(t, 2, called.Load(), "what is refused is not called")
		}
		// What has no room is refused before the call if it is the argument, and afterwards if it is the result.
		for arg, want := range map[string]string{`{"n":0,"text":"` + strings.Repeat("y", 200) + `"}`: "quota/0", `{"n":200,"text":""}`: "quota/1", `{"n":50,"text":""}`: "ok/1"} {
			called.Store(0)
			r, err := in.Call(t.Context(), "render", json.RawMessage(`{"calls":[{"name":"app.bytes","arg":`+arg+`}]}`))
			require.NoError(t, err)
			require.Equal(t, want, fmt.Sprintf("%s/%d", strings.Trim(r.Text(), `[]"`), called.Load()))
		}
		// 60 of 100 bytes before the suspension, which leaves no room for 60 after it.
		_, err := in.Call(t.Context(), "around", spend(1, 60))
		require.ErrorIs(t, err, engine.ErrSuspended)
		d, err := in.Snapshot(t.Context())
		require.NoError(t, err)
		b, err := d.MarshalBinary()
		require.NoError(t, err)
		d, err = snapshot.ParseDelta(b, 1<<20)
		require.NoError(t, err)
		there, err := in.Component().Resume(t.Context(), d, opt)
		require.NoError(t, err)
		defer there.Close()
		// One that went on without grants has not got its budgets back.
		bare, err := in.Component().Resume(t.Context(), d, nil)
		require.NoError(t, err)
		defer bare.Close()
		_, err = bare.Continue(t.Context())
		require.ErrorIs(t, err, engine.ErrSuspended)
		d, err = bare.Snapshot(t.Context())
		require.NoError(t, err)
		again, err := in.Component().Resume(t.Context(), d, opt)
		require.NoError(t, err)
		defer again.Close()
		for _, i := range []*engine.Instance{in, there, again} {
			list, err := i.Pending(t.Context())
			require.NoError(t, err)
			require.NoError(t, i.Answer(t.Context(), list[0].Number, 1, nil))
			r, err := i.Continue(t.Context())
			require.NoError(t, err)
			require.Equal(t, `["ok","ok","ok","quota"]`, strings.ReplaceAll(r.Text(), " ", ""))
			require.Equal(t, `["ok","ok","quota","ok"]`, strings.ReplaceAll(text(t, i, "render", spend(3, 60)), " ", ""), "a new call")
		}
	})
}

// TestGuestGivesUp: the context of a host function ends when the guest gives its call up, and the guest goes on at once.
func TestGuestGivesUp(t *testing.T) {
	type none = struct{}
	begun, ended := make(chan none, 1), make(chan error, 1)
	wait := func(ctx context.Context, c chan none) (none, error) {
		select {
		case <-c:
			return none{}, nil
		case <-ctx.Done():
			return none{}, ctx.Err()
		}
	}
	grants, err := hostfuncs.NewSet(
		hostfuncs.New("app.held", "", func(ctx context.Context, _ none) (none, error) {
			begun <- none{}
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return none{}, ctx.Err()
		}),
		hostfuncs.New("app.begun", "", func(ctx context.Context, _ none) (none, error) { return wait(ctx, begun) }),
		hostfuncs.New("app.ended", "", func(ctx context.Context, _ none) (none, error) {
			select {
			case err := <-ended:
				if !errors.Is(err, context.Canceled) {
					return none{}, hostfuncs.Errorf("other", "%v", err)
				}
				return none{}, nil
			case <-ctx.Done():
				return none{}, ctx.Err()
			}
		}),
	)
	require.NoError(t, err)
	want := map[string]string{"spender.js": "AbortError", "spender.py": "CancelledError"}
	opt := &engine.Options{Grants: grants, Limits: engine.Limits{HostTime: 20 * time.Second}}
	eachOf(t, spenders, opt, func(t *testing.T, in *engine.Instance) {
		// During the call, not by its end: the guest waits until the function has seen it.
		require.Equal(t, want[path.Base(t.Name())], text(t, in, "give_up", nil))
		list, err := in.Pending(t.Context())
		require.NoError(t, err)
		require.Empty(t, list)
	})
}
