package engine_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/sporeengine/spore/engine"
	. "github.com/sporeengine/spore/engine/internal/wasmtest"
	"github.com/sporeengine/spore/runtimes"
)

// TestLiarsThatAreNoRuntime: modules that break the ABI before they run are
// refused when they are first needed, every time, with an error that says why.
func TestLiarsThatAreNoRuntime(t *testing.T) {
	var cases []liar
	odd := func(name, says string, change func(m *Module)) {
		cases = append(cases, liar{name: name, when: "boot", change: change, want: "refused", says: says})
	}
	of := func(m *Module, export string) *Func {
		return &m.Funcs[slices.IndexFunc(m.Funcs, func(f Func) bool { return f.Name == export })]
	}
	for _, export := range []string{"_initialize", "spore_control", "spore_boot", "spore_load", "spore_seal", "spore_call", "spore_settle", "spore_tidy", "spore_reserve"} {
		odd("without "+export, `does not export the function "`+export+`"`, func(m *Module) { of(m, export).Name = "" })
		odd(export+" with a parameter more", `exports "`+export+`" with the type`, func(m *Module) {
			f := of(m, export)
			f.Type.Params = append(slices.Clone(f.Type.Params), I32)
		})
		odd(export+" with another result", `exports "`+export+`" with the type`, func(m *Module) {
			f := of(m, export)
			f.Type.Results = []byte{I64}
			f.Body = Unreachable()
		})
	}
	odd("spore_call without a result", `"spore_call" with the type (i32, i32) → ()`, func(m *Module) {
		f := of(m, "spore_call")
		f.Type.Results, f.Body = nil, nil
	})
	odd("spore_call that is a global", "spore_call", func(m *Module) {
		of(m, "spore_call").Name = ""
		m.Exports = append(m.Exports, Export{Name: "spore_call", Kind: 3, Index: 0})
	})
	odd("an export that is there twice", "", func(m *Module) {
		m.Exports = append(m.Exports, Export{Name: "spore_call", Kind: 3, Index: 0})
	})
	void := Type{}
	imp := func(module, name string, typ Type) func(m *Module) {
		return func(m *Module) { m.Imports[FnOpen] = Import{Module: module, Name: name, Type: typ} }
	}
	odd("an import from elsewhere", "env.system", imp("env", "system", void))
	odd("an import that spore does not have", "spore.exec", imp("spore", "exec", void))
	odd("an import of another type", "spore.take", func(m *Module) { m.Imports[FnTake].Type.Params = []byte{I64} })
	odd("tick of another type", "tick", func(m *Module) { m.Imports[FnTick].Type = void })
	odd("without tick", "tick", func(m *Module) { m.Imports[FnTick].Name = "tock" })
	odd("WASI of another type", "fd_write", func(m *Module) { m.Imports[FnWrite].Type.Params = nil })
	odd("WASI without an error number", "", imp("wasi_snapshot_preview1", "path_link", void))
	odd("a start function", "start", func(m *Module) { m.Start = []uint32{FnInitialize} })
	odd("without memory", "memor", func(m *Module) { m.Memory, m.Exports, m.Data = nil, nil, nil })
	odd("memory of 200 TiB", "", func(m *Module) { m.Memory = Pages(0xffffffff, 0xffffffff) })
	odd("memory of 4 GiB", "", func(m *Module) { m.Memory = Pages(65536, 65536) })
	odd("memory with less than its data", "data", func(m *Module) { m.Memory = Pages(0, 1) })
	odd("data behind the memory", "data", func(m *Module) { m.Data = append(m.Data, Data{At: 8<<16 - 2, Bytes: "abc"}) })
	odd("data at 4 GiB", "data", func(m *Module) { m.Data = append(m.Data, Data{At: 0xfffffffe, Bytes: "abc"}) })
	odd("table with functions that are not there", "", func(m *Module) { m.Table = append(m.Table, 9999) })
	odd("table that is written", "table", func(m *Module) { of(m, "spore_seal").Body = Code{0x41, 0, 0xd2, 0, 0x26, 0, 0x41, 0} })
	odd("vector in a global", "", func(m *Module) {
		m.Globals = append(m.Globals, Global{Type: 0x7b, Mutable: true, Init: append(Code{0xfd, 12}, make(Code, 16)...)})
	})
	odd("the budget under its own name", "spore_budget", func(m *Module) {
		m.Exports = append(m.Exports, Export{Name: "spore_budget", Kind: 3, Index: 0})
	})
	odd("a body that does not end", "", func(m *Module) { of(m, "spore_seal").Body = Code{0x02, 0x40} })
	odd("a body that is not valid", "", func(m *Module) { of(m, "spore_seal").Body = Code{0x6a} })
	odd("a global set that is the budget's", "", func(m *Module) { of(m, "spore_seal").Body = Seq(SetGlobal(3, Const(1<<30)), Const(0)) })
	cases = append(cases, liar{name: "memory beyond the limit", when: "boot", want: "limit Memory",
		change: func(m *Module) { m.Memory = Pages(65, 70) }})
	runLiars(t, cases)
}

