package rewrite_test

import (
	"encoding/binary"
	"math"
	"slices"
)

// The bytes of WebAssembly, as far as the tests write them by hand.
const (
	i32, i64, f32, f64, v128, funcref, externref byte = 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f

	void byte = 0x40 // block type

	unreachable, block, loop, if_, else_, end   byte = 0x00, 0x02, 0x03, 0x04, 0x05, 0x0b
	br, brIf, brTable, call, callIndirect, drop byte = 0x0c, 0x0d, 0x0e, 0x10, 0x11, 0x1a
	localGet, localSet, localTee                byte = 0x20, 0x21, 0x22
	globalGet, globalSet                        byte = 0x23, 0x24
	i32Load, i32Load8U, i32Store                byte = 0x28, 0x2d, 0x36
	memorySize, memoryGrow                      byte = 0x3f, 0x40
	i32Const, i64Const, f32Const, f64Const      byte = 0x41, 0x42, 0x43, 0x44
	i32Eqz, i32LtU                              byte = 0x45, 0x49
	i32Add, i32Sub, i32Mul, i32And, i32Xor      byte = 0x6a, 0x6b, 0x6c, 0x71, 0x73
	i64Add, f64Add                              byte = 0x7c, 0xa0
)

// A builder assembles a module. Entries are encoded as they are added; a
// section is left out if it has none.
type builder struct {
	sections [13][][]byte
}

func leb[T int | uint32](v T) (b []byte) {
	n := uint32(v)
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// constI32 is the instruction i32.const v.
func constI32(v int32) []byte {
	b := []byte{i32Const}
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func constF64(v float64) []byte {
	return binary.LittleEndian.AppendUint64([]byte{f64Const}, math.Float64bits(v))
}

func str[S string | []byte](s S) []byte { return append(leb(len(s)), s...) }

func vec(entries ...[]byte) []byte { return append(leb(len(entries)), slices.Concat(entries...)...) }

// ops joins bytes and byte slices.
func ops(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case byte:
			b = append(b, p)
		case int:
			b = append(b, byte(p))
		case []byte:
			b = append(b, p...)
		default:
			panic(p)
		}
	}
	return b
}

func (b *builder) add(section int, entry []byte) int {
	b.sections[section] = append(b.sections[section], entry)
	return len(b.sections[section]) - 1
}

func (b *builder) typ(params, results []byte) int {
	return b.add(1, ops(0x60, str(params), str(results)))
}

func (b *builder) importFunc(module, name string, typ int) {
	b.add(2, ops(str(module), str(name), 0, leb(typ)))
}

// fn adds a function and returns its index, exporting it unless name is empty.
func (b *builder) fn(name string, typ int, locals []byte, code ...any) int {
	index := len(b.sections[2]) + b.add(3, leb(typ))
	var declared [][]byte
	for _, t := range locals {
		declared = append(declared, []byte{1, t})
	}
	b.add(10, str(ops(vec(declared...), ops(code...), end)))
	if name != "" {
		b.export(name, 0, index)
	}
	return index
}

func (b *builder) export(name string, kind byte, index int) {
	b.add(7, ops(str(name), kind, leb(index)))
}

func (b *builder) memory(limits ...byte)             { b.add(5, limits) }
func (b *builder) table(typ byte, limits ...byte)    { b.add(4, ops(typ, limits)) }
func (b *builder) global(typ, mut byte, init []byte) { b.add(6, ops(typ, mut, init, end)) }
func (b *builder) data(offset int32, contents string) {
	b.add(11, ops(0, constI32(offset), end, str(contents)))
}
func (b *builder) elements(offset int32, funcs ...int) {
	var entries [][]byte
	for _, f := range funcs {
		entries = append(entries, leb(f))
	}
	b.add(9, ops(0, constI32(offset), end, vec(entries...)))
}

// bytes returns the module. The start section and the data count, which are no
// vectors, are added by hand where they are needed.
func (b *builder) bytes() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, id := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11} {
		entries := b.sections[id]
		switch {
		case len(entries) == 0:
		case id == 8 || id == 12:
			out = append(out, ops(id, str(entries[0]))...)
		default:
			out = append(out, ops(id, str(vec(entries...)))...)
		}
	}
	return out
}

