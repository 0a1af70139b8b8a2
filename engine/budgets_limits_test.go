package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
)

// TestLimitsOfSuspendedCalls: what a call has used of its fuel and its host calls before it was suspended counts when it goes on: in the same
// instance, parked meanwhile, in a fork, and in one that was resumed by another engine.
func TestLimitsOfSuspendedCalls(t *testing.T) {
	later := hostfuncs.New("app.later", "", func(context.Context, struct{}) (int, error) { return 0, hostfuncs.ErrLater })
	one := hostfuncs.New("app.one", "", func(context.Context, struct{}) (int, error) { return 1, nil })
	grants, err := hostfuncs.NewSet(later, one)
	require.NoError(t, err)
	ctx := t.Context()
	for name, code := range map[string]string{
		"a.js": `import { call } from "spore";
const burn = async () => { for (let i = 0; i < 20000; i++); for (let i = 0; i < 5; i++) await call("app.one", {}) };
export const render = () => "";
export const work = async () => { await burn(); await call("app.later", {}); await burn(); return "done" };`,
		"a.py": `import spore
async def burn():
    for i in range(20000): pass
    for i in range(5): await spore.call("app.one", {})
def render(p): return ""
async def work(p):
    await burn()
    await spore.call("app.later", {})
    await burn()
    return "done"`,
	} {
		t.Run(name, func(t *testing.T) {
			cfg := engine.Config{Limits: engine.Limits{HostTime: time.Minute}}
			e, other := newEngine(t, cfg), newEngine(t, cfg)
			c := compile(t, e, name, code)
			compile(t, other, name, code)
			// goesOn has the call suspended, takes the instance another way, and answers.
			goesOn := func(limits engine.Limits, way string) error {
				opt := &engine.Options{Grants: grants, Limits: limits}
				in, err := c.Open(ctx, opt)
				require.NoError(t, err)
				defer func() { require.NoError(t, in.Close()) }()
				_, err = in.Call(ctx, "work", nil)
				require.ErrorIs(t, err, engine.ErrSuspended, way)
				on, err := in, error(nil)
				switch way {
				case "parked":
					err = in.Park(ctx)
				case "forked":
					on, err = in.Fork(ctx)
				case "resumed":
					d, failed := in.Snapshot(ctx)
					require.NoError(t, failed)
					on, err = other.Resume(ctx, d, opt)
				}
				require.NoError(t, err)
				if on != in {
					defer func() { require.NoError(t, on.Close()) }()
				}
				pending, err := on.Pending(ctx)
				require.NoError(t, err)
				require.Len(t, pending, 1)
				require.NoError(t, on.Answer(ctx, pending[0].Number, 1, nil))
				r, err := on.Continue(ctx)
				if err == nil {
					require.Equal(t, "done", r.Text())
				}
				return err
			}
			// The fuel of half a call is somewhere below this, and that of a whole one above.
			fuel := int64(100_000)
			for enough := false; !enough; fuel = fuel * 5 / 4 {
				in, err := c.Open(ctx, &engine.Options{Grants: grants, Limits: engine.Limits{Fuel: fuel}})
				require.NoError(t, err)
				_, err = in.Call(ctx, "work", nil)
				enough = errors.Is(err, engine.ErrSuspended)
				require.NoError(t, in.Close())
			}
			for _, way := range []string{"same", "parked", "forked", "resumed"} {
				require.NoError(t, goesOn(engine.Limits{Fuel: 3 * fuel, HostCalls: 11}, way), way)
				for limit, l := range map[string]engine.Limits{"Fuel": {Fuel: fuel}, "HostCalls": {HostCalls: 10}} {
					var le *engine.LimitError
					require.ErrorAs(t, goesOn(l, way), &le, "%s %s", way, limit)
					require.Equal(t, limit, le.Limit, way)
				}
			}
		})
	}
}
