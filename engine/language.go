package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/engine/internal/gate"
	"github.com/sporeengine/spore/engine/internal/wz"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/snapshot"
	"github.com/sporeengine/spore/snapshot/rewrite"
)

// bootVersion is part of the cache key of runtime images. Change it with
// anything that a guest can observe before its image is captured.
const bootVersion = 1

// A language is a runtime and the workers that run it.
type language struct {
	engine  *Engine
	runtime runtimes.Runtime

	preparing sync.Mutex // held while the runtime is compiled and booted
	ready     atomic.Pointer[prepared]

	processes *processes // in Subprocess mode

	workers *gate.Gate // admits as many as there may be workers
	mu      sync.Mutex
	idle    []*wz.Worker // guarded by mu
}

// prepared is a runtime that was compiled and booted.
type prepared struct {
	code    *wz.Code
	control uint32 // address of the guest's control block
	base    *image
}

// An image is the state of a quiescent guest.
type image struct {
	memory  *snapshot.Image
	globals []uint64
	digest  snapshot.Digest
}

// prepare compiles and boots the runtime unless that was done. The work is
// shared by all callers, so it goes on when ctx ends; the caller does not.
func (l *language) prepare(ctx context.Context) (*prepared, error) {
	if p := l.ready.Load(); p != nil {
		return p, nil
	}
	done := make(chan error, 1)
	if err := l.engine.enter(); err != nil {
		return nil, err
	}
	go func() {
		defer l.engine.leave()
		l.preparing.Lock()
		defer l.preparing.Unlock()
		if l.ready.Load() != nil {
			done <- nil
			return
		}
		p, err := l.load()
		if err == nil {
			l.ready.Store(p)
		}
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return nil, fmt.Errorf("engine: prepare the %s runtime: %w", l.runtime.Language, err)
		}
		return l.ready.Load(), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("engine: waiting for the %s runtime: %w", l.runtime.Language, ctx.Err())
	}
}

// load compiles and boots the runtime, with the help of the cache.
func (l *language) load() (_ *prepared, err error) {
	key := fmt.Sprintf("%s-%s-%x", l.runtime.Name, rewrite.Version, l.runtime.SHA256[:16])
	module, err := l.module(key + ".module")
	if err != nil {
		return nil, err
	}
	if err := checkExports(module); err != nil {
		return nil, err
	}
	p := &prepared{}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	// The image of a cached runtime loads while its code does.
	cached := make(chan *image, 1)
	imageKey := fmt.Sprintf("%s-%d.image", key, bootVersion)
	go func() { cached <- l.cachedImage(imageKey) }()
	p.code, err = l.compile(module, key+"-"+wz.Version+".code")
	p.base = <-cached
	if err != nil {
		return nil, err
	}
	w, err := p.code.NewWorker()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.Close()
		} else {
			l.idle = append(l.idle, w)
		}
	}()
	if p.base == nil {
		if len(module.Memory) == 0 {
			if module, err = l.rewrite(); err != nil {
				return nil, err
			}
		}
		defer l.engine.progress(l.runtime.Language, stageBoot)()
		return p, l.boot(p, w, module, imageKey)
	}
	return p, l.findControl(p, w)
}

// module returns the runtime's module in rewritten form. From the cache it
// comes without its initial memory, which only booting needs.
func (l *language) module(key string) (m *rewrite.Module, err error) {
	c := l.engine.cache
	if c.read(key, func(path string) error {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		m, err = rewrite.ParseModule(b)
		return err
	}) {
		return m, nil
	}
	if m, err = l.rewrite(); err != nil {
		return nil, err
	}
	c.write(key, func(w io.Writer) error {
		light := *m
		light.Memory = nil
		b, err := light.MarshalBinary()
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	})
	return m, nil
}

// rewrite makes the module from the runtime's blob.
func (l *language) rewrite() (*rewrite.Module, error) {
	wasm, err := l.decompress()
	if err != nil {
		return nil, err
	}
	return rewrite.Rewrite(wasm, rewrite.Options{TickModule: abi.ImportModule, TickName: abi.ImportTick})
}

