package rewrite

import "slices"

// bulkShift makes 1<<bulkShift bytes of a bulk operation cost as much as an
// instruction. Memory that is touched for the first time takes about a
// microsecond for each 4 KiB.
const bulkShift = 2

// chunk is how many bytes a bulk operation moves between two looks at the budget.
const chunk = 64 << 10

// A meter makes the code that charges the budget. It needs nothing from the
// operand stack, so that it fits anywhere.
type meter struct {
	budget   uint32 // index of the global
	tick     uint32 // index of the imported function
	fill     uint32 // index of the function that stands for memory.fill
	copy     uint32 // and for memory.copy
	bulkType uint32 // their type
	check    []byte // the end of a charge that checks
}

// newMeter returns the meter for a module to which it may add a type, a global
// and two functions.
//
// The comparison is with "zero or less" and not with zero: it costs the same,
// charges are of any size, and a host that sets a budget of zero gets a tick at
// once rather than after 2³² instructions.
func (p *parser) newMeter(tick uint32) *meter {
	functions := uint32(len(p.imports) + len(p.funcs))
	m := &meter{budget: uint32(len(p.globals)), tick: tick, fill: functions, copy: functions + 1, bulkType: uint32(len(p.types))}
	m.check = slices.Concat(
		m.set(), m.get(), []byte{opI32Const, 0, opI32LeS},
		[]byte{opIf, opVoid},
		appendU32([]byte{opCall}, tick), m.set(),
		[]byte{opEnd},
	)
	return m
}

func (m *meter) get() []byte { return appendU32([]byte{opGlobalGet}, m.budget) }
func (m *meter) set() []byte { return appendU32([]byte{opGlobalSet}, m.budget) }

// appendCharge appends the code that charges n, and checks what is left if it is
// to.
func (m *meter) appendCharge(b []byte, n int32, check bool) []byte {
	b = appendU32(append(b, opGlobalGet), m.budget)
	b = appendI32(append(b, opI32Const), n)
	b = append(b, opI32Sub)
	if check {
		return append(b, m.check...)
	}
	return appendU32(append(b, opGlobalSet), m.budget)
}

// meterCode returns the code section with meters in all functions, and with the
// functions that the meter adds, and counts them.
func (p *parser) meterCode(m *meter) []byte {
	l := p.newPlan()
	out := make([]byte, 0, p.sections[secCode].size()*5/4)
	out = appendU32(out, uint32(len(p.bodies)+2))
	var buf []byte
	var w walk
	for i := range p.bodies {
		b := &p.bodies[i]
		steps := p.flow.of(b)
		w.function(steps, l.cost)
		if l.metered[i] {
			w.meter(int32(b.code), l.head[i].add(1), true)
			p.census.MeteredEntries++
		}
		for _, s := range w.sites {
			p.census.Meters++
			if s.check {
				p.census.Checks++
			}
			p.census.MaxCharge = max(p.census.MaxCharge, int(s.charge))
		}
		buf = p.appendBody(buf[:0], b, &w, m)
		out = appendU32(out, uint32(len(buf)))
		out = append(out, buf...)
	}
	p.census.MaxUnchecked = w.longest
	for _, code := range [][]byte{m.fillCode(), m.copyCode()} {
		out = appendU32(out, uint32(len(code)))
		out = append(out, code...)
	}
	return out
}

// appendBody appends one function with its meters, and with calls in the place of
// bulk operations.
func (p *parser) appendBody(out []byte, b *body, w *walk, m *meter) []byte {
	from := b.start
	next := len(w.sites) - 1 // the sites come last one first
	charge := func(to int32) {
		for ; next >= 0 && w.sites[next].at <= to; next-- {
			out = append(out, p.wasm[from:w.sites[next].at]...)
			from = int(w.sites[next].at)
			out = m.appendCharge(out, w.sites[next].charge, w.sites[next].check)
		}
	}
	for _, s := range p.flow.of(b) {
		if s.op != opCopy && s.op != opFill {
			continue
		}
		charge(s.at)
		out = append(out, p.wasm[from:s.at]...)
		from = int(s.behind)
		f := m.fill
		if s.op == opCopy {
			f = m.copy
		}
		out = appendU32(append(out, opCall), f)
	}
	charge(int32(b.end))
	return append(out, p.wasm[from:b.end]...)
}

// appendI32 appends v in signed LEB128.
func appendI32(b []byte, v int32) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
