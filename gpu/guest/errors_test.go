package guest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
)

// failing is a component each of whose functions fails.
const failing = `import gpu from "gpu";

const x = gpu.ones([2, 3]);
const fails: Record<string, () => any> = {
  shapes: () => x.add(gpu.ones([4])),
  nested: () => helper(),
  later: async () => {
    const i = gpu.asarray([0, 9], { dtype: "int64" });
    const bad = x.take(i, { axis: 1 });
    const y = bad.exp();
    await null;
    return y.data();
  },
  sync: () => {
    const bad = gpu.take(x, [7], 0);
    return bad.sum().item();
  },
  unknown: () => (gpu as any).stack([x, x]),
  camel: () => (x as any).layerNorm(),
  near: () => (x as any).softmx(),
  option: () => x.sum({ axes: 0 } as any),
  json: () => gpu.zeros([1001, 1000]),
  arithmetic: () => (x as any) + 1,
  item: () => x.item(),
  call: () => gpu.call("absent"),
  nodes: () => {
    let deep = x;
    for (let i = 0; i < 1100; i++) deep = deep.negative();
    return deep.data();
  },
  limit: () => gpu.zeros([1 << 20, 1 << 20]).sum().data(),
};
function helper() {
  return x.reshape([7]);
}
export function render({ f }: { f: string }) {
  return fails[f]();
}
export async function caught({ f }: { f: string }) {
  try { await fails[f](); } catch (e: any) { return { name: e.name, code: e.code, op: e.op, shapes: e.shapes, dtypes: e.dtypes, nearest: e.nearest, is: [e instanceof gpu.GpuError, e instanceof gpu.UnsupportedOp, e instanceof Error] }; }
}
`

// TestErrors has errors at the lines where the component made what is wrong, also if that is found later.
func TestErrors(t *testing.T) {
	line := func(part string) int {
		n := strings.Index(failing, part)
		require.Positive(t, n, part)
		return strings.Count(failing[:n], "\n") + 1
	}
	eachWorld(t, func(t *testing.T, w *world) {
		c := w.compile(t, "failing.tsx", failing)
		for f, want := range map[string]struct {
			name, text string
			lines      []int
		}{
			"shapes":     {"GpuError", "add(float32(2, 3), float32(4,)): shapes (2, 3) and (4,) cannot be broadcast", []int{line("x.add"), line("fails[f]()")}},
			"nested":     {"GpuError", "reshape(float32(2, 3)): (7,) has 7 elements, not 6", []int{line("x.reshape"), line("helper(),"), line("fails[f]()")}},
			"later":      {"GpuError", "take(float32(2, 3), int64(2,)): the operation refuses its data", []int{line("x.take(i"), line("fails[f]()"), line("  return y.data();")}},
			"sync":       {"GpuError", "take(float32(2, 3), int64(1,)): the operation refuses its data", []int{line("gpu.take(x"), line("fails[f]()"), line("bad.sum()"), line("fails[f]()")}},
			"unknown":    {"UnsupportedOp", `gpu has no function "stack"; the nearest is concat`, []int{line(".stack"), line("fails[f]()")}},
			"camel":      {"UnsupportedOp", `gpu has no method "layerNorm"; the nearest is layer_norm`, []int{line(".layerNorm"), line("fails[f]()")}},
			"near":       {"UnsupportedOp", `gpu has no method "softmx"; the nearest is softmax`, []int{line(".softmx"), line("fails[f]()")}},
			"option":     {"GpuError", `sum has no option "axes": axis, keepdims are known`, []int{line("axes: 0"), line("fails[f]()")}},
			"json":       {"GpuError", "GpuArray float32(1001, 1000) has too many elements for JSON", nil},
			"arithmetic": {"GpuError", "GpuArray float32(2, 3) is no number", nil},
			"item":       {"GpuError", "item() is of an array with one element", []int{line("x.item"), line("fails[f]()")}},
			"call":       {"GpuError", `there is no function "absent"`, []int{line("gpu.call"), line("fails[f]()")}},
			"nodes":      {"GpuError", "1101 nodes, at most 1024", []int{line("return deep.data"), line("fails[f]()")}},
			"limit":      {"GpuError", "elements: at most", []int{line("1 << 20"), line("fails[f]()"), line("1 << 20"), line("fails[f]()")}},
		} {
			_, err := c.Render(t.Context(), map[string]any{"f": f}, w.options())
			var ge *engine.GuestError
			require.ErrorAs(t, err, &ge, f)
			require.Equal(t, want.name, ge.Name, f)
			require.Contains(t, ge.Message, want.text, f)
			if want.lines != nil {
				var lines []int
				for _, frame := range ge.Stack {
					require.Equal(t, "failing.tsx", frame.File, "%s: %+v", f, ge.Stack)
					lines = append(lines, frame.Line)
				}
				require.Equal(t, want.lines, lines, f)
			}
		}
		for f, want := range map[string]string{
			"shapes": `{"name":"GpuError","code":"invalid_argument","op":"add","shapes":[[2,3],[4]],"dtypes":["float32","float32"],"is":[true,false,true]}`,
			"later":  `{"name":"GpuError","code":"invalid_argument","op":"take","shapes":[[2,3],[2]],"dtypes":["float32","int64"],"is":[true,false,true]}`,
			"camel":  `{"name":"UnsupportedOp","code":"unsupported","op":"layerNorm","shapes":[],"dtypes":[],"nearest":"layer_norm","is":[true,true,true]}`,
			"call":   `{"name":"GpuError","code":"not_granted","op":"","shapes":[],"dtypes":[],"is":[true,false,true]}`,
		} {
			in, err := c.Open(t.Context(), w.options())
			require.NoError(t, err)
			r, err := in.Call(t.Context(), "caught", map[string]any{"f": f})
			require.NoError(t, err)
			require.JSONEq(t, want, r.Text(), f)
			require.NoError(t, in.Close())
		}
	})
}

// TestRetries has the host fail once and for ever.
func TestRetries(t *testing.T) {
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	c := w.compile(t, "a.ts", `import gpu from "gpu";
export const render = () => gpu.ones([2]).sum().data().then((d) => d[0]);`)
	failures, code := 0, gpu.CodeUnavailable
	secret := errors.New("what only the embedder is to know")
	w.before = func(string) error {
		if failures == 0 {
			return nil
		}
		failures--
		return errors.Join(hostfuncs.Errorf(code, "no device can serve now"), secret)
	}
	var n int
	failures = 1
	w.render(t, c, nil, &n)
	require.Equal(t, 2, n)
	require.Equal(t, 2, w.count("gpu.eval"))

	for _, more := range []int{2, 1} {
		if more == 1 {
			code = gpu.CodeExhausted // the same call fails again
		}
		failures = more
		w.reset()
		_, err := c.Render(t.Context(), nil, w.options())
		var ge *engine.GuestError
		require.ErrorAs(t, err, &ge)
		require.Equal(t, "GpuError", ge.Name)
		require.ErrorIs(t, err, secret, "the embedder gets the error of its function")
		require.Equal(t, more, w.count("gpu.eval"))
	}
}
