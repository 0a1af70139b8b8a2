package cuda

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

// Tests of the order of calls, of errors and of what is given back, against a driver that computes nothing.

func build(t testing.TB, f func(b *tensor.Builder) []tensor.Value) *tensor.Program {
	t.Helper()
	b := tensor.NewBuilder(tensor.Limits{Peak: 1 << 40, Work: math.MaxInt64, Elements: 1 << 40})
	p, err := b.Build(f(b)...)
	require.NoError(t, err)
	return p
}

func onRecorder(r *recorder, change func(o *Options)) (b *Backend, fatals *[]error, err error) {
	fatals = new([]error)
	o := Options{Memory: 1 << 30, Streams: 2, Grace: 50 * time.Millisecond, Fatal: func(err error) { *fatals = append(*fatals, err) }}
	if change != nil {
		change(&o)
	}
	b, err = open(o, func(*Options) (driver, error) {
		if err := r.call("open"); err != nil {
			return nil, err
		}
		return r, nil
	})
	return b, fatals, err
}

// everything is a program that uses each kind of step: copies of constants and inputs, launches of several kernels, one with reports, a
// product, and results.
func everything(t testing.TB) *tensor.Program {
	return build(t, func(b *tensor.Builder) []tensor.Value {
		c := b.Constant(tensor.Float32, 64, 32)
		x := b.Input(tensor.Float32, 32, 64)
		y := b.Apply(tensor.MatMul, nil, x, c)
		z := b.Apply(tensor.Softmax, tensor.Attrs{"axis": 1}, b.Apply(tensor.Exp, nil, y))
		i := b.Apply(tensor.Take, nil, z, b.Input(tensor.Int32, 5))
		s := b.Apply(tensor.Sort, tensor.Attrs{"axis": 0}, i)
		return []tensor.Value{s, s + 1, y}
	})
}

func buffersOf(types []tensor.Type) [][]byte {
	out := make([][]byte, len(types))
	for i, typ := range types {
		out[i] = make([]byte, typ.Bytes())
	}
	return out
}

// script uses a backend and returns the first error.
func script(b *Backend, p *tensor.Program) error {
	ctx := context.Background()
	typ := p.Constants()[0]
	data := make([]byte, typ.Bytes())
	id := gpu.IDOf(typ, data)
	if err := b.PutConstant(ctx, id, typ, data); err != nil {
		return err
	}
	for range 2 {
		if err := b.Eval(ctx, p, buffersOf(p.Inputs()), []gpu.ConstantID{id}, buffersOf(p.Outputs())); err != nil {
			return err
		}
	}
	b.DropConstant(id)
	return nil
}

// TestErrorAtEachCall has each call of the driver fail in turn, in each way. What is fatal is reported once and ends all;
// after anything else the same script runs, and nothing is left behind.
func TestErrorAtEachCall(t *testing.T) {
	p := everything(t)
	count := func() int {
		r := newRecorder()
		b, _, err := onRecorder(r, nil)
		require.NoError(t, err)
		require.NoError(t, script(b, p))
		require.NoError(t, b.Close())
		require.Equal(t, nothingLeft, r.left())
		return len(r.calls)
	}()
	require.Greater(t, count, 60)
	for _, kind := range []errorKind{failed, outOfMemory, fatal} {
		failures := 0
		for n := 1; n <= count+5; n++ {
			r := newRecorder()
			r.failAt, r.kind = n, kind
			b, fatals, err := onRecorder(r, nil)
			if err == nil {
				err = script(b, p)
				b.kernels.wait() // some may be loaded although the script has ended
				if !r.failed {
					require.NoError(t, err)
				}
				if kind == fatal {
					again := script(b, p)
					if r.failed {
						require.Error(t, again)
					}
					_ = b.Close()
				} else {
					if r.failed {
						require.Error(t, err, "call %d: %s", n, r.calls[n-1])
						failures++
					}
					if kind == outOfMemory && err != nil {
						require.ErrorIs(t, err, gpu.ErrMemory, "%s", r.calls[n-1])
					}
					r.failAt = 0
					require.NoError(t, script(b, p), "after call %d: %s", n, r.calls[n-1])
					require.NoError(t, b.Close())
				}
			} else {
				require.True(t, r.failed)
			}
			opened := b != nil
			switch {
			case kind == fatal && opened && r.failed:
				require.Len(t, *fatals, 1, "call %d: %s", n, r.calls[n-1])
			case kind == fatal:
			default:
				require.Empty(t, *fatals)
				require.Equal(t, nothingLeft, r.left(), "call %d: %s", n, r.calls[min(n, len(r.calls))-1])
			}
		}
		if kind != fatal {
			require.Greater(t, failures, 40)
		}
	}
}

