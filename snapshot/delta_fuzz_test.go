package snapshot_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/sporeengine/spore/snapshot"
)

// FuzzReadDelta reads arbitrary bytes, once as they are and once with the
// checksums and the digest repaired, so that the fuzzer gets behind them.
// Whatever is accepted must be within the limit and survive being written and
// read again.
func FuzzReadDelta(f *testing.F) {
	for _, d := range deltas(f) {
		var raw bytes.Buffer
		if _, err := d.WriteRaw(&raw); err != nil {
			f.Fatal(err)
		}
		for _, b := range [][]byte{marshal(f, d), raw.Bytes()} {
			if len(b) < 20_000 {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tryReadDelta(t, b)
		if b = bytes.Clone(b); repairDelta(b) {
			tryReadDelta(t, b)
		}
	})
}

func tryReadDelta(t *testing.T, b []byte) {
	const limit = 256 << 10
	d, err := snapshot.ReadDelta(bytes.NewReader(b), limit)
	if err != nil {
		if !typedDelta(err) {
			t.Fatalf("error of another kind: %v", err)
		}
		return
	}
	if n := 8*len(d.Globals()) + len(d.Meta()) + len(d.Lines()); n > limit || d.Info().StoredBytes != int64(len(d.Lines())) {
		t.Fatalf("%d bytes, %+v", n, d.Info())
	}
	info := d.Info()
	again, err := snapshot.NewDelta(snapshot.DeltaParams{Runtime: info.Runtime, Base: info.Base, Lines: d.Lines(), Globals: d.Globals(), Meta: d.Meta()})
	if err != nil || again.Digest() != d.Digest() || again.Info() != info {
		t.Fatalf("cannot be made again: %v", err)
	}
	again, err = snapshot.ParseDelta(marshal(t, d), limit)
	if err != nil {
		t.Fatalf("does not come back: %v", err)
	}
	equalDeltas(t, again, d)
}

// repairDelta sets the checksums of the header and of the blocks behind it, as far
// as b goes, and the digest, which it computes as a reader does. It reports
// whether there was a header.
func repairDelta(b []byte) bool {
	if len(b) < 128 {
		return false
	}
	copy(b, "\x89SPDLT\r\n\x01\x00\x00\x00")
	le := binary.LittleEndian
	for at := uint64(128); at+8 <= uint64(len(b)); {
		n := uint64(le.Uint32(b[at:]))
		if at+8+n > uint64(len(b)) {
			break
		}
		le.PutUint32(b[at+4:], checksum(b[at+8:at+8+n]))
		at += 8 + n
	}
	sealDelta(b)
	if digest, ok := snapshot.DigestOfDelta(b); ok {
		copy(b[92:], digest[:])
		sealDelta(b)
	}
	return true
}
