// Package cuda evaluates tensor programs on a device of NVIDIA. It loads the driver, the compiler NVRTC and the library cuBLAS when a
// backend is opened, without cgo.
//
// Chains of elementwise operations are one kernel, whose source is written for the program and compiled for the device; compiled
// kernels are kept in memory and on disk. Results are IEEE arithmetic: nothing is contracted to fused operations, float32 is not
// rounded to TF32 unless a program says that it may be, sums of float32 and shorter are made in float64.
//
// An error after which the device cannot be used by the process ends the process, and so does work that does not end: who uses this package is a
// worker process of a [gpu.Pool].
package cuda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/internal/budget"
	"github.com/sporeengine/spore/gpu/tensor"
)

// Options of [New]. The zero value is the first device with libraries where they usually are, and no cache on disk.
type Options struct {
	// Device is the number of the device, in the order of the driver.
	Device int

	// Memory bounds the device memory of evaluations and constants together, in bytes. Not positive means 80 % of the device's. What
	// the libraries need for themselves comes on top: some hundred MiB.
	Memory int64

	Libraries Libraries

	// Cache is the directory of compiled kernels, of at most CacheBytes together: 256 MiB if that is not positive. Empty means that they are not kept. Others must not
	// be able to write there.
	Cache      string
	CacheBytes int64

	// Streams is how many evaluations run at the same time; 4 if it is not positive. More wait.
	Streams int

	// Grace is how long the device may go on with work that is not wanted any more; 5 s if it is not positive. Then Fatal is called. The
	// host of a worker is less patient.
	Grace time.Duration

	// Fatal is called when the process cannot use the device any more; it should not return. If it does, all calls fail from then
	// on. nil means to print the error and to end the process with status 3.
	Fatal func(error)

	// OpByOp turns fusing off, to measure what it gives.
	OpByOp bool

	// Poison fills memory that is used for the first time by an evaluation with 0xff instead of zeros, for tests: what
	// is read and was not written shows.
	Poison bool
}

// Libraries says where the libraries are. An empty path means to look in Dirs first, then in a toolkit's and in Python's usual
// places, then where the system looks.
type Libraries struct {
	CUDA, NVRTC, CUBLAS string
	Dirs                []string
}

// A Backend evaluates on a device. It implements [gpu.Backend].
type Backend struct {
	options Options
	info    gpu.Info
	device  deviceInfo
	d       driver
	exec    *executor
	alloc   *allocator // the executor's
	memory  *budget.Budget
	kernels *kernels
	plans   plans
	lanes   chan *lane

	mu        sync.Mutex
	closed    bool
	running   sync.WaitGroup
	constants map[gpu.ConstantID]*stored
}

// stored is a constant. Evaluations that use it count, so that its memory is given back when it is dropped and the last of them is done.
type stored struct {
	t     tensor.Type
	block block
	uses  int
}

var _ gpu.Backend = (*Backend)(nil)

// New opens a device. It fails if there is no device, no driver or no compiler; without cuBLAS there is no matmul among [gpu.Info].Ops.
func New(o Options) (*Backend, error) { return open(o, openDriver) }

