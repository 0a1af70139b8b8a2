package cpu

import (
	"math"
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

// Loops in Go that run one operation after the other over a block are bound by loading and
// storing. So adjacent additions, multiplications and the like on float64, and on float32 where
// there are no vectors (see chain.go), are joined to one of the form
//
//	((x·m1 + a1) ∘ y)·m2 + a2
//
// of which each part rounds for itself: the result is the same, bit for bit. What is
// missing is x·1, which is x, and x + -0, which is x too, also for x = 0 and x = -0.

// linear is ·m + a.
type linear struct {
	m, a float64
}

var identity = linear{1, math.Copysign(0, -1)}

// scale, shift and negate append an operation, if the result can be written as linear.
func (l *linear) scale(c float64) bool {
	if l.shifted() || l.m != 1 && l.m != -1 {
		return false // that would be rounded twice
	}
	l.m *= c
	return true
}

func (l *linear) shift(c float64) bool {
	if l.shifted() {
		return false
	}
	l.a = c
	return true
}

func (l *linear) negate() bool {
	if l.shifted() {
		return false // 1 - 1 is 0, not -0
	}
	l.m = -l.m
	return true
}

func (l *linear) shifted() bool { return l.a != 0 || !math.Signbit(l.a) }

// joint is the ∘ of a joined operation.
type joint uint8

const (
	jointNone joint = iota
	jointAdd
	jointSubtract // x - y
	jointFrom     // y - x
	jointMultiply
	jointMinimum
	jointMaximum
)

// A joined is a step of several operations on its first operand. The second one is y.
type joined struct {
	before, after linear
	op            joint
	value         int // that the operations compute
}

// append appends an operation, whose other operand is the number c if it is a scalar.
// right tells that the value so far is the right operand. If the operation does not
// fit, ok is false. If it does, usesY tells that the other operand has become y.
func (j *joined) append(op tensor.Op, scalar bool, c float64, right bool) (usesY, ok bool) {
	l := &j.before
	if j.op != jointNone {
		l = &j.after
	}
	kind := jointNone
	switch op {
	case tensor.Negative:
		return false, l.negate()
	case tensor.Add:
		if scalar && l.shift(c) {
			return false, true
		}
		kind = jointAdd
	case tensor.Subtract:
		switch {
		case scalar && right:
			if t := *l; t.negate() && t.shift(c) {
				*l = t
				return false, true
			}
		case scalar && l.shift(-c):
			return false, true
		}
		kind = jointSubtract
		if right {
			kind = jointFrom
		}
	case tensor.Multiply:
		if scalar && l.scale(c) {
			return false, true
		}
		kind = jointMultiply
	case tensor.Minimum:
		kind = jointMinimum
	case tensor.Maximum:
		kind = jointMaximum
	default:
		return false, false
	}
	if j.op != jointNone {
		return false, false
	}
	j.op = kind
	return true, true
}

// kernelOf returns the kernel of a joined operation on float32 or float64.
func (j joined) kernelOf(c class) kernel {
	if c == classF32 {
		return joinedKernel[float32](j)
	}
	return joinedKernel[float64](j)
}

func joinedKernel[T float32 | float64](j joined) kernel {
	m1, a1, m2, a2 := T(j.before.m), T(j.before.a), T(j.after.m), T(j.after.a)
	switch j.op {
	case jointNone:
		return func(dst, a, _, _ vec) {
			d := as[T](dst)
			for i, x := range as[T](a)[:len(d)] {
				d[i] = T(x*m1) + a1
			}
		}
	case jointAdd:
		return func(dst, a, b, _ vec) {
			d := as[T](dst)
			x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
			for i := range d {
				d[i] = T((T(x[i]*m1)+a1+y[i])*m2) + a2
			}
		}
	case jointSubtract:
		return func(dst, a, b, _ vec) {
			d := as[T](dst)
			x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
			for i := range d {
				d[i] = T((T(x[i]*m1)+a1-y[i])*m2) + a2
			}
		}
	case jointFrom:
		return func(dst, a, b, _ vec) {
			d := as[T](dst)
			x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
			for i := range d {
				d[i] = T((y[i]-(T(x[i]*m1)+a1))*m2) + a2
			}
		}
	case jointMultiply:
		return func(dst, a, b, _ vec) {
			d := as[T](dst)
			x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
			for i := range d {
				d[i] = T(T((T(x[i]*m1)+a1)*y[i])*m2) + a2
			}
		}
	case jointMinimum:
		return func(dst, a, b, _ vec) {
			d := as[T](dst)
			x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
			for i := range d {
				d[i] = T(min(T(x[i]*m1)+a1, y[i])*m2) + a2
			}
		}
	}
	return func(dst, a, b, _ vec) {
		d := as[T](dst)
		x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
		for i := range d {
			d[i] = T(max(T(x[i]*m1)+a1, y[i])*m2) + a2
		}
	}
}

// join puts node n into the step before it, if this computes an operand of n that
// nothing else uses, and both can be one. args are the registers of the operands. It
// returns false if n needs a step of its own, which the next one may be put into.
func (c *loopCode) join(p *tensor.Program, n *tensor.Node, args []int) bool {
	last, chain := c.last, c.tail
	c.last, c.tail = nil, nil
	d := p.Type(n.Out).DType
	if d != tensor.Float32 && d != tensor.Float64 || len(n.In) > 2 {
		return false
	}
	for _, v := range n.In {
		if p.Type(v).DType != n.DType {
			return false
		}
	}
	if d == tensor.Float32 && hasChains() {
		return c.append(chain, n, args)
	}
	if last != nil && slices.Contains(n.In, last.value) && c.users[last.value] == 1 {
		i := slices.Index(n.In, last.value)
		s := &c.steps[len(c.steps)-1]
		j := *last
		y := args[len(args)-1-i]
		scalar, isScalar := c.scalars[y]
		if usesY, ok := j.append(n.Op, isScalar, scalar, i == 1); ok {
			if usesY {
				c.joinIn[1] = y
			}
			j.value = n.Out
			s.run, s.in = j.kernelOf(classOf(n.DType)), c.joinIn
			c.last = &j
			return true
		}
	}
	// A step of its own, in which the value goes on that is not a scalar.
	i := 0
	if _, ok := c.scalars[args[0]]; ok {
		i = len(args) - 1
	}
	other := args[len(args)-1-i]
	scalar, isScalar := c.scalars[other]
	j := joined{before: identity, after: identity, value: n.Out}
	if _, ok := j.append(n.Op, isScalar, scalar, i == 1); ok {
		c.last, c.joinIn = &j, [3]int{args[i], other, other}
	}
	return false
}
