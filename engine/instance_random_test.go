package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
)

// gamblers draw from every source of randomness that their language has.
var gamblers = map[string]string{
	"gambler.js": `import { call } from "spore";
const hex = b => [...b].map(x => x.toString(16).padStart(2, "0")).join("");
const draw = () => ({ math: String(Math.random()), more: String(Math.random()), uuid: crypto.randomUUID(), bytes: hex(crypto.getRandomValues(new Uint8Array(16))) });
export const render = () => draw();
export const wait = async () => { const first = draw(); await call("app.later", {}); return { first, second: draw() } };
export const doomed = async () => { for (;;) await call("app.show", draw()) };`,
	"gambler.py": `import os, random, secrets, uuid, spore
def draw():
    return {"random": str(random.random()), "more": str(random.getrandbits(64)), "uuid": str(uuid.uuid4()), "secret": secrets.token_hex(16),
        "bytes": os.urandom(16).hex(), "system": str(random.SystemRandom().random()), "own": str(random.Random().random())}
def render(): return draw()
async def wait():
    first = draw()
    await spore.call("app.later", {})
    return {"first": first, "second": draw()}
async def doomed():
    while True: await spore.call("app.show", draw())`,
}

// A drawn has the random values that were seen, and where each was.
type drawn struct {
	mu   sync.Mutex
	seen map[string]string
	err  error
}

// add notes the strings in a JSON text.
func (d *drawn) add(where string, text []byte) {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		d.fail(err)
		return
	}
	d.walk(where, v)
}

func (d *drawn) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *drawn) walk(where string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, v := range v {
			d.walk(where+" "+name, v)
		}
	case string:
		d.mu.Lock()
		defer d.mu.Unlock()
		if before, ok := d.seen[v]; ok {
			d.err = fmt.Errorf("%s comes again: %s, and before %s", v, where, before)
		}
		d.seen[v] = where
	}
}

// TestRandomnessNeverRepeats: what an instance, a fork, a resumed one, or one whose call was
// taken back has drawn, no other and no later call draws.
func TestRandomnessNeverRepeats(t *testing.T) {
	var d *drawn
	show := hostfuncs.Raw("app.show", "", func(_ context.Context, v hostfuncs.Value) (hostfuncs.Value, error) {
		d.add("doomed", v.JSON)
		return hostfuncs.Value{}, nil
	})
	grants, err := faultSet(t).With(show)
	require.NoError(t, err)
	opt := &engine.Options{Grants: grants, Limits: engine.Limits{HostCalls: 20}}
	eachOf(t, gamblers, opt, func(t *testing.T, in *engine.Instance) {
		d = &drawn{seen: map[string]string{}}
		ctx := t.Context()
		draw := func(where string, in *engine.Instance) {
			r, err := in.Call(ctx, "render", nil)
			require.NoError(t, err)
			d.add(where, r.JSON())
		}
		fork := func(in *engine.Instance) *engine.Instance {
			f, err := in.Fork(ctx)
			require.NoError(t, err)
			t.Cleanup(func() { f.Close() })
			return f
		}
		resume := func(in *engine.Instance) *engine.Instance {
			s, err := in.Snapshot(ctx)
			require.NoError(t, err)
			again, err := in.Component().Resume(ctx, s, opt)
			require.NoError(t, err)
			t.Cleanup(func() { again.Close() })
			return again
		}
		// Before and after the first call, and in the middle of one.
		for _, when := range []string{"new", "called", "suspended"} {
			switch when {
			case "called":
				draw(when, in)
			case "suspended":
				_, err := in.Call(ctx, "wait", nil)
				require.ErrorIs(t, err, engine.ErrSuspended)
			}
			copies := []*engine.Instance{fork(in), fork(in), fork(fork(in)), resume(in), resume(in), resume(resume(in)), fork(resume(in)), resume(fork(in)), in}
			for i, c := range copies {
				where := fmt.Sprintf("%s %d", when, i)
				if when == "suspended" {
					list, err := c.Pending(ctx)
					require.NoError(t, err)
					require.NoError(t, c.Answer(ctx, list[0].Number, nil, nil))
					r, err := c.Continue(ctx)
					require.NoError(t, err)
					var got struct{ First, Second json.RawMessage }
					require.NoError(t, r.Decode(&got))
					d.add(where, got.Second) // the first is the same in all of them
					if i == 0 {
						d.add(where, got.First)
					}
				}
				draw(where, c)
				draw(where+" again", c)
			}
			// Taken back by a limit, a context, and a fork of what was taken back.
			for range 2 {
				_, err := in.Call(ctx, "doomed", nil)
				require.Equal(t, "HostCalls", limitOf(err))
				f := fork(in)
				draw(when+" taken back", in)
				draw(when+" fork of taken back", f)
				short, cancel := context.WithTimeout(ctx, time.Millisecond)
				_, err = in.Call(short, "doomed", nil)
				cancel()
				require.Error(t, err)
				draw(when+" cancelled", resume(in))
				draw(when+" cancelled", in)
			}
		}
		require.NoError(t, d.err)
		require.Greater(t, len(d.seen), 200)
	})
}
