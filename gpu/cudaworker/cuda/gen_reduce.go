package cuda

import (
	"fmt"
	"math/bits"

	"github.com/sporeengine/spore/gpu/tensor"
)

// An accumulator is how elements become one result, as C: what is gathered (a), how it begins, how element x with index j is added, how
// another one (b) is, and the result as a value of type out.
type accumulator struct {
	fields, begin, step, merge, done string
	out                              tensor.DType
	wide                             bool // out is kept as f64, whatever the dtype of the result
}

// reduction plans a node that reduces.
func (pr *planner) reduction(n *tensor.Node) {
	in := pr.input(n)
	var axes []int
	if n.Op == tensor.ArgMin || n.Op == tensor.ArgMax {
		axes = []int{n.Int("axis")}
	} else {
		axes = n.Ints("axes")
	}
	if n.Op == tensor.Var {
		// The mean first, and then the squares of the distances to it: of neither is anything lost.
		kept, _ := without(in.shape, axes)
		mean := pr.fresh(tensor.Float64, kept)
		pr.reduce(in, axes, mean, sums(in.dtype, tensor.Float64, true), 0, nil)
		acc := sums(in.dtype, n.DType, false)
		acc.step = "f64 d = (f64)x - m; a.s += d * d;"
		acc.done = "div > 0 ? a.s / div : bits_f64(0x7ff8000000000000ull)"
		pr.reduce(in, axes, *pr.result(n, 0), acc, n.Float("correction"), &mean)
		return
	}
	var acc accumulator
	t := ctype(in.dtype)
	switch n.Op {
	case tensor.Sum, tensor.Mean:
		acc = sums(in.dtype, n.DType, n.Op == tensor.Mean)
	case tensor.Any:
		acc = accumulator{fields: "u8 s;", begin: "a.s = 0;", step: "a.s |= x != 0;", merge: "a.s |= b.s;", done: "a.s", out: tensor.Bool}
	case tensor.All:
		acc = accumulator{fields: "u8 s;", begin: "a.s = 1;", step: "a.s &= x != 0;", merge: "a.s &= b.s;", done: "a.s", out: tensor.Bool}
	case tensor.Min, tensor.Max:
		f := map[tensor.Op]string{tensor.Min: "minimum", tensor.Max: "maximum"}[n.Op] + "_" + t
		acc = accumulator{fields: t + " v; u8 some;", begin: "a.v = 0; a.some = 0;",
			step:  fmt.Sprintf("a.v = a.some ? %s(a.v, x) : x; a.some = 1;", f),
			merge: fmt.Sprintf("if (b.some) { a.v = a.some ? %s(a.v, b.v) : b.v; a.some = 1; }", f),
			done:  "a.v", out: n.DType}
	case tensor.ArgMin, tensor.ArgMax:
		f := map[tensor.Op]string{tensor.ArgMin: "better_min", tensor.ArgMax: "better_max"}[n.Op] + "_" + t
		acc = accumulator{fields: t + " v; i64 j;", begin: "a.v = 0; a.j = -1;",
			step:  fmt.Sprintf("if (a.j < 0 || %s(x, a.v)) { a.v = x; a.j = j; }", f),
			merge: fmt.Sprintf("if (b.j >= 0 && (a.j < 0 || %s(b.v, a.v) || (!%s(a.v, b.v) && b.j < a.j))) a = b;", f, f),
			done:  "a.j", out: tensor.Int64}
	}
	pr.reduce(in, axes, *pr.result(n, 0), acc, 0, nil)
}

// input returns the elements that a reduction reads: with the operations that were joined to it.
func (pr *planner) input(n *tensor.Node) elements {
	members := pr.members[pr.node]
	if len(members) == 0 {
		return elementsOf(pr.views[n.In[0]])
	}
	e := pr.joined(n.In[0], members)
	if (2*len(e.shape)+1)*len(e.operands) > maxWords-64 { // more parameters than a kernel has
		v := pr.fresh(e.dtype, e.shape)
		pr.elementwise(v, e.operands, e.expr)
		return elementsOf(v)
	}
	return e
}

// sums adds up: floats in f64, others in i64.
func sums(in, out tensor.DType, mean bool) accumulator {
	if !in.IsFloat() {
		return accumulator{fields: "u64 s;", begin: "a.s = 0;", step: "a.s += (u64)(i64)x;", merge: "a.s += b.s;", done: "(i64)a.s", out: tensor.Int64}
	}
	acc := accumulator{fields: "f64 s;", begin: "a.s = 0;", step: "a.s += (f64)x;", merge: "a.s += b.s;", done: "a.s", out: out, wide: true}
	if mean {
		acc.done = "a.s / div"
	}
	return acc
}

// partialBytes is the room of an accumulator.
const partialBytes = 16

