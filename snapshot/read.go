package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
)

// Read reads a snapshot, and nothing behind it, and verifies its checksums and
// its digest. It checks integrity, not origin: authenticate snapshots that cross
// a trust boundary, for instance by their digest.
//
// Read allocates in proportion to what it has received, at most the length of
// the memory that the snapshot states. Errors wrap [ErrFormat], [ErrVersion] or
// [ErrCorrupt], except those of r itself.
func Read(r io.Reader) (*Snapshot, error) { return read(r, true) }

// ReadTrusted is like [Read] but takes the digest from the snapshot without
// computing it, which is most of the time that it takes to read one that is not
// compressed. Checksums still detect accidents. It is for files that nobody but
// this program could have written.
func ReadTrusted(r io.Reader) (*Snapshot, error) { return read(r, false) }

// Open reads the snapshot in the named file with [Read]. There must be nothing
// behind it. The file is not needed any more afterwards.
func Open(path string) (_ *Snapshot, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if n, err := f.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		if n == 0 {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w: data behind the end of the snapshot", path, ErrCorrupt)
	}
	return s, nil
}

// input reads the parts of a snapshot.
type input struct {
	r      io.Reader
	offset int64
}

// fill fills b. An end of the input in it is an ErrCorrupt that names part.
func (in *input) fill(b []byte, part string) error {
	n, err := io.ReadFull(in.r, b)
	in.offset += int64(n)
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %s ends at offset %d: %w", ErrCorrupt, part, in.offset, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return fmt.Errorf("snapshot: %s at offset %d: %w", part, in.offset, err)
	}
	return nil
}

// section reads a section of n bytes and its checksum. Memory is allocated in
// steps, as the bytes arrive.
func (in *input) section(n int, part string) ([]byte, error) {
	const step = 1 << 20
	b := make([]byte, 0, min(n+4, step))
	for len(b) < n+4 {
		at := len(b)
		b = append(b, make([]byte, min(n+4-at, step))...)
		if err := in.fill(b[at:], part); err != nil {
			return nil, err
		}
	}
	b, sum := b[:n:n], b[n:]
	if checksum(b) != binary.LittleEndian.Uint32(sum) {
		return nil, fmt.Errorf("%w: %s does not match its checksum at offset %d", ErrCorrupt, part, in.offset-4)
	}
	return b, nil
}

func read(r io.Reader, verify bool) (*Snapshot, error) {
	in := &input{r: r}
	s := new(Snapshot)

	// What does not start like a snapshot is not a damaged one.
	b := make([]byte, headerBytes)
	if err := in.fill(b[:len(formatMagic)], "magic"); err != nil {
		if errors.Is(err, ErrCorrupt) {
			err = fmt.Errorf("%w: ends at offset %d", ErrFormat, in.offset)
		}
		return nil, err
	}
	if string(b[:len(formatMagic)]) != formatMagic {
		return nil, fmt.Errorf("%w: wrong magic at offset 0", ErrFormat)
	}
	if err := in.fill(b[len(formatMagic):], "header"); err != nil {
		return nil, err
	}
	if err := s.header.parse(b); err != nil {
		return nil, err
	}
	h := &s.header
	s.digest = h.digest

	globals, err := in.section(int(h.globals)*8, "globals")
	if err != nil {
		return nil, err
	}
	for ; len(globals) > 0; globals = globals[8:] {
		s.globals = append(s.globals, binary.LittleEndian.Uint64(globals))
	}
	if s.meta, err = in.section(int(h.metaBytes), "meta data"); err != nil {
		return nil, err
	}
	runsAt := in.offset
	runs, err := in.section(int(h.runs)*8, "runs")
	if err != nil {
		return nil, err
	}
	if err := s.parseRuns(runs, runsAt); err != nil {
		return nil, err
	}
	blocks, hashes, err := s.readBlocks(in, verify)
	if err != nil {
		return nil, err
	}
	if verify && s.contentDigest(hashes) != h.digest {
		return nil, fmt.Errorf("%w: the contents do not have the digest at offset %d", ErrCorrupt, contentEnd)
	}
	s.blocks.Store(&blocks)
	return s, nil
}

// parseRuns decodes the runs, which start at offset: ascending, with a gap
// between them, inside the memory, and as long as the header says.
func (s *Snapshot) parseRuns(b []byte, offset int64) error {
	last, pages := uint64(0), uint64(0)
	for i := 0; i < len(b); i += 8 {
		r := pageRun{binary.LittleEndian.Uint32(b[i:]), binary.LittleEndian.Uint32(b[i+4:])}
		end := uint64(r.start) + uint64(r.count)
		if r.count == 0 || i > 0 && uint64(r.start) <= last || end > s.header.memoryBytes/PageSize {
			return fmt.Errorf("%w: impossible run at offset %d", ErrCorrupt, offset+int64(i))
		}
		last = end
		pages += uint64(r.count)
		s.runs = append(s.runs, r)
	}
	if pages != uint64(s.header.pages) {
		return fmt.Errorf("%w: runs of %d pages at offset %d, %d announced", ErrCorrupt, pages, offset, s.header.pages)
	}
	return nil
}

// readBlocks reads the pages. While the next block is read, goroutines check,
// expand and (if verify is set) hash the ones before it.
func (s *Snapshot) readBlocks(in *input, verify bool) (blocks [][]byte, hashes []Digest, err error) {
	n := s.header.blocks() // at most 4096, which the header's limits see to
	blocks, hashes = make([][]byte, n), make([]Digest, n)
	errs := make([]error, n) // goroutine i writes to the i-th of each
	var failed atomic.Bool
	var wg sync.WaitGroup
	slots := make(chan struct{}, 2*runtime.GOMAXPROCS(0))
	for i := 0; i < n && !failed.Load(); i++ {
		var head [8]byte
		if err = in.fill(head[:], "block"); err != nil {
			break
		}
		size, sum := binary.LittleEndian.Uint32(head[:]), binary.LittleEndian.Uint32(head[4:])
		length := s.header.blockLen(i)
		if uint64(size) > uint64(length) {
			err = fmt.Errorf("%w: impossible length of a block at offset %d", ErrCorrupt, in.offset-8)
			break
		}
		at := in.offset
		data := make([]byte, size)
		if err = in.fill(data, "block"); err != nil {
			break
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			b, err := expand(data, length, sum)
			if err != nil {
				errs[i] = fmt.Errorf("%w: block at offset %d: %w", ErrCorrupt, at, err)
				failed.Store(true)
				return
			}
			if verify {
				hashes[i] = sha256.Sum256(b)
			}
			blocks[i] = b
		})
	}
	wg.Wait()
	// A block that is corrupt comes before the one that could not be read.
	for _, e := range errs {
		if e != nil {
			return nil, nil, e
		}
	}
	return blocks, hashes, err
}

var errChecksum = errors.New("wrong checksum")

// expand checks the bytes of a block and returns its length bytes, which are the
// bytes themselves if they are so many.
func expand(data []byte, length int, sum uint32) ([]byte, error) {
	if checksum(data) != sum {
		return nil, errChecksum
	}
	if len(data) == length {
		return data, nil
	}
	b, err := decoder().DecodeAll(data, make([]byte, 0, length))
	if err != nil {
		return nil, err
	}
	if len(b) != length {
		return nil, fmt.Errorf("%d bytes, want %d", len(b), length)
	}
	return b, nil
}
