package rewrite_test

// A genLabel is what a branch can go to.
type genLabel struct {
	types   []byte
	counter int // the local of a loop, or -1
}

// A genFunc is a function that is being generated.
type genFunc struct {
	*gen
	code    []byte
	params  int
	locals  []byte // declared
	vars    []byte // types of parameters and of those locals that code may use
	results []byte
	labels  []genLabel // the innermost last
	temps   [3]int     // locals for canonical, of types f32, f64 and v128, plus one
	calls   bool
}

// op appends an instruction.
func (f *genFunc) op(parts ...any) {
	f.left--
	if f.count {
		f.code = append(f.code, globalGet, countGlobal, i64Const, 1, i64Add, globalSet, countGlobal)
	}
	f.code = append(f.code, ops(parts...)...)
}

// begin, end and alternative append what is not executed.
func (f *genFunc) begin(t []byte)  { f.left--; f.code = append(append(f.code, block), t...) }
func (f *genFunc) end()            { f.code = append(f.code, end) }
func (f *genFunc) alternative()    { f.code = append(f.code, else_) }
func (f *genFunc) constant(t byte) { f.op(f.gen.constant(t)) }
func (f *genFunc) local(t byte) []byte { // a new one
	f.locals = append(f.locals, t)
	return leb(f.params + len(f.locals) - 1)
}

// variable returns a parameter or local of type t, nil if there is none.
func (f *genFunc) variable(t byte) []byte {
	from := f.s.n(len(f.vars))
	for i := range f.vars {
		if k := (from + i) % len(f.vars); f.vars[k] == t {
			return leb(k)
		}
	}
	return nil
}

// global returns a global of type t, nil if there is none.
func (f *genFunc) global(t byte, mutable bool) []byte {
	from := f.s.n(len(f.globals))
	for i := range f.globals {
		k := (from + i) % len(f.globals)
		if v := f.globals[k]; v.typ == t && (v.mutable || !mutable) {
			return leb(k)
		}
	}
	return nil
}

func (f *genFunc) temp(t byte) []byte {
	k := map[byte]int{f32: 0, f64: 1, v128: 2}[t]
	if f.temps[k] == 0 {
		f.local(t)
		f.temps[k] = f.params + len(f.locals)
	}
	return leb(f.temps[k] - 1)
}