// reduce plans kernels that reduce the axes of in; dst has the elements of the result in row-major order. div is the number of elements less
// correction. mean, if not nil, has a float64 for each result, m.
//
// Where neighbours in memory belong to different results, each thread has one; else each block, whose threads read side by side. If that
// keeps too little of a device busy, the elements of a result are cut into segments, which are reduced by themselves first.
func (pr *planner) reduce(in elements, axes []int, dst view, acc accumulator, correction float64, mean *view) {
	keptShape, redShape := without(in.shape, axes)
	outs, n := tensor.Shape(keptShape).Size(), tensor.Shape(redShape).Size()
	if outs == 0 {
		return
	}
	// The first set of strides says how the elements lie; the others are those of the operands.
	sets := [][]int64{in.strides}
	for i := range in.operands {
		sets = append(sets, in.operands[i].stretched(in.shape))
	}
	keptSets, redSets := make([][]int64, len(sets)), make([][]int64, len(sets))
	for i, set := range sets {
		keptSets[i], redSets[i] = without(set, axes)
	}
	side := func(shape tensor.Shape, strides []int64) bool { // elements lie side by side along the last dimension that counts
		for d := len(shape) - 1; d >= 0; d-- {
			if shape[d] != 1 {
				return strides[d] == 1
			}
		}
		return false
	}
	block := n > 16 && !(outs >= 16 && side(keptShape, keptSets[0]) && !side(redShape, redSets[0]))
	kept, ks := collapse(keptShape, keptSets[1:]...)
	red, rs := collapse(redShape, redSets[1:]...)
	segments := int64(1)
	switch {
	case block && outs < 1024:
		segments = min((n+4095)/4096, (2048+outs-1)/outs)
	case !block && outs < 1<<17:
		segments = min((n+127)/128, (1<<18+outs-1)/outs)
	}
	s := newSource(outs * max(segments, 1))
	s.block = block
	s.types.WriteString("typedef struct { " + acc.fields + " } A;\n")
	size := 1
	if block {
		size = min(threads, max(32, 1<<bits.Len64(uint64(n/max(segments, 1)/4))))
		s.shared.WriteString("SHARED A sh[256];\n")
		s.printf("EACH_BLOCK(i) {\n")
	} else {
		size = threads
		s.printf("EACH_THREAD(i) {\n")
	}
	count := s.num(n)
	o := "i"
	j0, j1 := "0", count
	if segments > 1 {
		w := s.length(int(outs))
		s.printf("INDEX o = i %% %s;\ni64 seg = i / %s;\n", w, w)
		each := s.num((n + segments - 1) / segments)
		s.printf("i64 j0 = seg * %s, j1 = j0 + %s;\nif (j1 > %s) j1 = %s;\n", each, each, count, count)
		o, j0, j1 = "o", "j0", "j1"
	}
	c := s.coords(o, "c", kept)
	for i := range in.operands {
		s.printf("i64 b%d = %s;\n", i, s.offset(c, ks[i]))
	}
	meanOf := func(o string) {
		if mean != nil {
			s.printf("f64 m = ld_f64(%s, %s);\n", s.at(mean), o)
		}
	}
	meanOf(o)
	s.printf("A a;\n%s\n", acc.begin)
	if block {
		s.printf("for (i64 j = %s + TID; j < %s; j += THREADS) {\n", j0, j1)
	} else {
		s.printf("for (i64 j = %s; j < %s; j++) {\n", j0, j1)
	}
	rc := s.coords("(INDEX)j", "r", red)
	s.long = n >= 1<<31
	x := make([]string, len(in.operands))
	for i := range in.operands {
		v := &in.operands[i]
		x[i] = fmt.Sprintf("x%d", i)
		s.printf("%s %s = %s;\n", ctype(v.dtype), x[i], s.value(v, fmt.Sprintf("b%d + %s", i, s.offset(rc, rs[i]))))
	}
	s.printf("%s x = %s;\n%s\n}\n", ctype(in.dtype), in.expr(s, x), acc.step)
	if block {
		s.printf("sh[TID] = a;\nSYNC;\nfor (u32 h = THREADS / 2; h > 0; h /= 2) {\nif (TID < h) { A b = sh[TID + h]; a = sh[TID]; %s sh[TID] = a; }\nSYNC;\n}\nif (TID == 0) {\na = sh[0];\n", acc.merge)
	}
	store := func(o string) {
		s.printf("f64 div = (f64)%s - %s;\n(void)div;\n", count, s.float(correction))
		x := acc.done
		if acc.wide {
			x = fromF64(acc.out, x)
		}
		s.printf("st_%s(%s, %s, %s);\n", suffix(dst.dtype), s.at(&dst), o, x)
	}
	partial := -1
	if segments > 1 {
		partial = pr.buffer(outs * segments * partialBytes)
		s.printf("((A *)%s)[i] = a;\n", s.pointer(partial, 0))
	} else {
		store(o)
	}
	if block {
		s.printf("}\nSYNC;\n")
	}
	s.printf("}\n")
	pr.launch(s, size, float64(n)/float64(max(segments, 1))*0.02+0.5)
	if segments <= 1 {
		return
	}
	s = newSource(outs)
	s.types.WriteString("typedef struct { " + acc.fields + " } A;\n")
	s.printf("EACH_THREAD(i) {\n")
	count = s.num(n)
	outsWord := s.num(outs)
	from := s.pointer(partial, 0)
	s.printf("A a = ((A *)%s)[i];\nfor (i64 seg = 1; seg < %s; seg++) {\nA b = ((A *)%s)[seg * %s + i];\n%s\n}\n", from, s.num(segments), from, outsWord, acc.merge)
	store("i")
	s.printf("}\n")
	pr.launch(s, threads, float64(segments)*0.01+0.1)
}
