package snapshot_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/sporeengine/spore/snapshot"
)

// typed reports whether err is one of the errors that Read promises.
func typed(err error) bool {
	return errors.Is(err, snapshot.ErrFormat) || errors.Is(err, snapshot.ErrVersion) || errors.Is(err, snapshot.ErrCorrupt)
}

func TestEveryTruncationIsFound(t *testing.T) {
	for name, s := range samples(t) {
		for form, b := range encode(t, s) {
			step := 1
			if len(b) > 20_000 {
				step = 1 + len(b)/500
			}
			for n := 0; n < len(b); n += step {
				_, err := snapshot.ReadTrusted(bytes.NewReader(b[:n]))
				if !typed(err) || n >= 8 && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%s, %s: %d of %d bytes: %v", name, form, n, len(b), err)
				}
			}
		}
	}
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	for _, name := range []string{"empty", "delta", "whole", "two-blocks"} {
		s := samples(t)[name]
		for form, b := range encode(t, s) {
			rng := rand.New(rand.NewPCG(5, 6))
			for i := 0; i < len(b); i++ {
				// All bits of a small snapshot's start, then a bit here and there.
				bits := []int{0, 1, 2, 3, 4, 5, 6, 7}
				if i > 400 || len(b) > 20_000 {
					bits = []int{rng.IntN(8)}
				}
				if i > 4096 {
					i = min(i+rng.IntN(1+len(b)/50), len(b)-1)
				} else if len(b) > 200_000 {
					i += rng.IntN(32)
				}
				for _, bit := range bits {
					b[i] ^= 1 << bit
					if _, err := snapshot.ReadTrusted(bytes.NewReader(b)); !typed(err) {
						t.Fatalf("%s, %s: bit %d of byte %d: %v", name, form, bit, i, err)
					}
					b[i] ^= 1 << bit
				}
			}
		}
	}
}

// seal sets the checksum of a header that was tampered with.
func seal(b []byte) {
	binary.LittleEndian.PutUint32(b[144:], checksum(b[:144]))
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func TestForgedHeaders(t *testing.T) {
	original := encode(t, samples(t)["whole"])["compressed"]
	le := binary.LittleEndian
	for _, test := range []struct {
		name string
		edit func(b []byte)
		want error
		text string
	}{
		{"other magic", func(b []byte) { b[0] = 'x' }, snapshot.ErrFormat, "snapshot: not a snapshot: wrong magic at offset 0"},
		{"line ends translated", func(b []byte) { b[6] = '\n' }, snapshot.ErrFormat, "snapshot: not a snapshot: wrong magic at offset 0"},
		{"later version", func(b []byte) { b[8] = 2 }, snapshot.ErrVersion, "snapshot: unsupported format version: 2 at offset 8, this package reads 1"},
		{"page size", func(b []byte) { le.PutUint32(b[12:], 8192) }, snapshot.ErrCorrupt, "snapshot: corrupt: impossible page size at offset 12"},
		{"memory above 4 GiB", func(b []byte) { le.PutUint64(b[80:], 1<<33) }, snapshot.ErrCorrupt, "snapshot: corrupt: impossible length of the memory at offset 80"},
		{"memory of no pages", func(b []byte) { le.PutUint64(b[80:], 1000) }, snapshot.ErrCorrupt, "snapshot: corrupt: impossible length of the memory at offset 80"},
		{"memory too short", func(b []byte) { le.PutUint64(b[80:], 65536) }, snapshot.ErrCorrupt, "snapshot: corrupt: impossible number of pages at offset 108"},
		{"base without digest", func(b []byte) { le.PutUint64(b[88:], 65536) }, snapshot.ErrCorrupt, "snapshot: corrupt: impossible length of the base at offset 88"},
		{"globals", func(b []byte) { le.PutUint32(b[96:], 1<<20) }, snapshot.ErrCorrupt, "snapshot: corrupt: impossible number of globals at offset 96"},
		{"meta data", func(b []byte) { le.PutUint32(b[100:], 1<<30) }, snapshot.ErrCorrupt, "snapshot: corrupt: impossible length of the meta data at offset 100"},
		{"more runs than pages", func(b []byte) { le.PutUint32(b[104:], 23) }, snapshot.ErrCorrupt, "snapshot: corrupt: impossible number of runs at offset 104"},
		{"other runtime", func(b []byte) { b[20]++ }, snapshot.ErrCorrupt, "snapshot: corrupt: the contents do not have the digest at offset 112"},
		{"other digest", func(b []byte) { b[112]++ }, snapshot.ErrCorrupt, "snapshot: corrupt: the contents do not have the digest at offset 112"},
	} {
		b := bytes.Clone(original)
		test.edit(b)
		seal(b)
		_, err := snapshot.Read(bytes.NewReader(b))
		if !errors.Is(err, test.want) || err.Error() != test.text {
			t.Errorf("%s: %v, want %s", test.name, err, test.text)
		}
	}
}

// TestBombs makes sure that what a few bytes announce is not allocated.
func TestBombs(t *testing.T) {
	b := encode(t, samples(t)["empty"])["raw"]
	le := binary.LittleEndian
	le.PutUint64(b[80:], 4<<30)
	le.PutUint32(b[100:], snapshot.MaxMetaBytes)
	le.PutUint32(b[104:], 1<<20)
	le.PutUint32(b[108:], 1<<20)
	seal(b)
	result := testing.Benchmark(func(tb *testing.B) {
		tb.ReportAllocs()
		for tb.Loop() {
			if _, err := snapshot.Read(bytes.NewReader(b)); !errors.Is(err, snapshot.ErrCorrupt) {
				t.Fatal(err)
			}
		}
	})
	if n := result.AllocedBytesPerOp(); n > 4<<20 {
		t.Errorf("%d bytes allocated for a snapshot of %d", n, len(b))
	}
}
