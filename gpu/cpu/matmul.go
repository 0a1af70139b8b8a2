package cpu

import (
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

const (
	tileM  = 3   // rows and columns of the part of the result that is kept in registers, by the loop in Go
	tileN  = 3   //
	blockK = 256 // inner length of what is multiplied at once: a panel of each side is in the first-level cache
	blockM = 96  // rows of it: a block of the left side is in the second-level cache. A multiple of what tiles have

	maxTile = 64 // elements of a tile

	// small is the work of a product of a stack that is not worth being shared: m·n·k.
	small = 1 << 15
)

// A tiling is how a product is divided: tiles of m rows and n columns, each the product of a panel of m rows and one of n columns, both with elements of
// equal inner index side by side. kernel sets c to it, row by row.
type tiling[T number] struct {
	m, n   int
	kernel func(c *[maxTile]T, a, b []T)
}

// tilingOf returns the one for products of m rows and n columns.
func tilingOf[T number](m, n int) tiling[T] {
	if v, ok := vectorTiling(m, n); ok {
		if t, ok := any(v).(tiling[T]); ok {
			return t
		}
	}
	return tiling[T]{tileM, tileN, microKernel[T]}
}

// A matrix is a strided one.
type matrix struct {
	data       vec
	dtype      tensor.DType
	base       int
	rows, cols int // strides in elements
}

// product is a node whose inputs are stacks of matrices.
type product struct {
	m, n, k int
	batch   []int // lengths
	a, b    matrix
	aBatch  layout // where the matrices of each product begin
	bBatch  layout
	out     vec // m × n for each, as elements of the class
}

// matmul runs the product of matrices.
func matmul(e *exec, n *tensor.Node) error {
	d := n.DType
	switch classOf(d) {
	case classU8:
		return matmulAs[uint8](e, n)
	case classI32:
		return matmulAs[int32](e, n)
	case classI64:
		return matmulAs[int64](e, n)
	case classF32:
		return matmulAs[float32](e, n)
	}
	return matmulAs[float64](e, n)
}

func matmulAs[T number](e *exec, n *tensor.Node) error {
	out := e.result(n.Out)
	size := sizeOf(out.shape)
	c, put := e.putRows(&value{dtype: out.dtype, shape: []int{size}, strides: []int{1}, data: out.data, buf: out.buf}, 0, size)
	p := newProduct(e.values[n.In[0]], e.values[n.In[1]])
	p.out = c.data
	var err error
	switch {
	case size == 0:
	case p.k == 0:
		clear(as[T](c.data))
	case sizeOf(p.batch) > 1 && p.m*p.n*p.k <= small:
		err = multiplySmall[T](e, p, n.DType)
	case p.n == 1:
		err = multiplyVectors[T](e, p, n.DType)
	case p.m == 1:
		// A row times a matrix is the transposed matrix times a column.
		p.m, p.n = p.n, p.m
		p.a, p.b = p.b.transposed(), p.a.transposed()
		p.aBatch, p.bBatch = p.bBatch, p.aBatch
		err = multiplyVectors[T](e, p, n.DType)
	default:
		err = multiplyMatrices[T](e, p, n.DType)
	}
	if e := put(); err == nil {
		err = e
	}
	return err
}

func (m matrix) transposed() matrix {
	m.rows, m.cols = m.cols, m.rows
	return m
}

func newProduct(a, b *value) *product {
	p := &product{m: 1, n: 1}
	as, at := slices.Clone(a.shape), slices.Clone(a.strides)
	bs, bt := slices.Clone(b.shape), slices.Clone(b.strides)
	if len(as) == 1 {
		as, at = []int{1, as[0]}, []int{0, at[0]}
	}
	if len(bs) == 1 {
		bs, bt = []int{bs[0], 1}, []int{bt[0], 0}
	}
	ra, rb := len(as)-2, len(bs)-2
	p.m, p.k, p.n = as[ra], as[ra+1], bs[rb+1]
	p.a = matrix{data: a.data, dtype: a.dtype, rows: at[ra], cols: at[ra+1]}
	p.b = matrix{data: b.data, dtype: b.dtype, rows: bt[rb], cols: bt[rb+1]}
	batch, _ := tensor.Broadcast(as[:ra], bs[:rb]) // the program is checked
	p.batch = batch
	stack := func(shape, strides []int) layout {
		v := value{shape: shape, strides: strides}
		return newLayout(batch, v.broadcast(batch))
	}
	p.aBatch, p.bBatch = stack(as[:ra], at[:ra]), stack(bs[:rb], bt[:rb])
	return p
}

// at returns where matrix i of a stack begins.
func (l *layout) at(i int) int {
	base := 0
	l.each(i, i+1, func(_, offset, _ int) { base = offset })
	return base
}

// multiplyMatrices computes products in blocks of rows. Of each, the right side is
// packed once, the left side block by block.
func multiplyMatrices[T number](e *exec, p *product, d tensor.DType) error {
	count := sizeOf(p.batch)
	tile := tilingOf[T](p.m, p.n)
	panels := (p.n + tile.n - 1) / tile.n
	packedSize := panels * tile.n * p.k
	blocks := (p.m + blockM - 1) / blockM
	packed, buffer := e.arena.scratch(classOf(d), packedSize)
	defer e.arena.release(buffer)
	b, c := as[T](packed), as[T](p.out)
	last := -1
	for i := range count {
		right := p.b
		right.base = p.bBatch.at(i)
		if right.base != last { // a matrix that is broadcast is packed once
			last = right.base
			err := spans(e.ctx, e.procs, panels, max(1, grain/(tile.n*p.k)), func(start, end int) {
				t := right.transposed()
				r := newLineReader[T](&t, d)
				for j := start; j < end; j++ {
					r.pack(b[j*tile.n*p.k:(j+1)*tile.n*p.k], tile.n, j*tile.n, min(tile.n, p.n-j*tile.n), 0, p.k)
				}
			})
			if err != nil {
				return err
			}
		}
		left := p.a
		left.base = p.aBatch.at(i)
		out := c[i*p.m*p.n : (i+1)*p.m*p.n]
		err := parallel(e.ctx, e.procs, blocks, func(block int) {
			reader := newLineReader[T](&left, d)
			a := make([]T, (blockM+tile.m)*min(p.k, blockK))
			multiplyBlock(tile, out, a, b, reader, block*blockM, min(p.m, (block+1)*blockM), p.n, p.k)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// multiplySmall computes many small products: parts of the stack in parallel.
func multiplySmall[T number](e *exec, p *product, d tensor.DType) error {
	tile := tilingOf[T](p.m, p.n)
	panels := (p.n + tile.n - 1) / tile.n
	c := as[T](p.out)
	return spans(e.ctx, e.procs, sizeOf(p.batch), max(1, 4*small/(p.m*p.n*p.k)), func(start, end int) {
		left, right := p.a, p.b.transposed()
		l, r := newLineReader[T](&left, d), newLineReader[T](&right, d)
		a, b := make([]T, (p.m+tile.m)*min(p.k, blockK)), make([]T, panels*tile.n*p.k)
		for i := start; i < end; i++ {
			left.base, right.base = p.aBatch.at(i), p.bBatch.at(i)
			for j := range panels {
				r.pack(b[j*tile.n*p.k:(j+1)*tile.n*p.k], tile.n, j*tile.n, min(tile.n, p.n-j*tile.n), 0, p.k)
			}
			multiplyBlock(tile, c[i*p.m*p.n:(i+1)*p.m*p.n], a, b, l, 0, p.m, p.n, p.k)
		}
	})
}

// multiplyBlock computes the rows from start to end of a product whose right side is
// packed in b. The left side is packed in a, part by part.
func multiplyBlock[T number](tile tiling[T], out, a, b []T, reader *lineReader[T], start, end, n, k int) {
	rows := (end - start + tile.m - 1) / tile.m
	var c [maxTile]T
	for k0 := 0; k0 < k; k0 += blockK {
		depth := min(blockK, k-k0)
		size := tile.m * depth
		for r := range rows {
			reader.pack(a[r*size:(r+1)*size], tile.m, start+r*tile.m, min(tile.m, end-start-r*tile.m), k0, depth)
		}
		for j := 0; j < n; j += tile.n {
			panel := b[j*k+k0*tile.n:][:depth*tile.n]
			for r := range rows {
				tile.kernel(&c, a[r*size:(r+1)*size], panel)
				row := start + r*tile.m
				for i := range min(tile.m, end-row) {
					dst := out[(row+i)*n+j:][:min(tile.n, n-j)]
					if k0 == 0 {
						copy(dst, c[i*tile.n:])
						continue
					}
					for l, v := range c[i*tile.n:][:len(dst)] {
						dst[l] += v
					}
				}
			}
		}
	}
}

// microKernel is the product of a panel of three rows and one of three columns. The nine sums stay in registers.
func microKernel[T number](c *[maxTile]T, a, b []T) {
	var c00, c01, c02, c10, c11, c12, c20, c21, c22 T
	for len(a) >= 6 && len(b) >= 6 {
		x, y := (*[6]T)(a), (*[6]T)(b)
		a0, a1, a2 := x[0], x[1], x[2]
		b0 := y[0]
		c00 += a0 * b0
		c10 += a1 * b0
		c20 += a2 * b0
		b0 = y[1]
		c01 += a0 * b0
		c11 += a1 * b0
		c21 += a2 * b0
		b0 = y[2]
		c02 += a0 * b0
		c12 += a1 * b0
		c22 += a2 * b0
		a0, a1, a2 = x[3], x[4], x[5]
		b0 = y[3]
		c00 += a0 * b0
		c10 += a1 * b0
		c20 += a2 * b0
		b0 = y[4]
		c01 += a0 * b0
		c11 += a1 * b0
		c21 += a2 * b0
		b0 = y[5]
		c02 += a0 * b0
		c12 += a1 * b0
		c22 += a2 * b0
		a, b = a[6:], b[6:]
	}
	if len(a) >= 3 && len(b) >= 3 {
		a0, a1, a2 := a[0], a[1], a[2]
		c00 += a0 * b[0]
		c10 += a1 * b[0]
		c20 += a2 * b[0]
		c01 += a0 * b[1]
		c11 += a1 * b[1]
		c21 += a2 * b[1]
		c02 += a0 * b[2]
		c12 += a1 * b[2]
		c22 += a2 * b[2]
	}
	*(*[tileM * tileN]T)(c[:]) = [tileM * tileN]T{c00, c01, c02, c10, c11, c12, c20, c21, c22}
}

// A lineReader reads parts of rows of a matrix as elements of a dtype. It is for one
// goroutine.
type lineReader[T number] struct {
	m     *matrix
	plain bool // elements are read as they are
	src   place
	cast  kernel
	a, b  vec // scratch memory
	raw   vec
}

func newLineReader[T number](m *matrix, d tensor.DType) *lineReader[T] {
	r := &lineReader[T]{m: m, cast: caster(m.dtype, d)}
	r.plain = r.cast == nil && !half(m.dtype)
	if !r.plain {
		memory := make([]int64, 3*block)
		r.a, r.b, r.raw = of(memory[:block]), of(memory[block:2*block]), of(memory[2*block:])
	} else if m.cols != 1 {
		r.a = of(make([]int64, block))
	}
	r.src = place{data: m.data, dtype: m.dtype, layout: layout{shape: []int{0}, strides: []int{m.cols}}}
	return r
}

// read returns up to a block of elements of a row, which are there until the next
// call.
func (r *lineReader[T]) read(row, col, n int) []T {
	base := r.m.base + row*r.m.rows + col*r.m.cols
	if r.plain && r.m.cols == 1 {
		return as[T](r.m.data)[base : base+n]
	}
	r.src.layout.shape[0], r.src.layout.base = n, base
	v := r.src.read(r.a, r.raw, 0, n)
	if r.cast != nil {
		r.b.n = n
		r.cast(r.b, v, vec{}, vec{})
		v = r.b
	}
	return as[T](v)
}

// pack writes count rows of a matrix from row on, and of each depth elements from
// column col on, so that those of one column are side by side. Rows that are missing
// to a tile of so many are 0.
func (r *lineReader[T]) pack(dst []T, tile, row, count, col, depth int) {
	for i := range tile {
		switch {
		case i >= count:
			for j := range depth {
				dst[j*tile+i] = 0
			}
		case r.plain:
			src, at := as[T](r.m.data), r.m.base+(row+i)*r.m.rows+col*r.m.cols
			for j := range depth {
				dst[j*tile+i] = src[at]
				at += r.m.cols
			}
		default:
			for at := 0; at < depth; at += block {
				for j, v := range r.read(row+i, col+at, min(block, depth-at)) {
					dst[(at+j)*tile+i] = v
				}
			}
		}
	}
}
