package rewrite_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/sporeengine/spore/snapshot/rewrite"
)

var metered = rewrite.Options{TickModule: "spore", TickName: "tick"}

// A guest is an instance with a host that counts ticks.
type guest struct {
	mod   api.Module
	ticks int
	used  int64 // of the budgets that ran out
}

// start instantiates a module whose tick function hands out budgets.
func start(t testing.TB, wasm []byte, budget int32) *guest {
	t.Helper()
	ctx := t.Context()
	rt := wazero.NewRuntime(ctx)
	t.Cleanup(func() { rt.Close(context.Background()) })
	g := new(guest)
	_, err := rt.NewHostModuleBuilder("spore").NewFunctionBuilder().WithFunc(func(_ context.Context, m api.Module) int32 {
		g.ticks++
		if b := m.ExportedGlobal("spore_budget"); b != nil {
			g.used += int64(budget) - int64(api.DecodeI32(b.Get()))
		}
		return budget
	}).Export("tick").Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if g.mod, err = rt.Instantiate(ctx, wasm); err != nil {
		t.Fatal(err)
	}
	return g
}

// restore makes an instance of m what an instance of the original would be.
func (g *guest) restore(t testing.TB, m *rewrite.Module, budget int32) {
	t.Helper()
	mem := g.mod.Memory()
	if n := uint32(len(m.Memory) / 65536); n > 1 {
		mem.Grow(n - 1)
	}
	if len(m.Memory) > 0 && !mem.Write(0, m.Memory) {
		t.Fatal("memory is too short")
	}
	for _, gl := range m.Globals {
		g.mod.ExportedGlobal(gl.Name).(api.MutableGlobal).Set(gl.Init)
	}
	if m.Budget != "" {
		g.mod.ExportedGlobal(m.Budget).(api.MutableGlobal).Set(api.EncodeI32(budget))
	}
}

func (g *guest) call(t testing.TB, name string, arg int32) uint64 {
	t.Helper()
	out, err := g.mod.ExportedFunction(name).Call(t.Context(), api.EncodeI32(arg))
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

func (g *guest) memory(t testing.TB) []byte {
	b, ok := g.mod.Memory().Read(0, g.mod.Memory().Size())
	if !ok {
		t.Fatal("memory is shorter than it is")
	}
	return b
}

func build(f func(b *builder)) []byte {
	b := newModule()
	f(b)
	return b.bytes()
}

// TestRewrittenDoesTheSame runs programs before and after, with different
// budgets.
func TestRewrittenDoesTheSame(t *testing.T) {
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			wasm := build(p.build)
			original := start(t, wasm, 0)
			before := bytes.Clone(original.memory(t))
			want := original.call(t, "f", p.n)

			total := int64(0)
			for _, opt := range []rewrite.Options{{}, metered} {
				m, err := rewrite.Rewrite(wasm, opt)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(m.Memory, before) {
					t.Error("Memory is not that of an instance")
				}
				for _, budget := range []int32{1, 2, 7, 100, math.MaxInt32} {
					g := start(t, m.Wasm, budget)
					g.restore(t, m, budget)
					if got := g.call(t, "f", p.n); got != want {
						t.Errorf("budget %d: result %#x, want %#x", budget, got, want)
					}
					if !bytes.Equal(g.memory(t), original.memory(t)) {
						t.Errorf("budget %d: memory differs", budget)
					}
					if m.Budget == "" {
						continue
					}
					// What was used does not depend on where the ticks fell.
					used := g.used + int64(budget) - int64(api.DecodeI32(g.mod.ExportedGlobal(m.Budget).Get()))
					if total == 0 {
						total = used
					}
					if used != total || used < int64(p.heads) {
						t.Errorf("budget %d: %d used, before %d, with %d loop heads", budget, used, total, p.heads)
					}
					if most := used / int64(budget); int64(g.ticks) > most || g.ticks == 0 && p.heads > 0 && used >= int64(budget)+int64(m.Census.MaxCharge) {
						t.Errorf("budget %d: %d ticks, %d used", budget, g.ticks, used)
					}
				}
			}
		})
	}
}

