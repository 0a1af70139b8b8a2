//go:build linux && (amd64 || arm64)

package snapshot

import (
	"fmt"
	"testing"
)

// BenchmarkStrategies measures what was rejected: dropping all pages after each
// run, and asking the kernel after each run.
func BenchmarkStrategies(b *testing.B) {
	mem := testMemory(16 << 20)
	for _, pages := range []int{25, 50, 200} {
		for _, s := range []struct {
			name  string
			reset func(*Memory) error
		}{
			{"copyback", (*Memory).Reset},
			{"dontneed", func(m *Memory) error { return mapped(m).drop(m.extent) }},
			{"scan", func(m *Memory) error {
				mapped(m).stale = true
				return m.Reset()
			}},
			{"scan by pread", func(m *Memory) error {
				mapped(m).image.scanner = scanPread
				mapped(m).stale = true
				return m.Reset()
			}},
		} {
			b.Run(fmt.Sprintf("%s/%dpages", s.name, pages), func(b *testing.B) {
				m := newMapped(b, mem, 64<<20)
				benchReset(b, m.Image(), pages, s.reset)
			})
		}
	}
}
