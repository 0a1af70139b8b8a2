package shm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A sharedHost is a worker with which memory is shared.
type sharedHost struct {
	control Control
	arena   *arena
	free    chan uint32 // slots

	// mapped is held for reading by who uses mem, for writing to unmap it.
	mapped sync.RWMutex
	mem    memory // nil when it is closed
	guard  uint64 // value of its guards

	ring sync.Mutex
	head uint32 // guarded by ring; never read back

	numbers [MaxSlots]uint32 // of the call that each slot had last; owned by who has the slot

	fail sync.Once
	dead chan struct{}
	why  error // set before dead is closed
}

// NewHost makes shared memory with an arena of so many bytes for at most slots calls in progress. The file is for the worker; the caller closes it. It
// fails with [errors.ErrUnsupported] where the system has no such memory.
func NewHost(slots int, arenaBytes int64, control Control) (Host, *os.File, error) {
	fd, err := unix.MemfdCreate("spore-gpu", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, nil, errors.Join(errors.ErrUnsupported, err)
	}
	f := os.NewFile(uintptr(fd), "spore-gpu")
	h := &sharedHost{control: control, free: make(chan uint32, MaxSlots), dead: make(chan struct{}), guard: rand.Uint64()}
	size := SharedBytes(arenaBytes)
	if err = f.Truncate(size); err == nil {
		// Its length cannot change, or who reads behind the end would be killed.
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	}
	if err == nil {
		h.mem, err = mapShared(uintptr(fd), size)
	}
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("shm: %w", err)
	}
	mem := h.mem
	for _, g := range mem.guards() {
		atomic.StoreUint64(g, h.guard)
	}
	h.arena = newArena(int(arenaBytes), keepTouched, func(from, to int) {
		_ = unix.Madvise(mem[arenaAt+from:arenaAt+to], unix.MADV_REMOVE) // what stays is only memory
	})
	for i := range min(slots, MaxSlots) {
		h.free <- uint32(i)
	}
	return h, f, nil
}

// Do implements [Host].
func (h *sharedHost) Do(ctx context.Context, c *Call) (Answer, error) {
	if c.Open != nil {
		return Answer{}, errors.ErrUnsupported
	}
	h.mapped.RLock()
	defer h.mapped.RUnlock()
	select {
	case <-h.dead: // first, so that a dead worker gets no call
		return Answer{}, h.lost()
	default:
	}
	slot, err := h.takeSlot(ctx, c.Deadline)
	if err != nil {
		return Answer{}, err
	}
	in, out, release, err := h.place(ctx, c, slot)
	if err != nil {
		h.free <- slot
		return Answer{}, err
	}
	gather(h.mem[in:], c.In)
	clear(h.mem[out : out+total(c.Out)]) // it may hold what was another tenant's, and the worker may not write it

	number := (h.numbers[slot] + 1) & (math.MaxUint32 >> 2)
	h.numbers[slot] = number
	fields := [5]uint64{uint64(c.Op), uint64(in), uint64(total(c.In)), uint64(out), uint64(total(c.Out))}
	h.mem.setFields(slot, fields)
	h.submit(slot, number)

	a, err := h.wait(ctx, c, slot, number, &fields)
	if err != nil && h.isDead() {
		return Answer{}, err // and nobody gets the slot and the memory again
	}
	release()
	h.free <- slot
	return a, err
}

// takeSlot waits for a slot.
func (h *sharedHost) takeSlot(ctx context.Context, deadline time.Time) (uint32, error) {
	select {
	case i := <-h.free:
		return i, nil
	default:
	}
	var late <-chan time.Time
	if !deadline.IsZero() {
		t := time.NewTimer(time.Until(deadline))
		defer t.Stop()
		late = t.C
	}
	select {
	case i := <-h.free:
		return i, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-late:
		return 0, context.DeadlineExceeded
	case <-h.dead:
		return 0, h.lost()
	}
}

// place returns where the request and the result of a call are, as offsets in the memory.
func (h *sharedHost) place(ctx context.Context, c *Call, slot uint32) (in, out int, release func(), err error) {
	in, out = total(c.In), total(c.Out)
	if in <= smallBytes && out <= smallBytes {
		at := smallAt + int(slot)*2*smallBytes
		return at, at + smallBytes, func() {}, nil
	}
	if in > MaxCall || out > MaxCall-in {
		return 0, 0, nil, ErrTooLarge
	}
	e, err := h.arena.get(ctx, c.Deadline, h.dead, in+out)
	if err != nil {
		if errors.Is(err, ErrLost) {
			err = h.lost()
		}
		return 0, 0, nil, err
	}
	return arenaAt + e.at, arenaAt + e.at + in, func() { h.arena.put(e) }, nil
}

