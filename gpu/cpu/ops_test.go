package cpu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/tensor"
)

// TestTableIsComplete fails if an operation has been put in the table and forgotten
// elsewhere.
func TestTableIsComplete(t *testing.T) {
	for _, op := range tensor.Ops() {
		info := op.Info()
		require.NotEmpty(t, info.Doc, "%s has no doc", op)
		require.True(t, oracle.Has(op), "%s has no oracle", op)
		require.NotNil(t, opMakers[op], "%s has no test input", op)
		fast := operations[op] != nil || op == tensor.AsArray || op == tensor.Constant || op == tensor.AsType
		if op.Elementwise() && op != tensor.AsType {
			_, fast = kernels[op]
		}
		require.True(t, fast, "%s has no kernel", op)
	}
}

// TestOps compares each operation with the oracle: all dtypes that it takes, random
// shapes and views, broadcasting, empty tensors, NaN, infinities and extreme values.
func TestOps(t *testing.T) {
	rounds := 24
	if testing.Short() {
		rounds = 12
	}
	for _, op := range tensor.Ops() {
		t.Run(op.String(), func(t *testing.T) {
			t.Parallel()
			b, err := New(Options{Procs: 3})
			require.NoError(t, err)
			defer b.Close()
			dtypes := 0
			for _, d := range tensor.DTypes() {
				done := 0
				for i := range rounds {
					r := rand.New(rand.NewPCG(uint64(op)<<8|uint64(d), uint64(i)))
					m := newMaker(r)
					m.large = i%4 == 0
					m.tame = op.Info().ULP < 0
					v := opMakers[op](m, op, d)
					outs := []tensor.Value{v}
					if op.Results() == 2 {
						outs = append(outs, v+1)
					}
					p, err := m.b.Build(outs...)
					if errors.Is(err, tensor.ErrInvalid) {
						continue // not of this dtype
					}
					require.NoError(t, err)
					compareWithOracle(t, b, p, m, op)
					done++
				}
				if done > 0 {
					dtypes++
					require.GreaterOrEqual(t, done, rounds/2, "%s: most inputs for %s were refused", op, d)
				}
			}
			require.NotZero(t, dtypes)
		})
	}
}

func compareWithOracle(t *testing.T, b *Backend, p *tensor.Program, m *maker, op tensor.Op) {
	t.Helper()
	want, err := oracle.Eval(p, m.data, m.ids)
	require.NoError(t, err)
	got := evaluate(t, b, p, m.data, m.ids)
	var bounds [][]byte
	if op.Info().Accuracy == tensor.Sum.Info().Accuracy {
		// The same of absolute values: the sum of what was added.
		bounds, err = oracle.Eval(p, absolute(p.Inputs(), m.data), absolute(p.Constants(), m.ids))
		require.NoError(t, err)
	}
	for i, typ := range p.Outputs() {
		w, g := oracle.Decode(typ, want[i]), oracle.Decode(typ, got[i])
		require.Equal(t, w.Ints, g.Ints, "%s to %s", op, typ)
		var sums []float64
		if bounds != nil {
			sums = oracle.Decode(typ, bounds[i]).Floats
		}
		most, added := largest(p, m), terms(p)
		for j := range w.Floats {
			var tolerance float64
			switch a := op.Info(); {
			case sums != nil:
				tolerance = 4 * added * epsilon(typ.DType) * sums[j]
			case op == tensor.Var:
				tolerance = 4 * added * epsilon(typ.DType) * most
			case a.ULP < 0:
				tolerance = 16*epsilon(typ.DType)*max(1, math.Abs(w.Floats[j])) + 0x1p-44*most
			case a.ULP > 0 && typ.DType != tensor.Float64:
				tolerance = ulp(typ.DType, w.Floats[j]) // better than what the table says
			default:
				tolerance = a.ULP * ulp(typ.DType, w.Floats[j])
			}
			if !near(w.Floats[j], g.Floats[j], tolerance) {
				t.Fatalf("%s to %s: element %d is %v, want %v ± %v\ninputs %v %v", op, typ, j, g.Floats[j], w.Floats[j], tolerance, p.Inputs(), p.Constants())
			}
		}
	}
}

