package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// A variant is a way to keep images. variants lists those of the platform.
type variant struct {
	name     string
	newImage func(mem []byte, max int64) (*Image, error)
}

func copyVariant() variant {
	return variant{"copy", func(mem []byte, max int64) (*Image, error) {
		return newImage(newCopyImage(contentsOf(mem), max), int64(len(mem)), max), nil
	}}
}

// forEachVariant runs f with an image of each kind.
func forEachVariant(t *testing.T, mem []byte, max int64, f func(t *testing.T, img *Image)) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			img, err := v.newImage(mem, max)
			if err != nil {
				t.Fatal(err)
			}
			defer img.Close()
			f(t, img)
		})
	}
}

// testMemory returns size bytes in which pages of zeros and others alternate in
// runs of different lengths.
func testMemory(size int) []byte {
	mem := make([]byte, size)
	for at := 0; at < size; at += PageSize {
		if n := at / PageSize; n%7 < 4 {
			for i := range PageSize {
				mem[at+i] = byte(n*31 + i*7 + 1)
			}
		}
	}
	return mem
}

func newMemory(t testing.TB, img *Image) *Memory {
	t.Helper()
	m, err := img.NewMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// write runs f on the bytes of m as a guest would.
func write(m *Memory, f func(b []byte)) {
	m.Enter()
	defer m.Leave()
	f(m.Bytes())
}

func resetAndVerify(t *testing.T, m *Memory) {
	t.Helper()
	if err := m.Reset(); err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(); err != nil {
		t.Fatal(err)
	}
}

func TestResetRestoresEveryByteAndTheLength(t *testing.T) {
	const size, limit = 8 << 20, 24 << 20
	mem := testMemory(size)
	tests := []struct {
		name string
		run  func(t *testing.T, m *Memory)
	}{
		{"nothing", func(*testing.T, *Memory) {}},
		{"one byte", func(_ *testing.T, m *Memory) {
			write(m, func(b []byte) { b[12345]++ })
		}},
		{"the last byte", func(_ *testing.T, m *Memory) {
			write(m, func(b []byte) { b[len(b)-1]++ })
		}},
		{"every page", func(_ *testing.T, m *Memory) {
			write(m, func(b []byte) {
				for i := range b {
					b[i] ^= 0x5a
				}
			})
		}},
		// More regions than the kernel reports at once, which are 512.
		{"every other page", func(_ *testing.T, m *Memory) {
			write(m, func(b []byte) {
				for i := 0; i < len(b); i += 2 * PageSize {
					b[i]++
				}
			})
		}},
		{"growth", func(t *testing.T, m *Memory) {
			write(m, func([]byte) {
				b, ok := m.Grow(limit)
				if !ok {
					t.Fatal("Grow failed")
				}
				for i := size; i < len(b); i++ {
					if b[i] != 0 {
						t.Fatalf("byte %#x of the growth is %d", i, b[i])
					}
				}
				for i := size - PageSize; i < len(b); i += 3 * PageSize {
					b[i] = 1
				}
			})
		}},
		{"growth that is not used", func(t *testing.T, m *Memory) {
			write(m, func([]byte) { m.Grow(size + WasmPageSize) })
		}},
		{"reads", func(_ *testing.T, m *Memory) {
			write(m, func(b []byte) {
				n := 0
				for _, c := range b {
					n += int(c)
				}
			})
		}},
	}
	forEachVariant(t, mem, limit, func(t *testing.T, img *Image) {
		m := newMemory(t, img)
		for round := range 3 {
			for _, test := range tests {
				t.Run(fmt.Sprintf("%s %d", test.name, round), func(t *testing.T) {
					test.run(t, m)
					resetAndVerify(t, m)
				})
			}
		}
		if !bytes.Equal(m.Bytes(), mem) {
			t.Error("memory differs from what the image was made of")
		}
	})
}

// TestRandomHistories compares a memory with a model of it while random things
// happen.
func TestRandomHistories(t *testing.T) {
	const size, limit = 1 << 20, 3 << 20
	mem := testMemory(size)
	forEachVariant(t, mem, limit, func(t *testing.T, img *Image) {
		rounds := 400
		if testing.Short() {
			rounds = 60
		}
		rng := rand.New(rand.NewPCG(1, 2))
		m := newMemory(t, img)
		model := bytes.Clone(mem)
		for range rounds {
			m.Enter()
			for range rng.IntN(4) {
				switch rng.IntN(5) {
				case 0: // one page after the other
					at, n := rng.IntN(len(model)), rng.IntN(40*PageSize)
					v := byte(rng.Int())
					for _, b := range [][]byte{model, m.Bytes()} {
						b = b[at:min(at+n, len(b))]
						for i := range b {
							b[i] += v
						}
					}
				case 1: // scattered
					for range rng.IntN(300) {
						at := rng.IntN(len(model))
						model[at]++
						m.Bytes()[at]++
					}
				case 2: // growth
					to := min(len(model)+rng.IntN(4)*WasmPageSize, limit)
					if _, ok := m.Grow(int64(to)); !ok {
						t.Fatalf("Grow(%d) failed", to)
					}
					model = append(model, make([]byte, to-len(model))...)
				case 3: // writes that change nothing
					for range rng.IntN(50) {
						at := rng.IntN(len(model))
						m.Bytes()[at] = model[at]
					}
				case 4: // an interruption
					m.Leave()
					m.Enter()
				}
			}
			m.Leave()
			if !bytes.Equal(m.Bytes(), model) {
				t.Fatal("memory differs from the model")
			}
			if rng.IntN(3) == 0 {
				changed, err := m.AppendChanged(nil)
				if err != nil {
					t.Fatal(err)
				}
				if want := changedPages(mem, model); !slices.Equal(changed, want) {
					t.Fatalf("changed pages %v, want %v", changed, want)
				}
			}
			if rng.IntN(2) == 0 {
				resetAndVerify(t, m)
				model = append(model[:0], mem...)
				if changed, _ := m.AppendChanged(nil); len(changed) != 0 {
					t.Fatalf("pages %v changed after a reset", changed)
				}
			}
		}
	})
}

// changedPages returns the indices of the pages of mem that differ from image.
func changedPages(image, mem []byte) (pages []int32) {
	for at := 0; at < len(mem); at += PageSize {
		if !bytes.Equal(mem[at:at+PageSize], pageOf(image, int64(at))) {
			pages = append(pages, int32(at/PageSize))
		}
	}
	return pages
}

func TestMemoriesOfTwoImagesInTurn(t *testing.T) {
	a, b := testMemory(1<<20), bytes.Repeat([]byte{7}, 2<<20)
	forEachVariant(t, a, 2<<20, func(t *testing.T, imgA *Image) {
		forEachVariant(t, b, 4<<20, func(t *testing.T, imgB *Image) {
			memories := []*Memory{newMemory(t, imgA), newMemory(t, imgB), newMemory(t, imgA)}
			for round := range 30 {
				m := memories[round%len(memories)]
				write(m, func(p []byte) {
					for i := round * PageSize; i < len(p); i += (round + 1) * PageSize {
						p[i]++
					}
				})
				resetAndVerify(t, m)
			}
			for _, m := range memories {
				if err := m.Verify(); err != nil {
					t.Error(err)
				}
			}
		})
	})
}

func TestMemoriesDoNotSeeEachOther(t *testing.T) {
	mem := testMemory(1 << 20)
	forEachVariant(t, mem, 2<<20, func(t *testing.T, img *Image) {
		a, b := newMemory(t, img), newMemory(t, img)
		write(a, func([]byte) {
			p, _ := a.Grow(2 << 20)
			for i := range p {
				p[i] = 0xee
			}
		})
		if err := b.Verify(); err != nil {
			t.Error(err)
		}
		if p, ok := b.Grow(2 << 20); !ok || !bytes.Equal(p[1<<20:], make([]byte, 1<<20)) {
			t.Error("growth of one memory is seen in the other")
		}
		if !bytes.Equal(img.Bytes(), mem) {
			t.Error("image changed")
		}
	})
}

func TestManyGoroutines(t *testing.T) {
	mem := testMemory(1 << 20)
	forEachVariant(t, mem, 2<<20, func(t *testing.T, img *Image) {
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(3, uint64(g)))
				for range 10 {
					m, err := img.NewMemory()
					if err != nil {
						t.Error(err)
						return
					}
					for range 10 {
						write(m, func(b []byte) {
							for range 100 {
								b[rng.IntN(len(b))]++
							}
						})
						if err := errors.Join(m.Reset(), m.Verify()); err != nil {
							t.Error(err)
						}
					}
					if err := m.Close(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	})
}

func TestGrow(t *testing.T) {
	forEachVariant(t, testMemory(2*WasmPageSize), 5*WasmPageSize, func(t *testing.T, img *Image) {
		m := newMemory(t, img)
		start := &m.Bytes()[0]
		for _, test := range []struct {
			pages int64
			extra int64
			ok    bool
		}{
			{2, 0, true}, {1, 0, false}, {3, 1, false}, {3, 0, true}, {2, 0, false}, {5, 0, true}, {6, 0, false}, {-1, 0, false},
		} {
			before := len(m.Bytes())
			size := test.pages*WasmPageSize + test.extra
			b, ok := m.Grow(size)
			if ok != test.ok {
				t.Fatalf("Grow(%d) of %d: %v", size, before, ok)
			}
			want := before
			if ok {
				want = int(size)
				if len(b) != want || cap(b) != want {
					t.Errorf("Grow(%d): length %d, capacity %d", size, len(b), cap(b))
				}
			}
			if len(m.Bytes()) != want || &m.Bytes()[0] != start {
				t.Errorf("after Grow(%d) of %d: %d bytes, moved: %v", size, before, len(m.Bytes()), &m.Bytes()[0] != start)
			}
		}
	})
}

func TestNewImageRefusesImpossibleSizes(t *testing.T) {
	for _, test := range []struct {
		size int
		max  int64
	}{
		{0, WasmPageSize}, {PageSize, WasmPageSize}, {WasmPageSize, WasmPageSize - 1},
		{WasmPageSize, MaxMemoryBytes + WasmPageSize}, {WasmPageSize, -1},
	} {
		if _, err := NewImage(make([]byte, test.size), test.max); err == nil {
			t.Errorf("NewImage of %d bytes that may grow to %d: no error", test.size, test.max)
		}
	}
}

func TestMaxIsRoundedDown(t *testing.T) {
	img, err := NewImage(testMemory(WasmPageSize), 3*WasmPageSize-1)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	if img.Len() != WasmPageSize || img.Max() != 2*WasmPageSize {
		t.Errorf("length %d, maximum %d", img.Len(), img.Max())
	}
}

func TestLifetime(t *testing.T) {
	mem := testMemory(WasmPageSize)
	forEachVariant(t, mem, 2*WasmPageSize, func(t *testing.T, img *Image) {
		m, err := img.NewMemory()
		if err != nil {
			t.Fatal(err)
		}
		if m.Image() != img {
			t.Error("Image() is not the image")
		}
		for range 2 {
			if err := img.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if img.Bytes() != nil {
			t.Error("a closed image has bytes")
		}
		if _, err := img.NewMemory(); err != ErrClosed {
			t.Errorf("NewMemory of a closed image: %v", err)
		}

		// The memory outlives its image.
		m.Enter()
		m.Bytes()[0]++
		if _, err := m.AppendChanged(nil); err != ErrEntered {
			t.Errorf("AppendChanged of an entered memory: %v", err)
		}
		for name, f := range map[string]func() error{"Reset": m.Reset, "Verify": m.Verify, "Close": m.Close} {
			if err := f(); err != ErrEntered {
				t.Errorf("%s of an entered memory: %v", name, err)
			}
		}
		mustPanic(t, "Enter of an entered memory", m.Enter)
		m.Leave()
		mustPanic(t, "Leave of a memory that is not entered", m.Leave)
		resetAndVerify(t, m)

		for range 2 {
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Reset(); err != ErrClosed {
			t.Errorf("Reset of a closed memory: %v", err)
		}
		if _, ok := m.Grow(2 * WasmPageSize); ok || m.Bytes() != nil || m.Private() != 0 {
			t.Error("a closed memory has bytes")
		}
		mustPanic(t, "Enter of a closed memory", m.Enter)
	})
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s does not panic", what)
		}
	}()
	f()
}

// TestVerifyFinds makes sure that the oracle of the other tests is one.
func TestVerifyFinds(t *testing.T) {
	forEachVariant(t, testMemory(WasmPageSize), 4*WasmPageSize, func(t *testing.T, img *Image) {
		m := newMemory(t, img)
		write(m, func(b []byte) { b[5000]++; b[70]++ })
		const want = "snapshot: 2 bytes differ from the image, the first at 0x46"
		if err := m.Verify(); err == nil || err.Error() != want {
			t.Errorf("Verify: %v, want %s", err, want)
		}
		m.Grow(2 * WasmPageSize)
		if err := m.Verify(); err == nil || err.Error() != "snapshot: memory of 131072 bytes, image of 65536" {
			t.Errorf("Verify: %v", err)
		}
		resetAndVerify(t, m)
	})
}
