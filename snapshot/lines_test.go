package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// lines returns the delta of m.
func lines(t testing.TB, m *Memory) []byte {
	t.Helper()
	b, err := m.AppendDelta(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// apply brings m, which equals its image, to the state of a delta.
func apply(t testing.TB, m *Memory, delta []byte) {
	t.Helper()
	m.Enter()
	defer m.Leave()
	if err := m.ApplyDelta(delta); err != nil {
		t.Fatal(err)
	}
}

// TestDeltaProperty runs random histories in one memory and moves what came of
// them to another one of the image, which then must be equal byte for byte, have
// the same delta, and forget it all in a reset.
func TestDeltaProperty(t *testing.T) {
	rounds := 150
	if testing.Short() {
		rounds = 30
	}
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %#x", seed)
			r := rand.New(rand.NewPCG(seed, 2))
			mem := testMemory(1 << 20)
			img, err := v.newImage(mem, 2<<20)
			if err != nil {
				t.Fatal(err)
			}
			defer img.Close()
			from := resetSubject{newMemory(t, img), mem}
			to := resetSubject{newMemory(t, img), mem}
			out := new(pageOuts)
			var delta []byte
			for round := range rounds {
				did := from.history(t, r, out)
				if delta, err = from.memory.AppendDelta(delta[:0]); err != nil {
					t.Fatal(err)
				}
				apply(t, to.memory, delta)
				if !bytes.Equal(from.memory.Bytes(), to.memory.Bytes()) {
					t.Fatalf("after round %d the memories differ: %v", round, did)
				}
				if !bytes.Equal(lines(t, to.memory), delta) {
					t.Fatalf("after round %d the deltas differ: %v", round, did)
				}
				checkMinimal(t, delta, mem)
				// One history may go on from where the last one ended.
				resetAndVerify(t, to.memory)
				if r.IntN(3) == 0 {
					resetAndVerify(t, from.memory)
				}
			}
			resetAndVerify(t, from.memory)
			from.pristine(t, r)
			to.pristine(t, r)
		})
	}
}

// checkMinimal checks that every line of a delta differs from the image.
func checkMinimal(t *testing.T, delta, image []byte) {
	t.Helper()
	for b := delta[linesHeader:]; len(b) > 0; {
		at := int64(binary.LittleEndian.Uint32(b)) * PageSize
		bitmap := binary.LittleEndian.Uint64(b[4:])
		b = b[pageHeader:]
		for ; bitmap != 0; bitmap &= bitmap - 1 {
			i := bits.TrailingZeros64(bitmap) * lineBytes
			if bytes.Equal(pageOf(image, at)[i:i+lineBytes], b[:lineBytes]) {
				t.Fatalf("line %#x equals the image", at+int64(i))
			}
			b = b[lineBytes:]
		}
	}
}

func TestDeltaIsOfTheExpectedSize(t *testing.T) {
	forEachVariant(t, testMemory(1<<20), 2<<20, func(t *testing.T, img *Image) {
		m := newMemory(t, img)
		if n := len(lines(t, m)); n != 4 {
			t.Errorf("%d bytes for no change, want 4", n)
		}
		write(m, func(b []byte) {
			b[3*PageSize]++
			b[3*PageSize+63]++
			b[3*PageSize+64]++
			for i := range PageSize {
				b[9*PageSize+i] ^= 0xff
			}
			b[20*PageSize] ^= 0 // private, but as it was
		})
		if n, want := len(lines(t, m)), 4+12+2*64+12+4096; n != want {
			t.Errorf("%d bytes, want %d", n, want)
		}
		write(m, func([]byte) { m.Grow(2 << 20) })
		resetAndVerify(t, m)
		write(m, func([]byte) { m.Grow(1<<20 + WasmPageSize) })
		b := lines(t, m)
		if want := []byte{17, 0, 0, 0}; !bytes.Equal(b, want) {
			t.Errorf("delta % x of a memory that only grew, want % x", b, want)
		}
	})
}

// page returns the lines of one page, which are all b.
func page(number uint32, bitmap uint64, b byte) []byte {
	p := binary.LittleEndian.AppendUint32(nil, number)
	p = binary.LittleEndian.AppendUint64(p, bitmap)
	return append(p, bytes.Repeat([]byte{b}, bits.OnesCount64(bitmap)*lineBytes)...)
}

