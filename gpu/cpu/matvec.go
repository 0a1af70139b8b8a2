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

// dot adds in the order of sumOf.
func dot[T number](a, b []T) T {
	b = b[:len(a)]
	half := len(a) / 16 * 8
	var s [16]T
	done := false
	if f, ok := any(a).([]float32); ok {
		done = dotHalves(f, any(b).([]float32), half, any(&s).(*[16]float32))
	}
	if !done {
		dotTo((*[8]T)(s[:8]), a[:half], b[:half])
		dotTo((*[8]T)(s[8:]), a[half:2*half], b[half:2*half])
	}
	for i, v := range a[2*half:] {
		s[i] += T(v * b[2*half+i])
	}
	return ((s[0] + s[1] + (s[2] + s[3])) + (s[4] + s[5] + (s[6] + s[7]))) +
		((s[8] + s[9] + (s[10] + s[11])) + (s[12] + s[13] + (s[14] + s[15])))
}

// dotTo adds products, a multiple of 8, to sums in turn.
func dotTo[T number](sums *[8]T, a, b []T) {
	s := *sums
	for len(a) >= 8 && len(b) >= 8 {
		x, y := (*[8]T)(a), (*[8]T)(b)
		s[0] += T(x[0] * y[0])
		s[1] += T(x[1] * y[1])
		s[2] += T(x[2] * y[2])
		s[3] += T(x[3] * y[3])
		s[4] += T(x[4] * y[4])
		s[5] += T(x[5] * y[5])
		s[6] += T(x[6] * y[6])
		s[7] += T(x[7] * y[7])
		a, b = a[8:], b[8:]
	}
	*sums = s
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
