package cuda

import (
	"math/bits"

	"github.com/sporeengine/spore/gpu/tensor"
)

// lines are the lines along an axis of a tensor that is read and of one that is written: how many there are, and the strides of where
// they begin.
type lines struct {
	count      int64
	shape      tensor.Shape // of those dimensions that are not the axis
	in, out    []int64
	length     int64
	stepIn     int64
	stepOut    int64
	neighbours bool // lines lie side by side, the elements of one do not
}

func linesOf(in, out *view, axis int) lines {
	ins, _ := without(in.strides, []int{axis})
	outs, _ := without(out.strides, []int{axis})
	shape, _ := without(in.shape, []int{axis})
	l := lines{count: tensor.Shape(shape).Size(), length: int64(in.shape[axis]), stepIn: in.strides[axis], stepOut: out.strides[axis]}
	var sets [][]int64
	l.shape, sets = collapse(shape, ins, outs)
	l.in, l.out = sets[0], sets[1]
	l.neighbours = l.stepOut >= 32
	return l
}

// begin writes where line i begins in the tensor that is read (a) and in the one that is written (b).
func (l *lines) begin(s *source, i string) {
	c := s.coords(i, "c", l.shape)
	s.printf("i64 a = %s, b = %s;\n", s.offset(c, l.in), s.offset(c, l.out))
}

// tree reduces a value of each thread of a block: all get the result.
const tree = `#define TREE(sh, v, OP) sh[TID] = v; SYNC; for (u32 h = THREADS / 2; h > 0; h /= 2) { if (TID < h) sh[TID] = OP(sh[TID], sh[TID + h]); SYNC; } v = sh[0]; SYNC
#define ALONE(sh, v, OP)
`

// normalize plans softmax and layer_norm: each line is the work of a block, or of a thread where threads read side by side then.
func (pr *planner) normalize(n *tensor.Node) {
	in := pr.views[n.In[0]]
	out := pr.result(n, 0)
	if out.shape.Size() == 0 {
		return
	}
	l := linesOf(&in, out, n.Int("axis"))
	t := ctype(n.DType)
	s := newSource(l.count)
	s.block = l.length > 16 && !(l.neighbours && l.count >= 2048)
	size, together := threads, "ALONE"
	first, stride := "0", "1"
	s.types.WriteString(tree)
	if s.block {
		size, together = min(threads, max(32, 1<<bits.Len64(uint64(l.length/4)))), "TREE"
		first, stride = "TID", "THREADS"
		s.shared.WriteString("SHARED f64 sh64[256];\nSHARED " + t + " shx[256];\n")
		s.printf("EACH_BLOCK(i) {\n")
	} else {
		s.printf("EACH_THREAD(i) {\n")
	}
	l.begin(s, "i")
	length, step := s.num(l.length), s.num(l.stepIn)
	x := s.value(&in, "a + j * "+step)
	each := "for (i64 j = " + first + "; j < " + length + "; j += " + stride + ") "
	store := func(e string) {
		s.printf("%s{ %s x = %s; st_%s(%s, b + j * %s, %s); }\n", each, t, x, suffix(n.DType), s.at(out), s.num(l.stepOut), e)
	}
	if n.Op == tensor.Softmax {
		least := "bits_f32(0xff800000u)"
		if t == "f64" {
			least = "bits_f64(0xfff0000000000000ull)"
		}
		s.printf("%s m = %s;\n%sm = maximum_%s(m, %s);\n%s(shx, m, maximum_%s);\n", t, least, each, t, x, together, t)
		s.printf("f64 sum = 0;\n%ssum += (f64)exp_%s(%s - m);\n%s(sh64, sum, add_f64);\n", each, t, x, together)
		store(fromF64(n.DType, "(f64)exp_"+t+"(x - m) / sum"))
	} else {
		s.printf("f64 mean = 0, var = 0;\n%smean += (f64)%s;\n%s(sh64, mean, add_f64);\nmean /= (f64)%s;\n", each, x, together, length)
		s.printf("%s{ f64 d = (f64)%s - mean; var += d * d; }\n%s(sh64, var, add_f64);\n", each, x, together)
		s.printf("f64 scale = sqrt(var / (f64)%s + %s);\n", length, s.float(n.Float("eps")))
		store(fromF64(n.DType, "((f64)x - mean) / scale"))
	}
	s.printf("}\n")
	pr.launch(s, size, float64(l.length)*0.1+1)
}

