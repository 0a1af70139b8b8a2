package shm

import (
	"errors"
	"os"
	"slices"
	"sync"
	"unsafe"
)

// ErrFreed is what lies in memory of [Buffers] but in no buffer: it was freed.
var ErrFreed = errors.New("shm: a buffer that was freed")

// Buffers hand out memory of the host that workers can read, so that inputs in it need not be copied. It is apart from the memory of calls: it
// outlives workers, and they cannot write to it. Where no memory can be shared it is common memory, and all inputs are copied.
//
// It is safe for concurrent use.
type Buffers struct {
	arena *arena
	file  *os.File // nil: it is common memory

	mu     sync.Mutex
	mem    []byte    // nil: likewise, or it is unmapped; guarded by mu
	live   []*Buffer // in the order of their places; guarded by mu
	closed bool      // guarded by mu
}

// A Buffer is a range of memory. It is freed once.
type Buffer struct {
	all   *Buffers
	at    extent
	mem   []byte
	users int  // calls that use it; guarded by Buffers.mu
	freed bool // guarded by Buffers.mu
}

// NewBuffers returns buffers of so many bytes together. They are shared if share is true and the system can. What they take from the system is
// what is used.
func NewBuffers(size int64, share bool) (*Buffers, error) {
	size += -size & (granule - 1)
	b := &Buffers{}
	if share && size > 0 {
		var err error
		if b.file, b.mem, err = newSharedBuffers(size); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return nil, err
		}
	}
	mem := b.mem
	b.arena = newArena(int(size), keepTouched, func(from, to int) {
		if mem != nil {
			_ = discard(mem[from:to]) // it is zero already
		}
	})
	return b, nil
}

// File is the shared memory, for workers, or nil. It belongs to b.
func (b *Buffers) File() *os.File { return b.file }

// Size is how much memory is shared, in bytes.
func (b *Buffers) Size() int64 {
	if b.file == nil {
		return 0
	}
	return int64(b.arena.size)
}

// New returns a buffer of n bytes that are zero. The error is [ErrTooLarge] if there is no room, or [ErrLost] if b is closed.
func (b *Buffers) New(n int) (*Buffer, error) {
	e, full := b.arena.try(max(n+-n&(granule-1), granule)) // so that no two have the same place
	if full != nil {
		return nil, ErrTooLarge
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, ErrLost // the place is not needed any more
	}
	u := &Buffer{all: b, at: e}
	if b.mem == nil {
		u.mem = make([]byte, n)
	} else {
		u.mem = b.mem[e.at : e.at+n : e.at+n]
	}
	i, _ := b.search(e.at)
	b.live = slices.Insert(b.live, i, u)
	return u, nil
}

// search returns the index of the first buffer whose place is not before at. b.mu is held.
func (b *Buffers) search(at int) (int, bool) {
	return slices.BinarySearchFunc(b.live, at, func(u *Buffer, at int) int { return u.at.at - at })
}

// Bytes is the memory of the buffer. It must not be used after Free.
func (u *Buffer) Bytes() []byte { return u.mem }

// Free gives the memory back when no call uses it any more. It is zero before anybody else gets it. It reports whether it is the first.
func (u *Buffer) Free() bool {
	b := u.all
	b.mu.Lock()
	defer b.mu.Unlock()
	if u.freed {
		return false
	}
	u.freed = true
	if u.users == 0 {
		b.drop(u)
	}
	return true
}

// drop gives the memory of a buffer back. b.mu is held.
func (b *Buffers) drop(u *Buffer) {
	i, _ := b.search(u.at.at)
	b.live = slices.Delete(b.live, i, i+1)
	if b.mem != nil && (u.at.n <= keepTouched || discard(b.mem[u.at.at:u.at.at+u.at.n]) != nil) {
		clear(u.mem)
	}
	b.arena.put(u.at)
	b.unmap()
}

// Pin returns where the parts are in the memory that is shared, -1 for those that are not there or do not begin at a multiple of [Align], and
// keeps the buffers from being given back until unpin is called. Parts of buffers that were freed are [ErrFreed].
func (b *Buffers) Pin(parts [][]byte) (at []int64, unpin func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var pinned []*Buffer
	for i, p := range parts {
		offset, inside := b.offset(p)
		if !inside {
			continue
		}
		k, found := b.search(offset)
		if !found {
			k--
		}
		if k < 0 || b.live[k].freed || offset+len(p) > b.live[k].at.at+b.live[k].at.n {
			b.unpin(pinned)
			return nil, nil, ErrFreed
		}
		b.live[k].users++
		pinned = append(pinned, b.live[k])
		if offset%Align > 0 {
			continue // it is copied, but must not change place meanwhile
		}
		if at == nil {
			at = slices.Repeat([]int64{-1}, len(parts))
		}
		at[i] = int64(offset)
	}
	if pinned == nil {
		return nil, nothing, nil
	}
	return at, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.unpin(pinned)
	}, nil
}

func nothing() {}

// offset returns where p is in the memory. b.mu is held.
func (b *Buffers) offset(p []byte) (int, bool) {
	if len(b.mem) == 0 || len(p) == 0 {
		return 0, false
	}
	at := uintptr(unsafe.Pointer(unsafe.SliceData(p))) - uintptr(unsafe.Pointer(unsafe.SliceData(b.mem))) // neither moves
	return int(at), at < uintptr(len(b.mem))
}

// unpin is what Pin's is. b.mu is held.
func (b *Buffers) unpin(pinned []*Buffer) {
	for _, u := range pinned {
		if u.users--; u.users == 0 && u.freed {
			b.drop(u)
		}
	}
}

// Close hands out no more. The memory is unmapped when the last buffer has been freed.
func (b *Buffers) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	b.unmap()
	if b.file == nil {
		return nil
	}
	return b.file.Close()
}

// unmap unmaps the memory if nothing can be in it any more. b.mu is held.
func (b *Buffers) unmap() {
	if b.closed && len(b.live) == 0 && b.mem != nil {
		_ = unmap(b.mem) // unmapping what was mapped does not fail
		b.mem = nil
	}
}
