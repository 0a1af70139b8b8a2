package tensor

import "fmt"

// add checks a node, infers the types of its results, and appends it. A
// dtype of 0 is set to what is inferred. p.nodes has no
// node that was not checked, so every program that exists is valid.
func (p *Program) add(n Node, limits *Limits) error {
	index := len(p.nodes)
	if !n.Op.Valid() {
		return fmt.Errorf("%w: node %d has the unknown operation %d", ErrInvalid, index, uint16(n.Op))
	}
	s := &table[n.Op]
	fail := func(err error) error {
		e := &NodeError{Node: index, Op: n.Op, Err: err}
		for _, v := range n.In {
			if v >= 0 && v < len(p.types) {
				e.In = append(e.In, p.types[v])
			}
		}
		if _, ok := err.(*reason); !ok {
			e.Err = &reason{err.Error(), ErrInvalid}
		}
		return e
	}
	switch {
	case s.arity == variadic && (len(n.In) < 1 || len(n.In) > maxInputs):
		return fail(fmt.Errorf("%d inputs: 1 to %d are expected", len(n.In), maxInputs))
	case s.arity != variadic && len(n.In) != s.arity:
		return fail(fmt.Errorf("%d inputs: %d are expected", len(n.In), s.arity))
	case len(n.Attrs) != len(s.attrs):
		return fail(fmt.Errorf("%d attributes: %d are expected", len(n.Attrs), len(s.attrs)))
	case s.dtypes.free && !n.DType.Valid():
		return fail(fmt.Errorf("unknown %s", n.DType))
	}
	in := make([]Type, len(n.In))
	for i, v := range n.In {
		if v < 0 || v >= len(p.types) {
			return fail(fmt.Errorf("input %d is value %d: there are %d before it", i, v, len(p.types)))
		}
		in[i] = p.types[v]
	}
	for i := range n.Attrs {
		if err := s.attrs[i].check(&n.Attrs[i], n.DType); err != nil {
			return fail(err)
		}
	}
	d, err := s.dtypes.infer(&n, in)
	if err != nil {
		return fail(err)
	}
	if n.DType == 0 { // from a Builder
		n.DType = d
	}
	if d != n.DType {
		return fail(fmt.Errorf("the result is %s, not %s", d, n.DType))
	}
	shape, err := s.shapes.infer(&n, in)
	if err != nil {
		return fail(err)
	}
	if err := limits.checkType(Type{d, shape}); err != nil {
		return fail(err)
	}
	n.Out = len(p.types)
	p.types = append(p.types, Type{d, shape})
	if s.indices {
		p.types = append(p.types, Type{Int64, shape})
	}
	p.nodes = append(p.nodes, n)
	switch n.Op {
	case AsArray:
		p.inputs = append(p.inputs, n.Out)
	case Constant:
		p.constants = append(p.constants, n.Out)
	}
	return nil
}

// Source returns the index of the node that defines a value.
func (p *Program) Source(value int) int {
	lo, hi := 0, len(p.nodes)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; p.nodes[mid].Out <= value {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// finish takes the outputs and checks the whole.
func (p *Program) finish(outputs []int, limits *Limits) error {
	if len(outputs) == 0 {
		return fmt.Errorf("%w: no outputs", ErrInvalid)
	}
	if len(outputs) > limits.Nodes {
		return fmt.Errorf("%w: %d outputs, at most %d", ErrLimit, len(outputs), limits.Nodes)
	}
	for i, v := range outputs {
		if v < 0 || v >= len(p.types) {
			return fmt.Errorf("%w: output %d is value %d of %d", ErrInvalid, i, v, len(p.types))
		}
	}
	p.outputs = outputs
	p.cost = costOf(p)
	return limits.checkCost(p.cost)
}
