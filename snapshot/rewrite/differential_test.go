package rewrite_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/sporeengine/spore/snapshot/rewrite"
)

// A run is what calls of a generated module's functions did.
type run struct {
	outcomes []string // results or traps
	memory   []byte
	globals  []uint64
	count    uint64 // instructions executed, if the module counts
	used     int64  // of the budget
}

// runGenerated calls every function of a module twice. m is what wasm was
// rewritten from, nil for an original, and budget what each tick returns.
func runGenerated(t *testing.T, cfg wazero.RuntimeConfig, gen generated, m *rewrite.Module, budget int32) *run {
	t.Helper()
	ctx := t.Context()
	// A rewritten module leaves the limit of its memory to the engine.
	rt := wazero.NewRuntimeWithConfig(ctx, cfg.WithMemoryLimitPages(genPages))
	defer rt.Close(context.Background())
	g := new(guest)
	tick := func(_ context.Context, m api.Module) int32 {
		g.used += int64(budget) - int64(api.DecodeI32(m.ExportedGlobal("spore_budget").Get()))
		return budget
	}
	if _, err := rt.NewHostModuleBuilder("spore").NewFunctionBuilder().WithFunc(tick).Export("tick").Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	calls := uint32(0)
	f := func(a uint64, b float64) uint32 { calls++; return uint32(a) ^ calls*0x9e3779b9 }
	if _, err := rt.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(f).Export("f").Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	wasm := gen.wasm
	if m != nil {
		wasm = m.Wasm
	}
	var err error
	if g.mod, err = rt.Instantiate(ctx, wasm); err != nil {
		t.Fatalf("a generated module is not valid: %v", err)
	}
	if m != nil {
		g.restore(t, m, budget)
	}
	out := new(run)
	seed := uint64(1)
	for i := range 2 * len(gen.exports) {
		sig := gen.exports[i%len(gen.exports)]
		args := make([]uint64, max(len(sig.params), len(sig.results)))
		for k, p := range sig.params {
			seed = seed*6364136223846793005 + 1442695040888963407
			switch args[k] = seed >> 20; p {
			case i32:
				args[k] = uint64(uint32(args[k]))
			case f32:
				args[k] = api.EncodeF32(float32(args[k]) / 3)
			case f64:
				args[k] = api.EncodeF64(float64(args[k]) / 3)
			}
		}
		results, err := g.mod.ExportedFunction(fmt.Sprint("f", i%len(gen.exports))).Call(ctx, args[:len(sig.params)]...)
		if err != nil {
			text, _, _ := strings.Cut(err.Error(), "\n")
			out.outcomes = append(out.outcomes, text)
			continue
		}
		for k, r := range sig.results {
			if r == i32 || r == f32 {
				results[k] = uint64(uint32(results[k]))
			}
		}
		out.outcomes = append(out.outcomes, fmt.Sprint(results))
	}
	out.memory = bytes.Clone(g.memory(t))
	for i := 2; ; i++ {
		gl := g.mod.ExportedGlobal("g" + string(rune('0'+i)))
		if gl == nil {
			break
		}
		if gl.Type() != api.ValueType(v128) {
			out.globals = append(out.globals, gl.Get())
		}
	}
	out.count = g.mod.ExportedGlobal(genCount).Get()
	if m != nil && m.Budget != "" {
		out.used = g.used + int64(budget) - int64(api.DecodeI32(g.mod.ExportedGlobal(m.Budget).Get()))
	}
	return out
}

func (r *run) diff(o *run) string {
	switch {
	case fmt.Sprint(r.outcomes) != fmt.Sprint(o.outcomes):
		return fmt.Sprintf("results %v and %v", r.outcomes, o.outcomes)
	case !bytes.Equal(r.memory, o.memory):
		return "memory"
	case fmt.Sprint(r.globals) != fmt.Sprint(o.globals):
		return fmt.Sprintf("globals %v and %v", r.globals, o.globals)
	case r.count != o.count:
		return fmt.Sprintf("counts %d and %d", r.count, o.count)
	}
	return ""
}

// FuzzDifferential generates modules. The original, on wazero's interpreter, and
// the rewritten one, on its compiler, do the same, whatever the budget; what is
// used of it does not depend on it, and is no less than what was executed.
func FuzzDifferential(f *testing.F) {
	for i := range 60 {
		f.Add(binary.LittleEndian.AppendUint32(nil, uint32(i*i)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, count := range []bool{false, true} {
			gen := randomModule(newSource(b), count)
			m, err := rewrite.Rewrite(gen.wasm, metered)
			if err != nil {
				t.Fatalf("a generated module is refused: %v", err)
			}
			original := runGenerated(t, wazero.NewRuntimeConfigInterpreter(), gen, nil, 0)
			used := int64(0)
			for _, budget := range []int32{1, 50, 1000, 1 << 30} {
				rewritten := runGenerated(t, wazero.NewRuntimeConfig(), gen, m, budget)
				if d := original.diff(rewritten); d != "" {
					t.Fatalf("budget %d: original and rewritten differ: %s", budget, d)
				}
				if used == 0 {
					used = rewritten.used
				}
				// An instruction is counted by four others.
				if rewritten.used != used || used < 5*int64(original.count) {
					t.Fatalf("budget %d: %d used, before %d, %d executed", budget, rewritten.used, used, 5*original.count)
				}
			}
		}
	})
}
