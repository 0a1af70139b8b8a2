package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
)

// overhead is what a batch costs, however many calls are in it: a launch on a device that does one at a time.
const overhead = 5 * time.Millisecond

// caller is a guest that calls a function n times.
const caller = `import { call } from "spore";
export async function render({ n }) {
	const x = { name: "x", datatype: "FP32", shape: [16], data: new Uint8Array(64) };
	for (let i = 0; i < n; i++) await call("gpu.call", { function: "model", inputs: [x] });
	return "done";
}`

// batches compares 64 sandboxes that call a function with and without batches.
func batches(rounds int) error {
	p, err := newPool(gpu.Config{})
	if err != nil {
		return err
	}
	defer p.Close()
	const guests, calls = 64, 10
	e, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{javascript.Runtime()}, Limits: engine.Limits{HostTime: time.Minute, CallTime: time.Minute}})
	if err != nil {
		return err
	}
	defer e.Close()
	c, err := e.Compile(context.Background(), engine.Source{Name: "caller.js", Code: []byte(caller)})
	if err != nil {
		return err
	}
	run := func(_ context.Context, batch []*gpu.Request) error {
		time.Sleep(overhead)
		for _, r := range batch {
			r.Outputs = r.Inputs
		}
		return nil
	}
	sizes := []int{1, guests}
	rate := make([][]float64, len(sizes))
	for range max(rounds/8, 1) {
		for i, size := range sizes {
			f := &gpu.Function{Name: "model", MaxBatch: size, Run: run}
			grants, err := hostfuncs.NewSet(gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{f}})...)
			if err != nil {
				return err
			}
			var wg sync.WaitGroup
			failed := make(chan error, guests)
			begin := time.Now()
			for g := range guests {
				wg.Go(func() {
					_, err := c.Render(context.Background(), map[string]int{"n": calls}, &engine.Options{Grants: grants, Tenant: fmt.Sprint(g)})
					if err != nil {
						failed <- err
					}
				})
			}
			wg.Wait()
			select {
			case err := <-failed:
				return err
			default:
			}
			rate[i] = append(rate[i], guests*calls/time.Since(begin).Seconds())
		}
	}
	for i, size := range sizes {
		fmt.Printf("%d sandboxes, a function that takes %v for a batch, MaxBatch %2d: %8.0f calls/s  %5.1f times\n", guests, overhead, size, mean(rate[i]), mean(rate[i])/mean(rate[0]))
	}
	return nil
}

func mean(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
