package shm

import (
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A sharedWorker takes calls from shared memory. Each of its executors is a goroutine
// that sleeps in the kernel, so that a call is worked on by the thread that the host has woken.
type sharedWorker struct {
	mem    memory
	slots  int
	handle Handler
	fatal  func(error)
	tasks  tasks
	all    sync.WaitGroup // executors
	closed atomic.Bool

	mu    sync.Mutex
	tail  uint32 // calls taken; guarded by mu
	count int    // executors; guarded by mu
	idle  int    // of them that have no call; guarded by mu
}

// NewWorker maps the memory of a host and begins to work on its calls, at most slots at once. The file may be closed then.
// If it finds what no host writes it calls fatal, which is to end the process.
func NewWorker(f *os.File, size int64, slots int, handle Handler, fatal func(error)) (Worker, error) {
	mem, err := mapShared(f.Fd(), size)
	if err != nil {
		return nil, err
	}
	w := &sharedWorker{mem: mem, slots: min(slots, MaxSlots), handle: handle, fatal: fatal, count: 1, idle: 1}
	w.all.Go(func() { w.execute(firstSleeper) })
	return w, nil
}

// SharedBytes is the size of the memory of a host with an arena of so many bytes.
func SharedBytes(arenaBytes int64) int64 { return arenaAt + arenaBytes + guardBytes }

// execute works on calls until the worker is closed. Between calls it sleeps as one of a set.
func (w *sharedWorker) execute(sleepers uintptr) {
	worked := false
	for !w.closed.Load() {
		slot, head, ok := w.take(worked)
		if worked = ok; ok {
			w.work(slot)
		} else {
			futexWaitAs(w.mem.u32(headAt), head, sleepers)
		}
	}
}

// take returns the next call that was submitted, or the head of a ring that is empty. worked says that the executor
// comes from a call.
func (w *sharedWorker) take(worked bool) (slot, head uint32, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if worked {
		w.idle++
	}
	head = load(w.mem.u32(headAt))
	n := head - w.tail
	if n == 0 {
		return 0, head, false
	}
	slot = load(w.mem.u32(ringAt + int(w.tail%MaxSlots)*4))
	if n > MaxSlots || slot >= MaxSlots {
		w.fatal(protocol("the ring was written over"))
		return 0, head, false
	}
	w.tail++
	w.idle--
	if w.idle == 0 && w.count < w.slots {
		w.count++
		w.idle++
		w.all.Go(func() { w.execute(otherSleepers) })
	}
	return slot, head, true
}

// work does one call and answers it.
func (w *sharedWorker) work(slot uint32) {
	word := w.mem.slot(slot, slotState)
	state := load(word)
	f := w.mem.fields(slot)
	in, inLen, out, outLen := f[1], f[2], f[3], f[4]
	size := uint64(len(w.mem))
	phase := state & phaseMask
	if phase != phaseSubmitted && phase != phaseCanceled || in > size || inLen > size-in || out > size || outLen > size-out {
		w.fatal(protocol("a slot was written over"))
		return
	}
	j := &Job{ID: callID(slot, state), Op: uint32(f[0]),
		In: w.mem[in : in+inLen : in+inLen], Out: w.mem[out : out+outLen : out+outLen]}
	ctx := w.tasks.begin(j.ID)
	if load(word)&phaseMask == phaseCanceled {
		w.tasks.cancel(j.ID) // the frame that says so may have come before the job was known
	}
	a := w.handle(ctx, j)
	w.tasks.end(j.ID)
	store(w.mem.slot(slot, slotCode), a.Code)
	store(w.mem.slot(slot, slotDetail), a.Detail)
	done := state&^phaseMask | phaseDone
	if !atomic.CompareAndSwapUint32(word, state, done) &&
		!atomic.CompareAndSwapUint32(word, state|phaseCanceled, done) {
		w.fatal(protocol("the state of a call was written over"))
		return
	}
	futexWake(word, 1)
}

// Cancel implements [Worker].
func (w *sharedWorker) Cancel(id uint64) { w.tasks.cancel(id) }

// Close implements [Worker]. The memory stays mapped: it goes with the process.
func (w *sharedWorker) Close() error {
	w.closed.Store(true)
	stopped := make(chan struct{})
	go func() { w.all.Wait(); close(stopped) }()
	for {
		futexWake(w.mem.u32(headAt), math.MaxInt32) // again, as some may have been about to sleep
		select {
		case <-stopped:
			return nil
		case <-time.After(time.Millisecond):
		}
	}
}
