package tensor

import (
	"fmt"
	"math"
	"slices"
)

// A Value is a result of a node in a [Builder]: the number of the value.
type Value int

// Attrs are the attributes of an operation, by name: of kind int as an int, of ints
// and shape as []int or [Shape], of float as a float64, of scalar as a bool, an int,
// an int64 or a float64, of seed as a uint64.
type Attrs map[string]any

// A Builder makes programs in Go, for embedders and tests. Its methods do nothing
// after the first error, which Build returns. It is for one goroutine.
type Builder struct {
	p      Program
	limits Limits
	err    error
}

// NewBuilder returns a builder of programs within limits.
func NewBuilder(limits Limits) *Builder {
	return &Builder{limits: limits.withDefaults()}
}

// Input declares data that each call brings.
func (b *Builder) Input(d DType, shape ...int) Value {
	return b.Create(AsArray, d, Attrs{"shape": shape})
}

// Constant declares data that lives on the device.
func (b *Builder) Constant(d DType, shape ...int) Value {
	return b.Create(Constant, d, Attrs{"shape": shape})
}

// Full makes a tensor of one value, see [Attrs] for a scalar.
func (b *Builder) Full(d DType, value any, shape ...int) Value {
	return b.Create(Full, d, Attrs{"shape": shape, "value": value})
}

// AsType converts v.
func (b *Builder) AsType(v Value, d DType) Value {
	return b.node(AsType, d, nil, v)
}

// Create adds an operation without inputs.
func (b *Builder) Create(op Op, d DType, attrs Attrs) Value {
	return b.node(op, d, attrs)
}

// Apply adds an operation and returns its first result, v. Of an operation that
// returns indices too, these are v+1.
func (b *Builder) Apply(op Op, attrs Attrs, in ...Value) Value {
	return b.node(op, 0, attrs, in...)
}

// Type returns the type of a value, the zero Type after an error.
func (b *Builder) Type(v Value) Type {
	if v < 0 || int(v) >= len(b.p.types) {
		return Type{}
	}
	return b.p.types[v]
}

// Build returns the program that computes outputs. The builder must not be used
// afterwards.
func (b *Builder) Build(outputs ...Value) (*Program, error) {
	if b.err != nil {
		return nil, b.err
	}
	out := make([]int, len(outputs))
	for i, v := range outputs {
		out[i] = int(v)
	}
	if err := b.p.finish(out, &b.limits); err != nil {
		return nil, err
	}
	b.p.encoded = b.p.encode()
	if err := b.limits.checkSize(len(b.p.nodes), len(b.p.encoded)); err != nil {
		return nil, err
	}
	return &b.p, nil
}

func (b *Builder) node(op Op, d DType, attrs Attrs, in ...Value) Value {
	if b.err != nil {
		return -1
	}
	n := Node{Op: op, DType: d, In: make([]int, len(in))}
	for i, v := range in {
		n.In[i] = int(v)
	}
	if op.Valid() {
		n.Attrs, b.err = attrsOf(op, d, attrs)
	}
	if b.err == nil && len(b.p.nodes) >= b.limits.Nodes {
		b.err = fmt.Errorf("%w: more than %d nodes", ErrLimit, b.limits.Nodes)
	}
	if b.err == nil {
		b.err = b.p.add(n, &b.limits)
	}
	if b.err != nil {
		return -1
	}
	return Value(b.p.nodes[len(b.p.nodes)-1].Out)
}

// attrsOf puts attributes in the order of the table.
func attrsOf(op Op, d DType, attrs Attrs) ([]Attr, error) {
	specs := table[op].attrs
	out := make([]Attr, len(specs))
	found := 0
	for i := range specs {
		v, ok := attrs[specs[i].Name]
		if ok {
			found++
		} else if v = specs[i].Default; v == nil {
			return nil, fmt.Errorf("%w: %s needs the attribute %q", ErrInvalid, op, specs[i].Name)
		}
		if !out[i].set(specs[i].Kind, d, v) {
			return nil, fmt.Errorf("%w: %s: the attribute %q is a %T: a value of kind %s is expected", ErrInvalid, op, specs[i].Name, v, specs[i].Kind)
		}
	}
	if found < len(attrs) {
		return nil, fmt.Errorf("%w: %s: unknown attribute among %d", ErrInvalid, op, len(attrs))
	}
	return out, nil
}

// set sets a from a Go value and tells whether it is one of kind k.
func (a *Attr) set(k AttrKind, d DType, value any) bool {
	switch v := value.(type) {
	case bool:
		if v {
			a.Int = 1
		}
		a.Bits = uint64(a.Int)
		return k == AttrBool || k == AttrScalar && d == Bool
	case int:
		return a.set(k, d, int64(v))
	case int64:
		a.Int, a.Bits = v, uint64(v)
		if k == AttrScalar && d.IsFloat() {
			a.Bits = math.Float64bits(float64(v))
		}
		if k == AttrInt {
			a.Bits = 0
			return true
		}
		a.Int = 0
		return k == AttrScalar
	case float64:
		a.Bits = math.Float64bits(v)
		return k == AttrFloat || k == AttrScalar && d.IsFloat()
	case uint64:
		a.Bits = v
		return k == AttrSeed
	case Shape:
		a.Ints = slices.Clone(v)
		return k == AttrInts || k == AttrShape
	case []int:
		a.Ints = slices.Clone(v)
		return k == AttrInts || k == AttrShape
	}
	return false
}
