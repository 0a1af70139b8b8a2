package snapshot_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/sporeengine/spore/snapshot"
)

// deltaLines returns lines of a memory of some WebAssembly pages: in each of the
// pages those of the bitmap, with bytes from fill.
func deltaLines(wasmPages uint32, pages []uint32, bitmap uint64, fill func(i int) byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, wasmPages)
	n := 0
	for _, page := range pages {
		b = binary.LittleEndian.AppendUint32(b, page)
		b = binary.LittleEndian.AppendUint64(b, bitmap)
		for i := range 64 {
			if bitmap>>i&1 == 0 {
				continue
			}
			for range 64 {
				b = append(b, fill(n))
				n++
			}
		}
	}
	return b
}

// deltas are deltas of all shapes. They are what the golden files hold, so they
// never change; new ones may be added.
func deltas(t testing.TB) map[string]*snapshot.Delta {
	t.Helper()
	state := uint32(1)
	noise := func(int) byte {
		state ^= state << 13
		state ^= state >> 17
		state ^= state << 5
		return byte(state)
	}
	some := []uint32{0, 3, 17, 18, 40}
	many := make([]uint32, 280)
	for i := range many {
		many[i] = uint32(2 * i)
	}
	made := make(map[string]*snapshot.Delta)
	for name, p := range map[string]snapshot.DeltaParams{
		"no-change": {Lines: deltaLines(1, nil, 0, nil)},
		"lines":     {Lines: deltaLines(4, some, 1<<63|6, func(i int) byte { return byte(i / 16) })},
		"session": {
			Lines:   deltaLines(6, some, 1<<40|1<<39|1, func(i int) byte { return byte(i / 9) }),
			Globals: []uint64{1, 0xfffffffffffffff0, 65536},
			Meta:    []byte(`{"id":"a session","epoch":3}`),
		},
		"globals-and-meta": {Lines: deltaLines(65536, nil, 0, nil), Globals: []uint64{7}, Meta: []byte("only that")},
		"noise":            {Lines: deltaLines(2, []uint32{9, 31}, 1<<64-1, noise)},
		"two-blocks":       {Lines: deltaLines(40, many, 1<<64-1, func(i int) byte { return byte(i>>12*7 + i%64) })},
	} {
		p.Runtime = sha256.Sum256([]byte("a runtime"))
		p.Base = sha256.Sum256([]byte("an image"))
		d, err := snapshot.NewDelta(p)
		if err != nil {
			t.Fatal(err)
		}
		made[name] = d
	}
	return made
}

// deltaLimit is what none of the samples exceeds.
const deltaLimit = 2 << 20

