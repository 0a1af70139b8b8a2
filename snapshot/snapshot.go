package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Limits of what a snapshot holds besides its memory.
const (
	MaxGlobals   = 1 << 16
	MaxMetaBytes = 16 << 20
)

// A Digest is a SHA-256.
type Digest [sha256.Size]byte

// String returns d in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// A Snapshot is the state of a quiescent guest: linear memory, globals, and what
// the embedder wants to know of it (Meta). It is immutable and safe for
// concurrent use.
//
// A snapshot is either whole or a delta: the pages that differ from the memory
// of another snapshot, its base, which whoever wants the memory must have.
type Snapshot struct {
	header  header
	globals []uint64
	meta    []byte
	runs    []pageRun
	digest  Digest
	blocks  atomic.Pointer[[][]byte] // stored pages, blockBytes in each but the last; nil when closed
}

// Info is what a snapshot says of itself.
type Info struct {
	Format      int    // version of the format that it was read from or would be written in
	Runtime     Digest // the module that it belongs to
	Base        Digest // the snapshot that it is a delta of, zero if it is whole
	MemoryBytes int64  // length of the linear memory
	StoredBytes int64  // length of the pages that are neither zero nor in the base
}

// Params are what a snapshot is made of.
type Params struct {
	// Runtime identifies the module that the memory belongs to.
	Runtime Digest

	// Memory is the linear memory. Its length is a multiple of WasmPageSize.
	Memory []byte

	// Base and BaseMemory make the snapshot a delta: the digest of another
	// snapshot and its memory, which must not be longer than Memory. Both empty
	// for a whole snapshot.
	Base       Digest
	BaseMemory []byte

	// Changed, if not nil, are the pages of Memory that can differ from
	// BaseMemory or, behind its end, from zero, ascending and in units of
	// PageSize, as [Memory.AppendChanged] returns them. It saves New a look at
	// the others.
	Changed []int32

	// Globals are the values of the mutable globals as bits.
	Globals []uint64

	// Meta is data of the embedder, at most MaxMetaBytes.
	Meta []byte
}

// New makes a snapshot. It copies what it keeps.
func New(p Params) (*Snapshot, error) {
	delta := p.Base != Digest{}
	var errs []error
	if n := int64(len(p.Memory)); n%WasmPageSize != 0 || n > MaxMemoryBytes {
		errs = append(errs, fmt.Errorf("snapshot: memory of %d bytes: the length must be a multiple of %d and at most %d", n, WasmPageSize, int64(MaxMemoryBytes)))
	}
	if delta != (len(p.BaseMemory) != 0) {
		errs = append(errs, errors.New("snapshot: a delta needs both the digest and the memory of its base"))
	}
	if len(p.BaseMemory) > len(p.Memory) || len(p.BaseMemory)%WasmPageSize != 0 {
		errs = append(errs, fmt.Errorf("snapshot: base memory of %d bytes, memory of %d", len(p.BaseMemory), len(p.Memory)))
	}
	for i, page := range p.Changed {
		if int64(page) >= int64(len(p.Memory)/PageSize) || page < 0 || i > 0 && page <= p.Changed[i-1] {
			errs = append(errs, fmt.Errorf("snapshot: changed page %d of %d pages: out of order or range", page, len(p.Memory)/PageSize))
			break
		}
	}
	if len(p.Globals) > MaxGlobals {
		errs = append(errs, fmt.Errorf("snapshot: %d globals: at most %d are supported", len(p.Globals), MaxGlobals))
	}
	if len(p.Meta) > MaxMetaBytes {
		errs = append(errs, fmt.Errorf("snapshot: %d bytes of meta data: at most %d are supported", len(p.Meta), MaxMetaBytes))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}

	s := &Snapshot{globals: slices.Clone(p.Globals), meta: bytes.Clone(p.Meta)}
	pages := 0
	for page := range p.candidates() {
		at := int(page) * PageSize
		if bytes.Equal(p.Memory[at:at+PageSize], pageOf(p.BaseMemory, int64(at))) {
			continue
		}
		if n := len(s.runs); n > 0 && s.runs[n-1].end() == page {
			s.runs[n-1].count++
		} else {
			s.runs = append(s.runs, pageRun{page, 1})
		}
		pages++
	}
	s.header = header{
		runtime:     p.Runtime,
		base:        p.Base,
		memoryBytes: uint64(len(p.Memory)),
		baseBytes:   uint64(len(p.BaseMemory)),
		globals:     uint32(len(p.Globals)),
		metaBytes:   uint32(len(p.Meta)),
		runs:        uint32(len(s.runs)),
		pages:       uint32(pages),
	}

	blocks := make([][]byte, s.header.blocks())
	for i := range blocks {
		blocks[i] = make([]byte, 0, s.header.blockLen(i))
	}
	i := 0
	for _, r := range s.runs {
		for from := p.Memory[r.offset() : r.offset()+r.bytes()]; len(from) > 0; {
			if len(blocks[i]) == cap(blocks[i]) {
				i++
			}
			n := min(len(from), cap(blocks[i])-len(blocks[i]))
			blocks[i] = append(blocks[i], from[:n]...)
			from = from[n:]
		}
	}
	hashes := make([]Digest, len(blocks))
	parallel(len(blocks), func(i int) { hashes[i] = sha256.Sum256(blocks[i]) })
	s.digest = s.contentDigest(hashes)
	s.header.digest = s.digest
	s.blocks.Store(&blocks)
	return s, nil
}

