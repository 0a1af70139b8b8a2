package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
)

// overhead is what a batch costs, however many calls are in it: a launch on a device that does one at a time.
const overhead = 500 * time.Microsecond

// batches compares 64 guests that call a function with and without batches. Guests are goroutines that call as the
// engine does for a sandbox.
func batches(rounds int) error {
	p, err := newPool(gpu.Config{})
	if err != nil {
		return err
	}
	defer p.Close()
	run := func(_ context.Context, batch []*gpu.Request) error {
		time.Sleep(overhead)
		for _, r := range batch {
			r.Outputs = r.Inputs
		}
		return nil
	}
	const guests = 64
	sizes := []int{1, guests}
	rate := make([][]float64, len(sizes))
	for range max(rounds/8, 1) {
		for i, size := range sizes {
			f := &gpu.Function{Name: "model", MaxBatch: size, MaxDelay: 0, Run: run}
			set, err := hostfuncs.NewSet(gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{f}})...)
			if err != nil {
				return err
			}
			call, _ := set.Lookup("gpu.call")
			arg := hostfuncs.Value{JSON: json.RawMessage(`{"function": "model", "inputs": [{"name": "x", "datatype": "FP32", "shape": [16], "data": {"$bytes": 0}}]}`),
				Buffers: [][]byte{make([]byte, 64)}}
			calls := 20 * size
			var wg sync.WaitGroup
			failed := make(chan error, guests)
			begin := time.Now()
			for g := range guests {
				wg.Go(func() {
					ctx := hostfuncs.WithCaller(context.Background(), hostfuncs.Caller{Tenant: fmt.Sprint(g)})
					for range calls / size {
						if _, err := call.Call(ctx, arg); err != nil {
							failed <- err
							return
						}
					}
				})
			}
			wg.Wait()
			select {
			case err := <-failed:
				return err
			default:
			}
			rate[i] = append(rate[i], float64(guests*(calls/size))/time.Since(begin).Seconds())
		}
	}
	for i, size := range sizes {
		fmt.Printf("%d guests, a function that takes %v for a batch, MaxBatch %2d: %8.0f calls/s  %5.1f times\n", guests, overhead, size, mean(rate[i]), mean(rate[i])/mean(rate[0]))
	}
	return nil
}

func mean(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