// TestZeroed holds that memory is zeroed before anything else is done with it, unless it is the same tenant's as before.
func TestZeroed(t *testing.T) {
	r := newRecorder()
	b, _, err := onRecorder(r, nil)
	require.NoError(t, err)
	p := build(t, func(b *tensor.Builder) []tensor.Value {
		return []tensor.Value{b.Apply(tensor.Exp, nil, b.Input(tensor.Float32, 100000))}
	})
	for _, c := range []struct {
		tenant uint32
		zeroed bool
	}{{0, true}, {0, true}, {7, true}, {7, false}, {8, true}, {7, true}, {0, true}, {7, true}, {7, false}} {
		from := len(r.calls)
		require.NoError(t, b.Eval(gpu.WithTenant(context.Background(), c.tenant), p, buffersOf(p.Inputs()), nil, buffersOf(p.Outputs())))
		calls := slices.DeleteFunc(slices.Clone(r.calls[from:]), func(c string) bool {
			return c == "load" || c == "done" || strings.HasPrefix(c, "alloc")
		})
		want := []string{"fill 0 800256", "in 400000", "launch 391 256", "out 400000", "record"}
		if !c.zeroed {
			want = want[1:]
		}
		require.Equal(t, want, calls)
	}
	require.Equal(t, 1, strings.Count(strings.Join(r.calls, " "), "alloc 851968"), "memory is kept for the next evaluation")
	require.NoError(t, b.Close())
}

// TestOwners holds that the allocator tells when memory comes from another tenant.
func TestOwners(t *testing.T) {
	r := newRecorder()
	a := newAllocator(r, 1<<20)
	x, dirty, err := a.alloc(100, 7)
	require.NoError(t, err)
	require.True(t, dirty, "what the device has left")
	a.release(x)
	x, dirty, err = a.alloc(200, 7)
	require.NoError(t, err)
	require.False(t, dirty)
	a.release(x)
	x, dirty, err = a.alloc(100, 8)
	require.NoError(t, err)
	require.True(t, dirty)
	a.release(x)
	for _, tenant := range []uint64{0, 0} {
		x, dirty, err = a.alloc(100, tenant)
		require.NoError(t, err)
		require.True(t, dirty, "nobody knows whose it was")
		a.release(x)
	}
	// What is kept makes room for another size, and no more than the limit is used.
	y, _, err := a.alloc(1<<20, 7)
	require.NoError(t, err)
	require.EqualValues(t, 1<<20, r.inUse)
	_, _, err = a.alloc(1, 7)
	require.ErrorIs(t, err, gpu.ErrMemory)
	a.release(y)
	require.NoError(t, a.trim())
	require.Zero(t, r.inUse)
}

func TestSizeClass(t *testing.T) {
	last := int64(0)
	for n := int64(1); n < 1<<33; n += n/7 + 1 {
		c := sizeClass(n)
		require.GreaterOrEqual(t, c, max(n, last))
		require.LessOrEqual(t, c, n+max(64<<10, n/7))
		require.Equal(t, c, sizeClass(c))
		last = c
	}
}

// TestLargeCopies has more data than the pinned memory holds at once: it is not used again before the device is done.
func TestLargeCopies(t *testing.T) {
	r := newRecorder()
	r.slow = 3
	b, _, err := onRecorder(r, nil)
	require.NoError(t, err)
	p := build(t, func(b *tensor.Builder) []tensor.Value {
		x := b.Input(tensor.Uint8, 20<<20)
		return []tensor.Value{x, b.Apply(tensor.Negative, nil, x)}
	})
	in := [][]byte{make([]byte, 20<<20)}
	for i := range in[0] {
		in[0][i] = byte(i >> 20)
	}
	out := buffersOf(p.Outputs())
	require.NoError(t, b.Eval(context.Background(), p, in, nil, out))
	require.True(t, bytes.Equal(in[0], r.in), "what arrives is what was sent")
	for i, b := range slices.Concat(out...) {
		if b != byte(i>>20) {
			t.Fatalf("byte %d is %d", i, b)
		}
	}
	copies := slices.DeleteFunc(slices.Clone(r.calls), func(c string) bool { return !strings.HasPrefix(c, "in") && !strings.HasPrefix(c, "out") })
	total := 20 << 20
	require.Len(t, copies, 9, "%v of %d", copies, total)
	require.NoError(t, b.Close())
	require.Equal(t, nothingLeft, r.left())
}

