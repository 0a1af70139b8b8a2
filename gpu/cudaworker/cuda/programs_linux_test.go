package cuda

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/internal/conformance"
	"github.com/sporeengine/spore/gpu/tensor"
)

// rounds is how often random tests are repeated: more if SPORE_CUDA_ROUNDS says so, as each new kernel takes cc some time.
func rounds(t testing.TB, n int) int {
	if s := os.Getenv("SPORE_CUDA_ROUNDS"); s != "" {
		factor, err := strconv.Atoi(s)
		require.NoError(t, err)
		return n * factor
	}
	if testing.Short() {
		return max(n/2, 1)
	}
	return n
}

// TestOps compares each operation with the oracle: through the real bindings, with kernels that cc has compiled.
func TestOps(t *testing.T) {
	conformance.Ops(t, func(t *testing.T) gpu.Backend { return newFake(t, nil) }, rounds(t, 2), false)
}

// evaluate runs p on the data of m.
func evaluate(b *Backend, p *tensor.Program, m *conformance.Maker) ([][]byte, error) {
	ids := make([]gpu.ConstantID, len(m.Constants))
	for i, typ := range p.Constants() {
		ids[i] = gpu.IDOf(typ, m.Constants[i])
		if err := b.PutConstant(context.Background(), ids[i], typ, m.Constants[i]); err != nil {
			return nil, err
		}
		defer b.DropConstant(ids[i])
	}
	out := buffersOf(p.Outputs())
	return out, b.Eval(context.Background(), p, m.Data, ids, out)
}

// TestFusingChangesNothing runs random programs fused and operation by operation: all results are the same. Each operation by
// itself is what the oracle says, which TestOps holds.
func TestFusingChangesNothing(t *testing.T) {
	fused := newFake(t, nil)
	plain := newFake(t, func(o *Options) { o.OpByOp = true })
	ran, joined := 0, 0
	n := rounds(t, 40)
	for i := range n {
		m := conformance.NewMaker(rand.New(rand.NewPCG(7, uint64(i))))
		m.Large = i%3 == 0
		p, err := conformance.RandomProgram(m, 4+m.R.IntN(40))
		if errors.Is(err, tensor.ErrLimit) {
			continue
		}
		require.NoError(t, err)
		a, errA := evaluate(fused, p, m)
		b, errB := evaluate(plain, p, m)
		_, errWant := oracle.Eval(p, m.Data, m.Constants)
		require.Equal(t, errWant == nil, errA == nil, "%v %v", errWant, errA)
		if errA != nil || errB != nil { // an index out of range
			var x, y *tensor.NodeError
			require.ErrorAs(t, errA, &x)
			require.ErrorAs(t, errB, &y)
			require.Equal(t, x.Node, y.Node)
			continue
		}
		ran++
		for j := range a {
			if !slices.Equal(a[j], b[j]) {
				conformance.SameNaN(t, p.Outputs()[j], a[j], b[j])
			}
		}
		_, members := groups(p, true)
		for _, group := range members {
			joined += len(group) - 1
		}
	}
	require.Greater(t, ran, n/3)
	require.Greater(t, joined, n/4)
}

