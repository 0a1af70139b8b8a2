package cpu

import (
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

// A plan says how a program is run: which elementwise operations are fused into the
// loop of which other one, and when each value has been used for the last time.
type plan struct {
	// group is, for a node that is fused, the node whose loop computes it: itself for
	// the last one of a chain. It is -1 for nodes that are not elementwise.
	group []int

	// members are the nodes of each loop, in order.
	members map[int][]int

	// uses counts how often nodes that are run read each value, and how often it leaves
	// the program.
	uses []int
}

// fusing says how much is fused.
type fusing uint8

const (
	fuseNone   fusing = iota // each elementwise operation has a loop of its own
	fuseNear                 // loops of operations without others between them
	fuseWidely               // whatever can be
)

// newPlan makes the plan that fuses most of those that keep to the memory that the
// program is bounded to: what a loop reads from outside must live until its last
// operation.
func newPlan(p *tensor.Program, fuse bool) *plan {
	if fuse {
		for f := fuseWidely; f > fuseNone; f-- {
			if pl := planWith(p, f); pl.peak(p) <= p.Cost().Peak {
				return pl
			}
		}
	}
	return planWith(p, fuseNone)
}

// planWith makes a plan.
//
// An elementwise operation joins the loop of those that use its result if there is
// only one such loop, of the same shape, and the result is no output. A loop therefore
// has one result, and all it reads from outside is there before its last node.
func planWith(p *tensor.Program, fuse fusing) *plan {
	nodes := p.Nodes()
	pl := &plan{group: make([]int, len(nodes)), members: map[int][]int{}, uses: make([]int, p.NumValues())}
	const none, many = -1, -2
	loop := make([]int, p.NumValues()) // that uses a value
	for v := range loop {
		loop[v] = none
	}
	for _, v := range p.OutputValues() {
		loop[v] = many
	}
	barrier := len(nodes) // the last node so far that is not elementwise
	for i := len(nodes) - 1; i >= 0; i-- {
		n := &nodes[i]
		g := -1
		if !n.Op.Elementwise() && len(n.In) > 0 {
			barrier = i
		}
		if n.Op.Elementwise() {
			g = i
			if l := loop[n.Out]; fuse > fuseNone && l >= 0 && (fuse == fuseWidely || l < barrier) && p.Type(n.Out).Shape.Equal(p.Type(nodes[l].Out).Shape) {
				g = l
			}
		}
		pl.group[i] = g
		for _, v := range n.In {
			switch {
			case g < 0:
				loop[v] = many
			case loop[v] == none:
				loop[v] = g
			case loop[v] != g:
				loop[v] = many
			}
		}
	}
	for i := range nodes {
		g := pl.group[i]
		if g >= 0 {
			pl.members[g] = append(pl.members[g], i)
		}
	}
	for i := range nodes {
		g := pl.group[i]
		for _, v := range nodes[i].In {
			if g < 0 || !pl.inside(p, v, g) {
				pl.uses[v]++
			}
		}
	}
	for _, v := range p.OutputValues() {
		pl.uses[v]++
	}
	return pl
}

// inside tells whether a value is computed by loop g and is not its result.
func (pl *plan) inside(p *tensor.Program, value, g int) bool {
	n := p.Source(value)
	return pl.group[n] == g && n != g
}

// peak returns the memory that the plan needs at one time, counted as
// [tensor.Cost].Peak is.
func (pl *plan) peak(p *tensor.Program) int64 {
	uses := slices.Clone(pl.uses)
	nodes := p.Nodes()
	outside := make([]bool, len(uses))
	live := p.Cost().InputBytes
	for _, v := range slices.Concat(p.InputValues(), p.ConstantValues()) {
		outside[v] = true
	}
	peak := live
	free := func(v int) {
		if uses[v]--; uses[v] <= 0 && !outside[v] {
			live -= p.Type(v).Bytes()
		}
	}
	for i := range nodes {
		n := &nodes[i]
		g := pl.group[i]
		if outside[n.Out] || g >= 0 && g != i {
			continue
		}
		for r := range n.Op.Results() {
			live += p.Type(n.Out + r).Bytes()
		}
		peak = max(peak, live+p.Scratch(i))
		members := []int{i}
		if g == i {
			members = pl.members[i]
		}
		for _, m := range members {
			for _, v := range nodes[m].In {
				if g < 0 || !pl.inside(p, v, g) {
					free(v)
				}
			}
		}
		for r := range n.Op.Results() {
			if uses[n.Out+r] == 0 {
				free(n.Out + r)
			}
		}
	}
	return peak
}
