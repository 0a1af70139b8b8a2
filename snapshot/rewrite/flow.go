package rewrite

// A step is what the analysis of costs knows of a place in a function: an
// instruction that controls the flow, or that costs more than one, or just a
// place between others. Between two steps there are only plain instructions.
type step struct {
	op     byte
	plain  uint16 // plain instructions before it, since the last step
	arg    uint32 // label, function or type; of an end, the operation that it ends; of a loop, whether it has parameters
	at     int32  // offset of the instruction
	behind int32  // offset behind the instruction, for blocks behind the type
}

// Operations of steps that are no opcodes of one byte.
const (
	opCopy   = 0xf0 // memory.copy
	opFill   = 0xf1 // memory.fill
	opPlace  = 0xf2 // no instruction: a place between plain ones
	opTarget = 0xf3 // one of the labels of the br_table before it

	opFunction = 0xf4 // what the last end of a function ends
)

// loopWithParameters is the argument of a loop which takes operands from the stack.
const loopWithParameters = 1

// maxPlain is how many plain instructions may lie between two steps. It bounds
// how far the place of a meter is from where it is best.
const maxPlain = 64

// flow collects the steps of one function after another.
type flow struct {
	steps []step
	open  []byte // operations of the blocks that are open
	count uint16
}

func (f *flow) begin() {
	f.count, f.open = 0, append(f.open[:0], opFunction)
}

// plain counts the instruction at offset at. If it turns out to be a step, step
// takes it back.
func (f *flow) plain(at int) {
	if f.count == maxPlain {
		f.count++ // the step takes one back
		f.step(opPlace, at, at, 0)
	}
	f.count++
}

// step adds the instruction that plain has counted last.
func (f *flow) step(op byte, at, behind int, arg uint32) {
	n := f.count
	if n > 0 {
		n--
	}
	switch op {
	case opBlock, opLoop, opIf:
		f.open = append(f.open, op)
	case opEnd:
		last := len(f.open) - 1
		arg, f.open = uint32(f.open[last]), f.open[:last]
	}
	f.steps = append(f.steps, step{op, n, arg, int32(at), int32(behind)})
	f.count = 0
}

// of returns the steps of a function.
func (f *flow) of(b *body) []step { return f.steps[b.first:b.last] }