// TestLarge runs what only long lines do: segments, shares, several levels of sorting.
func TestLarge(t *testing.T) {
	b := newFake(t, nil)
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		op    tensor.Op
		d     tensor.DType
		attrs tensor.Attrs
		shape tensor.Shape
	}{
		{tensor.TopK, tensor.Float32, tensor.Attrs{"axis": 0, "k": 10}, tensor.Shape{100_000}},
		{tensor.TopK, tensor.Float32, tensor.Attrs{"axis": 0, "k": 100}, tensor.Shape{30_000}},
		{tensor.TopK, tensor.Int32, tensor.Attrs{"axis": 0, "k": 25, "largest": false}, tensor.Shape{15_000, 2}},
		{tensor.Sort, tensor.Float16, tensor.Attrs{"axis": 0}, tensor.Shape{20_000}},
		{tensor.Sort, tensor.Int64, tensor.Attrs{"axis": 1, "descending": true}, tensor.Shape{3, 5_000}},
		{tensor.ArgMax, tensor.Float64, tensor.Attrs{"axis": 0}, tensor.Shape{140_000, 3}},
		{tensor.ArgMin, tensor.Uint8, tensor.Attrs{"axis": 1}, tensor.Shape{2, 140_000}},
		{tensor.Min, tensor.BFloat16, tensor.Attrs{"axes": []int{0}}, tensor.Shape{140_000, 3}},
		{tensor.Max, tensor.Int64, tensor.Attrs{"axes": []int{0, 1}}, tensor.Shape{2, 140_000}},
		{tensor.Any, tensor.Float32, tensor.Attrs{"axes": []int{0}}, tensor.Shape{140_000}},
		{tensor.All, tensor.Uint8, tensor.Attrs{"axes": []int{0}}, tensor.Shape{14_000, 20}},
		{tensor.Sum, tensor.Int32, tensor.Attrs{"axes": []int{0}}, tensor.Shape{14_000, 30}},
		{tensor.Mean, tensor.Float32, tensor.Attrs{"axes": []int{1}}, tensor.Shape{3, 140_000}},
		{tensor.Var, tensor.Float32, tensor.Attrs{"axes": []int{0}}, tensor.Shape{14_000, 30}},
		{tensor.Var, tensor.Float64, tensor.Attrs{"axes": []int{0}}, tensor.Shape{140_000}},
		{tensor.CumulativeSum, tensor.Float64, tensor.Attrs{"axis": 0}, tensor.Shape{140_000}},
		{tensor.CumulativeSum, tensor.Bool, tensor.Attrs{"axis": 0}, tensor.Shape{1_000, 70}},
		{tensor.Softmax, tensor.Float32, tensor.Attrs{"axis": 0}, tensor.Shape{140_000}},
		{tensor.Softmax, tensor.Float32, tensor.Attrs{"axis": 1}, tensor.Shape{50, 40, 50}},
		{tensor.LayerNorm, tensor.Float64, tensor.Attrs{"axis": 0}, tensor.Shape{300, 70}},
	} {
		conformance.CompareOne(t, b, r, c.op, c.d, c.attrs, c.shape, false)
	}
}

