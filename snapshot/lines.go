package snapshot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// What a memory differs in from its image is kept as lines: the 64 bytes that
// processors call a cache line. A small call writes to some tens of pages, but
// only to two or three lines in each. FORMAT.md specifies the encoding.
const (
	lineBytes   = 64
	pageLines   = PageSize / lineBytes // as many as a bitmap has bits
	linesHeader = 4                    // length of the memory in WebAssembly pages
	pageHeader  = 4 + 8                // number of a page, bitmap of its lines
)

// AppendDelta appends to dst what the memory differs in from its image, in lines
// of 64 bytes, and its length, and returns the extended slice. Equal memories of
// one image have equal lines. It is cheap: only private pages are looked at, and
// nothing is allocated if dst has room. The error is [ErrEntered] or [ErrClosed].
func (m *Memory) AppendDelta(dst []byte) ([]byte, error) {
	if err := m.idle(); err != nil {
		return dst, err
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(m.size/WasmPageSize))
	for _, r := range m.backing.candidates(m.extent) {
		// Between the length and the extent everything equals the image.
		for at, end := int64(r.start), min(int64(r.end), m.size); at < end; at += PageSize {
			dst = appendLines(dst, at, m.buf[at:at+PageSize], pageOf(m.source, at))
		}
	}
	return dst, nil
}

// appendLines appends the lines in which a page, at offset at of its memory,
// differs from the image.
func appendLines(dst []byte, at int64, page, image []byte) []byte {
	bitmap := differingLines(page, image)
	if bitmap == 0 {
		return dst
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(at/PageSize))
	dst = binary.LittleEndian.AppendUint64(dst, bitmap)
	for bitmap != 0 {
		var start, end int
		start, end, bitmap = nextLines(bitmap)
		dst = append(dst, page[start:end]...)
	}
	return dst
}

// differingLines returns the bitmap of the lines in which two pages differ, the
// first line being the lowest bit. Most lines of a page that differs are equal,
// so groups of them are compared first, with the vector instructions that
// bytes.Equal has and that lines are too short for.
func differingLines(page, image []byte) (bitmap uint64) {
	const group = 8 * lineBytes
	for g := 0; g < PageSize; g += group {
		a, b := page[g:g+group], image[g:g+group]
		if bytes.Equal(a, b) {
			continue
		}
		for i := 0; i < group; i += lineBytes {
			bitmap |= differ((*[lineBytes]byte)(a[i:]), (*[lineBytes]byte)(b[i:])) << ((g + i) / lineBytes)
		}
	}
	return bitmap
}

// differ returns 1 if two lines differ and 0 if not, without a branch, which
// would be one that no processor predicts.
func differ(a, b *[lineBytes]byte) uint64 {
	ne := binary.NativeEndian
	x := (ne.Uint64(a[0:]) ^ ne.Uint64(b[0:])) | (ne.Uint64(a[8:]) ^ ne.Uint64(b[8:])) |
		(ne.Uint64(a[16:]) ^ ne.Uint64(b[16:])) | (ne.Uint64(a[24:]) ^ ne.Uint64(b[24:])) |
		(ne.Uint64(a[32:]) ^ ne.Uint64(b[32:])) | (ne.Uint64(a[40:]) ^ ne.Uint64(b[40:])) |
		(ne.Uint64(a[48:]) ^ ne.Uint64(b[48:])) | (ne.Uint64(a[56:]) ^ ne.Uint64(b[56:]))
	return (x | -x) >> 63
}

// nextLines returns where in the page the first lines of a bitmap are that lie
// side by side, in bytes, and the bitmap without them. The bitmap is not zero.
func nextLines(bitmap uint64) (start, end int, rest uint64) {
	first := bits.TrailingZeros64(bitmap)
	n := bits.TrailingZeros64(^(bitmap >> first))
	// A shift by 64, if all bits are set, is zero in Go.
	return first * lineBytes, (first + n) * lineBytes, bitmap &^ ((1<<n - 1) << first)
}

// ApplyDelta brings a memory that equals its image to the state that lines
// describe, which [Memory.AppendDelta] returned for a memory of an image with the
// same contents; the length becomes that of the other memory. It writes, so it
// must be called between Enter and Leave, by the goroutine that entered, and
// panics otherwise.
//
// An error wraps [ErrCorrupt] and means that no memory of this image has such
// lines, or only one that is longer than [Image.Max]. Nothing was written then.
// A memory that does not equal its image becomes a mixture; Reset it first.
func (m *Memory) ApplyDelta(lines []byte) error {
	if !m.entered {
		panic("snapshot: ApplyDelta to a memory that is not entered")
	}
	size, err := checkLines(lines)
	if err != nil {
		return err
	}
	if _, ok := m.Grow(size); !ok {
		return fmt.Errorf("%w: lines of a memory of %d bytes, which cannot become of one of %d that may grow to %d", ErrCorrupt, size, m.size, m.image.max)
	}
	for lines = lines[linesHeader:]; len(lines) > 0; {
		at := int64(binary.LittleEndian.Uint32(lines)) * PageSize
		bitmap := binary.LittleEndian.Uint64(lines[4:])
		lines = lines[pageHeader:]
		page := m.buf[at : at+PageSize]
		for bitmap != 0 {
			var start, end int
			start, end, bitmap = nextLines(bitmap)
			lines = lines[copy(page[start:end], lines):]
		}
	}
	return nil
}

// checkLines checks that lines are well-formed and returns the length in bytes of
// the memory that they belong to, which all their pages lie in. The error wraps
// ErrCorrupt and says at which offset of lines something is wrong.
func checkLines(lines []byte) (size int64, err error) {
	if len(lines) < linesHeader {
		return 0, fmt.Errorf("%w: lines end at offset %d", ErrCorrupt, len(lines))
	}
	wasmPages := binary.LittleEndian.Uint32(lines)
	if wasmPages == 0 || wasmPages > MaxMemoryBytes/WasmPageSize {
		return 0, fmt.Errorf("%w: lines of a memory of %d WebAssembly pages", ErrCorrupt, wasmPages)
	}
	size = int64(wasmPages) * WasmPageSize
	least := uint64(0) // that the next page may have as its number
	for at := linesHeader; at < len(lines); {
		b := lines[at:]
		if len(b) < pageHeader {
			return 0, fmt.Errorf("%w: lines end at offset %d", ErrCorrupt, len(lines))
		}
		page, bitmap := uint64(binary.LittleEndian.Uint32(b)), binary.LittleEndian.Uint64(b[4:])
		n := pageHeader + bits.OnesCount64(bitmap)*lineBytes
		switch {
		case page < least || page >= uint64(size/PageSize):
			return 0, fmt.Errorf("%w: lines of page %d, out of order or range, at offset %d", ErrCorrupt, page, at)
		case bitmap == 0:
			return 0, fmt.Errorf("%w: page without lines at offset %d", ErrCorrupt, at)
		case len(b) < n:
			return 0, fmt.Errorf("%w: lines end at offset %d", ErrCorrupt, len(lines))
		}
		least = page + 1
		at += n
	}
	return size, nil
}
