package rewrite_test

import (
	"math"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/sporeengine/spore/snapshot/rewrite"
)

// loops are functions of an iteration count, from the loop that does nothing,
// where metering costs most, to one with some work.
var loops = map[string]func(b *builder){
	"empty": func(b *builder) {
		b.fn("f", 1, nil, loop, void, countdown(0, 0), end, localGet, 0)
	},
	"arithmetic": func(b *builder) {
		b.fn("f", 1, []byte{i32},
			loop, void,
			localGet, 1, i32Const, 13, i32Mul, localGet, 0, i32Xor, localTee, 1,
			i32Const, 7, i32Add, localGet, 1, i32Mul, localSet, 1,
			countdown(0, 0),
			end, localGet, 1)
	},
	"sieve": func(b *builder) {
		// for i = n; i > 0; i--: mem[(i*64)&0xffff] += i
		b.fn("f", 1, []byte{i32},
			loop, void,
			localGet, 0, ops(i32Const, 0xc0, 0), i32Mul, ops(i32Const, 0xfc, 0xff, 3), i32And, localTee, 1,
			localGet, 1, i32Load, 2, 0, localGet, 0, i32Add, i32Store, 2, 0,
			countdown(0, 0),
			end, localGet, 1)
	},
	"calls": func(b *builder) {
		g := b.fn("", 1, nil, localGet, 0, i32Const, 3, i32Mul, i32Const, 1, i32Add)
		b.fn("f", 1, []byte{i32},
			loop, void,
			localGet, 1, call, g, localGet, 0, i32Xor, localSet, 1,
			countdown(0, 0),
			end, localGet, 1)
	},
}

// memoryCounter is the rejected alternative: the budget in linear memory, as code
// for a loop head.
func memoryCounter() []byte {
	const at = 65532
	return slices.Concat(
		[]byte{i32Const, 0, i32Const, 0, i32Load, 2}, leb(at),
		[]byte{i32Const, 1, i32Sub, i32Store, 2}, leb(at),
		[]byte{i32Const, 0, i32Load, 2}, leb(at),
		[]byte{i32Eqz, if_, void, i32Const, 0, call, 0, i32Store, 2}, leb(at),
		[]byte{end})
}

// BenchmarkMetering compares loops without metering, with the budget in a global
// as Rewrite does it, and with the budget in linear memory.
func BenchmarkMetering(b *testing.B) {
	const n = 1_000_000
	for name, program := range loops {
		for _, kind := range []string{"none", "global", "memory"} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				wasm := build(program)
				switch kind {
				case "global":
					m, err := rewrite.Rewrite(wasm, metered)
					if err != nil {
						b.Fatal(err)
					}
					wasm = m.Wasm
				case "memory":
					wasm = build(func(m *builder) {
						program(m)
						for i, body := range m.sections[10] {
							// All loops of these programs are of type void.
							body, _ := cutLength(body)
							if at := slices.Index(body, loop); at >= 0 {
								body = slices.Insert(body, at+2, memoryCounter()...)
							}
							m.sections[10][i] = str(body)
						}
					})
				}
				g := start(b, wasm, math.MaxInt32)
				f := g.mod.ExportedFunction("f")
				stack := []uint64{0}
				for b.Loop() {
					stack[0] = api.EncodeI32(n)
					if err := f.CallWithStack(b.Context(), stack); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/loop")
			})
		}
	}
}

// cutLength removes the length in front of a body.
func cutLength(b []byte) (body []byte, length int) {
	for i, c := range b {
		length |= int(c&0x7f) << (7 * i)
		if c < 0x80 {
			return slices.Clone(b[i+1:]), length
		}
	}
	return nil, 0
}

func BenchmarkRewrite(b *testing.B) {
	var branches func(*builder)
	for _, p := range programs {
		if p.name == "branch tables" {
			branches = p.build
		}
	}
	wasm := build(func(m *builder) {
		for range 20_000 {
			branches(m)
			m.sections[7] = m.sections[7][:1]
		}
	})
	b.SetBytes(int64(len(wasm)))
	for b.Loop() {
		if _, err := rewrite.Rewrite(wasm, metered); err != nil {
			b.Fatal(err)
		}
	}
}