// candidates yields the pages that can differ from the base.
func (p *Params) candidates() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if p.Changed != nil {
			for _, page := range p.Changed {
				if !yield(uint32(page)) {
					return
				}
			}
			return
		}
		for page := range uint32(len(p.Memory) / PageSize) {
			if !yield(page) {
				return
			}
		}
	}
}

// contentDigest computes the digest of a snapshot from the digests of its
// blocks. Blocks are hashed by themselves so that all processors can take part.
func (s *Snapshot) contentDigest(blocks []Digest) Digest {
	h := sha256.New()
	h.Write([]byte(digestDomain))
	h.Write(s.header.appendContent(nil))
	h.Write(appendGlobals(nil, s.globals))
	h.Write(s.meta)
	h.Write(appendRuns(nil, s.runs))
	for i := range blocks {
		h.Write(blocks[i][:])
	}
	return Digest(h.Sum(nil))
}

// Digest identifies the contents of s: equal digests mean equal images. It does
// not depend on how, or whether, the snapshot is compressed. A snapshot from
// [ReadTrusted] has the digest that it claims; see [Snapshot.VerifyDigest].
func (s *Snapshot) Digest() Digest { return s.digest }

// VerifyDigest computes the digest of the contents and compares it with that
// which the snapshot claims. The error wraps [ErrCorrupt], or is [ErrClosed].
func (s *Snapshot) VerifyDigest() error {
	blocks := s.blocks.Load()
	if blocks == nil {
		return ErrClosed
	}
	hashes := make([]Digest, len(*blocks))
	parallel(len(hashes), func(i int) { hashes[i] = sha256.Sum256((*blocks)[i]) })
	if s.contentDigest(hashes) != s.digest {
		return fmt.Errorf("%w: the contents do not have the digest %v", ErrCorrupt, s.digest)
	}
	return nil
}

// Info describes s.
func (s *Snapshot) Info() Info {
	return Info{
		Format:      formatVersion,
		Runtime:     s.header.runtime,
		Base:        s.header.base,
		MemoryBytes: int64(s.header.memoryBytes),
		StoredBytes: int64(s.header.pages) * PageSize,
	}
}

// Globals returns a copy of the values of the globals.
func (s *Snapshot) Globals() []uint64 { return slices.Clone(s.globals) }

// Meta returns a copy of the embedder's data.
func (s *Snapshot) Meta() []byte { return bytes.Clone(s.meta) }

// Memory returns the linear memory in a new slice of Info().MemoryBytes bytes,
// which may be 4 GiB although few of them are stored: compare it with what you
// are willing to spend. base is the memory of the snapshot with the digest
// Info().Base, and empty if that is zero; only its length is checked. The error
// is [ErrClosed], or says that the length of base is wrong.
func (s *Snapshot) Memory(base []byte) ([]byte, error) {
	blocks, err := s.load(base)
	if err != nil {
		return nil, err
	}
	if s.header.memoryBytes > math.MaxInt {
		return nil, fmt.Errorf("snapshot: memory of %d bytes is too long for this machine", s.header.memoryBytes)
	}
	mem := make([]byte, s.header.memoryBytes)
	copy(mem, base)
	for at, b := range s.stored(blocks) {
		copy(mem[at:], b)
	}
	return mem, nil
}

// Close lets go of the memory. Methods that need it then return [ErrClosed]. It
// is idempotent and always returns nil; a snapshot that is not closed is left to
// the garbage collector.
func (s *Snapshot) Close() error {
	s.blocks.Store(nil)
	return nil
}

// A pageRun is a run of stored pages.
type pageRun struct{ start, count uint32 }

func (r pageRun) end() uint32   { return r.start + r.count }
func (r pageRun) offset() int64 { return int64(r.start) * PageSize }
func (r pageRun) bytes() int64  { return int64(r.count) * PageSize }

// appendGlobals appends the encoding of the globals section.
func appendGlobals(b []byte, globals []uint64) []byte {
	for _, v := range globals {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

// appendRuns appends the encoding of the runs section.
func appendRuns(b []byte, runs []pageRun) []byte {
	for _, r := range runs {
		b = binary.LittleEndian.AppendUint32(b, r.start)
		b = binary.LittleEndian.AppendUint32(b, r.count)
	}
	return b
}

// parallel calls f for 0 … n−1 on as many goroutines as there are processors,
// and returns when all are done.
func parallel(n int, f func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
