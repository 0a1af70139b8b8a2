package cuda

import (
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

// maxGemms bounds the calls of the library for one product.
const maxGemms = 16

// matmul plans a product: of floats by the library, of integers by a kernel. Row-major C = A·B is column-major Cᵀ = Bᵀ·Aᵀ of the same memory.
func (pr *planner) matmul(n *tensor.Node) {
	a, b := pr.views[n.In[0]], pr.views[n.In[1]]
	a, b = pr.converted(a, n.DType), pr.converted(b, n.DType)
	out := *pr.result(n, 0)
	if out.shape.Size() == 0 {
		return
	}
	// Vectors become matrices.
	if len(a.shape) == 1 {
		a.shape, a.strides = tensor.Shape{1, a.shape[0]}, []int64{0, a.strides[0]}
		out.shape = slices.Insert(slices.Clone(out.shape), max(0, len(out.shape)-min(1, len(b.shape)-1)), 1)
	}
	if len(b.shape) == 1 {
		b.shape, b.strides = tensor.Shape{b.shape[0], 1}, []int64{b.strides[0], 0}
		out.shape = append(slices.Clone(out.shape), 1)
	}
	out.strides = rowMajor(out.shape)
	rank := len(out.shape)
	batch := out.shape[:rank-2]
	m, cols, k := out.shape[rank-2], out.shape[rank-1], a.shape[len(a.shape)-1]
	if k == 0 {
		zero := view{dtype: out.dtype, shape: out.shape, strides: make([]int64, rank), buf: literal}
		pr.copyTo(out, zero)
		return
	}
	if !n.DType.IsFloat() {
		pr.intMatmul(out, a, b, k)
		return
	}
	a, transA, lda := pr.matrix(a)
	b, transB, ldb := pr.matrix(b)
	as := a.stretchedBatch(batch)
	bs := b.stretchedBatch(batch)
	cs := out.strides[:rank-2]
	// Rows of a batch of matrices that all meet the same one are rows of one matrix.
	if !transA && b.shape[:len(b.shape)-2].Size() == 1 && len(batch) > 0 && a.packed() && a.shape[:len(a.shape)-2].Size() == batch.Size() {
		m *= int(batch.Size())
		batch, as, bs, cs = nil, nil, nil, nil
	}
	shape, sets := collapse(batch, as, bs, cs)
	if len(shape) > 1 && shape[:len(shape)-1].Size() > maxGemms {
		// Rather than so many calls: the inputs are copied, as often as they are repeated, so that one is enough.
		a = pr.copied(a, append(slices.Clone(batch), a.shape[len(a.shape)-2:]...))
		b = pr.copied(b, append(slices.Clone(batch), b.shape[len(b.shape)-2:]...))
		transA, transB, lda, ldb = false, false, k, cols
		shape, sets = collapse(batch, a.stretchedBatch(batch), b.stretchedBatch(batch), cs)
	}
	// The last dimension is one call, and there is a call for each of the others.
	count, strides := 1, [3]int64{}
	outer := shape
	if len(shape) > 0 {
		outer, count = shape[:len(shape)-1], shape[len(shape)-1]
		for i := range strides {
			strides[i] = sets[i][len(shape)-1]
		}
	}
	size := int64(n.DType.Size())
	calls := int(outer.Size())
	for call := range calls {
		offsets := [3]int64{a.offset, b.offset, out.offset}
		rest := call
		for d := len(outer) - 1; d >= 0; d-- {
			at := int64(rest % outer[d])
			rest /= outer[d]
			for i := range offsets {
				offsets[i] += at * sets[i][d]
			}
		}
		g := &gemm{
			dtype: map[tensor.DType]gemmType{tensor.Float16: gemmF16, tensor.BFloat16: gemmBF16, tensor.Float32: gemmF32, tensor.Float64: gemmF64}[n.DType],
			// In the library's order: the second matrix comes first.
			transA: transB, transB: transA, tf32: n.Bool("tf32"),
			m: cols, n: m, k: k, lda: ldb, ldb: lda, ldc: cols,
			strideA: strides[1], strideB: strides[0], strideC: strides[2], count: count,
		}
		pr.touch(a.buf)
		pr.touch(b.buf)
		pr.touch(out.buf)
		flops := 2 * float64(m) * float64(cols) * float64(k) * float64(count)
		pr.pl.steps = append(pr.pl.steps, step{node: pr.node, kernel: -1, gemm: g,
			a: fixup{0, b.buf, offsets[1] * size}, b: fixup{0, a.buf, offsets[0] * size}, c: fixup{0, out.buf, offsets[2] * size},
			micros: flops/1e7 + 5})
	}
}

// stretchedBatch returns the strides of a batch of matrices that is broadcast to a shape.
func (v *view) stretchedBatch(batch tensor.Shape) []int64 {
	r := len(v.shape) - 2
	b := view{shape: v.shape[:r], strides: v.strides[:r]}
	return b.stretched(batch)
}

// matrix returns v so that the library can read its matrices: rows without gaps, or columns (trans), and the elements from one to the next.
func (pr *planner) matrix(v view) (out view, trans bool, lead int) {
	r := len(v.shape)
	rows, cols := int64(v.shape[r-2]), int64(v.shape[r-1])
	rs, cs := v.strides[r-2], v.strides[r-1]
	const most = 1<<31 - 1
	if v.buf != literal {
		if (cs == 1 || cols == 1) && (rs >= cols || rows == 1) && max(rs, cols) <= most {
			if rows == 1 || rs < cols {
				rs = cols
			}
			return v, false, int(rs)
		}
		if (rs == 1 || rows == 1) && (cs >= rows || cols == 1) && max(cs, rows) <= most {
			if cols == 1 || cs < rows {
				cs = rows
			}
			return v, true, int(cs)
		}
	}
	return pr.copied(v, v.shape), false, int(cols)
}

// intMatmul plans a product of integers modulo their range.
func (pr *planner) intMatmul(out, a, b view, k int) {
	rank := len(out.shape)
	as := append(a.stretchedBatch(out.shape[:rank-2]), a.strides[len(a.strides)-2], 0)
	bs := append(b.stretchedBatch(out.shape[:rank-2]), 0, b.strides[len(b.strides)-1])
	shape, sets := collapse(out.shape, as, bs)
	t := ctype(out.dtype)
	s := newSource(out.shape.Size())
	s.printf("EACH_THREAD(i) {\n")
	c := s.coords("i", "c", shape)
	s.printf("i64 a = %s, b = %s;\n%s sum = 0;\n", s.offset(c, sets[0]), s.offset(c, sets[1]), t)
	x := s.value(&a, "a + j * "+s.num(a.strides[len(a.strides)-1]))
	y := s.value(&b, "b + j * "+s.num(b.strides[len(b.strides)-2]))
	s.printf("for (i64 j = 0; j < %s; j++) sum = add_%s(sum, multiply_%s(%s, %s));\n", s.num(int64(k)), t, t, x, y)
	s.printf("st_%s(%s, i, %s);\n}\n", suffix(out.dtype), s.at(&out), "sum")
	pr.launch(s, threads, float64(k)*0.01+0.1)
}
