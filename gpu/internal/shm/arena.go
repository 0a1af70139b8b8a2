package shm

import (
	"context"
	"slices"
	"sync"
	"time"
)

// granule is what arenas hand out: multiples of it, in bytes.
const granule = 4096

// keepTouched is how much of an arena stays resident when nothing is in progress, in bytes.
const keepTouched = 32 << 20

// An arena hands out ranges of bytes, lowest first, so that what is used stays together. It knows
// nothing but numbers: all of its state is the host's own.
type arena struct {
	trim      func(from, to int) // gives the memory of a free range back to the system
	trimAbove int                // up to which memory is kept

	mu    sync.Mutex
	size  int
	free  []extent      // in order, none adjacent; guarded by mu
	high  int           // end of what was used since the last trim; guarded by mu
	freed chan struct{} // closed when something is freed; guarded by mu
}

type extent struct{ at, n int }

func newArena(size, trimAbove int, trim func(from, to int)) *arena {
	size -= size % granule
	return &arena{size: size, free: []extent{{0, size}}, trimAbove: trimAbove, trim: trim, freed: make(chan struct{})}
}

// get returns the place of n bytes. It waits until there is one, until ctx is done, the deadline has passed or dead is closed. The
// error for too many bytes is [ErrTooLarge].
func (a *arena) get(ctx context.Context, deadline time.Time, dead <-chan struct{}, n int) (extent, error) {
	n = (n + granule - 1) / granule * granule
	if n > a.size {
		return extent{}, ErrTooLarge
	}
	var late <-chan time.Time
	for {
		e, freed := a.try(n)
		if freed == nil {
			return e, nil
		}
		if late == nil && !deadline.IsZero() {
			t := time.NewTimer(time.Until(deadline))
			defer t.Stop()
			late = t.C
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return extent{}, ctx.Err()
		case <-late:
			return extent{}, context.DeadlineExceeded
		case <-dead:
			return extent{}, ErrLost
		}
	}
}

// try returns a place or else what to wait for.
func (a *arena) try(n int) (extent, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, f := range a.free {
		if f.n < n {
			continue
		}
		if f.n == n {
			a.free = slices.Delete(a.free, i, i+1)
		} else {
			a.free[i] = extent{f.at + n, f.n - n}
		}
		a.high = max(a.high, f.at+n)
		return extent{f.at, n}, nil
	}
	return extent{}, a.freed
}

// put takes back what get returned.
func (a *arena) put(e extent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i, _ := slices.BinarySearchFunc(a.free, e.at, func(f extent, at int) int { return f.at - at })
	if i < len(a.free) && e.at+e.n == a.free[i].at {
		a.free[i] = extent{e.at, e.n + a.free[i].n}
	} else {
		a.free = slices.Insert(a.free, i, e)
	}
	if i > 0 && a.free[i-1].at+a.free[i-1].n == a.free[i].at {
		a.free[i-1].n += a.free[i].n
		a.free = slices.Delete(a.free, i, i+1)
	}
	if a.high > a.trimAbove && len(a.free) == 1 && a.free[0].n == a.size {
		a.trim(a.trimAbove, a.high)
		a.high = a.trimAbove
	}
	close(a.freed)
	a.freed = make(chan struct{})
}