// decompress unpacks the runtime's module and compares its digest.
func (l *language) decompress() ([]byte, error) {
	// No interpreter comes near this size.
	const maxModule = 256 << 20
	d, err := zstd.NewReader(bytes.NewReader(l.runtime.Module), zstd.WithDecoderMaxMemory(maxModule), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	wasm, err := io.ReadAll(io.LimitReader(d, maxModule))
	if err != nil {
		return nil, fmt.Errorf("decompress module: %w", err)
	}
	if got := sha256.Sum256(wasm); got != l.runtime.SHA256 {
		return nil, fmt.Errorf("module has digest %x, want %x", got, l.runtime.SHA256)
	}
	return wasm, nil
}

// compile compiles the module to machine code.
func (l *language) compile(m *rewrite.Module, key string) (code *wz.Code, err error) {
	c := l.engine.cache
	ctx := context.Background()
	if l.engine.interpret {
		return wz.Compile(ctx, m, "", true)
	}
	sum := sha256.Sum256([]byte(key + wz.Variant()))
	key = hex.EncodeToString(sum[:16]) + ".code"
	if c.read(key, func(path string) error {
		if err := checkManifest(path); err != nil {
			return err
		}
		code, err = wz.Compile(ctx, m, path, false)
		return err
	}) {
		return code, nil
	}
	defer l.engine.progress(l.runtime.Language, stageCompile)()
	err = c.writeDir(key, func(dir string) error {
		code, err = wz.Compile(ctx, m, dir, false)
		return err
	})
	return code, err
}

// cachedImage returns the image of the booted runtime, or nil if the cache does
// not have it.
func (l *language) cachedImage(key string) (base *image) {
	l.engine.cache.read(key, func(path string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		s, err := snapshot.ReadTrusted(f)
		if err != nil {
			return err
		}
		defer s.Close()
		if s.Info().Runtime != l.runtime.SHA256 {
			return ErrMismatch
		}
		if n, err := f.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			return errors.Join(errors.New("data behind the end of the image"), err)
		}
		base, err = l.newImage(s, nil)
		return err
	})
	return base
}

// newImage maps a snapshot, which is a delta of base unless that is nil.
func (l *language) newImage(s *snapshot.Snapshot, base *image) (*image, error) {
	var under []byte
	if base != nil {
		under = base.memory.Bytes()
	}
	m, err := s.NewImage(under, l.engine.cfg.Limits.Memory)
	if err != nil {
		return nil, err
	}
	return &image{memory: m, globals: s.Globals(), digest: s.Digest()}, nil
}

// boot starts the interpreter on its initial memory and captures the result.
func (l *language) boot(p *prepared, w *wz.Worker, module *rewrite.Module, key string) error {
	if max := l.engine.cfg.Limits.Memory; int64(len(module.Memory)) > max {
		return &LimitError{Limit: limitMemory, Max: max}
	}
	initial, err := snapshot.NewImage(module.Memory, l.engine.cfg.Limits.Memory)
	if err != nil {
		return err
	}
	defer initial.Close()
	mem, err := initial.NewMemory()
	if err != nil {
		return err
	}
	defer mem.Close()
	globals := make([]uint64, len(module.Globals))
	for i, g := range module.Globals {
		globals[i] = g.Init
	}
	g := l.engine.newGuest(p, l.engine.cfg.Limits, limitCompileTime)
	g.ctx, g.memory, g.globals, g.fixed = context.Background(), mem, globals, newFixedEnv(bootTime, bootSeed)
	if err := g.attach(w); err != nil {
		return err
	}
	err = g.boot(w)
	g.detach(w)
	if err != nil {
		return g.failure(err)
	}
	p.control = g.control
	s, err := snapshot.New(snapshot.Params{Runtime: l.runtime.SHA256, Memory: mem.Bytes(), Globals: g.globals})
	if err != nil {
		return err
	}
	l.engine.cache.write(key, func(w io.Writer) error {
		_, err := s.WriteRaw(w)
		return err
	})
	m, err := snapshot.NewImage(mem.Bytes(), l.engine.cfg.Limits.Memory)
	if err != nil {
		return err
	}
	p.base = &image{memory: m, globals: g.globals, digest: s.Digest()}
	return nil
}

