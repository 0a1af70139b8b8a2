package snapshot_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/sporeengine/spore/snapshot"
)

// FuzzRead reads arbitrary bytes, once as they are and once with all checksums
// that can be found repaired, so that the fuzzer gets behind them. Whatever is
// accepted must survive being written and read again.
func FuzzRead(f *testing.F) {
	for _, s := range samples(f) {
		for _, b := range encode(f, s) {
			if len(b) < 20_000 {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tryRead(t, b)
		if b = bytes.Clone(b); repair(b) {
			tryRead(t, b)
		}
	})
}

func tryRead(t *testing.T, b []byte) {
	s, err := snapshot.ReadTrusted(bytes.NewReader(b))
	if err != nil {
		if !typed(err) {
			t.Fatalf("error of another kind: %v", err)
		}
		return
	}
	strict, err := snapshot.Read(bytes.NewReader(b))
	if verified := s.VerifyDigest() == nil; verified != (err == nil) {
		t.Fatalf("VerifyDigest succeeds: %v, Read: %v", verified, err)
	}
	if err == nil && strict.Digest() != s.Digest() {
		t.Fatal("two digests for the same bytes")
	}
	info := s.Info()
	if info.StoredBytes > info.MemoryBytes {
		t.Fatalf("impossible %+v", info)
	}
	if info.MemoryBytes <= 16<<20 && info.Base == (snapshot.Digest{}) {
		if mem, err := s.Memory(nil); err != nil || int64(len(mem)) != info.MemoryBytes {
			t.Fatalf("Memory: %d bytes, %v", len(mem), err)
		}
	}
	for _, write := range []func(io.Writer) (int64, error){s.WriteTo, s.WriteRaw} {
		var out bytes.Buffer
		if _, err := write(&out); err != nil {
			t.Fatal(err)
		}
		again, err := snapshot.ReadTrusted(&out)
		if err != nil || again.Digest() != s.Digest() || again.Info() != info {
			t.Fatalf("does not come back: %v", err)
		}
	}
}

// repair sets the checksums of the header and of the sections behind it, as far
// as b goes. It reports whether there was a header.
func repair(b []byte) bool {
	if len(b) < 148 {
		return false
	}
	copy(b, "\x89SPORE\r\n\x01\x00\x00\x00")
	seal(b)
	le := binary.LittleEndian
	at := uint64(148)
	section := func(n uint64) {
		if at+n+4 > uint64(len(b)) {
			at = uint64(len(b))
			return
		}
		le.PutUint32(b[at+n:], checksum(b[at:at+n]))
		at += n + 4
	}
	section(uint64(le.Uint32(b[96:])) * 8)
	section(uint64(le.Uint32(b[100:])))
	section(uint64(le.Uint32(b[104:])) * 8)
	for at+8 <= uint64(len(b)) {
		n := uint64(le.Uint32(b[at:]))
		if at+8+n > uint64(len(b)) {
			break
		}
		le.PutUint32(b[at+4:], checksum(b[at+8:at+8+n]))
		at += 8 + n
	}
	return true
}
