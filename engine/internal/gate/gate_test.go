package gate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var one = Amount{Slots: 1}

// queue starts a goroutine that acquires and sends name to got, and returns once
// it waits.
func queue(t *testing.T, g *Gate, name string, amount Amount, got chan<- string) {
	t.Helper()
	_, before := g.Used()
	go func() {
		if _, err := g.Acquire(context.Background(), name, amount); err == nil {
			got <- name
		}
	}()
	for {
		if _, n := g.Used(); n > before {
			return
		}
		runtime.Gosched()
	}
}

func acquire(t *testing.T, g *Gate, name string, amount Amount) {
	t.Helper()
	if waited, err := g.Acquire(t.Context(), name, amount); err != nil || waited {
		t.Fatalf("acquire for %s: waited %t, %v", name, waited, err)
	}
}

func TestWhoHoldsLeastIsNext(t *testing.T) {
	g := New(Amount{Slots: 3})
	for range 3 {
		acquire(t, g, "greedy", one)
	}
	got := make(chan string, 10)
	for _, name := range []string{"greedy", "greedy", "a", "b", "a", "greedy"} {
		queue(t, g, name, one, got)
	}
	// Who gives back, and who goes on. Held before the first: greedy 3.
	for i, step := range []struct{ from, to string }{
		{"greedy", "a"},      // a and b hold nothing, and a came first
		{"greedy", "b"},      // b holds nothing
		{"b", "greedy"},      // greedy and a hold one each, and greedy had no turn yet
		{"greedy", "greedy"}, // the same, both had one turn, and greedy waits longer
		{"a", "a"},           // a holds nothing
		{"greedy", "greedy"}, // nobody else waits
	} {
		g.Release(step.from, one)
		if to := <-got; to != step.to {
			t.Errorf("step %d: %s goes on, want %s", i, to, step.to)
		}
	}
}

// TestTurns: tenants that come with one call at a time neither starve one that
// has many in the queue, nor wait for more than a few of them.
func TestTurns(t *testing.T) {
	g := New(Amount{Slots: 1})
	acquire(t, g, "first", one)
	got := make(chan string, 100)
	for range 20 {
		queue(t, g, "greedy", one, got)
	}
	queue(t, g, "a", one, got)
	queue(t, g, "b", one, got)
	g.Release("first", one)
	count := map[string]int{}
	for range 30 {
		name := <-got
		count[name]++
		if name != "greedy" {
			// It comes back at once, before its slot is free.
			queue(t, g, name, one, got)
		}
		g.Release(name, one)
	}
	for name, n := range count {
		if n < 9 || n > 11 {
			t.Errorf("%s had %d turns of 30", name, n)
		}
	}
}

// TestManyTenants: names of tenants that came once do not pile up, also while
// somebody always waits.
func TestManyTenants(t *testing.T) {
	g := New(Amount{Slots: 1})
	acquire(t, g, "0", one)
	got := make(chan string, 1)
	for i := range 20_000 {
		queue(t, g, fmt.Sprint(i+1), one, got)
		g.Release(fmt.Sprint(i), one)
		<-got
		if len(g.tenants) > 10*minSweep {
			t.Fatalf("%d tenants after %d", len(g.tenants), i)
		}
	}
}

func TestNobodyOvertakesTheFirstInTurn(t *testing.T) {
	g := New(Amount{Slots: 10, Bytes: 100})
	acquire(t, g, "a", Amount{1, 60})
	got := make(chan string, 10)
	queue(t, g, "big", Amount{1, 80}, got)
	queue(t, g, "small", Amount{1, 10}, got)
	select {
	case name := <-got:
		t.Fatalf("%s was let past", name)
	case <-time.After(20 * time.Millisecond):
	}
	g.Release("a", Amount{1, 60})
	if first, second := <-got, <-got; first != "big" && second != "big" {
		t.Errorf("%s and %s go on", first, second)
	}
}

func TestCancel(t *testing.T) {
	g := New(Amount{Slots: 1})
	acquire(t, g, "a", one)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := g.Acquire(ctx, "b", one)
		failed <- err
	}()
	for {
		if _, n := g.Used(); n == 1 {
			break
		}
		runtime.Gosched()
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := g.Acquire(ctx, "c", one); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	if _, err := g.Acquire(t.Context(), "a", Amount{Slots: 2}); err == nil {
		t.Error("got more than there is")
	}
	g.Release("a", one)
	if used, n := g.Used(); used != (Amount{}) || n != 0 || len(g.tenants) != g.stale || len(g.waiting) != 0 {
		t.Errorf("left: %+v, %d waiters, %d tenants", used, n, len(g.tenants))
	}
}

func TestClose(t *testing.T) {
	g := New(Amount{Slots: 1})
	acquire(t, g, "a", one)
	failed := make(chan error)
	for range 10 {
		go func() {
			_, err := g.Acquire(context.Background(), "b", one)
			failed <- err
		}()
	}
	g.Close()
	for range 10 {
		if err := <-failed; !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
	g.Release("a", one)
	if used, n := g.Used(); used != (Amount{}) || n != 0 || len(g.tenants) != g.stale {
		t.Errorf("left: %+v, %d waiters, %d tenants", used, n, len(g.tenants))
	}
}

// TestHammer has many tenants take random amounts, some of which give up, and
// checks that no more is out than there is, and that nothing is left.
func TestHammer(t *testing.T) {
	capacity := Amount{Slots: 5, Bytes: 100}
	g := New(capacity)
	var slots, bytes atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(3, uint64(i)))
			name := fmt.Sprint(i % 5)
			for range 500 {
				amount := Amount{1 + r.Int64N(2), r.Int64N(60)}
				ctx, cancel := context.WithCancel(context.Background())
				if r.IntN(4) == 0 {
					time.AfterFunc(time.Duration(r.IntN(50))*time.Microsecond, cancel)
				}
				_, err := g.Acquire(ctx, name, amount)
				cancel()
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					continue
				}
				if s, b := slots.Add(amount.Slots), bytes.Add(amount.Bytes); s > capacity.Slots || b > capacity.Bytes {
					t.Errorf("%d slots and %d bytes are out", s, b)
				}
				runtime.Gosched()
				slots.Add(-amount.Slots)
				bytes.Add(-amount.Bytes)
				g.Release(name, amount)
			}
		})
	}
	wg.Wait()
	if used, n := g.Used(); used != (Amount{}) || n != 0 || len(g.tenants) != g.stale || len(g.waiting) != 0 {
		t.Errorf("left: %+v, %d waiters, %d tenants", used, n, len(g.tenants))
	}
}

func BenchmarkAcquire(b *testing.B) {
	g := New(Amount{Slots: 1})
	for b.Loop() {
		g.Acquire(context.Background(), "", one)
		g.Release("", one)
	}
}
