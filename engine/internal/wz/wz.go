// Package wz runs guests on wazero. It is the only package that knows wazero;
// a second backend is a second package with the same face.
//
// The package turns a rewritten module into [Code] (machine code) and makes
// [Worker] values of it. A worker is a module instance without a memory of its
// own: it is bound to the memory of one guest after another, which costs about
// a tenth of a microsecond, so that few workers serve many guests.
package wz

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/sporeengine/spore/snapshot/rewrite"
)

// Version identifies the backend in cache keys.
const Version = "wazero/1.12.0/1"

// Code is a module compiled to machine code with its imports linked. It is safe
// for concurrent use.
type Code struct {
	module   *rewrite.Module
	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	compiled wazero.CompiledModule
}

// Compile compiles m. With a non-empty cacheDir machine code is read from and
// written to that directory, which only this program may be able to write:
// whoever can write there can run code in this process.
//
// With interpret the module is not compiled but interpreted, which takes thirty
// times as long and should make no other difference: tests compare the two.
func Compile(ctx context.Context, m *rewrite.Module, cacheDir string, interpret bool) (_ *Code, err error) {
	cfg := wazero.NewRuntimeConfig()
	if interpret {
		cfg, cacheDir = wazero.NewRuntimeConfigInterpreter(), ""
	}
	cfg = cfg.WithDebugInfoEnabled(false)
	c := &Code{module: m}
	if cacheDir != "" {
		if c.cache, err = wazero.NewCompilationCacheWithDir(cacheDir); err != nil {
			return nil, err
		}
		cfg = cfg.WithCompilationCache(c.cache)
	}
	c.runtime = wazero.NewRuntimeWithConfig(ctx, cfg)
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	if err := c.link(ctx); err != nil {
		return nil, err
	}
	ctx = experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0))
	if c.compiled, err = c.runtime.CompileModule(ctx, m.Wasm); err != nil {
		return nil, fmt.Errorf("compile module: %w", err)
	}
	return c, nil
}

// Close releases the code. No worker may be running.
func (c *Code) Close() error {
	ctx := context.Background()
	err := c.runtime.Close(ctx)
	if c.cache != nil {
		err = errors.Join(err, c.cache.Close(ctx))
	}
	return err
}

// link makes the host modules that m imports: every function it names gets the
// host's implementation, if the signatures agree.
func (c *Code) link(ctx context.Context) error {
	builders := map[string]wazero.HostModuleBuilder{}
	var order []string
	for _, imp := range c.module.Imports {
		params, results := valueTypes(imp.Params), valueTypes(imp.Results)
		fn, err := hostFunction(imp.Module, imp.Name, params, results)
		if err != nil {
			return err
		}
		b := builders[imp.Module]
		if b == nil {
			b = c.runtime.NewHostModuleBuilder(imp.Module)
			builders[imp.Module] = b
			order = append(order, imp.Module)
		}
		cost := importCost
		if imp.Module == "spore" && imp.Name == "tick" {
			cost = 0 // it is the end of a budget, not work
		}
		call := func(ctx context.Context, stack []uint64) {
			w := ctx.(*workerContext).worker
			w.charge(cost)
			fn(w, stack)
		}
		b.NewFunctionBuilder().WithGoFunction(api.GoFunc(call), params, results).Export(imp.Name)
	}
	for _, name := range order {
		if _, err := builders[name].Instantiate(ctx); err != nil {
			return fmt.Errorf("link module %q: %w", name, err)
		}
	}
	return nil
}

func valueTypes(in []rewrite.ValueType) []api.ValueType {
	out := make([]api.ValueType, len(in))
	for i, t := range in {
		out[i] = api.ValueType(t)
	}
	return out
}
