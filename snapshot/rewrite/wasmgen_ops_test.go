package rewrite_test

// A genOp is an instruction without immediates.
type genOp struct {
	code []byte
	in   string // types of the operands
	bits bool   // the bits of the last operand matter, also those of a NaN
}

// orders tells whether op compares integers by size.
func (op genOp) orders() bool {
	c := op.code[0]
	return c >= 0x48 && c <= 0x4f || c >= 0x53 && c <= 0x5a
}

// numericOps are the numeric instructions by the type of their result.
var numericOps = func() map[byte][]genOp {
	ops := map[byte][]genOp{}
	const a, b, c, d = "\x7f", "\x7e", "\x7d", "\x7c" // i32, i64, f32, f64
	add := func(out byte, in string, first, last int) {
		for op := first; op <= last; op++ {
			bits := op == 0x98 || op == 0xa6 || op == 0xbc || op == 0xbd
			ops[out] = append(ops[out], genOp{[]byte{byte(op)}, in, bits})
		}
	}
	add(i32, a, 0x45, 0x45)
	add(i32, a+a, 0x46, 0x4f)
	add(i32, b, 0x50, 0x50)
	add(i32, b+b, 0x51, 0x5a)
	add(i32, c+c, 0x5b, 0x60)
	add(i32, d+d, 0x61, 0x66)
	add(i32, a, 0x67, 0x69)
	add(i32, a+a, 0x6a, 0x78)
	add(i32, a, 0xc0, 0xc1)
	add(i32, b, 0xa7, 0xa7)
	add(i32, c, 0xa8, 0xa9)
	add(i32, d, 0xaa, 0xab)
	add(i32, c, 0xbc, 0xbc)
	add(i64, b, 0x79, 0x7b)
	add(i64, b+b, 0x7c, 0x8a)
	add(i64, b, 0xc2, 0xc4)
	add(i64, a, 0xac, 0xad)
	add(i64, c, 0xae, 0xaf)
	add(i64, d, 0xb0, 0xb1)
	add(i64, d, 0xbd, 0xbd)
	add(f32, c, 0x8b, 0x91)
	add(f32, c+c, 0x92, 0x98)
	add(f32, a, 0xb2, 0xb3)
	add(f32, b, 0xb4, 0xb5)
	add(f32, d, 0xb6, 0xb6)
	add(f32, a, 0xbe, 0xbe)
	add(f64, d, 0x99, 0x9f)
	add(f64, d+d, 0xa0, 0xa6)
	add(f64, a, 0xb7, 0xb8)
	add(f64, b, 0xb9, 0xba)
	add(f64, c, 0xbb, 0xbb)
	add(f64, b, 0xbf, 0xbf)
	for k := range 8 { // saturating truncations
		out, in := i32, c
		if k >= 4 {
			out = i64
		}
		if k/2%2 == 1 {
			in = d
		}
		ops[out] = append(ops[out], genOp{[]byte{0xfc, byte(k)}, in, false})
	}
	return ops
}()

// vectorOps are the vector instructions without immediates whose result is a
// vector. v stands for a vector, f and d for lanes of floats in the result.
var vectorOps = func() (out []struct {
	op   int
	in   string
	lane byte
}) {
	add := func(in string, lane byte, list ...[2]int) {
		for _, r := range list {
			for op := r[0]; op <= r[1]; op++ {
				out = append(out, struct {
					op   int
					in   string
					lane byte
				}{op, in, lane})
			}
		}
	}
	const v, a, b, c, d = "\x7b", "\x7f", "\x7e", "\x7d", "\x7c"
	add(a, 0, [2]int{15, 17})
	add(b, 0, [2]int{18, 18})
	add(c, f32, [2]int{19, 19})
	add(d, f64, [2]int{20, 20})
	add(v+v, 0, [2]int{14, 14}, [2]int{35, 76}, [2]int{78, 81}, [2]int{101, 102}, [2]int{110, 115}, [2]int{118, 121},
		[2]int{123, 123}, [2]int{130, 130}, [2]int{133, 134}, [2]int{142, 147}, [2]int{149, 153}, [2]int{155, 159},
		[2]int{174, 174}, [2]int{177, 177}, [2]int{181, 186}, [2]int{188, 191}, [2]int{206, 206}, [2]int{209, 209}, [2]int{213, 223})
	add(v, 0, [2]int{77, 77}, [2]int{96, 98}, [2]int{124, 129}, [2]int{135, 138}, [2]int{160, 161}, [2]int{167, 170},
		[2]int{192, 193}, [2]int{199, 202}, [2]int{248, 249}, [2]int{252, 253})
	add(v+a, 0, [2]int{107, 109}, [2]int{139, 141}, [2]int{171, 173}, [2]int{203, 205})
	add(v+v+v, 0, [2]int{82, 82})
	add(v, f32, [2]int{94, 94}, [2]int{103, 106}, [2]int{224, 225}, [2]int{227, 227}, [2]int{250, 251})
	add(v, f64, [2]int{95, 95}, [2]int{116, 117}, [2]int{122, 122}, [2]int{148, 148}, [2]int{236, 237}, [2]int{239, 239}, [2]int{254, 255})
	add(v+v, f32, [2]int{228, 235})
	add(v+v, f64, [2]int{240, 247})
	return out
}()

// vector generates a vector instruction.
func (f *genFunc) vector(depth int) {
	s := f.s
	switch s.n(10) {
	case 0: // shuffle
		f.expr(v128, depth+1)
		f.expr(v128, depth+1)
		lanes := s.bytes(16)
		for i := range lanes {
			lanes[i] %= 32
		}
		f.op(0xfd, 13, lanes)
	case 1: // replace a lane
		k := s.n(6)
		t := []byte{i32, i32, i32, i64, f32, f64}[k]
		f.expr(v128, depth+1)
		f.expr(t, depth+1)
		f.canonical(t)
		f.op(0xfd, []int{23, 26, 28, 30, 32, 34}[k], s.n([]int{16, 8, 4, 2, 4, 2}[k]))
	default:
		op := vectorOps[(int(s.byte())<<8+int(s.byte()))%len(vectorOps)]
		for _, t := range []byte(op.in) {
			f.expr(t, depth+1)
		}
		f.op(0xfd, leb(op.op))
		if op.lane != 0 {
			f.canonicalLanes(op.lane)
		}
	}
}

// lane generates a number out of a vector.
func (f *genFunc) lane(t byte, depth int) {
	f.expr(v128, depth+1)
	s := f.s
	switch t {
	case i32:
		switch k := s.n(3); k {
		case 0:
			f.op(0xfd, leb(pick(s, []int{83, 99, 100, 131, 132, 163, 164, 195, 196})))
		case 1:
			f.op(0xfd, pick(s, []int{21, 22, 24, 25}), s.n(8))
		default:
			f.op(0xfd, 27, s.n(4))
		}
	case i64:
		f.op(0xfd, 29, s.n(2))
	case f32:
		f.op(0xfd, 31, s.n(4))
	case f64:
		f.op(0xfd, 33, s.n(2))
	}
}