// cumulativeSum plans sums along an axis: of segments of the lines first, whose sums are added up, and then of the elements of each
// segment, from what comes before it on.
func (pr *planner) cumulativeSum(n *tensor.Node) {
	in := pr.views[n.In[0]]
	out := pr.result(n, 0)
	if out.shape.Size() == 0 {
		return
	}
	l := linesOf(&in, out, n.Int("axis"))
	t, from := "f64", tensor.Float64
	if !in.dtype.IsFloat() {
		t, from = "i64", tensor.Int64
	}
	segments := int64(1)
	if l.count < 1<<16 {
		segments = max(1, min((l.length+63)/64, (1<<17)/l.count))
	}
	each := (l.length + segments - 1) / segments
	segments = (l.length + each - 1) / each
	add := func(s *source, sum, x string) { s.printf("%s = add_%s(%s, (%s)%s);\n", sum, t, sum, t, x) }
	// part writes the loop over the elements of item i, a segment of a line, without its end.
	part := func(s *source) {
		w := s.length(int(l.count))
		s.printf("EACH_THREAD(i) {\nINDEX o = i %% %s;\ni64 seg = i / %s;\n", w, w)
		l.begin(s, "o")
		e, length := s.num(each), s.num(l.length)
		s.printf("i64 j0 = seg * %s, j1 = j0 + %s;\nif (j1 > %s) j1 = %s;\n", e, e, length, length)
	}
	partial := -1
	if segments > 1 {
		partial = pr.buffer(l.count * segments * 8)
		s := newSource(l.count * segments)
		part(s)
		s.printf("%s sum = 0;\nfor (i64 j = j0; j < j1; j++) ", t)
		add(s, "sum", s.value(&in, "a + j * "+s.num(l.stepIn)))
		s.printf("((%s *)%s)[i] = sum;\n}\n", t, s.pointer(partial, 0))
		pr.launch(s, threads, float64(each)*0.02)

		s = newSource(l.count)
		s.printf("EACH_THREAD(i) {\n%s sum = 0;\n%s *x = (%s *)%s;\nfor (i64 seg = 0; seg < %s; seg++) {\n", t, t, t, s.pointer(partial, 0), s.num(segments))
		s.printf("i64 at = seg * %s + i;\n%s v = x[at];\nx[at] = sum;\n", s.num(l.count), t)
		add(s, "sum", "v")
		s.printf("}\n}\n")
		pr.launch(s, threads, float64(segments)*0.05)
	}
	s := newSource(l.count * segments)
	part(s)
	if segments > 1 {
		s.printf("%s sum = ((%s *)%s)[i];\n", t, t, s.pointer(partial, 0))
	} else {
		s.printf("%s sum = 0;\n", t)
	}
	s.printf("for (i64 j = j0; j < j1; j++) {\n")
	add(s, "sum", s.value(&in, "a + j * "+s.num(l.stepIn)))
	s.printf("st_%s(%s, b + j * %s, %s);\n}\n}\n", suffix(n.DType), s.at(out), s.num(l.stepOut), cast(from, n.DType, "sum"))
	pr.launch(s, threads, float64(each)*0.03)
}

// Sorting. Values become keys whose order as numbers is theirs, and a key and its index together decide, so that equal values stay in
// order. Lines are sorted by the bitonic network (Batcher, Sorting networks and their applications, 1968).

const (
	// sortTile is how many keys a block sorts in shared memory.
	sortTile = 1024
	// selectMost is how many elements are selected by threads that keep the best of their share; more are sorted.
	selectMost = 32
	pairBytes  = 12 // a key and an index
)

// pairs are keys and indices of lines in memory: first all keys, then all indices.
type pairs struct {
	buf           int
	count, length int64 // lines, pairs of each
}