func open(o Options, open func(*Options) (driver, error)) (*Backend, error) {
	if o.Streams <= 0 {
		o.Streams = 4
	}
	if o.Grace <= 0 {
		o.Grace = 5 * time.Second
	}
	if o.CacheBytes <= 0 {
		o.CacheBytes = 256 << 20
	}
	if o.Fatal == nil {
		o.Fatal = func(err error) {
			fmt.Fprintln(os.Stderr, "spore: the device cannot be used any more:", err)
			os.Exit(3)
		}
	}
	disk := diskCache{o.Cache, o.CacheBytes}
	if err := disk.open(); err != nil {
		return nil, err
	}
	b := &Backend{options: o, plans: plans{opByOp: o.OpByOp}, constants: map[gpu.ConstantID]*stored{}, lanes: make(chan *lane, o.Streams)}
	var err error
	b.exec, b.d, err = newExecutor(func() (driver, error) { return open(&b.options) }, o.Fatal)
	if err != nil {
		return nil, err
	}
	b.device = b.d.device()
	if o.Memory <= 0 || o.Memory > b.device.memory {
		b.options.Memory = b.device.memory / 10 * 8
	}
	b.memory = budget.New(b.options.Memory)
	b.alloc = newAllocator(b.d, b.options.Memory+b.options.Memory/8) // blocks are rounded up
	b.kernels = newKernels(b.d, b.exec, disk, b.device.arch)
	for range o.Streams {
		l, err := newLane(b)
		if err != nil {
			return nil, errors.Join(err, b.Close())
		}
		b.lanes <- l
	}
	if err := b.kernels.probe(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.info = gpu.Info{Name: "cuda", Device: b.device.name, MemoryBytes: b.options.Memory, Ops: tensor.Ops()}
	if !b.d.canGemm() {
		b.info.Ops = slices.DeleteFunc(b.info.Ops, func(op tensor.Op) bool { return op == tensor.MatMul })
	}
	return b, nil
}

// Info implements [gpu.Backend].
func (b *Backend) Info() gpu.Info { return b.info }

// Describe says in a line for people what the backend runs on: device, architecture, driver and libraries.
func (b *Backend) Describe() string {
	d := &b.device
	return fmt.Sprintf("%s (%s, %d multiprocessors, %d MiB, %s), driver %d.%d %s, %s", d.name, d.arch, d.multiprocs, d.memory>>20,
		d.uuid, d.driver/1000, d.driver%1000/10, d.library, d.runtimeLibs)
}

// Eval implements [gpu.Backend].
func (b *Backend) Eval(ctx context.Context, p *tensor.Program, inputs [][]byte, constants []gpu.ConstantID, outputs [][]byte) error {
	if err := gpu.CheckBuffers(p, inputs, constants, outputs); err != nil {
		return err
	}
	if !b.d.canGemm() && slices.ContainsFunc(p.Nodes(), func(n tensor.Node) bool { return n.Op == tensor.MatMul }) {
		return fmt.Errorf("cuda: matmul without cuBLAS: %w", errors.ErrUnsupported)
	}
	held, err := b.hold(p, constants)
	if err != nil {
		return err
	}
	defer b.unhold(held)
	if err := ctx.Err(); err != nil {
		return err
	}
	pl := b.plans.get(p)
	b.kernels.begin()
	defer b.kernels.end()
	functions, err := b.kernels.get(ctx, pl.kernels)
	if err != nil {
		return memoryError(err)
	}
	if err := b.memory.Acquire(ctx, pl.bytes); err != nil {
		return err
	}
	defer b.memory.Release(pl.bytes)
	select {
	case l := <-b.lanes:
		defer func() { b.lanes <- l }()
		err := l.eval(ctx, &run{p: p, plan: pl, functions: functions, inputs: inputs, constants: held, outputs: outputs, tenant: gpu.TenantOf(ctx)})
		return memoryError(err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// memoryError makes want of memory that a library reports [gpu.ErrMemory].
func memoryError(err error) error {
	if isKind(err, outOfMemory) && !errors.Is(err, gpu.ErrMemory) {
		return fmt.Errorf("%w: %w", gpu.ErrMemory, err)
	}
	return err
}

// hold returns the constants and keeps them from being freed.
func (b *Backend) hold(p *tensor.Program, ids []gpu.ConstantID) ([]*stored, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, gpu.ErrClosed
	}
	held := make([]*stored, len(ids))
	for i, t := range p.Constants() {
		c := b.constants[ids[i]]
		if c == nil {
			return nil, fmt.Errorf("%w: %s", gpu.ErrConstant, ids[i])
		}
		if !c.t.Equal(t) {
			return nil, fmt.Errorf("%w: constant %d is %s, not %s", gpu.ErrConstant, i, c.t, t)
		}
		held[i] = c
	}
	for _, c := range held {
		c.uses++
	}
	b.running.Add(1)
	return held, nil
}

func (b *Backend) unhold(held []*stored) {
	b.mu.Lock()
	var unused []*stored
	for _, c := range held {
		if c.uses--; c.uses == 0 {
			unused = append(unused, c)
		}
	}
	b.mu.Unlock()
	b.free(unused)
	b.running.Done()
}

// free gives back the memory of constants that nobody uses any more.
func (b *Backend) free(unused []*stored) {
	for _, c := range unused {
		_ = b.exec.do(func() error { b.alloc.release(c.block); return nil }) // fails only when all is over
		b.memory.Release(c.t.Bytes())
	}
}

// PutConstant implements [gpu.Backend].
func (b *Backend) PutConstant(ctx context.Context, id gpu.ConstantID, t tensor.Type, data []byte) error {
	negative := slices.ContainsFunc(t.Shape, func(n int) bool { return n < 0 })
	if !t.DType.Valid() || negative || t.Bytes() != int64(len(data)) {
		return fmt.Errorf("%w: %d bytes for a constant of %s", gpu.ErrArgument, len(data), t)
	}
	if err := gpu.CheckBools(t, data); err != nil {
		return err
	}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return gpu.ErrClosed
	}
	if b.constants[id] != nil {
		b.mu.Unlock()
		return nil
	}
	b.running.Add(1)
	b.mu.Unlock()
	defer b.running.Done()
	if err := b.memory.Acquire(ctx, t.Bytes()); err != nil {
		return err
	}
	t.Shape = slices.Clone(t.Shape)
	c := &stored{t: t, uses: 1}
	select {
	case l := <-b.lanes:
		var err error
		c.block, err = l.put(ctx, data)
		err = memoryError(err)
		b.lanes <- l
		if err != nil {
			b.memory.Release(t.Bytes())
			return err
		}
	case <-ctx.Done():
		b.memory.Release(t.Bytes())
		return ctx.Err()
	}
	b.mu.Lock()
	closed, known := b.closed, b.constants[id] != nil
	if !closed && !known {
		b.constants[id] = c
	}
	b.mu.Unlock()
	if closed || known {
		b.free([]*stored{c})
	}
	if closed {
		return gpu.ErrClosed
	}
	return nil
}

// DropConstant implements [gpu.Backend].
func (b *Backend) DropConstant(id gpu.ConstantID) {
	b.mu.Lock()
	c := b.constants[id]
	delete(b.constants, id)
	unused := false
	if c != nil {
		c.uses--
		unused = c.uses == 0
	}
	b.mu.Unlock()
	if unused {
		b.free([]*stored{c})
	}
}

// Close implements [gpu.Backend]. It reports what of the device could not be given back.
func (b *Backend) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		b.running.Wait()
		return nil
	}
	b.closed = true
	var unused []*stored
	for id, c := range b.constants {
		delete(b.constants, id)
		if c.uses--; c.uses == 0 {
			unused = append(unused, c)
		}
	}
	b.mu.Unlock()
	b.running.Wait()
	b.free(unused)
	b.kernels.wait()
	err := b.exec.do(func() error {
		var errs []error
		for {
			select {
			case l := <-b.lanes:
				errs = append(errs, l.close())
				continue
			default:
			}
			break
		}
		return errors.Join(append(errs, b.kernels.unload(), b.alloc.trim(), b.d.close())...)
	})
	b.exec.close()
	return err
}
