// Package fair decides whose call is next.
//
// Tenants share a number of slots in proportion to nothing but their number: each
// gets the same amount of work done, however many calls it makes and however large they are. This is start-time fair
// queuing (Goyal, Vin and Cheng, 1996): each call moves its tenant's tag on by what the call costs, the lowest
// tag is next, and a tenant that comes anew begins at the tag of the call that was started last, so that it
// gains nothing by having been away. Within a tenant the earliest deadline is next.
package fair

import (
	"container/heap"
	"context"
	"errors"
	"sync"
	"time"
)

// What Acquire can fail with, beside the error of its context.
var (
	ErrClosed = errors.New("fair: closed")
	ErrQuota  = errors.New("fair: over the tenant's quota")
)

// A Quota bounds what one tenant has at the same time.
type Quota struct {
	Slots int   // calls that run
	Queue int   // calls that wait
	Bytes int64 // of both
}

// A Demand is what one call takes.
type Demand struct {
	Cost     int64     // in any unit; at least 1
	Bytes    int64     // of memory, while it waits and runs
	Deadline time.Time // zero: none
}

// A Queue hands out slots. It is safe for concurrent use.
type Queue struct {
	slots  int
	quota  Quota
	closed chan struct{}

	mu      sync.Mutex
	used    int                // slots; guarded by mu
	waiters int                // guarded by mu
	tenants map[string]*tenant // that have something, or a tag ahead of now; guarded by mu
	ready   tenants            // that wait and may have a slot more; guarded by mu
	now     int64              // tag of the call that was started last; guarded by mu
	latest  int64              // highest tag of all; guarded by mu
	calls   int64              // that had to wait, ever; guarded by mu
	sweep   int                // number of tenants at which those without use are dropped; guarded by mu
}

type tenant struct {
	tag   int64 // of its next call, if not below now
	slots int
	bytes int64
	wait  waiters
	index int // in Queue.ready, or -1
}

type waiter struct {
	Demand
	order   int64         // who came first
	granted chan struct{} // closed under Queue.mu
	index   int           // in tenant.wait, or -1 when it is granted
}

const minSweep = 64

// New returns a queue for so many slots.
func New(slots int, quota Quota) *Queue {
	return &Queue{slots: slots, quota: quota, closed: make(chan struct{}), tenants: map[string]*tenant{}, sweep: minSweep}
}

// Close makes every Acquire fail, those that wait as well. Close it once.
func (q *Queue) Close() { close(q.closed) }

// Acquire takes a slot for a call of the tenant, which gives it back by [Queue.Release] with the same demand. It
// waits for the tenant's turn, until ctx is done, the deadline has passed, or the queue is closed. A call that
// would be over the quota is an error at once.
func (q *Queue) Acquire(ctx context.Context, name string, d Demand) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-q.closed:
		return ErrClosed
	default:
	}
	q.mu.Lock()
	t := q.tenants[name]
	if t == nil {
		q.drop()
		t = &tenant{index: -1}
		q.tenants[name] = t
	}
	if d.Bytes > q.quota.Bytes-t.bytes || (q.used == q.slots || t.slots == q.quota.Slots) && len(t.wait) >= q.quota.Queue {
		q.mu.Unlock()
		return ErrQuota
	}
	t.bytes += d.Bytes
	if q.used < q.slots && q.waiters == 0 && t.slots < q.quota.Slots {
		q.start(t, d.Cost)
		q.mu.Unlock()
		return nil
	}
	q.waiters++
	q.calls++
	w := &waiter{Demand: d, granted: make(chan struct{}), order: q.calls}
	heap.Push(&t.wait, w)
	q.update(t)
	q.grant()
	q.mu.Unlock()

	err := q.sleep(ctx, w)
	if err == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	t.bytes -= d.Bytes
	if w.index < 0 { // it was granted meanwhile, and nobody knows yet
		q.used--
		t.slots--
	} else {
		heap.Remove(&t.wait, w.index)
		q.waiters--
	}
	q.update(t)
	q.grant()
	return err
}

// sleep waits for w to be granted.
func (q *Queue) sleep(ctx context.Context, w *waiter) error {
	var late <-chan time.Time
	if !w.Deadline.IsZero() {
		timer := time.NewTimer(time.Until(w.Deadline))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late:
		return context.DeadlineExceeded
	case <-q.closed:
		return ErrClosed
	}
}

// Release gives back what Acquire has taken.
func (q *Queue) Release(name string, d Demand) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.tenants[name]
	t.bytes -= d.Bytes
	t.slots--
	q.used--
	q.update(t)
	q.grant()
}

// Used returns how many calls run and wait.
func (q *Queue) Used() (running, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.used, q.waiters
}

// maxCost bounds what a call counts, so that no tag ever overflows, whatever is said to be its cost.
const maxCost = 1 << 40

// start counts a call of t. q.mu is held, here and below.
func (q *Queue) start(t *tenant, cost int64) {
	t.tag = max(t.tag, q.now)
	q.now = t.tag
	t.tag += min(max(cost, 1), maxCost)
	q.latest = max(q.latest, t.tag)
	if q.waiters == 0 {
		q.now = q.latest // there are no turns to keep
	}
	t.slots++
	q.used++
}

// grant hands out the slots that are free.
func (q *Queue) grant() {
	for q.used < q.slots && len(q.ready) > 0 {
		t := q.ready[0]
		w := heap.Pop(&t.wait).(*waiter)
		q.waiters--
		q.start(t, w.Cost)
		q.update(t)
		close(w.granted)
	}
}

// update puts t into, or takes it out of, those that may have a slot.
func (q *Queue) update(t *tenant) {
	may := len(t.wait) > 0 && t.slots < q.quota.Slots
	switch {
	case may && t.index < 0:
		t.tag = max(t.tag, q.now)
		heap.Push(&q.ready, t)
	case may:
		heap.Fix(&q.ready, t.index)
	case t.index >= 0:
		heap.Remove(&q.ready, t.index)
	}
}

// drop forgets tenants that have nothing and whose tag means nothing any more, now and then: names come from
// outside and would pile up.
func (q *Queue) drop() {
	if len(q.tenants) < q.sweep {
		return
	}
	for name, t := range q.tenants {
		if t.slots == 0 && t.bytes == 0 && len(t.wait) == 0 && t.tag <= q.now {
			delete(q.tenants, name)
		}
	}
	q.sweep = max(minSweep, 2*len(q.tenants))
}

// tenants implements [heap.Interface]: the lowest tag first, and of equal ones who has fewer slots.
type tenants []*tenant

func (h tenants) Len() int { return len(h) }
func (h tenants) Less(i, j int) bool {
	if h[i].tag != h[j].tag {
		return h[i].tag < h[j].tag
	}
	return h[i].slots < h[j].slots
}
func (h tenants) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *tenants) Push(x any) {
	t := x.(*tenant)
	t.index = len(*h)
	*h = append(*h, t)
}
func (h *tenants) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}

// waiters implements [heap.Interface]: the earliest deadline first, and of equal ones who has waited longer.
type waiters []*waiter

func (h waiters) Len() int { return len(h) }
func (h waiters) Less(i, j int) bool {
	a, b := h[i].Deadline, h[j].Deadline
	if !a.Equal(b) {
		return !a.IsZero() && (b.IsZero() || a.Before(b))
	}
	return h[i].order < h[j].order
}
func (h waiters) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *waiters) Push(x any) {
	w := x.(*waiter)
	w.index = len(*h)
	*h = append(*h, w)
}
func (h *waiters) Pop() any {
	old := *h
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	w.index = -1
	return w
}
