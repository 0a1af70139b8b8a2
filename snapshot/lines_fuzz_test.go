package snapshot

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzApplyDelta applies arbitrary bytes to memories of every kind. A delta that
// is refused must leave the memory as it was, and one that is accepted must give
// the same state everywhere, stay within the limits, and be gone after a reset.
func FuzzApplyDelta(f *testing.F) {
	for _, b := range invalidLines {
		f.Add(b)
	}
	f.Add(linesOf(2))
	f.Add(linesOf(4, page(0, 1, 1), page(63, 1<<63, 1)))
	f.Add(linesOf(3, page(5, 0x5555555555555555, 3), page(40, 0xaaaaaaaaaaaaaaaa, 4)))
	var memories []*Memory
	for _, v := range variants() {
		img, err := v.newImage(testMemory(2*WasmPageSize), 4*WasmPageSize)
		if err != nil {
			f.Fatal(err)
		}
		f.Cleanup(func() { img.Close() })
		memories = append(memories, newMemory(f, img))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var first []byte
		for i, m := range memories {
			m.Enter()
			err := m.ApplyDelta(b)
			m.Leave()
			if err != nil {
				if !errors.Is(err, ErrCorrupt) {
					t.Fatalf("error of another kind: %v", err)
				}
				if err := m.Verify(); err != nil {
					t.Fatalf("refused, but written: %v", err)
				}
				continue
			}
			if i == 0 {
				first = bytes.Clone(m.Bytes())
			} else if !bytes.Equal(m.Bytes(), first) {
				t.Fatal("two memories differ")
			}
			// What comes back may lack lines that equal the image, but no more.
			delta := lines(t, m)
			if len(delta) > len(b) {
				t.Fatalf("%d bytes became %d", len(b), len(delta))
			}
			resetAndVerify(t, m)
			apply(t, m, delta)
			if !bytes.Equal(m.Bytes(), first) {
				t.Fatal("the delta of a delta differs from it")
			}
			resetAndVerify(t, m)
		}
	})
}
