package rewrite

// This file decides where a module is metered, and for how much.
//
// A *meter* is a place where the budget is charged, in advance, for the longest
// way that the guest can go from there to the next meter. The cost of a way is
// the number of its instructions, but for blocks, which are no code. Some meters also *check* whether the budget is used
// up, and call the tick function if so. There is a meter that checks
//
//   - at the head of every loop,
//   - at the entry of functions: of those that are exported, and of so many
//     others that every cycle of calls passes one,
//   - wherever else a way would become longer than maxUnchecked,
//
// so that a guest cannot go round anything without passing one. There are meters that only charge
// wherever else a way would become longer than maxCharge, so that what is charged is not much more
// than what is done: most ways are shorter than the longest. Between two ticks a guest so executes no more
// instructions than its budget and the longest way without a check.
//
// If nothing but plain instructions lies between two meters, they are made one: who comes to the
// first comes to the second, and nobody else does.
//
// Ways are followed backwards, from the end of a function to its beginning,
// which is a single pass because WebAssembly has structured control flow: the
// cost from a place to the next meter is known once all places behind it are,
// and the only branches to places before it go to loop heads, which are meters.
//
// A loop is charged for by itself: its head for the longest way around, or from
// the head to where the loop is left. What comes after the loop is charged for
// by the meter before the loop, for it happens once, however often the loop goes
// round. So each loop, and the function as a whole, is a *scope* in which the loops
// inside count as one instruction with the ways that lead out of them.
//
// A call costs what the called function costs from its entry to its first
// meters (its head), unless it is metered at the entry, and one more. As
// charges are made in advance, a call returns into code that is paid for. This is
// the one thing that the bound leaves out: a guest that has recursed deeply unwinds
// its stack on what it paid before. How deep that can be is bounded by the stack.

const (
	// maxCharge and maxUnchecked are the costs at which a way gets another meter, and
	// maxMerged is what one takes for two.
	maxCharge    = 192
	maxUnchecked = 300_000
	maxMerged    = 2 * maxCharge

	// maxFold is the highest charge of a loop that is left to the loop inside.
	maxFold = 32

	// hostCost is what a call of an imported function counts, bulkCost what a
	// bulk operation on memory does in addition to its length, and growCost what
	// memory.grow does, which asks the host, whether it grows or not.
	hostCost = 32
	bulkCost = 16
	growCost = 128
)

// A cost is the length of the longest way from a place: to the next meter, and
// to the next one that checks.
type cost struct{ charge, unchecked int }

func (c cost) plus(d cost) cost { return cost{c.charge + d.charge, c.unchecked + d.unchecked} }

func (c cost) add(n int) cost { return cost{c.charge + n, c.unchecked + n} }

func (c cost) max(d cost) cost { return cost{max(c.charge, d.charge), max(c.unchecked, d.unchecked)} }

// A site is a meter.
type site struct {
	at     int32 // offset of the instruction before which it goes
	form   form
	charge int32
}

// A form says what a meter does once it has charged.
type form byte

const (
	chargeOnly form = iota
	checkHere       // call the tick function if the budget is used up, and go on
	checkHead       // at the head of a loop: call it, and begin this turn of the loop again
	checkEntry      // at the entry of a function: call it, and then the function
)

// A label is a block, loop or if that the walk is in.
type label struct {
	scope int  // scope of the place behind its end: how many loops are around that
	after cost // from there
	other cost // of an if: from the beginning of the else part, or from behind the end
	loop  bool // branches go to its head
}

// A walk finds the meters of one function.
type walk struct {
	labels  []label
	loops   []cost // for the loops that it is in, the outermost first: the dearest way from where the loop is left
	sites   []site
	ahead   bool // nothing but plain instructions lies before the last of the sites
	longest int  // way without a check
}

