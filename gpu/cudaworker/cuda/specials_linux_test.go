package cuda

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/internal/conformance"
	"github.com/sporeengine/spore/gpu/tensor"
)

// specials are numbers for which operations have rules of their own, and neighbours of them.
func specials(d tensor.DType) *oracle.Tensor {
	x := &oracle.Tensor{Type: tensor.Type{DType: d}}
	switch d {
	case tensor.Bool:
		x.Ints = []int64{0, 1}
	case tensor.Uint8:
		x.Ints = []int64{0, 1, 2, 3, 7, 127, 128, 254, 255}
	case tensor.Int32:
		x.Ints = []int64{0, 1, -1, 2, -2, 7, -7, 31, 33, math.MaxInt32, math.MinInt32, math.MinInt32 + 1, 65536}
	case tensor.Int64:
		x.Ints = []int64{0, 1, -1, 2, -2, 7, -7, 63, 65, math.MaxInt64, math.MinInt64, math.MinInt64 + 1, 1 << 32, 1<<53 + 1}
	default:
		for _, f := range []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, -7, 100, 1e-3, 0x1p-24, -0x1p-140, 0x1p-1060, 255.5, 65504, -65520,
			1e30, -1e300, 2147483647, -2147483648, 9.3e18, math.Inf(1), math.Inf(-1), math.NaN()} {
			x.Floats = append(x.Floats, oracle.Round(d, f))
		}
	}
	x.Shape = tensor.Shape{len(x.Ints) + len(x.Floats)}
	return x
}

// TestSpecials has each elementwise operation work on all pairs of such numbers, or all there are if it has one or three inputs, and reductions
// on all of them in turn.
func TestSpecials(t *testing.T) {
	b := newFake(t, nil)
	done := map[tensor.Op]bool{}
	compare := func(op tensor.Op, x *oracle.Tensor, f func(b *tensor.Builder, x tensor.Value) tensor.Value) {
		m := conformance.NewMaker(nil)
		m.Data = [][]byte{x.Encode()}
		v := f(m.B, m.B.Input(x.DType, x.Shape...))
		p, err := m.B.Build(v)
		if errors.Is(err, tensor.ErrInvalid) {
			return // not of this dtype
		}
		require.NoError(t, err)
		conformance.Compare(t, b, p, m, op, false)
		done[op] = true
	}
	elementwise := 0
	for _, op := range tensor.Ops() {
		if !op.Elementwise() {
			continue
		}
		elementwise++
		for _, d := range tensor.DTypes() {
			x := specials(d)
			n := x.Shape[0]
			switch {
			case op == tensor.AsType:
				for _, to := range tensor.DTypes() {
					compare(op, x, func(b *tensor.Builder, x tensor.Value) tensor.Value { return b.AsType(x, to) })
				}
			case op.Info().Arity == 1:
				compare(op, x, func(b *tensor.Builder, x tensor.Value) tensor.Value { return b.Apply(op, nil, x) })
			default:
				compare(op, x, func(b *tensor.Builder, x tensor.Value) tensor.Value {
					column := b.Apply(tensor.Reshape, tensor.Attrs{"shape": []int{n, 1}}, x)
					in := []tensor.Value{column, x}
					switch {
					case op == tensor.Where:
						in = []tensor.Value{b.AsType(column, tensor.Bool), x, column}
					case op.Info().Arity == 3:
						in = []tensor.Value{b.Apply(tensor.Reshape, tensor.Attrs{"shape": []int{n, 1, 1}}, x), column, x}
					}
					return b.Apply(op, nil, in...)
				})
			}
		}
	}
	require.Len(t, done, elementwise)
	for _, op := range []tensor.Op{tensor.Min, tensor.Max, tensor.ArgMin, tensor.ArgMax, tensor.Any, tensor.All} {
		for _, d := range []tensor.DType{tensor.Float32, tensor.Int64} {
			all := specials(d)
			for i := range all.Shape[0] { // pairs of neighbours, in both orders: zeros, infinities, NaN
				x := oracle.New(tensor.Type{DType: d, Shape: tensor.Shape{4}})
				for j, k := range []int{i, (i + 1) % all.Shape[0], (i + 1) % all.Shape[0], i} {
					if d.IsFloat() {
						x.Floats[j] = all.Floats[k]
					} else {
						x.Ints[j] = all.Ints[k]
					}
				}
				attrs := tensor.Attrs{"axes": []int{0}}
				if op == tensor.ArgMin || op == tensor.ArgMax {
					attrs = tensor.Attrs{"axis": 0}
				}
				compare(op, x, func(b *tensor.Builder, x tensor.Value) tensor.Value { return b.Apply(op, attrs, x) })
			}
		}
	}
}
