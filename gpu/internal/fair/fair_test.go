package fair

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var plenty = Quota{Slots: 1000, Queue: 1000, Bytes: 1 << 40}

// wait starts n calls of a tenant that have to wait, and appends its name to order as each gets its slot.
func wait(t *testing.T, q *Queue, order *[]string, name string, n int, d Demand) (all *sync.WaitGroup) {
	all = &sync.WaitGroup{}
	for range n {
		_, before := q.Used()
		all.Go(func() {
			if err := q.Acquire(context.Background(), name, d); err != nil {
				t.Error(err)
				return
			}
			*order = append(*order, name) // there is one slot
			q.Release(name, d)
		})
		require.Eventually(t, func() bool { _, now := q.Used(); return now > before }, 10*time.Second, time.Microsecond*100)
	}
	return all
}

// TestTurns has one tenant with small calls and one with calls that are three times as large.
func TestTurns(t *testing.T) {
	q := New(1, plenty)
	require.NoError(t, q.Acquire(t.Context(), "first", Demand{Cost: 1}))
	var order []string
	a := wait(t, q, &order, "small", 12, Demand{Cost: 10})
	b := wait(t, q, &order, "large", 4, Demand{Cost: 30})
	q.Release("first", Demand{Cost: 1})
	a.Wait()
	b.Wait()
	large := 0
	for i, name := range order {
		if name == "large" {
			large++
		}
		require.InDelta(t, float64(i+1)/4, large, 1, "%d: %v", i, order)
	}
}

// TestAbsurdCost has a tenant whose calls are said to cost as much as a number can be: two of them would overflow.
func TestAbsurdCost(t *testing.T) {
	q := New(1, plenty)
	require.NoError(t, q.Acquire(t.Context(), "first", Demand{Cost: 1}))
	var order []string
	a := wait(t, q, &order, "absurd", 4, Demand{Cost: math.MaxInt64})
	b := wait(t, q, &order, "small", 6, Demand{Cost: 10})
	q.Release("first", Demand{Cost: 1})
	a.Wait()
	b.Wait()
	require.NotContains(t, order[1:7], "absurd", order)
}

// TestNewcomer has a tenant with one call come after one with many.
func TestNewcomer(t *testing.T) {
	q := New(1, plenty)
	require.NoError(t, q.Acquire(t.Context(), "many", Demand{}))
	var order []string
	a := wait(t, q, &order, "many", 50, Demand{Cost: 5})
	b := wait(t, q, &order, "one", 1, Demand{Cost: 5})
	q.Release("many", Demand{})
	a.Wait()
	b.Wait()
	require.Contains(t, order[:2], "one")
}

func TestEarliestDeadline(t *testing.T) {
	q := New(1, plenty)
	require.NoError(t, q.Acquire(t.Context(), "a", Demand{}))
	var mu sync.Mutex
	var order []int
	var wg sync.WaitGroup
	for i, after := range []time.Duration{0, 3, 1, 2, 0} {
		d := Demand{}
		if after > 0 {
			d.Deadline = time.Now().Add(after * time.Minute)
		}
		wg.Go(func() {
			require.NoError(t, q.Acquire(context.Background(), "a", d))
			mu.Lock()
			order = append(order, i)
			mu.Unlock()
			q.Release("a", d)
		})
		require.Eventually(t, func() bool { _, n := q.Used(); return n == i+1 }, 10*time.Second, time.Millisecond)
	}
	q.Release("a", Demand{})
	wg.Wait()
	require.Equal(t, []int{2, 3, 1, 0, 4}, order)
}

func TestQuota(t *testing.T) {
	q := New(4, Quota{Slots: 1, Queue: 1, Bytes: 100})
	require.ErrorIs(t, q.Acquire(t.Context(), "a", Demand{Bytes: 101}), ErrQuota)
	require.NoError(t, q.Acquire(t.Context(), "a", Demand{Bytes: 60}))
	require.ErrorIs(t, q.Acquire(t.Context(), "a", Demand{Bytes: 41}), ErrQuota)
	second := make(chan error)
	go func() { second <- q.Acquire(context.Background(), "a", Demand{Bytes: 40}) }()
	require.Eventually(t, func() bool { _, n := q.Used(); return n == 1 }, 10*time.Second, time.Millisecond)
	require.ErrorIs(t, q.Acquire(t.Context(), "a", Demand{}), ErrQuota, "one waits already")
	require.NoError(t, q.Acquire(t.Context(), "b", Demand{Bytes: 100}), "another tenant does not wait for it")
	q.Release("a", Demand{Bytes: 60})
	require.NoError(t, <-second)
	q.Release("a", Demand{Bytes: 40})
	require.NoError(t, q.Acquire(t.Context(), "a", Demand{Bytes: 100}))
}

func TestGiveUp(t *testing.T) {
	q := New(1, plenty)
	require.NoError(t, q.Acquire(t.Context(), "a", Demand{}))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, cancel)
	require.ErrorIs(t, q.Acquire(ctx, "b", Demand{}), context.Canceled)
	require.ErrorIs(t, q.Acquire(ctx, "b", Demand{}), context.Canceled, "at once")
	require.ErrorIs(t, q.Acquire(t.Context(), "b", Demand{Deadline: time.Now()}), context.DeadlineExceeded)
	time.AfterFunc(time.Millisecond, q.Close)
	require.ErrorIs(t, q.Acquire(t.Context(), "b", Demand{}), ErrClosed)
	require.ErrorIs(t, q.Acquire(t.Context(), "b", Demand{}), ErrClosed)
	q.Release("a", Demand{})
	running, waiting := q.Used()
	require.Zero(t, running+waiting)
}

// TestNames has more tenants come than can be kept.
func TestNames(t *testing.T) {
	q := New(2, plenty)
	require.NoError(t, q.Acquire(t.Context(), "stays", Demand{}))
	for i := range 10_000 {
		name := fmt.Sprint(i)
		require.NoError(t, q.Acquire(t.Context(), name, Demand{Cost: int64(i % 7)}))
		q.Release(name, Demand{Cost: int64(i % 7)})
	}
	require.LessOrEqual(t, len(q.tenants), 3*minSweep)
}

func TestHammer(t *testing.T) {
	q := New(5, Quota{Slots: 3, Queue: 100, Bytes: 200})
	var running atomic.Int64
	var wg sync.WaitGroup
	for i := range uint64(16) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(4, i))
			name := fmt.Sprint(i % 5)
			for range 500 {
				d := Demand{Cost: r.Int64N(10), Bytes: r.Int64N(60)}
				ctx, cancel := context.WithCancel(context.Background())
				if r.IntN(4) == 0 {
					time.AfterFunc(time.Duration(r.IntN(50))*time.Microsecond, cancel)
				}
				if r.IntN(4) == 0 {
					d.Deadline = time.Now().Add(time.Duration(r.IntN(50)) * time.Microsecond)
				}
				err := q.Acquire(ctx, name, d)
				cancel()
				if err != nil {
					if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrQuota) {
						t.Error(err)
					}
					continue
				}
				if n := running.Add(1); n > 5 {
					t.Errorf("%d run", n)
				}
				if r.IntN(10) == 0 {
					time.Sleep(10 * time.Microsecond)
				}
				running.Add(-1)
				q.Release(name, d)
			}
		})
	}
	wg.Wait()
	for name, tt := range q.tenants {
		require.Zero(t, tt.bytes+int64(tt.slots+len(tt.wait)), name)
	}
	require.Zero(t, q.used+q.waiters+len(q.ready))
}
