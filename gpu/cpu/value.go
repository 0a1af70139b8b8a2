package cpu

import (
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

// class is the type in which elements are computed.
type class uint8

const (
	classU8 class = iota // bool and uint8
	classI32
	classI64
	classF32 // float16 and bfloat16 too
	classF64
	numClasses
)

func classOf(d tensor.DType) class {
	switch d {
	case tensor.Bool, tensor.Uint8:
		return classU8
	case tensor.Int32:
		return classI32
	case tensor.Int64:
		return classI64
	case tensor.Float64:
		return classF64
	}
	return classF32
}

// size returns the bytes of an element.
func (c class) size() int { return [...]int{1, 4, 8, 4, 8}[c] }

// half tells whether d is stored in less than it is computed in.
func half(d tensor.DType) bool { return d == tensor.Float16 || d == tensor.BFloat16 }

// A buffer is memory that values share. When the last one is done with it, it goes
// back to its arena.
type buffer struct {
	data vec // of bytes
	refs int
	own  bool // of the arena; not an input, an output or a constant
}

// A value is a tensor: a view of a buffer.
type value struct {
	dtype   tensor.DType
	shape   []int
	strides []int // in elements
	data    vec   // from the first element on, in elements of the dtype's size
	buf     *buffer
}

// rowMajor returns the strides of a tensor without gaps.
func rowMajor(shape []int) []int {
	strides := make([]int, len(shape))
	n := 1
	for i, length := range slices.Backward(shape) {
		strides[i] = n
		n *= max(length, 1)
	}
	return strides
}

func sizeOf(shape []int) int {
	n := 1
	for _, length := range shape {
		n *= length
	}
	return n
}

// contiguous tells whether the elements lie in order, without gaps.
func (v *value) contiguous() bool {
	n := 1
	for i, length := range slices.Backward(v.shape) {
		if length != 1 && v.strides[i] != n {
			return false
		}
		n *= max(length, 1)
	}
	return true
}

// broadcast returns the strides of v stretched to shape: 0 along dimensions in which
// elements are repeated.
func (v *value) broadcast(shape []int) []int {
	strides := make([]int, len(shape))
	skip := len(shape) - len(v.shape)
	for i, length := range v.shape {
		if length != 1 {
			strides[skip+i] = v.strides[i]
		}
	}
	return strides
}

// An arena gives out the memory of one evaluation and takes it back. What is free and
// what is in use are together at most limit bytes, as long as the evaluation keeps to
// the bound that its program has, and an eighth of it: buffers that are a little larger
// are used again, too.
type arena struct {
	limit int64
	used  int64 // given out
	high  int64 // most that was
	idle  int64 // in free
	free  []*buffer
}

func (a *arena) alloc(bytes int) *buffer {
	words := (bytes + 7) / 8
	best := -1
	for i, b := range a.free {
		if n := b.data.n; n >= 8*words && n <= 9*words && (best < 0 || n < a.free[best].data.n) {
			best = i
		}
	}
	if best >= 0 {
		b := a.free[best]
		a.free = slices.Delete(a.free, best, best+1)
		a.idle -= int64(b.data.n)
		a.use(b.data.n)
		b.refs = 1
		return b
	}
	if a.used+a.idle+int64(8*words) > a.limit {
		a.free, a.idle = nil, 0
	}
	a.use(8 * words)
	data := of(make([]int64, words))
	data.n *= 8
	return &buffer{data: data, refs: 1, own: true}
}

func (a *arena) use(bytes int) {
	a.used += int64(bytes)
	a.high = max(a.high, a.used)
}

func (a *arena) release(b *buffer) {
	if b.refs--; b.refs > 0 || !b.own {
		return
	}
	a.used -= int64(b.data.n)
	a.idle += int64(b.data.n)
	a.free = append(a.free, b)
}

// make returns an uninitialized value without gaps.
func (a *arena) make(t tensor.Type) *value {
	size := int(t.Size())
	b := a.alloc(size * t.DType.Size())
	return &value{
		dtype: t.DType, shape: t.Shape, strides: rowMajor(t.Shape),
		data: b.data.at(0, size, 1), buf: b,
	}
}

// scratch returns n elements of class c that have to be released.
func (a *arena) scratch(c class, n int) (vec, *buffer) {
	b := a.alloc(n * c.size())
	return b.data.at(0, n, 1), b
}
