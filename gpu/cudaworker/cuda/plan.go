package cuda

import (
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

// A plan is a program as it is run: steps in order on buffers that lie in one block of memory. It does not change, and serves many runs at
// the same time.
type plan struct {
	steps   []step
	kernels []string // sources, each once
	buffers []buffer
	bytes   int64 // of the block

	inputs  []int      // buffers of the inputs
	outputs []location // of the outputs
	checks  []int      // nodes that may refuse their data, in order
	errors  int        // buffer where they say so: two words each; -1 if there are none
}

// A location is where the elements of a tensor begin, in row-major order.
type location struct {
	buf    int
	offset int64 // bytes
	bytes  int64
}

// A buffer is memory that a run uses from one step until another one.
type buffer struct {
	bytes       int64
	constant    int // index of the constant that it is; -1 for one in the block
	first, last int // steps
	offset      int64
}

// A step is one thing that the device does: a launch, a product of matrices, or zeroing a buffer.
type step struct {
	node    int
	kernel  int // index of its source; -1 for another step
	items   int64
	threads int // of a block
	block   bool
	words   []uint64
	fixes   []fixup

	gemm    *gemm
	a, b, c fixup // addresses of its matrices

	zero int // buffer to be zeroed, if it is neither a launch nor a product

	micros float64 // that it may take at most, estimated
}

// A planner makes a plan.
type planner struct {
	p       *tensor.Program
	pl      *plan
	views   []view // of the values that are there
	group   []int
	members map[int][]int
	sources map[string]int
	node    int // that is being planned
}

// newPlan plans a program. If fuse is not set each operation has kernels of its own.
func newPlan(p *tensor.Program, fuse bool) *plan {
	pr := &planner{
		p: p, pl: &plan{errors: -1}, views: make([]view, p.NumValues()), sources: map[string]int{},
	}
	pr.group, pr.members = groups(p, fuse)
	for _, v := range p.InputValues() {
		t := p.Type(v)
		pr.views[v] = pr.fresh(t.DType, t.Shape)
		pr.pl.inputs = append(pr.pl.inputs, pr.views[v].buf)
		pr.pl.buffers[pr.views[v].buf].first = -1
	}
	for i, v := range p.ConstantValues() {
		t := p.Type(v)
		pr.views[v] = pr.fresh(t.DType, t.Shape)
		pr.pl.buffers[pr.views[v].buf].constant = i
	}
	nodes := p.Nodes()
	for i := range nodes {
		pr.node = i
		n := &nodes[i]
		switch g := pr.group[i]; {
		case n.Op == tensor.AsArray || n.Op == tensor.Constant:
		case g < 0:
			planners[n.Op](pr, n)
		case g == i:
			pr.fused(n)
		}
	}
	for _, v := range p.OutputValues() {
		out := pr.packed(pr.views[v])
		size := int64(out.dtype.Size())
		pr.pl.outputs = append(pr.pl.outputs, location{out.buf, out.offset * size, out.shape.Size() * size})
	}
	pr.place()
	return pr.pl
}

// planners has a function for each operation that is not elementwise: it makes the views of the results.
var planners map[tensor.Op]func(pr *planner, n *tensor.Node)

func init() {
	planners = map[tensor.Op]func(pr *planner, n *tensor.Node){
		tensor.Zeros: func(pr *planner, n *tensor.Node) { pr.literal(n, 0, 0) },
		tensor.Ones:  func(pr *planner, n *tensor.Node) { pr.literal(n, 1, 1) },
		tensor.Full:  (*planner).full, tensor.Arange: (*planner).arange, tensor.Linspace: (*planner).linspace,
		tensor.Eye: (*planner).eye, tensor.RandomUniform: (*planner).uniform, tensor.RandomNormal: (*planner).normal,

		tensor.Sum: (*planner).reduction, tensor.Mean: (*planner).reduction, tensor.Var: (*planner).reduction,
		tensor.Min: (*planner).reduction, tensor.Max: (*planner).reduction, tensor.ArgMin: (*planner).reduction,
		tensor.ArgMax: (*planner).reduction, tensor.Any: (*planner).reduction, tensor.All: (*planner).reduction,
		tensor.CumulativeSum: (*planner).cumulativeSum, tensor.Softmax: (*planner).normalize, tensor.LayerNorm: (*planner).normalize,

		tensor.Reshape: (*planner).reshape, tensor.ExpandDims: (*planner).reshape, tensor.Squeeze: (*planner).reshape,
		tensor.PermuteDims: (*planner).permute, tensor.BroadcastTo: (*planner).broadcast, tensor.Slice: (*planner).slice,
		tensor.Concat: (*planner).concat, tensor.Take: (*planner).take,

		tensor.MatMul: (*planner).matmul, tensor.TopK: (*planner).order, tensor.Sort: (*planner).order,
	}
}

// Bounds of what is joined in one kernel.
const (
	maxMembers  = 40
	maxOperands = 24
)

// reads tells whether an operation reads each element of its input once, so that what computes the elements can be joined to it.
func reads(op tensor.Op) bool {
	return op.Info().Group == tensor.GroupReduce && op != tensor.Var && op != tensor.CumulativeSum
}

// groups says which elementwise operations are computed in the kernel of which other one, an elementwise one or a reduction: group has that one for
// each elementwise node, itself for the last of a kernel, and -1 for other nodes. members are the elementwise nodes of each kernel.
//
// An operation joins the kernel of those that use its result if there is only one such kernel, of the same shape, and the result is
// no output. A kernel therefore has one result, and all it reads is there before its last node.
func groups(p *tensor.Program, fuse bool) (group []int, members map[int][]int) {
	nodes := p.Nodes()
	group, members = make([]int, len(nodes)), map[int][]int{}
	const none, many = -1, -2
	user := slices.Repeat([]int{none}, p.NumValues()) // the kernel that uses a value
	for _, v := range p.OutputValues() {
		user[v] = many
	}
	space := func(n *tensor.Node) int { // a value that has the shape of what a kernel computes
		if reads(n.Op) {
			return n.In[0]
		}
		return n.Out
	}
	operands := map[int]int{}
	for i := len(nodes) - 1; i >= 0; i-- {
		n := &nodes[i]
		g := -1
		if n.Op.Elementwise() {
			g = i
			if k := user[n.Out]; fuse && k >= 0 && p.Type(n.Out).Shape.Equal(p.Type(space(&nodes[k])).Shape) &&
				len(members[k]) < maxMembers && operands[k]+len(n.In)-1 <= maxOperands {
				g = k
			}
			members[g] = append(members[g], i)
			operands[g] += len(n.In)
			if g != i {
				operands[g]--
			}
		}
		group[i] = g
		if reads(n.Op) && user[n.In[0]] == none {
			user[n.In[0]] = i
			continue
		}
		for _, v := range n.In {
			switch {
			case g < 0:
				user[v] = many
			case user[v] == none:
				user[v] = g
			case user[v] != g:
				user[v] = many
			}
		}
	}
	for _, m := range members {
		slices.Reverse(m)
	}
	return group, members
}

// buffer adds a buffer, which begins to be used when a step is added that names it.
func (pr *planner) buffer(bytes int64) int {
	pr.pl.buffers = append(pr.pl.buffers, buffer{bytes: bytes, constant: -1, first: 1 << 30, last: -1})
	return len(pr.pl.buffers) - 1
}

// fresh returns a view of a new buffer.
func (pr *planner) fresh(d tensor.DType, s tensor.Shape) view {
	return view{dtype: d, shape: s, strides: rowMajor(s), buf: pr.buffer(tensor.Type{DType: d, Shape: s}.Bytes())}
}

// result makes the view of the node's result number r, in a new buffer.
func (pr *planner) result(n *tensor.Node, r int) *view {
	t := pr.p.Type(n.Out + r)
	pr.views[n.Out+r] = pr.fresh(t.DType, t.Shape)
	return &pr.views[n.Out+r]
}

// touch says that the next step uses a buffer.
func (pr *planner) touch(buf int) {
	b := &pr.pl.buffers[buf]
	at := len(pr.pl.steps)
	b.first, b.last = min(b.first, at), max(b.last, at)
}

// launch adds a step that runs a kernel, with so many threads in a block. nanos bounds what an item takes, were it alone on a large device.
func (pr *planner) launch(s *source, threads int, nanos float64) {
	if s.items == 0 {
		return
	}
	text := s.text()
	k, ok := pr.sources[text]
	if !ok {
		k = len(pr.pl.kernels)
		pr.sources[text] = k
		pr.pl.kernels = append(pr.pl.kernels, text)
	}
	for _, f := range s.fixes {
		pr.touch(f.buf)
	}
	pr.pl.steps = append(pr.pl.steps, step{node: pr.node, kernel: k, items: s.items, threads: threads, block: s.block,
		words: s.words, fixes: s.fixes, micros: nanos * float64(s.items) / 1000})
}

// place gives each buffer its place in the block: the largest first, each at the lowest place that is free while it is used.
func (pr *planner) place() {
	pl := pr.pl
	end := len(pl.steps)
	for _, o := range pl.outputs {
		b := &pl.buffers[o.buf]
		b.first, b.last = min(b.first, end), end
	}
	if pl.errors >= 0 {
		pl.buffers[pl.errors].last = end
	}
	var order []int
	for i, b := range pl.buffers {
		if b.constant < 0 && b.first <= b.last {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return int(min(max(pl.buffers[j].bytes-pl.buffers[i].bytes, -1), 1)) })
	var placed []*buffer // by offset
	for _, i := range order {
		b := &pl.buffers[i]
		size := blockAlign(b.bytes)
		for _, o := range placed {
			if o.first > b.last || b.first > o.last || o.offset+blockAlign(o.bytes) <= b.offset {
				continue
			}
			if b.offset+size <= o.offset {
				break
			}
			b.offset = o.offset + blockAlign(o.bytes)
		}
		at, _ := slices.BinarySearchFunc(placed, b, func(x, y *buffer) int { return int(min(max(x.offset-y.offset, -1), 1)) })
		placed = slices.Insert(placed, at, b)
		pl.bytes = max(pl.bytes, b.offset+size)
	}
}

// blockAlign rounds up to what buffers begin at multiples of: enough for any type and for whole lines of the device's cache.
func blockAlign(n int64) int64 { return max((n+255)&^255, 256) }