// TestProducts has the shapes that are given to the library in one call, in several, and after a copy.
func TestProducts(t *testing.T) {
	b := newFake(t, nil)
	r := rand.New(rand.NewPCG(8, 9))
	for _, c := range []struct {
		a, b  tensor.Shape
		gemms int
		view  func(b *tensor.Builder, x, y tensor.Value) (tensor.Value, tensor.Value)
	}{
		{a: tensor.Shape{70, 30}, b: tensor.Shape{30, 50}, gemms: 1},
		{a: tensor.Shape{6, 7, 8}, b: tensor.Shape{8, 5}, gemms: 1},
		{a: tensor.Shape{6, 7, 8}, b: tensor.Shape{6, 8, 5}, gemms: 1},
		{a: tensor.Shape{7, 8}, b: tensor.Shape{6, 8, 5}, gemms: 1},
		{a: tensor.Shape{3, 1, 7, 8}, b: tensor.Shape{1, 4, 8, 5}, gemms: 3},
		{a: tensor.Shape{17, 1, 3, 4}, b: tensor.Shape{2, 4, 5}, gemms: 1},
		{a: tensor.Shape{30}, b: tensor.Shape{30, 50}, gemms: 1},
		{a: tensor.Shape{4, 20, 30}, b: tensor.Shape{30}, gemms: 1},
		{a: tensor.Shape{30, 70}, b: tensor.Shape{50, 30}, gemms: 1, view: func(b *tensor.Builder, x, y tensor.Value) (tensor.Value, tensor.Value) {
			at := tensor.Attrs{"axes": []int{1, 0}}
			return b.Apply(tensor.PermuteDims, at, x), b.Apply(tensor.PermuteDims, at, y)
		}},
		{a: tensor.Shape{70, 60}, b: tensor.Shape{30, 50}, gemms: 1, view: func(b *tensor.Builder, x, y tensor.Value) (tensor.Value, tensor.Value) {
			return b.Apply(tensor.Slice, tensor.Attrs{"start": []int{1, 2}, "step": []int{1, 1}, "count": []int{60, 30}}, x), y
		}},
		{a: tensor.Shape{70, 60}, b: tensor.Shape{30, 50}, gemms: 1, view: func(b *tensor.Builder, x, y tensor.Value) (tensor.Value, tensor.Value) {
			return b.Apply(tensor.Slice, tensor.Attrs{"start": []int{1, 59}, "step": []int{1, -2}, "count": []int{60, 30}}, x), y
		}},
	} {
		for _, d := range []tensor.DType{tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16, tensor.Int32} {
			m := conformance.NewMaker(r)
			m.Tame = true
			x, y := m.Give(m.Elements(tensor.Type{DType: d, Shape: c.a})), m.Give(m.Elements(tensor.Type{DType: d, Shape: c.b}))
			if c.view != nil {
				x, y = c.view(m.B, x, y)
			}
			p, err := m.B.Build(m.B.Apply(tensor.MatMul, nil, x, y))
			require.NoError(t, err)
			conformance.Compare(t, b, p, m, tensor.MatMul, false)
			gemms := 0
			for _, s := range newPlan(p, true).steps {
				if s.gemm != nil {
					gemms++
				}
			}
			if d != tensor.Int32 {
				require.Equal(t, c.gemms, gemms, "%v %v", c.a, c.b)
			}
		}
	}
}

// TestHugeAndEmpty runs operations on tensors of no elements whose other dimensions are as long as can be.
func TestHugeAndEmpty(t *testing.T) {
	const huge = math.MaxInt32
	b := newFake(t, nil)
	for _, shape := range []tensor.Shape{{0, huge, huge, huge}, {huge, huge, huge, 0}, {huge, 0, huge, huge}} {
		for axis := range shape {
			p := build(t, func(b *tensor.Builder) []tensor.Value {
				x := b.Input(tensor.Float32, shape...)
				at := tensor.Attrs{"axis": axis}
				out := []tensor.Value{
					b.Apply(tensor.Softmax, at, x), b.Apply(tensor.LayerNorm, at, x), b.Apply(tensor.CumulativeSum, at, x),
					b.Apply(tensor.Sort, at, x), b.Apply(tensor.TopK, tensor.Attrs{"axis": axis, "k": 0}, x),
					b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{0, 1, 2, 3}}, x), b.Apply(tensor.Any, tensor.Attrs{"axes": []int{0, 1, 2, 3}}, x),
					b.Apply(tensor.Concat, tensor.Attrs{"axis": 3 * (1 - axis/3)}, x), b.Apply(tensor.Add, nil, x, x),
					b.Apply(tensor.PermuteDims, tensor.Attrs{"axes": []int{3, 1, 0, 2}}, x),
					b.Apply(tensor.Reshape, tensor.Attrs{"shape": []int{0}}, x),
				}
				if shape[axis] > 0 {
					out = append(out, b.Apply(tensor.Take, at, x, b.Input(tensor.Int64, 1000)))
				}
				return out
			})
			require.NoError(t, b.Eval(context.Background(), p, buffersOf(p.Inputs()), nil, buffersOf(p.Outputs())))
		}
	}
}

