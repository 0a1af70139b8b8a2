package rewrite

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
}

// newMeter returns the meter for a module to which it may add a type, a global
// and two functions.
func (p *parser) newMeter(tick uint32) *meter {
	functions := uint32(len(p.imports) + len(p.funcs))
	return &meter{budget: uint32(len(p.globals)), tick: tick, fill: functions, copy: functions + 1, bulkType: uint32(len(p.types))}
}

func (m *meter) get() []byte { return appendU32([]byte{opGlobalGet}, m.budget) }
func (m *meter) set() []byte { return appendU32([]byte{opGlobalSet}, m.budget) }

// appendCheck appends code that takes what is on the stack from the budget, and executes what
// then appends if the budget is used up.
//
// The comparison is with "zero or less" and not with zero: it costs the same,
// charges are of any size, and a host that sets a budget of zero gets a tick at
// once rather than after 2³² instructions.
//
// What is executed seldom is in the else part, for wazero puts blocks in the order in which they are written, and
// where two ways meet it keeps values in the registers in which the first of them has them: that of the
// call, which has them in none, must come second. Best is a way that meets the other nowhere.
func (m *meter) appendCheck(b []byte, then func([]byte) []byte) []byte {
	b = append(b, opI32Sub)
	b = append(append(b, m.set()...), m.get()...)
	b = append(b, opI32Const, 0, opI32GtS, opIf, opVoid, opElse)
	return append(then(b), opEnd)
}

// appendTick appends the call of the tick function.
func (m *meter) appendTick(b []byte) []byte {
	return append(appendU32(append(b, opCall), m.tick), m.set()...)
}

// appendTickAgain is appendTick for a meter that is passed again after the tick: it charges what
// that will charge a second time to nobody.
func (m *meter) appendTickAgain(b []byte, charge int32) []byte {
	b = appendU32(append(b, opCall), m.tick)
	b = append(appendI32(append(b, opI32Const), charge), opI32Add)
	return append(b, m.set()...)
}

// appendMeter appends the meter s of the function with the given index and type.
func (m *meter) appendMeter(b []byte, s site, f uint32, t *signature) []byte {
	b = appendU32(append(b, opGlobalGet), m.budget)
	b = appendI32(append(b, opI32Const), s.charge)
	switch s.form {
	case checkHere:
		return m.appendCheck(b, m.appendTick)
	case checkHead:
		return m.appendCheck(b, func(b []byte) []byte { return append(m.appendTickAgain(b, s.charge), opBr, 1) })
	case checkEntry:
		return m.appendCheck(b, func(b []byte) []byte {
			b = m.appendTickAgain(b, s.charge)
			for i := range t.params {
				b = appendU32(append(b, opLocalGet), uint32(i))
			}
			return append(appendU32(append(b, opCall), f), opReturn)
		})
	}
	return append(append(b, opI32Sub), m.set()...)
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
			w.meterEntry(int32(b.code), l.head[i])
			p.census.MeteredEntries++
		}
		for _, s := range w.sites {
			p.census.Meters++
			if s.form != chargeOnly {
				p.census.Checks++
			}
			p.census.MaxCharge = max(p.census.MaxCharge, int(s.charge))
		}
		buf = p.appendBody(buf[:0], i, &w, m)
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

// appendBody appends the function i with its meters, and with calls in the place of
// bulk operations.
func (p *parser) appendBody(out []byte, i int, w *walk, m *meter) []byte {
	b, f, t := &p.bodies[i], uint32(len(p.imports)+i), &p.types[p.funcs[i]]
	from := b.start
	next := len(w.sites) - 1 // the sites come last one first
	charge := func(to int32) {
		for ; next >= 0 && w.sites[next].at <= to; next-- {
			out = append(out, p.wasm[from:w.sites[next].at]...)
			from = int(w.sites[next].at)
			out = m.appendMeter(out, w.sites[next], f, t)
		}
	}
	for _, s := range p.flow.of(b) {
		if s.op != opCopy && s.op != opFill {
			continue
		}
		charge(s.at)
		out = append(out, p.wasm[from:s.at]...)
		from = int(s.behind)
		operation := m.fill
		if s.op == opCopy {
			operation = m.copy
		}
		out = appendU32(append(out, opCall), operation)
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