// function walks backwards over the steps of a function; call tells what a call
// costs. It leaves the meters in w.sites, the last one first, and returns the
// head of the function.
func (w *walk) function(steps []step, call func(*step) cost) (head cost) {
	w.labels, w.loops, w.sites, w.ahead = w.labels[:0], w.loops[:0], w.sites[:0], false
	var c, targets cost
	for i := len(steps) - 1; i >= 0; i-- {
		s := &steps[i]
		place := true  // a meter can go before it
		plain := false // it is as good as a plain instruction
		switch s.op {
		case opEnd:
			c, place = w.enter(s.arg, c), false
		case opElse:
			l := &w.labels[len(w.labels)-1]
			l.other, c, place = c, l.after, false
		case opBlock:
			w.leave()
			plain = true // and costs nothing: no code becomes of it
		case opIf:
			c = c.max(w.leave().other).add(1)
		case opLoop:
			w.leave()
			w.meterLoop(s, c.add(1))
			last := len(w.loops) - 1
			c, w.loops, plain = w.loops[last].add(1), w.loops[:last], true
		case opBr:
			c = w.branch(s.arg).add(1)
		case opBrIf:
			c = c.max(w.branch(s.arg)).add(1)
		case opTarget:
			targets, place = targets.max(w.branch(s.arg)), false
		case opBrTable:
			c, targets = targets.add(1), cost{}
		case opReturn, opUnreachable:
			c = cost{1, 1}
		case opPlace:
			plain = true
		default:
			c = c.plus(call(s))
		}
		w.ahead = w.ahead && plain
		switch {
		case !place:
		case c.unchecked >= maxUnchecked:
			c = w.meter(s.at, c, checkHere)
		case c.charge >= maxCharge:
			c = w.meter(s.at, c, chargeOnly)
		}
		c = c.add(int(s.plain))
	}
	w.longest = max(w.longest, c.unchecked)
	return c
}

// meter adds a meter for c and returns what is left of c before it.
func (w *walk) meter(at int32, c cost, f form) cost {
	charge := c.charge
	if last := len(w.sites) - 1; w.ahead && w.sites[last].form == chargeOnly && charge+int(w.sites[last].charge) <= maxMerged {
		charge += int(w.sites[last].charge)
		w.sites = w.sites[:last]
	}
	w.sites = append(w.sites, site{at, f, int32(charge)})
	w.ahead = true
	c.charge = 0
	if f != chargeOnly {
		w.longest = max(w.longest, c.unchecked)
		c.unchecked = 0
	}
	return c
}

// enter begins, at its end, what op began; c is the cost from behind the end. It
// returns the cost from before the end.
func (w *walk) enter(op uint32, c cost) cost {
	w.labels = append(w.labels, label{scope: len(w.loops), after: c, other: c, loop: op == opLoop})
	if op == opLoop {
		w.loops = append(w.loops, c)
		return cost{}
	}
	return c
}

func (w *walk) leave() label {
	last := len(w.labels) - 1
	l := w.labels[last]
	w.labels = w.labels[:last]
	return l
}

// branch returns the cost from the target of a branch.
func (w *walk) branch(depth uint32) cost {
	l := &w.labels[len(w.labels)-1-int(depth)]
	switch {
	case l.loop:
		return cost{} // its head is a meter
	case l.scope == len(w.loops):
		return l.after
	}
	// It leaves the loops that lie between, of which the outermost has the
	// target in the scope around it.
	w.loops[l.scope] = w.loops[l.scope].max(l.after)
	return cost{}
}

// meterLoop meters the loop that begins with s; c is the cost from its head.
func (w *walk) meterLoop(s *step, c cost) {
	if w.fold(c) {
		around := &w.loops[len(w.loops)-1]
		around.unchecked = max(around.unchecked, c.unchecked)
		return
	}
	f := checkHead
	if s.arg == loopWithParameters {
		f = checkHere
	}
	w.meter(s.behind, c, f)
}

// meterEntry meters the entry of the function that was walked last; c is its head.
func (w *walk) meterEntry(at int32, c cost) {
	if c = c.add(1); !w.fold(c) {
		w.meter(at, c, checkEntry)
	}
}

// fold leaves a check to the next one, usually that of a loop inside, if nothing but plain instructions
// leads there. That charges for both: it may be passed more often, but costs nothing more to pass.
func (w *walk) fold(c cost) bool {
	last := len(w.sites) - 1
	if !w.ahead || w.sites[last].form == chargeOnly || c.charge > maxFold {
		return false
	}
	w.sites[last].charge += int32(c.charge)
	return true
}