// TestManyDimensions has more strides than fit into the parameters of a kernel.
func TestManyDimensions(t *testing.T) {
	b := newFake(t, nil)
	m := conformance.NewMaker(rand.New(rand.NewPCG(1, 1)))
	m.B = tensor.NewBuilder(tensor.Limits{Rank: 32})
	shape, axes := tensor.Shape{}, []int{}
	for i := range 20 {
		shape = append(shape, 1+i%2)
		axes = append(axes, 19-i)
	}
	var sum tensor.Value
	for i := range 24 {
		x := m.Elements(tensor.Type{DType: tensor.Float64, Shape: shape})
		m.Data = append(m.Data, x.Encode())
		v := m.B.Input(tensor.Float64, shape...)
		if i%2 == 0 {
			v = m.B.Apply(tensor.PermuteDims, tensor.Attrs{"axes": axes}, v)
			v = m.B.Apply(tensor.Reshape, tensor.Attrs{"shape": shape}, v)
		} else {
			v = m.B.Apply(tensor.Slice, tensor.Attrs{"start": slices.Repeat([]int{0}, 20), "step": slices.Repeat([]int{0}, 20), "count": shape}, v)
		}
		if i == 0 {
			sum = v
		} else {
			sum = m.B.Apply(tensor.Add, nil, sum, v)
		}
	}
	p, err := m.B.Build(sum)
	require.NoError(t, err)
	conformance.Compare(t, b, p, m, tensor.Add, false)
}

// TestNothingIsLeft runs programs and constants from many goroutines, some of which are canceled, over a budget that is too small for all of
// them at once; then nothing is left on the device, nor a goroutine.
func TestNothingIsLeft(t *testing.T) {
	fakeOptions(t)
	numbers := func() (n [fakeRegistered + 1]int64) {
		for i := range n {
			n[i] = fakeNumber(t, i, -1)
		}
		n[fakeLaunches] = 0
		return n
	}
	before, goroutines := numbers(), runtime.NumGoroutine()
	o := fakeOptions(t)
	p := build(t, func(b *tensor.Builder) []tensor.Value {
		c := b.Constant(tensor.Float32, 4)
		return []tensor.Value{b.Apply(tensor.Add, nil, b.Apply(tensor.Add, nil, c, c), b.Input(tensor.Float32))}
	})
	o.Memory = 3*newPlan(p, true).bytes + 100
	b, err := New(o)
	require.NoError(t, err)
	typ := p.Constants()[0]
	floats := func(f ...float64) []byte {
		return (&oracle.Tensor{Type: tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{len(f)}}, Floats: f}).Encode()
	}
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 50 {
				data := floats(1, 2, 3, float64((g+i)%3))
				id := gpu.IDOf(typ, data)
				ctx, cancel := context.WithCancel(context.Background())
				if i%17 == 0 {
					cancel()
				}
				_ = b.PutConstant(ctx, id, typ, data)
				out := [][]byte{make([]byte, 16)}
				switch err := b.Eval(ctx, p, [][]byte{floats(float64(g))}, []gpu.ConstantID{id}, out); {
				case errors.Is(err, gpu.ErrConstant), errors.Is(err, context.Canceled):
				default:
					x := float64(g)
					if want := floats(2+x, 4+x, 6+x, 2*float64((g+i)%3)+x); err != nil || !slices.Equal(want, out[0]) {
						t.Errorf("%v %v", err, out)
					}
				}
				if i%5 == 0 {
					b.DropConstant(id)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	require.NoError(t, b.Close())
	require.NoError(t, b.Close())
	require.Equal(t, before, numbers())
	require.Equal(t, b.options.Memory, b.memory.Free())
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > goroutines && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	require.LessOrEqual(t, runtime.NumGoroutine(), goroutines, "%s", stacks[:runtime.Stack(stacks, true)])
}

// TestOutOfMemory has a device with less memory than the options say: what it refuses is an error of the call.
func TestOutOfMemory(t *testing.T) {
	b := newFake(t, nil)
	limit := fakeNumber(t, fakeLimit, fakeNumber(t, fakeDeviceBytes, -1)+1<<20)
	defer fakeNumber(t, fakeLimit, 1<<34)
	p := build(t, func(b *tensor.Builder) []tensor.Value {
		return []tensor.Value{b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{0}}, b.Create(tensor.Arange, tensor.Float32, tensor.Attrs{"n": 1 << 20}))}
	})
	require.ErrorIs(t, b.Eval(context.Background(), p, nil, nil, buffersOf(p.Outputs())), gpu.ErrMemory)
	fakeNumber(t, fakeLimit, 1<<34)
	require.NoError(t, b.Eval(context.Background(), p, nil, nil, buffersOf(p.Outputs())))
	_ = limit
}

