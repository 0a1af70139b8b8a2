package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

func TestMain(m *testing.M) {
	gpu.ServeWorker(open)
	if len(os.Args) > 1 && os.Args[1] == grpcName {
		serveGRPC()
		return
	}
	os.Exit(m.Run())
}

// TestGuests has guests of both languages use the four functions: they multiply a vector with a constant.
func TestGuests(t *testing.T) {
	b := tensor.NewBuilder(tensor.Limits{})
	program, err := b.Build(b.Apply(tensor.Multiply, nil, b.Input(tensor.Float32, 4), b.Constant(tensor.Float32, 4)))
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.ReplaceAll(fmt.Sprint(program.Encode()), " ", ",") // [1,2,3] in both languages
	sources := map[string]string{
		"guest.js": `import { call } from "spore";
export async function render() {
	const floats = (...x) => new Uint8Array(new Float32Array(x).buffer);
	const info = await call("gpu.info", {});
	const c = await call("gpu.constant", { dtype: "float32", shape: [4], data: floats(1, 2, 3, 4) });
	await call("gpu.constant", { digest: c.digest });
	const r = await call("gpu.eval", { program: new Uint8Array(` + listed + `), inputs: [floats(10, 20, 30, 40)], constants: [c.digest] });
	const twice = await call("gpu.call", { function: "twice", inputs: [{ name: "x", datatype: "FP32", shape: [4], data: r.outputs[0] }] });
	let code = "";
	try { await call("gpu.eval", { program: new Uint8Array(5) }); } catch (e) { code = e.code; }
	const b = twice.outputs[0].data;
	return info.backend + " " + [...new Float32Array(b.buffer.slice(b.byteOffset, b.byteOffset + 16))].join(" ") + " " + code;
}`,
		"guest.py": `import spore, struct
async def render(props):
    info = await spore.call("gpu.info", {})
    c = await spore.call("gpu.constant", {"dtype": "float32", "shape": [4], "data": struct.pack("<4f", 1, 2, 3, 4)})
    await spore.call("gpu.constant", {"digest": c["digest"]})
    r = await spore.call("gpu.eval", {"program": bytes(` + listed + `), "inputs": [struct.pack("<4f", 10, 20, 30, 40)], "constants": [c["digest"]]})
    twice = await spore.call("gpu.call", {"function": "twice", "inputs": [{"name": "x", "datatype": "FP32", "shape": [4], "data": r["outputs"][0]}]})
    code = ""
    try:
        await spore.call("gpu.eval", {"program": b"12345"})
    except Exception as e:
        code = e.code
    return info["backend"] + " " + " ".join(str(int(x)) for x in struct.unpack("<4f", twice["outputs"][0]["data"])) + " " + code
`,
	}
	pool, err := newPool(gpu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	grants, err := hostfuncs.NewSet(gpu.Functions(pool, gpu.Options{Functions: []*gpu.Function{twice()}})...)
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{javascript.Runtime(), python.Runtime()}, Limits: engine.Limits{CallTime: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for name, code := range sources {
		c, err := e.Compile(t.Context(), engine.Source{Name: name, Code: []byte(code)})
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.Render(t.Context(), nil, &engine.Options{Grants: grants, Tenant: name})
		if err != nil {
			t.Fatal(err)
		}
		if want := "cpu 20 80 180 320 invalid_argument"; res.Text() != want {
			t.Errorf("%s: %q, not %q", name, res.Text(), want)
		}
	}
	if n := pool.Stats().Constants; n != 1 {
		t.Errorf("%d constants: both guests have the same", n)
	}
}

// twice is a function of the embedder's.
func twice() *gpu.Function {
	return &gpu.Function{Name: "twice", Run: func(_ context.Context, batch []*gpu.Request) error {
		for _, r := range batch {
			for _, in := range r.Inputs {
				out := in
				out.Data = nil
				for i := 0; i < len(in.Data); i += 4 {
					x := math.Float32frombits(binary.LittleEndian.Uint32(in.Data[i:]))
					out.Data = binary.LittleEndian.AppendUint32(out.Data, math.Float32bits(2*x))
				}
				r.Outputs = append(r.Outputs, out)
			}
		}
		return nil
	}}
}
