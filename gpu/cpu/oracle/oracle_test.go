package oracle

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/tensor"
)

// python are numbers x and y with x // y and x % y, as CPython computes them.
var python = []struct{ x, y, quotient, remainder float64 }{
	{7.0, 3.0, 2.0, 1.0},
	{7.0, 0.1, 69.0, 0.09999999999999962},
	{7.0, -0.1, -70.0, -3.885780586188048e-16},
	{7.0, math.Inf(1), 0.0, 7.0},
	{7.0, 1e-300, 7e+300, 2.7423056962779803e-301},
	{-7.0, 3.0, -3.0, 2.0},
	{-7.0, 0.1, -70.0, 3.885780586188048e-16},
	{-7.0, math.Inf(1), -1.0, math.Inf(1)},
	{-7.0, 1e-300, -7e+300, 7.25769430372202e-301},
	{1.0, 3.0, 0.0, 1.0},
	{1.0, 0.1, 9.0, 0.09999999999999995},
	{1.0, math.Inf(1), 0.0, 1.0},
	{1.0, 1e-300, 9.999999999999999e+299, 8.963186528039712e-301},
	{-1.0, 3.0, -1.0, 2.0},
	{-1.0, 0.1, -10.0, 5.551115123125783e-17},
	{-1.0, math.Inf(1), -1.0, math.Inf(1)},
	{-1.0, 1e-300, -9.999999999999999e+299, 1.0368134719602886e-301},
	{0.0, 3.0, 0.0, 0.0},
	{0.0, 0.1, 0.0, 0.0},
	{0.0, math.Inf(1), 0.0, 0.0},
	{0.0, 1e-300, 0.0, 0.0},
	{math.Copysign(0, -1), 3.0, math.Copysign(0, -1), 0.0},
	{math.Copysign(0, -1), 0.1, math.Copysign(0, -1), 0.0},
	{math.Copysign(0, -1), math.Inf(1), math.Copysign(0, -1), 0.0},
	{math.Copysign(0, -1), 1e-300, math.Copysign(0, -1), 0.0},
	{1e+308, 3.0, 3.333333333333333e+307, 2.0},
	{1e+308, 0.1, math.Inf(1), 0.06093288384329992},
	{1e+308, math.Inf(1), 0.0, 1e+308},
	{1e+308, 1e-300, math.Inf(1), 3.0195000970293847e-301},
	{5e-324, 3.0, 0.0, 5e-324},
	{5e-324, 0.1, 0.0, 5e-324},
	{5e-324, math.Inf(1), 0.0, 5e-324},
	{5e-324, 1e-300, 0.0, 5e-324},
	{2.5, 3.0, 0.0, 2.5},
	{2.5, 0.1, 24.0, 0.09999999999999987},
	{2.5, -0.1, -25.0, -1.3877787807814457e-16},
	{2.5, math.Inf(1), 0.0, 2.5},
	{2.5, 1e-300, 2.4999999999999998e+300, 2.4079663200992787e-301},
	{-2.5, 3.0, -1.0, 0.5},
	{-2.5, 0.1, -25.0, 1.3877787807814457e-16},
	{-2.5, math.Inf(1), -1.0, math.Inf(1)},
	{-2.5, 1e-300, -2.4999999999999998e+300, 7.592033679900722e-301},
	{math.Inf(1), 3.0, math.NaN(), math.NaN()},
	{math.Inf(1), -3.0, math.NaN(), math.NaN()},
	{math.Inf(1), 0.1, math.NaN(), math.NaN()},
	{math.Inf(1), -0.1, math.NaN(), math.NaN()},
	{math.Inf(1), math.Inf(1), math.NaN(), math.NaN()},
	{math.Inf(1), math.Inf(-1), math.NaN(), math.NaN()},
	{math.Inf(1), 1e-300, math.NaN(), math.NaN()},
	{math.Inf(1), 5e-324, math.NaN(), math.NaN()},
	{1e+17, 3.0, 3.3333333333333332e+16, 1.0},
	{1e+17, 0.1, 1e+18, 0.04888487687421761},
}

func same64(x, y float64) bool {
	return x != x && y != y || x == y && math.Signbit(x) == math.Signbit(y)
}

func TestDivisionIsPythons(t *testing.T) {
	for _, c := range python {
		require.True(t, same64(c.quotient, floorDivide(c.x, c.y)), "%v // %v is %v, not %v", c.x, c.y, c.quotient, floorDivide(c.x, c.y))
		require.True(t, same64(c.remainder, remainder(c.x, c.y)), "%v %% %v is %v, not %v", c.x, c.y, c.remainder, remainder(c.x, c.y))
	}
	for _, c := range []struct{ x, y, quotient, remainder int64 }{
		{7, 3, 2, 1}, {-7, 3, -3, 2}, {7, -3, -3, -2}, {-7, -3, 2, -1}, {6, -3, -2, 0}, {0, 5, 0, 0},
		{5, 0, 0, 0}, {math.MinInt64, -1, math.MinInt64, 0}, {math.MinInt64, 2, math.MinInt64 / 2, 0},
	} {
		require.Equal(t, c.quotient, floorDivideInt(c.x, c.y), "%d // %d", c.x, c.y)
		require.Equal(t, c.remainder, remainderInt(c.x, c.y), "%d %% %d", c.x, c.y)
	}
}

func TestPowInt(t *testing.T) {
	for _, c := range []struct{ x, y, want int64 }{
		{3, 4, 81}, {-3, 3, -27}, {0, 0, 1}, {2, 63, math.MinInt64}, {2, 64, 0}, {3, 41, 36472996377170786403 - 1<<65},
		{2, -1, 0}, {1, -5, 1}, {-1, -5, -1}, {-1, -4, 1}, {0, -1, 0},
	} {
		require.Equal(t, c.want, powInt(c.x, c.y), "%d ** %d", c.x, c.y)
	}
}

