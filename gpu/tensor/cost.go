package tensor

import (
	"fmt"
	"math/bits"
)

// Cost is what a run of a program takes. All numbers are upper bounds that do not
// depend on the data, and are math.MaxInt64 if they are larger.
type Cost struct {
	// Work counts operations: a floating point or integer operation on an element,
	// an element moved. Functions such as exp count as several.
	Work int64

	// Traffic is what is read and written if nothing is fused, in bytes.
	Traffic int64

	// Peak is the memory that is needed at one time, in bytes: inputs, outputs, values
	// between them until their last use, and scratch memory of operations, if nothing
	// is fused. Constants are not counted.
	Peak int64

	// InputBytes, ConstantBytes and OutputBytes are what comes and goes.
	InputBytes, ConstantBytes, OutputBytes int64
}

// A workRule bounds the work of a node and the scratch memory that it needs beside
// its inputs and results.
type workRule struct {
	doc  string
	cost func(n *Node, in, out []Type) (work, scratch int64)
}

// each: w operations for each element of the result.
func each(w int64) workRule {
	return workRule{fmt.Sprintf("%d·elements", w), func(_ *Node, _, out []Type) (int64, int64) {
		return satMul(w, out[0].Size()), 0
	}}
}

// over: w operations for each element of the input.
func over(w int64) workRule {
	return workRule{fmt.Sprintf("%d·elements of the input", w), func(_ *Node, in, out []Type) (int64, int64) {
		return satAdd(satMul(w, in[0].Size()), out[0].Size()), 0
	}}
}

// rows: w operations for each element of the input, which may have to be transposed
// first, and the result after.
func rows(w int64) workRule {
	return workRule{fmt.Sprintf("%d·elements of the input", w), func(n *Node, in, out []Type) (int64, int64) {
		size := max(int64(out[0].DType.Size()), 4) // halves are widened
		scratch := satMul(satAdd(in[0].Size(), out[0].Size()), size)
		return satMul(w, in[0].Size()), scratch
	}}
}

// sorting: n log n operations with keys and indices beside the values.
var sorting = workRule{"8·elements·log2(length)", func(n *Node, in, out []Type) (int64, int64) {
	size := in[0].Size()
	log := int64(bits.Len(uint(in[0].Shape[n.Int("axis")])))
	scratch := satAdd(satMul(size, 32+int64(in[0].DType.Size())), satMul(out[0].Size(), 8+int64(out[0].DType.Size())))
	return satMul(satMul(8, size), log), scratch
}}

// products: 2·m·n·k operations; the inputs may have to be copied and
// packed, with lengths rounded up, and a result of halves is summed in float32.
var products = workRule{"2·m·n·k", func(_ *Node, in, out []Type) (int64, int64) {
	a, b := in[0], in[1]
	k := int64(a.Shape[len(a.Shape)-1])
	work := satMul(satMul(2, out[0].Size()), max(k, 1))
	size := int64(out[0].DType.Size())
	return work, satMul(satAdd(satMul(2, satAdd(a.Size(), b.Size())), out[0].Size()), max(size, 4))
}}

// costOf adds up the costs of the nodes.
func costOf(p *Program) Cost {
	var c Cost
	lastUse := make([]int, len(p.types))
	for i, n := range p.nodes {
		for r := range n.Op.Results() {
			lastUse[n.Out+r] = i // a result that is not used is there while the node runs
		}
		for _, v := range n.In {
			lastUse[v] = i
		}
	}
	for _, v := range p.outputs {
		lastUse[v] = len(p.nodes)
	}
	for _, v := range p.inputs {
		// Callers keep inputs until the end.
		lastUse[v] = len(p.nodes)
		c.InputBytes = satAdd(c.InputBytes, p.types[v].Bytes())
	}
	freed := make([][]int, len(p.nodes)+1)
	for v, i := range lastUse {
		freed[i] = append(freed[i], v)
	}
	live := c.InputBytes
	c.Peak = live
	var in []Type
	for i := range p.nodes {
		n := &p.nodes[i]
		in = in[:0]
		for _, v := range n.In {
			in = append(in, p.types[v])
			c.Traffic = satAdd(c.Traffic, p.types[v].Bytes())
		}
		out := p.types[n.Out : n.Out+n.Op.Results()]
		work, scratch := table[n.Op].work.cost(n, in, out)
		c.Work = satAdd(c.Work, work)
		if n.Op == Constant {
			c.ConstantBytes = satAdd(c.ConstantBytes, out[0].Bytes())
			continue
		}
		if n.Op == AsArray {
			continue
		}
		for _, t := range out {
			live = satAdd(live, t.Bytes())
			c.Traffic = satAdd(c.Traffic, t.Bytes())
		}
		c.Peak = max(c.Peak, satAdd(live, scratch))
		for _, v := range freed[i] {
			if op := p.nodes[p.Source(v)].Op; op != Constant && op != AsArray {
				live -= p.types[v].Bytes()
			}
		}
	}
	seen := make(map[int]bool, len(p.outputs))
	for _, v := range p.outputs {
		c.OutputBytes = satAdd(c.OutputBytes, p.types[v].Bytes())
		// An output is a copy of its own if it is one already, or came from outside.
		if op := p.nodes[p.Source(v)].Op; seen[v] || op == Constant || op == AsArray {
			live = satAdd(live, p.types[v].Bytes())
		}
		seen[v] = true
	}
	c.Peak = max(c.Peak, live)
	return c
}

// Scratch returns the memory that a node needs beside its inputs and results, which
// Peak counts: bytes.
func (p *Program) Scratch(node int) int64 {
	n := &p.nodes[node]
	_, scratch := table[n.Op].work.cost(n, p.typesOf(n.In), p.types[n.Out:n.Out+n.Op.Results()])
	return scratch
}
