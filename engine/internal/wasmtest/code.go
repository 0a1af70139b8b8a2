// Package wasmtest builds small WebAssembly modules for tests: guests written
// by hand that speak runtimes/ABI.md, until a test makes one of them lie.
package wasmtest

import (
	"encoding/binary"
	"math"
	"slices"
)

// Code is a sequence of instructions. Functions that take Code as an operand
// want it to leave one value on the stack.
type Code []byte

// Value types, as far as guests need them.
const (
	I32 byte = 0x7f
	I64 byte = 0x7e
	F64 byte = 0x7c
)

// void is the type of a block without results.
const void = 0x40

// Seq is one piece of code after the other.
func Seq(parts ...Code) Code { return slices.Concat(parts...) }

func uleb(v uint32) (b []byte) {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

func sleb(v int64) (b []byte) {
	for {
		low := byte(v & 0x7f)
		v >>= 7
		if v == 0 && low&0x40 == 0 || v == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}

// op is an instruction without immediates, after its operands.
func op(code byte, operands ...Code) Code { return append(Seq(operands...), code) }

// Const is the 32 bits of v.
func Const[T ~int | ~int32 | ~uint32 | ~uint8](v T) Code {
	return append(Code{0x41}, sleb(int64(int32(uint32(v))))...)
}

// Const64 is an i64.
func Const64(v int64) Code { return append(Code{0x42}, sleb(v)...) }

// ConstF64 is an f64.
func ConstF64(v float64) Code {
	return binary.LittleEndian.AppendUint64(Code{0x44}, math.Float64bits(v))
}

// Get is the value of a local, and Set assigns to it.
func Get(local uint32) Code         { return append(Code{0x20}, uleb(local)...) }
func Set(local uint32, v Code) Code { return Seq(v, Code{0x21}, uleb(local)) }

// GetGlobal is the value of a global, and SetGlobal assigns to it.
func GetGlobal(global uint32) Code         { return append(Code{0x23}, uleb(global)...) }
func SetGlobal(global uint32, v Code) Code { return Seq(v, Code{0x24}, uleb(global)) }

// Load and Load8 read a u32 or a byte, Store and Store8 write one, without
// regard to alignment.
func Load(addr Code) Code      { return Seq(addr, Code{0x28, 0, 0}) }
func Load8(addr Code) Code     { return Seq(addr, Code{0x2d, 0, 0}) }
func Store(addr, v Code) Code  { return Seq(addr, v, Code{0x36, 0, 0}) }
func Store8(addr, v Code) Code { return Seq(addr, v, Code{0x3a, 0, 0}) }

// Arithmetic of i32, without sign.
func Add(a, b Code) Code { return op(0x6a, a, b) }
func Sub(a, b Code) Code { return op(0x6b, a, b) }
func Mul(a, b Code) Code { return op(0x6c, a, b) }
func Div(a, b Code) Code { return op(0x6e, a, b) }
func And(a, b Code) Code { return op(0x71, a, b) }
func Xor(a, b Code) Code { return op(0x73, a, b) }
func Shl(a, b Code) Code { return op(0x74, a, b) }
func Shr(a, b Code) Code { return op(0x76, a, b) }
func Not(a Code) Code    { return op(0x45, a) } // 1 if a is 0, else 0
func Eq(a, b Code) Code  { return op(0x46, a, b) }
func Lt(a, b Code) Code  { return op(0x49, a, b) }
func Le(a, b Code) Code  { return op(0x4d, a, b) }

// Conversions of an i32.
func ToI64(a Code) Code { return op(0xad, a) }
func ToF64(a Code) Code { return op(0xb8, a) }

// DivSigned is signed division, which traps on the one quotient that does not
// fit too. Truncate makes an i32 of an f64 and traps if it does not fit.
func DivSigned(a, b Code) Code { return op(0x6d, a, b) }
func Truncate(a Code) Code     { return op(0xaa, a) }

// If runs then if cond is not zero.
func If(cond Code, then ...Code) Code {
	return Seq(cond, Code{0x04, void}, Seq(then...), Code{0x0b})
}

// While repeats body as long as cond is not zero.
func While(cond Code, body ...Code) Code {
	return Seq(Code{0x02, void, 0x03, void}, Not(cond), Code{0x0d, 1}, Seq(body...), Code{0x0c, 0, 0x0b, 0x0b})
}

// Forever repeats body.
func Forever(body ...Code) Code {
	return Seq(Code{0x03, void}, Seq(body...), Code{0x0c, 0, 0x0b})
}

// Times repeats body n times with local counting down from n to 1.
func Times(local uint32, n Code, body ...Code) Code {
	return Seq(Set(local, n), While(Get(local), Seq(body...), Set(local, Sub(Get(local), Const(1)))))
}

// Call calls a function.
func Call(function uint32, args ...Code) Code {
	return Seq(Seq(args...), Code{0x10}, uleb(function))
}

// CallIndirect calls the function at index in the table, of type typ.
func CallIndirect(typ uint32, index Code) Code {
	return Seq(index, Code{0x11}, uleb(typ), Code{0})
}

// Drop evaluates v for its effects.
func Drop(v Code) Code { return op(0x1a, v) }

// Return leaves the function with v.
func Return(v Code) Code { return op(0x0f, v) }

// Unreachable traps.
func Unreachable() Code { return Code{0x00} }

// Size is the length of the memory in pages of 64 KiB, and Grow extends it by
// some of them and is its length before, or −1.
func Size() Code           { return Code{0x3f, 0} }
func Grow(pages Code) Code { return Seq(pages, Code{0x40, 0}) }

// Fill and Copy are the bulk operations.
func Fill(dst, v, n Code) Code   { return Seq(dst, v, n, Code{0xfc, 11, 0}) }
func Copy(dst, src, n Code) Code { return Seq(dst, src, n, Code{0xfc, 10, 0, 0}) }