// TestLibraries holds that what is missing is named.
func TestLibraries(t *testing.T) {
	for _, c := range []struct {
		change func(l *Libraries)
		want   string
	}{
		{func(l *Libraries) { l.CUDA = "/nowhere/libcuda.so" }, "no driver"},
		{func(l *Libraries) { l.CUDA = l.CUBLAS }, "has no cuInit"},
		{func(l *Libraries) { l.NVRTC = "/nowhere/libnvrtc.so" }, "no NVRTC"},
	} {
		o := fakeOptions(t)
		c.change(&o.Libraries)
		_, err := New(o)
		require.ErrorContains(t, err, c.want)
	}
	o := fakeOptions(t)
	o.Device = 1
	_, err := New(o)
	require.ErrorContains(t, err, "no device 1: there are 1")

	b := newFake(t, func(o *Options) { o.Libraries.CUBLAS = "/nowhere/libcublas.so" })
	require.NotContains(t, b.Info().Ops, tensor.MatMul)
	require.Contains(t, b.Describe(), "no cuBLAS")
	require.Zero(t, fakeNumber(t, fakeContexts, -1)-1, "contexts of those that could not be opened are given back")
}

// TestCacheOnDisk opens backends with the same directory one after the other: the second one compiles nothing, and a damaged
// file is compiled again.
func TestCacheOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kernels")
	p := build(t, func(b *tensor.Builder) []tensor.Value {
		return []tensor.Value{b.Apply(tensor.Softmax, tensor.Attrs{"axis": 0}, b.Apply(tensor.Exp, nil, b.Input(tensor.Float32, 100)))}
	})
	once := func() (compiled, fromDisk int, out []byte) {
		b := newFake(t, func(o *Options) { o.Cache = dir })
		results := buffersOf(p.Outputs())
		require.NoError(t, b.Eval(context.Background(), p, buffersOf(p.Inputs()), nil, results))
		require.NoError(t, b.Close())
		return b.kernels.compiled, b.kernels.fromDisk, results[0]
	}
	compiled, fromDisk, want := once()
	require.Equal(t, []int{3, 0}, []int{compiled, fromDisk}) // one of them to see whether it works
	compiled, fromDisk, got := once()
	require.Equal(t, []int{0, 3}, []int{compiled, fromDisk})
	require.Equal(t, want, got)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 3)
	for i, damage := range []func(b []byte) []byte{
		func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		func(b []byte) []byte { return b[:len(b)-1] },
		func(b []byte) []byte { return nil },
		func(b []byte) []byte { b[0] ^= 1; return b },
	} {
		path := filepath.Join(dir, files[i%3].Name())
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, damage(b), 0o600))
		compiled, fromDisk, got = once()
		require.Equal(t, []int{1, 2}, []int{compiled, fromDisk}, "damage %d", i)
		require.Equal(t, want, got)
	}
	// A directory that others can write to is not used.
	require.NoError(t, os.Chmod(dir, 0o770))
	o := fakeOptions(t)
	o.Cache = dir
	_, err = New(o)
	require.ErrorContains(t, err, "can be written to by others")
	require.NoError(t, os.Chmod(dir, 0o700))
	// The entry of another kernel under this name.
	a, err := os.ReadFile(filepath.Join(dir, files[0].Name()))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, files[1].Name()), a, 0o600))
	compiled, _, got = once()
	require.Equal(t, 1, compiled)
	require.Equal(t, want, got)
}