// linesOf returns lines of a memory of some WebAssembly pages.
func linesOf(wasmPages uint32, pages ...[]byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, wasmPages), bytes.Join(pages, nil)...)
}

// invalidLines are what a memory of an image of 2 WebAssembly pages, which may
// grow to 4, refuses.
var invalidLines = map[string][]byte{
	"nothing":                       nil,
	"half a length":                 {2, 0},
	"no memory":                     linesOf(0),
	"shorter than the image":        linesOf(1, page(3, 1, 1)),
	"longer than it may grow":       linesOf(5, page(3, 1, 1)),
	"longer than any memory":        linesOf(1<<16+1, page(3, 1, 1)),
	"a length that overflows":       linesOf(1<<31, page(3, 1, 1)),
	"page behind the length":        linesOf(2, page(0, 1, 1), page(32, 1, 1)),
	"page far behind the length":    linesOf(2, page(0, 1, 1), page(1<<32-1, 1, 1)),
	"pages out of order":            linesOf(2, page(4, 1, 1), page(3, 1, 1)),
	"page twice":                    linesOf(2, page(4, 1, 1), page(4, 2, 1)),
	"page without lines":            linesOf(2, page(3, 1, 1), page(4, 0, 1)),
	"half a page header":            linesOf(2, page(3, 1, 1), page(4, 1, 1)[:11]),
	"page number and nothing else":  linesOf(2, page(3, 1, 1), page(4, 1, 1)[:4]),
	"header without its lines":      linesOf(2, page(3, 1, 1), page(4, 1, 1)[:12]),
	"a byte of the last line short": linesOf(2, page(3, 1, 1), page(4, 1<<63|1, 1)[:12+127]),
	"a byte more":                   append(linesOf(2, page(3, 1, 1)), 0),
}

func TestApplyDeltaRefuses(t *testing.T) {
	forEachVariant(t, testMemory(2*WasmPageSize), 4*WasmPageSize, func(t *testing.T, img *Image) {
		m := newMemory(t, img)
		for name, b := range invalidLines {
			m.Enter()
			err := m.ApplyDelta(b)
			m.Leave()
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s: %v", name, err)
			}
			if err := m.Verify(); err != nil {
				t.Errorf("%s: something was written: %v", name, err)
			}
		}
		for name, b := range map[string][]byte{
			"nothing":                 linesOf(2),
			"first and last line":     linesOf(4, page(0, 1, 1), page(63, 1<<63, 1)),
			"whole page":              linesOf(2, page(5, 1<<64-1, 3)),
			"alternating":             linesOf(3, page(5, 0x5555555555555555, 3), page(40, 0xaaaaaaaaaaaaaaaa, 4)),
			"line equal to the image": linesOf(3, page(40, 1, 0)),
		} {
			apply(t, m, b)
			if name != "line equal to the image" && !bytes.Equal(lines(t, m), b) {
				t.Errorf("%s does not come back", name)
			}
			resetAndVerify(t, m)
		}
	})
}

func TestDeltaOfAMemoryInUse(t *testing.T) {
	forEachVariant(t, testMemory(WasmPageSize), WasmPageSize, func(t *testing.T, img *Image) {
		m := newMemory(t, img)
		m.Enter()
		if _, err := m.AppendDelta(nil); err != ErrEntered {
			t.Errorf("AppendDelta between Enter and Leave: %v", err)
		}
		m.Leave()
		func() {
			defer func() {
				if recover() == nil {
					t.Error("ApplyDelta without Enter does not panic")
				}
			}()
			m.ApplyDelta(linesOf(1))
		}()
		m.Close()
		if b, err := m.AppendDelta([]byte{7}); err != ErrClosed || !bytes.Equal(b, []byte{7}) {
			t.Errorf("AppendDelta of a closed memory: % x, %v", b, err)
		}
	})
}

func TestDeltasDoNotAllocate(t *testing.T) {
	forEachVariant(t, testMemory(1<<20), 1<<20, func(t *testing.T, img *Image) {
		m := newMemory(t, img)
		write(m, func(b []byte) { b[5]++; b[70000]++ })
		buf := lines(t, m)
		resetAndVerify(t, m)
		n := testing.AllocsPerRun(100, func() {
			apply(t, m, buf)
			buf, _ = m.AppendDelta(buf[:0])
			if err := m.Reset(); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