func (pr *planner) pairs(count, length int64) pairs {
	return pairs{pr.buffer(count * length * pairBytes), count, length}
}

// keys and indices write the addresses of what pairs hold.
func (q *pairs) keys(s *source) string { return "((u64 *)" + s.pointer(q.buf, 0) + ")" }
func (q *pairs) indices(s *source) string {
	return "((u32 *)" + s.pointer(q.buf, q.count*q.length*8) + ")"
}

// order plans sort and topk.
func (pr *planner) order(n *tensor.Node) {
	in := pr.views[n.In[0]]
	values, indices := pr.result(n, 0), pr.result(n, 1)
	if values.shape.Size() == 0 {
		return
	}
	axis := n.Int("axis")
	l := linesOf(&in, values, axis)
	down, k := false, l.length
	if n.Op == tensor.TopK {
		down, k = n.Bool("largest"), int64(n.Int("k"))
	} else {
		down = n.Bool("descending")
	}
	key := "key_" + ctype(in.dtype) + "("
	if down {
		key = "~" + key
	}
	// read writes statements that define pair j of line o: key x, index y.
	read := func(s *source) {
		s.printf("u64 x = %s%s);\nu32 y = (u32)j;\n", key, s.value(&in, "a + j * "+s.num(l.stepIn)))
	}
	begin := func(s *source) { l.begin(s, "o") }
	length := l.length
	for k <= selectMost && length >= max(2048, 64*k) {
		shares := length / max(64, 8*k)
		next := pr.pairs(l.count, shares*k)
		pr.selects(next, length, shares, k, begin, read)
		read, begin = next.read, func(*source) {}
		length = next.length
	}
	p := int64(1) << bits.Len64(uint64(length-1))
	sorted := pr.pairs(l.count, p)
	s := newSource(l.count * p)
	w := s.length(int(p))
	s.printf("EACH_THREAD(i) {\nINDEX o = i / %s;\ni64 j = i %% %s;\n", w, w)
	s.printf("if (j < %s) {\n", s.num(length))
	begin(s)
	read(s)
	s.printf("%s[i] = x;\n%s[i] = y;\n} else {\n%s[i] = ~0ull;\n%s[i] = 0xffffffffu;\n}\n}\n", sorted.keys(s), sorted.indices(s), sorted.keys(s), sorted.indices(s))
	pr.launch(s, threads, 0.1)
	pr.bitonic(sorted)

	s = newSource(l.count * k)
	w = s.length(int(k))
	s.printf("EACH_THREAD(i) {\nINDEX o = i / %s;\ni64 j = i %% %s;\n", w, w)
	l.begin(s, "o")
	s.printf("i64 y = %s[(i64)o * %s + j], to = b + j * %s;\n", sorted.indices(s), s.num(p), s.num(l.stepOut))
	s.printf("st_%s(%s, to, %s);\n", suffix(in.dtype), s.at(values), s.value(&in, "a + y * "+s.num(l.stepIn)))
	s.printf("st_i64(%s, to, y);\n}\n", s.at(indices))
	pr.launch(s, threads, 0.1)
}

// read writes statements that define pair j of line o.
func (q *pairs) read(s *source) {
	s.printf("u64 x = %s[(i64)o * %s + j];\nu32 y = %s[(i64)o * %s + j];\n", q.keys(s), s.num(q.length), q.indices(s), s.num(q.length))
}

// before compares pairs.
const before = "#define BEFORE(x, y, u, v) (x < u || (x == u && y < v))\n"

