// Precompile turns the bundled prelude into QuickJS bytecode, by running the
// compiler that build.sh has built from shim/compile.c.
//
//	go run ./runtimes/javascript/build/precompile compile.wasm prelude.js prelude.bin
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: precompile compile.wasm input-file output-file")
		os.Exit(2)
	}
	if err := precompile(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "precompile:", err)
		os.Exit(1)
	}
}

func precompile(ctx context.Context, compiler, input, output string) error {
	wasm, err := os.ReadFile(compiler)
	if err != nil {
		return err
	}
	code, err := os.ReadFile(input)
	if err != nil {
		return err
	}
	code = append(code, 0)

	rt := wazero.NewRuntime(ctx)
	defer rt.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, rt)
	m, err := rt.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	if err != nil {
		return err
	}
	call := func(name string, args ...uint64) uint64 {
		var r []uint64
		if err == nil {
			r, err = m.ExportedFunction(name).Call(ctx, args...)
		}
		if err != nil {
			return 0
		}
		return r[0]
	}
	at := call("source", uint64(len(code)))
	if err == nil && !m.Memory().Write(uint32(at), code) {
		err = errors.New("no memory for the source")
	}
	result := call("compile", at, uint64(len(code)))
	length := call("bytecode_length")
	if err != nil {
		return err
	}
	bytecode, ok := m.Memory().Read(uint32(result), uint32(length))
	if result == 0 || !ok || length == 0 {
		return errors.New("the prelude does not compile")
	}
	return os.WriteFile(output, bytecode, 0o644)
}