// TestBudgetOfZeroTicksAtOnce: a budget that is used up is found so at the first check, however
// far it is overdrawn, and what a tick hands out takes the guest to the next one.
func TestBudgetOfZeroTicksAtOnce(t *testing.T) {
	m, err := rewrite.Rewrite(build(programs[1].build), metered)
	if err != nil {
		t.Fatal(err)
	}
	for _, budget := range []int32{0, -1, math.MinInt32 + 2000} {
		g := start(t, m.Wasm, 1)
		g.mod.ExportedGlobal(m.Budget).(api.MutableGlobal).Set(api.EncodeI32(budget))
		if g.call(t, "f", 1000); g.ticks != 1000 { // each loop head; the entry leads straight to the first
			t.Errorf("budget %d: %d ticks of 1000", budget, g.ticks)
		}
	}
}

func TestModule(t *testing.T) {
	i := slices.IndexFunc(programs, func(p struct {
		name  string
		build func(b *builder)
		n     int32
		heads int
	}) bool {
		return strings.HasPrefix(p.name, "memory")
	})
	wasm := build(programs[i].build)
	m, err := rewrite.Rewrite(wasm, metered)
	if err != nil {
		t.Fatal(err)
	}
	if want := []rewrite.Global{
		{Name: "spore_global_0", Type: rewrite.I32, Init: 0xfffffffb},
		{Name: "spore_global_1", Type: rewrite.F64, Init: math.Float64bits(1.5)},
		{Name: "spore_global_2", Type: rewrite.I64, Init: 1 << 63},
		{Name: "spore_global_3", Type: rewrite.F32, Init: 0x3f800000},
	}; !slices.Equal(m.Globals, want) {
		t.Errorf("globals %+v, want %+v", m.Globals, want)
	}
	if m.Budget != "spore_budget" || m.MaxMemory != 8*65536 || len(m.Memory) != 2*65536 {
		t.Errorf("budget %q, memory of %d up to %d", m.Budget, len(m.Memory), m.MaxMemory)
	}
	if got := m.Memory[10:15]; string(got) != "heLLo" {
		t.Errorf("data %q", got)
	}
	if len(m.Imports) != 1 || m.Imports[0].Module != "spore" || m.Imports[0].Name != "tick" ||
		len(m.Imports[0].Params) != 0 || !slices.Equal(m.Imports[0].Results, []rewrite.ValueType{rewrite.I32}) {
		t.Errorf("imports %+v", m.Imports)
	}
	if len(m.Exports) != 1 || m.Exports[0].Name != "f" || !slices.Equal(m.Exports[0].Params, []rewrite.ValueType{rewrite.I32}) {
		t.Errorf("exports %+v", m.Exports)
	}
	want := rewrite.Census{
		Functions: 1, Instructions: 38, Loops: 1, MemoryGrow: 1, MemoryCopy: 1, MemoryFill: 1,
		Globals: 6, MutableGlobals: 4, ActiveData: 3, PassiveData: 1, DataBytes: 12,
	}
	if c := m.Census; c.Meters != 2 || c.Checks != 2 || c.MeteredEntries != 1 || c.MaxCharge < 20 || c.MaxUnchecked < c.MaxCharge {
		t.Errorf("meters: %+v", c)
	}
	m.Census.Meters, m.Census.Checks, m.Census.MeteredEntries, m.Census.MaxCharge, m.Census.MaxUnchecked = 0, 0, 0, 0, 0
	if m.Census != want {
		t.Errorf("census %+v, want %+v", m.Census, want)
	}
	if c, err := rewrite.Inspect(wasm); err != nil || c != want {
		t.Errorf("Inspect: %+v, %v", c, err)
	}

	// What is rewritten has the properties that it was rewritten for.
	again, err := rewrite.Inspect(m.Wasm)
	if err != nil {
		t.Fatal(err)
	}
	if again.ActiveData != 0 || again.PassiveData != 0 || again.MutableGlobals != 5 {
		t.Errorf("census of the result %+v", again)
	}
	if _, err := rewrite.Rewrite(m.Wasm, metered); err == nil {
		t.Error("a module that was rewritten is accepted, although its names are taken")
	}
}

func TestCustomSectionsAreDropped(t *testing.T) {
	b := newModule()
	b.fn("f", 1, nil, localGet, 0)
	wasm := append(b.bytes(), ops(0, str(ops(str("name"), "secret"[0], []byte("ecret"))))...)
	m, err := rewrite.Rewrite(wasm, rewrite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(m.Wasm, []byte("secret")) {
		t.Error("custom section is still there")
	}
	start(t, m.Wasm, 0)
}

// TestModuleWithoutGlobalsAndExports is about sections that have to be made.
func TestModuleWithoutGlobalsAndExports(t *testing.T) {
	b := new(builder)
	b.typ(nil, []byte{i32})
	b.importFunc("spore", "tick", 0)
	b.memory(0, 0)
	m, err := rewrite.Rewrite(b.bytes(), metered)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Memory) != 0 || m.MaxMemory != 4<<30 {
		t.Errorf("memory of %d up to %d", len(m.Memory), m.MaxMemory)
	}
	g := start(t, m.Wasm, 0)
	if g.mod.ExportedGlobal(m.Budget) == nil {
		t.Error("no budget")
	}
}

