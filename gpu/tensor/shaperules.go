package tensor

import (
	"fmt"
	"math"
	"slices"
)

// A shapeRule infers the shape of the results. Both results of an operation that has
// two are of the same shape.
type shapeRule struct {
	name  string
	doc   string
	infer func(n *Node, in []Type) (Shape, error)
}

// given: the attribute shape.
var given = shapeRule{"given", "shape", func(n *Node, _ []Type) (Shape, error) {
	return n.Ints("shape"), nil
}}

// counted: one dimension of length n.
var counted = shapeRule{"counted", "(n,)", func(n *Node, _ []Type) (Shape, error) {
	return Shape{n.Int("n")}, nil
}}

// matrix: rows and columns.
var matrix = shapeRule{"matrix", "(rows, cols)", func(n *Node, _ []Type) (Shape, error) {
	return Shape{n.Int("rows"), n.Int("cols")}, nil
}}

// unchanged: as the first input.
var unchanged = shapeRule{"unchanged", "as the input", func(_ *Node, in []Type) (Shape, error) {
	return in[0].Shape, nil
}}

// alongAxis: as the first input, which has the attribute axis.
var alongAxis = shapeRule{"axis", "as the input, which has the axis", func(n *Node, in []Type) (Shape, error) {
	return in[0].Shape, checkAxis(n.Int("axis"), in[0].Shape)
}}

// stretched: all inputs broadcast.
var stretched = shapeRule{"stretched", "inputs broadcast", func(_ *Node, in []Type) (Shape, error) {
	shapes := make([]Shape, len(in))
	for i := range in {
		shapes[i] = in[i].Shape
	}
	return Broadcast(shapes...)
}}

// reduced: without the axes, or with length 1. If the operation has no value for no
// elements, the axes must not be empty.
func reduced(identity bool) shapeRule {
	name, doc := "reduced", "without the axes; with keepdims, these have length 1"
	if !identity {
		name = "reduced-nonempty"
		doc += "; not of no elements"
	}
	return shapeRule{name, doc, func(n *Node, in []Type) (Shape, error) {
		axes, s := n.Ints("axes"), in[0].Shape
		if err := checkAxes(axes, s); err != nil {
			return nil, err
		}
		return dropAxes(s, axes, n.Bool("keepdims"), identity)
	}}
}

// reducedOne: the same for a single axis.
var reducedOne = shapeRule{"reduced-one", "without the axis; with keepdims, it has length 1; not of no elements", func(n *Node, in []Type) (Shape, error) {
	axis, s := n.Int("axis"), in[0].Shape
	if err := checkAxis(axis, s); err != nil {
		return nil, err
	}
	return dropAxes(s, []int{axis}, n.Bool("keepdims"), false)
}}

func dropAxes(s Shape, axes []int, keep, identity bool) (Shape, error) {
	out := make(Shape, 0, len(s))
	for i, length := range s {
		switch {
		case !slices.Contains(axes, i):
			out = append(out, length)
		case length == 0 && !identity:
			return nil, fmt.Errorf("axis %d has no elements", i)
		case keep:
			out = append(out, 1)
		}
	}
	return out, nil
}

// reshaped: the attribute shape, of as many elements.
var reshaped = shapeRule{"reshaped", "shape, of as many elements", func(n *Node, in []Type) (Shape, error) {
	s := Shape(n.Ints("shape"))
	if s.Size() != in[0].Size() {
		return nil, fmt.Errorf("%s has %d elements, not %d", s, s.Size(), in[0].Size())
	}
	return s, nil
}}

// permuted: dimension i of the result is dimension axes[i] of the input.
var permuted = shapeRule{"permuted", "dimension i is dimension axes[i] of the input", func(n *Node, in []Type) (Shape, error) {
	axes, s := n.Ints("axes"), in[0].Shape
	out := make(Shape, len(s))
	seen := make([]bool, len(s))
	if len(axes) != len(s) {
		return nil, fmt.Errorf("axes are %v: %d are expected", axes, len(s))
	}
	for i, a := range axes {
		if a >= len(s) || seen[a] {
			return nil, fmt.Errorf("axes are %v: each from 0 to %d once is expected", axes, len(s)-1)
		}
		seen[a] = true
		out[i] = s[a]
	}
	return out, nil
}}

// expanded: a length of 1 put in at axis.
var expanded = shapeRule{"expanded", "a length of 1 put in at axis", func(n *Node, in []Type) (Shape, error) {
	axis, s := n.Int("axis"), in[0].Shape
	if axis > len(s) {
		return nil, fmt.Errorf("axis %d of rank %d", axis, len(s)+1)
	}
	return slices.Insert(slices.Clone(s), axis, 1), nil
}}

// squeezed: without the axes, which have length 1.
var squeezed = shapeRule{"squeezed", "without the axes, which have length 1", func(n *Node, in []Type) (Shape, error) {
	axes, s := n.Ints("axes"), in[0].Shape
	if err := checkAxes(axes, s); err != nil {
		return nil, err
	}
	for _, a := range axes {
		if s[a] != 1 {
			return nil, fmt.Errorf("axis %d has length %d, not 1", a, s[a])
		}
	}
	return dropAxes(s, axes, false, true)
}}

