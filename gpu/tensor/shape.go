package tensor

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Shape is the length of each dimension, the outermost first. The empty shape is
// that of a single value.
type Shape []int

// Size returns the number of elements. It is math.MaxInt64 if there are more.
func (s Shape) Size() int64 {
	size := int64(1)
	for _, n := range s {
		if n == 0 {
			return 0
		}
		size = satMul(size, int64(n))
	}
	return size
}

// Equal tells whether s and t are the same.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// String returns the shape as Python writes it.
func (s Shape) String() string {
	var b strings.Builder
	b.WriteByte('(')
	for i, n := range s {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(n))
	}
	if len(s) == 1 {
		b.WriteByte(',')
	}
	b.WriteByte(')')
	return b.String()
}

// Broadcast returns the shape that all of shapes are stretched to when they meet
// in an operation, by the array API standard: aligned at the last dimension, a
// length of 1 (or a missing dimension) takes the length of the others.
func Broadcast(shapes ...Shape) (Shape, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make(Shape, rank)
	for i := range out {
		out[i] = 1
	}
	for _, s := range shapes {
		for i, n := range s {
			switch o := &out[rank-len(s)+i]; {
			case n == 1 || n == *o:
			case *o == 1:
				*o = n
			default:
				return nil, fmt.Errorf("shapes %s cannot be broadcast", joinShapes(shapes))
			}
		}
	}
	return out, nil
}

func joinShapes(shapes []Shape) string {
	words := make([]string, len(shapes))
	for i, s := range shapes {
		words[i] = s.String()
	}
	return strings.Join(words, " and ")
}

// A Type is what is known about a tensor before a program runs.
type Type struct {
	DType DType
	Shape Shape
}

// Size returns the number of elements, see [Shape.Size].
func (t Type) Size() int64 { return t.Shape.Size() }

// Bytes returns the length of the tensor's data. It is math.MaxInt64 if there are
// more.
func (t Type) Bytes() int64 { return satMul(t.Size(), int64(t.DType.Size())) }

// Equal tells whether t and u are the same.
func (t Type) Equal(u Type) bool { return t.DType == u.DType && t.Shape.Equal(u.Shape) }

// String returns the type for messages, as float32(2, 3).
func (t Type) String() string { return t.DType.String() + t.Shape.String() }

// AppendBinary appends a canonical form of t: dtype, rank and lengths, as varints.
func (t Type) AppendBinary(b []byte) []byte {
	b = append(b, byte(t.DType))
	b = binary.AppendUvarint(b, uint64(len(t.Shape)))
	for _, n := range t.Shape {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

// satMul returns a·b of numbers that are not negative, at most math.MaxInt64.
func satMul(a, b int64) int64 {
	if a != 0 && b > math.MaxInt64/a {
		return math.MaxInt64
	}
	return a * b
}

// satAdd returns a+b of numbers that are not negative, at most math.MaxInt64.
func satAdd(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
