package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
)

const (
	// PageSize is the granularity in bytes of deltas and of [Memory.AppendChanged].
	PageSize = 4096

	// WasmPageSize is the size in bytes of a WebAssembly page, of which the
	// lengths of all memories are multiples.
	WasmPageSize = 65536

	// MaxMemoryBytes is the length that no linear memory exceeds: 4 GiB.
	MaxMemoryBytes = 1 << 32
)

var (
	// ErrTooMany is returned by [NewImage], [Image.NewMemory] and [NewSlab] when
	// the process has so many memories that the kernel's limit on mappings
	// (vm.max_map_count) is near. The Go runtime cannot go on without mappings,
	// so the last eighth is left to it. Close memories, or raise the limit.
	ErrTooMany = errors.New("snapshot: too many memories")

	// ErrClosed is returned by methods of what has been closed.
	ErrClosed = errors.New("snapshot: closed")

	// ErrEntered is returned by methods of a [Memory] that must not be called
	// between Enter and Leave.
	ErrEntered = errors.New("snapshot: memory is in use")
)

// An Image is the immutable memory of a quiescent guest, from which Memories
// start copy-on-write. It is safe for concurrent use.
type Image struct {
	size int64 // len of the image
	max  int64 // len that a memory may have

	mu      sync.Mutex
	backing imageBacking // guarded by mu; nil once released
	refs    int          // guarded by mu; one for the Image itself, one for each Memory
	closed  bool         // guarded by mu
	view    []byte       // guarded by mu; nil when closed
}

// imageBacking is where the bytes of an image are.
type imageBacking interface {
	// bytes returns the image. It is read-only.
	bytes() []byte
	// newMemory returns a memory that holds the image.
	newMemory() (memoryBacking, error)
	// close releases the image. No memory of it is left.
	close() error
}

// memoryBacking is where the bytes of a memory are. Its methods are called by
// one goroutine at a time.
type memoryBacking interface {
	// bytes returns the memory in the full length to which it can grow. The
	// address never changes.
	bytes() []byte
	// enter and leave bracket everything that writes to the memory.
	enter()
	leave()
	// reset restores the image. This and the next two methods are not called
	// between enter and leave, and no byte behind extent was ever accessible.
	reset(extent int64) error
	// private returns the number of private pages.
	private(extent int64) int
	// candidates returns the ranges, ascending, outside of which every byte
	// equals the image. They are valid until the next call of a method and may
	// end behind extent.
	candidates(extent int64) []run
	// close releases the memory.
	close() error
}

// A run is a range of bytes that starts and ends at page boundaries.
type run struct{ start, end int }

// NewImage makes an image of mem, which is copied; pages of zeros take no room.
// The length of mem must be a multiple of [WasmPageSize] and not zero. A Memory
// of the image may grow to max bytes, which is rounded down to such a multiple
// and must be at least len(mem) and at most [MaxMemoryBytes]. Besides
// [ErrTooMany], the error may be one of the operating system.
func NewImage(mem []byte, max int64) (*Image, error) { return makeImage(contentsOf(mem), max) }

// makeImage makes an image of its contents.
func makeImage(c contents, max int64) (*Image, error) {
	max -= max % WasmPageSize
	switch size := c.size; {
	case size == 0 || size%WasmPageSize != 0:
		return nil, fmt.Errorf("snapshot: image of %d bytes: the length must be a multiple of %d", size, WasmPageSize)
	case max < size || max > MaxMemoryBytes || max > math.MaxInt:
		return nil, fmt.Errorf("snapshot: image of %d bytes that may grow to %d: the limit must lie between the length and %d", size, max, int64(MaxMemoryBytes))
	}
	b, err := newImageBacking(c, max)
	if err != nil {
		return nil, err
	}
	return newImage(b, c.size, max), nil
}

// newImage makes an image of its backing.
func newImage(b imageBacking, size, max int64) *Image {
	return &Image{size: size, max: max, backing: b, refs: 1, view: b.bytes()}
}

// Bytes returns the image. It is read-only (on Linux a write ends the process)
// and valid until Close, after which Bytes returns nil.
func (i *Image) Bytes() []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.view
}

// Len returns the length of the image in bytes.
func (i *Image) Len() int64 { return i.size }

// Max returns the length in bytes to which a Memory of the image may grow.
func (i *Image) Max() int64 { return i.max }

// NewMemory returns a new memory that holds the image. The error may be
// [ErrTooMany], [ErrClosed] or one of the operating system.
func (i *Image) NewMemory() (*Memory, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return nil, ErrClosed
	}
	b, err := i.backing.newMemory()
	if err != nil {
		return nil, err
	}
	i.refs++
	return &Memory{image: i, source: i.view, backing: b, buf: b.bytes(), size: i.size, extent: i.size}, nil
}

// Close releases the image once its last Memory is closed: memories that there
// are stay usable. Close is idempotent.
func (i *Image) Close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return nil
	}
	i.closed = true
	i.view = nil
	return i.unref()
}

// unref gives up one reference. i.mu is held.
func (i *Image) unref() error {
	i.refs--
	if i.refs > 0 {
		return nil
	}
	b := i.backing
	i.backing = nil
	return b.close()
}