// broadcastTo: the attribute shape, which the input can be broadcast to.
var broadcastTo = shapeRule{"broadcast", "shape, which the input broadcasts to", func(n *Node, in []Type) (Shape, error) {
	s := Shape(n.Ints("shape"))
	if b, err := Broadcast(s, in[0].Shape); err != nil || !b.Equal(s) {
		return nil, fmt.Errorf("it cannot be broadcast to %s", s)
	}
	return s, nil
}}

// joined: lengths along the axis added, the others equal.
var joined = shapeRule{"joined", "lengths along the axis added, the others equal", func(n *Node, in []Type) (Shape, error) {
	axis := n.Int("axis")
	if err := checkAxis(axis, in[0].Shape); err != nil {
		return nil, err
	}
	out := slices.Clone(in[0].Shape)
	for i := 1; i < len(in); i++ {
		s := in[i].Shape
		if len(s) != len(out) {
			return nil, fmt.Errorf("input %d has rank %d, not %d", i, len(s), len(out))
		}
		for j := range s {
			if j != axis && s[j] != out[j] {
				return nil, fmt.Errorf("input %d has length %d along axis %d, not %d", i, s[j], j, out[j])
			}
		}
		if out[axis] > math.MaxInt32 || s[axis] > math.MaxInt32 {
			return nil, fmt.Errorf("length along axis %d is too large", axis)
		}
		out[axis] += s[axis]
	}
	return out, nil
}}

// sliced: for each dimension the count of elements from start in steps.
var sliced = shapeRule{"sliced", "count", func(n *Node, in []Type) (Shape, error) {
	s := in[0].Shape
	start, step, count := n.Ints("start"), n.Ints("step"), n.Ints("count")
	if len(start) != len(s) || len(step) != len(s) || len(count) != len(s) {
		return nil, fmt.Errorf("start, step and count have %d, %d and %d entries, not %d", len(start), len(step), len(count), len(s))
	}
	for i, c := range count {
		if c == 0 {
			continue
		}
		// Of 31-bit numbers, so nothing overflows.
		first, last := int64(start[i]), int64(start[i])+int64(c-1)*int64(step[i])
		if length := int64(s[i]); first >= length || last < 0 || last >= length {
			return nil, fmt.Errorf("elements %d to %d of axis %d, whose length is %d", first, last, i, length)
		}
	}
	return count, nil
}}

// taken: the axis replaced by the shape of the indices.
var taken = shapeRule{"taken", "the axis replaced by the indices' shape", func(n *Node, in []Type) (Shape, error) {
	axis, s := n.Int("axis"), in[0].Shape
	if err := checkAxis(axis, s); err != nil {
		return nil, err
	}
	if s[axis] == 0 && in[1].Size() > 0 {
		return nil, fmt.Errorf("axis %d has no elements", axis)
	}
	return slices.Concat(s[:axis], in[1].Shape, s[axis+1:]), nil
}}

// multiplied: matrices in the last two dimensions, the others broadcast.
var multiplied = shapeRule{"multiplied", "(…, m, k) and (…, k, n) to (…, m, n); … broadcast; (k,) is a vector", func(_ *Node, in []Type) (Shape, error) {
	a, b := in[0].Shape, in[1].Shape
	if len(a) == 0 || len(b) == 0 {
		return nil, fmt.Errorf("an input has rank 0")
	}
	var m, n Shape
	ka, kb := a[len(a)-1], b[len(b)-1]
	if len(a) > 1 {
		m = a[len(a)-2 : len(a)-1]
	}
	if len(b) > 1 {
		kb, n = b[len(b)-2], b[len(b)-1:]
	}
	if ka != kb {
		return nil, fmt.Errorf("inner lengths %d and %d differ", ka, kb)
	}
	batch, err := Broadcast(a[:max(0, len(a)-2)], b[:max(0, len(b)-2)])
	if err != nil {
		return nil, err
	}
	return slices.Concat(batch, m, n), nil
}}

// selected: the length along the axis is k.
var selected = shapeRule{"selected", "the axis has length k", func(n *Node, in []Type) (Shape, error) {
	axis, k, s := n.Int("axis"), n.Int("k"), in[0].Shape
	if err := checkAxis(axis, s); err != nil {
		return nil, err
	}
	if k > s[axis] {
		return nil, fmt.Errorf("k is %d, axis %d has length %d", k, axis, s[axis])
	}
	out := slices.Clone(s)
	out[axis] = k
	return out, nil
}}

func checkAxis(axis int, s Shape) error {
	if axis >= len(s) {
		return fmt.Errorf("axis %d of rank %d", axis, len(s))
	}
	return nil
}

// checkAxes checks that axes are of s and in ascending order, so that there is one
// way only to write a set of them.
func checkAxes(axes []int, s Shape) error {
	for i, a := range axes {
		if err := checkAxis(a, s); err != nil {
			return err
		}
		if i > 0 && a <= axes[i-1] {
			return fmt.Errorf("axes are %v: ascending order is expected", axes)
		}
	}
	return nil
}
