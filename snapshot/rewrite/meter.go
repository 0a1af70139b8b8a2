package rewrite

import "slices"

// bulkShift makes 64 bytes of a bulk operation cost as much as a loop head: about
// as long as a modern machine takes for it.
const bulkShift = 6

// A meter makes the code that goes to the sites. It needs nothing from the
// operand stack that it does not put back, so that it fits loops of any type.
type meter struct {
	loop   []byte // for a loop head
	charge []byte // for a bulk operation: its length is in a local
	tick   []byte // the common end of both
}

// newMeter returns the meter for a budget in a global and a tick function.
//
// The comparison is with "zero or less" and not with zero: it costs the same,
// bulk operations may leave less, and a host that sets a budget of zero gets a
// tick at once rather than after 2³² loops.
func newMeter(budget, tick uint32) meter {
	get := appendU32([]byte{opGlobalGet}, budget)
	set := appendU32([]byte{opGlobalSet}, budget)
	end := slices.Concat(
		set,
		get, []byte{opI32Const, 0, opI32LeS},
		[]byte{opIf, opVoid},
		appendU32([]byte{opCall}, tick), set,
		[]byte{opEnd},
	)
	return meter{
		loop:   slices.Concat(get, []byte{opI32Const, 1, opI32Sub}, end),
		charge: get,
		tick:   slices.Concat([]byte{opI32Const, bulkShift, opI32ShrU, opI32Sub}, end),
	}
}

// appendBulk appends the code for a bulk operation, whose length is on top of
// the operand stack: it takes the length over in a local, and counts it.
func (m *meter) appendBulk(b []byte, local uint32) []byte {
	b = appendU32(append(b, opLocalTee), local)
	b = append(b, m.charge...)
	b = appendU32(append(b, opLocalGet), local)
	return append(b, m.tick...)
}

// meterCode returns the code section with the code of m at all sites.
func (p *parser) meterCode(m meter) []byte {
	grow := len(p.sites) * (len(m.loop) + 8)
	out := make([]byte, 0, p.sections[secCode].size()+grow+8*len(p.bodies)+8)
	out = appendU32(out, uint32(len(p.bodies)))
	var buf []byte
	for _, b := range p.bodies {
		buf = p.appendBody(buf[:0], b, m)
		out = appendU32(out, uint32(len(buf)))
		out = append(out, buf...)
	}
	return out
}

// appendBody appends one metered body.
func (p *parser) appendBody(out []byte, b body, m meter) []byte {
	from := b.start
	if slices.ContainsFunc(b.sites, func(s site) bool { return s.bulk }) {
		// One more local, behind all others, so that no index changes.
		out = appendU32(out, b.declarations+1)
		out = append(out, p.wasm[b.declared.start:b.declared.end]...)
		out = append(out, 1, byte(I32))
		from = b.declared.end
	}
	for _, s := range b.sites {
		out = append(out, p.wasm[from:s.at]...)
		from = s.at
		if s.bulk {
			out = m.appendBulk(out, uint32(b.params)+b.locals)
		} else {
			out = append(out, m.loop...)
		}
	}
	return append(out, p.wasm[from:b.end]...)
}
