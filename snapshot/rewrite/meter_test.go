package rewrite_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/sporeengine/spore/snapshot/rewrite"
)

// trees are programs without a loop that take 2ⁿ calls.
var trees = map[string]func(b *builder){
	"direct": func(b *builder) {
		f := len(b.sections[2])
		b.fn("f", 1, nil,
			localGet, 0, i32Eqz, if_, i32, i32Const, 1, else_,
			localGet, 0, i32Const, 1, i32Sub, call, f,
			localGet, 0, i32Const, 1, i32Sub, call, f, i32Add, end)
	},
	"mutual": func(b *builder) {
		f := len(b.sections[2])
		for i := range 2 {
			name := []string{"f", ""}[i]
			b.fn(name, 1, nil,
				localGet, 0, i32Eqz, if_, i32, i32Const, 1, else_,
				localGet, 0, i32Const, 1, i32Sub, call, f+1-i,
				localGet, 0, i32Const, 1, i32Sub, call, f+1-i, i32Add, end)
		}
	},
	"by a table": func(b *builder) {
		b.table(funcref, 0, 4)
		f := b.fn("f", 1, nil,
			localGet, 0, i32Eqz, if_, i32, i32Const, 1, else_,
			localGet, 0, i32Const, 1, i32Sub, i32Const, 2, callIndirect, 1, 0,
			localGet, 0, i32Const, 1, i32Sub, i32Const, 2, callIndirect, 1, 0, i32Add, end)
		b.elements(2, f)
	},
	"by a table and another type": func(b *builder) {
		b.table(funcref, 0, 4)
		same := b.typ([]byte{i32}, []byte{i32}) // the same type under another number
		f := b.fn("f", 1, nil,
			localGet, 0, i32Eqz, if_, i32, i32Const, 1, else_,
			localGet, 0, i32Const, 1, i32Sub, i32Const, 0, callIndirect, same, 0,
			localGet, 0, i32Const, 1, i32Sub, i32Const, 0, callIndirect, same, 0, i32Add, end)
		b.elements(0, f)
	},
}

// TestCallsWithoutLoopsAreMetered: nothing can be gone round for free.
func TestCallsWithoutLoopsAreMetered(t *testing.T) {
	const depth, budget = 14, 1000
	for name, program := range trees {
		t.Run(name, func(t *testing.T) {
			m, err := rewrite.Rewrite(build(program), metered)
			if err != nil {
				t.Fatal(err)
			}
			g := start(t, m.Wasm, budget)
			g.restore(t, m, budget)
			if got := g.call(t, "f", depth); got != 1<<depth {
				t.Errorf("result %d", got)
			}
			// Each of the calls executes five instructions or more.
			if g.used < 5<<depth || g.ticks < 5<<depth/(budget+m.Census.MaxUnchecked) {
				t.Errorf("%d used, %d ticks: %+v", g.used, g.ticks, m.Census)
			}
			if m.Census.MeteredEntries == 0 {
				t.Errorf("no entry is metered: %+v", m.Census)
			}
		})
	}
}

// TestLongWaysAreMetered: code without loops and calls pays for each of its
// instructions, and no meter takes much more than maxCharge.
func TestLongWaysAreMetered(t *testing.T) {
	const n = 5000
	m, err := rewrite.Rewrite(build(func(b *builder) {
		var code []byte
		for range n {
			code = append(code, localGet, 0, i32Const, 1, i32Add, 0x21, 0)
		}
		b.fn("f", 1, nil, i32Const, 2, 0x21, 0, loop, void, code, countdown(0, 0), end, localGet, 0)
	}), metered)
	if err != nil {
		t.Fatal(err)
	}
	if m.Census.MaxCharge > 600 || m.Census.Meters < 4*n/600 {
		t.Errorf("%+v", m.Census)
	}
	if m.Census.MaxUnchecked < 4*n || m.Census.MaxUnchecked > 6*n {
		t.Errorf("a way of %d instructions has a check after %d", 4*n, m.Census.MaxUnchecked)
	}
}

// TestChoicesAreBounded: an interpreter whose dearest instruction is long pays no more than
// maxCharge, and a little, for its short ones, and a long one pays for itself. Blocks cost nothing.
func TestChoicesAreBounded(t *testing.T) {
	const long, times = 200, 1000 // additions in the long one, of four instructions
	var sum []byte
	for range long {
		sum = append(sum, localGet, 1, i32Const, 1, i32Add, localSet, 1)
	}
	chooses := map[string]func(long int) []byte{ // of two blocks the outer one for a long turn
		"a table": func(long int) []byte { return ops(i32Const, long, brTable, 1, 0, 1) },
		"a way out of a loop": func(long int) []byte {
			return ops(loop, void, i32Const, long, brIf, 2, br, 1, end)
		},
	}
	for by, choose := range chooses {
		m, err := rewrite.Rewrite(build(func(b *builder) {
			for name, choice := range map[string]int{"short": 0, "long": 1} {
				b.fn(name, 1, []byte{i32},
					block, void, loop, void,
					bytes.Repeat([]byte{block, void}, 100), bytes.Repeat([]byte{end}, 100),
					block, void, block, void, choose(choice), end,
					countdown(0, 1), br, 2, end,
					sum, countdown(0, 0),
					end, end, localGet, 1)
			}
		}), metered)
		if err != nil {
			t.Fatal(err)
		}
		const budget = 1 << 30
		for name, want := range map[string][2]int64{"short": {8, 240}, "long": {4*long + 8, 4*long + 60}} {
			g := start(t, m.Wasm, budget)
			g.restore(t, m, budget)
			g.call(t, name, times)
			used := budget - int64(api.DecodeI32(g.mod.ExportedGlobal(m.Budget).Get()))
			if used < want[0]*times || used > want[1]*times {
				t.Errorf("%s by %s: %d instead of %d to %d for a turn: %+v", name, by, used/times, want[0], want[1], m.Census)
			}
		}
	}
}

