package snapshot

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// benchReset measures a reset after a run that writes to pages scattered over an
// image of size bytes. Reported are the median and the 99th percentile, and beside
// them the median of the runs, in which dropped pages have to be faulted in again.
func benchReset(b *testing.B, img *Image, pages int, reset func(*Memory) error) {
	m := newMemory(b, img)
	size := int(img.Len())
	step := size / pages / PageSize * PageSize
	run := func() {
		write(m, func(p []byte) {
			for i := range pages {
				p[i*step]++
			}
		})
	}
	for range 3 {
		run()
		if err := reset(m); err != nil {
			b.Fatal(err)
		}
	}
	var runs, resets []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		run()
		middle := time.Now()
		if err := reset(m); err != nil {
			b.Fatal(err)
		}
		if len(runs) < 1<<16 {
			runs = append(runs, middle.Sub(start))
			resets = append(resets, time.Since(middle))
		}
	}
	slices.Sort(runs)
	slices.Sort(resets)
	b.ReportMetric(float64(runs[len(runs)/2]), "run-p50-ns")
	b.ReportMetric(float64(resets[len(resets)/2]), "reset-p50-ns")
	b.ReportMetric(float64(resets[len(resets)*99/100]), "reset-p99-ns")
}

func BenchmarkReset(b *testing.B) {
	for _, size := range []int{4 << 20, 64 << 20} {
		mem := testMemory(size)
		for _, pages := range []int{1, 25, 50, 200, 1000} {
			if pages*PageSize > size {
				continue
			}
			name := fmt.Sprintf("%dMiB/%dpages", size>>20, pages)
			b.Run("copyback/"+name, func(b *testing.B) {
				img, err := NewImage(mem, int64(2*size))
				if err != nil {
					b.Fatal(err)
				}
				defer img.Close()
				benchReset(b, img, pages, (*Memory).Reset)
			})
			b.Run("compare/"+name, func(b *testing.B) {
				img, err := copyVariant().newImage(mem, int64(2*size))
				if err != nil {
					b.Fatal(err)
				}
				defer img.Close()
				benchReset(b, img, pages, (*Memory).Reset)
			})
			b.Run("fullcopy/"+name, func(b *testing.B) {
				img, err := copyVariant().newImage(mem, int64(2*size))
				if err != nil {
					b.Fatal(err)
				}
				defer img.Close()
				benchReset(b, img, pages, func(m *Memory) error {
					copy(m.Bytes(), mem)
					return nil
				})
			})
		}
	}
}

func BenchmarkEnterLeave(b *testing.B) {
	img, err := NewImage(testMemory(1<<20), 1<<20)
	if err != nil {
		b.Fatal(err)
	}
	defer img.Close()
	m := newMemory(b, img)
	b.ReportAllocs()
	for b.Loop() {
		m.Enter()
		m.Leave()
	}
}

func BenchmarkNewImage(b *testing.B) {
	mem := testMemory(16 << 20)
	b.SetBytes(int64(len(mem)))
	for b.Loop() {
		img, err := NewImage(mem, 256<<20)
		if err != nil {
			b.Fatal(err)
		}
		img.Close()
	}
}

func BenchmarkNewMemory(b *testing.B) {
	img, err := NewImage(testMemory(16<<20), 256<<20)
	if err != nil {
		b.Fatal(err)
	}
	defer img.Close()
	for b.Loop() {
		m, err := img.NewMemory()
		if err != nil {
			b.Fatal(err)
		}
		m.Close()
	}
}
