package rewrite

import (
	"encoding/binary"
	"fmt"
)

// Section identifiers.
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunction  = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElement   = 9
	secCode      = 10
	secData      = 11
	secDataCount = 12
	secLast      = secDataCount
)

var sectionNames = [...]string{
	"custom", "type", "import", "function", "table", "memory", "global",
	"export", "start", "element", "code", "data", "data count",
}

// order gives the place of each section in a module; the data count comes
// before the code which needs it.
var order = [...]int{
	secType: 1, secImport: 2, secFunction: 3, secTable: 4, secMemory: 5, secGlobal: 6,
	secExport: 7, secStart: 8, secElement: 9, secDataCount: 10, secCode: 11, secData: 12,
}

// span is the place of a section's contents in the module.
type span struct{ start, end int }

func (s span) size() int { return s.end - s.start }

// A signature is the type of a function.
type signature struct{ params, results []ValueType }

// global is what the rewriter knows of a global.
type global struct {
	typ     ValueType
	mutable bool
	init    uint64
}

// export is an entry of the export section.
type export struct {
	name  string
	kind  byte
	index uint32
}

// Kinds of imports and exports.
const (
	kindFunc   = 0
	kindGlobal = 3
)

// A parser holds what was learnt of a module.
type parser struct {
	wasm    []byte
	inspect bool // count what would be refused

	sections [secLast + 1]span // zero if absent
	types    []signature
	imports  []Func
	importAt []uint32 // type of each import
	funcs    []uint32 // type of each function with a body
	globals  []global
	exports  []export
	minPages uint32
	maxPages uint32
	bodies   []body
	flow     flow
	taken    []uint32 // functions whose address is taken, some more than once
	memory   []byte
	hasData  bool
	dataMin  uint32 // from the data count section
	census   Census
}

// parse reads a module. If inspect is set, constructs that are valid but unfit
// for capture are counted and not refused, and no memory is built.
func parse(wasm []byte, inspect bool) (*parser, *Error) {
	p := &parser{wasm: wasm, inspect: inspect}
	r := &reader{b: wasm, section: "module"}
	if magic := r.bytes(8); r.err == nil {
		if string(magic[:4]) != "\x00asm" {
			r.fail(0, "not a WebAssembly module")
		} else if v := binary.LittleEndian.Uint32(magic[4:]); v != 1 {
			r.fail(4, "unsupported version %#x", v)
		}
	}
	last := 0
	for r.err == nil && r.p < len(r.b) {
		at := r.p
		id := r.byte()
		body := r.bytes(r.u32())
		if r.err != nil {
			break
		}
		if id == secCustom {
			s := &reader{b: wasm[:r.p], p: r.p - len(body), section: sectionNames[id]}
			if s.name(); s.err != nil {
				return nil, s.err
			}
			continue
		}
		if int(id) >= len(order) {
			r.fail(at, "unsupported section %d", id)
			break
		}
		if order[id] <= last {
			r.fail(at, "%s section twice or out of order", sectionNames[id])
			break
		}
		last = order[id]
		p.sections[id] = span{r.p - len(body), r.p}
		s := &reader{b: wasm[:r.p], p: r.p - len(body), section: sectionNames[id]}
		p.section(int(id), s)
		if s.err == nil && s.p != len(s.b) {
			s.fail(s.p, "%d bytes behind the last entry", len(s.b)-s.p)
		}
		if s.err != nil {
			return nil, s.err
		}
	}
	if r.err == nil && len(p.bodies) != len(p.funcs) {
		r.fail(r.p, "%d functions and no bodies", len(p.funcs))
	}
	if r.err == nil && p.dataMin != 0 && !p.hasData {
		r.fail(r.p, "%d data segments announced, none found", p.dataMin)
	}
	if r.err == nil && p.sections[secMemory].end == 0 {
		p.refuse(r, r.p, "a module without memory is not supported")
	}
	if r.err != nil {
		return nil, r.err
	}
	if !inspect && p.memory == nil {
		p.memory = make([]byte, int64(p.minPages)*pageSize)
	}
	return p, nil
}

// refuse rejects a construct that is valid but unfit for capture.
func (p *parser) refuse(r *reader, at int, reason string) {
	if !p.inspect {
		r.fail(at, "%s", reason)
	}
}

// section reads one section.
func (p *parser) section(id int, r *reader) {
	switch id {
	case secType:
		p.readTypes(r)
	case secImport:
		p.readImports(r)
	case secFunction:
		n := r.count()
		p.funcs = make([]uint32, 0, n)
		for ; n > 0 && r.err == nil; n-- {
			p.funcs = append(p.funcs, p.typeIndex(r))
		}
	case secTable:
		n := r.count()
		p.census.Tables = n
		for ; n > 0 && r.err == nil; n-- {
			r.refType()
			first, _, _ := p.limits(r)
			p.census.TableElements += int(first)
		}
	case secMemory:
		p.readMemory(r)
	case secGlobal:
		p.readGlobals(r)
	case secExport:
		for n := r.count(); n > 0 && r.err == nil; n-- {
			p.readExport(r)
		}
	case secStart:
		p.refuse(r, r.p, "a start function is not supported")
		r.u32()
	case secElement:
		n := r.count()
		p.census.Elements = n
		for ; n > 0 && r.err == nil; n-- {
			p.readElement(r)
		}
	case secDataCount:
		p.dataMin = r.u32()
	case secCode:
		p.code(r)
	case secData:
		p.readData(r)
	}
}

