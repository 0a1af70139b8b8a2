package cpu

import (
	"context"

	"github.com/sporeengine/spore/gpu/tensor"
)

// An exec is one evaluation of a program.
type exec struct {
	ctx    context.Context
	procs  int
	p      *tensor.Program
	plan   *plan
	arena  arena
	values []*value
	slots  map[int]vec // outputs that their values are computed in
}

// An operation computes the results of a node that is not elementwise.
type operation func(e *exec, n *tensor.Node) error

// operations are those of the op table that are not elementwise and do not come from
// outside.
var operations map[tensor.Op]operation

func init() {
	operations = map[tensor.Op]operation{
		tensor.Zeros: constant(0), tensor.Ones: constant(1), tensor.Full: full,
		tensor.Arange: arange, tensor.Linspace: linspace, tensor.Eye: eye,
		tensor.RandomUniform: random, tensor.RandomNormal: random,

		tensor.Sum: reduce, tensor.Mean: reduce, tensor.Var: reduce, tensor.Min: reduce, tensor.Max: reduce,
		tensor.ArgMin: reduce, tensor.ArgMax: reduce, tensor.Any: reduce, tensor.All: reduce,
		tensor.CumulativeSum: rowwise, tensor.Softmax: rowwise, tensor.LayerNorm: rowwise,

		tensor.Reshape: reshape, tensor.ExpandDims: reshape, tensor.Squeeze: reshape,
		tensor.PermuteDims: permuteDims, tensor.BroadcastTo: broadcastTo,
		tensor.Concat: concat, tensor.Slice: slice, tensor.Take: take,

		tensor.MatMul: matmul, tensor.TopK: order, tensor.Sort: order,
	}
}

func newExec(ctx context.Context, o Options, p *tensor.Program) *exec {
	return &exec{
		ctx: ctx, procs: o.Procs, p: p, plan: newPlan(p, !o.OpByOp),
		arena:  arena{limit: p.Cost().Peak},
		values: make([]*value, p.NumValues()),
		slots:  make(map[int]vec),
	}
}

// run evaluates the program. inputs and constants are values, outputs memory.
func (e *exec) run(inputs, constants []*value, outputs [][]byte) error {
	for i, v := range e.p.InputValues() {
		e.values[v] = inputs[i]
	}
	for i, v := range e.p.ConstantValues() {
		e.values[v] = constants[i]
	}
	for i, v := range e.p.OutputValues() {
		size := e.p.Type(v).DType.Size()
		if data, ok := vecOf(outputs[i], size); ok {
			e.slots[v] = data
		}
	}
	nodes := e.p.Nodes()
	for i := range nodes {
		if err := e.ctx.Err(); err != nil {
			return err
		}
		if err := e.node(i, &nodes[i]); err != nil {
			return err
		}
	}
	for i, v := range e.p.OutputValues() {
		if err := e.copyOut(outputs[i], e.values[v]); err != nil {
			return err
		}
	}
	return nil
}

// node runs node i, unless a later one does.
func (e *exec) node(i int, n *tensor.Node) error {
	if n.Op == tensor.AsArray || n.Op == tensor.Constant {
		return nil
	}
	g := e.plan.group[i]
	switch {
	case g < 0:
		if err := operations[n.Op](e, n); err != nil {
			return err
		}
		for r := range n.Op.Results() {
			if v := n.Out + r; e.plan.uses[v] == 0 {
				e.plan.uses[v] = 1
				e.done(v)
			}
		}
		for _, v := range n.In {
			e.done(v)
		}
	case g == i:
		members := e.plan.members[i]
		c := compile(e.p, members, e.values)
		out := e.result(n.Out)
		if err := c.run(e.ctx, e.procs, out.data); err != nil {
			return err
		}
		for _, m := range members {
			for _, v := range e.p.Nodes()[m].In {
				if !e.plan.inside(e.p, v, i) {
					e.done(v)
				}
			}
		}
		if e.plan.uses[n.Out] == 0 {
			e.plan.uses[n.Out] = 1
			e.done(n.Out)
		}
	}
	return nil
}

// result makes the memory of a value: that of the output that it is, or new one.
func (e *exec) result(v int) *value {
	t := e.p.Type(v)
	if data, ok := e.slots[v]; ok {
		e.values[v] = &value{dtype: t.DType, shape: t.Shape, strides: rowMajor(t.Shape), data: data, buf: &buffer{refs: 1}}
	} else {
		e.values[v] = e.arena.make(t)
	}
	return e.values[v]
}

// view makes a value of the memory of another one.
func (e *exec) view(v int, of *value, strides []int) {
	t := e.p.Type(v)
	of.buf.refs++
	e.values[v] = &value{dtype: t.DType, shape: t.Shape, strides: strides, data: of.data, buf: of.buf}
}

// done counts a use of a value and frees it after the last one.
func (e *exec) done(v int) {
	if e.plan.uses[v]--; e.plan.uses[v] == 0 {
		e.arena.release(e.values[v].buf)
		e.values[v] = nil
	}
}

// move copies n elements, see move.
func (e *exec) move(dst, src place, n int) error { return move(e.ctx, e.procs, dst, src, n) }

// copyOut writes a value to an output, unless it was computed there.
func (e *exec) copyOut(output []byte, v *value) error {
	n := sizeOf(v.shape)
	size := v.dtype.Size()
	data, aligned := vecOf(output, size)
	switch {
	case n == 0 || aligned && data.p == v.data.p:
		return nil
	case aligned:
		return e.move(flat(data, v.dtype, false, n), placeOf(v), n)
	case v.contiguous():
		copy(output, v.data.at(0, n, size).bytesOf(size))
		return nil
	}
	t := e.arena.make(tensor.Type{DType: v.dtype, Shape: v.shape})
	defer e.arena.release(t.buf)
	if err := e.move(placeOf(t), placeOf(v), n); err != nil {
		return err
	}
	copy(output, t.data.bytesOf(size))
	return nil
}
