package hostfuncs

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// A Handle is a number by which a guest names something that the host holds for
// it, such as a file or a query. It means something only to the [Handles] it came from, and
// JSON carries it exactly: it is less than 2^53.
type Handle uint64

// DefaultMaxHandles is used if Handles.Max is zero.
const DefaultMaxHandles = 256

// Handles are the resources that one instance holds. The zero value holds none
// and is ready. It is safe for concurrent use.
//
// A resource in use stays open: what [Held] returned is closed when the function
// that asked for it has returned, at the earliest.
type Handles struct {
	// Max bounds how many are held at once. It is set before the first use.
	Max int

	mu     sync.Mutex
	held   map[Handle]*resource // guarded by mu
	last   Handle               // the one given last; guarded by mu
	closed bool                 // guarded by mu
}

// A resource is closed once, by whoever finds it both released and unused.
type resource struct {
	closer   io.Closer
	users    int  // calls that use it; guarded by Handles.mu
	released bool // it has no handle any more; guarded by Handles.mu
}

type handlesKey struct{}

// WithHandles returns a context in which functions hold resources in h. It is for the engine,
// and for tests.
func WithHandles(ctx context.Context, h *Handles) context.Context {
	return context.WithValue(ctx, handlesKey{}, h)
}

func handlesOf(ctx context.Context) *Handles {
	h, _ := ctx.Value(handlesKey{}).(*Handles)
	return h
}

// Hold makes r a resource of the instance that calls, and returns the handle
// for the guest. r is closed by [Release], or when the instance is closed. An instance that
// holds anything cannot be suspended, forked or snapshotted.
//
// r belongs to the instance in any case: Hold closes it if it fails. Its error is for the guest:
// [CodeTooManyHandles], also for a call that has no instance and so can hold nothing. If the function
// that holds r returns an error, or too late, the guest does not learn of r, and it is released.
func Hold(ctx context.Context, r io.Closer) (Handle, error) {
	h := handlesOf(ctx)
	if h == nil {
		return 0, errors.Join(Errorf(CodeTooManyHandles, "this call can hold nothing"), closeOne(r))
	}
	n, err := h.add(ctx, r)
	if err != nil {
		return 0, errors.Join(err, closeOne(r))
	}
	return n, nil
}

// usesOf returns what the call uses of h, or nil outside of one.
func (h *Handles) usesOf(ctx context.Context) *uses {
	if u, _ := ctx.Value(usesKey{}).(*uses); u != nil && u.table == h {
		return u
	}
	return nil
}

func (h *Handles) add(ctx context.Context, r io.Closer) (Handle, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err // nobody learns the number, and CloseAfter may have been here
	}
	if h.closed {
		return 0, Errorf(CodeCanceled, "the instance is closed")
	}
	most := h.Max
	if most <= 0 {
		most = DefaultMaxHandles
	}
	if len(h.held) >= most {
		return 0, Errorf(CodeTooManyHandles, "at most %d handles may be held", most)
	}
	// Each number is greater than the one before, so that none comes twice: a start
	// below 2^52 and steps of at most 2^20 last for four billion. Both are random, so
	// that a number from elsewhere, be it another instance or the time before a
	// resumption, means nothing here.
	if h.held == nil {
		h.held = map[Handle]*resource{}
		h.last = random(52)
	}
	h.last += 1 + random(20)
	h.held[h.last] = &resource{closer: r}
	if u := h.usesOf(ctx); u != nil {
		u.made = append(u.made, h.last)
	}
	return h.last, nil
}

// random returns a random number of so many bits.
func random(bits int) Handle {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it does not fail
	return Handle(binary.LittleEndian.Uint64(b[:]) >> (64 - bits))
}

