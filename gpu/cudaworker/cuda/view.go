package cuda

import (
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

// A view is a tensor in the memory of a buffer, or a single value that repeats.
type view struct {
	dtype   tensor.DType
	shape   tensor.Shape
	strides []int64 // elements from one to the next of each dimension
	offset  int64   // elements before the first
	buf     int     // index of the buffer; literal for none
	bits    uint64  // of a literal: those of a float64 or an int64
}

// literal is the buffer of a view that is one value: its bits are a parameter of kernels.
const literal = -1

// rowMajor returns the strides of a tensor without gaps.
func rowMajor(s tensor.Shape) []int64 {
	strides := make([]int64, len(s))
	n := int64(1)
	for i := len(s) - 1; i >= 0; i-- {
		strides[i] = n
		n *= int64(max(s[i], 1))
	}
	return strides
}

// packed tells whether the elements lie in row-major order without gaps.
func (v *view) packed() bool {
	if v.buf == literal {
		return false
	}
	n := int64(1)
	for i := len(v.shape) - 1; i >= 0; i-- {
		if v.shape[i] != 1 && v.strides[i] != n {
			return v.shape.Size() == 0
		}
		n *= int64(v.shape[i])
	}
	return true
}

// stretched returns the strides of v when it is broadcast to a shape.
func (v *view) stretched(s tensor.Shape) []int64 {
	strides := make([]int64, len(s))
	for i := range v.shape {
		if v.shape[i] != 1 {
			strides[len(s)-len(v.shape)+i] = v.strides[i]
		}
	}
	return strides
}

// collapse joins neighbouring dimensions whose elements lie as those of one, in all of the sets of strides, and leaves out those of length 1.
func collapse(shape tensor.Shape, sets ...[]int64) (tensor.Shape, [][]int64) {
	out := tensor.Shape{}
	strides := make([][]int64, len(sets))
	for d, n := range shape {
		if n == 1 {
			continue
		}
		last := len(out) - 1
		join := last >= 0
		for i, s := range sets {
			join = join && strides[i][last] == s[d]*int64(n)
		}
		if join {
			out[last] *= n
			for i, s := range sets {
				strides[i][last] = s[d]
			}
			continue
		}
		out = append(out, n)
		for i, s := range sets {
			strides[i] = append(strides[i], s[d])
		}
	}
	return out, strides
}

// without returns what is left of a list when the axes are taken out, and what was taken.
func without[T any](list []T, axes []int) (kept, taken []T) {
	for i, x := range list {
		if slices.Contains(axes, i) {
			taken = append(taken, x)
		} else {
			kept = append(kept, x)
		}
	}
	return kept, taken
}