// selects plans a kernel of which each thread keeps the k first pairs of its share of a line.
func (pr *planner) selects(dst pairs, length, shares, k int64, begin, read func(s *source)) {
	s := newSource(dst.count * shares)
	s.types.WriteString(before)
	w := s.length(int(shares))
	s.printf("EACH_THREAD(i) {\nINDEX o = i / %s;\ni64 share = i %% %s;\n", w, w)
	begin(s)
	// The list is in order; its size is part of the text, so that it may be kept in registers.
	s.printf("u64 kx[%d];\nu32 ky[%d];\nfor (int r = 0; r < %d; r++) { kx[r] = ~0ull; ky[r] = 0xffffffffu; }\n", k, k, k)
	s.printf("for (i64 j = share; j < %s; j += %s) {\n", s.num(length), w)
	read(s)
	s.printf("if (BEFORE(x, y, kx[%d], ky[%d])) {\n", k-1, k-1)
	s.printf("for (int r = 0; r < %d; r++) if (BEFORE(x, y, kx[r], ky[r])) { u64 u = kx[r]; u32 v = ky[r]; kx[r] = x; ky[r] = y; x = u; y = v; }\n}\n}\n", k)
	keys, indices, n := dst.keys(s), dst.indices(s), s.num(dst.length)
	s.printf("for (int r = 0; r < %d; r++) { i64 at = (i64)o * %s + r * (i64)%s + share; %s[at] = kx[r]; %s[at] = ky[r]; }\n}\n", k, n, w, keys, indices)
	pr.launch(s, threads, float64(length/shares)*0.05)
}

// bitonic plans the kernels that sort lines of pairs, whose length is a power of two.
func (pr *planner) bitonic(q pairs) {
	total := q.count * q.length
	inTile := func(from, to int64) {
		s := newSource((total + sortTile - 1) / sortTile)
		s.block = true
		s.types.WriteString(before)
		s.shared.WriteString("SHARED u64 sx[1024];\nSHARED u32 sy[1024];\n")
		keys, indices := q.keys(s), q.indices(s)
		n, line := s.num(total), s.num(q.length)
		s.printf("EACH_BLOCK(i) {\ni64 base = (i64)i * 1024;\n")
		s.printf("for (u32 e = TID; e < 1024; e += THREADS) if (base + e < %s) { sx[e] = %s[base + e]; sy[e] = %s[base + e]; }\nSYNC;\n", n, keys, indices)
		s.printf("for (i64 size = %s; size <= %s; size *= 2) {\nfor (u32 dist = size > 1024 ? 512 : (u32)(size / 2); dist > 0; dist /= 2) {\n", s.num(from), s.num(to))
		s.printf("for (u32 t = TID; t < 512; t += THREADS) {\nu32 e = 2 * t - (t & (dist - 1)), f = e + dist;\nif (base + f < %s) {\n", n)
		s.printf("int up = (((base + e) & (%s - 1)) & size) == 0;\n", line)
		s.printf("if (BEFORE(sx[f], sy[f], sx[e], sy[e]) == up) { u64 x = sx[e]; u32 y = sy[e]; sx[e] = sx[f]; sy[e] = sy[f]; sx[f] = x; sy[f] = y; }\n}\n}\nSYNC;\n}\n}\n")
		s.printf("for (u32 e = TID; e < 1024; e += THREADS) if (base + e < %s) { %s[base + e] = sx[e]; %s[base + e] = sy[e]; }\nSYNC;\n}\n", n, keys, indices)
		pr.launch(s, threads, 20)
	}
	inTile(2, min(q.length, sortTile))
	for size := int64(2 * sortTile); size <= q.length; size *= 2 {
		for dist := size / 2; dist >= sortTile; dist /= 2 {
			s := newSource(total / 2)
			s.types.WriteString(before)
			keys, indices := q.keys(s), q.indices(s)
			d := s.num(dist)
			s.printf("EACH_THREAD(i) {\ni64 t = i, e = 2 * t - (t & (%s - 1)), f = e + %s;\n", d, d)
			s.printf("int up = ((e & (%s - 1)) & %s) == 0;\n", s.num(q.length), s.num(size))
			s.printf("u64 x = %s[e], u = %s[f];\nu32 y = %s[e], v = %s[f];\n", keys, keys, indices, indices)
			s.printf("if (BEFORE(u, v, x, y) == up) { %s[e] = u; %s[f] = x; %s[e] = v; %s[f] = y; }\n}\n", keys, keys, indices, indices)
			pr.launch(s, threads, 0.1)
		}
		inTile(size, size)
	}
}
