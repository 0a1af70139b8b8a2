package cuda

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/sporeengine/spore/gpu/tensor"
)

// kernels keeps compiled kernels by their source: each is compiled once, whoever needs it first. When there are too many, all are forgotten.
type kernels struct {
	d    driver
	exec *executor
	disk diskCache
	arch string
	most int           // kernels that are kept
	busy chan struct{} // has an entry for each compiler at work

	use sync.RWMutex // held by evaluations for reading, so that their kernels are not unloaded

	mu      sync.Mutex
	known   map[string]*kernel
	pending sync.WaitGroup // compilations

	compiled, fromDisk int // how often; guarded by mu
}

// A kernel is compiled when ready is closed.
type kernel struct {
	ready chan struct{}
	f     function
	err   error
}

func newKernels(d driver, exec *executor, disk diskCache, arch string) *kernels {
	return &kernels{d: d, exec: exec, disk: disk, arch: arch, most: 4096, busy: make(chan struct{}, runtime.GOMAXPROCS(0)), known: map[string]*kernel{}}
}

// begin is called before get, end after the last use of what it returned.
func (k *kernels) begin() {
	k.mu.Lock()
	full := len(k.known) >= k.most
	k.mu.Unlock()
	if full {
		k.use.Lock()
		k.pending.Wait()
		_ = k.exec.do(k.unload) // fails only when all is over
		k.use.Unlock()
	}
	k.use.RLock()
}

func (k *kernels) end() { k.use.RUnlock() }

// probe compiles a kernel that does nothing, to find out while a backend is opened whether compiler, driver and device fit together.
func (k *kernels) probe() error {
	s := newSource(1)
	s.printf("EACH_THREAD(i) {}\n")
	k.begin()
	defer k.end()
	_, err := k.get(context.Background(), []string{s.text()})
	return err
}

// get returns functions for sources. Those that are not known are compiled by goroutines of their own, so that a
// caller whose context is done need not wait; what they make is kept all the same.
func (k *kernels) get(ctx context.Context, sources []string) ([]function, error) {
	list := make([]*kernel, len(sources))
	k.mu.Lock()
	for i, s := range sources {
		kn := k.known[s]
		if kn == nil {
			kn = &kernel{ready: make(chan struct{})}
			k.known[s] = kn
			k.pending.Go(func() { k.compile(kn, s) })
		}
		list[i] = kn
	}
	k.mu.Unlock()
	functions := make([]function, len(list))
	for i, kn := range list {
		select {
		case <-kn.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if kn.err != nil {
			return nil, kn.err
		}
		functions[i] = kn.f
	}
	return functions, nil
}

// compile makes a kernel.
func (k *kernels) compile(kn *kernel, source string) {
	defer close(kn.ready)
	key := keyOf(source, k.arch, k.d.compiler())
	load := func(code []byte) error {
		return k.exec.do(func() (err error) { kn.f, err = k.d.load(code); return err })
	}
	if code := k.disk.get(key); code != nil && load(code) == nil {
		k.count(&k.fromDisk)
		return
	}
	k.busy <- struct{}{}
	code, err := k.d.compile(source)
	<-k.busy
	if err == nil {
		err = load(code)
	}
	if err != nil {
		kn.err = fmt.Errorf("cuda: a kernel: %w", err)
		k.mu.Lock()
		delete(k.known, source) // want of memory may pass
		k.mu.Unlock()
		return
	}
	k.disk.put(key, code)
	if k.count(&k.compiled)%256 == 0 {
		k.disk.prune()
	}
}

func (k *kernels) count(n *int) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	*n++
	return *n
}

// wait waits for compilations that were begun.
func (k *kernels) wait() { k.pending.Wait() }

// unload gives all back. It is called on the executor.
func (k *kernels) unload() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var errs []error
	for s, kn := range k.known {
		errs = append(errs, k.d.unload(kn.f))
		delete(k.known, s)
	}
	return errors.Join(errs...)
}

// plans keeps the plans of programs that were run last.
type plans struct {
	opByOp bool

	mu    sync.Mutex
	known map[tensor.Key]*plan
	steps int // of all
}

// Bounds of plans.
const (
	maxPlans     = 1024
	maxPlanSteps = 1 << 16
)

// get returns the plan of a program.
func (c *plans) get(p *tensor.Program) *plan {
	key := p.Key()
	c.mu.Lock()
	pl := c.known[key]
	c.mu.Unlock()
	if pl != nil {
		return pl
	}
	pl = newPlan(p, !c.opByOp)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.steps += len(pl.steps); c.known == nil || len(c.known) >= maxPlans || c.steps > maxPlanSteps {
		c.known, c.steps = map[tensor.Key]*plan{}, len(pl.steps)
	}
	c.known[key] = pl
	return pl
}
