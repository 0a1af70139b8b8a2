package snapshot

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

var slabEntries = flag.Int("slab-entries", 100_000, "how many entries BenchmarkSlabFilled puts into a slab")

func BenchmarkSlab(b *testing.B) {
	for _, n := range []int{2_100, 3_400, 21_000, 3_500_000} {
		data := make([]byte, n)
		s, err := NewSlab(1 << 30)
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		h := put(b, s, data)
		b.Run(fmt.Sprintf("PutFree/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Free(put(b, s, data)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("Get/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if data, err = s.Get(data[:0], h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSlabParallel replaces random ones of many entries on all processors, as
// sessions do that wake and go back to sleep.
func BenchmarkSlabParallel(b *testing.B) {
	s, err := NewSlab(1 << 30)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.RunParallel(func(pb *testing.PB) {
		r := rand.New(rand.NewPCG(rand.Uint64(), 7))
		handles := make([]Handle, 10_000)
		data := make([]byte, 4000)
		for i := range handles {
			handles[i] = put(b, s, data[:3000+r.IntN(1000)])
		}
		for pb.Next() {
			h := &handles[r.IntN(len(handles))]
			var err error
			if data, err = s.Get(data[:0], *h); err != nil {
				b.Fatal(err)
			}
			if err = s.Free(*h); err != nil {
				b.Fatal(err)
			}
			*h = put(b, s, data[:min(3000+r.IntN(1000), cap(data))])
		}
	})
}

// BenchmarkSlabFilled fills a slab with many entries of 3,400 bytes, and measures
// what each of them takes, and a garbage collection with all of them there. With
// -slab-entries 1000000 it takes 3.6 GB.
func BenchmarkSlabFilled(b *testing.B) {
	data := make([]byte, 3_400)
	for b.Loop() {
		s, err := NewSlab(int64(*slabEntries)*4<<10 + 64<<20)
		if err != nil {
			b.Fatal(err)
		}
		handles := make([]Handle, *slabEntries)
		for i := range handles {
			handles[i] = put(b, s, data)
		}
		start := time.Now()
		runtime.GC()
		b.ReportMetric(float64(time.Since(start).Microseconds()), "µs/GC")
		b.ReportMetric(float64(s.Stats().Mapped)/float64(len(handles)), "mapped-bytes/entry")
		for i := range handles {
			if err := s.Free(handles[i]); err != nil {
				b.Fatal(err)
			}
		}
		s.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(*slabEntries), "ns/entry")
}