// newModule returns a builder with a memory, the import spore.tick as function
// 0, and type 0: () → i32, type 1: (i32) → i32.
func newModule() *builder {
	b := new(builder)
	b.typ(nil, []byte{i32})
	b.typ([]byte{i32}, []byte{i32})
	b.importFunc("spore", "tick", 0)
	b.memory(1, 2, 8)
	b.export("memory", 2, 0)
	return b
}

// countdown is code that decrements local l and branches to label d if it is
// not zero.
func countdown(l, d int) []byte {
	return ops(localGet, l, i32Const, 1, i32Sub, localTee, l, brIf, d)
}

// programs are modules whose functions take an i32 and return one; n is the
// argument to call them with and heads how many loop heads that passes.
var programs = []struct {
	name  string
	build func(b *builder)
	n     int32
	heads int
}{
	{"no loop", func(b *builder) {
		b.fn("f", 1, nil, localGet, 0, i32Const, 3, i32Mul)
	}, 14, 0},
	{"one loop", func(b *builder) {
		b.fn("f", 1, []byte{i32},
			loop, void,
			localGet, 0, localGet, 1, i32Add, localSet, 1,
			countdown(0, 0),
			end, localGet, 1)
	}, 1000, 1000},
	{"nested loops", func(b *builder) {
		b.fn("f", 1, []byte{i32, i32},
			loop, void,
			i32Const, 10, localSet, 1,
			loop, void,
			localGet, 2, i32Const, 7, i32Mul, localGet, 1, i32Add, localSet, 2,
			countdown(1, 0),
			end,
			countdown(0, 0),
			end, localGet, 2)
	}, 50, 50 + 500},
	{"a loop with parameters and results", func(b *builder) {
		// (acc, n) → acc: the operand stack is not empty at the loop head.
		t := b.typ([]byte{i32, i32}, []byte{i32})
		b.fn("f", 1, []byte{i32},
			i32Const, 9, // below the block, untouched by it
			i32Const, 1, localGet, 0,
			loop, leb(t),
			localTee, 0, i32Const, 3, i32Xor, i32Add, localSet, 1,
			localGet, 1,
			localGet, 0, i32Const, 1, i32Sub, localTee, 0,
			localGet, 0, brIf, 0,
			drop,
			end,
			i32Sub)
	}, 77, 77},
	{"calls with arguments of every type and two results", func(b *builder) {
		g := b.typ([]byte{i32, i64, f32, f64, v128}, []byte{i64, i32})
		t := b.typ(nil, []byte{i64, i32})
		f := len(b.sections[2]) + len(b.sections[3])
		b.fn("", g, nil,
			localGet, 0, i32Eqz, if_, leb(t),
			localGet, 1, // what has come of the arguments
			localGet, 2, 0xa8, localGet, 3, 0xaa, i32Add, // i32.trunc_f32_s, i32.trunc_f64_s
			localGet, 4, 0xfd, 27, 2, i32Xor, // i32x4.extract_lane
			else_,
			localGet, 0, i32Const, 1, i32Sub,
			localGet, 1, i64Const, 3, i64Add,
			localGet, 2, f32Const, 0, 0, 0, 0x40, 0x92, // 2, f32.add
			localGet, 3, constF64(0.5), f64Add,
			localGet, 4, localGet, 0, 0xfd, 0x11, 0xfd, leb(uint32(0xae)), 1, // i32x4.splat, i32x4.add
			call, f,
			end)
		b.fn("f", 1, nil,
			localGet, 0, i64Const, 7, f32Const, 0, 0, 0x80, 0x3f, constF64(0.25), // 1
			i32Const, 5, 0xfd, 0x11, call, f,
			localSet, 0, 0xa7, localGet, 0, i32Mul) // i32.wrap_i64
	}, 200, 200},
	{"branch tables", func(b *builder) {
		b.fn("f", 1, []byte{i32},
			block, void,
			loop, void,
			block, void,
			block, void,
			block, void,
			localGet, 0, i32Const, 3, i32And,
			brTable, 2, 0, 1, 2,
			end,
			localGet, 1, i32Const, 1, i32Add, localSet, 1, countdown(0, 2), br, 3,
			end,
			localGet, 1, i32Const, 5, i32Mul, localSet, 1, countdown(0, 1), br, 2,
			end,
			localGet, 1, i32Const, 0x2a, i32Xor, localSet, 1, countdown(0, 0),
			end,
			end, localGet, 1)
	}, 333, 333},
	{"vectors", func(b *builder) {
		b.fn("f", 1, []byte{v128},
			loop, void,
			localGet, 1,
			localGet, 0, 0xfd, leb(uint32(0x11)), // i32x4.splat
			0xfd, leb(uint32(0xae)), 1, // i32x4.add
			0xfd, 12, 1, 0, 0, 0, 2, 0, 0, 0, 3, 3, 3, 3, 11, 11, 11, 11, // v128.const
			0xfd, leb(uint32(0xb5)), 1, // i32x4.mul
			localTee, 1, i32Const, 0, localGet, 1, 0xfd, 11, 4, 0, // v128.store
			i32Const, 0, localGet, 1, 0xfd, 91, 3, 8, 1, // v128.store64_lane
			localGet, 1, 0xfd, 13, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, localSet, 1, // shuffle
			countdown(0, 0),
			end,
			localGet, 1, 0xfd, 27, 2) // i32x4.extract_lane
	}, 100, 100},
	{"memory, data and globals", func(b *builder) {
		b.data(10, "hello")
		b.data(0x1fffb, "world")
		b.add(11, ops(2, 0, constI32(12), end, str("LL")))
		b.add(11, ops(1, str("passive")))
		b.global(i32, 1, constI32(-5))
		b.global(i64, 0, ops(i64Const, 7))
		b.global(f64, 1, constF64(1.5))
		b.global(i64, 1, ops(i64Const, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f))
		b.global(f32, 1, ops(f32Const, 0, 0, 0x80, 0x3f))
		b.global(v128, 0, ops(0xfd, 12, make([]byte, 16)))
		b.fn("f", 1, []byte{i32},
			i32Const, 1, memoryGrow, 0, drop,
			loop, void,
			globalGet, 0, localGet, 0, i32Load8U, 0, 10, i32Add, globalSet, 0,
			globalGet, 2, constF64(0.25), f64Add, globalSet, 2,
			globalGet, 3, globalGet, 1, i64Add, globalSet, 3,
			localGet, 0, globalGet, 0, i32Store, 2, leb(70000),
			countdown(0, 0),
			end,
			i32Const, 30, i32Const, 10, i32Const, 5, 0xfc, 10, 0, 0, // memory.copy
			i32Const, 40, i32Const, 1, i32Const, 5, 0xfc, 11, 0, // memory.fill
			globalGet, 0, memorySize, 0, i32Add)
	}, 20, 20},
	{"tables and recursion", func(b *builder) {
		b.table(funcref, 0, 4)
		b.table(externref, 1, 1, 2)
		f := b.fn("f", 1, []byte{i32},
			localGet, 0, i32Eqz, if_, i32, i32Const, 1, else_,
			i32Const, 3, localSet, 1,
			loop, void, countdown(1, 0), end,
			localGet, 0, i32Const, 1, i32Sub, i32Const, 1, callIndirect, 1, 0,
			localGet, 0, i32Add,
			end)
		b.elements(1, f, f)
		b.add(9, ops(1, 0, vec(leb(f))))                                    // passive
		b.add(9, ops(3, 0, vec(leb(f))))                                    // declarative
		b.add(9, ops(4, constI32(3), end, vec([]byte{0xd2, byte(f), end}))) // expressions
		b.add(9, ops(7, funcref, vec([]byte{0xd0, funcref, end})))          // declarative
	}, 12, 36},
	{"code that is not reached", func(b *builder) {
		b.fn("f", 1, nil,
			block, void, br, 0,
			loop, void, countdown(0, 0), end,
			end,
			localGet, 0, if_, void, else_, unreachable, loop, i32, unreachable, end, drop, end,
			localGet, 0)
	}, 5, 0},
	{"a loop that is left at once", func(b *builder) {
		b.fn("f", 1, nil, loop, i32, localGet, 0, end)
	}, 6, 1},
}
