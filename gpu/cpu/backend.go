// Package cpu evaluates tensor programs on the processor, in pure Go.
//
// Chains of elementwise operations are fused: they run block by block, and adjacent
// arithmetic in one loop. Loops and products of matrices run on all cores. Results are IEEE float32 (or what the dtype says) and do not depend on
// what was fused nor on the number of cores: float16 and bfloat16 are computed in
// float32 and rounded after each operation; sums of float32 and shorter are made in
// float64, sums of float64 in parts of 65,536 elements of eight interleaved sums each,
// products of matrices in the dtype (halves in float32) in ascending order of the inner
// index in parts of 256.
package cpu

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/internal/budget"
	"github.com/sporeengine/spore/gpu/tensor"
)

// DefaultMemory is what Options.Memory is if it is not positive: bytes.
const DefaultMemory = 1 << 30

// Options of [New].
type Options struct {
	// Memory bounds what evaluations that run and constants need together, by the
	// bounds that programs have (see [tensor.Cost]): bytes. Evaluations wait for each
	// other. Up to 1 MiB for each core and evaluation, and what garbage collection
	// leaves for a while, come on top.
	Memory int64

	// Procs is how many goroutines work on one evaluation. Not positive means as many
	// as Go uses cores.
	Procs int

	// OpByOp turns fusing off, to measure what it gives.
	OpByOp bool
}

// A Backend evaluates on the processor. It implements [gpu.Backend].
type Backend struct {
	options Options
	memory  *budget.Budget

	mu        sync.Mutex
	closed    bool
	running   sync.WaitGroup
	constants map[gpu.ConstantID]*stored
}

// stored is a constant. Evaluations that use it count, so that its memory is given
// back when it is dropped and the last of them is done.
type stored struct {
	t     tensor.Type
	value *value
	uses  int
}

var _ gpu.Backend = (*Backend)(nil)

// New returns a backend. It has no goroutines but while it evaluates.
func New(options Options) (*Backend, error) {
	if !littleEndian() {
		return nil, fmt.Errorf("gpu/cpu: %s is not little-endian", runtime.GOARCH)
	}
	if options.Memory <= 0 {
		options.Memory = DefaultMemory
	}
	if options.Procs <= 0 {
		options.Procs = runtime.GOMAXPROCS(0)
	}
	return &Backend{
		options:   options,
		memory:    budget.New(options.Memory),
		constants: make(map[gpu.ConstantID]*stored),
	}, nil
}

// Info implements [gpu.Backend].
func (b *Backend) Info() gpu.Info {
	return gpu.Info{
		Name:        "cpu",
		Device:      fmt.Sprintf("%s, %d cores", runtime.GOARCH, b.options.Procs),
		MemoryBytes: b.options.Memory,
		Ops:         tensor.Ops(),
	}
}

// Eval implements [gpu.Backend].
func (b *Backend) Eval(ctx context.Context, p *tensor.Program, inputs [][]byte, constants []gpu.ConstantID, outputs [][]byte) error {
	if err := gpu.CheckBuffers(p, inputs, constants, outputs); err != nil {
		return err
	}
	held, err := b.hold(p, constants)
	if err != nil {
		return err
	}
	defer b.unhold(held)
	need := p.Cost().Peak + misaligned(p.Inputs(), inputs) + misaligned(p.Outputs(), outputs)
	if err := b.memory.Acquire(ctx, need); err != nil {
		return err
	}
	defer b.memory.Release(need)

	values := make([]*value, len(inputs))
	for i, t := range p.Inputs() {
		values[i] = valueOf(t, inputs[i])
	}
	known := make([]*value, len(held))
	for i, c := range held {
		v := *c.value
		v.buf = &buffer{refs: 1}
		known[i] = &v
	}
	return newExec(ctx, b.options, p).run(values, known, outputs)
}

// misaligned returns how many bytes have to be copied because they are not aligned.
func misaligned(types []tensor.Type, data [][]byte) int64 {
	n := int64(0)
	for i, t := range types {
		if _, ok := vecOf(data[i], t.DType.Size()); !ok {
			n += t.Bytes()
		}
	}
	return n
}

// valueOf returns data as a value. They are copied only if they are not aligned.
func valueOf(t tensor.Type, data []byte) *value {
	v, ok := vecOf(data, t.DType.Size())
	if !ok {
		v = copied(t, data)
	}
	return &value{dtype: t.DType, shape: t.Shape, strides: rowMajor(t.Shape), data: v, buf: &buffer{refs: 1}}
}

func copied(t tensor.Type, data []byte) vec {
	v := of(make([]int64, (len(data)+7)/8)).at(0, len(data)/t.DType.Size(), 1)
	copy(v.bytesOf(t.DType.Size()), data)
	return v
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
	for _, c := range held {
		b.unuse(c)
	}
	b.mu.Unlock()
	b.running.Done()
}

// unuse counts a use less. b.mu is locked.
func (b *Backend) unuse(c *stored) {
	if c.uses--; c.uses == 0 {
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
	known, closed := b.constants[id] != nil, b.closed
	b.mu.Unlock()
	switch {
	case closed:
		return gpu.ErrClosed
	case known:
		return nil
	}
	if err := b.memory.Acquire(ctx, t.Bytes()); err != nil {
		return err
	}
	t.Shape = slices.Clone(t.Shape)
	c := &stored{t: t, uses: 1, value: &value{
		dtype: t.DType, shape: t.Shape, strides: rowMajor(t.Shape), data: copied(t, data),
	}}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.constants[id] != nil {
		b.unuse(c)
		if b.closed {
			return gpu.ErrClosed
		}
		return nil
	}
	b.constants[id] = c
	return nil
}

// DropConstant implements [gpu.Backend].
func (b *Backend) DropConstant(id gpu.ConstantID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.constants[id]; c != nil {
		delete(b.constants, id)
		b.unuse(c)
	}
}

// Close implements [gpu.Backend].
func (b *Backend) Close() error {
	b.mu.Lock()
	b.closed = true
	for id, c := range b.constants {
		delete(b.constants, id)
		b.unuse(c)
	}
	b.mu.Unlock()
	b.running.Wait()
	return nil
}
