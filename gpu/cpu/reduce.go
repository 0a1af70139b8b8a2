package cpu

import (
	"math"
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

const (
	// segment is how many elements are reduced to one partial result, whatever the
	// number of cores, so that results do not depend on it.
	segment = 1 << 16
	// strip is how many of them are read at once.
	strip = 1024
	// pitch is how far their rows are apart in scratch memory: not a power of two, or
	// they would all want the same lines of the cache.
	pitch = strip + 24
	// tile is how many results are computed together if their elements lie side by
	// side: as many as share a cache line.
	tile = 16
)

// A reducer reduces elements of type T to a result of type O by partial results of
// type A.
type reducer[T elem, A any, O elem] struct {
	start  A
	row    func(a A, x []T, at int) A // at is the index of x[0] among the reduced
	merge  func(a, b A) A
	finish func(a A, n int) O
}

// reduction is a node in terms of strides.
type reduction struct {
	kept, reduced layout
	n             int // elements reduced to one
	in            *value
	out           *value
}

// reduce runs the operations that reduce.
func reduce(e *exec, n *tensor.Node) error {
	x := e.values[n.In[0]]
	var axes []int
	if n.Op == tensor.ArgMin || n.Op == tensor.ArgMax {
		axes = []int{n.Int("axis")}
	} else {
		axes = n.Ints("axes")
	}
	r := &reduction{in: x, out: e.result(n.Out), n: 1}
	var shapes, strides [2][]int
	for i, length := range x.shape {
		k := 0
		if slices.Contains(axes, i) {
			k = 1
			r.n *= length
		}
		shapes[k] = append(shapes[k], length)
		strides[k] = append(strides[k], x.strides[i])
	}
	r.kept, r.reduced = newLayout(shapes[0], strides[0]), newLayout(shapes[1], strides[1])
	switch classOf(x.dtype) {
	case classU8:
		return reduceInt[uint8](e, n, r)
	case classI32:
		return reduceInt[int32](e, n, r)
	case classI64:
		return reduceInt[int64](e, n, r)
	case classF32:
		return reduceFloat[float32](e, n, r)
	}
	return reduceFloat[float64](e, n, r)
}

func reduceInt[T integer](e *exec, n *tensor.Node, r *reduction) error {
	if n.Op == tensor.Sum {
		return runReduction(e, r, reducer[T, int64, int64]{
			row: func(a int64, x []T, _ int) int64 {
				for _, v := range x {
					a += int64(v)
				}
				return a
			},
			merge:  func(a, b int64) int64 { return a + b },
			finish: func(a int64, _ int) int64 { return a },
		})
	}
	return reduceAny[T](e, n, r)
}

func reduceFloat[T float32 | float64](e *exec, n *tensor.Node, r *reduction) error {
	sum := reducer[T, float64, T]{
		row:    func(a float64, x []T, _ int) float64 { return a + sumOf(x) },
		merge:  func(a, b float64) float64 { return a + b },
		finish: func(a float64, _ int) T { return T(a) },
	}
	switch n.Op {
	case tensor.Sum:
		return runReduction(e, r, sum)
	case tensor.Mean:
		sum.finish = func(a float64, n int) T { return T(a / float64(n)) }
		return runReduction(e, r, sum)
	case tensor.Var:
		correction := n.Float("correction")
		return runReduction(e, r, reducer[T, moments, T]{
			row:   func(a moments, x []T, _ int) moments { return a.merge(momentsOf(x)) },
			merge: moments.merge,
			finish: func(a moments, n int) T {
				if d := float64(n) - correction; d > 0 {
					return T(a.squares / d)
				}
				return T(math.NaN())
			},
		})
	}
	return reduceAny[T](e, n, r)
}

// extreme is the smallest or largest element so far and its index, -1 for none.
type extreme[T number] struct {
	value T
	index int
}

// reduceAny are the reductions that all types have.
func reduceAny[T number](e *exec, n *tensor.Node, r *reduction) error {
	some := reducer[T, uint8, uint8]{
		row: func(a uint8, x []T, _ int) uint8 {
			if a == 0 && slices.ContainsFunc(x, func(v T) bool { return v != 0 }) {
				a = 1
			}
			return a
		},
		merge:  func(a, b uint8) uint8 { return a | b },
		finish: func(a uint8, _ int) uint8 { return a },
	}
	// Whether b, which comes later, takes the place of a.
	better := func(a, b T) bool { return b > a || b != b && a == a }
	sign := func(a, b T) T { return max(a, b) }
	if n.Op == tensor.Min || n.Op == tensor.ArgMin {
		better = func(a, b T) bool { return b < a || b != b && a == a }
		sign = func(a, b T) T { return min(a, b) }
	}
	merge := func(a, b extreme[T]) extreme[T] {
		if a.index < 0 || b.index >= 0 && better(a.value, b.value) {
			return b
		}
		return a
	}
	switch n.Op {
	case tensor.Any:
		return runReduction(e, r, some)
	case tensor.All:
		some.row = func(a uint8, x []T, _ int) uint8 {
			if a == 0 && slices.Contains(x, 0) {
				a = 1
			}
			return a
		}
		some.finish = func(a uint8, _ int) uint8 { return a ^ 1 }
		return runReduction(e, r, some)
	case tensor.Min, tensor.Max:
		isMin := n.Op == tensor.Min
		return runReduction(e, r, reducer[T, extreme[T], T]{
			start: extreme[T]{index: -1},
			row: func(a extreme[T], x []T, _ int) extreme[T] {
				m := x[0]
				if a.index >= 0 {
					m = a.value
				}
				if isMin {
					for _, v := range x {
						m = min(m, v)
					}
				} else {
					for _, v := range x {
						m = max(m, v)
					}
				}
				return extreme[T]{m, 0}
			},
			merge: func(a, b extreme[T]) extreme[T] {
				switch {
				case a.index < 0:
					return b
				case b.index < 0:
					return a
				}
				return extreme[T]{sign(a.value, b.value), 0}
			},
			finish: func(a extreme[T], _ int) T { return a.value },
		})
	}
	return runReduction(e, r, reducer[T, extreme[T], int64]{
		start: extreme[T]{index: -1},
		row: func(a extreme[T], x []T, at int) extreme[T] {
			best := extreme[T]{x[0], at}
			for i, v := range x {
				if better(best.value, v) {
					best = extreme[T]{v, at + i}
				}
			}
			return merge(a, best)
		},
		merge:  merge,
		finish: func(a extreme[T], _ int) int64 { return int64(a.index) },
	})
}

// runReduction computes all results: tiles of them in parallel, and parts of long
// ones.
func runReduction[T elem, A any, O elem](e *exec, r *reduction, k reducer[T, A, O]) error {
	outputs := sizeOf(r.out.shape)
	if outputs == 0 {
		return e.ctx.Err()
	}
	// Elements of neighbours lie side by side, those of one result do not.
	width := 1
	if inner := len(r.kept.shape) - 1; r.kept.strides[inner] == 1 && r.reduced.strides[len(r.reduced.strides)-1] != 1 {
		width = min(tile, r.kept.shape[inner])
	}
	inner := r.kept.shape[len(r.kept.shape)-1]
	perRow := (inner + width - 1) / width
	tiles := outputs / inner * perRow
	// bounds returns the results of a tile.
	bounds := func(t int) (start, end int) {
		start = t/perRow*inner + t%perRow*width
		return start, min(start+width, t/perRow*inner+inner)
	}
	segments := max(1, (r.n+segment-1)/segment)
	if segments == 1 {
		return spans(e.ctx, e.procs, tiles, grain/max(1, width*r.n), func(first, last int) {
			buffers := r.newReadBuffers(width)
			accs := make([]A, width)
			for t := first; t < last; t++ {
				start, end := bounds(t)
				readTile(r, &k, buffers, accs[:end-start], start, 0, r.n)
				store(r, &k, buffers, accs[:end-start], start)
			}
		})
	}
	accs := make([]A, segments*outputs)
	err := parallel(e.ctx, e.procs, tiles*segments, func(i int) {
		start, end := bounds(i / segments)
		s := i % segments
		// A segment's partial results are side by side, so they do not overlap.
		readTile(r, &k, r.newReadBuffers(width), accs[s*outputs+start:s*outputs+end], start, s*segment, min(r.n, (s+1)*segment))
	})
	if err != nil {
		return err
	}
	for s := 1; s < segments; s++ {
		for o := range outputs {
			accs[o] = k.merge(accs[o], accs[s*outputs+o])
		}
	}
	buffers := r.newReadBuffers(0)
	for at := 0; at < outputs; at += tile {
		store(r, &k, buffers, accs[at:min(outputs, at+tile)], at)
	}
	return nil
}

// readBuffers are the scratch memory of one goroutine.
type readBuffers struct {
	tile, raw, wide vec
}

// newReadBuffers returns the memory for tiles of width results, if any is needed: rows that lie as they are read are not copied.
func (r *reduction) newReadBuffers(width int) *readBuffers {
	src := place{data: r.in.data, dtype: r.in.dtype, layout: r.reduced}
	if width <= 1 && src.packed() && !half(r.in.dtype) && !half(r.out.dtype) {
		return &readBuffers{}
	}
	memory := make([]int64, width*pitch+2*strip)
	return &readBuffers{of(memory[2*strip:]), of(memory[:strip]), of(memory[strip : 2*strip])}
}

// readTile reduces elements from to end of the results from start on, as many as accs.
func readTile[T elem, A any, O elem](r *reduction, k *reducer[T, A, O], b *readBuffers, accs []A, start, from, end int) {
	for i := range accs {
		accs[i] = k.start
	}
	var base int
	r.kept.each(start, start+1, func(_, offset, _ int) { base = offset })
	size := r.in.dtype.Size()
	src := place{data: r.in.data, dtype: r.in.dtype, layout: r.reduced}
	src.layout.base = base
	for at := from; at < end; at += strip {
		n := min(strip, end-at)
		if len(accs) == 1 {
			accs[0] = k.row(accs[0], as[T](src.read(b.wide, b.raw, at, n)), at)
			continue
		}
		// The elements of a result go to a row of their own.
		switch size {
		case 1:
			transpose[uint8](b.tile, &src, len(accs), at, n)
		case 2:
			transpose[uint16](b.tile, &src, len(accs), at, n)
		case 4:
			transpose[int32](b.tile, &src, len(accs), at, n)
		default:
			transpose[int64](b.tile, &src, len(accs), at, n)
		}
		for i := range accs {
			row := b.tile.at(i*pitch, n, size)
			if half(r.in.dtype) {
				b.wide.n = n
				widen(r.in.dtype, b.wide, row)
				row = b.wide
			}
			accs[i] = k.row(accs[i], as[T](row), at)
		}
	}
}

// transpose reads, for each of n reduced elements from at on, those of width results.
func transpose[T elem](dst vec, src *place, width, at, n int) {
	dst.n = width * pitch
	d, s := as[T](dst), as[T](src.data)
	step := src.layout.strides[len(src.layout.strides)-1]
	src.layout.each(at, at+n, func(to, offset, n int) {
		for i := range n {
			for c, v := range s[offset : offset+width] {
				d[c*pitch+to+i] = v
			}
			offset += step
		}
	})
}

// store writes results from start on.
func store[T elem, A any, O elem](r *reduction, k *reducer[T, A, O], b *readBuffers, accs []A, start int) {
	var results [tile]O
	for i := range accs {
		results[i] = k.finish(accs[i], r.n)
	}
	out := place{data: r.out.data, dtype: r.out.dtype, layout: layout{shape: []int{sizeOf(r.out.shape)}, strides: []int{1}}}
	out.write(of(results[:len(accs)]), b.raw, start)
}

// sumOf adds the halves of x and what is left. In each, eight interleaved sums are independent of each other, so that the processor need not
// wait; where it has vectors, both halves are added at once, to the same result.
func sumOf[T float32 | float64](x []T) float64 {
	half := len(x) / 16 * 8
	first, second, rest := x[:half], x[half:2*half], x[2*half:]
	var s [16]float64
	done := 0
	if f, ok := any(first).([]float32); ok {
		done = sumHalves(f, any(second).([]float32), &s)
	}
	if done < half {
		addTo((*[8]float64)(s[:8]), first)
		addTo((*[8]float64)(s[8:]), second)
	}
	for i, v := range rest {
		s[i] += float64(v)
	}
	return ((s[0] + s[1] + (s[2] + s[3])) + (s[4] + s[5] + (s[6] + s[7]))) +
		((s[8] + s[9] + (s[10] + s[11])) + (s[12] + s[13] + (s[14] + s[15])))
}

// addTo adds the elements of x, a multiple of 8, to s in turn.
func addTo[T float32 | float64](sums *[8]float64, x []T) {
	s := *sums
	for len(x) >= 8 {
		y := x[:8]
		s[0] += float64(y[0])
		s[1] += float64(y[1])
		s[2] += float64(y[2])
		s[3] += float64(y[3])
		s[4] += float64(y[4])
		s[5] += float64(y[5])
		s[6] += float64(y[6])
		s[7] += float64(y[7])
		x = x[8:]
	}
	*sums = s
}

// moments are the number of elements, their mean, and the sum of the squares of their
// distances to it.
type moments struct {
	n             int
	mean, squares float64
}

func momentsOf[T float32 | float64](x []T) moments {
	mean := sumOf(x) / float64(len(x))
	sum := 0.0
	for _, v := range x {
		d := float64(v) - mean
		sum += float64(d * d)
	}
	return moments{len(x), mean, sum}
}

// merge joins moments (Chan, Golub and LeVeque, Updating formulae and a pairwise
// algorithm for computing sample variances, 1979).
func (a moments) merge(b moments) moments {
	if a.n == 0 {
		return b
	}
	if b.n == 0 {
		return a
	}
	n := a.n + b.n
	d := b.mean - a.mean
	share := float64(b.n) / float64(n)
	return moments{n, a.mean + float64(d*share), a.squares + b.squares + float64(d*d)*float64(a.n)*share}
}
