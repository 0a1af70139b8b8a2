package cpu

import (
	"context"
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

// Elementwise operations run in blocks: all operations of a loop on one block, whose
// values stay in the first-level cache, then on the next. Memory is read and written
// once for the whole loop.
const (
	block = 512        // elements
	grain = 32 * block // elements that are worth a goroutine
)

// An operand is a value from outside that a loop reads, as a register.
type operand struct {
	value  *value
	reg    int
	layout layout
	mode   mode
}

type mode uint8

const (
	direct  mode = iota // the register is the value's memory itself
	widened             // halves, in order
	strided             // gathered
	single              // one element, repeated once for all blocks
)

// A step runs a kernel on registers, or a chain.
type step struct {
	run   kernel
	dst   int
	in    [3]int
	links []link // of a chain; its first operand is in[0]
}

// loopCode is a loop in a form that can be run on any block.
type loopCode struct {
	shape     []int
	dtype     tensor.DType // of the result
	operands  []operand
	steps     []step
	registers int
	result    int // register

	// While it is compiled: how many members use a value, the numbers that registers
	// repeat, and the last step if the next one may be joined to it, with its operands, or
	// may be put into a chain with it.
	users   []int
	scalars map[int]float64
	last    *joined
	joinIn  [3]int
	tail    *tail
}

// compile makes the loop of nodes members, whose values from outside are in values.
func compile(p *tensor.Program, members []int, values []*value) *loopCode {
	nodes := p.Nodes()
	out := p.Type(nodes[members[len(members)-1]].Out)
	c := &loopCode{shape: out.Shape, dtype: out.DType, users: make([]int, p.NumValues()), scalars: map[int]float64{}}
	last := make([]int, p.NumValues()) // of members' values: the member that uses them last
	for _, m := range members {
		for _, v := range nodes[m].In {
			last[v] = m
			c.users[v]++
		}
	}
	regs := make([]int, p.NumValues()) // of values, -1 if they have none yet
	for i := range regs {
		regs[i] = -1
	}
	var free []int // registers whose values are not needed any more
	register := func() int {
		if n := len(free); n > 0 {
			r := free[n-1]
			free = free[:n-1]
			return r
		}
		c.registers++
		return c.registers - 1
	}
	outside := make([]bool, p.NumValues())
	for _, m := range members {
		n := &nodes[m]
		args := make([]int, len(n.In))
		var temps []int
		want := operandType(p, n)
		for i, v := range n.In {
			r := regs[v]
			d := p.Type(v).DType
			if r < 0 {
				r = c.load(values[v])
				regs[v], outside[v] = r, true
			}
			to := want
			if n.Op == tensor.Where && i == 0 {
				to = tensor.Bool
			}
			if cast := caster(d, to); cast != nil && n.Op != tensor.AsType {
				t := register()
				c.steps = append(c.steps, step{run: cast, dst: t, in: [3]int{r, r, r}})
				r = t
				temps = append(temps, t)
				c.last, c.tail = nil, nil
			}
			args[i] = r
		}
		d := p.Type(n.Out).DType
		run := kernels[n.Op][classOf(want)]
		if n.Op == tensor.AsType {
			if run = caster(p.Type(n.In[0]).DType, d); run == nil {
				run = copyClass(classOf(d))
			}
		}
		dst := 0
		if c.join(p, n, args) {
			dst = c.steps[len(c.steps)-1].dst
		} else {
			dst = register()
			s := step{run: run, dst: dst}
			for i := range s.in {
				s.in[i] = args[min(i, len(args)-1)]
			}
			c.steps = append(c.steps, s)
		}
		if half(d) && n.Op != tensor.AsType && !keepsPrecision(n.Op) {
			c.steps = append(c.steps, step{run: rounder(d), dst: dst, in: [3]int{dst, dst, dst}})
		}
		regs[n.Out] = dst
		free = append(free, temps...)
		for i, v := range n.In {
			if last[v] == m && !outside[v] && !slices.Contains(n.In[:i], v) && regs[v] != dst {
				free = append(free, regs[v])
			}
		}
		c.result = dst
	}
	return c
}

// operandType returns the type that n computes in: that which its inputs are promoted
// to.
func operandType(p *tensor.Program, n *tensor.Node) tensor.DType {
	in := n.In
	if n.Op == tensor.Where {
		in = in[1:]
	}
	d := p.Type(in[0]).DType
	for _, v := range in[1:] {
		d, _ = tensor.Promote(d, p.Type(v).DType)
	}
	return d
}

// keepsPrecision tells whether results of halves are halves without rounding.
func keepsPrecision(o tensor.Op) bool {
	switch o {
	case tensor.Abs, tensor.Negative, tensor.Sign, tensor.Minimum, tensor.Maximum, tensor.Clip, tensor.Where:
		return true
	}
	return false
}

func copyClass(c class) kernel {
	return [numClasses]kernel{copyOf[uint8], copyOf[int32], copyOf[int64], copyOf[float32], copyOf[float64]}[c]
}

// load makes v an operand and returns its register.
func (c *loopCode) load(v *value) int {
	o := operand{value: v, reg: c.registers}
	c.registers++
	strides := v.broadcast(c.shape)
	o.layout = newLayout(c.shape, strides)
	switch l := o.layout; {
	case len(l.shape) == 1 && l.strides[0] == 0:
		// One block of it serves for all.
		o.mode, o.layout = single, layout{shape: []int{block}, strides: []int{0}}
	case len(l.shape) == 1 && l.strides[0] == 1 && half(v.dtype):
		o.mode = widened
	case len(l.shape) == 1 && l.strides[0] == 1:
		o.mode = direct
	default:
		o.mode = strided
	}
	c.operands = append(c.operands, o)
	if o.mode == single && v.dtype == tensor.Float32 {
		c.scalars[o.reg] = float64(as[float32](v.data.at(0, 1, 4))[0])
	} else if o.mode == single && v.dtype == tensor.Float64 {
		c.scalars[o.reg] = as[float64](v.data.at(0, 1, 8))[0]
	}
	return o.reg
}

// run runs the loop and writes its result to out, which has no gaps.
func (c *loopCode) run(ctx context.Context, procs int, out vec) error {
	size := sizeOf(c.shape)
	width := min(block, size)
	idle := make(chan []int64, procs) // memory of parts that are done; no more run at once
	return spans(ctx, procs, size, max(grain, size/(8*procs)/block*block), func(start, end int) {
		var memory []int64
		select {
		case memory = <-idle:
		default:
			memory = make([]int64, (c.registers+1)*width)
		}
		c.span(memory, width, out, start, end)
		idle <- memory
	})
}

// span computes elements from start to end. Registers have width elements of memory each.
func (c *loopCode) span(memory []int64, width int, out vec, start, end int) {
	regs := make([]vec, c.registers)
	for i := range regs {
		regs[i] = of(memory[i*width : (i+1)*width])
	}
	raw := of(memory[c.registers*width:]) // halves on their way
	for i := range c.operands {
		if o := &c.operands[i]; o.mode == single {
			o.fetch(regs[o.reg], raw, 0, width)
		}
	}
	outSize := c.dtype.Size()
	for at := start; at < end; at += block {
		n := min(block, end-at)
		for i := range regs {
			regs[i].n = n
		}
		for i := range c.operands {
			switch o := &c.operands[i]; o.mode {
			case single:
			case direct:
				regs[o.reg] = o.value.data.at(at, n, o.value.dtype.Size())
			default:
				o.fetch(regs[o.reg], raw, at, n)
			}
		}
		result := out.at(at, n, outSize)
		final := len(c.steps) - 1
		if half(c.dtype) {
			final++
		}
		for i := range c.steps {
			s := &c.steps[i]
			dst := regs[s.dst]
			if i == final {
				dst = result
			}
			if s.links != nil {
				runLinks(s, dst, regs)
				continue
			}
			s.run(dst, regs[s.in[0]], regs[s.in[1]], regs[s.in[2]])
		}
		if half(c.dtype) {
			narrow(c.dtype, result, regs[c.result])
		}
	}
}

// fetch reads n elements from at on into a register.
func (o *operand) fetch(reg, raw vec, at, n int) {
	v := o.value
	reg.n, raw.n = n, n
	switch {
	case o.mode == widened:
		widen(v.dtype, reg, v.data.at(at, n, 2))
	case half(v.dtype):
		gatherRaw(raw, v.data, &o.layout, at, 2)
		widen(v.dtype, reg, raw)
	default:
		gatherRaw(reg, v.data, &o.layout, at, v.dtype.Size())
	}
}
