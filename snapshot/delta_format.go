package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// ErrTooLarge is returned by [ReadDelta] and [ParseDelta] when a delta is larger
// than the caller allows.
var ErrTooLarge = errors.New("snapshot: too large")

// The format of deltas; FORMAT.md says what it is and why.
const (
	deltaMagic   = "\x89SPDLT\r\n"
	deltaVersion = 1
	deltaDomain  = "spore delta content v1\n"

	deltaHeaderBytes  = 128
	deltaContentStart = 12 // what the digest covers of the header
	deltaContentEnd   = 92

	// maxLineBytes is the length of the lines of a memory of MaxMemoryBytes of
	// which every line has changed.
	maxLineBytes = linesHeader + MaxMemoryBytes/PageSize*(pageHeader+PageSize)
)

// deltaHeader is the fixed part of a delta.
type deltaHeader struct {
	runtime, base      Digest
	globals, metaBytes uint32
	lineBytes          uint64
	digest             Digest
}

// contentBytes returns the length of the contents.
func (h *deltaHeader) contentBytes() uint64 {
	return 8*uint64(h.globals) + uint64(h.metaBytes) + h.lineBytes
}

// blocks returns the number of blocks.
func (h *deltaHeader) blocks() int { return int((h.contentBytes() + blockBytes - 1) / blockBytes) }

// appendContent appends the part of the header that the digest covers.
func (h *deltaHeader) appendContent(b []byte) []byte {
	b = append(b, h.runtime[:]...)
	b = append(b, h.base[:]...)
	b = binary.LittleEndian.AppendUint32(b, h.globals)
	b = binary.LittleEndian.AppendUint32(b, h.metaBytes)
	return binary.LittleEndian.AppendUint64(b, h.lineBytes)
}

// append appends the header with its checksum.
func (h *deltaHeader) append(b []byte) []byte {
	start := len(b)
	b = append(b, deltaMagic...)
	b = binary.LittleEndian.AppendUint32(b, deltaVersion)
	b = h.appendContent(b)
	b = append(b, h.digest[:]...)
	return binary.LittleEndian.AppendUint32(b, checksum(b[start:]))
}

// parse reads and checks a header of deltaHeaderBytes bytes with the right magic.
func (h *deltaHeader) parse(b []byte) error {
	le := binary.LittleEndian
	if v := le.Uint32(b[8:]); v != deltaVersion {
		return fmt.Errorf("%w: %d at offset 8, this package reads %d", ErrVersion, v, deltaVersion)
	}
	if le.Uint32(b[deltaHeaderBytes-4:]) != checksum(b[:deltaHeaderBytes-4]) {
		return fmt.Errorf("%w: header does not match its checksum at offset %d", ErrCorrupt, deltaHeaderBytes-4)
	}
	*h = deltaHeader{
		runtime:   Digest(b[12:44]),
		base:      Digest(b[44:76]),
		globals:   le.Uint32(b[76:]),
		metaBytes: le.Uint32(b[80:]),
		lineBytes: le.Uint64(b[84:]),
		digest:    Digest(b[92:124]),
	}
	reason, offset := "", 0
	switch {
	case h.base == Digest{}:
		reason, offset = "base", 44
	case h.globals > MaxGlobals:
		reason, offset = "number of globals", 76
	case h.metaBytes > MaxMetaBytes:
		reason, offset = "length of the meta data", 80
	case h.lineBytes < linesHeader || h.lineBytes > maxLineBytes:
		reason, offset = "length of the lines", 84
	default:
		return nil
	}
	return fmt.Errorf("%w: impossible %s at offset %d", ErrCorrupt, reason, offset)
}

// WriteTo writes d, compressed where that makes it smaller. It implements
// [io.WriterTo]. Two deltas with the same digest are written as the same bytes by
// the same version of this module.
func (d *Delta) WriteTo(w io.Writer) (int64, error) { return d.write(w, true) }

// MarshalBinary returns what WriteTo writes. It implements
// [encoding.BinaryMarshaler] and always succeeds; see [ParseDelta].
func (d *Delta) MarshalBinary() ([]byte, error) {
	var b bytes.Buffer
	b.Grow(deltaHeaderBytes + 8 + min(len(d.content), 4096))
	_, err := d.write(&b, true)
	return b.Bytes(), err
}

func (d *Delta) write(w io.Writer, compress bool) (written int64, err error) {
	put := func(b []byte) error {
		n, err := w.Write(b)
		written += int64(n)
		return err
	}
	if err := put(d.header.append(make([]byte, 0, deltaHeaderBytes))); err != nil {
		return written, err
	}
	err = writeBlocks(put, d.blocks(), compress)
	return written, err
}

// ReadDelta reads a delta, and nothing behind it, and verifies its checksums, its
// digest and the form of its lines. It checks integrity, not origin: authenticate
// deltas that cross a trust boundary. Whether the lines fit an image is for
// [Memory.ApplyDelta] to say.
//
// A delta whose contents, before compression, are longer than maxBytes is
// refused with [ErrTooLarge] before anything is allocated for them. Other errors
// wrap [ErrFormat], [ErrVersion] or [ErrCorrupt], except those of r itself.
func ReadDelta(r io.Reader, maxBytes int64) (*Delta, error) {
	in := &input{r: r}
	b := make([]byte, deltaHeaderBytes)
	if err := in.header(b, deltaMagic); err != nil {
		return nil, err
	}
	d := new(Delta)
	if err := d.header.parse(b); err != nil {
		return nil, err
	}
	n := d.header.contentBytes()
	if limit := max(0, min(maxBytes, math.MaxInt)); n > uint64(limit) {
		return nil, fmt.Errorf("%w: a delta of %d bytes, at most %d are allowed", ErrTooLarge, n, limit)
	}
	d.content = make([]byte, n)
	blocks := d.blocks()
	hashes, err := in.blocks(blocks, func(i int) int { return len(blocks[i]) }, true)
	if err != nil {
		return nil, err
	}
	if d.contentDigest(hashes) != d.header.digest {
		return nil, fmt.Errorf("%w: the contents do not have the digest at offset %d", ErrCorrupt, deltaContentEnd)
	}
	if d.size, err = checkLines(d.Lines()); err != nil {
		return nil, err
	}
	return d, nil
}

// ParseDelta is like [ReadDelta] of b, behind whose delta there must be nothing.
func ParseDelta(b []byte, maxBytes int64) (*Delta, error) {
	r := bytes.NewReader(b)
	d, err := ReadDelta(r, maxBytes)
	if err != nil {
		return nil, err
	}
	if r.Len() > 0 {
		return nil, fmt.Errorf("%w: %d bytes behind the end of the delta", ErrCorrupt, r.Len())
	}
	return d, nil
}