// TestRuntimesThatAreDamaged: what is wrong with a runtime, as opposed to its
// module, is said by New, or when it is first needed.
func TestRuntimesThatAreDamaged(t *testing.T) {
	pack := func(wasm []byte) runtimes.Runtime {
		rt := Guest{}.Runtime()
		enc, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer enc.Close()
		rt.Module, rt.SHA256 = enc.EncodeAll(wasm, nil), sha256.Sum256(wasm)
		return rt
	}
	wasm := Guest{}.Wasm()
	for name, c := range map[string]struct {
		edit   func(rt *runtimes.Runtime)
		config bool // New refuses it
		says   string
	}{
		"another ABI":          {func(rt *runtimes.Runtime) { rt.ABI = 2 }, true, "version 2 of the guest ABI"},
		"no language":          {func(rt *runtimes.Runtime) { rt.Language = "" }, true, "no language"},
		"no module":            {func(rt *runtimes.Runtime) { rt.Module = nil }, true, "no module"},
		"extension of another": {func(rt *runtimes.Runtime) { rt.Extensions = []string{"raw"} }, true, `two runtimes for "raw"`},
		"not compressed":       {func(rt *runtimes.Runtime) { rt.Module = wasm }, false, "magic"},
		"cut off":              {func(rt *runtimes.Runtime) { rt.Module = rt.Module[:len(rt.Module)/2] }, false, "decompress"},
		"another digest":       {func(rt *runtimes.Runtime) { rt.SHA256[0]++ }, false, "digest"},
		"not WebAssembly":      {func(rt *runtimes.Runtime) { *rt = pack([]byte("#!/bin/sh")) }, false, "rewrite"},
		"half a module":        {func(rt *runtimes.Runtime) { *rt = pack(wasm[:len(wasm)/2]) }, false, "rewrite"},
		"a bomb":               {func(rt *runtimes.Runtime) { *rt = pack(make([]byte, 257<<20)) }, false, "digest"},
		"nothing":              {func(rt *runtimes.Runtime) { *rt = pack(nil) }, false, "rewrite"},
	} {
		t.Run(name, func(t *testing.T) {
			rt := pack(wasm)
			c.edit(&rt)
			e, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{rt}})
			if c.config {
				if !errors.Is(err, engine.ErrConfig) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("New: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			for range 2 {
				_, err := e.Compile(t.Context(), engine.Source{Language: "raw", Code: bytes.Repeat([]byte("x"), 10)})
				if err == nil || !strings.Contains(err.Error(), "prepare the raw runtime") || !strings.Contains(err.Error(), c.says) {
					t.Errorf("Compile: %v, want %q", err, c.says)
				}
			}
		})
	}
}
