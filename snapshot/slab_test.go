package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// forEachSlab runs f with a slab of each kind.
func forEachSlab(t *testing.T, maxBytes int64, f func(t *testing.T, s *Slab)) {
	run := func(name string, make func() (*Slab, error)) {
		t.Run(name, func(t *testing.T) {
			s, err := make()
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				for range 2 {
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				}
			}()
			f(t, s)
		})
	}
	run("default", func() (*Slab, error) { return NewSlab(maxBytes) })
	run("heap", func() (*Slab, error) {
		n, err := slabChunks(maxBytes)
		return newSlab(newHeapSlab(), n), err
	})
}

func put(t testing.TB, s *Slab, b []byte) Handle {
	t.Helper()
	h, err := s.Put(b)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestSlotClasses(t *testing.T) {
	last := int32(-1)
	for n := 1; n <= maxSlot; n++ {
		c := slotClass(n)
		size := slotSize(c)
		if size < n || size-n >= max(slotUnit, n/8+1) {
			t.Fatalf("%d bytes get a slot of %d", n, size)
		}
		if c != last && c != last+1 || c >= slotClasses {
			t.Fatalf("class %d of %d bytes comes after class %d", c, n, last)
		}
		if c != last && n > 1 && slotSize(last) != n-1 {
			t.Fatalf("class %d of %d bytes begins at %d", last, slotSize(last), n)
		}
		last = c
	}
	if last != slotClasses-1 {
		t.Errorf("%d classes, want %d", last+1, slotClasses)
	}
}

// slabEntry returns n bytes that tell what they are. The period is prime, so that
// they also tell where they belong.
func slabEntry(seed uint64, n int) []byte {
	const period = 61
	b := make([]byte, n)
	var pattern [64]byte
	for i := range 8 {
		binary.NativeEndian.PutUint64(pattern[8*i:], (seed+1)*0x9e3779b97f4a7c15^uint64(i)<<40)
	}
	for i := copy(b, pattern[:period]); i < n; i *= 2 {
		copy(b[i:], b[:i])
	}
	return b
}

// slabLength returns lengths of all magnitudes.
func slabLength(r *rand.Rand) int {
	switch r.IntN(10) {
	case 0:
		return r.IntN(3)
	case 1:
		return slotMost - 2 + r.IntN(5)
	case 2:
		return r.IntN(200_000)
	}
	return r.IntN(1 << (4 + r.IntN(12)))
}

// TestSlabProperty runs random histories beside a map.
func TestSlabProperty(t *testing.T) {
	forEachSlab(t, 16<<20, func(t *testing.T, s *Slab) {
		seed := rand.Uint64()
		t.Logf("seed %#x", seed)
		r := rand.New(rand.NewPCG(seed, 4))
		type entry struct {
			h Handle
			b []byte
		}
		var live []entry
		var stale []Handle
		sum, full := int64(0), 0
		for step := range 20_000 {
			grows := step/2000%2 == 0
			switch k := r.IntN(10); {
			case k < 5 && grows || k < 2:
				b := slabEntry(uint64(step), slabLength(r))
				h, err := s.Put(b)
				if errors.Is(err, ErrSlabFull) {
					full++
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				live = append(live, entry{h, b})
				sum += int64(len(b))
			case k < 7 && len(live) > 0:
				i := r.IntN(len(live))
				if err := s.Free(live[i].h); err != nil {
					t.Fatal(err)
				}
				sum -= int64(len(live[i].b))
				stale = append(stale, live[i].h)
				live[i] = live[len(live)-1]
				live = live[:len(live)-1]
			case k < 9 && len(live) > 0:
				e := live[r.IntN(len(live))]
				got, err := s.Get([]byte("before"), e.h)
				if err != nil || !bytes.Equal(got, append([]byte("before"), e.b...)) {
					t.Fatalf("step %d: an entry of %d bytes became %d; %v", step, len(e.b), len(got)-6, err)
				}
			case len(stale) > 0:
				h := stale[r.IntN(len(stale))]
				if b, err := s.Get(nil, h); err != ErrStaleHandle || b != nil {
					t.Fatalf("step %d: %d bytes for a stale handle; %v", step, len(b), err)
				}
				if err := s.Free(h); err != ErrStaleHandle {
					t.Fatalf("step %d: Free of a stale handle: %v", step, err)
				}
			}
			if st := s.Stats(); st.Entries != int64(len(live)) || st.Bytes != sum || st.Mapped > 16<<20 || st.Mapped < st.Bytes {
				t.Fatalf("step %d: %+v, want %d entries and %d bytes", step, st, len(live), sum)
			}
		}
		for _, e := range live {
			if got, err := s.Get(nil, e.h); err != nil || !bytes.Equal(got, e.b) {
				t.Fatalf("an entry of %d bytes became %d; %v", len(e.b), len(got), err)
			}
			if err := s.Free(e.h); err != nil {
				t.Fatal(err)
			}
		}
		if st := s.Stats(); st.Entries != 0 || st.Bytes != 0 || st.Mapped > spareChunks*chunkBytes {
			t.Errorf("an empty slab has %+v", st)
		}
		t.Logf("%d times full, %d entries freed", full, len(stale))
	})
}

func TestSlabFull(t *testing.T) {
	for _, n := range []int64{-1, 0, chunkBytes - 1, 1 << 62} {
		if s, err := NewSlab(n); err == nil {
			s.Close()
			t.Errorf("a slab of %d bytes", n)
		}
	}
	forEachSlab(t, 2*chunkBytes+1, func(t *testing.T, s *Slab) {
		// What does not fit as a whole leaves nothing behind.
		for range 3 {
			if _, err := s.Put(make([]byte, 2*chunkBytes)); err != ErrSlabFull {
				t.Fatalf("more than there is room for: %v", err)
			}
			if st := s.Stats(); st.Entries != 0 || st.Bytes != 0 {
				t.Fatalf("after a refusal %+v", st)
			}
		}
		var handles []Handle
		for {
			h, err := s.Put(make([]byte, 1000))
			if err == ErrSlabFull {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			handles = append(handles, h)
		}
		if n := 2 * (chunkBytes / 1024); len(handles) != n {
			t.Errorf("%d entries, want %d", len(handles), n)
		}
		// Any one that goes makes room for another of its size, and a chunk's
		// worth of them for another size.
		if err := s.Free(handles[7]); err != nil {
			t.Fatal(err)
		}
		handles[7] = put(t, s, make([]byte, 990))
		for _, h := range handles[:chunkBytes/1024] {
			if err := s.Free(h); err != nil {
				t.Fatal(err)
			}
		}
		put(t, s, make([]byte, chunkBytes/maxSlot*slotMost))
	})
}

// TestStaleHandleIsNoEntry has bytes where a freed entry had its header that look
// like that header, as a guest could write them.
func TestStaleHandleIsNoEntry(t *testing.T) {
	forEachSlab(t, chunkBytes, func(t *testing.T, s *Slab) {
		h := put(t, s, make([]byte, 1000))
		h2 := put(t, s, make([]byte, 1000))
		id := bytes.Clone(s.slot(h2.at)[:slotHeader])
		for _, h := range []Handle{h, h2} {
			if err := s.Free(h); err != nil {
				t.Fatal(err)
			}
		}
		forged := put(t, s, bytes.Repeat(id, slotMost/slotHeader))
		again, err := s.Get(nil, forged)
		if err != nil || !bytes.HasPrefix(again, id) {
			t.Fatal(err)
		}
		for _, h := range []Handle{h, h2, {}, {at: 1 << 60, id: h.id}, {at: forged.at + 24, id: h2.id}} {
			if _, err := s.Get(nil, h); err != ErrStaleHandle {
				t.Errorf("Get of %+v: %v", h, err)
			}
			if err := s.Free(h); err != ErrStaleHandle {
				t.Errorf("Free of %+v: %v", h, err)
			}
		}
	})
	a, err := NewSlab(chunkBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := NewSlab(chunkBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	put(t, b, []byte("b"))
	if _, err := b.Get(nil, put(t, a, []byte("a"))); err != ErrStaleHandle {
		t.Errorf("a handle of another slab: %v", err)
	}
}

func TestClosedSlab(t *testing.T) {
	forEachSlab(t, 1<<20, func(t *testing.T, s *Slab) {
		h := put(t, s, []byte("x"))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(nil); err != ErrClosed {
			t.Errorf("Put: %v", err)
		}
		if _, err := s.Get(nil, h); err != ErrClosed {
			t.Errorf("Get: %v", err)
		}
		if err := s.Free(h); err != ErrClosed {
			t.Errorf("Free: %v", err)
		}
		if st := s.Stats(); st != (SlabStats{}) {
			t.Errorf("%+v", st)
		}
	})
}

// TestSlabHammer has goroutines that put, get and free entries, also those of
// each other, until the slab is closed under them. Whoever has the handle of an
// entry gets that entry or an error, whatever happened to it meanwhile.
func TestSlabHammer(t *testing.T) {
	rounds := 4000
	if testing.Short() {
		rounds = 800
	}
	forEachSlab(t, 8<<20, func(t *testing.T, s *Slab) {
		type entry struct {
			h    Handle
			seed uint64
			n    int
		}
		var table [64]atomic.Pointer[entry]
		var seeds, gets, stale, full atomic.Int64
		var wg, closing sync.WaitGroup
		worker := func(r *rand.Rand, rounds int) error {
			var buf []byte
			var old *entry
			for range rounds {
				place := &table[r.IntN(len(table))]
				if r.IntN(3) == 0 {
					e := &entry{seed: uint64(seeds.Add(1)), n: slabLength(r)}
					var err error
					if e.h, err = s.Put(slabEntry(e.seed, e.n)); errors.Is(err, ErrSlabFull) {
						full.Add(1)
						e = nil
					} else if err != nil {
						return err
					}
					if old := place.Swap(e); old != nil {
						if err := s.Free(old.h); err != nil {
							return err
						}
					}
					continue
				}
				e := place.Load()
				if r.IntN(4) == 0 {
					e, old = old, e // which somebody may have freed
				}
				if e == nil {
					continue
				}
				var err error
				buf, err = s.Get(buf[:0], e.h)
				switch {
				case errors.Is(err, ErrStaleHandle):
					stale.Add(1)
				case err != nil:
					return err
				case !bytes.Equal(buf, slabEntry(e.seed, e.n)):
					t.Errorf("an entry of %d bytes became another one", e.n)
				default:
					gets.Add(1)
				}
			}
			return nil
		}
		for i := range uint64(8) {
			wg.Go(func() {
				if err := worker(rand.New(rand.NewPCG(i, 5)), rounds); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		t.Logf("%d entries, %d times full, %d read, %d stale", seeds.Load(), full.Load(), gets.Load(), stale.Load())
		if gets.Load() == 0 || stale.Load() == 0 {
			t.Error("no entry was read, or none was stale")
		}
		for i := range uint64(4) {
			closing.Go(func() {
				if err := worker(rand.New(rand.NewPCG(i, 6)), 1<<30); !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
			})
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		closing.Wait()
	})
}

func TestSlabDoesNotAllocate(t *testing.T) {
	forEachSlab(t, 1<<20, func(t *testing.T, s *Slab) {
		b, buf := make([]byte, 40_000), make([]byte, 0, 40_000)
		put(t, s, b)
		n := testing.AllocsPerRun(100, func() {
			h, err := s.Put(b)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Get(buf, h); err != nil {
				t.Fatal(err)
			}
			if err := s.Free(h); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