func marshal(t testing.TB, d *snapshot.Delta) []byte {
	t.Helper()
	b, err := d.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func equalDeltas(t *testing.T, got, want *snapshot.Delta) {
	t.Helper()
	if got.Digest() != want.Digest() || got.Info() != want.Info() {
		t.Errorf("%v %+v, want %v %+v", got.Digest(), got.Info(), want.Digest(), want.Info())
	}
	if !slices.Equal(got.Globals(), want.Globals()) || !bytes.Equal(got.Meta(), want.Meta()) || !bytes.Equal(got.Lines(), want.Lines()) {
		t.Error("contents differ")
	}
}

// typedDelta reports whether err is one of the errors that ReadDelta promises.
func typedDelta(err error) bool { return typed(err) || errors.Is(err, snapshot.ErrTooLarge) }

func TestDeltaRoundTrip(t *testing.T) {
	for name, want := range deltas(t) {
		t.Run(name, func(t *testing.T) {
			b := marshal(t, want)
			var written, raw bytes.Buffer
			if n, err := want.WriteTo(&written); err != nil || n != int64(written.Len()) || !bytes.Equal(written.Bytes(), b) {
				t.Errorf("WriteTo: %d bytes, %v; or it differs from MarshalBinary", n, err)
			}
			if _, err := want.WriteRaw(&raw); err != nil {
				t.Fatal(err)
			}
			if len(b) > raw.Len() {
				t.Errorf("%d bytes, without compression %d", len(b), raw.Len())
			}
			for _, b := range [][]byte{b, raw.Bytes()} {
				r := bytes.NewReader(append(bytes.Clone(b), "more"...))
				got, err := snapshot.ReadDelta(iotest.OneByteReader(r), deltaLimit)
				if err != nil {
					t.Fatal(err)
				}
				if r.Len() != len("more") {
					t.Errorf("%d bytes are left, want 4", r.Len())
				}
				equalDeltas(t, got, want)
				if got, err = snapshot.ParseDelta(b, deltaLimit); err != nil {
					t.Fatal(err)
				}
				equalDeltas(t, got, want)
			}
			if _, err := snapshot.ParseDelta(append(b, 0), deltaLimit); !errors.Is(err, snapshot.ErrCorrupt) {
				t.Errorf("with a byte behind its end: %v", err)
			}
		})
	}
}

func TestDeltaContents(t *testing.T) {
	lines := deltaLines(3, []uint32{1, 2}, 5, func(i int) byte { return byte(i) })
	p := snapshot.DeltaParams{Runtime: snapshot.Digest{1}, Base: snapshot.Digest{2}, Lines: lines, Globals: []uint64{8, 9}, Meta: []byte("meta")}
	d, err := snapshot.NewDelta(p)
	if err != nil {
		t.Fatal(err)
	}
	want := snapshot.Info{Format: 1, Runtime: snapshot.Digest{1}, Base: snapshot.Digest{2}, MemoryBytes: 3 << 16, StoredBytes: int64(len(lines))}
	if d.Info() != want {
		t.Errorf("%+v, want %+v", d.Info(), want)
	}
	// Neither what it was made of nor what it hands out is its own.
	digest, meta := d.Digest(), d.Meta()
	p.Globals[0], p.Meta[0], lines[20] = 0, 0, 0
	d.Globals()[1], meta[1] = 0, 0
	if !slices.Equal(d.Globals(), []uint64{8, 9}) || string(d.Meta()) != "meta" || bytes.Equal(d.Lines(), lines) || cap(d.Lines()) != len(lines) {
		t.Error("a delta changed")
	}
	if again, err := snapshot.ParseDelta(marshal(t, d), deltaLimit); err != nil || again.Digest() != digest {
		t.Errorf("does not come back: %v", err)
	}
}

func TestDeltaDigestTellsEverythingApart(t *testing.T) {
	base := snapshot.Digest{1}
	empty := deltaLines(1, nil, 0, nil)
	line := deltaLines(1, []uint32{0}, 1, func(int) byte { return 1 })
	seen := make(map[snapshot.Digest]int)
	for i, p := range []snapshot.DeltaParams{
		{Base: base, Lines: empty},
		{Base: snapshot.Digest{2}, Lines: empty},
		{Base: base, Lines: empty, Runtime: snapshot.Digest{1}},
		{Base: base, Lines: deltaLines(2, nil, 0, nil)},
		{Base: base, Lines: line},
		{Base: base, Lines: deltaLines(1, []uint32{1}, 1, func(int) byte { return 1 })},
		{Base: base, Lines: deltaLines(1, []uint32{0}, 2, func(int) byte { return 1 })},
		{Base: base, Lines: empty, Globals: []uint64{0}},
		{Base: base, Lines: empty, Meta: make([]byte, 8)},
		{Base: base, Lines: empty, Globals: []uint64{0, 0}, Meta: make([]byte, 8)},
	} {
		d, err := snapshot.NewDelta(p)
		if err != nil {
			t.Fatal(err)
		}
		if j, ok := seen[d.Digest()]; ok {
			t.Errorf("deltas %d and %d have the same digest", i, j)
		}
		seen[d.Digest()] = i
	}
}

func TestNewDeltaRefuses(t *testing.T) {
	base, lines := snapshot.Digest{1}, deltaLines(1, nil, 0, nil)
	for name, p := range map[string]snapshot.DeltaParams{
		"no base":            {Lines: lines},
		"no lines":           {Base: base},
		"broken lines":       {Base: base, Lines: append(bytes.Clone(lines), 0)},
		"too many globals":   {Base: base, Lines: lines, Globals: make([]uint64, snapshot.MaxGlobals+1)},
		"too much meta data": {Base: base, Lines: lines, Meta: make([]byte, snapshot.MaxMetaBytes+1)},
	} {
		if _, err := snapshot.NewDelta(p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestEveryTruncationOfADeltaIsFound(t *testing.T) {
	for name, d := range deltas(t) {
		b := marshal(t, d)
		for n := 0; n < len(b); n += 1 + len(b)/400 {
			_, err := snapshot.ReadDelta(bytes.NewReader(b[:n]), deltaLimit)
			if !typed(err) || n >= 8 && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%s: %d of %d bytes: %v", name, n, len(b), err)
			}
		}
	}
}

func TestEveryFlippedBitOfADeltaIsFound(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for name, d := range deltas(t) {
		b := marshal(t, d)
		for i := 0; i < len(b); i += 1 + rng.IntN(1+len(b)/200) {
			for bit := range 8 {
				b[i] ^= 1 << bit
				if _, err := snapshot.ParseDelta(b, deltaLimit); !typed(err) {
					t.Fatalf("%s: bit %d of byte %d: %v", name, bit, i, err)
				}
				b[i] ^= 1 << bit
			}
		}
	}
}

// sealDelta sets the checksum of a header that was tampered with.
func sealDelta(b []byte) { binary.LittleEndian.PutUint32(b[124:], checksum(b[:124])) }

func TestForgedDeltas(t *testing.T) {
	original := marshal(t, deltas(t)["session"])
	le := binary.LittleEndian
	for _, test := range []struct {
		name string
		edit func(b []byte)
		want error
		text string
	}{
		{"a snapshot", func(b []byte) { copy(b, "\x89SPORE\r\n") }, snapshot.ErrFormat, "snapshot: not a snapshot: wrong magic at offset 0"},
		{"later version", func(b []byte) { b[8] = 2 }, snapshot.ErrVersion, "snapshot: unsupported format version: 2 at offset 8, this package reads 1"},
		{"no base", func(b []byte) { clear(b[44:76]) }, snapshot.ErrCorrupt, "snapshot: corrupt: impossible base at offset 44"},
		{"globals", func(b []byte) { le.PutUint32(b[76:], 1<<20) }, snapshot.ErrCorrupt, "snapshot: corrupt: impossible number of globals at offset 76"},
		{"meta data", func(b []byte) { le.PutUint32(b[80:], 1<<30) }, snapshot.ErrCorrupt, "snapshot: corrupt: impossible length of the meta data at offset 80"},
		{"no lines", func(b []byte) { le.PutUint64(b[84:], 3) }, snapshot.ErrCorrupt, "snapshot: corrupt: impossible length of the lines at offset 84"},
		{"lines that overflow", func(b []byte) { le.PutUint64(b[84:], 1<<64-1) }, snapshot.ErrCorrupt, "snapshot: corrupt: impossible length of the lines at offset 84"},
		{"too large", func(b []byte) { le.PutUint64(b[84:], deltaLimit) }, snapshot.ErrTooLarge, fmt.Sprintf("snapshot: too large: a delta of %d bytes, at most %d are allowed", deltaLimit+3*8+28, deltaLimit)},
		{"other runtime", func(b []byte) { b[12]++ }, snapshot.ErrCorrupt, "snapshot: corrupt: the contents do not have the digest at offset 92"},
		{"other digest", func(b []byte) { b[92]++ }, snapshot.ErrCorrupt, "snapshot: corrupt: the contents do not have the digest at offset 92"},
	} {
		b := bytes.Clone(original)
		test.edit(b)
		sealDelta(b)
		_, err := snapshot.ReadDelta(bytes.NewReader(b), deltaLimit)
		if !errors.Is(err, test.want) || err.Error() != test.text {
			t.Errorf("%s: %v, want %s", test.name, err, test.text)
		}
	}
	for _, limit := range []int64{-1, 0, 1, 700} {
		if _, err := snapshot.ParseDelta(original, limit); !errors.Is(err, snapshot.ErrTooLarge) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

// TestDeltaBombs makes sure that what a few bytes announce, or expand to, is not
// allocated beyond what the caller allows.
func TestDeltaBombs(t *testing.T) {
	announced := marshal(t, deltas(t)["no-change"])
	binary.LittleEndian.PutUint64(announced[84:], 4<<30)
	sealDelta(announced)

	// A block that expands to 1 MiB in a delta that announces 1 KiB.
	expanding := marshal(t, deltas(t)["two-blocks"])
	binary.LittleEndian.PutUint64(expanding[84:], uint64(binary.LittleEndian.Uint32(expanding[128:]))+1024)
	sealDelta(expanding)

	for name, b := range map[string][]byte{"announced": announced, "expanding": expanding} {
		result := testing.Benchmark(func(tb *testing.B) {
			tb.ReportAllocs()
			for tb.Loop() {
				if _, err := snapshot.ReadDelta(bytes.NewReader(b), 64<<10); !typedDelta(err) {
					t.Fatal(err)
				}
			}
		})
		if n := result.AllocedBytesPerOp(); n > 128<<10 {
			t.Errorf("%s: %d bytes allocated, 65536 are allowed", name, n)
		}
	}
}

func TestReadDeltaPassesErrorsOfTheReader(t *testing.T) {
	b := marshal(t, deltas(t)["session"])
	broken := errors.New("broken")
	for _, n := range []int{0, 5, 100, 128, 132, 140, len(b) - 1} {
		_, err := snapshot.ReadDelta(io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(broken)), deltaLimit)
		if !errors.Is(err, broken) || typedDelta(err) {
			t.Errorf("error after %d bytes: %v", n, err)
		}
	}
}

func TestWriteDeltaReportsWhatWasWritten(t *testing.T) {
	d := deltas(t)["noise"]
	for _, n := range []int{0, 100, 130, 5000} {
		if got, err := d.WriteTo(&limitedWriter{n}); err != io.ErrShortWrite || got != int64(n) {
			t.Errorf("%d bytes of room: %d, %v", n, got, err)
		}
	}
}

func TestConcurrentUseOfADelta(t *testing.T) {
	all := deltas(t)
	var wg sync.WaitGroup
	for range 4 {
		for _, d := range all {
			wg.Go(func() {
				for range 10 {
					got, err := snapshot.ParseDelta(marshal(t, d), deltaLimit)
					if err != nil || got.Digest() != d.Digest() {
						t.Error("does not come back: ", err)
					}
				}
			})
		}
	}
	wg.Wait()
}

// TestGoldenDeltas reads what earlier versions of this package wrote. Files of a
// released format are never written again: -update only adds.
func TestGoldenDeltas(t *testing.T) {
	for name, want := range deltas(t) {
		b := marshal(t, want)
		path := filepath.Join("testdata", "delta-v1", name+".delta")
		if _, err := os.Stat(path); *update && errors.Is(err, os.ErrNotExist) {
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := snapshot.ParseDelta(golden, deltaLimit)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		equalDeltas(t, got, want)
	}
}

// TestDeltaFingerprint fails when the format changes in any way: in its bytes or
// in what the digest covers. Then deltaVersion must be raised, the reader must
// keep the old version, and golden files of the new one be added.
func TestDeltaFingerprint(t *testing.T) {
	h := sha256.New()
	all := deltas(t)
	for _, name := range []string{"no-change", "lines", "session", "globals-and-meta", "noise", "two-blocks"} {
		if _, err := all[name].WriteRaw(h); err != nil {
			t.Fatal(err)
		}
	}
	const want = "63dd59632bf01a15dde5db0e6d0f43fb9d2dbd1ef3e520f0c5c9e0984071925e"
	if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
		t.Errorf("fingerprint %s, want %s", got, want)
	}
}
