package engine_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
)

// BenchmarkTracer renders a component of next to nothing without a tracer and with one
// that does nothing, in turns, and reports the median of each.
func BenchmarkTracer(b *testing.B) {
	idle := tracerFunc(func(ctx context.Context, _ engine.Op) (context.Context, func(engine.Outcome)) {
		return ctx, func(engine.Outcome) {}
	})
	const code = `export const render = () => ""`
	components := []*engine.Component{
		compile(b, newEngine(b, engine.Config{}), "noop.js", code),
		compile(b, newEngine(b, engine.Config{Tracer: idle}), "noop.js", code),
	}
	var took [2][]time.Duration
	for b.Loop() {
		for i, c := range components {
			begin := time.Now()
			render(b, c, nil, nil)
			took[i] = append(took[i], time.Since(begin))
		}
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2]) / 1e3
	}
	b.ReportMetric(median(took[0]), "none-µs")
	b.ReportMetric(median(took[1]), "idle-µs")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkTenants counts calls of many tenants, on all processors at once, beside nothing else.
func BenchmarkTenants(b *testing.B) {
	count := engine.CountTenants(10_000)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			count(i % 20_000)
		}
	})
}