// submit hands a slot to the worker.
func (h *sharedHost) submit(slot, number uint32) {
	h.ring.Lock()
	store(h.mem.slot(slot, slotState), number<<2|phaseSubmitted)
	store(h.mem.u32(ringAt+int(h.head%MaxSlots)*4), slot)
	h.head++
	store(h.mem.u32(headAt), h.head)
	h.ring.Unlock()
	// Whether anybody sleeps could be read from the memory, but then the worker could say no.
	futexWakeFirst(h.mem.u32(headAt))
}

// wait returns the answer to a call, with the result copied out of the memory.
func (h *sharedHost) wait(ctx context.Context, c *Call, slot, number uint32, fields *[5]uint64) (Answer, error) {
	word := h.mem.slot(slot, slotState)
	submitted, canceled, done := number<<2|phaseSubmitted, number<<2|phaseCanceled, number<<2|phaseDone
	if ctx.Done() != nil {
		fired := make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			defer close(fired)
			if atomic.CompareAndSwapUint32(word, submitted, canceled) {
				futexWake(word, 1)
			}
		})
		defer func() {
			if !stop() {
				<-fired // it must not use the slot, nor the memory, any longer
			}
		}()
	}
	var why error       // why nobody waits any more
	until := c.Deadline // when something has to be done
	for {
		state := load(word)
		if state == done {
			return h.finish(ctx, c, slot, state, fields, why)
		}
		if h.isDead() {
			if why != nil {
				return Answer{}, why
			}
			return Answer{}, h.lost()
		}
		if state != submitted && state != canceled {
			h.control.Kill(protocol("wrote over the state of a call"))
			return Answer{}, h.lost()
		}
		if state == canceled && why == nil {
			why, until = ended(ctx), time.Now().Add(h.control.Grace)
			h.control.Cancel(callID(slot, state))
		}
		var left time.Duration // for ever
		if !until.IsZero() {
			if left = time.Until(until); left <= 0 {
				if state == canceled {
					h.control.Kill(errLate)
					return Answer{}, why
				}
				atomic.CompareAndSwapUint32(word, submitted, canceled)
				continue
			}
		}
		futexWait(word, state, left)
	}
}

// finish reads an answer. Then it looks whether the state is still the same, and the slot and the guards as they were written: a worker gone mad
// that writes over everything, from either end, has written over one of these before it came to the
// request or the result.
func (h *sharedHost) finish(ctx context.Context, c *Call, slot, state uint32, fields *[5]uint64, why error) (Answer, error) {
	a := Answer{load(h.mem.slot(slot, slotCode)), load(h.mem.slot(slot, slotDetail))}
	if a.Code == 0 {
		scatter(c.Out, h.mem[fields[3]:])
	}
	// An exchange, not a load, as no load before it may come after it, on any processor.
	intact := atomic.CompareAndSwapUint32(h.mem.slot(slot, slotState), state, state) && h.mem.fields(slot) == *fields
	for _, g := range h.mem.guards() {
		intact = intact && atomic.LoadUint64(g) == h.guard
	}
	if !intact {
		h.control.Kill(protocol("wrote over the memory that it shares"))
		return Answer{}, h.lost()
	}
	if a.Code == 0 {
		return a, nil
	}
	if why == nil && (ctx.Err() != nil || !c.Deadline.IsZero() && time.Until(c.Deadline) <= 0) {
		why = ended(ctx) // the worker saw it in the slot, and was quicker
	}
	return a, why
}

func (h *sharedHost) isDead() bool {
	select {
	case <-h.dead:
		return true
	default:
		return false
	}
}

func (h *sharedHost) lost() error {
	<-h.dead // Control.Kill closes it, but another goroutine may have called it first
	return &lostError{h.why}
}

// Fail implements [Host].
func (h *sharedHost) Fail(why error) {
	h.fail.Do(func() {
		h.why = why
		close(h.dead)
		// Close waits for this, so that nobody waits for the lock yet.
		h.mapped.RLock()
		defer h.mapped.RUnlock()
		for i := range uint32(MaxSlots) {
			word := h.mem.slot(i, slotState)
			store(word, 0) // so that who is about to sleep does not
			futexWake(word, math.MaxInt32)
		}
	})
}

// Close implements [Host].
func (h *sharedHost) Close() error {
	h.Fail(ErrLost)
	h.mapped.Lock()
	defer h.mapped.Unlock()
	if h.mem == nil {
		return nil
	}
	err := unix.Munmap(h.mem)
	h.mem = nil
	return err
}
