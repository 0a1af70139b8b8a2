package guest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/tensor"
	"github.com/sporeengine/spore/hostfuncs"
)

// A world is an engine and what its components are granted.
type world struct {
	engine *engine.Engine
	pool   *gpu.Pool
	grants hostfuncs.Set

	mu     sync.Mutex
	calls  []string                // of functions, since the last reset; guarded by mu
	evals  []eval                  // guarded by mu
	before func(name string) error // is asked before each call, if it is not nil
}

// An eval is a call of gpu.eval and its results.
type eval struct {
	program         *tensor.Program
	inputs, outputs [][]byte
}

// watched returns f, whose calls are noted.
func (w *world) watched(f hostfuncs.Func) hostfuncs.Func {
	g := hostfuncs.Raw(f.Name, f.Doc, func(ctx context.Context, v hostfuncs.Value) (hostfuncs.Value, error) {
		w.mu.Lock()
		w.calls = append(w.calls, f.Name)
		w.mu.Unlock()
		if w.before != nil {
			if err := w.before(f.Name); err != nil {
				return hostfuncs.Value{}, err
			}
		}
		r, err := f.Call(ctx, v)
		if f.Name == "gpu.eval" && err == nil {
			var a struct {
				Program buffer   `json:"program"`
				Inputs  []buffer `json:"inputs"`
			}
			if err := json.Unmarshal(v.JSON, &a); err != nil {
				return r, err
			}
			p, err := tensor.Decode(v.Buffers[a.Program.Index], tensor.Limits{})
			if err != nil {
				return r, err
			}
			e := eval{program: p, outputs: r.Buffers}
			for _, b := range a.Inputs {
				e.inputs = append(e.inputs, bytes.Clone(v.Buffers[b.Index]))
			}
			w.mu.Lock()
			w.evals = append(w.evals, e)
			w.mu.Unlock()
		}
		return r, err
	})
	g.Timeout, g.MaxArg, g.MaxResult = f.Timeout, f.MaxArg, f.MaxResult
	return g
}

// reset forgets what was called.
func (w *world) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls, w.evals = nil, nil
}

// count returns how often a function was called since the last reset.
func (w *world) count(name string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		if c == name {
			n++
		}
	}
	return n
}

// checkPrograms compares the results of the programs that were evaluated with those of the oracle, unless they have
// constants, and that ops are all among them.
func (w *world) checkPrograms(t *testing.T, ops []tensor.Op) {
	t.Helper()
	seen := map[tensor.Op]bool{}
	compared := 0
	for _, e := range w.evals {
		for _, n := range e.program.Nodes() {
			seen[n.Op] = true
		}
		if len(e.program.Constants()) > 0 {
			continue
		}
		want, err := oracle.Eval(e.program, e.inputs, nil)
		require.NoError(t, err)
		for i, typ := range e.program.Outputs() {
			require.True(t, close(typ, e.outputs[i], want[i], true), "%v: %x, want %x", e.program.Nodes(), e.outputs[i], want[i])
			compared++
		}
	}
	require.Positive(t, compared)
	for _, op := range ops {
		require.True(t, seen[op], "%s was not evaluated", op)
	}
}

// newWorld makes a world with a pool of its own.
func newWorld(t testing.TB, e *engine.Engine, cfg gpu.Config, opts gpu.Options) *world {
	t.Helper()
	p, err := gpu.NewPool(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	w := &world{engine: e, pool: p}
	m := gpu.Module(p, opts)
	for i := range m.Functions {
		m.Functions[i] = w.watched(m.Functions[i])
	}
	w.grants, err = hostfuncs.Set{}.WithModules(m)
	require.NoError(t, err)
	return w
}

// eachWorld runs f in each isolation mode.
func eachWorld(t *testing.T, f func(t *testing.T, w *world)) {
	t.Run("in process", func(t *testing.T) { f(t, newWorld(t, shared, gpu.Config{}, gpu.Options{})) })
	t.Run("subprocess", func(t *testing.T) {
		e, err := engine.New(engine.Config{Runtimes: allRuntimes(), Isolation: engine.Subprocess, Workers: 1, Limits: patient, CacheDir: cacheDir})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, e.Close()) })
		f(t, newWorld(t, e, gpu.Config{}, gpu.Options{}))
	})
}

func (w *world) compile(t testing.TB, name, code string) *engine.Component {
	t.Helper()
	c, err := w.engine.Compile(t.Context(), engine.Source{Name: name, Code: []byte(code), Modules: w.grants.Modules()})
	if se, ok := err.(*engine.SourceError); ok {
		t.Fatalf("%+v", se.Diagnostics)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// render renders a component and decodes its result into out.
func (w *world) render(t testing.TB, c *engine.Component, props, out any) {
	t.Helper()
	r, err := c.Render(t.Context(), props, w.options())
	require.NoError(t, err)
	require.NoError(t, r.Decode(out))
}

func (w *world) options() *engine.Options { return &engine.Options{Grants: w.grants, Tenant: "t"} }
