package snapshot

import (
	"encoding/binary"
	"io"
)

// WriteTo writes s, compressed. It implements [io.WriterTo]. Two snapshots with
// the same digest are written as the same bytes by the same version of this
// module. A snapshot that was closed fails with [ErrClosed].
func (s *Snapshot) WriteTo(w io.Writer) (int64, error) { return s.write(w, true) }

// WriteRaw writes s without compressing its pages: larger, and ten times as fast
// to write and to read. Its purpose is a cache on a local disk. [Read] reads both
// forms.
func (s *Snapshot) WriteRaw(w io.Writer) (int64, error) { return s.write(w, false) }

func (s *Snapshot) write(w io.Writer, compress bool) (written int64, err error) {
	blocks := s.blocks.Load()
	if blocks == nil {
		return 0, ErrClosed
	}
	put := func(b []byte) error {
		n, err := w.Write(b)
		written += int64(n)
		return err
	}

	b := s.header.append(nil)
	for _, section := range [][]byte{
		appendGlobals(nil, s.globals),
		s.meta,
		appendRuns(nil, s.runs),
	} {
		b = append(b, section...)
		b = binary.LittleEndian.AppendUint32(b, checksum(section))
	}
	if err := put(b); err != nil {
		return written, err
	}

	return written, writeBlocks(put, *blocks, compress)
}
