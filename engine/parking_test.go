package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/snapshot/store"
)

// A failingStore fails while it is told to.
type failingStore struct {
	store.Store
	fail atomic.Bool
}

var errBucket = errors.New("bucket is away")

func (s *failingStore) Get(ctx context.Context, key string) ([]byte, store.Version, error) {
	if s.fail.Load() {
		return nil, "", errBucket
	}
	return s.Store.Get(ctx, key)
}

func (s *failingStore) Put(ctx context.Context, key string, data []byte, v store.Version) (store.Version, error) {
	if s.fail.Load() {
		return "", errBucket
	}
	return s.Store.Put(ctx, key, data, v)
}

func objects(t *testing.T, s store.Store) (n int) {
	for _, err := range s.List(t.Context(), "") {
		require.NoError(t, err)
		n++
	}
	return n
}

// TestParkingTiers has instances whose states are compressed and stored by themselves, and woken.
func TestParkingTiers(t *testing.T) {
	s := &failingStore{Store: store.NewMem(64 << 20)}
	e := newEngine(t, engine.Config{Parking: engine.Parking{CompressAfter: 20 * time.Millisecond, Store: s, StoreAfter: 100 * time.Millisecond}})
	for name, code := range counters {
		t.Run(name, func(t *testing.T) {
			c, err := e.Compile(t.Context(), engine.Source{Name: name, Code: []byte(code)})
			require.NoError(t, err)
			defer c.Close()
			const many = 20
			var list []*engine.Instance
			for i := range many {
				in, err := c.Open(t.Context(), nil)
				require.NoError(t, err)
				defer in.Close()
				list = append(list, in)
				require.Equal(t, fmt.Sprint(i), text(t, in, "add", props{"by": i}))
			}
			reach := func(what string, is func(engine.Stats) bool) {
				t.Helper()
				require.Eventually(t, func() bool { return is(e.Stats()) }, 20*time.Second, time.Millisecond, what)
			}
			reach("stored", func(s engine.Stats) bool { return s.Stored == many && s.Packed == 0 })
			require.Equal(t, many, objects(t, s))
			fork, err := list[3].Fork(t.Context())
			require.NoError(t, err)
			defer fork.Close()
			for i, in := range list {
				require.Equal(t, fmt.Sprint(i+1), text(t, in, "add", nil))
			}
			reach("stored again", func(s engine.Stats) bool { return s.Stored == many+1 })
			require.Equal(t, "3", text(t, fork, "render", nil))

			s.fail.Store(true)
			_, err = list[5].Call(t.Context(), "add", nil)
			require.ErrorIs(t, err, errBucket)
			require.ErrorIs(t, fork.Park(t.Context()), errBucket)
			s.fail.Store(false)
			require.Equal(t, "7", text(t, list[5], "add", nil), "nothing was lost")
			require.NoError(t, fork.Park(t.Context()))
			require.Equal(t, "3", text(t, fork, "render", nil))
			fork.Close()
			for _, in := range list {
				in.Close()
			}
			reach("forgotten", func(s engine.Stats) bool { return s.Parked == 0 && s.Stored == 0 })
			require.Eventually(t, func() bool { return objects(t, s) == 0 }, 20*time.Second, time.Millisecond)
		})
	}
}

// TestParkingMemory fills the memory for states.
func TestParkingMemory(t *testing.T) {
	const code = `let kept = [];
export const grow = p => { for (let i = 0; i < p.n; i++) kept.push(crypto.getRandomValues(new Uint8Array(4096))); return kept.length; };
export const render = () => kept.length;`
	for _, stored := range []bool{false, true} {
		t.Run(fmt.Sprintf("store=%v", stored), func(t *testing.T) {
			p := engine.Parking{Memory: 2 << 20, CompressAfter: time.Hour, StoreAfter: time.Hour}
			if stored {
				p.Store = store.NewMem(64 << 20)
			}
			e := newEngine(t, engine.Config{Parking: p, Instances: 60})
			c, err := e.Compile(t.Context(), engine.Source{Name: "grow.js", Code: []byte(code)})
			require.NoError(t, err)
			var list []*engine.Instance
			full := 0
			for range 60 {
				in, err := c.Open(t.Context(), nil)
				require.NoError(t, err)
				list = append(list, in)
				r, err := in.Call(t.Context(), "grow", props{"n": 25})
				if err != nil {
					le, ok := errors.AsType[*engine.LimitError](err)
					require.True(t, ok, "%v", err)
					require.Equal(t, "ParkingMemory", le.Limit)
					full++
					continue
				}
				require.Equal(t, "25", r.Text())
			}
			require.Equal(t, stored, full == 0, "%d of %d found no room", full, len(list))
			_, err = c.Open(t.Context(), nil)
			le, ok := errors.AsType[*engine.LimitError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, "Instances", le.Limit)
			// A call needs room for the new state beside the old one: one instance makes it for the others.
			kept := 0
			for _, in := range list {
				if r, err := in.Call(t.Context(), "render", nil); kept == 0 || err == nil && r.Text() == "25" {
					kept++
				}
				require.NoError(t, in.Close())
			}
			require.Equal(t, len(list)-full, kept)
			require.Zero(t, e.Stats().Parked)
		})
	}
}

// TestParkingPressure: when memory gets short states are compressed before anybody has to wait for that, however short
// they were idle.
func TestParkingPressure(t *testing.T) {
	const memory = 8 << 20
	e := newEngine(t, engine.Config{Parking: engine.Parking{Memory: memory, CompressAfter: time.Hour, Store: store.NewMem(64 << 20), StoreAfter: time.Hour}})
	c := compile(t, e, "keeper.js", `let kept = ""; export const keep = n => { kept = Array.from({ length: n }, (_, i) => "item " + i).join(); return kept.length };
export const render = () => kept.length;`)
	var list []*engine.Instance
	for e.Stats().ParkedBytes <= memory/4*3 {
		require.Less(t, len(list), 1000)
		in, err := c.Open(t.Context(), nil)
		require.NoError(t, err)
		defer in.Close()
		text(t, in, "keep", 4000)
		list = append(list, in)
	}
	require.Less(t, e.Stats().ParkedBytes, int64(memory), "nobody had to make room")
	require.Eventually(t, func() bool { return e.Stats().Packed > 0 }, 20*time.Second, time.Millisecond)
	time.Sleep(300 * time.Millisecond) // another attempt or two
	require.Zero(t, e.Stats().Stored, "compressing them was enough")
	want := text(t, list[0], "render", nil)
	require.NotEqual(t, "0", want)
	for _, in := range list {
		require.Equal(t, want, text(t, in, "render", nil))
	}
}
