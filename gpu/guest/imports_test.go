package guest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
)

// TestImports has the ways to import the module, in components and cells.
func TestImports(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		for name, code := range map[string]string{
			"default.tsx":   `import gpu from "gpu"; export default () => <b>{gpu.ones([3]).sum().item()}</b>;`,
			"namespace.tsx": `import * as gpu from "gpu"; export default () => <b>{gpu.ones([3]).sum().item()}</b>;`,
			"named.ts":      `import { ones, add as plus, type GpuArray } from "gpu"; const x: GpuArray = ones([3]); export const render = () => "<b>" + plus(x, 0).sum().item() + "</b>";`,
			"require.js":    `const gpu = require("gpu"); exports.render = () => "<b>" + gpu.ones([3]).sum().item() + "</b>";`,
			"dynamic.js":    `export const render = async () => { const { ones } = await import("gpu"); return "<b>" + ones([3]).sum().item() + "</b>"; }`,
		} {
			r, err := w.compile(t, name, code).Render(t.Context(), nil, w.options())
			require.NoError(t, err, name)
			require.Equal(t, "<b>3</b>", r.Text(), name)
		}
		// Arrays in a result are their elements.
		var out any
		w.render(t, w.compile(t, "json.js", `import gpu from "gpu"; export const render = () => ({ x: gpu.asarray([[1, 2]]).add(1), n: gpu.asarray([3n]).sum() });`), nil, &out)
		require.Equal(t, map[string]any{"x": []any{[]any{2., 3.}}, "n": 3.}, out)

		for name, code := range map[string]string{
			"default.js":   `import gpu from "gpu"; export const render = () => gpu.stack;`,
			"namespace.js": `import * as gpu from "gpu"; export const render = () => gpu.stack([]);`,
			"named.js":     `import { stack } from "gpu"; export const render = () => stack([]);`,
		} {
			_, err := w.compile(t, name, code).Render(t.Context(), nil, w.options())
			var ge *engine.GuestError
			require.ErrorAs(t, err, &ge, name)
			require.Equal(t, `gpu has no function "stack"; the nearest is concat`, ge.Message, name)
			require.Equal(t, name, ge.Stack[0].File)
		}

		c := w.compile(t, "held.ts", `import gpu from "gpu"; export const x = gpu.ones([2]); export const render = () => 0;`)
		in, err := c.Open(t.Context(), w.options())
		require.NoError(t, err)
		defer in.Close()
		for i, cell := range []struct{ code, text, json string }{
			{`import gpu from "gpu"; import { x } from "component"; const y = x.add(gpu.ones([2]));`, "", ""},
			{`await y.data()`, "Float32Array(2) [ 2, 2 ]", ""},
			{`[y instanceof gpu.GpuArray, gpu.asarray([1, 2]).mul(y).tolist()]`, "[ true, [ 2, 4 ] ]", "[true, [2, 4]]"},
			{`y.sub(1)`, "GpuArray [float32(2,)] {}", "[1, 1]"},
			{`gpu.zeros([2000])`, "GpuArray [float32(2000,)] {}", ""},
			{`({ y, i: y.argmax() })`, "{ y: GpuArray [float32(2,)] {}, i: GpuArray [int64()] {} }", `{"y": [2, 2], "i": 0}`},
		} {
			r, err := in.Exec(t.Context(), "cell.ts", cell.code)
			require.NoError(t, err, i)
			require.Equal(t, cell.text, r.Text, i)
			if shown, ok := r.Data["application/json"]; ok || cell.json != "" {
				require.JSONEq(t, cell.json, string(shown), i)
			}
		}
	})
}

// TestNotGranted has a component that was compiled with the module and is not granted its functions.
func TestNotGranted(t *testing.T) {
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	c := w.compile(t, "a.js", `import gpu from "gpu"; export const render = () => gpu.ones([2]).data().catch((e) => [e.name, e.code]);`)
	r, err := c.Render(t.Context(), nil, nil)
	require.NoError(t, err)
	require.JSONEq(t, `["GpuError", "not_granted"]`, r.Text())
}
