package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/engine/internal/wz"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/snapshot"
)

// Source is a component as its author, often a model, wrote it.
type Source struct {
	// Language selects the runtime: a language such as "python", or a dialect
	// that is a file extension of one, such as "tsx". If empty, the extension
	// of Name decides.
	Language string
	// Name is the file name in error messages and stack traces.
	Name string
	Code []byte
	// Tenant says whose component it is: see [Options.Tenant].
	Tenant string
	// Modules are what the component can import beside what its language offers, most often
	// [hostfuncs.Set.Modules] of what its calls will be granted. Those that it imports become part of its image. They are
	// trusted: Limits.Source does not count them.
	Modules []hostfuncs.Module
}

// A Component is compiled source: an immutable image that renders start from.
type Component struct {
	engine    *Engine
	language  *language
	prepared  *prepared
	tenant    string // whose calls count as, if they do not say
	meta      componentMeta
	positions *positions
	snapshot  *snapshot.Snapshot
	image     *imageEntry
	closed    atomic.Bool
	block     *block // the next instances come from; guarded by Engine.instances.mu
}

// componentMeta is what a snapshot of a component says beside its memory.
type componentMeta struct {
	Language  string `json:"language"`
	Name      string `json:"name"`
	SourceMap []byte `json:"sourceMap,omitempty"`
	// Modules of the embedder that the interpreter knows.
	Modules []string `json:"modules,omitempty"`
}

// Compile runs src up to the point where it can render and keeps the image.
//
// While it is compiled a component has a fixed clock and a fixed random seed,
// so equal sources give equal images. Source that cannot be parsed is a
// [*SourceError], an exception at its top level a [*GuestError], and more work
// there than the engine's limits allow a [*LimitError]. Modules that cannot be offered are an error that wraps
// [hostfuncs.ErrModule].
//
// Every call does the whole work, some milliseconds: keep the component.
//
// The first use of a language compiles its interpreter, which takes a second
// or more; see [Config.CacheDir].
func (e *Engine) Compile(ctx context.Context, src Source) (*Component, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	l, err := e.language(&src)
	if err != nil {
		return nil, err
	}
	src.Name = cmp.Or(src.Name, "component")
	ctx, end := e.trace(ctx, Op{Kind: OpCompile, Tenant: src.Tenant, Language: l.runtime.Language, Component: src.Name})
	var used Usage
	c, err := e.compile(ctx, l, src, &used)
	e.tenants.compiled(src.Tenant, &used, err)
	end(Outcome{Err: err, Component: c, Usage: used})
	return c, err
}

// compile is Compile with a language. used gets what the guest has used.
func (e *Engine) compile(ctx context.Context, l *language, src Source, used *Usage) (*Component, error) {
	if int64(len(src.Code)+len(src.Name)) > e.cfg.Limits.Source {
		return nil, &LimitError{Limit: limitSource, Max: e.cfg.Limits.Source}
	}
	modules, err := l.modules(src.Modules)
	if err != nil {
		return nil, err
	}
	if err := e.admit(ctx, src.Tenant, e.cfg.Limits.Memory); err != nil {
		return nil, err
	}
	defer e.dismiss(src.Tenant, e.cfg.Limits.Memory)
	if e.cfg.Isolation == Subprocess {
		return e.compileRemote(ctx, l, src, modules, used)
	}
	return e.compileHere(ctx, l, src, modules, used)
}

// compileHere is the part of Compile that runs where the guest does.
func (e *Engine) compileHere(ctx context.Context, l *language, src Source, modules []runtimes.Module, used *Usage) (*Component, error) {
	code := src.Code
	meta := componentMeta{Language: l.runtime.Language, Name: src.Name}
	if lower := linking(l.runtime.Lower, l.runtime.Link, modules); lower != nil {
		lowered, err := e.lower(ctx, lower, src)
		if err != nil {
			return nil, err
		}
		code, meta.SourceMap, meta.Modules = lowered.Code, lowered.SourceMap, lowered.Modules
	}
	p, err := l.prepare(ctx)
	if err != nil {
		return nil, err
	}
	return e.boot(ctx, l, p, src.Tenant, meta, code, used)
}

