package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
)

// unverified returns an engine that does not compare memories after each call, so that there
// can be many of them.
func unverified(t testing.TB, cfg engine.Config) *engine.Engine {
	t.Helper()
	cfg.Runtimes, cfg.CacheDir, cfg.Limits = allRuntimes(), sharedCache, patient(cfg.Limits)
	e, err := engine.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

// TestInstancesLeakNothing opens, calls, forks, suspends, resumes, kills and closes instances,
// and counts what is left of them.
func TestInstancesLeakNothing(t *testing.T) {
	count := map[engine.Isolation]int{engine.InProcess: 10_000, engine.Subprocess: 1_000}
	if testing.Short() {
		count = map[engine.Isolation]int{engine.InProcess: 500, engine.Subprocess: 100}
	}
	opt := &engine.Options{Grants: faultSet(t)}
	for mode, n := range count {
		t.Run(mode.String(), func(t *testing.T) {
			e := unverified(t, engine.Config{Isolation: mode, Workers: 2})
			var list []*engine.Component
			for name, code := range callers {
				list = append(list, compile(t, e, name, code))
			}
			// What stays is there from now on.
			for i := range 20 {
				live(t, list[i%2], i, opt)
			}
			before := resources(t)
			before.guests += 2 * 2 // each component keeps as many memories as there are workers, if it ever needed them
			for i := range n {
				live(t, list[i%2], i, opt)
			}
			s := e.Stats()
			require.Zero(t, s.Instances)
			require.Zero(t, s.Parked)
			require.Zero(t, s.Packed)
			require.Zero(t, engine.SlabEntries(e))
			require.Eventually(t, func() bool { return e.Stats().Guests == 0 && e.Stats().Waiting == 0 }, 10*time.Second, time.Millisecond)
			require.LessOrEqual(t, s.Processes, 4)
			checkLeaks(t, before)
		})
	}
}

// live is a life of an instance.
func live(t *testing.T, c *engine.Component, i int, opt *engine.Options) {
	t.Helper()
	in, err := c.Open(t.Context(), opt)
	require.NoError(t, err)
	defer in.Close()
	require.Equal(t, "1", text(t, in, "add", nil))
	switch i % 5 {
	case 0:
		f, err := in.Fork(t.Context())
		require.NoError(t, err)
		defer f.Close()
		require.Equal(t, "2", text(t, f, "add", nil))
	case 1:
		_, err := in.Call(t.Context(), "wait", props{"name": "app.later"})
		require.ErrorIs(t, err, engine.ErrSuspended)
	case 2:
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := in.Call(ctx, "wait", props{"name": "app.laterer"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	case 3:
		d, err := in.Snapshot(t.Context())
		require.NoError(t, err)
		again, err := c.Resume(t.Context(), d, opt)
		require.NoError(t, err)
		defer again.Close()
		require.Equal(t, "2", text(t, again, "add", nil))
	case 4:
		for range in.Stream(t.Context(), "wait", props{"name": "app.nothing"}) {
			break
		}
	}
}

// TestEngineCloseWithInstances closes an engine of which instances are idle, asleep, in calls and in
// streams, and are closed and opened at the same time.
func TestEngineCloseWithInstances(t *testing.T) {
	opt := &engine.Options{Grants: faultSet(t)}
	count := map[engine.Isolation]int{engine.InProcess: 1000, engine.Subprocess: 60}
	if testing.Short() {
		count[engine.InProcess] = 200
	}
	render(t, compile(t, shared, "warm.js", `export const render = () => ""`), nil, nil)
	for mode, n := range count {
		t.Run(mode.String(), func(t *testing.T) {
			before := resources(t)
			e, err := engine.New(engine.Config{Runtimes: allRuntimes(), CacheDir: sharedCache, Isolation: mode, Workers: 4, Limits: patient(engine.Limits{})})
			require.NoError(t, err)
			var list []*engine.Component
			for name, code := range callers {
				c, err := e.Compile(t.Context(), engine.Source{Name: name, Code: []byte(code)})
				require.NoError(t, err)
				list = append(list, c)
			}
			closed := func(err error) bool { return errors.Is(err, engine.ErrClosed) }
			var wg sync.WaitGroup
			open := func(i int) *engine.Instance {
				in, err := list[i%2].Open(t.Context(), opt)
				require.NoError(t, err)
				return in
			}
			for i := range n {
				in := open(i)
				require.Equal(t, "1", text(t, in, "add", nil))
				if i%4 == 0 {
					_, err := in.Call(t.Context(), "wait", props{"name": "app.later"})
					require.ErrorIs(t, err, engine.ErrSuspended)
				}
			}
			for i := range n / 10 {
				in := open(i)
				wg.Go(func() {
					if _, err := in.Call(context.Background(), "wait", props{"name": "app.laterer"}); !closed(err) {
						t.Errorf("a call ended with %v", err)
					}
					if err := in.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			for i := range 8 {
				in := open(i)
				wg.Go(func() {
					for {
						_, err := in.Call(context.Background(), "add", nil)
						f, ferr := in.Fork(context.Background())
						if closed(err) && closed(ferr) {
							return
						}
						if err != nil && !closed(err) || ferr != nil && !closed(ferr) {
							t.Errorf("ended with %v, %v", err, ferr)
							return
						}
						if ferr == nil {
							f.Close()
						}
					}
				})
			}
			time.Sleep(20 * time.Millisecond)
			require.NoError(t, e.Close())
			wg.Wait()
			require.Zero(t, e.Stats().Instances)
			require.Empty(t, engine.WorkerProcesses(e))
			_, err = list[0].Open(t.Context(), opt)
			require.ErrorIs(t, err, engine.ErrClosed)
			checkLeaks(t, before)
		})
	}
}

// TestManyInstances has thousands of instances at once, called in any order.
func TestManyInstances(t *testing.T) {
	n, calls := 20_000, 10_000
	if testing.Short() {
		n, calls = 2_000, 500
	}
	for name, code := range counters {
		t.Run(name, func(t *testing.T) {
			e := unverified(t, engine.Config{Parking: engine.Parking{CompressAfter: 100 * time.Millisecond}})
			c := compile(t, e, name, code)
			open := make([]*engine.Instance, n)
			want := make([]int, n)
			for i := range open {
				var err error
				open[i], err = c.Open(t.Context(), nil)
				require.NoError(t, err)
				want[i] = i
				require.Equal(t, fmt.Sprint(i), text(t, open[i], "add", props{"by": i}))
			}
			r := rand.New(rand.NewPCG(3, 4))
			for range calls {
				i := r.IntN(n)
				want[i]++
				require.Equal(t, fmt.Sprint(want[i]), text(t, open[i], "add", nil))
			}
			s := e.Stats()
			require.Equal(t, n, s.Parked)
			for _, i := range r.Perm(n)[:n/2] {
				require.NoError(t, open[i].Close())
			}
			require.Equal(t, n-n/2, e.Stats().Instances)
			// One that is being compressed may be there twice for a moment.
			require.Eventually(t, func() bool { return engine.SlabEntries(e) == int64(n-n/2) }, 10*time.Second, time.Millisecond)
		})
	}
}
