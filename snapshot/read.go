package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
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

// header fills b with a header that starts with magic. What does not start like
// that is not damaged but something else.
func (in *input) header(b []byte, magic string) error {
	if err := in.fill(b[:len(magic)], "magic"); err != nil {
		if errors.Is(err, ErrCorrupt) {
			err = fmt.Errorf("%w: ends at offset %d", ErrFormat, in.offset)
		}
		return err
	}
	if string(b[:len(magic)]) != magic {
		return fmt.Errorf("%w: wrong magic at offset 0", ErrFormat)
	}
	return in.fill(b[len(magic):], "header")
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

	b := make([]byte, headerBytes)
	if err := in.header(b, formatMagic); err != nil {
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
	blocks := make([][]byte, h.blocks())
	hashes, err := in.blocks(blocks, h.blockLen, verify)
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
