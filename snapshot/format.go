package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Errors returned by [Read], [ReadTrusted], [Open], [ReadDelta] and [ParseDelta],
// wrapped with what is wrong and at which offset. In the case of the last two,
// read "delta" for "snapshot".
var (
	// ErrFormat means that the input is not a snapshot at all.
	ErrFormat = errors.New("snapshot: not a snapshot")

	// ErrVersion means that it is one in a version of the format that this
	// package does not know. Use a newer version of the package.
	ErrVersion = errors.New("snapshot: unsupported format version")

	// ErrCorrupt means that it was damaged or truncated, or never was a valid
	// snapshot. Get it again from where it came from.
	ErrCorrupt = errors.New("snapshot: corrupt")
)

// The format; FORMAT.md says what it is and why.
const (
	formatMagic   = "\x89SPORE\r\n"
	formatVersion = 1
	digestDomain  = "spore snapshot content v1\n"

	headerBytes  = 148
	contentStart = 12 // what the digest covers of the header
	contentEnd   = 112

	blockPages = 256
	blockBytes = blockPages * PageSize
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// header is the fixed part of a snapshot.
type header struct {
	runtime, base          Digest
	memoryBytes, baseBytes uint64
	globals, metaBytes     uint32
	runs, pages            uint32
	digest                 Digest
}

// blocks returns the number of blocks.
func (h *header) blocks() int { return (int(h.pages) + blockPages - 1) / blockPages }

// blockLen returns the length of block i before compression.
func (h *header) blockLen(i int) int {
	return min(int(h.pages)-i*blockPages, blockPages) * PageSize
}

// appendContent appends the part of the header that the digest covers.
func (h *header) appendContent(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, PageSize)
	b = append(b, h.runtime[:]...)
	b = append(b, h.base[:]...)
	b = binary.LittleEndian.AppendUint64(b, h.memoryBytes)
	b = binary.LittleEndian.AppendUint64(b, h.baseBytes)
	b = binary.LittleEndian.AppendUint32(b, h.globals)
	b = binary.LittleEndian.AppendUint32(b, h.metaBytes)
	b = binary.LittleEndian.AppendUint32(b, h.runs)
	return binary.LittleEndian.AppendUint32(b, h.pages)
}

// append appends the header with its checksum.
func (h *header) append(b []byte) []byte {
	start := len(b)
	b = append(b, formatMagic...)
	b = binary.LittleEndian.AppendUint32(b, formatVersion)
	b = h.appendContent(b)
	b = append(b, h.digest[:]...)
	return binary.LittleEndian.AppendUint32(b, checksum(b[start:]))
}

// parse reads and checks a header of headerBytes bytes.
func (h *header) parse(b []byte) error {
	if string(b[:len(formatMagic)]) != formatMagic {
		return fmt.Errorf("%w: wrong magic", ErrFormat)
	}
	le := binary.LittleEndian
	if v := le.Uint32(b[8:]); v != formatVersion {
		return fmt.Errorf("%w: %d at offset 8, this package reads %d", ErrVersion, v, formatVersion)
	}
	if le.Uint32(b[headerBytes-4:]) != checksum(b[:headerBytes-4]) {
		return fmt.Errorf("%w: header does not match its checksum at offset %d", ErrCorrupt, headerBytes-4)
	}
	page := le.Uint32(b[12:])
	*h = header{
		runtime:     Digest(b[16:48]),
		base:        Digest(b[48:80]),
		memoryBytes: le.Uint64(b[80:]),
		baseBytes:   le.Uint64(b[88:]),
		globals:     le.Uint32(b[96:]),
		metaBytes:   le.Uint32(b[100:]),
		runs:        le.Uint32(b[104:]),
		pages:       le.Uint32(b[108:]),
		digest:      Digest(b[112:144]),
	}
	reason, offset := "", 0
	switch {
	case page != PageSize:
		reason, offset = "page size", 12
	case h.memoryBytes > MaxMemoryBytes || h.memoryBytes%WasmPageSize != 0:
		reason, offset = "length of the memory", 80
	case h.baseBytes > h.memoryBytes || h.baseBytes%WasmPageSize != 0,
		(h.baseBytes != 0) != (h.base != Digest{}):
		reason, offset = "length of the base", 88
	case h.globals > MaxGlobals:
		reason, offset = "number of globals", 96
	case h.metaBytes > MaxMetaBytes:
		reason, offset = "length of the meta data", 100
	case uint64(h.pages) > h.memoryBytes/PageSize:
		reason, offset = "number of pages", 108
	case h.runs > h.pages || (h.runs == 0) != (h.pages == 0):
		reason, offset = "number of runs", 104
	default:
		return nil
	}
	return fmt.Errorf("%w: impossible %s at offset %d", ErrCorrupt, reason, offset)
}

// encoder and decoder compress and expand blocks. Both are safe for concurrent
// use, and made once because they keep buffers.
//
// The fastest level is 1 % to 10 % larger on images of interpreters than the
// next and twice as fast. The decoder has no need of more than one block, so
// that a frame which asks for more is refused, and it stops at the capacity of
// its destination.
var (
	encoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil,
			zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithWindowSize(blockBytes),
			zstd.WithEncoderCRC(false))
		if err != nil {
			panic(err) // the options are constant
		}
		return e
	})
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(0),
			zstd.WithDecoderMaxMemory(blockBytes),
			zstd.WithDecoderMaxWindow(blockBytes),
			zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			panic(err) // the options are constant
		}
		return d
	})
)
