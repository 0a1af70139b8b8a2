package cpu

import (
	"math"
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

// rows are the tensor of a node whose operation works along an axis: without gaps,
// with the axis last, as elements of one class.
type rows struct {
	data   vec
	buffer *buffer // to be released, if the data are a copy
	shape  []int   // without the axis
	count  int
	length int
}

// rowsOf returns v as rows, computed as elements of d.
func (e *exec) rowsOf(v *value, axis int, d tensor.DType) (rows, error) {
	shape, strides := moveLast(v.shape, v.strides, axis)
	last := len(shape) - 1
	r := rows{shape: shape[:last], count: sizeOf(shape[:last]), length: shape[last]}
	n := r.count * r.length
	src := place{data: v.data, dtype: v.dtype, layout: newLayout(shape, strides)}
	if src.packed() && !half(v.dtype) && caster(v.dtype, d) == nil {
		r.data = v.data.at(0, n, 1)
		return r, nil
	}
	r.data, r.buffer = e.arena.scratch(classOf(d), n)
	return r, e.move(flat(r.data, d, true, n), src, n)
}

func (e *exec) releaseRows(r rows) {
	if r.buffer != nil {
		e.arena.release(r.buffer)
	}
}

// putRows returns memory for rows of a result, and what writes it there.
func (e *exec) putRows(v *value, axis, length int) (out rows, put func() error) {
	shape, strides := moveLast(v.shape, v.strides, axis)
	n := sizeOf(shape)
	out = rows{length: length, count: n / max(length, 1)}
	dst := place{data: v.data, dtype: v.dtype, layout: newLayout(shape, strides)}
	if dst.packed() && !half(v.dtype) {
		out.data = v.data.at(0, n, 1)
		return out, func() error { return nil }
	}
	out.data, out.buffer = e.arena.scratch(classOf(v.dtype), n)
	return out, func() error {
		defer e.releaseRows(out)
		return e.move(dst, flat(out.data, v.dtype, true, n), n)
	}
}

// rowwise runs the operations whose result along an axis depends on all of it.
func rowwise(e *exec, n *tensor.Node) error {
	axis := n.Int("axis")
	v := e.result(n.Out)
	if sizeOf(v.shape) == 0 {
		return nil // there may be any number of empty rows
	}
	in, err := e.rowsOf(e.values[n.In[0]], axis, v.dtype)
	if err == nil {
		out, put := e.putRows(v, axis, in.length)
		size := classOf(v.dtype).size()
		f := rowFunc(n, classOf(v.dtype))
		err = spans(e.ctx, e.procs, in.count, grain/max(1, in.length), func(start, end int) {
			for i := start; i < end; i++ {
				f(out.data.at(i*in.length, in.length, size), in.data.at(i*in.length, in.length, size))
			}
		})
		if e := put(); err == nil {
			err = e
		}
	}
	e.releaseRows(in)
	return err
}

// rowFunc returns the function of a row.
func rowFunc(n *tensor.Node, c class) func(dst, x vec) {
	switch n.Op {
	case tensor.CumulativeSum:
		switch c {
		case classI64:
			return func(dst, x vec) { cumulate[int64, int64](as[int64](dst), as[int64](x)) }
		case classF32:
			return func(dst, x vec) { cumulate[float32, float64](as[float32](dst), as[float32](x)) }
		}
		return func(dst, x vec) { cumulate[float64, float64](as[float64](dst), as[float64](x)) }
	case tensor.Softmax:
		if c == classF32 {
			return func(dst, x vec) { softmax(as[float32](dst), as[float32](x), expPoly) }
		}
		return func(dst, x vec) { softmax(as[float64](dst), as[float64](x), math.Exp) }
	}
	eps := n.Float("eps")
	if c == classF32 {
		return func(dst, x vec) { layerNorm(as[float32](dst), as[float32](x), eps) }
	}
	return func(dst, x vec) { layerNorm(as[float64](dst), as[float64](x), eps) }
}

func cumulate[T, S number](dst, x []T) {
	var sum S
	for i, v := range x {
		sum += S(v)
		dst[i] = T(sum)
	}
}

func softmax[T float32 | float64](dst, x []T, exp func(T) float64) {
	if len(x) == 0 {
		return
	}
	m := slices.Max(x) // NaN if one is
	sum := 0.0
	for i, v := range x {
		y := exp(v - m)
		sum += y
		dst[i] = T(y)
	}
	scale := 1 / sum
	for i, y := range dst {
		dst[i] = T(float64(y) * scale)
	}
}

func layerNorm[T float32 | float64](dst, x []T, eps float64) {
	if len(x) == 0 {
		return
	}
	m := momentsOf(x)
	scale := 1 / math.Sqrt(m.squares/float64(m.n)+eps)
	for i, v := range x {
		dst[i] = T((float64(v) - m.mean) * scale)
	}
}
