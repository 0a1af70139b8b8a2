package shm

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Layout of the shared memory, in bytes from its start. Numbers in it are in the order of the
// processor: both sides run on the same.
const (
	headAt  = 0    // u32: how many calls were submitted, modulo 2^32. A futex on which the worker sleeps.
	guardAt = 64   // u64: a number that nobody changes; the same at the end, behind the arena
	ringAt  = 4096 // u32 × MaxSlots: slots in the order of submission
	slotsAt = 8192 // slotBytes × MaxSlots
	smallAt = 32 << 10
	arenaAt = smallAt + MaxSlots*2*smallBytes

	guardBytes = 64
	slotBytes  = 64
	smallBytes = 4096 // of a request, and of a result, for which each slot has room of its own
)

// Fields of a slot, in bytes from its start.
const (
	slotState  = 0  // u32: number of the call in the slot << 2 | phase. A futex on which the caller sleeps.
	slotOp     = 4  // u32
	slotIn     = 8  // u64: where the request is
	slotInLen  = 16 // u64
	slotOut    = 24 // u64: where the result goes
	slotOutLen = 32 // u64
	slotCode   = 40 // u32, by the worker
	slotDetail = 44 // u32, by the worker
)

// Phases of a call.
const (
	phaseSubmitted = 1 // by the host
	phaseDone      = 2 // by the worker
	phaseCanceled  = 3 // by the host: as submitted, but nobody waits for the result
	phaseMask      = 3
)

// A memory is a mapping of the shared memory.
type memory []byte

func (m memory) u32(at int) *uint32 { return (*uint32)(unsafe.Pointer(&m[at : at+4][0])) }
func (m memory) u64(at int) *uint64 { return (*uint64)(unsafe.Pointer(&m[at : at+8][0])) }

func (m memory) slot(i uint32, field int) *uint32 { return m.u32(slotsAt + int(i)*slotBytes + field) }

// fields returns what the host writes to a slot for a call.
func (m memory) fields(i uint32) [5]uint64 {
	s := slotsAt + int(i)*slotBytes
	return [5]uint64{uint64(*m.u32(s + slotOp)), *m.u64(s + slotIn), *m.u64(s + slotInLen), *m.u64(s + slotOut), *m.u64(s + slotOutLen)}
}

func (m memory) setFields(i uint32, f [5]uint64) {
	s := slotsAt + int(i)*slotBytes
	*m.u32(s + slotOp) = uint32(f[0])
	*m.u64(s + slotIn), *m.u64(s + slotInLen) = f[1], f[2]
	*m.u64(s + slotOut), *m.u64(s + slotOutLen) = f[3], f[4]
}

// guards returns both guards.
func (m memory) guards() [2]*uint64 {
	return [2]*uint64{m.u64(guardAt), m.u64(len(m) - guardBytes)}
}

// callID is the number by which a call is canceled.
func callID(slot, state uint32) uint64 { return uint64(state>>2)<<8 | uint64(slot) }

func mapShared(fd uintptr, size int64) (memory, error) {
	return unix.Mmap(int(fd), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

// Operations of futex(2). They are not private: the word is in the memory of two processes.
const (
	futexWaitOp       = 0
	futexWakeOp       = 1
	futexWaitBitsetOp = 9
	futexWakeBitsetOp = 10
)

// Sets of sleepers on one word. One executor of a worker is woken before all others, as long as it sleeps: its stack and its
// thread's state are in the caches still. The system alone would take turns.
const (
	firstSleeper  = 1
	otherSleepers = 2
)

// futexWait sleeps while *word is v, until it is woken, for no reason, or after d; 0 is for ever.
func futexWait(word *uint32, v uint32, d time.Duration) {
	var timeout *unix.Timespec
	if d > 0 {
		ts := unix.NsecToTimespec(int64(d))
		timeout = &ts
	}
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWaitOp, uintptr(v), uintptr(unsafe.Pointer(timeout)), 0, 0)
}

// futexWaitAs is futexWait for ever, as one of a set.
func futexWaitAs(word *uint32, v uint32, set uintptr) {
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWaitBitsetOp, uintptr(v), 0, 0, set)
}

// futexWake wakes at most n who sleep on word.
func futexWake(word *uint32, n int) {
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWakeOp, uintptr(n), 0, 0, 0)
}

// futexWakeFirst wakes one who sleeps on word: of the first set, or else of the others.
func futexWakeFirst(word *uint32) {
	for _, set := range [...]uintptr{firstSleeper, otherSleepers} {
		n, _, errno := unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWakeBitsetOp, 1, 0, 0, set)
		if n > 0 || errno != 0 {
			return
		}
	}
}

func load(p *uint32) uint32     { return atomic.LoadUint32(p) }
func store(p *uint32, v uint32) { atomic.StoreUint32(p, v) }