// readTypes reads the function types.
func (p *parser) readTypes(r *reader) {
	vector := func() []ValueType {
		n := r.count()
		var v []ValueType
		for ; n > 0 && r.err == nil; n-- {
			v = append(v, r.valueType())
		}
		return v
	}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		at := r.p
		if form := r.byte(); r.err == nil && form != 0x60 {
			r.fail(at, "unsupported type %#02x", form)
		}
		var s signature
		s.params = vector()
		s.results = vector()
		p.types = append(p.types, s)
	}
}

// typeIndex reads the index of a function type.
func (p *parser) typeIndex(r *reader) uint32 {
	at := r.p
	t := r.u32()
	if r.err == nil && uint64(t) >= uint64(len(p.types)) {
		r.fail(at, "type %d of %d", t, len(p.types))
	}
	return t
}

// readImports reads the imports, which must be functions.
func (p *parser) readImports(r *reader) {
	for n := r.count(); n > 0 && r.err == nil; n-- {
		f := Func{Module: r.name(), Name: r.name()}
		at := r.p
		switch kind := r.byte(); {
		case r.err != nil:
			return
		case kind != kindFunc:
			what := map[byte]string{1: "table", 2: "memory", 3: "global", 4: "tag"}[kind]
			if what == "" {
				what = fmt.Sprintf("%#02x", kind)
			}
			r.fail(at, "import of %s %q.%q is not supported", what, f.Module, f.Name)
			return
		}
		t := p.typeIndex(r)
		if r.err != nil {
			return
		}
		f.Params, f.Results = p.types[t].params, p.types[t].results
		p.imports = append(p.imports, f)
		p.importAt = append(p.importAt, t)
	}
}

// limits reads the limits of a table or memory.
func (p *parser) limits(r *reader) (first, last uint32, bounded bool) {
	at := r.p
	switch flag := r.byte(); flag {
	case 0:
		return r.u32(), 0, false
	case 1:
		first, last = r.u32(), r.u32()
		if r.err == nil && last < first {
			r.fail(at, "minimum %d above maximum %d", first, last)
		}
		return first, last, true
	case 2, 3:
		r.fail(at, "shared memory is not supported")
	case 4, 5, 6, 7:
		r.fail(at, "64-bit memories and tables are not supported")
	default:
		r.fail(at, "unsupported limits %#02x", flag)
	}
	return 0, 0, false
}

// readMemory reads the memory section, which must hold one memory.
func (p *parser) readMemory(r *reader) {
	at := r.p
	n := r.count()
	if n != 1 {
		r.fail(at, "%d memories: exactly one is supported", n)
		return
	}
	at = r.p
	first, last, bounded := p.limits(r)
	if !bounded {
		last = maxPages
	}
	if r.err == nil && (first > maxPages || last > maxPages) {
		r.fail(at, "memory of more than %d pages", maxPages)
	}
	p.minPages, p.maxPages = first, last
	if int64(first)*pageSize > MaxMemory {
		p.refuse(r, at, fmt.Sprintf("initial memory of %d bytes: the most that is supported is %d", int64(first)*pageSize, MaxMemory))
	}
}

// readGlobals reads the globals and their initial values.
func (p *parser) readGlobals(r *reader) {
	n := r.count()
	p.census.Globals = n
	for ; n > 0 && r.err == nil; n-- {
		at := r.p
		g := global{typ: r.valueType()}
		switch m := r.byte(); m {
		case 0:
		case 1:
			g.mutable = true
			p.census.MutableGlobals++
			if g.typ == V128 || g.typ == FuncRef || g.typ == ExternRef {
				p.refuse(r, at, fmt.Sprintf("mutable global of type %v is not supported", g.typ))
			}
		default:
			r.fail(at+1, "malformed mutability %#02x", m)
		}
		at = r.p
		t, v := p.constant(r)
		if r.err == nil && t != g.typ {
			r.fail(at, "global of type %v with a value of type %v", g.typ, t)
		}
		g.init = v
		p.globals = append(p.globals, g)
	}
}

// constant reads a constant expression. There are no imported globals, so
// that global.get cannot occur, and extended constant expressions are not part
// of WebAssembly 2.0: it is one instruction and an end.
func (p *parser) constant(r *reader) (t ValueType, v uint64) {
	at := r.p
	switch op := r.byte(); op {
	case opI32Const:
		t, v = I32, uint64(uint32(r.signed(32)))
	case opI64Const:
		t, v = I64, uint64(r.signed(64))
	case opF32Const:
		if b := r.bytes(4); r.err == nil {
			t, v = F32, uint64(binary.LittleEndian.Uint32(b))
		}
	case opF64Const:
		if b := r.bytes(8); r.err == nil {
			t, v = F64, binary.LittleEndian.Uint64(b)
		}
	case opRefNull:
		t = r.refType()
	case opRefFunc:
		t = FuncRef
		p.takeAddress(r)
	case opVector:
		if sub := r.u32(); sub != 12 {
			r.fail(at, "unsupported constant expression 0xfd %d", sub)
		}
		r.bytes(16)
		t = V128
	default:
		r.fail(at, "unsupported constant expression %#02x", op)
	}
	at = r.p
	if end := r.byte(); r.err == nil && end != opEnd {
		r.fail(at, "unsupported constant expression of more than one instruction")
	}
	return t, v
}

// funcIndex reads the index of a function.
func (p *parser) funcIndex(r *reader) uint32 {
	at := r.p
	i := r.u32()
	if n := len(p.imports) + len(p.funcs); r.err == nil && uint64(i) >= uint64(n) {
		r.fail(at, "function %d of %d", i, n)
	}
	return i
}

// funcType returns the signature of a function by its index.
func (p *parser) funcType(i uint32) signature {
	if int(i) < len(p.imports) {
		return p.types[p.importAt[i]]
	}
	return p.types[p.funcs[int(i)-len(p.imports)]]
}
