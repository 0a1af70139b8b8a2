package cuda

import (
	"fmt"
	"math"

	"github.com/sporeengine/spore/gpu/tensor"
)

// maxWords bounds the parameters of a launch: 4 KiB are what every device takes.
const maxWords = 480

// threads is how many threads a block has that needs no certain number. It is what kernels are compiled for at most.
const threads = 256

// elements are the elements of a tensor, in memory or as they are computed from others.
type elements struct {
	dtype    tensor.DType
	shape    tensor.Shape
	strides  []int64 // of the tensor, or of one without gaps if it is not in memory
	operands []view  // what they are computed from, each broadcast to the shape
	expr     func(s *source, x []string) string
}

// elementsOf returns the elements of v.
func elementsOf(v view) elements {
	return elements{v.dtype, v.shape, v.strides, []view{v}, func(_ *source, x []string) string { return x[0] }}
}

// joined returns the elements of a value that is the last of some elementwise nodes.
func (pr *planner) joined(value int, members []int) elements {
	nodes := pr.p.Nodes()
	inside := map[int]bool{}
	for _, m := range members {
		inside[nodes[m].Out] = true
	}
	place := map[int]int{} // of the operands, by their values
	e := elements{dtype: pr.p.Type(value).DType, shape: pr.p.Type(value).Shape, strides: rowMajor(pr.p.Type(value).Shape)}
	for _, m := range members {
		for _, v := range nodes[m].In {
			if _, known := place[v]; !known && !inside[v] {
				place[v] = len(e.operands)
				e.operands = append(e.operands, pr.views[v])
			}
		}
	}
	e.expr = func(s *source, x []string) string {
		names := map[int]string{}
		for v, i := range place {
			names[v] = x[i]
		}
		for _, m := range members {
			node := &nodes[m]
			var types []tensor.DType
			var args []string
			for _, v := range node.In {
				types = append(types, pr.p.Type(v).DType)
				args = append(args, names[v])
			}
			names[node.Out] = fmt.Sprintf("v%d", m-members[0])
			s.printf("%s %s = %s;\n", ctype(node.DType), names[node.Out], apply(node.Op, node.DType, types, args))
		}
		return names[value]
	}
	return e
}

// fused plans the kernel that computes n and all that was joined to it.
func (pr *planner) fused(n *tensor.Node) {
	e := pr.joined(n.Out, pr.members[pr.node])
	pr.elementwise(*pr.result(n, 0), e.operands, e.expr)
}

// elementwise plans a kernel that writes each element of dst. The operands broadcast to its shape; expr writes statements that
// compute an element from the names of those of the operands, and returns its name.
func (pr *planner) elementwise(dst view, operands []view, expr func(s *source, x []string) string) {
	size := dst.shape.Size()
	if size == 0 {
		return
	}
	sets := [][]int64{dst.strides}
	words := 2
	for i := range operands {
		sets = append(sets, operands[i].stretched(dst.shape))
	}
	shape, strides := collapse(dst.shape, sets...)
	words += len(shape) + (1+len(shape))*len(sets)
	if words > maxWords { // of very many dimensions: one operand after the other is put in order before
		for i := range operands {
			if operands[i].buf != literal {
				operands[i] = pr.copied(operands[i], dst.shape)
			}
		}
		pr.elementwise(dst, operands, expr)
		return
	}
	s := newSource(size)
	s.printf("EACH_THREAD(i) {\n")
	c := s.coords("i", "c", shape)
	names := make([]string, len(operands))
	bytes := float64(dst.dtype.Size())
	for i := range operands {
		names[i] = fmt.Sprintf("x%d", i)
		s.printf("%s %s = %s;\n", ctype(operands[i].dtype), names[i], s.value(&operands[i], s.offset(c, strides[i+1])))
		if operands[i].buf != literal {
			bytes += float64(operands[i].dtype.Size())
		}
	}
	at := s.offset(c, strides[0])
	to := s.at(&dst)
	s.printf("st_%s(%s, %s, %s);\n}\n", suffix(dst.dtype), to, at, expr(s, names))
	pr.launch(s, threads, bytes/1000+0.02)
}

// copyTo plans a copy of src to the place of dst, converted to its dtype.
func (pr *planner) copyTo(dst, src view) {
	pr.elementwise(dst, []view{src}, func(_ *source, x []string) string { return cast(src.dtype, dst.dtype, x[0]) })
}

// copied plans a copy of v, broadcast to a shape, without gaps.
func (pr *planner) copied(v view, s tensor.Shape) view {
	out := pr.fresh(v.dtype, s)
	pr.copyTo(out, v)
	return out
}

// packed returns v without gaps in the memory of the device: itself, or a copy.
func (pr *planner) packed(v view) view {
	if v.packed() {
		return v
	}
	return pr.copied(v, v.shape)
}

// converted returns v with elements of another type.
func (pr *planner) converted(v view, d tensor.DType) view {
	if v.dtype == d {
		return v
	}
	out := pr.fresh(d, v.shape)
	pr.copyTo(out, v)
	return out
}