// Held returns the resource that the calling instance holds under n. Its error
// is for the guest: [CodeBadHandle] if there is none, or if it is no R.
//
// The resource is not closed before the function that was given ctx has returned, even
// if it is released or the instance is closed meanwhile. It may be used by several calls at once, unless R
// sees to it.
func Held[R any](ctx context.Context, n Handle) (R, error) {
	var zero R
	h, bad := handlesOf(ctx), Errorf(CodeBadHandle, "there is no such handle")
	if h == nil {
		return zero, bad
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	res := h.held[n]
	if res == nil {
		return zero, bad
	}
	r, ok := res.closer.(R)
	if !ok {
		return zero, Errorf(CodeBadHandle, "the handle is of another kind")
	}
	if u := h.usesOf(ctx); u != nil && !u.over && !slices.Contains(u.of, res) {
		u.of = append(u.of, res)
		res.users++
	}
	return r, nil
}

// Release takes the resource from the calling instance and closes it, or leaves
// that to the last call that uses it, whose error that of Close becomes then. Its error is that of Close,
// or for the guest: [CodeBadHandle].
func Release(ctx context.Context, n Handle) error {
	h := handlesOf(ctx)
	if h == nil {
		return Errorf(CodeBadHandle, "there is no such handle")
	}
	h.mu.Lock()
	res := h.held[n]
	if res == nil {
		h.mu.Unlock()
		return Errorf(CodeBadHandle, "there is no such handle")
	}
	delete(h.held, n)
	unused := h.release(res)
	h.mu.Unlock()
	if unused {
		return closeOne(res.closer)
	}
	return nil
}

// release reports whether the caller has to close r. h.mu is held.
func (h *Handles) release(r *resource) bool {
	r.released = true
	return r.users == 0
}

// Len returns how many resources are held.
func (h *Handles) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.held)
}

// Last returns the number that was given last, for CloseAfter.
func (h *Handles) Last() Handle {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// CloseAfter releases what has been held since Last returned n: a guest whose call was taken back
// knows nothing of it. The contexts of functions that still run must be done by then, with
// which they can hold nothing more. Its error is like that of Close.
func (h *Handles) CloseAfter(n Handle) error {
	return h.closeThose(func(m Handle) bool { return m > n })
}

// Close releases everything, the latest first, and makes further use an error. It returns the
// joined errors of what it closed itself: what calls still use is closed when they
// return, and Close does not wait for that. A second Close does nothing.
func (h *Handles) Close() error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	return h.closeThose(func(Handle) bool { return true })
}

// closeThose releases some resources. which is called with h.mu held.
func (h *Handles) closeThose(which func(Handle) bool) error {
	type closing struct {
		Handle
		*resource
	}
	var idle []closing
	h.mu.Lock()
	for m, r := range h.held {
		if which(m) {
			delete(h.held, m)
			if h.release(r) {
				idle = append(idle, closing{m, r})
			}
		}
	}
	h.mu.Unlock()
	slices.SortFunc(idle, func(a, b closing) int { return cmp.Compare(b.Handle, a.Handle) })
	var errs []error
	for _, c := range idle {
		errs = append(errs, closeOne(c.closer))
	}
	return errors.Join(errs...)
}

// closeOne closes c. A panic must not keep the others open.
func closeOne(c io.Closer) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("hostfuncs: closing %T panicked: %v", c, p)
		}
	}()
	return c.Close()
}

// uses are what one call has to do with resources.
type uses struct {
	table *Handles
	of    []*resource // which it uses; guarded by table.mu
	made  []Handle    // which it got for its guest; guarded by table.mu
	over  bool        // the function has returned; guarded by table.mu
}

type usesKey struct{}

// end ends the use when the function has returned, and takes back what it made if it failed.
func (u *uses) end(failed bool) error {
	u.table.mu.Lock()
	var last []*resource
	for _, r := range u.of {
		if r.users--; r.users == 0 && r.released {
			last = append(last, r)
		}
	}
	u.of, u.over = nil, true
	u.table.mu.Unlock()
	var errs []error
	for _, r := range last {
		errs = append(errs, closeOne(r.closer))
	}
	if failed {
		errs = append(errs, u.takeBack())
	}
	return errors.Join(errs...)
}

// takeBack releases what the function has held for a guest that does not learn of it.
func (u *uses) takeBack() error {
	if u == nil {
		return nil
	}
	return u.table.closeThose(func(n Handle) bool { return slices.Contains(u.made, n) })
}
