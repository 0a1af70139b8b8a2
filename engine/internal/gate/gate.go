// Package gate admits work up to a capacity, fairly between tenants.
//
// Who may go next is decided by use: of the tenants that wait, the one that
// holds least gets what becomes free. Those that hold the same take turns: a
// tenant with a thousand calls in the queue delays one with a single call by no
// more than a call or two. The turns are kept by tags as in "Start-time fair
// queuing" by Goyal, Vin and Cheng (1996), with calls in the place of packets:
// each turn adds one to the tenant's tag, the lowest tag is next, and one that
// comes anew begins at the tag of the last turn, so that it gains nothing by
// having been away.
package gate

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrClosed means that the gate was closed.
var ErrClosed = errors.New("gate: closed")

// An Amount is how much of a [Gate] one holder takes, or all of them may. Its
// two parts are independent. A holder takes at least one slot.
type Amount struct {
	Slots int64
	Bytes int64
}

func (a Amount) fits(in Amount) bool { return a.Slots <= in.Slots && a.Bytes <= in.Bytes }

func (a Amount) plus(b Amount) Amount { return Amount{a.Slots + b.Slots, a.Bytes + b.Bytes} }

func (a Amount) minus(b Amount) Amount { return Amount{a.Slots - b.Slots, a.Bytes - b.Bytes} }

// A Gate hands out a fixed amount. It is safe for concurrent use.
type Gate struct {
	capacity Amount
	closed   chan struct{}

	mu      sync.Mutex
	used    Amount             // guarded by mu
	tenants map[string]*tenant // those that hold or wait for something; guarded by mu
	waiting waitHeap           // those that wait; guarded by mu
	turn    uint64             // number of the next waiter; guarded by mu
	queued  int                // waiters; guarded by mu
	now     uint64             // tag of the last turn; guarded by mu
	latest  uint64             // highest tag of all; guarded by mu
	stale   int                // tenants that are kept for their tag only; guarded by mu
	sweepAt int                // how many of them are too many; guarded by mu
}

// A tenant is one party of a gate. Its fields are guarded by the gate's mu.
type tenant struct {
	name  string
	held  int64     // slots
	tag   uint64    // of its next turn, if not below the gate's now
	stale bool      // holds nothing and waits for nothing
	queue []*waiter // first come, first served
	index int       // in waitHeap, or −1
}

type waiter struct {
	amount  Amount
	turn    uint64
	granted chan struct{} // closed under the gate's mu
}

// minSweep is how many tenants may be kept for their tags before it is worth
// while to look for those that can go.
const minSweep = 64

// New returns a gate that hands out capacity.
func New(capacity Amount) *Gate {
	return &Gate{capacity: capacity, closed: make(chan struct{}), tenants: map[string]*tenant{}, sweepAt: minSweep}
}

// Close makes every Acquire fail with [ErrClosed], those that wait as well. What
// was taken before may still be given back. Close it once.
func (g *Gate) Close() { close(g.closed) }

// Acquire takes amount for the tenant, which it must give back by
// [Gate.Release]. It waits until the amount is free and the tenant's turn, or
// until ctx ends or the gate is closed; then its error is ctx.Err() or
// [ErrClosed]. waited reports that it did not
// get the amount at once. An amount beyond the capacity is an error at once.
func (g *Gate) Acquire(ctx context.Context, name string, amount Amount) (waited bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	select {
	case <-g.closed:
		return false, ErrClosed
	default:
	}
	if !amount.fits(g.capacity) {
		return false, fmt.Errorf("gate: %+v is more than the capacity %+v", amount, g.capacity)
	}
	g.mu.Lock()
	t := g.tenants[name]
	if t == nil {
		t = &tenant{name: name, index: -1}
		g.tenants[name] = t
	}
	if t.stale {
		t.stale = false
		g.stale--
	}
	if g.queued == 0 && amount.fits(g.capacity.minus(g.used)) {
		g.take(t, amount)
		g.mu.Unlock()
		return false, nil
	}
	w := &waiter{amount: amount, turn: g.turn, granted: make(chan struct{})}
	g.turn++
	g.queued++
	t.queue = append(t.queue, w)
	if t.index < 0 {
		t.tag = max(t.tag, g.now)
		heap.Push(&g.waiting, t)
	}
	// What is free may be too little for those that wait already, and enough
	// for this one, whose turn it is if its tenant holds less.
	g.grant()
	g.mu.Unlock()

	select {
	case <-w.granted:
		return true, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-g.closed:
		err = ErrClosed
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-w.granted:
		// It was granted meanwhile, and nobody knows yet.
		g.release(t, amount)
	default:
		g.abandon(t, w)
	}
	g.grant()
	return true, err
}