func TestRefused(t *testing.T) {
	body := func(code ...any) func(b *builder) {
		return func(b *builder) {
			b.table(funcref, 0, 1)
			b.fn("f", 1, nil, ops(code...), localGet, 0)
			b.add(9, ops(1, 0, vec(leb(1))))
			b.add(12, leb(1))
			b.add(11, ops(1, str("passive")))
		}
	}
	for _, test := range []struct {
		name    string
		build   func(b *builder)
		section string
		reason  string
	}{
		{"start", func(b *builder) {
			b.typ(nil, nil)
			b.add(8, leb(b.fn("", 2, nil)))
		}, "start", "a start function is not supported"},
		{"table.set", body(i32Const, 0, 0xd0, funcref, 0x26, 0), "code", "table.set: changing tables at run time is not supported"},
		{"table.grow", body(0xd0, funcref, i32Const, 1, 0xfc, 15, 0, drop), "code", "table.grow: changing tables at run time is not supported"},
		{"table.fill", body(i32Const, 0, 0xd0, funcref, i32Const, 1, 0xfc, 17, 0), "code", "table.fill: changing tables at run time is not supported"},
		{"table.copy", body(i32Const, 0, i32Const, 0, i32Const, 1, 0xfc, 14, 0, 0), "code", "table.copy: changing tables at run time is not supported"},
		{"table.init", body(i32Const, 0, i32Const, 0, i32Const, 1, 0xfc, 12, 0, 0), "code", "table.init: changing tables at run time is not supported"},
		{"elem.drop", body(0xfc, 13, 0), "code", "elem.drop: changing tables at run time is not supported"},
		{"memory.init", body(i32Const, 0, i32Const, 0, i32Const, 1, 0xfc, 8, 0, 0), "code", "memory.init: copying data segments at run time is not supported"},
		{"data.drop", body(0xfc, 9, 0), "code", "data.drop: dropping data segments at run time is not supported"},
		{"atomics", body(0xfe, 3, 0), "code", "unsupported opcode 0xfe"},
		{"tail calls", body(localGet, 0, 0x12, 1), "code", "unsupported opcode 0x12"},
		{"exceptions", body(0x06, void, end), "code", "unsupported opcode 0x06"},
		{"relaxed vectors", body(0xfd, 0x80, 0x02), "code", "unsupported opcode 0xfd 256"},
		{"unknown prefix", body(0xfc, 18), "code", "unsupported opcode 0xfc 18"},
		{"second memory in memory.grow", body(i32Const, 0, memoryGrow, 1), "code", "more than one memory is not supported"},
		{"second memory in a load", body(i32Const, 0, i32Load, 0x42, 1, 0), "code", "unsupported alignment 0x42"},
		{"the global that will be the budget", func(b *builder) {
			b.global(i32, 1, constI32(0))
			b.fn("f", 1, nil, globalGet, 1)
		}, "code", "global 1 of 1"},
		{"export of the global that will be the budget", func(b *builder) { b.export("x", 3, 0) }, "export", `export "x" of index 0 of 0`},
		{"two memories", func(b *builder) { b.memory(0, 1) }, "memory", "2 memories: exactly one is supported"},
		{"shared memory", func(b *builder) { b.sections[5] = [][]byte{{3, 1, 1}} }, "memory", "shared memory is not supported"},
		{"64-bit memory", func(b *builder) { b.sections[5] = [][]byte{{4, 1}} }, "memory", "64-bit memories and tables are not supported"},
		{"memory that is too long", func(b *builder) { b.sections[5] = [][]byte{ops(0, leb(65537))} }, "memory", "memory of more than 65536 pages"},
		{"memory that is costly", func(b *builder) { b.sections[5] = [][]byte{ops(0, leb(16385))} }, "memory", "initial memory of 1073807360 bytes: the most that is supported is 1073741824"},
		{"no memory", func(b *builder) { b.sections[5], b.sections[7] = nil, nil }, "module", "a module without memory is not supported"},
		{"imported memory", func(b *builder) { b.add(2, ops(str("env"), str("m"), 2, 0, 1)) }, "import", `import of memory "env"."m" is not supported`},
		{"imported table", func(b *builder) { b.add(2, ops(str("env"), str("t"), 1, funcref, 0, 1)) }, "import", `import of table "env"."t" is not supported`},
		{"imported global", func(b *builder) { b.add(2, ops(str("env"), str("g"), 3, i32, 0)) }, "import", `import of global "env"."g" is not supported`},
		{"mutable vector", func(b *builder) { b.global(v128, 1, ops(0xfd, 12, make([]byte, 16))) }, "global", "mutable global of type v128 is not supported"},
		{"mutable reference", func(b *builder) { b.global(funcref, 1, ops(0xd0, funcref)) }, "global", "mutable global of type funcref is not supported"},
		{"extended constant", func(b *builder) { b.global(i32, 0, ops(i32Const, 1, i32Const, 1, i32Add)) }, "global", "unsupported constant expression of more than one instruction"},
		{"data behind the end", func(b *builder) { b.data(0x1ffff, "xy") }, "data", "data segment lies outside the memory"},
		{"data at a negative offset", func(b *builder) { b.data(-1, "") }, "data", "data segment lies outside the memory"},
		{"reserved name", func(b *builder) { b.fn("spore_global_7", 1, nil, localGet, 0) }, "export", "the export name spore_global_7 is reserved"},
		{"tag section", func(b *builder) {}, "module", "unsupported section 13"},
		{"tick of the wrong type", func(b *builder) {
			b.sections[2] = nil
			b.importFunc("spore", "tick", 1)
		}, "import", "spore.tick is not of type () → i32"},
		{"no tick", func(b *builder) { b.sections[2] = nil }, "import", "spore.tick is not imported"},
	} {
		t.Run(test.name, func(t *testing.T) {
			wasm := build(test.build)
			if test.name == "tag section" {
				wasm = append(wasm, 13, 1, 0)
			}
			_, err := rewrite.Rewrite(wasm, metered)
			var e *rewrite.Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			if e.Section != test.section || e.Reason != test.reason {
				t.Errorf("refused: %s section: %s\n  want: %s section: %s", e.Section, e.Reason, test.section, test.reason)
			}
			if e.Offset < 0 || e.Offset > len(wasm) {
				t.Errorf("offset %d of %d", e.Offset, len(wasm))
			}
		})
	}
}

