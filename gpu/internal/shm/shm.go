// Package shm carries requests from a host process to a worker process and answers back.
// What they mean is the business of its user.
//
// On Linux both processes map the same sealed memory file ([NewHost], [NewWorker]): a request costs a
// copy into it, two futex calls and no goroutine of its own. Elsewhere, or where there
// are no memory files, requests are frames on the control channel ([NewPipeHost], [NewPipeWorker]). PROTOCOL.md has both.
//
// The host trusts nothing in the shared memory: what it needs it keeps in its own, and it reads back the
// state of a slot, two numbers, and as many bytes of a result as it asked for. There are no locks and no pointers in it, and memory that a
// worker had is not used for another.
package shm

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sporeengine/spore/gpu/internal/wire"
)

// Sizes that both sides know.
const (
	MaxSlots = 256     // calls in progress; more wait in the host
	Align    = 64      // bytes; each part of a request and of a result begins at a multiple of it
	MaxCall  = 1 << 30 // bytes of a request and its result together
)

// What a call can fail with, beside the error of its context.
var (
	ErrLost     = errors.New("shm: the worker is gone")
	ErrTooLarge = errors.New("shm: the call is larger than the shared memory")

	errLate = errors.New("did not end a call that had been canceled")
)

// A Call is a request and the place of its result.
type Call struct {
	Op       uint32
	In       [][]byte  // sent one after the other, see [Offsets]; not kept
	Out      [][]byte  // what the result is divided into, likewise
	Deadline time.Time // zero: none

	// Open, if not nil, takes a result whose length the worker decides, in the place of Out. Without pipes there is no such
	// call: [errors.ErrUnsupported].
	Open *Open
}

// An Open is a result of a length that is not known before, or one that comes in parts.
type Open struct {
	// Part, if not nil, takes the parts that come before the end, one after the other, and owns them. It may block until ctx is done. The worker sends
	// at most Credit parts of which none has been taken: it waits. An error ends the call like the end of its context,
	// and is what Do returns.
	Part   func(ctx context.Context, b []byte) error
	Credit int

	// Result is what came with the answer, and belongs to the caller: the result, or if the code is not 0 a text for people.
	Result []byte
}

// An Answer is what a worker says about a call. If Code is not 0 there is no result.
type Answer struct{ Code, Detail uint32 }

// A Job is a [Call] as the worker sees it. In and Out are valid until it has answered.
type Job struct {
	ID      uint64
	Op      uint32
	In, Out []byte
}

// A Handler works on a job. Its context is canceled when nobody waits for the answer any more.
type Handler func(context.Context, *Job) Answer

// Control is how a [Host] gets rid of work.
type Control struct {
	Grace  time.Duration   // that a worker has to end a call that was canceled
	Cancel func(id uint64) // tells the worker; it must not block
	Kill   func(why error) // ends the worker, and calls Host.Fail
}

// A Host is one worker, seen from the host. All methods are safe for concurrent use.
type Host interface {
	// Do sends c and waits for the answer. At its deadline or when ctx is done the worker is told, and
	// killed if it has not answered Control.Grace later: when Do returns nobody works on c any more. The error is that of the
	// context, [ErrTooLarge], or one that wraps [ErrLost].
	Do(ctx context.Context, c *Call) (Answer, error)

	// Fail makes all calls fail with ErrLost. The first reason counts.
	Fail(why error)

	// Close fails all calls, waits for them and frees the memory.
	Close() error
}

// A Worker is the other end.
type Worker interface {
	// Cancel cancels the context of a job, if it is in progress.
	Cancel(id uint64)

	// Close waits for the jobs in progress and takes no other.
	Close() error
}

// Offsets returns where parts of these sizes begin, one after the other and each aligned, and what they take together.
func Offsets(sizes []int) (at []int, total int) {
	at = make([]int, len(sizes))
	for i, n := range sizes {
		at[i] = total
		total += aligned(n)
	}
	return at, total
}

func aligned(n int) int { return (n + Align - 1) &^ (Align - 1) }

func total(parts [][]byte) (n int) {
	for _, p := range parts {
		n += aligned(len(p))
	}
	return n
}

// gather copies the parts to where Offsets has them.
func gather(dst []byte, parts [][]byte) {
	for _, p := range parts {
		copyLarge(dst, p)
		dst = dst[aligned(len(p)):]
	}
}

// scatter is the opposite.
func scatter(parts [][]byte, src []byte) {
	for _, p := range parts {
		copyLarge(p, src)
		src = src[aligned(len(p)):]
	}
}

// What copyLarge does at once: pieces of 512 KiB, as more than a MiB would be written past the caches, out of which the other side is to read it, and
// several at the same time, as one processor cannot keep the memory busy.
const (
	copyPiece = 512 << 10
	copiers   = 4
)

// copyLarge is copy(dst, src).
func copyLarge(dst, src []byte) {
	n := min(len(dst), len(src))
	pieces := (n + copyPiece - 1) / copyPiece
	if pieces < 2 {
		copy(dst, src)
		return
	}
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < pieces; i = int(next.Add(1)) - 1 {
			copy(dst[i*copyPiece:min(n, (i+1)*copyPiece)], src[i*copyPiece:])
		}
	}
	var others sync.WaitGroup
	for range min(copiers, pieces, runtime.GOMAXPROCS(0)) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}

// lostError is an ErrLost with its reason.
type lostError struct{ why error }

func (e *lostError) Error() string   { return ErrLost.Error() + ": " + e.why.Error() }
func (e *lostError) Unwrap() []error { return []error{ErrLost, e.why} }

// protocol returns an error about what the worker did.
func protocol(what string) error { return errors.Join(wire.ErrProtocol, errors.New(what)) }

// ended returns why the wait for an answer has ended: ctx, or else the deadline.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return context.DeadlineExceeded
}
