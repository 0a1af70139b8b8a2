package guest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
	"github.com/sporeengine/spore/hostfuncs"
)

// TestPythonArrays has what is particular to Python: values that arrays are made of, operators, and what comes out.
func TestPythonArrays(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		c := w.compile(t, "arrays.py", `import array, copy, math, pickle
import gpu

def show(a):
    return [a.dtype, list(a.shape), a.tolist()]

def fails(f):
    try:
        return f()
    except gpu.Error as e:
        return e.message

def render(p):
    x = gpu.asarray([[1.0, 2.0], [3.0, 4.0]])
    i = gpu.arange(6).reshape(2, 3)
    b = gpu.asarray([True, False])
    return {
        "typed": [show(gpu.asarray(array.array(c, [1, 2]))) for c in "bBhHiIlLqQfd"],
        "plain": [show(gpu.asarray(v)) for v in (1, True, 1.5, [1, 2], [[True], [False]], [1, 0.5], range(3), ((1, 2), [3, 4]), [], [[], []], [array.array("d", [1, 2]), [3, 4]])],
        "bytes": [show(gpu.asarray(bytes([1, 2]))), show(gpu.asarray(bytearray(8), dtype=gpu.float32)), show(gpu.asarray(memoryview(b"\0\0\x80?"), "float32", (1, -1))),
                  show(gpu.asarray(memoryview(array.array("f", [1, 2, 3, 4])).cast("B").cast("f", [2, 2])))],
        "converted": [show(gpu.asarray(array.array("i", [1, 2]), dtype="float32")), show(gpu.asarray([1.0, -2.0], dtype=gpu.int32)), show(gpu.asarray([1e39, -1e39, 7e4], dtype="float32")[:2] > 0),
                      show(gpu.asarray([70000.0, 1.0], dtype="float16") > 65504), show(gpu.asarray([1, 1.00390625, 1.01171875], dtype="bfloat16"))],
        "operators": [show(v) for v in (x + 1, 1 - x, x * x, x / 2, 8 / x, x // 2, x % 2, 2 ** x, x @ x, -x, abs(-x), +x, i & 3, 1 | i, ~b, b & [True, True], x == 2, x != 2, x < 2, 3 >= x, x > x.T, i // 4, x + [[10.0], [20.0]])],
        "slices": [show(v) for v in (i[1], i[-1, 0], i[:, 1], i[..., -1], i[::-1, ::2], i[None, 0, 1:], i[1:, ...], i[()], i[0][2], i[:0])],
        "out": [len(i), float(x[0, 1]), int(i[1, 2]), bool(b[0]), math.sin(x[0, 0] * 0), [5, 6, 7][i[0, 1]], x[0, 1].item(), [r.tolist() for r in i], list(x.tobytes()[:4])],
        "empty": [gpu.zeros(s).tolist() for s in [(0,), (0, 3), (2, 0), (2, 0, 3), (0, 2, 0), (1, 2, 0)]],
        "attributes": [x.ndim, x.size, x.nbytes, list(gpu.zeros((2, 3)).T.shape), list(gpu.zeros((2, 3, 4)).mT.shape), repr(x), gpu.zeros(2).dtype == gpu.float32, len(gpu.asarray(x).shape), gpu.asarray(x) is x],
        "guesses": [[a.dtype, list(a.shape)] for a in (gpu.full(1, 2), gpu.full(1, 2.0), gpu.full(1, True), gpu.arange(3), gpu.arange(3.5), gpu.arange(5, 0, -2), gpu.zeros(2, "uint8"), gpu.eye(2, k=1))],
        "several": [x.sum(0).tolist(), x.sum(axis=(0, 1)).tolist(), x.max(axis=-1, keepdims=True).tolist(), [v.tolist() for v in x.topk(1)], gpu.concat([x, [[9.0, 9.0]]]).tolist(), x.clip(2).tolist(), x.clip(max=2).tolist(),
                    gpu.where(x > 2, x, 0).tolist(), gpu.where(True, 1, 2).item(), x.var(correction=1).item(), gpu.maximum([1, 5], [2, 2]).tolist()],
        "large": gpu.asarray(9007199254740993).item(),
        "refused": [fails(f) for f in (lambda: x.__setitem__(0, 1), lambda: i + 0.5, lambda: i / 2, lambda: i[b], lambda: i["a"], lambda: gpu.asarray([x, x]), lambda: gpu.asarray({}), lambda: gpu.asarray(["a"]),
                    lambda: float(x), lambda: [1][x[0, 0]], lambda: gpu.Array(1), lambda: gpu.asarray(b"abc", "int32"), lambda: gpu.asarray([1 << 70]), lambda: gpu.asarray(array.array("u", "a")), lambda: gpu.full(2, 300, "uint8"),
                    lambda: gpu.zeros(-1), lambda: gpu.zeros(2.5), lambda: gpu.zeros(2, "complex"), lambda: x.reshape(3, -1), lambda: i[0, 0, 0], lambda: i[::0], lambda: gpu.arange(1, 2, 0), lambda: gpu.full(2, True, "float32"), lambda: x + True,
                    lambda: x.sum(axis=(0, 0)), lambda: x.sum(axis="a"), lambda: gpu.evaluate(1), lambda: x.topk(True), lambda: gpu.asarray([10 ** 400], "float64"), lambda: gpu.constant(x + 1), lambda: gpu.random_uniform(2, seed=1.5))],
        "values": [sum(gpu.asarray([1.0, 2.5])), max(i[1]), sorted(x[1], reverse=True), f"{x.mean():.2f} {x}", round(x * 1.3).tolist(), copy.copy(x) is x, copy.deepcopy({"x": x})["x"] is x, pickle.loads(pickle.dumps(x + 1)).tolist(),
                   fails(lambda: round(x, 2)), fails(lambda: f"{x:.2f}")],
        "kinds": [x == None, x != "a", isinstance(hash, object) and type(x).__hash__ is None],
    }
`)
		var out map[string]any
		w.render(t, c, nil, &out)
		type list = []any
		want := map[string]any{
			"typed": list{
				list{"int32", list{2.}, list{1., 2.}}, list{"uint8", list{2.}, list{1., 2.}}, list{"int32", list{2.}, list{1., 2.}}, list{"int32", list{2.}, list{1., 2.}},
				list{"int32", list{2.}, list{1., 2.}}, list{"int64", list{2.}, list{1., 2.}}, list{"int32", list{2.}, list{1., 2.}}, list{"int64", list{2.}, list{1., 2.}},
				list{"int64", list{2.}, list{1., 2.}}, list{"int64", list{2.}, list{1., 2.}}, list{"float32", list{2.}, list{1., 2.}}, list{"float64", list{2.}, list{1., 2.}},
			},
			"plain": list{
				list{"int64", list{}, 1.}, list{"bool", list{}, true}, list{"float32", list{}, 1.5}, list{"int64", list{2.}, list{1., 2.}}, list{"bool", list{2., 1.}, list{list{true}, list{false}}},
				list{"float32", list{2.}, list{1., .5}}, list{"int64", list{3.}, list{0., 1., 2.}}, list{"int64", list{2., 2.}, list{list{1., 2.}, list{3., 4.}}}, list{"float32", list{0.}, list{}},
				list{"float32", list{2., 0.}, list{list{}, list{}}}, list{"float32", list{2., 2.}, list{list{1., 2.}, list{3., 4.}}},
			},
			"bytes": list{list{"uint8", list{2.}, list{1., 2.}}, list{"float32", list{2.}, list{0., 0.}}, list{"float32", list{1., 1.}, list{list{1.}}}, list{"float32", list{2., 2.}, list{list{1., 2.}, list{3., 4.}}}},
			"converted": list{list{"float32", list{2.}, list{1., 2.}}, list{"int32", list{2.}, list{1., -2.}}, list{"bool", list{2.}, list{true, false}}, list{"bool", list{2.}, list{true, false}},
				list{"bfloat16", list{3.}, list{1., 1., 1.015625}}},
			"out":        list{2., 2., 5., true, 0., 6., 2., list{list{0., 1., 2.}, list{3., 4., 5.}}, list{0., 0., 128., 63.}},
			"empty":      list{list{}, list{}, list{list{}, list{}}, list{list{}, list{}}, list{}, list{list{list{}, list{}}}},
			"attributes": list{2., 4., 16., list{3., 2.}, list{2., 4., 3.}, "gpu.Array float32(2, 2)", true, 2., true},
			"guesses":    list{list{"int64", list{1.}}, list{"float32", list{1.}}, list{"bool", list{1.}}, list{"int64", list{3.}}, list{"float32", list{4.}}, list{"int64", list{3.}}, list{"uint8", list{2.}}, list{"float32", list{2., 2.}}},
			"several": list{list{4., 6.}, 10., list{list{2.}, list{4.}}, list{list{list{2.}, list{4.}}, list{list{1.}, list{1.}}}, list{list{1., 2.}, list{3., 4.}, list{9., 9.}}, list{list{2., 2.}, list{3., 4.}}, list{list{1., 2.}, list{2., 2.}},
				list{list{0., 0.}, list{3., 4.}}, 1., 1.6666666269302368, list{2., 5.}},
			"large": 9007199254740992., // as JSON has it
			"kinds": list{false, true, true},
			"values": list{3.5, 5., list{4., 3.}, "2.50 gpu.Array float32(2, 2)", list{list{1., 3.}, list{4., 5.}}, true, true, list{list{2., 3.}, list{4., 5.}},
				"round of arrays is to whole numbers", "item() is of an array with one element, not of gpu.Array float32(2, 2)"},
		}
		m := func(dtype string, rows ...list) any {
			data := list{}
			for _, r := range rows {
				data = append(data, any(r))
			}
			return list{dtype, list{float64(len(rows)), float64(len(rows[0]))}, data}
		}
		want["operators"] = list{
			m("float32", list{2., 3.}, list{4., 5.}), m("float32", list{0., -1.}, list{-2., -3.}), m("float32", list{1., 4.}, list{9., 16.}), m("float32", list{.5, 1.}, list{1.5, 2.}),
			m("float32", list{8., 4.}, list{8. / 3., 2.}), m("float32", list{0., 1.}, list{1., 2.}), m("float32", list{1., 0.}, list{1., 0.}), m("float32", list{2., 4.}, list{8., 16.}),
			m("float32", list{7., 10.}, list{15., 22.}), m("float32", list{-1., -2.}, list{-3., -4.}), m("float32", list{1., 2.}, list{3., 4.}), m("float32", list{1., 2.}, list{3., 4.}),
			m("int64", list{0., 1., 2.}, list{3., 0., 1.}), m("int64", list{1., 1., 3.}, list{3., 5., 5.}), list{"bool", list{2.}, list{false, true}}, list{"bool", list{2.}, list{true, false}},
			m("bool", list{false, true}, list{false, false}), m("bool", list{true, false}, list{true, true}), m("bool", list{true, false}, list{false, false}), m("bool", list{true, true}, list{true, false}),
			m("bool", list{false, false}, list{true, false}), m("int64", list{0., 0., 0.}, list{0., 1., 1.}), m("float32", list{11., 12.}, list{23., 24.}),
		}
		want["operators"].(list)[4].(list)[2].(list)[1].(list)[0] = float64(float32(8. / 3.))
		want["slices"] = list{
			list{"int64", list{3.}, list{3., 4., 5.}}, list{"int64", list{}, 3.}, list{"int64", list{2.}, list{1., 4.}}, list{"int64", list{2.}, list{2., 5.}}, m("int64", list{3., 5.}, list{0., 2.}), m("int64", list{1., 2.}),
			m("int64", list{3., 4., 5.}), m("int64", list{0., 1., 2.}, list{3., 4., 5.}), list{"int64", list{}, 2.}, list{"int64", list{0., 3.}, list{}},
		}
		for k, v := range want {
			require.Equal(t, v, out[k], k)
		}
		for i, text := range []string{"use gpu.where", "0.5 and int64 do not mix", "floats are (use astype)", "use take", "an index is a number", "joined by concat", "of type dict", "of type str",
			"one element", "is no integer", "made by gpu.asarray", "3 bytes are no whole number of int32", "is no int64", "elements of the code", "300 is no uint8", "shape is -1", "shape is 2.5", "unknown dtype complex", "has 0 elements, not 4",
			"3 indices for rank 2", "step", "step of arange is 0", "True and float32 do not mix", "True and float32 do not mix", "one is there twice", "axis a of rank 2", "evaluate takes arrays", "k is True", "is no float64", "evaluate the array before", "seed is 1.5"} {
			require.Contains(t, out["refused"].([]any)[i], text)
		}
		require.Len(t, out, len(want)+1)
	})
}

