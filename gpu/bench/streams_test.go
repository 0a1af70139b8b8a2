package main

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

// counter emits 0, 1, 2 ... for ever, or as many as the parameter n says.
func counter() *gpu.Stream {
	return &gpu.Stream{Name: "counter", Run: func(ctx context.Context, r *gpu.Request, emit func(gpu.Part) error) error {
		n, bounded := r.Parameters["n"].(float64)
		for i := uint32(0); !bounded || i < uint32(n); i++ {
			out := gpu.Tensor{Name: "x", Datatype: "UINT32", Shape: []int{1}, Data: binary.LittleEndian.AppendUint32(nil, i)}
			if err := emit(gpu.Part{Outputs: []gpu.Tensor{out}}); err != nil {
				return err
			}
		}
		return nil
	}}
}

// TestStreams has guests of both languages keep a stream from call to call.
func TestStreams(t *testing.T) {
	sources := map[string]string{
		"guest.js": `import { call } from "spore";
let s, sum = 0;
export async function begin(p) { s = (await call("gpu.stream", { function: "counter", parameters: p ?? {} })).stream; return 0; }
export async function take(n) {
	for (let i = 0; i < n; i++) {
		const r = await call("gpu.next", { stream: s });
		if (r.done) return -1;
		sum += r.part.outputs[0].data[0];
	}
	return sum;
}
export async function hang() { await begin(); for (;;) await call("gpu.next", { stream: s }); }
export async function end() { await call("gpu.close", { stream: s }); return 0; }
`,
		"guest.py": `import spore
s, total = None, 0
async def begin(p=None):
    global s
    s = (await spore.call("gpu.stream", {"function": "counter", "parameters": p or {}}))["stream"]
    return 0
async def take(n):
    global total
    for i in range(n):
        r = await spore.call("gpu.next", {"stream": s})
        if r.get("done"):
            return -1
        total += r["part"]["outputs"][0]["data"][0]
    return total
async def hang(p=None):
    await begin()
    while True:
        await spore.call("gpu.next", {"stream": s})
async def end(p=None):
    await spore.call("gpu.close", {"stream": s})
    return 0
`,
	}
	pool, err := gpu.NewPool(gpu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	grants, err := hostfuncs.NewSet(gpu.Functions(pool, gpu.Options{Streams: []*gpu.Stream{counter()}})...)
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{javascript.Runtime(), python.Runtime()}, Limits: engine.Limits{CallTime: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for name, code := range sources {
		t.Run(name, func(t *testing.T) {
			c, err := e.Compile(t.Context(), engine.Source{Name: name, Code: []byte(code)})
			if err != nil {
				t.Fatal(err)
			}
			in, err := c.Open(t.Context(), &engine.Options{Grants: grants, Tenant: name})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			call := func(f string, arg any, want string) {
				t.Helper()
				r, err := in.Call(t.Context(), f, arg)
				if err != nil {
					t.Fatal(err)
				}
				if got := r.Text(); got != want {
					t.Fatalf("%s: %s, not %s", f, got, want)
				}
			}
			captured := func(want error) {
				t.Helper()
				fork, err := in.Fork(t.Context())
				if !errors.Is(err, want) {
					t.Fatalf("fork: %v, not %v", err, want)
				}
				if err == nil {
					fork.Close()
				}
			}
			none := func() {
				t.Helper()
				for range 1000 {
					if pool.Stats().Streaming == 0 {
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
				t.Fatal("a stream goes on")
			}
			call("begin", map[string]int{"n": 4}, "0")
			call("take", 3, "3")
			captured(engine.ErrHolds)
			call("take", 1, "6")
			captured(engine.ErrHolds) // the end was not taken yet
			call("take", 1, "-1")
			captured(nil)
			none()
			call("begin", nil, "0")
			call("take", 5, "16")
			captured(engine.ErrHolds)
			call("end", nil, "0")
			captured(nil)
			none()
			// A call that ends by its limit takes its stream with it.
			if _, err := in.Call(t.Context(), "hang", nil); err == nil {
				t.Fatal("the call ended by itself")
			}
			none()
			captured(nil)
			// So does an instance.
			call("begin", nil, "0")
			if err := in.Close(); err != nil {
				t.Fatal(err)
			}
			none()
		})
	}
}