// A Memory is one guest's linear memory. One goroutine at a time may use it.
//
// Everything that writes to the memory, guest or host, must happen between
// Enter and Leave and on the goroutine that called Enter, because it is from the
// page faults of that thread that Reset knows what there is to restore. A write
// by another goroutine, or by the kernel on behalf of asynchronous I/O, may
// survive a Reset.
type Memory struct {
	image   *Image
	source  []byte // bytes of the image
	backing memoryBacking
	buf     []byte // everything to which the memory can grow
	size    int64  // current length
	extent  int64  // greatest length that the memory ever had
	entered bool
	closed  bool
}

// Image returns the image that the memory starts from.
func (m *Memory) Image() *Image { return m.image }

// Bytes returns the memory at its current length. The address is the same for
// life, and the slice is valid until Close, but only Bytes knows the length after
// a Grow or Reset: what lies behind it must not be written to.
func (m *Memory) Bytes() []byte {
	if m.closed {
		return nil
	}
	return m.buf[:m.size:m.size]
}

// Grow extends the memory to size bytes, which are zero behind the old length,
// and returns it. It returns false, and changes nothing, if size is less than
// the current length, above [Image.Max] or no multiple of [WasmPageSize]. It is
// allowed between Enter and Leave.
func (m *Memory) Grow(size int64) ([]byte, bool) {
	if m.closed || size < m.size || size > int64(len(m.buf)) || size%WasmPageSize != 0 {
		return nil, false
	}
	m.size = size
	m.extent = max(m.extent, size)
	return m.Bytes(), true
}

// Enter must be called before guest code runs in the memory, or the host
// writes to it. It locks the goroutine to its thread until Leave.
//
// A goroutine that is locked to its thread must not switch to one that is not
// within [iter.Pull]: the Go runtime throws. Code that yields to a consumer in
// this way calls Leave before and Enter after it. That may be done as often
// as one likes, since Leave adds to what earlier ones noted.
//
// Enter panics if the memory is entered already or closed, which is a mistake
// that would let one guest see what another has written.
func (m *Memory) Enter() {
	if m.entered || m.closed {
		panic("snapshot: Enter of a memory that is entered or closed")
	}
	m.entered = true
	runtime.LockOSThread()
	m.backing.enter()
}

// Leave ends what Enter began, on the same goroutine, and notes whether a page
// may have become private meanwhile. It panics if the memory is not entered.
func (m *Memory) Leave() {
	if !m.entered {
		panic("snapshot: Leave of a memory that is not entered")
	}
	m.backing.leave()
	runtime.UnlockOSThread()
	m.entered = false
}

// Reset takes the memory back to the image, in all its bytes and its length. It
// is for after a run rather than before the next one, when someone waits. The
// error is [ErrEntered], [ErrClosed] or one of the operating system; after the
// latter the contents are undefined, and the memory should be closed.
func (m *Memory) Reset() error {
	if err := m.idle(); err != nil {
		return err
	}
	if err := m.backing.reset(m.extent); err != nil {
		return fmt.Errorf("snapshot: reset: %w", err)
	}
	m.size = m.image.size
	return nil
}

// Private returns the number of pages of the operating system of which the
// memory has a copy of its own. It is what the memory costs beyond its image,
// and includes pages that were written to in earlier runs. Where pages are not
// shared, it is the number of pages that the last Reset had to restore.
func (m *Memory) Private() int {
	if m.idle() != nil {
		return 0
	}
	return m.backing.private(m.extent)
}

// AppendChanged appends to dst the indices, ascending, of the pages of
// [PageSize] bytes that differ from the image, where the image counts as zero
// behind its end, and returns the extended slice. It is cheap: only private
// pages are looked at. The error is [ErrEntered] or [ErrClosed].
func (m *Memory) AppendChanged(dst []int32) ([]int32, error) {
	if err := m.idle(); err != nil {
		return dst, err
	}
	for _, r := range m.backing.candidates(m.extent) {
		for at, end := int64(r.start), min(int64(r.end), m.extent); at < end; at += PageSize {
			if !bytes.Equal(m.buf[at:at+PageSize], pageOf(m.source, at)) {
				dst = append(dst, int32(at/PageSize))
			}
		}
	}
	return dst, nil
}

// Verify compares every byte that a guest could ever reach, and the length, with
// the image. It is for tests: it takes time in proportion to the size. The
// error says how many bytes differ, and where the first one is.
func (m *Memory) Verify() error {
	if err := m.idle(); err != nil {
		return err
	}
	if m.size != m.image.size {
		return fmt.Errorf("snapshot: memory of %d bytes, image of %d", m.size, m.image.size)
	}
	first, n := int64(-1), 0
	for at := int64(0); at < m.extent; at += PageSize {
		got, want := m.buf[at:at+PageSize], pageOf(m.source, at)
		if bytes.Equal(got, want) {
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				if n++; first < 0 {
					first = at + int64(i)
				}
			}
		}
	}
	if n > 0 {
		return fmt.Errorf("snapshot: %d bytes differ from the image, the first at %#x", n, first)
	}
	return nil
}

// Close releases the memory. Nothing may use its bytes any more: an access ends
// the process. It is idempotent, and fails with [ErrEntered], changing nothing,
// between Enter and Leave.
func (m *Memory) Close() error {
	if m.entered {
		return ErrEntered
	}
	if m.closed {
		return nil
	}
	m.closed = true
	m.buf, m.source = nil, nil
	err := m.backing.close()
	m.image.mu.Lock()
	defer m.image.mu.Unlock()
	return errors.Join(err, m.image.unref())
}

// idle returns an error unless the memory is open and not entered.
func (m *Memory) idle() error {
	switch {
	case m.closed:
		return ErrClosed
	case m.entered:
		return ErrEntered
	}
	return nil
}
