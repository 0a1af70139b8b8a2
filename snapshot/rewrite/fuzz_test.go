package rewrite_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/sporeengine/spore/snapshot/rewrite"
)

// FuzzRewrite rewrites arbitrary bytes. It never panics, refuses with an
// *rewrite.Error, and what it accepts is valid after it exactly if it was valid
// before: the result of a valid module compiles, and nothing that was added
// makes an invalid one valid. Custom sections do not count, although wazero
// refuses a malformed name section.
func FuzzRewrite(f *testing.F) {
	for _, p := range programs {
		f.Add(build(p.build))
	}
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	f.Cleanup(func() { rt.Close(ctx) })
	valid := func(wasm []byte) error {
		m, err := rt.CompileModule(ctx, wasm)
		if err == nil {
			m.Close(ctx)
		}
		return err
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if initialMemory(wasm) > 1<<24 {
			return // it would be allocated, time and again
		}
		_, inspectErr := rewrite.Inspect(wasm)
		for _, opt := range []rewrite.Options{{}, metered} {
			m, err := rewrite.Rewrite(wasm, opt)
			if err != nil {
				if e := new(rewrite.Error); !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(wasm) {
					t.Fatalf("error %#v", err)
				}
				continue
			}
			if inspectErr != nil {
				t.Fatalf("accepted by Rewrite, malformed for Inspect: %v", inspectErr)
			}
			before, after := valid(withoutCustom(wasm)), valid(m.Wasm)
			if (before == nil) != (after == nil) {
				t.Fatalf("validity before: %v\nand after: %v", before, after)
			}
			if after == nil {
				c, err := rewrite.Inspect(m.Wasm)
				if err != nil || c.ActiveData+c.PassiveData != 0 || c.Loops != m.Census.Loops+addedLoops(m) {
					t.Fatalf("result: %+v, %v", c, err)
				}
			}
		}
	})
}

// addedLoops is how many loops are in the functions that Rewrite adds.
func addedLoops(m *rewrite.Module) int {
	if m.Budget == "" || m.Census.Functions == 0 {
		return 0
	}
	return 3
}

// initialMemory returns the initial memory in bytes that a module declares.
func initialMemory(wasm []byte) uint64 {
	var most uint64
	eachSection(wasm, func(id byte, _, body []byte) {
		if id == 5 && len(body) > 2 {
			pages, _ := binary.Uvarint(body[2:])
			most = max(most, pages*65536)
		}
	})
	return most
}

// withoutCustom returns a module without its custom sections.
func withoutCustom(wasm []byte) []byte {
	out := slices.Clone(wasm[:8])
	eachSection(wasm, func(id byte, section, _ []byte) {
		if id != 0 {
			out = append(out, section...)
		}
	})
	return out
}

// eachSection calls f for each section, whole and without its head, up to the
// first that is malformed.
func eachSection(wasm []byte, f func(id byte, section, body []byte)) {
	for i := 8; i < len(wasm); {
		size, n := binary.Uvarint(wasm[i+1:])
		if n <= 0 || size > uint64(len(wasm)-i-1-n) {
			return
		}
		end := i + 1 + n + int(size)
		f(wasm[i], wasm[i:end], wasm[i+1+n:end])
		i = end
	}
}