// lower runs a language's Lower or LowerCell, which is Go code that cannot be stopped. A
// source that keeps it busy for longer than CompileTime costs a processor until
// it is done, so no more than lowerers of them run at once; neither the caller
// nor Close waits for it.
func (e *Engine) lower(ctx context.Context, lower func(string, []byte) (runtimes.Lowered, []runtimes.Diagnostic), src Source) (runtimes.Lowered, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, e.cfg.Limits.CompileTime,
		&LimitError{Limit: limitCompileTime, Max: int64(e.cfg.Limits.CompileTime)})
	defer cancel()
	ended := func() error {
		if le, ok := context.Cause(ctx).(*LimitError); ok {
			return le
		}
		return fmt.Errorf("engine: compile: %w", ctx.Err())
	}
	if err := e.wait(ctx, e.lowering, src.Tenant, oneWorker, "the parser"); err != nil {
		if ctx.Err() != nil {
			err = ended()
		}
		return runtimes.Lowered{}, err
	}
	type result struct {
		lowered     runtimes.Lowered
		diagnostics []runtimes.Diagnostic
	}
	done := make(chan result, 1)
	go func() {
		defer func() {
			e.lowering.Release(src.Tenant, oneWorker)
			// On a goroutine of its own a panic would end the program.
			if p := recover(); p != nil {
				done <- result{diagnostics: []runtimes.Diagnostic{{File: src.Name, Text: fmt.Sprintf("the parser failed: %v", p)}}}
			}
		}()
		lowered, diagnostics := lower(src.Name, src.Code)
		done <- result{lowered, diagnostics}
	}()
	select {
	case r := <-done:
		if len(r.diagnostics) > 0 {
			return runtimes.Lowered{}, &SourceError{r.diagnostics}
		}
		return r.lowered, nil
	case <-ctx.Done():
		return runtimes.Lowered{}, ended()
	}
}

// boot loads code into a guest that starts from the runtime's image, and makes
// a component of what comes out.
func (e *Engine) boot(ctx context.Context, l *language, p *prepared, tenant string, meta componentMeta, code []byte, used *Usage) (*Component, error) {
	lease := &lease{language: l, prepared: p, tenant: tenant}
	if err := lease.acquire(ctx); err != nil {
		return nil, err
	}
	defer lease.release()
	mem, err := p.base.memory.NewMemory()
	if err != nil {
		return nil, err
	}
	defer mem.Close()
	g := e.newGuest(p, e.cfg.Limits, limitCompileTime)
	g.ctx, g.memory, g.globals, g.fixed = ctx, mem, append([]uint64(nil), p.base.globals...), newFixedEnv(bootTime, bootSeed)
	g.console.name = meta.Name
	if err := g.attach(lease.worker); err != nil {
		return nil, err
	}
	name := []byte(meta.Name)
	pos := newPositions(meta.Name, meta.SourceMap)
	err = g.load(lease.worker, pos, name, code)
	g.detach(lease.worker)
	lease.broken = g.broken
	*used = Usage{Guest: e.cfg.Limits.CompileTime - g.left, Memory: int64(len(mem.Bytes())), Fuel: e.cfg.Limits.Fuel - g.fuel, HostCalls: e.cfg.Limits.HostCalls - max(g.calls, 0)}
	if err != nil {
		return nil, err
	}
	metaJSON, err := json.Marshal(meta)
	if err != nil {
		return nil, err
	}
	changed, err := mem.AppendChanged([]int32{})
	if err != nil {
		return nil, err
	}
	s, err := snapshot.New(snapshot.Params{
		Runtime:    l.runtime.SHA256,
		Base:       p.base.digest,
		BaseMemory: p.base.memory.Bytes(),
		Memory:     mem.Bytes(),
		Changed:    changed,
		Globals:    g.globals,
		Meta:       metaJSON,
	})
	if err != nil {
		return nil, err
	}
	m, err := snapshot.NewImage(mem.Bytes(), e.cfg.Limits.Memory)
	if err != nil {
		return nil, err
	}
	c := e.newComponent(l, p, meta, pos, s, &image{memory: m, globals: g.globals, digest: s.Digest()})
	c.tenant = tenant
	return c, nil
}

// load runs the exports that load a component and seal the guest.
func (g *guest) load(w *wz.Worker, pos *positions, name, code []byte) error {
	err := g.setup(w, pos, abi.Load, [][]byte{name, code}, uint32(len(name)), uint32(len(code)))
	if err != nil {
		return err
	}
	return g.setup(w, nil, abi.Seal, nil)
}

