package rewrite

// Opcodes that need their immediates or a count.
const (
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opEnd          = 0x0b
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
	opI32LeS       = 0x4c
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
		b := body{start: first, end: len(in.b), params: len(p.types[p.funcs[i]].params)}
		p.locals(&in, &b)
		firstSite := len(p.sites)
		p.instructions(&in)
		if in.err != nil {
			r.err = in.err
			return
		}
		b.sites = p.sites[firstSite:len(p.sites):len(p.sites)]
		p.bodies = append(p.bodies, b)
		r.p = len(in.b)
	}
}

// A body is one entry of the code section.
type body struct {
	start, end int // without its length
	params     int

	declarations uint32 // of locals
	declared     span   // these declarations without their number
	locals       uint32 // that they declare

	sites []site
}

// A site is a place in the code where metering goes: right behind the block
// type of a loop, or right before a bulk operation on memory.
type site struct {
	at   int
	bulk bool
}

// locals reads the declarations of local variables.
func (p *parser) locals(r *reader, b *body) {
	at := r.p
	n := r.count()
	b.declarations = uint32(n)
	b.declared.start = r.p
	for ; n > 0 && r.err == nil; n-- {
		count := r.u32()
		r.valueType()
		// The engine's limit is far below this one, which keeps the index
		// of the local that is added to the function from overflowing.
		if b.locals += count; count > 1<<30 || b.locals > 1<<30 {
			r.fail(at, "too many local variables")
		}
	}
	b.declared.end = r.p
}

// instructions walks one body up to its last end, which must be its last byte.
func (p *parser) instructions(r *reader) {
	c := &p.census
	for depth := 1; r.err == nil; {
		at := r.p
		op := r.byte()
		c.Instructions++
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
			r.skip(5)
			depth++
		case op == opLoop:
			r.skip(5)
			depth++
			c.Loops++
			p.sites = append(p.sites, site{at: r.p})
		case op == opEnd:
			if depth--; depth == 0 {
				if r.p != len(r.b) {
					r.fail(r.p, "%d bytes behind the end of the function", len(r.b)-r.p)
				}
				return
			}
		case op == 0x0c || op == 0x0d: // br, br_if
			r.skip(5)
		case op == 0x0e: // br_table: labels and one default
			for n := r.count(); n >= 0 && r.err == nil; n-- {
				r.skip(5)
			}
		case op == opCall:
			r.skip(5)
			c.Calls++
		case op == opCallIndirect:
			r.skip(5)
			r.skip(5)
			c.CallIndirect++
		case op == 0x00, op == 0x01, op == 0x05, op == 0x0f, op == 0x1a, op == 0x1b, op == 0xd1:
			// unreachable, nop, else, return, drop, select, ref.is_null
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
		case op == opRefNull:
			r.refType()
		case op == opRefFunc:
			r.skip(5)
		case op == opMisc:
			p.misc(r, at)
		case op == opVector:
			p.vector(r, at)
		default:
			r.fail(at, "unsupported opcode %#02x", op)
		}
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
		p.sites = append(p.sites, site{at, true})
	case 11:
		p.memoryIndex(r)
		c.MemoryFill++
		p.sites = append(p.sites, site{at, true})
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