// TestCancel ends calls: one that waits for nothing, one whose device is slow, and one between the parts of a long program.
func TestCancel(t *testing.T) {
	r := newRecorder()
	b, fatals, err := onRecorder(r, func(o *Options) { o.Grace = time.Minute })
	require.NoError(t, err)
	p := build(t, func(b *tensor.Builder) []tensor.Value {
		x := b.Create(tensor.RandomUniform, tensor.Float32, tensor.Attrs{"shape": []int{4000, 4000}})
		for range 900 {
			x = b.Apply(tensor.MatMul, nil, x, x)
		}
		return []tensor.Value{x}
	})
	require.NoError(t, b.Eval(context.Background(), p, nil, nil, buffersOf(p.Outputs())))
	full := len(r.calls)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, b.Eval(canceled, p, nil, nil, buffersOf(p.Outputs())), context.Canceled)
	require.Len(t, r.calls, full)

	r.slow = 200 // some milliseconds
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, b.Eval(short, p, nil, nil, buffersOf(p.Outputs())), context.DeadlineExceeded)
	require.Less(t, len(r.calls), full+full/2, "it ended between the parts")
	require.Empty(t, *fatals)
	require.NoError(t, b.Close())
	require.Equal(t, nothingLeft, r.left())
}

// TestStuck has a device that does not end its work: the process has to.
func TestStuck(t *testing.T) {
	r := newRecorder()
	b, fatals, err := onRecorder(r, nil)
	require.NoError(t, err)
	p := everything(t)
	require.NoError(t, script(b, p))
	_ = b.exec.do(func() error { r.hang = true; return nil })
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	begin := time.Now()
	q := build(t, func(b *tensor.Builder) []tensor.Value {
		return []tensor.Value{b.Apply(tensor.Exp, nil, b.Input(tensor.Float32))}
	})
	err = b.Eval(ctx, q, buffersOf(q.Inputs()), nil, buffersOf(q.Outputs()))
	require.ErrorIs(t, err, errStuck)
	require.GreaterOrEqual(t, time.Since(begin), 50*time.Millisecond)
	require.Equal(t, []error{errStuck}, *fatals)
	require.ErrorIs(t, b.Eval(context.Background(), q, buffersOf(q.Inputs()), nil, buffersOf(q.Outputs())), errStuck)
	require.Error(t, b.Close())
}

// TestTooManyKernels holds that kernels are forgotten when there are too many, but not while they are used.
func TestTooManyKernels(t *testing.T) {
	r := newRecorder()
	b, _, err := onRecorder(r, nil)
	require.NoError(t, err)
	b.kernels.most = 3
	for i, op := range []tensor.Op{tensor.Exp, tensor.Log, tensor.Sin, tensor.Cos, tensor.Tanh, tensor.Exp, tensor.Log} {
		p := build(t, func(b *tensor.Builder) []tensor.Value {
			return []tensor.Value{b.Apply(op, nil, b.Input(tensor.Float32, 10))}
		})
		require.NoError(t, b.Eval(context.Background(), p, buffersOf(p.Inputs()), nil, buffersOf(p.Outputs())), i)
		require.LessOrEqual(t, len(r.modules), 3)
	}
	require.Equal(t, 8, b.kernels.compiled)
	require.NoError(t, b.Close())
	require.Equal(t, nothingLeft, r.left())
}

// TestWithoutGemm holds that a backend without cuBLAS says so.
func TestWithoutGemm(t *testing.T) {
	r := newRecorder()
	r.gemms = false
	b, _, err := onRecorder(r, nil)
	require.NoError(t, err)
	require.Len(t, b.Info().Ops, len(tensor.Ops())-1)
	require.NotContains(t, b.Info().Ops, tensor.MatMul)
	require.ErrorIs(t, script(b, everything(t)), errors.ErrUnsupported)
	require.NoError(t, b.Close())
	require.ErrorIs(t, script(b, everything(t)), gpu.ErrClosed)
}

// TestReport holds that an index out of range that a kernel has reported is an error of the node.
func TestReport(t *testing.T) {
	p := everything(t)
	take := slices.IndexFunc(p.Nodes(), func(n tensor.Node) bool { return n.Op == tensor.Take })
	err := indexError(p, take, 77)
	var node *tensor.NodeError
	require.ErrorAs(t, err, &node)
	require.Equal(t, tensor.Take, node.Op)
	require.Contains(t, err.Error(), "take(float32(32, 32), int32(5,)): index 77 is out of range of axis 0, whose length is 32")
}

// BenchmarkOverhead is what an evaluation costs on the processor beside what CUDA takes: 64 KiB, eight elementwise operations.
func BenchmarkOverhead(b *testing.B) {
	r := newRecorder()
	be, _, err := onRecorder(r, nil)
	require.NoError(b, err)
	p := build(b, func(b *tensor.Builder) []tensor.Value {
		x := b.Input(tensor.Float32, 16384)
		for range 4 {
			x = b.Apply(tensor.Add, nil, b.Apply(tensor.Multiply, nil, x, b.Full(tensor.Float32, 1.5)), b.Full(tensor.Float32, 0.25))
		}
		return []tensor.Value{x}
	})
	in, out := buffersOf(p.Inputs()), buffersOf(p.Outputs())
	b.ReportAllocs()
	for b.Loop() {
		if err := be.Eval(context.Background(), p, in, nil, out); err != nil {
			b.Fatal(err)
		}
		r.calls = r.calls[:0]
	}
	require.NoError(b, be.Close())
}
