package rewrite_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"reflect"
	"testing"

	"github.com/sporeengine/spore/snapshot/rewrite"
)

func marshal(t testing.TB, m *rewrite.Module) []byte {
	t.Helper()
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestModulesComeBack(t *testing.T) {
	for _, p := range programs {
		m, err := rewrite.Rewrite(build(p.build), metered)
		if err != nil {
			t.Fatal(err)
		}
		b := marshal(t, m)
		got, err := rewrite.ParseModule(b)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, m) {
			t.Errorf("%s: %+v comes back as %+v", p.name, m, got)
		}
		if more, err := m.AppendBinary([]byte("x")); err != nil || !bytes.Equal(more[1:], b) {
			t.Errorf("%s: AppendBinary differs from MarshalBinary: %v", p.name, err)
		}
		if len(b) > len(m.Wasm)+2*4096+500 {
			t.Errorf("%s: %d bytes for a module of %d with two pages of data", p.name, len(b), len(m.Wasm))
		}
	}
}

func TestDamagedEncodings(t *testing.T) {
	m, err := rewrite.Rewrite(build(programs[6].build), metered)
	if err != nil {
		t.Fatal(err)
	}
	b := marshal(t, m)
	for n := range b {
		if _, err := rewrite.ParseModule(b[:n]); !errors.Is(err, rewrite.ErrEncoding) {
			t.Fatalf("%d of %d bytes: %v", n, len(b), err)
		}
		// The checksum repaired, the truncation must be found by what follows.
		if n >= 12 {
			if _, err := rewrite.ParseModule(resum(bytes.Clone(b[:n]))); !errors.Is(err, rewrite.ErrEncoding) {
				t.Fatalf("%d of %d bytes with a right checksum: %v", n, len(b), err)
			}
		}
	}
	for i := range b {
		b[i] ^= 1 << (i % 8)
		if _, err := rewrite.ParseModule(b); !errors.Is(err, rewrite.ErrEncoding) {
			t.Fatalf("bit %d of byte %d flipped: %v", i%8, i, err)
		}
		b[i] ^= 1 << (i % 8)
	}
	if _, err := rewrite.ParseModule(append(b, 0)); !errors.Is(err, rewrite.ErrEncoding) {
		t.Errorf("a byte too many: %v", err)
	}
	if _, err := new(rewrite.Module).AppendBinary(nil); err != nil {
		t.Errorf("empty module: %v", err)
	}
	if _, err := (&rewrite.Module{Memory: make([]byte, 5)}).AppendBinary(nil); err == nil {
		t.Error("a memory of 5 bytes is encoded")
	}
}

// resum repairs the checksum of an encoding.
func resum(b []byte) []byte {
	binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b[12:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

func FuzzParseModule(f *testing.F) {
	for _, p := range programs {
		m, err := rewrite.Rewrite(build(p.build), metered)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(marshal(f, m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 12 {
			return
		}
		b = resum(bytes.Clone(b))
		m, err := rewrite.ParseModule(b)
		if err != nil {
			if !errors.Is(err, rewrite.ErrEncoding) {
				t.Fatal(err)
			}
			return
		}
		if len(m.Memory) > 1<<20 {
			return
		}
		again, err := rewrite.ParseModule(marshal(t, m))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("does not come back: %v", err)
		}
	})
}

func BenchmarkParseModule(b *testing.B) {
	m := &rewrite.Module{Wasm: make([]byte, 8<<20), Memory: make([]byte, 10<<20)}
	for at := 0; at < len(m.Memory); at += 64 {
		if at/4096%5 != 0 {
			m.Memory[at] = 1
		}
	}
	data := marshal(b, m)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rewrite.ParseModule(data); err != nil {
			b.Fatal(err)
		}
	}
}
