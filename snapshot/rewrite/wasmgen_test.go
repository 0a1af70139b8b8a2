package rewrite_test

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"slices"
)

// A source turns the bytes of a fuzzer into choices. When they are used up, it
// goes on with pseudo-random numbers seeded by them: every input, however short,
// makes a whole module, and every byte of a long one decides something.
type source struct {
	b    []byte
	seed uint64
}

func newSource(b []byte) *source {
	h := fnv.New64a()
	h.Write(b)
	return &source{b, h.Sum64()}
}

func (s *source) byte() byte {
	if len(s.b) > 0 {
		c := s.b[0]
		s.b = s.b[1:]
		return c
	}
	s.seed += 0x9e3779b97f4a7c15 // splitmix64
	z := s.seed
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return byte(z >> 56)
}

// n returns a number below n, at most 256.
func (s *source) n(n int) int { return int(s.byte()) % n }

// one is true once in n times.
func (s *source) one(n int) bool { return s.n(n) == 0 }

func (s *source) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = s.byte()
	}
	return b
}

func pick[T any](s *source, from []T) T { return from[s.n(len(from))] }

// A generated module.
type generated struct {
	wasm    []byte
	exports []sig // of the functions f0, f1, …
}

// A sig is the type of a function or block.
type sig struct{ params, results []byte }

// genCount is the export under which a counting module has its counter.
const genCount = "count"

// genPages is the most pages that the memory of a generated module may have.
const genPages = 6

// randomModule generates a valid WebAssembly 2.0 module that [rewrite.Rewrite]
// accepts and that always ends. It imports spore.tick, of type () → i32, which it
// does not call, and env.f, of type (i64, f64) → i32. Its functions f0, f1, …
// take and return numbers; all that they can change is the memory, exported as
// "memory", and globals. No result depends on the bits of a NaN, which the
// specification leaves open.
//
// It ends because a loop counts down a local of its own, which no other code
// writes, on each way back to its head, and because each function that calls
// others takes one from a global that no other code writes and returns when that
// is used up. No function that the exports can reach needs more than about 100
// frames of stack.
//
// With count the same module counts, in the exported i64 global genCount, the
// instructions that it executes, ends of blocks aside.
func randomModule(s *source, count bool) generated {
	g := &gen{s: s, b: new(builder), count: count}
	return g.module()
}

// The reserved globals come first.
const (
	gasGlobal   = 0
	countGlobal = 1
)

type gen struct {
	s     *source
	b     *builder
	count bool
	types []sig
	funcs []sig // with imports
	first int   // function with a body
	host  int   // index of env.f

	globals []genGlobal
	left    int // instructions that may still be generated
}

type genGlobal struct {
	typ     byte
	mutable bool
}

func (g *gen) typ(params, results []byte) int {
	for i, t := range g.types {
		if slices.Equal(t.params, params) && slices.Equal(t.results, results) {
			return i
		}
	}
	g.types = append(g.types, sig{params, results})
	return g.b.typ(params, results)
}

var numbers = []byte{i32, i64, f32, f64}

func (g *gen) someTypes(most int, from []byte) []byte {
	var out []byte
	for range g.s.n(most + 1) {
		out = append(out, pick(g.s, from))
	}
	return out
}