// literal makes a value that all elements have: f of floats, i of others.
func (pr *planner) literal(n *tensor.Node, f float64, i int64) {
	v := view{dtype: n.DType, shape: pr.p.Type(n.Out).Shape, buf: literal, bits: uint64(i)}
	v.strides = make([]int64, len(v.shape))
	if n.DType.IsFloat() {
		v.bits = math.Float64bits(f)
	}
	pr.views[n.Out] = v
}

func (pr *planner) full(n *tensor.Node) {
	if n.DType.IsFloat() {
		pr.literal(n, n.Float("value"), 0)
	} else {
		pr.literal(n, 0, int64(n.Bits("value")))
	}
}

// generated plans a kernel that writes value(i) to element i of the result, of type from.
func (pr *planner) generated(n *tensor.Node, nanos float64, value func(s *source) (from tensor.DType, x string)) {
	dst := pr.result(n, 0)
	s := newSource(dst.shape.Size())
	s.printf("EACH_THREAD(i) {\n")
	from, x := value(s)
	s.printf("st_%s(%s, i, %s);\n}\n", suffix(dst.dtype), s.at(dst), cast(from, dst.dtype, x))
	pr.launch(s, threads, nanos)
}

func (pr *planner) arange(n *tensor.Node) {
	pr.generated(n, 0.05, func(s *source) (tensor.DType, string) {
		if n.DType.IsFloat() {
			return tensor.Float64, fmt.Sprintf("(%s + (f64)i * %s)", s.float(n.Float("start")), s.float(n.Float("step")))
		}
		return tensor.Int64, fmt.Sprintf("(i64)((u64)%s + (u64)i * (u64)%s)", s.num(int64(n.Bits("start"))), s.num(int64(n.Bits("step"))))
	})
}

func (pr *planner) linspace(n *tensor.Node) {
	count, start, stop := n.Int("n"), n.Float("start"), n.Float("stop")
	last, parts := -1, count // number of the element that is stop
	if n.Bool("endpoint") {
		last, parts = count-1, count-1
	}
	step := (stop - start) / float64(max(parts, 1))
	pr.generated(n, 0.05, func(s *source) (tensor.DType, string) {
		first := s.float(start)
		return tensor.Float64, fmt.Sprintf("(i == 0 ? %s : (i64)i == %s ? %s : %s + (f64)i * %s)",
			first, s.num(int64(last)), s.float(stop), first, s.float(step))
	})
}

func (pr *planner) eye(n *tensor.Node) {
	cols := n.Int("cols")
	pr.generated(n, 0.05, func(s *source) (tensor.DType, string) {
		w := s.length(cols)
		return tensor.Bool, fmt.Sprintf("(u8)((i64)(i %% %s) - (i64)(i / %s) == %s)", w, w, s.num(int64(n.Int("k"))))
	})
}

// uniform plans random numbers: each thread makes those of one counter.
func (pr *planner) uniform(n *tensor.Node) {
	dst := pr.result(n, 0)
	size := dst.shape.Size()
	each := int64(4)
	if n.DType == tensor.Float64 {
		each = 2
	}
	s := newSource((size + each - 1) / each)
	s.printf("EACH_THREAD(i) {\nu32 r[4];\nphilox((u64)%s, i, r);\n", s.num(int64(n.Bits("seed"))))
	s.printf("for (int j = 0; j < %d; j++) {\ni64 at = (i64)i * %d + j;\nif (at < %s) ", each, each, s.num(size))
	if n.DType == tensor.Float64 {
		s.printf("st_f64(%s, at, uniform_f64(r[2 * j], r[2 * j + 1]));\n}\n}\n", s.at(dst))
	} else {
		bits := map[tensor.DType]int{tensor.Float16: 11, tensor.BFloat16: 8, tensor.Float32: 24}[n.DType]
		s.printf("st_%s(%s, at, (f32)(r[j] >> %d) * (1.0f / %d.0f));\n}\n}\n", suffix(n.DType), s.at(dst), 32-bits, 1<<bits)
	}
	pr.launch(s, threads, 0.1)
}

// normal plans random numbers: each thread makes two of a pair of uniform ones.
func (pr *planner) normal(n *tensor.Node) {
	dst := pr.result(n, 0)
	size := dst.shape.Size()
	s := newSource((size + 1) / 2)
	s.printf("EACH_THREAD(i) {\nu32 r[4];\nphilox((u64)%s, i, r);\n", s.num(int64(n.Bits("seed"))))
	s.printf("f64 radius = sqrt(-2.0 * log(1.0 - uniform_f64(r[0], r[1]))), angle = 6.283185307179586476925 * uniform_f64(r[2], r[3]);\n")
	to, st := s.at(dst), suffix(n.DType)
	s.printf("i64 at = 2 * (i64)i;\nst_%s(%s, at, %s);\n", st, to, fromF64(n.DType, "radius * cos(angle)"))
	s.printf("if (at + 1 < %s) st_%s(%s, at + 1, %s);\n}\n", s.num(size), st, to, fromF64(n.DType, "radius * sin(angle)"))
	pr.launch(s, threads, 1)
}
