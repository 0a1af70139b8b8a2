package pyworker_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
)

// BenchmarkCall measures what a call costs beside its model: to Python and back.
func BenchmarkCall(b *testing.B) {
	for _, n := range []int{64, 64 << 10, 4 << 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := newPool(b, "testdata/models.py", gpu.Config{})
			functions, _, err := p.Models(b.Context())
			require.NoError(b, err)
			echo := functions[len(functions)-1]
			b.SetBytes(2 * int64(n))
			for b.Loop() {
				r := &gpu.Request{Inputs: []gpu.Tensor{{Name: "x", Datatype: "UINT8", Shape: []int{n}, Data: make([]byte, n)}}}
				if err := echo.Run(context.Background(), []*gpu.Request{r}); err != nil || len(r.Outputs[0].Data) != n {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStart measures the start of a pool of Python workers until the first answer.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		p := newPool(b, "testdata/models.py", gpu.Config{})
		_, _, err := p.Models(b.Context())
		require.NoError(b, err)
		require.NoError(b, p.Close())
	}
}

// BenchmarkPart measures a part of a stream.
func BenchmarkPart(b *testing.B) {
	p := newPool(b, "testdata/models.py", gpu.Config{})
	_, streams, err := p.Models(b.Context())
	require.NoError(b, err)
	n := []byte{7: 0}
	for i := range 8 {
		n[i] = byte(b.N >> (8 * i))
	}
	got := 0
	b.ResetTimer()
	r := &gpu.Request{Inputs: []gpu.Tensor{{Name: "n", Datatype: "INT64", Shape: []int{}, Data: n}}}
	err = streams[0].Run(b.Context(), r, func(gpu.Part) error { got++; return nil })
	if err != nil || got != b.N {
		b.Fatal(got, err)
	}
}

// BenchmarkBatches has 64 guests call a model that takes 5 ms, each call alone and many together.
func BenchmarkBatches(b *testing.B) {
	for _, name := range []string{"alone", "together"} {
		b.Run(name, func(b *testing.B) {
			call := newGuest(b, newPool(b, "testdata/models.py", gpu.Config{}))
			in := rows(1, 4, 1)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var wg sync.WaitGroup
			for i := range 64 {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if a := call(b.Context(), fmt.Sprint(i), name, in); a.err != nil {
							b.Error(a.err)
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}
