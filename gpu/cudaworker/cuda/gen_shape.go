package cuda

import (
	"fmt"
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

// Operations that move elements. Those that only look at them in another order make views of the same memory.

func (pr *planner) reshape(n *tensor.Node) {
	v := pr.views[n.In[0]]
	shape := pr.p.Type(n.Out).Shape
	if v.buf == literal {
		v.shape, v.strides = shape, make([]int64, len(shape))
	} else {
		v = pr.packed(v)
		v.shape, v.strides = shape, rowMajor(shape)
	}
	pr.views[n.Out] = v
}

func (pr *planner) permute(n *tensor.Node) {
	v := pr.views[n.In[0]]
	out := v
	out.shape, out.strides = pr.p.Type(n.Out).Shape, nil
	for _, a := range n.Ints("axes") {
		out.strides = append(out.strides, v.strides[a])
	}
	pr.views[n.Out] = out
}

func (pr *planner) broadcast(n *tensor.Node) {
	v := pr.views[n.In[0]]
	shape := pr.p.Type(n.Out).Shape
	v.strides = v.stretched(shape)
	v.shape = shape
	pr.views[n.Out] = v
}

func (pr *planner) slice(n *tensor.Node) {
	v := pr.views[n.In[0]]
	out := v
	out.shape, out.strides = pr.p.Type(n.Out).Shape, slices.Clone(v.strides)
	if out.shape.Size() > 0 { // else an offset may be anything
		for d := range out.shape {
			out.offset += int64(n.Ints("start")[d]) * v.strides[d]
			out.strides[d] *= int64(n.Ints("step")[d])
		}
	}
	if v.buf == literal {
		out.offset = 0
	}
	pr.views[n.Out] = out
}

func (pr *planner) concat(n *tensor.Node) {
	dst := pr.result(n, 0)
	axis := n.Int("axis")
	part := *dst
	for _, in := range n.In {
		v := pr.views[in]
		part.shape = v.shape
		pr.copyTo(part, v)
		part.offset += int64(v.shape[axis]) * part.strides[axis]
	}
}

// take plans a kernel that copies elements. Each thread checks the index that it uses, so it does not matter where indices come from
// nor whether somebody changes them. One out of range is reported, and element 0 copied in its place.
func (pr *planner) take(n *tensor.Node) {
	src, indices := pr.packed(pr.views[n.In[0]]), pr.packed(pr.views[n.In[1]])
	dst := pr.result(n, 0)
	axis := n.Int("axis")
	inner := src.shape[axis+1:].Size()
	if dst.shape.Size() == 0 && indices.shape.Size() == 0 {
		return
	}
	// Of an empty result the indices are checked all the same, by a kernel that copies nothing.
	size := dst.shape.Size()
	s := newSource(max(size, indices.shape.Size()))
	report := pr.check()
	s.printf("EACH_THREAD(i) {\n")
	ni := s.length(int(indices.shape.Size()))
	k, rest := "i", ""
	if size > 0 {
		in := s.length(int(inner))
		s.printf("INDEX c = i %% %s, t = i / %s;\n", in, in)
		k, rest = "t", "c"
	}
	s.printf("INDEX k = %s %% %s;\n", k, ni)
	s.printf("i64 j = ld_%s(%s, k);\n", suffix(indices.dtype), s.at(&indices))
	length := s.num(int64(src.shape[axis]))
	where := s.pointer(pr.pl.errors, report)
	s.printf("if (j < -%s || j >= %s) { ((volatile i64 *)%s)[1] = j; ((volatile i64 *)%s)[0] = 1; j = 0; }\n", length, length, where, where)
	s.printf("if (j < 0) j += %s;\n", length)
	if size > 0 {
		word := []string{1: "u8", 2: "u16", 4: "u32", 8: "u64"}[src.dtype.Size()]
		s.printf("((%s *)%s)[i] = ((const %s *)%s)[((i64)(t / %s) * %s + j) * %s + %s];\n", word, s.at(dst), word, s.at(&src), ni, length, s.num(inner), rest)
	}
	s.printf("}\n")
	pr.launch(s, threads, 0.1)
}

// check gives the node a place where its kernels report that they refuse their data: the offset in the buffer of errors.
func (pr *planner) check() int64 {
	pl := pr.pl
	if pl.errors < 0 {
		pl.errors = pr.buffer(0)
		pr.touch(pl.errors)
		pl.steps = append(pl.steps, step{node: pr.node, kernel: -1, zero: pl.errors})
	}
	if len(pl.checks) == 0 || pl.checks[len(pl.checks)-1] != pr.node {
		pl.checks = append(pl.checks, pr.node)
		pl.buffers[pl.errors].bytes += errorBytes
	}
	return int64(len(pl.checks)-1) * errorBytes
}

// errorBytes is the room of a report: whether an index was out of range, and one that was.
const errorBytes = 16

// indexError is what the host makes of a report.
func indexError(p *tensor.Program, node int, index int64) error {
	n := &p.Nodes()[node]
	e := &tensor.NodeError{Node: node, Op: n.Op}
	for _, v := range n.In {
		e.In = append(e.In, p.Type(v))
	}
	axis := n.Int("axis")
	e.Err = fmt.Errorf("index %d is out of range of axis %d, whose length is %d", index, axis, e.In[0].Shape[axis])
	return e
}
