package cpu

import "github.com/sporeengine/spore/gpu/tensor"

// multiplyVectors computes products whose right side is a column. Each element of the
// left side is used once, so it is not packed.
func multiplyVectors[T number](e *exec, p *product, d tensor.DType) error {
	column, buffer := e.arena.scratch(classOf(d), p.k)
	defer e.arena.release(buffer)
	x, c := as[T](column), as[T](p.out)
	for i := range sizeOf(p.batch) {
		left, right := p.a, p.b.transposed()
		left.base, right.base = p.aBatch.at(i), p.bBatch.at(i)
		line := newLineReader[T](&right, d)
		for at := 0; at < p.k; at += block {
			n := min(block, p.k-at)
			copy(x[at:at+n], line.read(0, at, n))
		}
		out := c[i*p.m : (i+1)*p.m]
		var err error
		if left.rows == 1 && left.cols != 1 {
			err = spans(e.ctx, e.procs, p.m, block, func(start, end int) {
				addColumns(out[start:end], &left, d, x, start)
			})
		} else {
			err = spans(e.ctx, e.procs, p.m, max(1, grain/p.k), func(start, end int) {
				dotRows(out[start:end], &left, d, x, start)
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dotRows computes the products of rows and a column.
func dotRows[T number](out []T, left *matrix, d tensor.DType, x []T, row int) {
	rows := newLineReader[T](left, d)
	for i := range out {
		var sum T
		for at := 0; at < len(x); at += blockK {
			n := min(blockK, len(x)-at)
			sum += dot(rows.read(row+i, at, n), x[at:at+n])
		}
		out[i] = sum
	}
}

// dot adds in four interleaved sums, see sumOf.
func dot[T number](a, b []T) T {
	var s0, s1, s2, s3 T
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 {
		x, y := (*[4]T)(a), (*[4]T)(b)
		s0 += x[0] * y[0]
		s1 += x[1] * y[1]
		s2 += x[2] * y[2]
		s3 += x[3] * y[3]
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += v * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// addColumns computes up to a block of the same products if the matrix is stored
// column by column.
func addColumns[T number](out []T, left *matrix, d tensor.DType, x []T, row int) {
	transposed := left.transposed()
	columns := newLineReader[T](&transposed, d)
	clear(out)
	for j, v := range x {
		for i, a := range columns.read(j, row, len(out)) {
			out[i] += a * v
		}
	}
}
