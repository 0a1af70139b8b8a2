package rewrite

// Opcodes that need their immediates or a count.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opLocalGet     = 0x20
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableSet     = 0x26
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32GtS       = 0x4a
	opI32Sub       = 0x6b
	opI32ShrU      = 0x76
	opVoid         = 0x40 // block type without parameters and results
	opRefNull      = 0xd0
	opRefFunc      = 0xd2
	opMisc         = 0xfc
	opVector       = 0xfd
)

// code walks all function bodies: it counts, and notes what is to be metered, by
// offsets from the start of the module.
func (p *parser) code(r *reader) {
	start := r.p
	n := r.count()
	if n != len(p.funcs) {
		r.fail(start, "%d bodies for %d functions", n, len(p.funcs))
	}
	p.bodies = make([]body, 0, n)
	p.census.Functions = n
	for i := 0; i < n && r.err == nil; i++ {
		start := r.p
		size := r.u32()
		first := r.p
		if uint64(size) > uint64(len(r.b)-first) {
			r.fail(start, "body of %d bytes, %d left", size, len(r.b)-first)
			return
		}
		in := reader{b: r.b[:first+int(size)], p: first, section: r.section}
		b := body{start: first, end: len(in.b)}
		p.locals(&in)
		b.code = in.p
		b.first = len(p.flow.steps)
		p.flow.begin()
		p.instructions(&in)
		if in.err != nil {
			r.err = in.err
			return
		}
		b.last = len(p.flow.steps)
		p.bodies = append(p.bodies, b)
		r.p = len(in.b)
	}
}

// A body is one entry of the code section.
type body struct {
	start, end  int // without its length
	code        int // first instruction
	first, last int // range of its steps
}

// locals reads the declarations of local variables.
func (p *parser) locals(r *reader) {
	for n := r.count(); n > 0 && r.err == nil; n-- {
		r.u32()
		r.valueType()
	}
}

// instructions walks one body up to its last end, which must be its last byte.
func (p *parser) instructions(r *reader) {
	c, f := &p.census, &p.flow
	for depth := 1; r.err == nil; {
		at := r.p
		op := r.byte()
		c.Instructions++
		f.plain(at)
		switch {
		case op >= 0x45 && op <= 0xc4: // numeric, no immediates
		case op >= 0x20 && op <= 0x22: // locals
			r.skip(5)
		case op == opGlobalGet || op == opGlobalSet:
			// The budget gets the next index behind the last global. Code
			// that names it was invalid before and must stay so.
			if i := r.u32(); uint64(i) >= uint64(len(p.globals)) {
				r.fail(at, "global %d of %d", i, len(p.globals))
			}
		case op >= 0x28 && op <= 0x3e:
			p.memarg(r)
		case op == opI32Const:
			r.skip(5)
		case op == opI64Const:
			r.skip(10)
		case op == opF32Const:
			r.bytes(4)
		case op == opF64Const:
			r.bytes(8)
		case op == opBlock || op == opIf:
			p.blockType(r, at)
			depth++
			f.step(op, at, r.p, 0)
		case op == opLoop:
			p.blockType(r, at)
			depth++
			c.Loops++
			arg := uint32(0)
			if r.err == nil && r.b[at+1]&0xc0 != 0x40 {
				arg = loopWithParameters // or at least a type of its own, which a negative number of one byte is not
			}
			f.step(op, at, r.p, arg)
		case op == opEnd:
			f.step(op, at, r.p, 0)
			if depth--; depth == 0 {
				if r.p != len(r.b) {
					r.fail(r.p, "%d bytes behind the end of the function", len(r.b)-r.p)
				}
				return
			}
		case op == opBr || op == opBrIf:
			p.label(r, op, at, depth)
		case op == opBrTable: // labels and one default
			f.step(op, at, r.p, 0)
			for n := r.count(); n >= 0 && r.err == nil; n-- {
				p.label(r, opTarget, at, depth)
			}
		case op == opCall:
			f.step(op, at, r.p, p.funcIndex(r))
			c.Calls++
		case op == opCallIndirect:
			f.step(op, at, r.p, p.typeIndex(r))
			r.skip(5)
			c.CallIndirect++
		case op == opElse || op == opReturn || op == opUnreachable:
			f.step(op, at, r.p, 0)
		case op == 0x01, op == 0x1a, op == 0x1b, op == 0xd1:
			// nop, drop, select, ref.is_null
		case op == 0x1c: // select with types
			for n := r.count(); n > 0 && r.err == nil; n-- {
				r.valueType()
			}
		case op == 0x25: // table.get
			r.skip(5)
		case op == opTableSet:
			r.skip(5)
			p.tableWrite(r, at, "table.set")
		case op == 0x3f: // memory.size
			p.memoryIndex(r)
		case op == opMemoryGrow:
			p.memoryIndex(r)
			c.MemoryGrow++
			f.step(opMemoryGrow, at, r.p, 0)
		case op == opRefNull:
			r.refType()
		case op == opRefFunc:
			p.takeAddress(r)
		case op == opMisc:
			p.misc(r, at)
		case op == opVector:
			p.vector(r, at)
		default:
			r.fail(at, "unsupported opcode %#02x", op)
		}
	}
}

