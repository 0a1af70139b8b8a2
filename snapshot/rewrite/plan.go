package rewrite

import (
	"cmp"
	"slices"
)

// A plan says where the functions of a module are metered.
type plan struct {
	p       *parser
	metered []bool // functions, by index without imports, that charge at their entry
	head    []cost // of functions, then of types: the dearest of those that call_indirect may call
	calls   graph  // calls outside loops: functions, then types, which have edges to the functions of that type
	order   []int32
	kinds   []int32 // for each type, the first one that is equal to it
}

// newPlan finds out which functions must be metered at their entry, and what
// functions cost.
func (p *parser) newPlan() *plan {
	l := &plan{p: p, metered: make([]bool, len(p.funcs)+len(p.types)), head: make([]cost, len(p.funcs)+len(p.types))}
	l.canonicalTypes()
	l.callGraph()
	// The host, which calls exports, charges nothing.
	for _, e := range p.exports {
		if e.kind == kindFunc && int(e.index) >= len(p.imports) {
			l.metered[int(e.index)-len(p.imports)] = true
		}
	}
	l.cutCycles()
	var w walk
	for _, n := range l.order {
		if int(n) < len(p.funcs) {
			l.head[n] = w.function(p.flow.of(&p.bodies[n]), l.cost)
			continue
		}
		for _, f := range l.calls.edges(n) {
			if !l.metered[f] {
				l.head[n] = l.head[n].max(l.head[f])
			}
		}
	}
	return l
}

// canonicalTypes gives equal types one number, for call_indirect does not tell
// them apart.
func (l *plan) canonicalTypes() {
	first := map[string]int32{}
	l.kinds = make([]int32, len(l.p.types))
	for i, t := range l.p.types {
		key := make([]byte, 0, len(t.params)+len(t.results)+1)
		for _, v := range t.params {
			key = append(key, byte(v))
		}
		key = append(key, 0)
		for _, v := range t.results {
			key = append(key, byte(v))
		}
		if _, ok := first[string(key)]; !ok {
			first[string(key)] = int32(i)
		}
		l.kinds[i] = first[string(key)]
	}
}

// callGraph collects the calls outside loops. A cycle of calls of which one is in
// a loop passes the head of that loop, which is a meter.
func (l *plan) callGraph() {
	p := l.p
	functions := int32(len(p.funcs))
	type edge struct{ from, to int32 }
	var edges []edge
	for i := range p.bodies {
		loops := 0
		for _, s := range p.flow.of(&p.bodies[i]) {
			switch {
			case s.op == opLoop:
				loops++
			case s.op == opEnd && s.arg == opLoop:
				loops--
			case loops > 0:
			case s.op == opCall && int(s.arg) >= len(p.imports):
				edges = append(edges, edge{int32(i), int32(s.arg) - int32(len(p.imports))})
			case s.op == opCallIndirect:
				edges = append(edges, edge{int32(i), functions + l.kinds[s.arg]})
			}
		}
	}
	for _, f := range p.taken {
		if int(f) >= len(p.imports) {
			f -= uint32(len(p.imports))
			edges = append(edges, edge{functions + l.kinds[p.funcs[f]], int32(f)})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	edges = slices.Compact(edges)
	nodes := int(functions) + len(p.types)
	l.calls = graph{first: make([]int32, nodes+1), to: make([]int32, len(edges))}
	for i, e := range edges {
		l.calls.first[e.from+1]++
		l.calls.to[i] = e.to
	}
	for i := range nodes {
		l.calls.first[i+1] += l.calls.first[i]
	}
}

// cutCycles meters functions until no cycle of calls is left without a meter, and
// orders the functions so that each comes behind those that it calls.
//
// First come the functions on cycles that call_indirect reaches. Then, of each
// component that still has a cycle, the function that is called from most others in it.
// To cut a graph with the fewest nodes is hard; what matters here is to leave
// the small functions alone that are called most.
func (l *plan) cutCycles() {
	functions := int32(len(l.p.funcs))
	for _, c := range l.calls.components(l.metered) {
		if !l.calls.cyclic(c) {
			continue
		}
		in := map[int32]bool{}
		for _, n := range c {
			in[n] = true
		}
		for _, n := range c {
			if n < functions {
				continue
			}
			for _, f := range l.calls.edges(n) {
				if in[f] {
					l.metered[f] = true
				}
			}
		}
	}
	for {
		components := l.calls.components(l.metered)
		l.order = l.order[:0]
		done := true
		for _, c := range components {
			l.order = append(l.order, c...)
			// A metered function has no edges into it, so that it is alone.
			if len(c) == 1 && (l.metered[c[0]] || !l.calls.cyclic(c)) {
				continue
			}
			done = false
			callers := map[int32]int{}
			for _, n := range c {
				callers[n] += 0
			}
			for _, n := range c {
				for _, to := range l.calls.edges(n) {
					if _, ok := callers[to]; ok {
						callers[to]++
					}
				}
			}
			best := slices.MinFunc(c, func(a, b int32) int {
				return cmp.Or(-cmp.Compare(callers[a], callers[b]), cmp.Compare(a, b))
			})
			l.metered[best] = true
		}
		if done {
			return
		}
	}
}

// cost is what a step that calls something counts, beside what that charges for
// itself.
func (l *plan) cost(s *step) cost {
	switch s.op {
	case opCall:
		if int(s.arg) < len(l.p.imports) {
			return cost{hostCost, hostCost}
		}
		f := int(s.arg) - len(l.p.imports)
		if l.metered[f] {
			return cost{1, 1 + maxFold} // its check may be a little way inside
		}
		return l.head[f].add(1)
	case opCallIndirect:
		return l.head[len(l.p.funcs)+int(l.kinds[s.arg])].max(cost{hostCost, hostCost}).add(1)
	case opMemoryGrow:
		return cost{growCost, growCost}
	}
	return cost{bulkCost, bulkCost}
}
