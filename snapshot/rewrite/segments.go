package rewrite

import "slices"

// readExport reads one export. Indices are checked because the budget adds a
// global, which an export of the original must not name.
func (p *parser) readExport(r *reader) {
	at := r.p
	e := export{name: r.name()}
	kindAt := r.p
	e.kind = r.byte()
	e.index = r.u32()
	if r.err != nil {
		return
	}
	var n int
	switch e.kind {
	case kindFunc:
		n = len(p.imports) + len(p.funcs)
	case 1:
		n = p.census.Tables
	case 2:
		n = 1
	case kindGlobal:
		n = len(p.globals)
	default:
		r.fail(kindAt, "unsupported export %#02x", e.kind)
		return
	}
	if uint64(e.index) >= uint64(n) {
		r.fail(kindAt, "export %q of index %d of %d", e.name, e.index, n)
		return
	}
	if e.name == budgetName || len(e.name) >= len(globalPrefix) && e.name[:len(globalPrefix)] == globalPrefix {
		p.refuse(r, at, "the export name "+e.name+" is reserved")
	}
	p.exports = append(p.exports, e)
}

// readElement passes over one element segment. There are eight forms, told
// apart by three bits: passive or declarative, explicit table or declarative,
// expressions instead of indices.
func (p *parser) readElement(r *reader) {
	at := r.p
	flags := r.u32()
	if flags > 7 {
		r.fail(at, "unsupported element segment %d", flags)
		return
	}
	active := flags&1 == 0
	if active && flags&2 != 0 {
		r.skip(5) // table
	}
	if active {
		p.offset(r)
	}
	expressions := flags&4 != 0
	if flags&3 != 0 {
		at := r.p
		if expressions {
			r.refType()
		} else if kind := r.byte(); r.err == nil && kind != 0 {
			r.fail(at, "unsupported element kind %#02x", kind)
		}
	}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		if !expressions {
			p.takeAddress(r)
			continue
		}
		at := r.p
		if t, _ := p.constant(r); r.err == nil && t != FuncRef && t != ExternRef {
			r.fail(at, "element of type %v", t)
		}
	}
}

// offset reads the constant expression that places a segment.
func (p *parser) offset(r *reader) uint32 {
	at := r.p
	t, v := p.constant(r)
	if r.err == nil && t != I32 {
		r.fail(at, "offset of type %v", t)
	}
	return uint32(v)
}

// readData applies the active data segments to a new memory.
func (p *parser) readData(r *reader) {
	at := r.p
	n := r.count()
	if p.sections[secDataCount].end != 0 && uint64(n) != uint64(p.dataMin) {
		r.fail(at, "%d data segments, %d announced", n, p.dataMin)
	}
	p.hasData = true
	size := int64(p.minPages) * pageSize
	for i := 0; i < n && r.err == nil; i++ {
		at := r.p
		flags := r.u32()
		switch flags {
		case 0, 2:
			if flags == 2 {
				p.memoryIndex(r)
			}
			off := p.offset(r)
			b := r.bytes(r.u32())
			if r.err != nil {
				return
			}
			p.census.ActiveData++
			p.census.DataBytes += len(b)
			if int64(off)+int64(len(b)) > size {
				p.refuse(r, at, "data segment lies outside the memory")
				continue
			}
			if p.inspect {
				continue
			}
			if p.memory == nil {
				p.memory = make([]byte, size)
			}
			copy(p.memory[off:], b)
		case 1:
			r.bytes(r.u32())
			p.census.PassiveData++
		default:
			r.fail(at, "unsupported data segment %d", flags)
		}
	}
}

// rewrite puts the new module together.
func (p *parser) rewrite(opt Options) (*Module, error) {
	m := &Module{
		Memory:    p.memory,
		MaxMemory: int64(p.maxPages) * pageSize,
		Imports:   p.imports,
	}
	for _, e := range p.exports {
		if e.kind == kindFunc {
			t := p.funcType(e.index)
			m.Exports = append(m.Exports, Func{Name: e.name, Params: t.params, Results: t.results})
		}
	}

	codeSection := p.wasm[p.sections[secCode].start:p.sections[secCode].end]
	var types, funcs []byte
	if opt.TickModule != "" || opt.TickName != "" {
		tick, err := p.tick(opt)
		if err != nil {
			return nil, err
		}
		m.Budget = budgetName
		if p.sections[secCode].end != 0 {
			meter := p.newMeter(tick)
			codeSection = p.meterCode(meter)
			types = append(p.appendEntries(secType, len(p.types), 1), 0x60, 3, byte(I32), byte(I32), byte(I32), 0)
			funcs = appendU32(p.appendEntries(secFunction, len(p.funcs), 2), meter.bulkType)
			funcs = appendU32(funcs, meter.bulkType)
		}
	}
	m.Census = p.census
	globals, exports := p.globalSections(m)

	out := make([]byte, 0, len(p.wasm)+len(codeSection)-p.sections[secCode].size()-p.sections[secData].size()+1024)
	out = append(out, p.wasm[:8]...)
	put := func(id byte, body []byte) {
		out = append(out, id)
		out = appendU32(out, uint32(len(body)))
		out = append(out, body...)
	}
	for id := byte(secType); id <= secCode; id++ {
		s := p.sections[id]
		switch {
		case id == secType && types != nil:
			put(id, types)
		case id == secFunction && funcs != nil:
			put(id, funcs)
		case id == secMemory:
			// One memory with a minimum of 1 page and the maximum of 65536.
			put(id, []byte{1, 1, 1, 0x80, 0x80, 0x04})
		case id == secGlobal && globals != nil:
			put(id, globals)
		case id == secExport && exports != nil:
			put(id, exports)
		case id == secCode && s.end != 0:
			put(id, codeSection)
		case s.end != 0:
			put(id, p.wasm[s.start:s.end])
		}
	}
	m.Wasm = slices.Clip(out)
	return m, nil
}

// tick finds the imported tick function.
func (p *parser) tick(opt Options) (uint32, error) {
	for i, f := range p.imports {
		if f.Module != opt.TickModule || f.Name != opt.TickName {
			continue
		}
		if len(f.Params) != 0 || !slices.Equal(f.Results, []ValueType{I32}) {
			return 0, p.errorf(secImport, "%s.%s is not of type () → i32", f.Module, f.Name)
		}
		return uint32(i), nil
	}
	return 0, p.errorf(secImport, "%s.%s is not imported", opt.TickModule, opt.TickName)
}