// TestPythonPromotion has every pair of types, in the guest and in the host.
func TestPythonPromotion(t *testing.T) {
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	c := w.compile(t, "a.py", `import gpu

def render(p):
    out = {}
    for a in p:
        for b in p:
            x, y = gpu.zeros(1, a), gpu.zeros(1, b)
            try:
                z = gpu.where(True, x, y)
                out[a + " " + b] = z.dtype + " " + str(len(z.tobytes()))
            except gpu.Error as e:
                out[a + " " + b] = e.message
    return out
`)
	var names []string
	for _, d := range tensor.DTypes() {
		names = append(names, d.String())
	}
	var got map[string]string
	w.render(t, c, names, &got)
	require.Len(t, got, len(names)*len(names))
	for _, a := range tensor.DTypes() {
		for _, b := range tensor.DTypes() {
			want := fmt.Sprintf("where(bool(), %s(1,), %s(1,)): %[1]s and %[2]s do not mix: use astype", a, b)
			if d, ok := tensor.Promote(a, b); ok {
				want = fmt.Sprintf("%s %d", d, d.Size())
			}
			require.Equal(t, want, got[a.String()+" "+b.String()])
		}
	}
}

// TestPythonOneCall has graphs evaluated in one call each, and no node of them twice.
func TestPythonOneCall(t *testing.T) {
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	c := w.compile(t, "a.py", `import gpu

async def render(p):
    x = gpu.asarray([1.0, 2.0, 3.0])
    s = x * x + 1
    a, b, unused = s.sum(), (x * x + 1).max(), s.exp()
    p, q = await gpu.evaluate_async(a, b)
    v, i = gpu.asarray([3.0, 9.0, 7.0]).topk(2)
    i.evaluate()
    later = (i + 0) * 10        # i is data now
    gpu.evaluate(later, v, x, a, later)
    gpu.evaluate()
    deep = x
    for n in range(900):
        deep = -deep
    r = [p.item(), q.item(), a.item(), i.tolist(), later.tolist(), v.tolist(), deep.tolist()[0]]
    for n in range(100_000):
        deep = deep + 1
    del deep
    return r
`)
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

// failingPython is failing in Python.
const failingPython = `import gpu

x = gpu.ones((2, 3))

def helper():
    return x.reshape(7)

async def later():
    i = gpu.asarray([0, 9], dtype="int64")
    bad = x.take(i, axis=1)
    y = bad.exp()
    return (await y.evaluate_async()).tolist()

def sync():
    bad = gpu.take(x, [7], 0)
    return bad.sum().item()

fails = {
    "shapes": lambda: x + gpu.ones(4),
    "nested": lambda: helper(),
    "later": later,
    "sync": sync,
    "unknown": lambda: gpu.stack([x, x]),
    "camel": lambda: x.layerNorm(),
    "near": lambda: x.softmx(),
    "assign": lambda: x.__setitem__(0, 1),
    "item": lambda: x.item(),
    "call": lambda: gpu.call("absent"),
    "limit": lambda: gpu.zeros((1 << 20, 1 << 20)).sum().tolist(),
}

def render(p):
    return fails[p["f"]]()

async def caught(p):
    try:
        r = fails[p["f"]]()
        if hasattr(r, "__await__"):
            await r
    except gpu.Error as e:
        return {"name": type(e).__name__, "code": e.code, "op": e.op, "shapes": e.shapes, "dtypes": e.dtypes, "line": e.line, "file": e.file,
                "nearest": getattr(e, "nearest", None), "is": [isinstance(e, gpu.UnsupportedOp), isinstance(e, AttributeError)], "has": hasattr(gpu, "stack")}
`

// TestPythonErrors has errors at the lines where the component made what is wrong, also if that is found later.
func TestPythonErrors(t *testing.T) {
	line := func(part string) int {
		n := strings.Index(failingPython, part)
		require.Positive(t, n, part)
		return strings.Count(failingPython[:n], "\n") + 1
	}
	eachWorld(t, func(t *testing.T, w *world) {
		c := w.compile(t, "failing.py", failingPython)
		call := line("fails[p")
		for f, want := range map[string]struct {
			name, text string
			lines      []int
		}{
			"shapes":  {"Error", "add(float32(2, 3), float32(4,)): shapes (2, 3) and (4,) cannot be broadcast", []int{line("x + gpu"), call}},
			"nested":  {"Error", "reshape(float32(2, 3)): (7,) has 7 elements, not 6", []int{line("x.reshape"), line("helper(),"), call}},
			"later":   {"Error", fmt.Sprintf("take(float32(2, 3), int64(2,)): the operation refuses its data (made at failing.py, line %d)", line("x.take(i")), []int{line("await y")}},
			"sync":    {"Error", fmt.Sprintf("take(float32(2, 3), int64(1,)): the operation refuses its data (made at failing.py, line %d)", line("gpu.take(x")), []int{line("bad.sum()"), call}},
			"unknown": {"UnsupportedOp", `gpu has no function 'stack'; the nearest is concat`, []int{line("gpu.stack"), call}},
			"camel":   {"UnsupportedOp", `gpu has no method 'layerNorm'; the nearest is layer_norm`, []int{line("x.layerNorm"), call}},
			"near":    {"UnsupportedOp", `gpu has no method 'softmx'; the nearest is softmax`, []int{line("x.softmx"), call}},
			"assign":  {"Error", "arrays do not change: use gpu.where", []int{line("x.__set"), call}},
			"item":    {"Error", "item() is of an array with one element", []int{line("x.item"), call}},
			"call":    {"Error", `there is no function "absent"`, []int{line("gpu.call"), call}},
			"limit":   {"Error", fmt.Sprintf("elements: at most 268435456 are supported (made at failing.py, line %d)", line("1 << 20")), []int{line("1 << 20"), call}},
		} {
			_, err := c.Render(t.Context(), map[string]any{"f": f}, w.options())
			var ge *engine.GuestError
			require.ErrorAs(t, err, &ge, f)
			require.Equal(t, want.name, ge.Name, f)
			require.Contains(t, ge.Message, want.text, f)
			var lines []int
			for _, frame := range ge.Stack {
				require.Equal(t, "failing.py", frame.File, "%s: %s", f, ge.Trace)
				lines = append(lines, frame.Line)
			}
			require.Equal(t, want.lines, lines, "%s: %s", f, ge.Trace)
			require.NotContains(t, ge.Trace, "<gpu>")
		}
		for f, want := range map[string]string{
			"shapes": `{"name":"Error","code":"invalid_argument","op":"add","shapes":[[2,3],[4]],"dtypes":["float32","float32"],"line":%d,"file":"failing.py","nearest":null,"is":[false,false],"has":false}`,
			"later":  `{"name":"Error","code":"invalid_argument","op":"take","shapes":[[2,3],[2]],"dtypes":["float32","int64"],"line":%d,"file":"failing.py","nearest":null,"is":[false,false],"has":false}`,
			"camel":  `{"name":"UnsupportedOp","code":"unsupported","op":"layerNorm","shapes":[],"dtypes":[],"line":%d,"file":"failing.py","nearest":"layer_norm","is":[true,true],"has":false}`,
			"call":   `{"name":"Error","code":"not_granted","op":"","shapes":[],"dtypes":[],"line":%d,"file":"failing.py","nearest":null,"is":[false,false],"has":false}`,
		} {
			in, err := c.Open(t.Context(), w.options())
			require.NoError(t, err)
			r, err := in.Call(t.Context(), "caught", map[string]any{"f": f})
			require.NoError(t, err)
			at := map[string]int{"shapes": line("x + gpu"), "later": line("x.take(i"), "camel": line("x.layerNorm"), "call": line("gpu.call")}[f]
			require.JSONEq(t, fmt.Sprintf(want, at), r.Text(), f)
			require.NoError(t, in.Close())
		}
	})
}

// TestPythonRetries has the host fail once and for ever.
func TestPythonRetries(t *testing.T) {
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	c := w.compile(t, "a.py", "import gpu\ndef render(p):\n    return gpu.ones(2).sum().item()\n")
	failures, code := 0, gpu.CodeUnavailable
	secret := fmt.Errorf("what only the embedder is to know")
	w.before = func(string) error {
		if failures == 0 {
			return nil
		}
		failures--
		return fmt.Errorf("%w %w", hostfuncs.Errorf(code, "no device can serve now"), secret)
	}
	var n float64
	failures = 1
	w.render(t, c, nil, &n)
	require.Equal(t, 2., n)
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
		require.Equal(t, "Error", ge.Name)
		require.ErrorIs(t, err, secret, "the embedder gets the error of its function")
		require.Equal(t, more, w.count("gpu.eval"))
	}
}