// newComponent registers a component. One that is rendered in worker processes
// has no prepared, positions and img.
func (e *Engine) newComponent(l *language, p *prepared, meta componentMeta, pos *positions, s *snapshot.Snapshot, img *image) *Component {
	c := &Component{engine: e, language: l, prepared: p, meta: meta, positions: pos, snapshot: s}
	if img != nil {
		c.image = &imageEntry{build: func() (*image, error) { return l.newImage(s, p.base) }}
		e.images.add(c.image, img)
	}
	e.counters.compiles.Add(1)
	e.counters.components.Add(1)
	e.components.add(c)
	return c
}

// Snapshot returns the image of c, to be stored and given to [Engine.Load]
// elsewhere. It holds what differs from the image of the runtime, and in it the
// component's source can be read. The caller closes it.
func (c *Component) Snapshot(ctx context.Context) (*snapshot.Snapshot, error) {
	if c.closed.Load() || c.engine.closing.Load() {
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return c.snapshot.Clone()
}

// Load returns the component whose image is s, without running its source. s
// came from [Component.Snapshot], perhaps in another process; it may be closed
// once Load returns. A forged image can do what guest code can do and no more,
// but it can be any component: authenticate what crosses a trust boundary.
func (e *Engine) Load(ctx context.Context, s *snapshot.Snapshot) (*Component, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	var meta componentMeta
	if err := json.Unmarshal(s.Meta(), &meta); err != nil {
		return nil, fmt.Errorf("%w: it has no description of a component: %v", ErrMismatch, err)
	}
	if err := checkModules(meta.Modules); err != nil {
		return nil, fmt.Errorf("%w: it has %v", ErrMismatch, err)
	}
	l := e.languages[meta.Language]
	if l == nil {
		return nil, fmt.Errorf("%w: %q", ErrNoRuntime, meta.Language)
	}
	ctx, end := e.trace(ctx, Op{Kind: OpLoad, Language: meta.Language, Component: meta.Name, Digest: s.Digest()})
	c, err := e.load(ctx, l, meta, s)
	end(Outcome{Err: err, Component: c})
	return c, err
}

// load is Load of a component in a language.
func (e *Engine) load(ctx context.Context, l *language, meta componentMeta, s *snapshot.Snapshot) (*Component, error) {
	if e.cfg.Isolation == Subprocess {
		base, globals, err := l.processes.about(ctx)
		if err != nil {
			return nil, err
		}
		if err := e.checkSnapshot(l, s, base, globals); err != nil {
			return nil, err
		}
		own, err := s.Clone()
		if err != nil {
			return nil, err
		}
		return e.newComponent(l, nil, meta, nil, own, nil), nil
	}
	p, err := l.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if err := e.checkSnapshot(l, s, p.base.digest, len(p.base.globals)); err != nil {
		return nil, err
	}
	img, err := l.newImage(s, p.base)
	if err != nil {
		return nil, err
	}
	own, err := s.Clone()
	if err != nil {
		return nil, errors.Join(err, img.memory.Close())
	}
	return e.newComponent(l, p, meta, newPositions(meta.Name, meta.SourceMap), own, img), nil
}

// checkSnapshot makes sure that s belongs to l, whose image is base and whose
// module has so many globals.
func (e *Engine) checkSnapshot(l *language, s *snapshot.Snapshot, base snapshot.Digest, globals int) error {
	info := s.Info()
	if info.Runtime != l.runtime.SHA256 {
		return fmt.Errorf("%w: it was made with the %s module %v, this engine has %x", ErrMismatch, l.runtime.Language, info.Runtime, l.runtime.SHA256)
	}
	if info.Base != base {
		return fmt.Errorf("%w: it is a delta of the %s image %v, this engine has %v", ErrMismatch, l.runtime.Language, info.Base, base)
	}
	if n := len(s.Globals()); n != globals {
		return fmt.Errorf("%w: it has %d globals, the module has %d", ErrMismatch, n, globals)
	}
	if info.MemoryBytes > e.cfg.Limits.Memory {
		return &LimitError{Limit: limitMemory, Max: e.cfg.Limits.Memory}
	}
	return nil
}

// Name is the file name of the component's source.
func (c *Component) Name() string { return c.meta.Name }

// Digest identifies the image of c: equal sources have equal digests, as long
// as the runtime is the same.
func (c *Component) Digest() snapshot.Digest { return c.snapshot.Digest() }

// Close releases c. Renders in progress end undisturbed.
func (c *Component) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.engine.counters.components.Add(-1)
	c.engine.components.remove(c)
	if c.image == nil {
		return nil // worker processes forget what is not used
	}
	return c.engine.images.remove(c.image) // a snapshot needs no closing once nobody has it
}
