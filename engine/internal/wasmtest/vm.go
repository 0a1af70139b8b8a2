package wasmtest

import (
	"encoding/binary"
	"encoding/json"
)

// A Prog is a program for the guest: pass it as props. An operation that does
// not say otherwise leaves the accumulator alone. The result is the accumulator
// as eight hexadecimal digits.
type Prog []uint32

// MarshalJSON implements [json.Marshaler].
func (p Prog) MarshalJSON() ([]byte, error) { return json.Marshal(append([]uint32{}, p...)) }

// Operations have a code and three operands. Those of Die are the ways to die.
const (
	opFill = 1 + iota
	opStore
	opGrow
	opSetGlobals
	opStride
	opGlobals
	opDie
	opNap
	opSleep
	opScan
	opNeedle
	opCopy
	opSum
	opSize
)

// Ways to die.
const (
	DieUnreachable = iota
	DieDivide
	DieOutOfBounds
	DieLoop
	DieExit
	DieRecursion
	DieBadPointer
	Deaths
)

func (p *Prog) add(words ...uint32) *Prog {
	*p = append(*p, words...)
	for len(*p)%4 != 0 {
		*p = append(*p, 0)
	}
	return p
}

// Fill sets n bytes at addr.
func (p *Prog) Fill(addr, n uint32, v byte) *Prog { return p.add(opFill, addr, n, uint32(v)) }

// Store writes a u32.
func (p *Prog) Store(addr, v uint32) *Prog { return p.add(opStore, addr, v) }

// Bytes writes b, whose length is a multiple of 4.
func (p *Prog) Bytes(addr uint32, b []byte) *Prog {
	for ; len(b) >= 4; b, addr = b[4:], addr+4 {
		p.Store(addr, binary.LittleEndian.Uint32(b))
	}
	return p
}

// Grow grows the memory by pages of 64 KiB. The accumulator is the length
// before in pages, or −1.
func (p *Prog) Grow(pages uint32) *Prog { return p.add(opGrow, pages) }

// SetGlobals sets all three globals to v.
func (p *Prog) SetGlobals(v uint32) *Prog { return p.add(opSetGlobals, v) }

// Globals adds the three globals to the accumulator.
func (p *Prog) Globals() *Prog { return p.add(opGlobals) }

// Stride writes v to each step-th byte from addr to the end of the memory.
func (p *Prog) Stride(addr, step uint32, v byte) *Prog { return p.add(opStride, addr, step, uint32(v)) }

// Die ends the guest in one of the ways.
func (p *Prog) Die(way uint32) *Prog { return p.add(opDie, way) }

// Nap sleeps for ms milliseconds, below 100, in a blocking call, and Sleep in a
// pending one.
func (p *Prog) Nap(ms uint32) *Prog   { return p.add(opNap, ms) }
func (p *Prog) Sleep(ms uint32) *Prog { return p.add(opSleep, ms) }

// needleMask keeps a program that looks for a needle from finding itself.
const needleMask = 0x5a3c96e1

// Scan adds to the accumulator how often the 16 bytes of needle are in memory.
func (p *Prog) Scan(needle [16]byte) *Prog {
	for k := range uint32(4) {
		p.add(opNeedle, 4*k, binary.LittleEndian.Uint32(needle[4*k:])^needleMask)
	}
	return p.add(opScan)
}

// Copy copies n bytes.
func (p *Prog) Copy(dst, src, n uint32) *Prog { return p.add(opCopy, dst, src, n) }

// Sum adds to the accumulator the n bytes at addr, a multiple of 4, as words.
func (p *Prog) Sum(addr, n uint32) *Prog { return p.add(opSum, addr, n) }

// Size adds the length of the memory in pages to the accumulator.
func (p *Prog) Size() *Prog { return p.add(opSize) }

// Cells of the machine that runs a program. It is in memory so that a program
// goes on after a sleep, on whichever worker.
const (
	cellPC  = Scratch + 64
	cellEnd = Scratch + 68
	cellAcc = Scratch + 72
	needle  = Scratch + 80 // 16 bytes, masked
	digits  = Scratch + 96 // the result
)