// TestPhilox checks the generator against a vector that its authors publish (Random123,
// kat_vectors).
func TestPhilox(t *testing.T) {
	require.Equal(t, [4]uint64{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, words(0, 0))
}

func TestRound(t *testing.T) {
	for _, c := range []struct {
		d       tensor.DType
		f, want float64
	}{
		{tensor.Float16, 2049, 2048}, {tensor.Float16, 2051, 2052}, {tensor.Float16, 65519.99, 65504},
		{tensor.Float16, 65520, math.Inf(1)}, {tensor.Float16, -1e9, math.Inf(-1)}, {tensor.Float16, 0x1p-25, 0},
		{tensor.Float16, 0x1.8p-25, 0x1p-24}, {tensor.Float16, -0x1p-26, math.Copysign(0, -1)},
		{tensor.BFloat16, 257, 256}, {tensor.BFloat16, 259, 260}, {tensor.BFloat16, 3.4e38, math.Inf(1)},
		{tensor.Float32, 1<<24 + 1, 1 << 24}, {tensor.Float64, 0.1, 0.1},
	} {
		require.True(t, same64(c.want, Round(c.d, c.f)), "%v as %s is %v", c.f, c.d, Round(c.d, c.f))
	}
	require.Equal(t, 0x1p63, fromInt(tensor.Float32, math.MaxInt64))
	require.Equal(t, math.Inf(1), Round(tensor.Float16, fromInt(tensor.Float16, 65520)))
	require.EqualValues(t, math.MaxInt32, toInt(tensor.Int32, 1e10))
	require.EqualValues(t, 0, toInt(tensor.Int64, math.NaN()))
	require.EqualValues(t, -2, toInt(tensor.Int64, -2.9))
}

// TestKnownResults runs small programs whose results can be checked by hand.
func TestKnownResults(t *testing.T) {
	f := func(shape tensor.Shape, x ...float64) *Tensor {
		return &Tensor{Type: tensor.Type{DType: tensor.Float64, Shape: shape}, Floats: x}
	}
	grid := f(tensor.Shape{2, 3}, 1, 2, 3, 4, 5, 6)
	for _, c := range []struct {
		op    tensor.Op
		attrs tensor.Attrs
		in    []*Tensor
		want  []float64
	}{
		{tensor.Sum, tensor.Attrs{"axes": []int{0}}, []*Tensor{grid}, []float64{5, 7, 9}},
		{tensor.Mean, tensor.Attrs{"axes": []int{1}}, []*Tensor{grid}, []float64{2, 5}},
		{tensor.Var, tensor.Attrs{"axes": []int{0, 1}, "correction": 1.0}, []*Tensor{grid}, []float64{3.5}},
		{tensor.CumulativeSum, tensor.Attrs{"axis": 1}, []*Tensor{grid}, []float64{1, 3, 6, 4, 9, 15}},
		{tensor.PermuteDims, tensor.Attrs{"axes": []int{1, 0}}, []*Tensor{grid}, []float64{1, 4, 2, 5, 3, 6}},
		{tensor.Slice, tensor.Attrs{"start": []int{1, 2}, "step": []int{-1, -2}, "count": []int{2, 2}}, []*Tensor{grid}, []float64{6, 4, 3, 1}},
		{tensor.Concat, tensor.Attrs{"axis": 1}, []*Tensor{grid, f(tensor.Shape{2, 1}, 8, 9)}, []float64{1, 2, 3, 8, 4, 5, 6, 9}},
		{tensor.MatMul, nil, []*Tensor{grid, f(tensor.Shape{3, 2}, 1, 0, 0, 1, 1, 1)}, []float64{4, 5, 10, 11}},
		{tensor.MatMul, nil, []*Tensor{grid, f(tensor.Shape{3}, 1, 10, 100)}, []float64{321, 654}},
		{tensor.MatMul, nil, []*Tensor{f(tensor.Shape{2}, 1, 10), grid}, []float64{41, 52, 63}},
		{tensor.Softmax, tensor.Attrs{"axis": 0}, []*Tensor{f(tensor.Shape{2}, 0, math.Log(3))}, []float64{0.25, 0.75}},
		{tensor.LayerNorm, tensor.Attrs{"eps": 0.0}, []*Tensor{f(tensor.Shape{2}, 1, 3)}, []float64{-1, 1}},
		{tensor.TopK, tensor.Attrs{"axis": 1, "k": 2}, []*Tensor{grid}, []float64{3, 2, 6, 5}},
		{tensor.Clip, nil, []*Tensor{grid, f(tensor.Shape{}, 2), f(tensor.Shape{3}, 9, 4, 5)}, []float64{2, 2, 3, 4, 4, 5}},
		{tensor.Max, tensor.Attrs{"axes": []int{1}}, []*Tensor{grid}, []float64{3, 6}},
	} {
		b := tensor.NewBuilder(tensor.Limits{})
		var in []tensor.Value
		var data [][]byte
		for _, x := range c.in {
			in = append(in, b.Input(x.DType, x.Shape...))
			data = append(data, x.Encode())
		}
		p, err := b.Build(b.Apply(c.op, c.attrs, in...))
		require.NoError(t, err)
		out, err := Eval(p, data, nil)
		require.NoError(t, err)
		require.InDeltaSlice(t, c.want, Decode(p.Outputs()[0], out[0]).Floats, 1e-15, "%s", c.op)
	}
}