// blockType reads the type of a block: void or a value's, which are negative, or the index of a signature. As signatures are added behind the last
// one, an index that was invalid before must stay so.
func (p *parser) blockType(r *reader, at int) {
	if r.p < len(r.b) && r.b[r.p]&0xc0 == 0x40 { // in one byte, as nearly all are
		if r.b[r.p] == 0x40 {
			r.p++
		} else {
			r.valueType() // and not 0x63 or 0x64 of a later WebAssembly, behind which comes more
		}
		return
	}
	if i := r.signed(33); r.err == nil && (i < 0 || i >= int64(len(p.types))) {
		r.fail(at, "signature %d of %d", i, len(p.types))
	}
}

// label reads a label of a branch, which must exist.
func (p *parser) label(r *reader, op byte, at, depth int) {
	l := r.u32()
	if r.err == nil && uint64(l) >= uint64(depth) {
		r.fail(at, "branch to label %d of %d", l, depth)
	}
	p.flow.step(op, at, r.p, l)
}

// takeAddress reads the index of a function that a table may hold, so that it can
// be called by call_indirect.
func (p *parser) takeAddress(r *reader) {
	if i := p.funcIndex(r); r.err == nil {
		p.taken = append(p.taken, i)
	}
}

// misc walks an instruction with the prefix 0xfc.
func (p *parser) misc(r *reader, at int) {
	c := &p.census
	switch op := r.u32(); op {
	case 0, 1, 2, 3, 4, 5, 6, 7: // saturating truncation
	case 8:
		r.skip(5)
		p.memoryIndex(r)
		c.MemoryInit++
		p.refuse(r, at, "memory.init: copying data segments at run time is not supported")
	case 9:
		r.skip(5)
		c.DataDrop++
		p.refuse(r, at, "data.drop: dropping data segments at run time is not supported")
	case 10:
		p.memoryIndex(r)
		p.memoryIndex(r)
		c.MemoryCopy++
		p.flow.step(opCopy, at, r.p, 0)
	case 11:
		p.memoryIndex(r)
		c.MemoryFill++
		p.flow.step(opFill, at, r.p, 0)
	case 12:
		r.skip(5)
		r.skip(5)
		p.tableWrite(r, at, "table.init")
	case 13:
		r.skip(5)
		p.tableWrite(r, at, "elem.drop")
	case 14:
		r.skip(5)
		r.skip(5)
		p.tableWrite(r, at, "table.copy")
	case 15:
		r.skip(5)
		p.tableWrite(r, at, "table.grow")
	case 16: // table.size
		r.skip(5)
	case 17:
		r.skip(5)
		p.tableWrite(r, at, "table.fill")
	default:
		r.fail(at, "unsupported opcode 0xfc %d", op)
	}
}

// vector walks an instruction with the prefix 0xfd: SIMD without the relaxed
// instructions, whose results may differ between machines.
func (p *parser) vector(r *reader, at int) {
	switch op := r.u32(); {
	case op > 0xff:
		r.fail(at, "unsupported opcode 0xfd %d", op)
	case op <= 11 || op == 92 || op == 93: // loads and stores
		p.memarg(r)
	case op == 12 || op == 13: // v128.const, i8x16.shuffle
		r.bytes(16)
	case op >= 21 && op <= 34: // extract_lane, replace_lane
		r.byte()
	case op >= 84 && op <= 91: // load_lane, store_lane
		p.memarg(r)
		r.byte()
	}
}

// tableWrite counts and refuses an instruction that changes a table.
func (p *parser) tableWrite(r *reader, at int, name string) {
	p.census.TableWrites++
	p.refuse(r, at, name+": changing tables at run time is not supported")
}

// memarg reads alignment and offset. Bit 6 of the alignment announces the index
// of a memory.
func (p *parser) memarg(r *reader) {
	at := r.p
	if align := r.u32(); align >= 0x40 {
		r.fail(at, "unsupported alignment %#x", align)
	}
	r.skip(5)
}

// memoryIndex reads the index of a memory, a single zero byte.
func (p *parser) memoryIndex(r *reader) {
	if at := r.p; r.byte() != 0 {
		r.fail(at, "more than one memory is not supported")
	}
}
