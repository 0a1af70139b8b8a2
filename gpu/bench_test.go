package gpu_test

import (
	"testing"

	"github.com/sporeengine/spore/gpu"
)

// BenchmarkEval is a small program in a worker.
func BenchmarkEval(b *testing.B) {
	for _, pipes := range []bool{false, true} {
		b.Run(map[bool]string{false: "memory", true: "pipes"}[pipes], func(b *testing.B) {
			p := newPool(b, gpu.Config{Pipes: pipes})
			view, x := p.For("a"), [][]byte{raw(counting(16, 1)), make([]byte, 16)}
			out := [][]byte{make([]byte, 64)}
			b.ReportAllocs()
			for b.Loop() {
				if err := view.Eval(b.Context(), square(16), x, nil, out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
