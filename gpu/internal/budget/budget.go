// Package budget shares memory among evaluations.
package budget

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/sporeengine/spore/gpu"
)

// A Budget is memory that many share: a number of bytes. Who asks first, gets first: a large evaluation
// is not overtaken by small ones for ever. Its methods may be called by many goroutines at the same time.
type Budget struct {
	mu      sync.Mutex
	total   int64
	free    int64
	waiting []*waiter
}

type waiter struct {
	bytes int64
	ready chan struct{}
}

// New returns a budget of which all is free.
func New(bytes int64) *Budget { return &Budget{total: bytes, free: bytes} }

// Acquire takes bytes, when there are so many. More than there ever are is
// gpu.ErrMemory.
func (b *Budget) Acquire(ctx context.Context, bytes int64) error {
	if bytes > b.total {
		return fmt.Errorf("%w: %d bytes of %d", gpu.ErrMemory, bytes, b.total)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	if len(b.waiting) == 0 && bytes <= b.free {
		b.free -= bytes
		b.mu.Unlock()
		return nil
	}
	w := &waiter{bytes, make(chan struct{})}
	b.waiting = append(b.waiting, w)
	b.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.waiting, w); i >= 0 {
		b.waiting = slices.Delete(b.waiting, i, i+1)
	} else {
		b.free += bytes // it came at the same moment
	}
	b.wake()
	return ctx.Err()
}

// Release gives bytes back.
func (b *Budget) Release(bytes int64) {
	b.mu.Lock()
	b.free += bytes
	b.wake()
	b.mu.Unlock()
}

// wake serves those who wait, in order. b.mu is locked.
func (b *Budget) wake() {
	for len(b.waiting) > 0 && b.waiting[0].bytes <= b.free {
		b.free -= b.waiting[0].bytes
		close(b.waiting[0].ready)
		b.waiting = b.waiting[1:]
	}
}

// Free returns how many bytes are free.
func (b *Budget) Free() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.free
}