// parse stores the numbers of the JSON array whose text is in the given locals
// as the program. Locals 6 to 9 are used.
func parse(text, n uint32) Code {
	const at, out, v, have, c = 6, 7, 8, 9, 10
	return Seq(
		Set(at, Get(text)),
		Set(out, Const(Program)),
		Set(v, Const(0)),
		Set(have, Const(0)),
		While(Lt(Get(at), Add(Get(text), Get(n))),
			Set(c, Sub(Load8(Get(at)), Const('0'))),
			If(Lt(Get(c), Const(10)),
				Set(v, Add(Mul(Get(v), Const(10)), Get(c))),
				Set(have, Const(1))),
			If(And(Le(Const(10), Get(c)), Get(have)),
				Store(Get(out), Get(v)),
				Set(out, Add(Get(out), Const(4))),
				Set(v, Const(0)),
				Set(have, Const(0))),
			Set(at, Add(Get(at), Const(1)))),
		Store(Const(cellPC), Const(Program)),
		Store(Const(cellEnd), Get(out)),
		Store(Const(cellAcc), Const(0)),
	)
}

// run is the function that runs the program from where it is to its end, the
// next sleep or death, and returns a status.
func run() Code {
	const pc, code, a, b, c, p, q = 0, 1, 2, 3, 4, 5, 6
	acc := Load(Const(cellAcc))
	addAcc := func(v Code) Code { return Store(Const(cellAcc), Add(acc, v)) }
	on := func(op int, body ...Code) Code { return If(Eq(Get(code), Const(op)), body...) }
	is := func(way int, body ...Code) Code { return If(Eq(Get(a), Const(way)), body...) }
	match := func(k int) Code {
		return Eq(Xor(Load(Add(Get(p), Const(4*k))), Const(uint32(needleMask))), Load(Const(needle+4*k)))
	}
	return Seq(
		While(Lt(Load(Const(cellPC)), Load(Const(cellEnd))),
			Set(pc, Load(Const(cellPC))),
			Set(code, Load(Get(pc))),
			Set(a, Load(Add(Get(pc), Const(4)))),
			Set(b, Load(Add(Get(pc), Const(8)))),
			Set(c, Load(Add(Get(pc), Const(12)))),
			Store(Const(cellPC), Add(Get(pc), Const(16))),
			on(opFill, Fill(Get(a), Get(c), Get(b))),
			on(opStore, Store(Get(a), Get(b))),
			on(opGrow, Store(Const(cellAcc), Grow(Get(a)))),
			on(opSetGlobals, SetGlobal(0, Get(a)), SetGlobal(1, ToI64(Get(a))), SetGlobal(2, ToF64(Get(a)))),
			on(opGlobals, addAcc(GetGlobal(0)), addAcc(op(0xa7, GetGlobal(1))), addAcc(Truncate(GetGlobal(2)))),
			on(opStride,
				Set(p, Get(a)),
				While(Lt(Get(p), Shl(Size(), Const(16))),
					Store8(Get(p), Get(c)),
					Set(p, Add(Get(p), Get(b))))),
			on(opDie,
				is(DieUnreachable, Unreachable()),
				is(DieDivide, Drop(Div(Get(a), Const(0)))),
				is(DieOutOfBounds, Drop(Load(Const(-8)))),
				is(DieLoop, Forever()),
				is(DieExit, Call(FnExit, Const(3))),
				is(DieRecursion, Drop(Call(FnRecurse, Const(-1)))),
				is(DieBadPointer, Call(FnTake, Const(-1)))),
			on(opNap, Drop(Sleep(NewID(), Const(1), Get(a))), Call(FnTake, Const(Scratch+128))),
			on(opSleep, Drop(Sleep(NewID(), Const(0), Get(a))), Say(PENDING, Const(0), Const(0))),
			on(opNeedle, Store(Add(Const(needle), Get(a)), Get(b))),
			on(opScan,
				Set(q, Sub(Shl(Size(), Const(16)), Const(15))),
				Set(p, Const(0)),
				While(Lt(Get(p), Get(q)),
					If(match(0), If(match(1), If(match(2), If(match(3), addAcc(Const(1)))))),
					Set(p, Add(Get(p), Const(1))))),
			on(opCopy, Copy(Get(a), Get(b), Get(c))),
			on(opSum,
				Set(p, Get(a)),
				While(Lt(Get(p), Add(Get(a), Get(b))),
					addAcc(Load(Get(p))),
					Set(p, Add(Get(p), Const(4))))),
			on(opSize, addAcc(Size())),
		),
		// Eight digits, the lowest last.
		Set(a, acc),
		Times(p, Const(8),
			Set(q, And(Get(a), Const(15))),
			If(Lt(Const(9), Get(q)), Set(q, Add(Get(q), Const('a'-'0'-10)))),
			Store8(Add(Const(digits-1), Get(p)), Add(Get(q), Const('0'))),
			Set(a, Shr(Get(a), Const(4)))),
		Say(TEXT, Const(digits), Const(8)),
		Unreachable(),
	)
}