func TestErrorPointsAtTheInstruction(t *testing.T) {
	b := newModule()
	b.table(funcref, 0, 1)
	b.fn("f", 1, nil, i32Const, 0, 0xd0, funcref, 0x26, 0, localGet, 0)
	wasm := b.bytes()
	_, err := rewrite.Rewrite(wasm, metered)
	e := err.(*rewrite.Error)
	if want := bytes.Index(wasm, []byte{0xd0, funcref, 0x26}) + 2; e.Offset != want {
		t.Errorf("offset %#x, want %#x", e.Offset, want)
	}
	c, err := rewrite.Inspect(wasm)
	if err != nil || c.TableWrites != 1 {
		t.Errorf("Inspect: %+v, %v", c, err)
	}
}

// TestTruncated cuts modules at each byte: nothing panics, and what is accepted
// ends between two sections.
func TestTruncated(t *testing.T) {
	for _, p := range programs {
		wasm := build(p.build)
		for n := range wasm {
			if m, err := rewrite.Rewrite(wasm[:n], rewrite.Options{}); err == nil {
				if _, err := rewrite.Inspect(m.Wasm); err != nil {
					t.Errorf("%s: %d bytes are accepted and give a malformed module: %v", p.name, n, err)
				}
			} else if e := new(rewrite.Error); !errors.As(err, &e) {
				t.Errorf("%s: %d bytes: %v", p.name, n, err)
			}
		}
	}
}

func TestValueTypeString(t *testing.T) {
	want := "i32 i64 f32 f64 v128 funcref externref 0x01"
	var got []string
	for _, v := range []rewrite.ValueType{rewrite.I32, rewrite.I64, rewrite.F32, rewrite.F64, rewrite.V128, rewrite.FuncRef, rewrite.ExternRef, 1} {
		got = append(got, v.String())
	}
	if s := strings.Join(got, " "); s != want {
		t.Errorf("%s, want %s", s, want)
	}
}
