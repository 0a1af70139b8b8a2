package guest_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

// TestPythonRandom makes random graphs and compares what the guest says of types and shapes with the host, and results with the
// oracle.
func TestPythonRandom(t *testing.T) {
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	c := w.compile(t, "random.py", randomPython)
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	made := 0
	for seed := range 6 {
		w.reset()
		r, err := c.Render(t.Context(), map[string]any{"seed": seed, "rounds": rounds}, w.options())
		require.NoError(t, err)
		var claims [][]struct {
			DType string       `json:"dtype"`
			Shape tensor.Shape `json:"shape"`
		}
		require.NoError(t, json.Unmarshal(r.JSON(), &claims))
		require.Len(t, w.evals, len(claims))
		for i, e := range w.evals {
			require.Len(t, e.program.Outputs(), len(claims[i]))
			for j, typ := range e.program.Outputs() {
				require.Equal(t, typ.DType.String(), claims[i][j].DType)
				require.True(t, typ.Shape.Equal(claims[i][j].Shape), "%v is not %v: %v", claims[i][j].Shape, typ, e.program.Nodes())
			}
			made += len(e.program.Nodes())
		}
		w.checkPrograms(t, nil)
	}
	// With functions of which the results are only near, and random numbers, there are no results to compare.
	w.reset()
	r, err := c.Render(t.Context(), map[string]any{"seed": 7, "rounds": rounds, "every": true}, w.options())
	require.NoError(t, err)
	require.Positive(t, len(r.JSON()))
	for _, e := range w.evals {
		made += len(e.program.Nodes())
	}
	t.Logf("%d nodes", made)
}

// Functions of one sort are chosen as often as any other. What a function refuses is tried with other arguments.
const randomPython = `import random
import gpu

EVERY = [n for n in gpu.__all__ if callable(getattr(gpu, n)) and n[0].islower() and n not in
         ("evaluate", "evaluate_async", "call", "call_async", "stream", "info", "info_async", "asarray", "constant")]
UNARY = ("exp", "log", "log1p", "expm1", "sin", "cos", "tanh", "sigmoid", "erf", "rsqrt")
OPS = [n for n in EVERY if n not in UNARY + ("random_normal", "layer_norm", "softmax", "var", "mean", "pow", "random_uniform", "linspace")]
DTYPES = ["bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64"]

def shape(r, rank=None):
    return tuple(r.choice((1, 1, 2, 3, 3, 0 if r.random() < 0.1 else 2)) for _ in range(r.randrange(4) if rank is None else rank))

def fresh(r):
    d, s = r.choice(DTYPES), shape(r)
    n = 1
    for k in s:
        n *= k
    if d == "bool":
        data = [r.random() < 0.5 for _ in range(n)]
    elif d[0] == "f" or d[0] == "b":
        data = [r.choice((0.0, 1.0, -2.0, 0.5, 3.0)) for _ in range(n)]
    else:
        data = [r.randrange(5) for _ in range(n)]
    return gpu.asarray(data, dtype=d, shape=s)

def step(r, pool, ops):
    name = r.choice(ops)
    x, y, z = (r.choice(pool) for _ in range(3))
    axis = r.choice((None, 0, -1, 1))
    keep = r.random() < 0.5
    if name in UNARY:
        return getattr(gpu, name)(x)
    if name in ("softmax", "layer_norm"):
        return getattr(gpu, name)(x, axis=axis or 0)
    if name in ("var", "mean"):
        return getattr(gpu, name)(x, axis=axis, keepdims=keep)
    if name == "linspace":
        return gpu.linspace(0, 1.5, r.randrange(4), dtype=r.choice(DTYPES), endpoint=keep)
    if name in ("random_normal", "random_uniform"):
        return getattr(gpu, name)(shape(r), dtype=r.choice(DTYPES), seed=r.choice((0, 7, -1)))
    if name in ("zeros", "ones"):
        return getattr(gpu, name)(shape(r), dtype=r.choice(DTYPES))
    if name == "full":
        return gpu.full(shape(r), r.choice((True, 2, 0.5)))
    if name == "arange":
        return gpu.arange(r.randrange(-2, 3), r.randrange(6), r.choice((1, 2, -1)), dtype=r.choice(DTYPES[1:]))
    if name == "eye":
        return gpu.eye(r.randrange(4), k=r.randrange(-2, 3), dtype=r.choice(DTYPES))
    if name == "astype":
        return x.astype(r.choice(DTYPES))
    if name in ("where", "clip"):
        return getattr(gpu, name)(x, y, z)
    if name in ("sum", "min", "max", "any", "all", "argmin", "argmax"):
        return getattr(gpu, name)(x, axis=axis, keepdims=keep)
    if name == "cumulative_sum":
        return gpu.cumulative_sum(x, axis=axis)
    if name in ("reshape", "broadcast_to"):
        return getattr(gpu, name)(x, r.choice((shape(r), (-1,), (2, -1), (1, *x.shape), x.shape[::-1])))
    if name == "permute_dims":
        return gpu.permute_dims(x, tuple(r.sample(range(x.ndim), x.ndim)))
    if name in ("expand_dims", "squeeze"):
        return getattr(gpu, name)(x, axis=axis or 0)
    if name == "concat":
        return gpu.concat([x, y, x][:r.randrange(1, 4)], axis=axis)
    if name == "slice":
        return x[tuple(r.choice((0, -1, slice(None), slice(1, None), slice(None, None, -1), slice(None, -1, 2), None, 1)) for _ in range(r.randrange(4)))]
    if name == "take":
        return gpu.take(x, [0, -1], axis=axis)
    if name == "topk":
        return gpu.topk(x, r.randrange(3), axis=axis or 0, largest=keep)[r.randrange(2)]
    if name in ("sort", "argsort"):
        return getattr(gpu, name)(x, axis=axis or 0, descending=keep)
    if name in ("abs", "negative", "sign", "sqrt", "floor", "ceil", "round", "isnan", "logical_not"):
        return getattr(gpu, name)(x)
    return getattr(gpu, name)(x, r.choice((y, y, y, 2, 0.5, True)))

def render(p):
    r = random.Random(p["seed"])
    claims = []
    for _ in range(p["rounds"]):
        pool = [fresh(r) for _ in range(4)]
        made = []
        while len(made) < 8:
            try:
                a = step(r, pool, EVERY if p.get("every") else OPS)
            except gpu.Error as e:
                assert e.code == "invalid_argument", e
                continue
            if a.size > 500 or a.ndim > 6:
                continue
            pool.append(a)
            made.append(a)
        outputs = r.sample(made, 3)
        claims.append([{"dtype": a.dtype, "shape": a.shape} for a in outputs if a._n.data is None])
        seen, distinct = [], []
        for a, c in zip([a for a in outputs if a._n.data is None], claims[-1]):
            if (id(a._n), a._r) not in seen:
                seen.append((id(a._n), a._r))
                distinct.append(c)
        claims[-1] = distinct
        if not distinct:
            claims.pop()
        try:
            gpu.evaluate(*outputs)
        except gpu.Error as e:      # an index out of range
            assert e.op == "take", e
            claims.pop()
    return claims
`
