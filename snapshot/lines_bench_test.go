package snapshot

import (
	"fmt"
	"testing"
)

// smallCall makes pages private that are scattered over the memory, as a small call
// does, and changes some lines in every second of them.
func smallCall(m *Memory, pages, lines int) {
	write(m, func(b []byte) {
		step := len(b) / pages / PageSize * PageSize
		for i := range pages {
			page := b[i*step : i*step+PageSize]
			page[100] ^= 0
			if i%2 == 0 {
				for l := range lines {
					page[(l*23+i)%pageLines*lineBytes+i%lineBytes] ^= 0x5a
				}
			}
		}
	})
}

// BenchmarkDelta measures extracting and applying a delta without what lies
// between: the memory's private pages are known, and applying it makes no other
// page private.
func BenchmarkDelta(b *testing.B) {
	for _, c := range []struct{ pages, lines int }{{25, 2}, {60, 2}, {60, 12}, {1000, 64}} {
		for _, v := range []string{"shared", "copy"} {
			newImage := NewImage
			if v == "copy" {
				newImage = copyVariant().newImage
			}
			img, err := newImage(testMemory(16<<20), 64<<20)
			if err != nil {
				b.Fatal(err)
			}
			defer img.Close()
			m := newMemory(b, img)
			smallCall(m, c.pages, c.lines)
			delta := lines(b, m)
			name := fmt.Sprintf("%s/%dpages/%dbytes", v, c.pages, len(delta))
			b.Run("extract/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if delta, err = m.AppendDelta(delta[:0]); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("apply/"+name, func(b *testing.B) {
				b.ReportAllocs()
				m.Enter()
				defer m.Leave()
				for b.Loop() {
					if err := m.ApplyDelta(delta); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