// boot runs the exports that make an interpreter ready to load a component.
func (g *guest) boot(w *wz.Worker) error {
	g.begin()
	if _, err := w.Call(abi.Initialize); err != nil {
		return err
	}
	control, err := w.Call(abi.Control)
	g.end()
	if err != nil {
		return err
	}
	g.control = uint32(control)
	ctl, err := abi.ReadControl(w.Mem(), g.control)
	if err != nil {
		return err
	}
	if ctl.ABI != runtimes.ABIVersion {
		return fmt.Errorf("%w: module speaks version %d, want %d", abi.ErrABI, ctl.ABI, runtimes.ABIVersion)
	}
	if err := g.setup(w, nil, abi.Boot, nil); err != nil {
		return err
	}
	return g.setup(w, nil, abi.Seal, nil)
}

// findControl asks a runtime that was restored from the cache for the address
// of its control block, which is the same for every guest.
func (l *language) findControl(p *prepared, w *wz.Worker) error {
	mem, err := p.base.memory.NewMemory()
	if err != nil {
		return err
	}
	defer mem.Close()
	g := l.engine.newGuest(p, l.engine.cfg.Limits, limitCompileTime)
	g.ctx, g.memory, g.globals = context.Background(), mem, append([]uint64(nil), p.base.globals...)
	if err := g.attach(w); err != nil {
		return err
	}
	defer g.detach(w)
	g.begin()
	control, err := w.Call(abi.Control)
	if err != nil {
		return g.failure(err)
	}
	p.control = uint32(control)
	return nil
}

func (p *prepared) close() error {
	var errs []error
	if p.base != nil {
		errs = append(errs, p.base.memory.Close())
	}
	if p.code != nil {
		errs = append(errs, p.code.Close())
	}
	return errors.Join(errs...)
}

// close releases the runtime. No worker is in use any more.
func (l *language) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, w := range l.idle {
		errs = append(errs, w.Close())
	}
	l.idle = nil
	if p := l.ready.Swap(nil); p != nil {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

// A lease is the right to use a worker of a language.
type lease struct {
	language *language
	prepared *prepared
	tenant   string
	worker   *wz.Worker
	broken   bool // the worker is in an unknown state
}

var oneWorker = gate.Amount{Slots: 1}

// acquire waits for a worker until ctx ends.
func (l *lease) acquire(ctx context.Context) error {
	lang := l.language
	if err := lang.engine.wait(ctx, lang.workers, l.tenant, oneWorker, "a worker"); err != nil {
		return err
	}
	lang.mu.Lock()
	if n := len(lang.idle); n > 0 {
		l.worker, lang.idle = lang.idle[n-1], lang.idle[:n-1]
	}
	lang.mu.Unlock()
	if l.worker != nil {
		return nil
	}
	w, err := l.prepared.code.NewWorker()
	if err != nil {
		lang.workers.Release(l.tenant, oneWorker)
		return fmt.Errorf("engine: start a worker: %w", err)
	}
	l.worker = w
	return nil
}

// release gives the worker back, if the lease has one. A broken worker is
// closed.
func (l *lease) release() error {
	w := l.worker
	if w == nil {
		return nil
	}
	l.worker = nil
	var err error
	if l.broken {
		l.broken = false
		err = w.Close()
	} else {
		l.language.mu.Lock()
		l.language.idle = append(l.language.idle, w)
		l.language.mu.Unlock()
	}
	l.language.workers.Release(l.tenant, oneWorker)
	return err
}
