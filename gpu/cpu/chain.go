package cpu

import (
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

// A chain is a step of several operations on float32, each of which takes the result of the one before. Vectors
// run it on a few elements at a time, which stay in registers from the first operation to the last: a
// loop for each operation is bound by loading and storing.

// chainStrip is how many elements go through a chain at once.
const chainStrip = 64

// A link is an operation of a chain.
type link struct {
	code linkCode
	y    int    // register of the other operand, if there is one
	run  kernel // on the value so far and y, for elements that fill no strip
}

// A linkCode is an operation as the code in simd_amd64.s knows it, on the value so far, x, and the other operand, y.
type linkCode uint64

const (
	linkAdd linkCode = iota
	linkSubtract
	linkFrom // y - x
	linkMultiply
	linkDivide
	linkInto // y / x
	linkMinimum
	linkMaximum
	linkNegative
	linkAbs
	linkSqrt
	linkFloor
	linkCeil
	linkRound
)

// linkCodes are the operations that can be links.
var linkCodes = map[tensor.Op]linkCode{
	tensor.Add: linkAdd, tensor.Subtract: linkSubtract, tensor.Multiply: linkMultiply, tensor.Divide: linkDivide,
	tensor.Minimum: linkMinimum, tensor.Maximum: linkMaximum, tensor.Negative: linkNegative, tensor.Abs: linkAbs,
	tensor.Sqrt: linkSqrt, tensor.Floor: linkFloor, tensor.Ceil: linkCeil, tensor.Round: linkRound,
}

// A linkOp is a link on one block. simd_amd64.s knows its layout.
type linkOp struct {
	code linkCode
	y    *float32
}

// newLink returns the link of operation n, whose operand i is the value so far. args are the registers of all operands.
func newLink(n *tensor.Node, i int, args []int) link {
	l := link{code: linkCodes[n.Op], y: args[len(args)-1-i], run: kernels[n.Op][classF32]}
	if i == 1 {
		l.run = swapped(l.run)
		switch l.code {
		case linkSubtract:
			l.code = linkFrom
		case linkDivide:
			l.code = linkInto
		}
	}
	return l
}

// A tail is the last step while it can still be made a longer chain.
type tail struct {
	value int // that it computes
	x     int // register of its first operand
	first link
}

// append puts node n, an operation on float32, into the step before it, last, if this computes an operand of n that nothing
// else uses. It returns false if n needs a step of its own, which can be the first of a chain.
func (c *loopCode) append(last *tail, n *tensor.Node, args []int) bool {
	if _, ok := linkCodes[n.Op]; !ok {
		return false
	}
	if last != nil && slices.Contains(n.In, last.value) && c.users[last.value] == 1 {
		s := &c.steps[len(c.steps)-1]
		if s.links == nil {
			s.links, s.in[0] = []link{last.first}, last.x
		}
		s.links = append(s.links, newLink(n, slices.Index(n.In, last.value), args))
		last.value = n.Out
		c.tail = last
		return true
	}
	c.tail = &tail{value: n.Out, x: args[0], first: newLink(n, 0, args)}
	return false
}

// runLinks runs the chain s on one block.
func runLinks(s *step, dst vec, regs []vec) {
	d, x := as[float32](dst), as[float32](regs[s.in[0]])[:dst.n]
	n := len(d) &^ (chainStrip - 1)
	ops := make([]linkOp, 0, 16) // on the stack, for most
	for _, l := range s.links {
		y := as[float32](regs[l.y])[:len(d)]
		ops = append(ops, linkOp{l.code, &y[0]})
	}
	runChain(d[:n], x[:n], ops)
	if n == len(d) {
		return
	}
	// The result may lie where an operand of a later link does, so it is written last.
	v := of(append(make([]float32, 0, chainStrip), x[n:]...))
	for _, l := range s.links {
		l.run(v, v, of(as[float32](regs[l.y])[n:len(d)]), vec{})
	}
	copy(d[n:], as[float32](v))
}
