package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
)

// BenchmarkIsolation renders a small component in this process and in a worker
// process, in turns, and reports the median of each and their difference.
func BenchmarkIsolation(b *testing.B) {
	for _, source := range []struct{ name, code string }{
		{"small.js", "export const render = p => `<b>${p.title}</b><ul>${p.rows.map(r => `<li>${r}</li>`).join('')}</ul>`"},
		{"small.py", "def render(p):\n    return f\"<b>{p['title']}</b><ul>{''.join(f'<li>{r}</li>' for r in p['rows'])}</ul>\""},
	} {
		b.Run(source.name, func(b *testing.B) {
			here := compile(b, newEngine(b, engine.Config{}), source.name, source.code)
			there := compile(b, newEngine(b, engine.Config{Isolation: engine.Subprocess, Workers: 2}), source.name, source.code)
			props := map[string]any{"title": "Revenue", "rows": []int{1, 2, 3, 4, 5, 6, 7, 8}}
			var took [2][]time.Duration
			for b.Loop() {
				for i, c := range []*engine.Component{here, there} {
					begin := time.Now()
					render(b, c, props, nil)
					took[i] = append(took[i], time.Since(begin))
				}
			}
			median := func(d []time.Duration) float64 {
				slices.Sort(d)
				return float64(d[len(d)/2]) / 1e3
			}
			b.ReportMetric(median(took[0]), "in-process-µs")
			b.ReportMetric(median(took[1]), "subprocess-µs")
			b.ReportMetric(median(took[1])-median(took[0]), "more-µs")
			b.ReportMetric(0, "ns/op")
		})
	}
}
