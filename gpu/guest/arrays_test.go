package guest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
)

// TestArrays has what is particular to JavaScript: values that arrays are made of, and that come out of them.
func TestArrays(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		c := w.compile(t, "arrays.js", `import gpu from "gpu";
const show = (a) => [a.dtype, a.shape, a.dataSync().constructor.name, a.tolist()];
export const render = () => ({
	typed: [new Uint8Array([1, 2]), new Uint8ClampedArray([300]), new Int8Array([-1]), new Int16Array([-2]), new Uint16Array([3]), new Int32Array([4]),
		new BigInt64Array([-5n]), new Float16Array([0.5]), new Float32Array([1.5]), new Float64Array([2.5])].map((x) => show(gpu.asarray(x))),
	plain: [1, 2n, true, [1, 2n], [[true], [false]], [0.5, 1]].map((x) => show(gpu.asarray(x))),
	rows: show(gpu.asarray([new Float32Array([1, 2]), new Float32Array([3, 4])])),
	part: show(gpu.asarray(new Float32Array([1, 2, 3, 4]).subarray(1, 3))),
	bytes: show(gpu.asarray(new DataView(new Uint8Array([9, 0, 0, 128, 63]).buffer, 1), { dtype: "float32" })),
	bits: ["float16", "bfloat16"].map((dtype) => show(gpu.asarray(new Uint16Array([0x3c00, 0x4000]), { dtype }))),
	bfloat16: gpu.asarray([1, 1.00390625, 1.01171875, NaN], { dtype: "bfloat16" }).tolist().map(String),
	numbers: Array.from(gpu.bits_to_float32(new Uint16Array([0x3f80, 0xc000]))).concat(Array.from(gpu.bits_to_float32(new Uint16Array([0x3c00]), "float16"))),
	converted: show(gpu.asarray(new Uint8Array([1, 2]), { dtype: "float32" })),
	large: String(gpu.asarray(9007199254740993n).item()),
	again: (() => { const a = gpu.ones([2]); return gpu.asarray(a) === a; })(),
	attributes: (() => { const a = gpu.zeros([2, 3, 4]); return [a.ndim, a.size, a.nbytes, a.mT.shape, gpu.zeros([2, 3]).T.shape, String(a), Object.isFrozen(a.shape)]; })(),
	guesses: [gpu.full([1], 2), gpu.full([1], 2n), gpu.full([1], true), gpu.arange(3), gpu.arange(3n), gpu.arange(1, 3, { dtype: "int32" }), gpu.zeros(2, "uint8"), gpu.eye(2, { k: 1 })].map((a) => [a.dtype, a.shape]),
	aliases: (() => { const a = gpu.asarray([4, 6]), b = gpu.asarray([[1, 0]]).eq(0); return [a.sub(1), a.mul(2), a.div(2), a.mod(4), a.neg(), a.lt(5), a.ge(5).and(true), b.not(), b.or(true), a.cumsum()].map((x) => x.tolist()); })(),
	constants: [gpu.constant(new Float64Array([0.5]), { dtype: "float32" }).add(1).tolist(), gpu.constant([1, 2], { dtype: "bfloat16" }).astype("float32").tolist(), gpu.constant(new Uint8Array([7])).tolist()],
	scalars: [gpu.add(1, 2).item(), gpu.where(true, 1n, 2n).item(), gpu.maximum(gpu.asarray([1, 5]), new Float32Array([2, 2])).tolist(), gpu.asarray([1]).add([[2], [3]]).tolist()],
	float32: gpu.float32,
})`)
		var out map[string]any
		w.render(t, c, nil, &out)
		type list = []any
		want := map[string]any{
			"typed": list{
				list{"uint8", list{2.}, "Uint8Array", list{1., 2.}}, list{"uint8", list{1.}, "Uint8Array", list{255.}}, list{"int32", list{1.}, "Int32Array", list{-1.}},
				list{"int32", list{1.}, "Int32Array", list{-2.}}, list{"int32", list{1.}, "Int32Array", list{3.}}, list{"int32", list{1.}, "Int32Array", list{4.}},
				list{"int64", list{1.}, "BigInt64Array", list{-5.}}, list{"float16", list{1.}, "Float16Array", list{.5}}, list{"float32", list{1.}, "Float32Array", list{1.5}}, list{"float64", list{1.}, "Float64Array", list{2.5}},
			},
			"plain": list{
				list{"float32", list{}, "Float32Array", 1.}, list{"int64", list{}, "BigInt64Array", 2.}, list{"bool", list{}, "Uint8Array", true},
				list{"int64", list{2.}, "BigInt64Array", list{1., 2.}}, list{"bool", list{2., 1.}, "Uint8Array", list{list{true}, list{false}}}, list{"float32", list{2.}, "Float32Array", list{.5, 1.}},
			},
			"rows":       list{"float32", list{2., 2.}, "Float32Array", list{list{1., 2.}, list{3., 4.}}},
			"part":       list{"float32", list{2.}, "Float32Array", list{2., 3.}},
			"bytes":      list{"float32", list{1.}, "Float32Array", list{1.}},
			"bits":       list{list{"float16", list{2.}, "Float16Array", list{1., 2.}}, list{"bfloat16", list{2.}, "Uint16Array", list{0.0078125, 2.}}},
			"bfloat16":   list{"1", "1", "1.015625", "NaN"},
			"numbers":    list{1., -2., 1.},
			"converted":  list{"float32", list{2.}, "Float32Array", list{1., 2.}},
			"large":      "9007199254740993",
			"again":      true,
			"attributes": list{3., 24., 96., list{2., 4., 3.}, list{3., 2.}, "GpuArray float32(2, 3, 4)", true},
			"guesses":    list{list{"float32", list{1.}}, list{"int64", list{1.}}, list{"bool", list{1.}}, list{"float32", list{3.}}, list{"int64", list{3.}}, list{"int32", list{2.}}, list{"uint8", list{2.}}, list{"float32", list{2., 2.}}},
			"aliases":    list{list{3., 5.}, list{8., 12.}, list{2., 3.}, list{0., 2.}, list{-4., -6.}, list{true, false}, list{false, true}, list{list{true, false}}, list{list{true, true}}, list{4., 10.}},
			"constants":  list{list{1.5}, list{1., 2.}, list{7.}},
			"scalars":    list{3., 1., list{2., 5.}, list{list{3.}, list{4.}}},
			"float32":    "float32",
		}
		for k, v := range want {
			require.Equal(t, v, out[k], k)
		}
		require.Len(t, out, len(want))
	})
}