// canonical replaces a NaN on top of the stack by a certain one: code that looks
// at the bits must not see what the specification leaves open.
func (f *genFunc) canonical(t byte) {
	switch t {
	case f32, f64:
		v := f.temp(t)
		f.op(localTee, v)
		if t == f32 {
			f.op(f32Const, 0, 0, 0xc0, 0x7f)
		} else {
			f.op(f64Const, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
		}
		f.op(localGet, v)
		f.op(localGet, v)
		f.op(map[byte]int{f32: 0x5b, f64: 0x61}[t]) // eq
		f.op(0x1b)                                  // select
	}
}

// canonicalLanes does it for vectors of floats.
func (f *genFunc) canonicalLanes(t byte) {
	v := f.temp(v128)
	f.op(localTee, v)
	if t == f32 {
		f.op(0xfd, 12, 0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f)
	} else {
		f.op(0xfd, 12, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
	}
	f.op(localGet, v)
	f.op(localGet, v)
	f.op(0xfd, map[byte]int{f32: 65, f64: 71}[t])
	f.op(0xfd, 82) // bitselect
}

// expr generates an expression of type t.
func (f *genFunc) expr(t byte, depth int) {
	if f.left <= 0 || depth > 7 {
		f.leaf(t)
		return
	}
	switch f.s.n(16) {
	case 0, 1:
		f.leaf(t)
	case 2:
		f.load(t, depth)
	case 3:
		f.block(nil, []byte{t}, depth)
	case 4:
		f.block(f.someTypes(2, numbers), []byte{t}, depth)
	case 5:
		f.expr(t, depth+1)
		f.expr(t, depth+1)
		f.expr(i32, depth+1)
		if f.s.one(2) {
			f.op(0x1c, 1, t)
		} else {
			f.op(0x1b)
		}
	case 6:
		f.expr(t, depth+1)
		f.op(localTee, f.variable2(t))
	case 7:
		f.call(t, depth)
	case 8:
		f.size(t, depth)
	default:
		f.numeric(t, depth)
	}
}

// variable2 returns a variable of type t; all types but funcref have one.
func (f *genFunc) variable2(t byte) []byte { return f.variable(t) }

func (f *genFunc) leaf(t byte) {
	switch f.s.n(5) {
	case 0, 1:
		f.op(localGet, f.variable(t))
	case 2:
		if v := f.global(t, false); v != nil {
			f.op(globalGet, v)
			return
		}
		fallthrough
	default:
		f.constant(t)
	}
}

// size generates what asks for sizes and references.
func (f *genFunc) size(t byte, depth int) {
	if t != i32 {
		f.leaf(t)
		return
	}
	switch f.s.n(6) {
	case 0:
		f.op(memorySize, 0)
	case 1:
		f.expr(i32, depth+1)
		f.op(i32Const, 1)
		f.op(i32And)
		f.op(memoryGrow, 0)
	case 2:
		f.op(0xfc, 16, 0) // table.size
	case 3:
		f.expr(i32, depth+1)
		f.op(i32Const, 7)
		f.op(i32And)
		f.op(0x25, 0) // table.get
		f.op(0xd1)    // ref.is_null
	case 4:
		if f.s.one(2) {
			f.op(0xd2, leb(f.first))
		} else {
			f.op(0xd0, funcref)
		}
		f.op(0xd1)
	default:
		f.expr(i64, depth+1)
		f.expr(f64, depth+1)
		f.canonical(f64)
		f.op(call, leb(f.host))
	}
}

// address generates an address and returns the offset that goes with it. Few
// accesses are out of bounds.
func (f *genFunc) address(depth int) []byte {
	f.expr(i32, depth+1)
	if !f.s.one(24) {
		f.op(constI32(pick(f.s, []int32{0xff, 0xfff, 0xfff8})))
		f.op(i32And)
	}
	return leb(pick(f.s, []uint32{0, 0, 1, 4, 200, 7}))
}

// Loads and stores: the opcode, the most that the alignment can be, the type.
type access struct {
	op    byte
	align int
	typ   byte
}

var (
	loads = []access{
		{0x28, 2, i32}, {0x2c, 0, i32}, {0x2d, 0, i32}, {0x2e, 1, i32}, {0x2f, 1, i32},
		{0x29, 3, i64}, {0x30, 0, i64}, {0x31, 0, i64}, {0x32, 1, i64}, {0x33, 1, i64}, {0x34, 2, i64}, {0x35, 2, i64},
		{0x2a, 2, f32}, {0x2b, 3, f64},
	}
	stores = []access{
		{0x36, 2, i32}, {0x3a, 0, i32}, {0x3b, 1, i32},
		{0x37, 3, i64}, {0x3c, 0, i64}, {0x3d, 1, i64}, {0x3e, 2, i64},
		{0x38, 2, f32}, {0x39, 3, f64},
	}
	vectorLoads  = []access{{0, 4, v128}, {1, 3, v128}, {2, 3, v128}, {3, 3, v128}, {4, 3, v128}, {5, 3, v128}, {6, 3, v128}, {7, 0, v128}, {8, 1, v128}, {9, 2, v128}, {10, 3, v128}, {92, 2, v128}, {93, 3, v128}}
	vectorStores = []access{{88, 0, v128}, {89, 1, v128}, {90, 2, v128}, {91, 3, v128}}
)

func (f *genFunc) load(t byte, depth int) {
	if t == v128 {
		if f.s.one(3) {
			offset := f.address(depth)
			f.expr(v128, depth+1)
			k := f.s.n(4)
			f.op(0xfd, 84+k, f.s.n(k+1), offset, f.s.n(16>>k))
			return
		}
		a := pick(f.s, vectorLoads)
		offset := f.address(depth)
		f.op(0xfd, a.op, f.s.n(a.align+1), offset)
		return
	}
	a := pick(f.s, loads)
	for a.typ != t {
		a = pick(f.s, loads)
	}
	offset := f.address(depth)
	f.op(a.op, f.s.n(a.align+1), offset)
}

func (f *genFunc) store() {
	offset := f.address(1)
	switch {
	case f.s.one(8):
		f.expr(v128, 1)
		f.op(0xfd, 11, f.s.n(5), offset)
	case f.s.one(10):
		f.expr(v128, 1)
		a := pick(f.s, vectorStores)
		f.op(0xfd, a.op, f.s.n(a.align+1), offset, f.s.n(16>>a.align))
	default:
		a := pick(f.s, stores)
		f.expr(a.typ, 1)
		f.canonical(a.typ)
		f.op(a.op, f.s.n(a.align+1), offset)
	}
}

// numeric generates an operation whose result is of type t.
func (f *genFunc) numeric(t byte, depth int) {
	if t != v128 && f.s.one(12) {
		f.lane(t, depth)
		return
	}
	if t == v128 {
		f.vector(depth)
		return
	}
	op := pick(f.s, numericOps[t])
	for i, in := range op.in {
		f.expr(byte(in), depth+1)
		// copysign takes the sign of the second operand, a reinterpretation all.
		if op.bits && i == len(op.in)-1 {
			f.canonical(byte(in))
		}
		if op.orders() {
			f.unmask(byte(in))
		}
	}
	f.op(op.code)
}

// unmask makes the value on the stack no result of an "and". wazero 1.12 makes one instruction of "and" and a comparison with
// zero if a branch depends on it, but forgets, on amd64, on which side the zero is, so that 0 > (a & b) is true if a & b is positive,
// and on arm64 that the flags are no longer those of an unsigned comparison. See FUZZING.md of the engine.
func (f *genFunc) unmask(t byte) {
	if t == i32 {
		f.op(i32Const, 0, 0x73)
	} else {
		f.op(i64Const, 0, 0x85)
	}
}

// call calls a function that has the one result t, or an operation if there is
// none.
func (f *genFunc) call(t byte, depth int) {
	from := f.s.n(len(f.funcs))
	for i := range f.funcs {
		k := (from + i) % len(f.funcs)
		if s := f.funcs[k]; k >= f.first && len(s.results) == 1 && s.results[0] == t {
			f.callTo(k, depth)
			return
		}
	}
	f.leaf(t)
}

// callTo calls a function, directly or through the table, and leaves its results.
func (f *genFunc) callTo(k, depth int) {
	f.calls = true
	t := f.funcs[k]
	for _, p := range t.params {
		f.expr(p, depth+1)
	}
	if f.s.one(3) {
		if f.s.one(3) {
			f.expr(i32, depth+1)
			f.op(i32Const, 7)
			f.op(i32And)
		} else {
			f.op(i32Const, f.s.n(9))
		}
		f.op(callIndirect, leb(f.typ(t.params, t.results)), 0)
		return
	}
	f.op(call, leb(k))
}

// statement generates code that leaves the stack as it is.
func (f *genFunc) statement() {
	s := f.s
	switch s.n(16) {
	case 0, 1, 2:
		t := pick(s, f.vars)
		f.expr(t, 0)
		f.op(localSet, f.variable(t))
	case 3:
		t := pick(s, numbers)
		v := f.gen.globalOf(f, t)
		if v == nil {
			f.op(0x01)
			return
		}
		f.expr(t, 0)
		f.canonical(t)
		f.op(globalSet, v)
	case 4, 5:
		f.store()
	case 6, 7, 8:
		f.block(nil, nil, 0)
	case 9:
		f.block(f.someTypes(2, numbers), nil, 0)
	case 10, 11:
		f.branch()
	case 12:
		f.bulk()
	case 13:
		k := f.first + s.n(len(f.funcs)-f.first)
		f.callTo(k, 0)
		for range f.funcs[k].results {
			f.op(drop)
		}
	case 14:
		f.expr(pick(s, numbers), 0)
		f.op(drop)
	default:
		if s.one(40) {
			f.op(unreachable)
			if s.one(2) { // the stack is of any type now
				f.op(i32Add)
				f.op(drop)
			}
			return
		}
		f.op(0x01)
	}
}

// globalOf returns a mutable global.
func (g *gen) globalOf(f *genFunc, t byte) []byte { return f.global(t, true) }

// bulk generates memory.fill or memory.copy.
func (f *genFunc) bulk() {
	masked := func(masks ...int32) {
		f.expr(i32, 2)
		if !f.s.one(24) {
			f.op(constI32(pick(f.s, masks)))
			f.op(i32And)
		}
	}
	masked(0xff, 0x7fff)
	if f.s.one(2) {
		masked(0x7fff)
		masked(0, 0x3f, 0x7ff, 0x7fff)
		f.op(0xfc, 10, 0, 0)
		return
	}
	f.expr(i32, 2)
	masked(0, 0x3f, 0x7ff, 0x7fff)
	f.op(0xfc, 11, 0)
}