func (g *gen) module() generated {
	s, b := g.s, g.b
	g.left = 20 + 2*s.n(256)
	tick, host := g.typ(nil, []byte{i32}), g.typ([]byte{i64, f64}, []byte{i32})
	imports := []func(){
		func() { b.importFunc("spore", "tick", tick); g.funcs = append(g.funcs, sig{nil, []byte{i32}}) },
		func() {
			g.host = len(g.funcs)
			b.importFunc("env", "f", host)
			g.funcs = append(g.funcs, sig{[]byte{i64, f64}, []byte{i32}})
		},
	}
	k := s.n(2)
	imports[k]()
	imports[1-k]()
	g.first = len(g.funcs)

	b.memory(1, byte(1+s.n(3)), genPages)
	b.export("memory", 2, 0)
	for range s.n(4) {
		b.data(int32(s.byte())<<s.n(9), string(s.bytes(s.n(40))))
	}
	b.global(i32, 1, constI32(int32(20+s.n(80))))
	b.global(i64, 1, ops(i64Const, 0))
	b.export(genCount, 3, countGlobal)
	g.globals = []genGlobal{{}, {}}
	for range 1 + s.n(6) {
		v := genGlobal{pick(s, []byte{i32, i64, f32, f64, v128}), !s.one(3)}
		mutable := byte(0)
		if v.mutable = v.mutable && v.typ != v128; v.mutable {
			mutable = 1
		}
		b.global(v.typ, mutable, g.constant(v.typ))
		b.export("g"+string(rune('0'+len(g.globals))), 3, len(g.globals))
		g.globals = append(g.globals, v)
	}

	n := 1 + s.n(6)
	out := generated{}
	for range n {
		t := sig{g.someTypes(3, numbers), g.someTypes(2, numbers)}
		g.funcs = append(g.funcs, t)
		out.exports = append(out.exports, t)
	}
	// The table has each function once or not at all, and one hole.
	b.table(funcref, 0, 8)
	var table []int
	for range 1 + s.n(7) {
		table = append(table, s.n(n)+g.first)
	}
	b.elements(int32(8-len(table))/2, table...)
	if s.one(4) {
		b.table(externref, 1, 1, 2)
	}
	// For ref.func.
	b.add(9, ops(3, 0, vec(leb(g.first))))
	for i, t := range out.exports {
		g.function(i, t, (g.left+n-1-i)/(n-i))
	}
	out.wasm = b.bytes()
	return out
}

// constant returns a constant instruction.
func (g *gen) constant(t byte) []byte {
	s := g.s
	switch t {
	case i32:
		v := int32(int8(s.byte()))
		if s.one(3) {
			v = pick(s, []int32{math.MinInt32, math.MaxInt32, -1, 0, 65535, 65536, 1 << 20, 0x55555555})
		}
		return constI32(v)
	case i64:
		v := int64(int8(s.byte()))
		if s.one(3) {
			v = pick(s, []int64{math.MinInt64, math.MaxInt64, 1 << 31, 1<<32 - 1, 1<<53 + 1, 0x5555555555555555})
		}
		return ops(i64Const, sleb64(v))
	case f32:
		return binary.LittleEndian.AppendUint32([]byte{f32Const}, math.Float32bits(float32(g.float())))
	case f64:
		return constF64(g.float())
	}
	return ops(0xfd, 12, s.bytes(16))
}

func (g *gen) float() float64 {
	s := g.s
	if s.one(2) {
		return float64(int8(s.byte())) / 4
	}
	return pick(s, []float64{math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.NaN(), 1e-310, 1e-40, 1e300,
		math.MaxInt32, math.MinInt32, 1 << 31, 1 << 32, 1 << 63, -1 << 63, 1 << 64, 0.1, 3e38})
}

func sleb64(v int64) (b []byte) {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// function generates function i within about so many instructions.
func (g *gen) function(i int, t sig, left int) {
	f := &genFunc{gen: g, params: len(t.params), results: t.results}
	rest := g.left - left
	g.left = left
	f.vars = slices.Clone(t.params)
	for _, t := range []byte{i32, i32, i64, f32, f64, v128} {
		f.vars = append(f.vars, t)
		f.locals = append(f.locals, t)
	}
	f.labels = []genLabel{{types: t.results, counter: -1}}
	for g.left > 3+len(t.results) {
		f.statement()
	}
	for _, t := range t.results {
		g.left += 4
		f.expr(t, 0)
		f.canonical(t)
	}
	code := f.code
	if f.calls {
		f.code = nil
		f.op(globalGet, gasGlobal)
		f.op(i32Eqz)
		f.op(if_, void)
		for _, t := range t.results {
			f.constant(t)
		}
		f.op(0x0f) // return
		f.end()
		f.op(globalGet, gasGlobal)
		f.op(i32Const, 1)
		f.op(i32Sub)
		f.op(globalSet, gasGlobal)
		code = append(f.code, code...)
	}
	g.left = rest + max(g.left, 0)
	g.b.fn("f"+string(rune('0'+i)), g.typ(t.params, t.results), f.locals, code)
}