// TestOneCall has graphs evaluated in one call each, and no node of them twice.
func TestOneCall(t *testing.T) {
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	c := w.compile(t, "a.js", `import gpu from "gpu";
export async function render() {
	const x = gpu.asarray([1, 2, 3]), s = x.mul(x).add(1);
	const a = s.sum(), b = s.max(), unused = s.exp();
	const [p, q] = await gpu.evaluate(a, b);
	const [v, i] = gpu.asarray([3, 9, 7]).topk(2);
	await gpu.evaluate(i);
	const later = i.add(0n).mul(10);            // i is data now
	await gpu.evaluate([later, v, x, a]);
	await gpu.evaluate();
	let deep = x;
	for (let n = 0; n < 900; n++) deep = deep.negative();
	return [p.item(), q.item(), a.item(), i.tolist(), later.tolist(), v.tolist(), (await deep.data())[0]];
}`)
	var out []any
	w.render(t, c, nil, &out)
	type list = []any
	require.Equal(t, list{17., 10., 17., list{1., 2.}, list{10., 20.}, list{9., 7.}, 1.}, out)
	require.Equal(t, 4, w.count("gpu.eval"))
	var sizes []int
	for _, e := range w.evals {
		sizes = append(sizes, len(e.program.Nodes()))
	}
	require.Equal(t, []int{6, 2, 7, 901}, sizes)
}

// TestAtOnce has many evaluations in progress at a time, of one constant and one array.
func TestAtOnce(t *testing.T) {
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	c := w.compile(t, "a.js", `import gpu from "gpu";
export async function render() {
	const c = gpu.constant([1, 2]), x = c.add(1);
	const all = await Promise.all(Array.from({ length: 20 }, (_, i) => x.mul(i).sum().data()));
	const same = await Promise.all(Array.from({ length: 5 }, () => x.data()));
	return [all.map((d) => d[0]), same.map((d) => d[1])];
}`)
	var out [][]float64
	w.render(t, c, nil, &out)
	for i, v := range out[0] {
		require.Equal(t, float64(5*i), v)
	}
	require.Equal(t, []float64{3, 3, 3, 3, 3}, out[1])
	require.Equal(t, 1, w.pool.Stats().Constants)
}
