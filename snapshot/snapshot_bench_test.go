package snapshot_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/sporeengine/spore/snapshot"
)

// benchSnapshot is 16 MiB of a mixture that compresses about as well as the
// memory of an interpreter.
func benchSnapshot(b *testing.B) (*snapshot.Snapshot, []byte) {
	mem := make([]byte, 16<<20)
	state := uint32(1)
	for i := 0; i+4 <= len(mem); i += 4 {
		state ^= state << 13
		state ^= state >> 17
		state ^= state << 5
		switch state >> 8 & 7 {
		case 0, 1:
			mem[i], mem[i+1] = byte(state), byte(state>>16)
		case 2:
			copy(mem[i:], mem[i/2&^3:][:4])
		}
	}
	s, err := snapshot.New(snapshot.Params{Memory: mem})
	if err != nil {
		b.Fatal(err)
	}
	return s, mem
}

func BenchmarkNew(b *testing.B) {
	_, mem := benchSnapshot(b)
	b.SetBytes(int64(len(mem)))
	for b.Loop() {
		if _, err := snapshot.New(snapshot.Params{Memory: mem}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	s, mem := benchSnapshot(b)
	for name, write := range map[string]func(io.Writer) (int64, error){"compressed": s.WriteTo, "raw": s.WriteRaw} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(mem)))
			for b.Loop() {
				if _, err := write(io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	s, mem := benchSnapshot(b)
	for form, data := range encode(b, s) {
		for name, read := range map[string]func(io.Reader) (*snapshot.Snapshot, error){"Read": snapshot.Read, "ReadTrusted": snapshot.ReadTrusted} {
			b.Run(name+"/"+form, func(b *testing.B) {
				b.SetBytes(int64(len(mem)))
				b.ReportMetric(float64(len(data))/float64(len(mem)), "ratio")
				for b.Loop() {
					if _, err := read(bytes.NewReader(data)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkMemory(b *testing.B) {
	s, mem := benchSnapshot(b)
	b.SetBytes(int64(len(mem)))
	for b.Loop() {
		if _, err := s.Memory(nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkImageOfASnapshot(b *testing.B) {
	s, mem := benchSnapshot(b)
	b.SetBytes(int64(len(mem)))
	for b.Loop() {
		img, err := s.NewImage(nil, 256<<20)
		if err != nil {
			b.Fatal(err)
		}
		img.Close()
	}
}
