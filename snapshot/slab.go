package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
)

var (
	// ErrSlabFull is returned by [Slab.Put] when the slab has no room. Free
	// something, or keep the entry elsewhere.
	ErrSlabFull = errors.New("snapshot: slab is full")

	// ErrStaleHandle is returned by methods of a [Slab] for a handle that was
	// freed, or never came from this slab.
	ErrStaleHandle = errors.New("snapshot: stale handle")
)

// A Slab keeps byte strings where the garbage collector does not see them: the
// lines of idle sessions, of which there may be millions. It is a slab allocator
// (Bonwick, "The Slab Allocator", USENIX Summer 1994) with the size classes of
// memcached: chunks of 256 KiB are cut into slots of one size, of which there are
// eight in each doubling, so that a slot is at most an eighth larger than what is
// in it. Entries never move. A chunk that becomes empty serves another size or is
// given back to the operating system.
//
// On Linux (amd64 and arm64) the chunks are one anonymous mapping. Elsewhere they
// are on the Go heap, which the collector counts but need not look into.
//
// A Slab is safe for concurrent use. Copying does not exclude copying.
type Slab struct {
	mu     sync.RWMutex
	memory slabMemory // guarded by mu; nil when closed

	// The rest is guarded by mu, which is held for writing whenever it changes.
	// There is no pointer for each entry anywhere.
	chunks  []slabChunk // those that were ever used
	most    int         // so many there may be
	room    [slotClasses]int32
	spare   []int32 // empty chunks that still have their memory
	given   []int32 // empty chunks that have none
	entries int64
	bytes   int64
}

// lastSlabID is the last id that an entry of any slab got.
var lastSlabID atomic.Uint64

// A Handle names an entry of a [Slab] for as long as it is there, and nothing
// afterwards: no two entries of a process ever have the same. The zero Handle
// names none.
type Handle struct {
	at uint64 // offset of the first slot
	id uint64 // never zero
}

// SlabStats says what a [Slab] holds.
type SlabStats struct {
	Entries int64
	Bytes   int64 // length of all entries
	Mapped  int64 // length of the chunks that they are in and of a few spare ones
	Spare   int64 // length of the spare ones
}

// slabMemory is where the chunks of a slab are. Its methods are called with the
// lock of the slab held, take for writing.
type slabMemory interface {
	take(chunk int)         // before the first use, and after give
	bytes(chunk int) []byte // chunkBytes of it
	give(chunk int)         // back to the operating system
	close() error
}

// A slabChunk describes a chunk. Chunks with room are in a list of their class.
type slabChunk struct {
	class      int32
	used       int32 // slots in use; the chunk is empty if there is none
	fresh      int32 // slots from this one on were never used
	free       int32 // first free slot before fresh, noSlot if there is none
	prev, next int32 // in the list, noChunk at its ends
}

const (
	chunkBytes  = 256 << 10
	maxSlot     = 16 << 10 // longer entries take several slots
	spareChunks = 16       // so that an entry that comes and goes costs no system call

	noSlot  = -1
	noChunk = -1
)

// A slot in use starts with a header: the id of the entry, zero if this is not
// its first slot; the offset of the entry's next slot, plus one, zero if there is
// none; and how many bytes of the entry are in this slot and those behind it. A
// free slot has a zero id and, in place of the offset, the number of the chunk's
// next free slot.
const (
	slotID     = 0
	slotNext   = 8
	slotBytes  = 16
	slotHeader = 24
	slotMost   = maxSlot - slotHeader // of an entry in one slot
)

// NewSlab returns a slab whose chunks take at most maxBytes, at least one chunk
// of 256 KiB. On Linux the addresses are reserved at once, but no memory. The
// caller closes it. Besides [ErrTooMany], the error may be one of the operating
// system.
func NewSlab(maxBytes int64) (*Slab, error) {
	n, err := slabChunks(maxBytes)
	if err != nil {
		return nil, err
	}
	memory, err := newSlabMemory(n)
	if err != nil {
		return nil, err
	}
	return newSlab(memory, n), nil
}

// slabChunks returns the number of chunks that maxBytes allow.
func slabChunks(maxBytes int64) (int, error) {
	n := maxBytes / chunkBytes
	if n < 1 || n > 1<<30 || n*chunkBytes > math.MaxInt {
		return 0, fmt.Errorf("snapshot: slab of %d bytes: not between %d and what this machine can address", maxBytes, chunkBytes)
	}
	return int(n), nil
}

func newSlab(memory slabMemory, most int) *Slab {
	s := &Slab{memory: memory, most: most}
	for i := range s.room {
		s.room[i] = noChunk
	}
	return s
}

// Put copies b into the slab. The error is [ErrSlabFull] or [ErrClosed].
func (s *Slab) Put(b []byte) (Handle, error) {
	h, err := s.reserve(len(b))
	if err != nil {
		return Handle{}, err
	}
	// Nobody else has the handle, so only Close can interfere.
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.memory == nil {
		return Handle{}, ErrClosed
	}
	for at := h.at; ; {
		slot := s.slot(at)
		b = b[copy(slot[slotHeader:], b):]
		if len(b) == 0 {
			return h, nil
		}
		at = binary.NativeEndian.Uint64(slot[slotNext:]) - 1
	}
}

// Get appends the entry of h to dst and returns the extended slice. The error is
// [ErrStaleHandle] or [ErrClosed].
func (s *Slab) Get(dst []byte, h Handle) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	slot, err := s.find(h)
	if err != nil {
		return dst, err
	}
	for {
		n := int64(binary.NativeEndian.Uint64(slot[slotBytes:]))
		dst = append(dst, slot[slotHeader:slotHeader+min(n, slotMost)]...)
		next := binary.NativeEndian.Uint64(slot[slotNext:])
		if next == 0 {
			return dst, nil
		}
		slot = s.slot(next - 1)
	}
}

// Free removes the entry of h. The error is [ErrStaleHandle] or [ErrClosed].
func (s *Slab) Free(h Handle) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	slot, err := s.find(h)
	if err != nil {
		return err
	}
	s.entries--
	s.bytes -= int64(binary.NativeEndian.Uint64(slot[slotBytes:]))
	s.freeSlots(h.at)
	return nil
}

// Stats returns what the slab holds.
func (s *Slab) Stats() SlabStats {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return SlabStats{s.entries, s.bytes, int64(len(s.chunks)-len(s.given)) * chunkBytes, int64(len(s.spare)) * chunkBytes}
}

// Close gives all memory back. Other methods then return [ErrClosed]. It is
// idempotent.
func (s *Slab) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memory == nil {
		return nil
	}
	memory := s.memory
	s.memory, s.chunks, s.spare, s.given = nil, nil, nil, nil
	s.entries, s.bytes = 0, 0
	return memory.close()
}
