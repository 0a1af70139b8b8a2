package snapshot

import (
	"bytes"
	crand "crypto/rand"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
)

// patterns are ways to write to a memory.
var patterns = []struct {
	name  string
	write func(r *rand.Rand, b []byte)
}{
	{"sparse", func(r *rand.Rand, b []byte) {
		for range 1 + r.IntN(20) {
			b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
		}
	}},
	{"dense", func(r *rand.Rand, b []byte) {
		at := r.IntN(len(b))
		b = b[at:min(len(b), at+r.IntN(2<<20))]
		for i := range b {
			b[i] += 0x35
		}
	}},
	{"scattered regions", func(r *rand.Rand, b []byte) {
		// Apart, so that each is a region of its own to the kernel.
		pages := len(b) / PageSize
		for range 65 + r.IntN(700) {
			page := r.IntN(pages/2) * 2
			b[page*PageSize+r.IntN(PageSize)]++
		}
	}},
	{"every k-th page", func(r *rand.Rand, b []byte) {
		k := 1 + r.IntN(40)
		for at := r.IntN(k) * PageSize; at < len(b); at += k * PageSize {
			b[at+r.IntN(PageSize)]--
		}
	}},
	{"across page borders", func(r *rand.Rand, b []byte) {
		for range 1 + r.IntN(60) {
			border, n := (1+r.IntN(len(b)/PageSize-1))*PageSize, 1+r.IntN(32)
			for i := border - n; i < border+n; i++ {
				b[i] ^= 0xff
			}
		}
	}},
	{"the first and the last byte", func(_ *rand.Rand, b []byte) {
		b[0]++
		b[len(b)-1]++
	}},
	{"what is there already", func(r *rand.Rand, b []byte) {
		for range r.IntN(200) {
			at := r.IntN(len(b))
			p := &b[at]
			*p ^= 1
			*p ^= 1
		}
	}},
	{"by the kernel", func(r *rand.Rand, b []byte) {
		at := r.IntN(len(b))
		crand.Read(b[at:min(len(b), at+r.IntN(100<<10))])
	}},
	{"zeros", func(r *rand.Rand, b []byte) {
		at := r.IntN(len(b))
		clear(b[at:min(len(b), at+r.IntN(1<<20))])
	}},
	{"reads only", func(r *rand.Rand, b []byte) {
		sum := byte(0)
		for range 500 {
			sum += b[r.IntN(len(b))]
		}
		runtime.KeepAlive(sum)
	}},
}

// A resetSubject is a memory and what its image was made of.
type resetSubject struct {
	memory *Memory
	image  []byte
}

// TestResetProperty runs random histories of writes, growth, interruptions and
// page-outs on memories of several images in turn, under memory pressure. After
// every reset each byte, the length, and what a guest finds behind it when it
// grows must be as if nothing had ever run.
func TestResetProperty(t *testing.T) {
	rounds := 250
	if testing.Short() {
		rounds = 40
	}
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %#x", seed)
			r := rand.New(rand.NewPCG(seed, 1))
			images := [][]byte{testMemory(1 << 20), bytes.Repeat([]byte{7}, 4<<20), make([]byte, 3<<20)}
			var subjects []resetSubject
			for i, mem := range images {
				img, err := v.newImage(mem, int64(len(mem)+(i+1)<<20))
				if err != nil {
					t.Fatal(err)
				}
				defer img.Close()
				for range 2 {
					subjects = append(subjects, resetSubject{newMemory(t, img), mem})
				}
			}
			stop := pressure()
			defer stop()
			out := new(pageOuts)
			for round := range rounds {
				s := subjects[r.IntN(len(subjects))]
				did := s.history(t, r, out)
				if err := s.memory.Reset(); err != nil {
					t.Fatal(err)
				}
				if t.Failed() || !s.pristine(t, r) {
					t.Fatalf("after round %d: %v", round, did)
				}
			}
			for _, s := range subjects {
				s.pristine(t, r)
			}
			t.Log(out)
		})
	}
}

// history does random things to the memory and returns their names.
func (s *resetSubject) history(t *testing.T, r *rand.Rand, out *pageOuts) (did []string) {
	m := s.memory
	m.Enter()
	defer m.Leave()
	for range r.IntN(5) {
		switch r.IntN(8) {
		case 0:
			old := len(m.Bytes())
			size := int64(old) + int64(r.IntN(6))*WasmPageSize
			b, ok := m.Grow(size)
			if ok != (size <= m.Image().Max()) {
				t.Errorf("Grow(%d) is %v", size, ok)
			}
			if ok && r.IntN(3) > 0 {
				fresh := b[old:]
				for i := range fresh[:r.IntN(len(fresh)+1)] {
					fresh[i] = 0xee
				}
			}
			did = append(did, "growth")
		case 1:
			// Between two stretches the goroutine may change its thread.
			m.Leave()
			runtime.Gosched()
			m.Enter()
			did = append(did, "interruption")
		case 2:
			out.swap(t, m)
			did = append(did, "page-out")
		default:
			p := patterns[r.IntN(len(patterns))]
			p.write(r, m.Bytes())
			did = append(did, p.name)
		}
	}
	if r.IntN(3) == 0 {
		out.swap(t, m)
		did = append(did, "page-out")
	}
	return did
}

// pristine compares the memory with what the image was made of, without the
// help of the package. From time to time it looks behind the length as a guest
// can.
func (s *resetSubject) pristine(t *testing.T, r *rand.Rand) bool {
	t.Helper()
	m := s.memory
	if !bytes.Equal(m.Bytes(), s.image) {
		t.Errorf("a reset memory of %d bytes differs from its image of %d; %v", len(m.Bytes()), len(s.image), m.Verify())
	}
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
	if r.IntN(4) == 0 {
		m.Enter()
		b, ok := m.Grow(m.Image().Max())
		if !ok || !allZero(b[len(s.image):]) || !bytes.Equal(b[:len(s.image)], s.image) {
			t.Errorf("after growth of a reset memory: %v, or it is not zero behind the image", ok)
		}
		m.Leave()
		if err := m.Reset(); err != nil {
			t.Error(err)
		}
	}
	return !t.Failed()
}

func allZero(b []byte) bool {
	for ; len(b) >= PageSize; b = b[PageSize:] {
		if !bytes.Equal(b[:PageSize], zeroPage[:]) {
			return false
		}
	}
	return len(b) == 0
}

// pressure allocates and gives back memory on another goroutine until it is
// stopped.
func pressure() (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			b := make([]byte, 64<<20)
			for i := 0; i < len(b); i += PageSize {
				b[i] = 1
			}
			runtime.KeepAlive(b)
			debug.FreeOSMemory()
		}
	})
	return func() { close(done); wg.Wait() }
}
