package guest_test

import (
	"bytes"
	"cmp"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
)

// benchmarked are components without and with the module, which make the same calls.
var benchmarked = []struct{ name, code string }{
	{"without.js", `import { callSync } from "spore"; export const render = () => callSync("gpu.info", {}).backend;`},
	{"with.js", `import gpu from "gpu"; export const render = () => gpu.infoSync().backend;`},
	{"without.py", "import spore\ndef render(p): return spore.call_sync('gpu.info', {})['backend']\n"},
	{"with.py", "import gpu\ndef render(p): return gpu.info()['backend']\n"},
}

// BenchmarkImport is what it costs to import the module: time to compile a component, and bytes of its image, which clones share.
func BenchmarkImport(b *testing.B) {
	w := newWorld(b, shared, gpu.Config{}, gpu.Options{})
	for _, c := range benchmarked {
		b.Run(c.name, func(b *testing.B) {
			warm, err := w.engine.Compile(b.Context(), engine.Source{Name: c.name, Code: []byte(c.code), Modules: w.grants.Modules()})
			require.NoError(b, err)
			require.NoError(b, warm.Close())
			var size int
			for b.Loop() {
				c, err := w.engine.Compile(b.Context(), engine.Source{Name: c.name, Code: []byte(c.code), Modules: w.grants.Modules()})
				require.NoError(b, err)
				b.StopTimer()
				s, err := c.Snapshot(b.Context())
				require.NoError(b, err)
				var out bytes.Buffer
				_, err = s.WriteTo(&out)
				require.NoError(b, err)
				size = out.Len()
				require.NoError(b, s.Close())
				require.NoError(b, c.Close())
				b.StartTimer()
			}
			b.ReportMetric(float64(size), "image-B")
		})
	}
}

// BenchmarkRender is a call of a function of the host, without the module and with it, and evaluations: of one operation, of a chain, and of the chain
// in a program that was made beforehand.
func BenchmarkRender(b *testing.B) {
	w := newWorld(b, shared, gpu.Config{}, gpu.Options{})
	cases := append(benchmarked, []struct{ name, code string }{
		{"one.js", `import gpu from "gpu"; export const render = () => gpu.ones([4]).dataSync()[0];`},
		{"chain.js", `import gpu from "gpu"; const u8 = new Uint8Array(16);
export const render = () => gpu.asarray(u8, { shape: [4, 4] }).astype("float32").div(255).sub(0.5).mul(2).clip(-1, 1).sum({ axis: 0 }).dataSync()[0];`},
		{"one.py", "import gpu\ndef render(p): return gpu.ones(4).tolist()[0]\n"},
		{"chain.py", "import gpu\nb = bytes(16)\ndef render(p): return ((gpu.asarray(b, shape=(4, 4)).astype('float32') / 255 - 0.5) * 2).clip(-1, 1).sum(axis=0).tolist()[0]\n"},
	}...)
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			comp, err := w.engine.Compile(b.Context(), engine.Source{Name: c.name, Code: []byte(c.code), Modules: w.grants.Modules()})
			require.NoError(b, err)
			defer comp.Close()
			opt := w.options()
			_, err = comp.Render(b.Context(), nil, opt) // starts the worker
			require.NoError(b, err)
			var guest float64
			for b.Loop() {
				r, err := comp.Render(b.Context(), nil, opt)
				require.NoError(b, err)
				guest += float64(r.Usage.Guest.Nanoseconds())
			}
			b.ReportMetric(guest/float64(b.N), "guest-ns/op")
		})
	}
}

// BenchmarkNode is one operation: a node of the graph with its type, its shape and its place in the component.
func BenchmarkNode(b *testing.B) {
	w := newWorld(b, shared, gpu.Config{}, gpu.Options{})
	for _, op := range [][2]string{{"x.exp()"}, {"x.add(x)", "x + x"}, {"x.add(1)", "x + 1"}, {"x.sum(0)"}, {"x.slice([0])", "x[0]"}, {"0"}} {
		for _, name := range []string{"op.js", "op.py"} {
			benchmarkNode(b, w, name, op)
		}
	}
}

func benchmarkNode(b *testing.B, w *world, name string, op [2]string) {
	b.Run(name+"/"+op[0], func(b *testing.B) {
		const rounds = 200
		code := fmt.Appendf(nil, `import gpu from "gpu"; const x = gpu.ones([2, 3]); export const render = () => { for (let i = 0; i < %d; i++) %s; };`, rounds, op[0])
		if name == "op.py" {
			code = fmt.Appendf(nil, "import gpu\nx = gpu.ones((2, 3))\ndef render(p):\n    for i in range(%d): %s\n", rounds, cmp.Or(op[1], op[0]))
		}
		comp, err := w.engine.Compile(b.Context(), engine.Source{Name: name, Modules: w.grants.Modules(), Code: code})
		require.NoError(b, err)
		defer comp.Close()
		for b.Loop() {
			_, err := comp.Render(b.Context(), nil, w.options())
			require.NoError(b, err)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rounds, "ns/node")
		b.ReportMetric(0, "ns/op")
	})
}