// near tells whether two results are the same, to a tolerance. Zeros differ by their
// sign if nothing may be off.
func near(want, got, tolerance float64) bool {
	switch {
	case want != want || got != got:
		return want != want && got != got
	case want == got:
		return tolerance > 0 || math.Signbit(want) == math.Signbit(got)
	}
	return math.Abs(want-got) <= tolerance
}

func epsilon(d tensor.DType) float64 {
	return map[tensor.DType]float64{tensor.Float16: 0x1p-11, tensor.BFloat16: 0x1p-8, tensor.Float32: 0x1p-24, tensor.Float64: 0x1p-53}[d]
}

// ulp returns the distance of the numbers around x, at least that of the smallest ones.
func ulp(d tensor.DType, x float64) float64 {
	smallest := map[tensor.DType]float64{tensor.Float16: 0x1p-24, tensor.BFloat16: 0x1p-133, tensor.Float32: 0x1p-149, tensor.Float64: 0x1p-1074}[d]
	if x == 0 || math.IsInf(x, 0) || x != x {
		return smallest
	}
	_, exp := math.Frexp(x)
	return max(smallest, math.Ldexp(2*epsilon(d), exp-1))
}

// terms bounds how many numbers are added to one.
func terms(p *tensor.Program) float64 {
	n := int64(1)
	for v := range p.NumValues() {
		n = max(n, p.Type(v).Size())
	}
	return float64(n)
}

// largest returns the square of the largest finite number in the inputs.
func largest(p *tensor.Program, m *maker) float64 {
	f := 1.0
	data := slices.Concat(m.data, m.ids)
	for i, typ := range slices.Concat(p.Inputs(), p.Constants()) {
		for _, x := range oracle.Decode(typ, data[i]).Floats {
			if !math.IsInf(x, 0) && x == x {
				f = max(f, x*x)
			}
		}
	}
	return f
}

func absolute(types []tensor.Type, data [][]byte) [][]byte {
	out := make([][]byte, len(data))
	for i, typ := range types {
		x := oracle.Decode(typ, data[i])
		for j, f := range x.Floats {
			x.Floats[j] = math.Abs(f)
		}
		out[i] = x.Encode()
	}
	return out
}

// evaluate runs p. Buffers are poisoned and lie at odd addresses now and then.
func evaluate(t *testing.T, b *Backend, p *tensor.Program, data, constants [][]byte) [][]byte {
	t.Helper()
	ids := make([]gpu.ConstantID, len(constants))
	for i, typ := range p.Constants() {
		ids[i] = gpu.IDOf(typ, constants[i])
		require.NoError(t, b.PutConstant(context.Background(), ids[i], typ, constants[i]))
		defer b.DropConstant(ids[i])
	}
	outputs := make([][]byte, len(p.Outputs()))
	odd := len(data) % 2
	for i := range data {
		data[i] = append(make([]byte, odd, odd+len(data[i])), data[i]...)[odd:]
	}
	for i, typ := range p.Outputs() {
		outputs[i] = slices.Repeat([]byte{0xff}, int(typ.Bytes())+odd)[odd:]
	}
	require.NoError(t, b.Eval(context.Background(), p, data, ids, outputs))
	return outputs
}

// TestSumIsAccurate holds the backend to what its documentation promises beyond the
// table: sums of float32 are made in float64.
func TestSumIsAccurate(t *testing.T) {
	b, err := New(Options{})
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range []tensor.Shape{{300000}, {70000, 5}, {3, 1000, 7}} {
		for axis := range shape {
			m := newMaker(r)
			x := oracle.New(tensor.Type{DType: tensor.Float32, Shape: shape})
			for i := range x.Floats {
				x.Floats[i] = float64(float32(r.Float64()*1000 + 1))
			}
			m.data = [][]byte{x.Encode()}
			p, err := m.b.Build(m.b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{axis}}, m.b.Input(tensor.Float32, shape...)))
			require.NoError(t, err)
			want, err := oracle.Eval(p, m.data, nil)
			require.NoError(t, err)
			got := evaluate(t, b, p, m.data, nil)
			w, g := oracle.Decode(p.Outputs()[0], want[0]), oracle.Decode(p.Outputs()[0], got[0])
			for i := range w.Floats {
				require.InDelta(t, w.Floats[i], g.Floats[i], ulp(tensor.Float32, w.Floats[i]), fmt.Sprint(shape, axis, i))
			}
		}
	}
}
