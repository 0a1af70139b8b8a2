package cpu

import (
	"context"
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

// A place is where elements are, or go: memory in an order.
type place struct {
	data   vec
	dtype  tensor.DType
	wide   bool // halves are stored as float32
	layout layout
}

// placeOf returns the elements of v in row-major order.
func placeOf(v *value) place {
	return place{data: v.data, dtype: v.dtype, layout: newLayout(v.shape, v.strides)}
}

// flat returns n elements without gaps.
func flat(data vec, d tensor.DType, wide bool, n int) place {
	return place{data, d, wide, layout{shape: []int{n}, strides: []int{1}}}
}

// size returns the bytes of a stored element.
func (p *place) size() int {
	if p.wide {
		return classOf(p.dtype).size()
	}
	return p.dtype.Size()
}

// packed tells whether the elements lie in order without gaps.
func (p *place) packed() bool { return len(p.layout.shape) == 1 && p.layout.strides[0] == 1 }

// read reads elements from at on as they are computed: into dst, for which raw is
// scratch memory, or where they are.
func (p *place) read(dst, raw vec, at, n int) vec {
	dst.n, raw.n = n, n
	if p.packed() {
		src := p.data.at(p.layout.base+at, n, p.size())
		if !half(p.dtype) || p.wide {
			return src
		}
		widen(p.dtype, dst, src)
		return dst
	}
	if !half(p.dtype) || p.wide {
		gatherRaw(dst, p.data, &p.layout, at, p.size())
		return dst
	}
	gatherRaw(raw, p.data, &p.layout, at, 2)
	widen(p.dtype, dst, raw)
	return dst
}

// write writes computed elements from at on.
func (p *place) write(src, raw vec, at int) {
	raw.n = src.n
	if half(p.dtype) && !p.wide {
		narrow(p.dtype, raw, src)
		src = raw
	}
	scatterRaw(p.data, src, &p.layout, at, p.size())
}

// move copies n elements from src to dst, which converts them.
func move(ctx context.Context, procs int, dst, src place, n int) error {
	cast := caster(src.dtype, dst.dtype)
	return spans(ctx, procs, n, 4*grain, func(start, end int) {
		if cast == nil && src.size() == dst.size() && half(src.dtype) == half(dst.dtype) && dst.packed() {
			out := dst.data.at(dst.layout.base+start, end-start, dst.size())
			gatherRaw(out, src.data, &src.layout, start, src.size())
			return
		}
		memory := make([]int64, 3*block)
		a, b, raw := of(memory[:block]), of(memory[block:2*block]), of(memory[2*block:])
		for at := start; at < end; at += block {
			v := src.read(a, raw, at, min(block, end-at))
			if cast != nil {
				b.n = v.n
				cast(b, v, vec{}, vec{})
				v = b
			}
			dst.write(v, raw, at)
		}
	})
}

// without returns shape and strides without the axis.
func without(shape, strides []int, axis int) (s, t []int) {
	return slices.Delete(slices.Clone(shape), axis, axis+1), slices.Delete(slices.Clone(strides), axis, axis+1)
}

// moveLast returns shape and strides with the axis at the end.
func moveLast(shape, strides []int, axis int) (s, t []int) {
	s, t = without(shape, strides, axis)
	return append(s, shape[axis]), append(t, strides[axis])
}