// TestNeighboursAreOneMeter: what lies between two meters is plain instructions, so that the first can
// charge for the second.
func TestNeighboursAreOneMeter(t *testing.T) {
	var code []byte
	for range 80 {
		code = append(code, localGet, 1, i32Const, 1, i32Add, localSet, 1)
	}
	m, err := rewrite.Rewrite(build(func(b *builder) {
		b.fn("f", 1, []byte{i32}, loop, void, code, countdown(0, 0), end, localGet, 1)
	}), metered)
	if err != nil {
		t.Fatal(err)
	}
	if c := m.Census; c.Meters != 1 || c.Checks != 1 || c.MaxCharge < 320 {
		t.Errorf("%+v", c)
	}
}

// bulk has the bulk operations as exports.
func bulk(b *builder) {
	b.memory(1, 8, 8)
	b.sections[5] = b.sections[5][1:] // in the place of the one that newModule made
	three := b.typ([]byte{i32, i32, i32}, nil)
	b.fn("copy", three, nil, localGet, 0, localGet, 1, localGet, 2, 0xfc, 10, 0, 0)
	b.fn("fill", three, nil, localGet, 0, localGet, 1, localGet, 2, 0xfc, 11, 0)
}

// TestBulkOperations compares them with those of the machine, around the size at
// which they are done in parts, overlapping both ways, and beyond the memory,
// where they must trap before they have changed anything.
func TestBulkOperations(t *testing.T) {
	const part, size, budget = 64 << 10, 8 * 65536, 1 << 20
	wasm := build(bulk)
	m, err := rewrite.Rewrite(wasm, metered)
	if err != nil {
		t.Fatal(err)
	}
	original, rewritten := start(t, wasm, budget), start(t, m.Wasm, budget)
	rewritten.restore(t, m, budget)
	pattern := make([]byte, size)
	for i := range pattern {
		pattern[i] = byte(i*7 + i>>8*13 + i>>16)
	}
	sizes := []uint64{0, 1, part - 1, part, part + 1, 2 * part, 2*part + 1, 3*part + 12345, 5 * part}
	places := []uint64{0, 1, part - 1, part + 7, 2 * part, 3*part + 1, size - part, size - 1, size, size + 1, math.MaxUint32}
	run := func(g *guest, name string, args []uint64) (mem []byte, trap bool) {
		if !g.mod.Memory().Write(0, pattern) {
			t.Fatal("the memory is too short")
		}
		_, err := g.mod.ExportedFunction(name).Call(t.Context(), args...)
		var exit *sys.ExitError
		if errors.As(err, &exit) {
			t.Fatal(err)
		}
		return g.memory(t), err != nil
	}
	for _, n := range sizes {
		for _, to := range places {
			for _, from := range places {
				args := []uint64{to, from, n}
				want, wantTrap := run(original, "copy", args)
				want = bytes.Clone(want)
				got, trap := run(rewritten, "copy", args)
				if trap != wantTrap || !bytes.Equal(got, want) {
					t.Fatalf("copy %v: trap %t, want %t; equal %t", args, trap, wantTrap, bytes.Equal(got, want))
				}
			}
			args := []uint64{to, 0xab, n}
			want, wantTrap := run(original, "fill", args)
			want = bytes.Clone(want)
			got, trap := run(rewritten, "fill", args)
			if trap != wantTrap || !bytes.Equal(got, want) {
				t.Fatalf("fill %v: trap %t, want %t; equal %t", args, trap, wantTrap, bytes.Equal(got, want))
			}
		}
	}

	// It is counted, in parts.
	for _, name := range []string{"copy", "fill"} {
		g := start(t, m.Wasm, 1)
		g.restore(t, m, 1)
		if _, err := g.mod.ExportedFunction(name).Call(t.Context(), 0, 5, 5*part); err != nil {
			t.Fatal(err)
		}
		used := g.used + 1 - int64(api.DecodeI32(g.mod.ExportedGlobal(m.Budget).Get()))
		if used < 5*part/4 || used > 5*part/4+100 || g.ticks < 5 {
			t.Errorf("%s: %d used, %d ticks", name, used, g.ticks)
		}
	}
}

// TestGrowingIsCharged: memory.grow asks the host, which takes as long as a
// hundred instructions, whether there is any memory or not.
func TestGrowingIsCharged(t *testing.T) {
	const times, budget = 1000, 10_000
	m, err := rewrite.Rewrite(build(func(b *builder) {
		b.fn("f", 1, nil, loop, void, i32Const, 0, 0x40, 0, 0x1a, countdown(0, 0), end, localGet, 0)
	}), metered)
	if err != nil {
		t.Fatal(err)
	}
	g := start(t, m.Wasm, budget)
	g.restore(t, m, budget)
	g.call(t, "f", times)
	if g.used < 100*times || g.ticks < 100*times/budget {
		t.Errorf("%d used, %d ticks", g.used, g.ticks)
	}
}