// Release gives back what [Gate.Acquire] has taken for the tenant.
func (g *Gate) Release(name string, amount Amount) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.release(g.tenants[name], amount)
	g.grant()
}

// Used returns what is taken, and how many wait.
func (g *Gate) Used() (used Amount, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.used, g.queued
}

// take counts amount for t. g.mu is held, here and in what follows.
func (g *Gate) take(t *tenant, amount Amount) {
	g.used = g.used.plus(amount)
	t.held += amount.Slots
	if t.index >= 0 {
		heap.Fix(&g.waiting, t.index)
	}
}

func (g *Gate) release(t *tenant, amount Amount) {
	g.used = g.used.minus(amount)
	t.held -= amount.Slots
	if t.index >= 0 {
		heap.Fix(&g.waiting, t.index)
	}
	g.forget(t)
}

// grant hands out what is free. It stops at the first in turn that does not fit:
// were others let past, one that needs much might wait for ever.
func (g *Gate) grant() {
	for len(g.waiting) > 0 {
		t := g.waiting[0]
		w := t.queue[0]
		if !w.amount.fits(g.capacity.minus(g.used)) {
			return
		}
		g.now = max(g.now, t.tag)
		t.tag++
		g.latest = max(g.latest, t.tag)
		g.leave(t, 0)
		g.take(t, w.amount)
		close(w.granted)
	}
	// Nobody waits, so there are no turns to keep.
	g.now = g.latest
}

// abandon takes w out of the queue of t.
func (g *Gate) abandon(t *tenant, w *waiter) {
	for i := range t.queue {
		if t.queue[i] == w {
			g.leave(t, i)
			break
		}
	}
	g.forget(t)
}

// leave removes the i-th waiter of t, and t from those that wait if it was the
// only one.
func (g *Gate) leave(t *tenant, i int) {
	g.queued--
	copy(t.queue[i:], t.queue[i+1:])
	t.queue[len(t.queue)-1] = nil
	t.queue = t.queue[:len(t.queue)-1]
	if len(t.queue) == 0 {
		heap.Remove(&g.waiting, t.index)
	} else {
		heap.Fix(&g.waiting, t.index)
	}
}

// forget drops a tenant that neither holds nor waits for anything, as soon as
// its tag means nothing any more: names come from outside and would pile up.
func (g *Gate) forget(t *tenant) {
	if t.held > 0 || len(t.queue) > 0 {
		return
	}
	if t.tag <= g.now {
		delete(g.tenants, t.name)
		return
	}
	t.stale = true
	g.stale++
	if g.stale > g.sweepAt {
		for name, t := range g.tenants {
			if t.stale && t.tag <= g.now {
				delete(g.tenants, name)
				g.stale--
			}
		}
		g.sweepAt = max(minSweep, 2*g.stale, len(g.tenants)/2) // so that sweeping costs a constant for each call
	}
}

// waitHeap implements [heap.Interface]: first who holds least, of those with the
// same whose tag is lowest, and of those who has waited longest.
type waitHeap []*tenant

func (h waitHeap) Len() int { return len(h) }
func (h waitHeap) Less(i, j int) bool {
	if h[i].held != h[j].held {
		return h[i].held < h[j].held
	}
	if h[i].tag != h[j].tag {
		return h[i].tag < h[j].tag
	}
	return h[i].queue[0].turn < h[j].queue[0].turn
}
func (h waitHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *waitHeap) Push(x any) {
	t := x.(*tenant)
	t.index = len(*h)
	*h = append(*h, t)
}
func (h *waitHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
