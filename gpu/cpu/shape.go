package cpu

import (
	"fmt"
	"slices"
	"sync"

	"github.com/sporeengine/spore/gpu/tensor"
)

func reshape(e *exec, n *tensor.Node) error {
	x := e.values[n.In[0]]
	if x.contiguous() {
		e.view(n.Out, x, rowMajor(e.p.Type(n.Out).Shape))
		return nil
	}
	return e.copyTo(n, placeOf(x))
}

// copyTo makes the result of n of the elements of src, in row-major order.
func (e *exec) copyTo(n *tensor.Node, src place) error {
	out := e.result(n.Out)
	return e.move(placeOf(out), src, sizeOf(out.shape))
}

func permuteDims(e *exec, n *tensor.Node) error {
	x := e.values[n.In[0]]
	strides := make([]int, len(x.strides))
	for i, a := range n.Ints("axes") {
		strides[i] = x.strides[a]
	}
	e.view(n.Out, x, strides)
	return nil
}

func broadcastTo(e *exec, n *tensor.Node) error {
	x := e.values[n.In[0]]
	e.view(n.Out, x, x.broadcast(e.p.Type(n.Out).Shape))
	return nil
}

// slice copies, so that a large tensor is not kept for a small part of it.
func slice(e *exec, n *tensor.Node) error {
	x := e.values[n.In[0]]
	start, step, count := n.Ints("start"), n.Ints("step"), n.Ints("count")
	strides, base := make([]int, len(start)), 0
	for i := range start {
		strides[i] = x.strides[i] * step[i]
		base += x.strides[i] * start[i]
	}
	src := place{data: x.data, dtype: x.dtype, layout: newLayout(count, strides)}
	src.layout.base = base
	return e.copyTo(n, src)
}

func concat(e *exec, n *tensor.Node) error {
	axis := n.Int("axis")
	out := e.result(n.Out)
	at := 0
	for _, v := range n.In {
		x := e.values[v]
		dst := place{data: out.data, dtype: out.dtype, layout: newLayout(x.shape, out.strides)}
		dst.layout.base = at * out.strides[axis]
		if err := e.move(dst, placeOf(x), sizeOf(x.shape)); err != nil {
			return err
		}
		at += x.shape[axis]
	}
	return nil
}

// take copies, for each index, what there is at it: runs of the dimensions behind the
// axis if the input has no gaps, else all in one go.
func take(e *exec, n *tensor.Node) error {
	x, indices := e.values[n.In[0]], e.values[n.In[1]]
	axis := n.Int("axis")
	out := e.result(n.Out)
	outer, length, inner := sizeOf(x.shape[:axis]), x.shape[axis], sizeOf(x.shape[axis+1:])
	count := sizeOf(indices.shape)
	if sizeOf(out.shape) == 0 {
		outer = 0 // only the indices are checked
	}
	size := x.dtype.Size()
	src := placeOf(indices)
	plain := x.contiguous()
	gaps := newGaps(out, x, axis, count)
	var wrong mistakes
	err := spans(e.ctx, e.procs, count, max(1, min(block, grain/max(1, outer*inner))), func(start, end int) {
		memory := make([]int64, 3*block)
		a, b, raw := of(memory[:block]), of(memory[block:2*block]), of(memory[2*block:])
		convert(b, indices.dtype, tensor.Int64, src.read(a, raw, start, end-start))
		for i, index := range as[int64](b)[:end-start] {
			if index < 0 {
				index += int64(length)
			}
			j := start + i
			if index < 0 || index >= int64(length) {
				wrong.add(j, as[int64](b)[i])
				return
			}
			if plain {
				for o := range outer {
					from := x.data.at((o*length+int(index))*inner, inner, size)
					copy(out.data.at((o*count+j)*inner, inner, size).bytesOf(size), from.bytesOf(size))
				}
				continue
			}
			gaps.copy(a, raw, int(index), j)
		}
	})
	if err != nil {
		return err
	}
	return wrong.err(e, n, axis, length)
}

// gaps copies what is at one index of a tensor with gaps.
type gaps struct {
	src, dst   place
	size       int
	axis, step int // strides of the index
}

func newGaps(out, x *value, axis, count int) gaps {
	shape, strides := without(x.shape, x.strides, axis)
	inner := sizeOf(x.shape[axis+1:])
	to := make([]int, len(shape))
	copy(to[axis:], rowMajor(x.shape[axis+1:]))
	for i, step := axis-1, inner*count; i >= 0; i-- {
		to[i] = step
		step *= x.shape[i]
	}
	return gaps{
		src:  place{data: x.data, dtype: x.dtype, layout: newLayout(shape, strides)},
		dst:  place{data: out.data, dtype: out.dtype, layout: newLayout(shape, to)},
		size: sizeOf(shape), axis: x.strides[axis], step: inner,
	}
}

// copy copies from an index of the input to one of the result. a and raw are scratch
// memory.
func (g gaps) copy(a, raw vec, from, to int) {
	g.src.layout.base, g.dst.layout.base = from*g.axis, to*g.step
	for at := 0; at < g.size; at += block {
		v := g.src.read(a, raw, at, min(block, g.size-at))
		g.dst.write(v, raw, at)
	}
}

// mistakes keeps the first index that is out of range.
type mistakes struct {
	mu    sync.Mutex
	found []mistake
}

type mistake struct {
	at    int
	index int64
}

func (m *mistakes) add(at int, index int64) {
	m.mu.Lock()
	m.found = append(m.found, mistake{at, index})
	m.mu.Unlock()
}

func (m *mistakes) err(e *exec, n *tensor.Node, axis, length int) error {
	if len(m.found) == 0 {
		return nil
	}
	first := slices.MinFunc(m.found, func(a, b mistake) int { return a.at - b.at })
	node := e.p.Source(n.Out)
	types := make([]tensor.Type, len(n.In))
	for i, v := range n.In {
		types[i] = e.p.Type(v)
	}
	return &tensor.NodeError{Node: node, Op: n.Op, In: types,
		Err: fmt.Errorf("index %d is out of range of axis %d, whose length is %d", first.index, axis, length)}
}
