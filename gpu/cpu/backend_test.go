package cpu

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/internal/conformance"
	"github.com/sporeengine/spore/gpu/tensor"
)

func build(t testing.TB, f func(b *tensor.Builder) []tensor.Value) *tensor.Program {
	t.Helper()
	b := tensor.NewBuilder(tensor.Limits{Peak: 1 << 33, Work: math.MaxInt64, Elements: 1 << 31})
	p, err := b.Build(f(b)...)
	require.NoError(t, err)
	return p
}

func newBackend(t testing.TB, o Options) *Backend {
	t.Helper()
	b, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// double is 2·x of a constant of four float32, plus an input.
func double(t testing.TB) *tensor.Program {
	return build(t, func(b *tensor.Builder) []tensor.Value {
		c := b.Constant(tensor.Float32, 4)
		return []tensor.Value{b.Apply(tensor.Add, nil, b.Apply(tensor.Add, nil, c, c), b.Input(tensor.Float32))}
	})
}

func float32s(f ...float32) []byte {
	var b []byte
	for _, x := range f {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func TestConstants(t *testing.T) {
	ctx := context.Background()
	b := newBackend(t, Options{Memory: 1000})
	p := double(t)
	data := float32s(1, 2, 3, 4)
	typ := p.Constants()[0]
	id := gpu.IDOf(typ, data)
	out := [][]byte{make([]byte, 16)}
	eval := func() error { return b.Eval(ctx, p, [][]byte{float32s(1)}, []gpu.ConstantID{id}, out) }

	require.ErrorIs(t, eval(), gpu.ErrConstant)
	require.NoError(t, b.PutConstant(ctx, id, typ, data))
	require.NoError(t, b.PutConstant(ctx, id, typ, data))
	require.NoError(t, eval())
	require.Equal(t, float32s(3, 5, 7, 9), out[0])

	// Of another type than the program says.
	other := tensor.Type{DType: tensor.Int32, Shape: tensor.Shape{4}}
	require.NoError(t, b.PutConstant(ctx, gpu.ConstantID{1}, other, data))
	err := b.Eval(ctx, p, [][]byte{float32s(1)}, []gpu.ConstantID{{1}}, out)
	require.ErrorIs(t, err, gpu.ErrConstant)

	// Constants take of the memory that evaluations need, until they are dropped.
	big := tensor.Type{DType: tensor.Uint8, Shape: tensor.Shape{960}}
	require.NoError(t, b.PutConstant(ctx, gpu.ConstantID{2}, big, make([]byte, 960)))
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, b.PutConstant(short, gpu.ConstantID{3}, big, make([]byte, 960)), context.DeadlineExceeded)
	b.DropConstant(gpu.ConstantID{2})
	b.DropConstant(gpu.ConstantID{2})
	require.NoError(t, b.PutConstant(ctx, gpu.ConstantID{3}, big, make([]byte, 960)))

	require.ErrorIs(t, b.PutConstant(ctx, gpu.ConstantID{4}, big, make([]byte, 961)), gpu.ErrArgument)
	require.ErrorIs(t, b.PutConstant(ctx, gpu.ConstantID{4}, tensor.Type{DType: tensor.Uint8, Shape: tensor.Shape{-2, -2}}, make([]byte, 4)), gpu.ErrArgument)
	require.ErrorIs(t, b.PutConstant(ctx, gpu.ConstantID{4}, tensor.Type{DType: tensor.Bool, Shape: tensor.Shape{1}}, []byte{2}), gpu.ErrArgument)
	require.ErrorIs(t, b.PutConstant(ctx, gpu.ConstantID{4}, tensor.Type{DType: tensor.Bool, Shape: tensor.Shape{2000}}, make([]byte, 2000)), gpu.ErrMemory)

	require.NoError(t, b.Close())
	require.NoError(t, b.Close())
	require.ErrorIs(t, eval(), gpu.ErrClosed)
	require.ErrorIs(t, b.PutConstant(ctx, id, typ, data), gpu.ErrClosed)
	require.EqualValues(t, 1000, b.memory.Free())
}

func TestBuffersThatDoNotFit(t *testing.T) {
	ctx := context.Background()
	b := newBackend(t, Options{Memory: 1 << 20})
	p := build(t, func(b *tensor.Builder) []tensor.Value {
		return []tensor.Value{b.Apply(tensor.LogicalNot, nil, b.Input(tensor.Bool, 3))}
	})
	for _, c := range []struct{ in, out [][]byte }{
		{nil, [][]byte{make([]byte, 3)}},
		{[][]byte{{0, 1, 1}}, nil},
		{[][]byte{{0, 1}}, [][]byte{make([]byte, 3)}},
		{[][]byte{{0, 1, 1}}, [][]byte{make([]byte, 4)}},
		{[][]byte{{0, 1, 2}}, [][]byte{make([]byte, 3)}},
	} {
		require.ErrorIs(t, b.Eval(ctx, p, c.in, nil, c.out), gpu.ErrArgument)
	}
	large := build(t, func(b *tensor.Builder) []tensor.Value {
		return []tensor.Value{b.Full(tensor.Uint8, 1, 2<<20)}
	})
	require.ErrorIs(t, b.Eval(ctx, large, nil, nil, [][]byte{make([]byte, 2<<20)}), gpu.ErrMemory)
}

func TestIndexOutOfRange(t *testing.T) {
	b := newBackend(t, Options{})
	p := build(t, func(b *tensor.Builder) []tensor.Value {
		return []tensor.Value{b.Apply(tensor.Take, nil, b.Input(tensor.Float32, 3), b.Input(tensor.Int32, 4))}
	})
	indices := binary.LittleEndian.AppendUint32(nil, 0)
	for _, i := range []int32{-3, 3, -4} {
		indices = binary.LittleEndian.AppendUint32(indices, uint32(i))
	}
	err := b.Eval(context.Background(), p, [][]byte{float32s(1, 2, 3), indices}, nil, [][]byte{make([]byte, 16)})
	require.EqualError(t, err, "tensor: node 2: take(float32(3,), int32(4,)): index 3 is out of range of axis 0, whose length is 3")
	var node *tensor.NodeError
	require.True(t, errors.As(err, &node) && node.Op == tensor.Take)
}

// TestCancel ends a product that would take minutes, and leaves no goroutine behind.
func TestCancel(t *testing.T) {
	b := newBackend(t, Options{Procs: 4})
	p := build(t, func(b *tensor.Builder) []tensor.Value {
		x := b.Create(tensor.RandomUniform, tensor.Float32, tensor.Attrs{"shape": []int{2000, 2000}})
		for range 500 {
			x = b.Apply(tensor.MatMul, nil, x, x)
		}
		return []tensor.Value{x}
	})
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	out := [][]byte{make([]byte, 4*2000*2000)}
	require.ErrorIs(t, b.Eval(ctx, p, nil, nil, out), context.DeadlineExceeded)
	require.ErrorIs(t, b.Eval(ctx, p, nil, nil, out), context.DeadlineExceeded)
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
	require.Equal(t, b.options.Memory, b.memory.Free())
}

// TestPanicsComeOut holds that a panic of a goroutine reaches the caller, who can
// recover from it, and that no goroutine is left.
func TestPanicsComeOut(t *testing.T) {
	before := runtime.NumGoroutine()
	require.PanicsWithValue(t, "broken", func() {
		_ = parallel(context.Background(), 4, 100, func(i int) {
			if i == 7 {
				panic("broken")
			}
		})
	})
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 10*time.Second, time.Millisecond) // one is Eventually's
}

// TestLarge runs what only long rows do: partial results of parts, in parallel.
func TestLarge(t *testing.T) {
	b := newBackend(t, Options{Procs: 3})
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		op    tensor.Op
		d     tensor.DType
		attrs tensor.Attrs
		shape tensor.Shape
	}{
		{tensor.TopK, tensor.Float32, tensor.Attrs{"axis": 0, "k": 25}, tensor.Shape{200_000}},
		{tensor.TopK, tensor.Int32, tensor.Attrs{"axis": 0, "k": 25, "largest": false}, tensor.Shape{150_000, 2}},
		{tensor.Sort, tensor.Float16, tensor.Attrs{"axis": 0}, tensor.Shape{100_000}},
		{tensor.ArgMax, tensor.Float64, tensor.Attrs{"axis": 0}, tensor.Shape{140_000, 3}},
		{tensor.ArgMin, tensor.Uint8, tensor.Attrs{"axis": 1}, tensor.Shape{2, 140_000}},
		{tensor.Min, tensor.BFloat16, tensor.Attrs{"axes": []int{0}}, tensor.Shape{140_000, 3}},
		{tensor.Max, tensor.Int64, tensor.Attrs{"axes": []int{0, 1}}, tensor.Shape{2, 140_000}},
		{tensor.Any, tensor.Float32, tensor.Attrs{"axes": []int{0}}, tensor.Shape{140_000}},
		{tensor.All, tensor.Uint8, tensor.Attrs{"axes": []int{0}}, tensor.Shape{140_000, 2}},
		{tensor.Sum, tensor.Int32, tensor.Attrs{"axes": []int{0}}, tensor.Shape{140_000, 3}},
		{tensor.Mean, tensor.Float32, tensor.Attrs{"axes": []int{1}}, tensor.Shape{3, 140_000}},
		{tensor.Var, tensor.Float32, tensor.Attrs{"axes": []int{0}}, tensor.Shape{140_000, 3}},
		{tensor.CumulativeSum, tensor.Float64, tensor.Attrs{"axis": 0}, tensor.Shape{140_000}},
		{tensor.Softmax, tensor.Float32, tensor.Attrs{"axis": 0}, tensor.Shape{140_000}},
	} {
		conformance.CompareOne(t, b, r, c.op, c.d, c.attrs, c.shape, true)
	}
}

