package guest_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

// guessing calls functions with arrays and options that fit often and do not fit often, and evaluates what was not refused.
const guessing = `import gpu from "gpu";
let state = 1;
const below = (n) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor(state / 4294967296 * n); };
const of = (list) => list[below(list.length)];
const dtypes = ["bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64"];
const lengths = (rank) => Array.from({ length: rank }, () => of([0, 1, 1, 2, 2, 2, 3, 3]));
const axis = (rank) => below(rank * 2 + 1) - rank;

// An array of a given type and of shapes that often broadcast.
const some = (d, rank = below(4)) => gpu.ones(lengths(rank), "float64").astype(d);
const bound = () => of([null, -4, -1, 0, 1, 2, 9]);
const makers = {
  asarray: () => { const s = lengths(below(4)); const n = s.reduce((a, b) => a * b, 1); return gpu.asarray(of([new Uint8Array(n), new Float64Array(n), new BigInt64Array(n)]), { shape: s, dtype: of(dtypes) }); },
  constant: (d) => gpu.constant([[1, 0], [0, 1]], { dtype: of(["uint8", "float32", "float16"]) }),
  zeros: (d) => gpu.zeros(lengths(2), d), ones: (d) => gpu.ones(lengths(1), d),
  full: (d) => gpu.full(lengths(2), of([1, 0, true, 2n, 0.5, -1]), { dtype: d }),
  arange: (d) => gpu.arange(below(5) - 2, below(9), of([1, 2, 0.5, -1]), { dtype: d }),
  linspace: (d) => gpu.linspace(0, 3, below(4), { dtype: d, endpoint: below(2) === 0 }),
  eye: (d) => gpu.eye(below(4), below(4), { k: below(5) - 2, dtype: d }),
  random_uniform: (d) => gpu.random_uniform(lengths(2), { dtype: d, seed: below(9) }), random_normal: (d) => gpu.random_normal(lengths(2), { dtype: d }),
  astype: (d) => some(of(dtypes)).astype(d),
  where: (d) => gpu.where(some(of(["bool", "bool", d])), some(d), of([some(d), some(of(dtypes)), 1])),
  clip: (d) => some(d).clip(of([0, some(d), null]), of([1, some(d), null])),
  concat: (d) => { const r = below(3); return gpu.concat([some(d, r), some(d, r), some(of([d, of(dtypes)]), r)], { axis: axis(r) }); },
  reshape: (d) => some(d).reshape(of([lengths(below(4)), [-1], [-1, 2], [2, -1]])),
  permute_dims: (d) => { const r = below(4); return some(d, r).permute_dims(of([[...Array(r).keys()].reverse(), [0], Array.from({ length: r }, () => axis(r))])); },
  expand_dims: (d) => some(d).expand_dims(axis(3)), squeeze: (d) => some(d).squeeze(of([0, -1, [0, 1], []])),
  broadcast_to: (d) => some(d).broadcast_to(lengths(below(4))),
  slice: (d) => some(d).slice(Array.from({ length: below(4) }, () => of(["...", null, 0, -1, 1, [bound(), bound()], [bound(), bound(), of([1, 2, -1, -2, 0])]]))),
  take: (d) => { const r = below(4); return some(d, r).take(of([[0], [-1], [[0, 0]], [], some("int32"), some("float32")]), axis(r)); },
  matmul: (d) => some(d).matmul(some(of([d, d, of(dtypes)]))),
  topk: (d) => of(some(d).topk(below(4), { axis: axis(2), largest: below(2) === 0 })),
  sort: (d) => some(d).sort({ axis: axis(2), descending: below(2) === 0 }), argsort: (d) => some(d).argsort({ axis: axis(2) }),
};
const along = ["softmax", "layer_norm", "cumulative_sum", "argmin", "argmax"];
const over = ["sum", "mean", "var", "min", "max", "any", "all"];

export async function render({ seed, rounds, names, unary }) {
  state = seed;
  const made = {}, wrong = [];
  for (let i = 0; i < rounds; i++) {
    const name = names[i % names.length], d = of(dtypes);
    let y;
    try {
      if (makers[name]) y = makers[name](d);
      else if (along.includes(name)) { const r = below(4); y = some(d, r)[name]({ axis: axis(r) }); }
      else if (over.includes(name)) { const r = below(4); y = some(d, r)[name]({ axis: of([null, axis(r), [0, -1], []]), keepdims: below(2) === 0 }); }
      else if (unary.includes(name)) y = some(d)[name]();
      else y = some(d)[name](of([some(d), some(d), some(of(dtypes)), 2, 0.5, true]));
    } catch (e) {
      if (!(e instanceof gpu.GpuError)) throw e;
      continue;
    }
    try {
      const data = await y.data();
      if (data.length !== y.size || y.size !== y.shape.reduce((a, b) => a * b, 1)) throw new Error("it has " + data.length + " elements, not those of " + y);
      made[name] = (made[name] ?? 0) + 1;
    } catch (e) {
      if (!e.message.endsWith("the operation refuses its data")) wrong.push(name + " " + y + ": " + e.message);
    }
  }
  return { made, wrong };
}`

// TestGuestKnowsTheRules has the guest accept nothing that the host refuses: types, shapes and encoded programs are as the host has them.
func TestGuestKnowsTheRules(t *testing.T) {
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	var names, unary []string
	for _, op := range tensor.Ops() {
		i := op.Info()
		names = append(names, i.Name)
		if i.Arity == 1 {
			unary = append(unary, i.Name)
		}
	}
	c := w.compile(t, "guessing.js", guessing)
	rounds := 20
	if n, err := strconv.Atoi(os.Getenv("GUEST_ROUNDS")); err == nil {
		rounds = n
	}
	made := map[string]int{}
	for seed := range rounds {
		var out struct {
			Made  map[string]int `json:"made"`
			Wrong []string       `json:"wrong"`
		}
		w.render(t, c, map[string]any{"seed": seed + 1, "rounds": 2 * len(names), "names": names, "unary": unary}, &out)
		require.Empty(t, out.Wrong, seed)
		for name, n := range out.Made {
			made[name] += n
		}
	}
	total := 0
	for _, name := range names {
		require.Positive(t, made[name], "%s was never accepted", name)
		total += made[name]
	}
	t.Logf("%d of %d guesses were accepted", total, rounds*2*len(names))
}
