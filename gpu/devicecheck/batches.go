package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
	"github.com/sporeengine/spore/hostfuncs"
)

const (
	callers = 64  // sandboxes
	width   = 512 // of the vectors that they send
)

// batches measures 64 sandboxes that call one function, a product of a matrix with the vector that they send: one by one, in batches, and beside it PyTorch with all
// vectors in one tensor. What a sandbox itself costs is left out: gpu/bench has real ones.
func batches(c *config, pool *gpu.Pool, t *table) {
	const what = "product of 512² and a vector, 64 callers"
	alone, err := batched(c, pool, 1)
	var together float64
	if err == nil {
		together, err = batched(c, pool, callers)
	}
	if err != nil {
		t.fail("d", "P7 "+what, err)
		return
	}
	t.ratio("d", "P7 "+what+": batched, one by one", short(together), short(alone), alone/together, 5, c.quick)
	t.peer(c, "P7", what, together*callers, 0.5)
}

// batched returns the seconds that a call takes, on average of all callers, in batches of at most size.
func batched(c *config, pool *gpu.Pool, size int) (seconds float64, err error) {
	k, err := newTask(func(b *tensor.Builder) []tensor.Value {
		return []tensor.Value{b.Apply(tensor.MatMul, nil, b.Input(tensor.Float32, size, width), b.Constant(tensor.Float32, width, width))}
	})
	if err != nil {
		return 0, err
	}
	const tenant = "the function itself"
	id := gpu.IDOf(k.p.Constants()[0], k.constants[0])
	if err := pool.For(tenant).PutConstant(context.Background(), id, k.p.Constants()[0], k.constants[0]); err != nil {
		return 0, err
	}
	defer pool.For(tenant).DropConstant(id)
	f := &gpu.Function{Name: "product", MaxBatch: size, Run: func(ctx context.Context, batch []*gpu.Request) error {
		in, out := make([]byte, size*width*4), make([]byte, size*width*4)
		for i, r := range batch {
			copy(in[i*width*4:], r.Inputs[0].Data)
		}
		if err := pool.For(tenant).Eval(ctx, k.p, [][]byte{in}, []gpu.ConstantID{id}, [][]byte{out}); err != nil {
			return err
		}
		for i, r := range batch {
			y := r.Inputs[0]
			y.Data = out[i*width*4 : (i+1)*width*4]
			r.Outputs = []gpu.Tensor{y}
		}
		return nil
	}}
	var call hostfuncs.Func
	for _, h := range gpu.Functions(pool, gpu.Options{Functions: []*gpu.Function{f}}) {
		if h.Name == "gpu.call" {
			call = h
		}
	}
	vector := k.in[0][:width*4]
	arg := json.RawMessage(fmt.Sprintf(`{"function": "product", "inputs": [{"name": "x", "datatype": "FP32", "shape": [%d], "data": {"$bytes": 0}}]}`, width))
	each := c.size(200, 3)
	failed := make(chan error, callers)
	var wg sync.WaitGroup
	var begin time.Time
	for round := range 2 { // the first is for kernels to be compiled and memory to be taken
		begin = time.Now()
		for i := range callers {
			wg.Go(func() {
				ctx := hostfuncs.WithCaller(context.Background(), hostfuncs.Caller{Tenant: fmt.Sprint("sandbox ", i)})
				for range max(round*each, 1) {
					v, err := call.Call(ctx, hostfuncs.Value{JSON: arg, Buffers: [][]byte{vector}})
					if err == nil && (len(v.Buffers) != 1 || len(v.Buffers[0]) != len(vector)) {
						err = fmt.Errorf("the function returned %s", v.JSON)
					}
					if err != nil {
						failed <- err
						return
					}
				}
			})
		}
		wg.Wait()
		select {
		case err := <-failed:
			return 0, err
		default:
		}
	}
	return time.Since(begin).Seconds() / float64(callers*each), nil
}
