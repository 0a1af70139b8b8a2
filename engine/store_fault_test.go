package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/snapshot/store"
)

// A hungStore answers no Get until its context ends, once it hangs.
type hungStore struct {
	store.Store
	hangs atomic.Bool
}

func (s *hungStore) Get(ctx context.Context, key string) ([]byte, store.Version, error) {
	if s.hangs.Load() {
		<-ctx.Done()
		return nil, "", ctx.Err()
	}
	return s.Store.Get(ctx, key)
}

// A stuckStore takes nothing until the context of who gives it ends.
type stuckStore struct {
	store.Store
	given chan struct{}
}

func (s *stuckStore) Put(ctx context.Context, _ string, _ []byte, _ store.Version) (store.Version, error) {
	s.given <- struct{}{}
	<-ctx.Done()
	return "", ctx.Err()
}

// TestStuckStore: an engine can be closed while states are on their way to a store that does not take them, and instances
// can be called meanwhile.
func TestStuckStore(t *testing.T) {
	s := &stuckStore{store.NewMem(64 << 20), make(chan struct{}, 100)}
	e, err := engine.New(engine.Config{Runtimes: allRuntimes(), CacheDir: sharedCache, Limits: patient(engine.Limits{}),
		Parking: engine.Parking{CompressAfter: time.Millisecond, Store: s, StoreAfter: time.Millisecond}})
	require.NoError(t, err)
	c := compile(t, e, "counter.js", counters["counter.js"])
	in, err := c.Open(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "1", text(t, in, "add", nil))
	<-s.given
	require.Equal(t, "2", text(t, in, "add", nil))
	begin := time.Now()
	require.NoError(t, e.Close())
	require.Less(t, time.Since(begin), 20*time.Second, "it would have been given up after 30 s")
}

// TestHungStore: who waits for the store waits as long as his context lets him, and keeps nobody else from
// suspending or closing the instance, or the engine.
func TestHungStore(t *testing.T) {
	for name, code := range callers {
		t.Run(name, func(t *testing.T) {
			s := &hungStore{Store: store.NewMem(64 << 20)}
			e, err := engine.New(engine.Config{Runtimes: allRuntimes(), CacheDir: sharedCache, Limits: patient(engine.Limits{}),
				Parking: engine.Parking{CompressAfter: time.Hour, Store: s, StoreAfter: time.Hour}})
			require.NoError(t, err)
			c := compile(t, e, name, code)
			open := func() *engine.Instance {
				in, err := c.Open(t.Context(), &engine.Options{Grants: faultSet(t)})
				require.NoError(t, err)
				_, err = in.Call(t.Context(), "wait", props{"name": "app.later"})
				require.ErrorIs(t, err, engine.ErrSuspended)
				require.NoError(t, in.Park(t.Context()))
				return in
			}
			in, other := open(), open()
			list, err := in.Pending(t.Context())
			require.NoError(t, err)
			s.hangs.Store(true)
			methods := map[string]func(context.Context) error{
				"pending":  func(ctx context.Context) error { _, err := in.Pending(ctx); return err },
				"answer":   func(ctx context.Context) error { return in.Answer(ctx, list[0].Number, nil, nil) },
				"continue": func(ctx context.Context) error { _, err := in.Continue(ctx); return err },
				"snapshot": func(ctx context.Context) error { _, err := in.Snapshot(ctx); return err },
			}
			for method, f := range methods {
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- f(ctx) }()
				for range 5 {
					in.Suspend()
					time.Sleep(time.Millisecond)
				}
				cancel()
				require.ErrorIs(t, <-ended, context.Canceled, method)
			}
			s.hangs.Store(false)
			require.NoError(t, in.Answer(t.Context(), list[0].Number, nil, nil))
			require.NoError(t, in.Park(t.Context()))
			s.hangs.Store(true)

			ended := make(chan error, 2)
			go func() { _, err := in.Continue(context.Background()); ended <- err }()
			go func() { _, err := other.Snapshot(context.Background()); ended <- err }()
			time.Sleep(20 * time.Millisecond)
			require.NoError(t, other.Close())
			s.hangs.Store(false) // for what Close deletes; who waits already goes on waiting
			require.NoError(t, e.Close())
			for range 2 {
				require.True(t, errors.Is(<-ended, engine.ErrClosed))
			}
		})
	}
}