// TestHammer runs evaluations, constants and drops from many goroutines over a budget
// that is too small for all of them at once.
func TestHammer(t *testing.T) {
	p := double(t)
	b := newBackend(t, Options{Memory: 3*p.Cost().Peak + 100, Procs: 2})
	typ := p.Constants()[0]
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for g := range 16 {
		wg.Go(func() {
			<-start
			for i := range 200 {
				data := float32s(1, 2, 3, float32((g+i)%3))
				id := gpu.IDOf(typ, data)
				ctx, cancel := context.WithCancel(context.Background())
				if i%17 == 0 {
					cancel()
				}
				_ = b.PutConstant(ctx, id, typ, data)
				out := [][]byte{make([]byte, 16)}
				switch err := b.Eval(ctx, p, [][]byte{float32s(float32(g))}, []gpu.ConstantID{id}, out); {
				case errors.Is(err, gpu.ErrConstant), errors.Is(err, context.Canceled):
				default:
					if err != nil || string(out[0]) != string(float32s(2+float32(g), 4+float32(g), 6+float32(g), 2*float32((g+i)%3)+float32(g))) {
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
	close(start)
	wg.Wait()
	require.NoError(t, b.Close())
	require.Equal(t, b.options.Memory, b.memory.Free())
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// FuzzEval runs whatever program comes out of bytes on zeros.
func FuzzEval(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 40 {
		m := conformance.NewMaker(r)
		if p, err := conformance.RandomProgram(m, 12); err == nil {
			f.Add(p.Encode())
		}
	}
	b, err := New(Options{Procs: 2})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := tensor.Decode(data, tensor.Limits{Work: 1 << 20, Peak: 1 << 18})
		if err != nil || p.Cost().ConstantBytes > 1<<18 {
			return
		}
		m := conformance.NewMaker(nil)
		for _, t := range p.Inputs() {
			m.Data = append(m.Data, make([]byte, t.Bytes()))
		}
		for _, t := range p.Constants() {
			m.Constants = append(m.Constants, make([]byte, t.Bytes()))
		}
		_, errGot := tryEvaluate(b, p, m)
		_, errWant := oracle.Eval(p, m.Data, m.Constants)
		require.Equal(t, errWant == nil, errGot == nil, "%v %v", errWant, errGot)
	})
}

// TestHalves converts every float16 and bfloat16, and float32 around each of them.
func TestHalves(t *testing.T) {
	for _, d := range []tensor.DType{tensor.Float16, tensor.BFloat16} {
		from, to := fromF16, toF16
		if d == tensor.BFloat16 {
			from, to = fromBF16, toBF16
		}
		for h := range 1 << 16 {
			f := from(uint16(h))
			want := oracle.Decode(tensor.Type{DType: d, Shape: tensor.Shape{1}}, []byte{byte(h), byte(h >> 8)}).Floats[0]
			require.True(t, conformance.Near(want, float64(f), 0))
			if f != f {
				continue
			}
			require.Equal(t, uint16(h), to(f))
			next := from(uint16(h) + 1)
			middle := (f + next) / 2
			for _, x := range []float32{middle, math.Nextafter32(middle, f), math.Nextafter32(middle, next), math.Nextafter32(f, next)} {
				if x == x {
					require.True(t, conformance.Near(oracle.Round(d, float64(x)), float64(from(to(x))), 0), "%v %v", d, x)
				}
			}
		}
	}
}

// TestPhilox checks the generator against the vectors that its authors publish
// (Random123, kat_vectors).
func TestPhilox(t *testing.T) {
	require.Equal(t, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, philox(0, 0))
}

// TestFunctionsOfFloat32 holds the functions that have code of their own for float32
// to one unit in the last place, over all of its numbers in steps.
func TestFunctionsOfFloat32(t *testing.T) {
	const n = 1 << 20
	x, y := make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(uint32(i) * 4096)
	}
	for _, c := range []struct {
		k kernel
		f func(float64) float64
	}{
		{expF32, math.Exp},
		{tanhF32, math.Tanh},
		{sigmoidF32, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
	} {
		c.k(of(y), of(x), vec{}, vec{})
		for i := range x {
			want := oracle.Round(tensor.Float32, c.f(float64(x[i])))
			if !conformance.Near(want, float64(y[i]), conformance.ULP(tensor.Float32, want)) {
				t.Fatalf("of %v: %v, want %v", x[i], y[i], want)
			}
		}
	}
}

// TestHugeAndEmpty runs operations on tensors of no elements whose other dimensions
// are as long as can be: that must be no work.
func TestHugeAndEmpty(t *testing.T) {
	const huge = math.MaxInt32
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	b := newBackend(t, Options{})
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
			inputs := [][]byte{{}}
			if shape[axis] > 0 {
				inputs = append(inputs, make([]byte, 8000))
			}
			var outputs [][]byte
			for _, typ := range p.Outputs() {
				outputs = append(outputs, make([]byte, typ.Bytes()))
			}
			require.NoError(t, b.Eval(ctx, p, inputs, nil, outputs))
		}
	}
}
