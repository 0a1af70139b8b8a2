package rewrite

import (
	"fmt"
	"strconv"
)

// errorf makes an error about a section as a whole.
func (p *parser) errorf(section int, format string, args ...any) *Error {
	return &Error{sectionNames[section], p.sections[section].start, fmt.Sprintf(format, args...)}
}

// globalSections fills in m.Globals and returns the contents of the global and
// export sections with the additions, nil for a section that is left as it is
// (or left out).
func (p *parser) globalSections(m *Module) (globals, exports []byte) {
	added := []export{}
	for i, g := range p.globals {
		if !g.mutable {
			continue
		}
		name := globalPrefix + strconv.Itoa(len(m.Globals))
		m.Globals = append(m.Globals, Global{Name: name, Type: g.typ, Init: g.init})
		added = append(added, export{name, kindGlobal, uint32(i)})
	}
	if m.Budget != "" {
		added = append(added, export{m.Budget, kindGlobal, uint32(len(p.globals))})
		globals = p.appendEntries(secGlobal, len(p.globals), 1)
		globals = append(globals, byte(I32), 1, opI32Const, 0, opEnd)
	}
	if len(added) == 0 {
		return globals, nil
	}
	exports = p.appendEntries(secExport, len(p.exports), len(added))
	for _, e := range added {
		exports = appendU32(exports, uint32(len(e.name)))
		exports = append(exports, e.name...)
		exports = append(exports, e.kind)
		exports = appendU32(exports, e.index)
	}
	return globals, exports
}

// appendEntries returns the contents of a section that holds have entries, with
// a count that leaves room for more.
func (p *parser) appendEntries(section, have, more int) []byte {
	out := appendU32(nil, uint32(have+more))
	s := p.sections[section]
	if s.end == 0 {
		return out
	}
	// The count may be written in more bytes than it needs.
	r := &reader{b: p.wasm[:s.end], p: s.start}
	r.u32()
	return append(out, p.wasm[r.p:s.end]...)
}