// TestPythonInCells imports the module in a notebook.
func TestPythonInCells(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		c := w.compile(t, "plain.py", "def render(p):\n    return 1\n")
		in, err := c.Open(t.Context(), w.options())
		require.NoError(t, err)
		defer in.Close()
		for _, cell := range [][2]string{
			{"import gpu\nx = gpu.ones((2, 2))\n(x + 1).tolist()", "[[2.0, 2.0], [2.0, 2.0]]"},
			{"import gpu\nx @ x", "gpu.Array float32(2, 2)"},
			{"y = await (x @ x).evaluate_async()\ny.sum().item()", "8.0"},
		} {
			got, err := in.Exec(t.Context(), "c", cell[0])
			require.NoError(t, err, cell[0])
			require.Equal(t, cell[1], got.Text)
		}
		got, err := in.Exec(t.Context(), "c", "x")
		require.NoError(t, err)
		require.JSONEq(t, "[[1, 1], [1, 1]]", string(got.Data["application/json"]))
	})
}

// TestPythonTypings compares the declarations with the module: names, methods, and what arguments are called.
func TestPythonTypings(t *testing.T) {
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	c := w.compile(t, "typings.py", `import ast, inspect
import gpu

def named(f):
    return [a.arg for a in f.args.kwonlyargs + f.args.args if a.arg != "self"]

def check(path, f, real, wrong):
    if not real:
        wrong.append(f"{path} is not there")
        return
    known = inspect.signature(real)
    loose = any(p.kind is p.VAR_KEYWORD for p in known.parameters.values())
    for a in named(f):
        p = known.parameters.get(a)
        if not loose and (p is None or p.kind not in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)):
            wrong.append(f"{path} takes no {a}: {known}")
    for a, d in zip(f.args.kwonlyargs, f.args.kw_defaults):
        if d is not None and not loose and known.parameters[a.arg].default != ast.literal_eval(d):
            wrong.append(f"{path}: the default of {a.arg} is {known.parameters[a.arg].default}")
    if f.args.defaults:
        for a, d in zip(f.args.args[-len(f.args.defaults):], f.args.defaults):
            if a.arg in known.parameters and known.parameters[a.arg].default != ast.literal_eval(d):
                wrong.append(f"{path}: the default of {a.arg} is {known.parameters[a.arg].default}")
    coroutine = inspect.iscoroutinefunction(real)
    if isinstance(f, ast.AsyncFunctionDef) != coroutine:
        wrong.append(f"{path} is a coroutine, or is none")

def render(p):
    wrong, names = [], set()
    for s in ast.parse(p["pyi"]).body:
        if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names.add(s.name)
            check(s.name, s, getattr(gpu, s.name, None), wrong)
        elif isinstance(s, ast.ClassDef):
            names.add(s.name)
            cls = getattr(gpu, s.name)
            for m in s.body:
                if isinstance(m, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    real = inspect.getattr_static(cls, m.name, None)
                    check(s.name + "." + m.name, m, real.fget if isinstance(real, property) else real, wrong)
        elif isinstance(s, ast.AnnAssign):
            names.add(s.target.id)
            if getattr(gpu, s.target.id) != s.value.value:
                wrong.append(s.target.id)
    return {"wrong": wrong, "missing": sorted(set(gpu.__all__) - names), "more": sorted(names - set(gpu.__all__))}
`)
	var out struct{ Wrong, Missing, More []string }
	w.render(t, c, map[string]string{"pyi": w.grants.Modules()[0].Typings["python"]}, &out)
	require.Empty(t, out.Wrong)
	require.Empty(t, out.Missing)
	require.Empty(t, out.More)
}
