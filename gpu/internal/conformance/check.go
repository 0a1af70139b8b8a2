// Package conformance has what tests of backends share: random programs of each operation, with data, and a
// comparison of results with the oracle.
package conformance

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/tensor"
)

// T is what is used of a [testing.TB]: a program that is no test can have its own.
type T interface {
	Errorf(format string, args ...any)
	FailNow()
	Helper()
	Fatalf(format string, args ...any)
}

// Ops compares each operation that a backend has with the oracle: all dtypes that it takes, random shapes and views,
// broadcasting, empty tensors, NaN, infinities and extreme values. Operations run in parallel, each with a backend of
// its own from open, which closes it when the test ends. Each operation and dtype has so many rounds; see [Compare] for strict.
func Ops(t *testing.T, open func(t *testing.T) gpu.Backend, rounds int, strict bool) {
	for _, op := range tensor.Ops() {
		t.Run(op.String(), func(t *testing.T) {
			t.Parallel()
			b := open(t)
			if !slices.Contains(b.Info().Ops, op) {
				t.Skipf("the backend has not got %s", op)
			}
			dtypes := 0
			for _, d := range tensor.DTypes() {
				done := 0
				for i := range rounds {
					r := rand.New(rand.NewPCG(uint64(op)<<8|uint64(d), uint64(i)))
					m := NewMaker(r)
					m.Large = i%4 == 0
					m.Tame = op.Info().ULP < 0
					p, err := m.Case(op, d)
					if errors.Is(err, tensor.ErrInvalid) {
						continue // not of this dtype
					}
					require.NoError(t, err)
					Compare(t, b, p, m, op, strict)
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

// CompareOne is Compare for one operation on an input of a shape, with tame elements: those of a case that is as large as backends
// divide it among threads.
func CompareOne(t T, b gpu.Backend, r *rand.Rand, op tensor.Op, d tensor.DType, attrs tensor.Attrs, shape tensor.Shape, strict bool) {
	t.Helper()
	m := NewMaker(r)
	m.Tame = true
	x := m.Elements(tensor.Type{DType: d, Shape: shape})
	for i, f := range x.Floats {
		if f != f && op != tensor.Sort && op != tensor.TopK {
			x.Floats[i] = 1 // one NaN would decide all
		}
	}
	m.Data = [][]byte{x.Encode()}
	v := m.B.Apply(op, attrs, m.B.Input(d, shape...))
	outs := []tensor.Value{v}
	if op.Results() == 2 {
		outs = append(outs, v+1)
	}
	p, err := m.B.Build(outs...)
	require.NoError(t, err)
	Compare(t, b, p, m, op, strict)
}

// Compare runs p, whose last operation is op, on the data of m and compares the results with those of the oracle. They may be as far
// off as the table of operations says; if strict, functions of types shorter than float64 one unit in the last place at most.
func Compare(t T, b gpu.Backend, p *tensor.Program, m *Maker, op tensor.Op, strict bool) {
	t.Helper()
	want, err := oracle.Eval(p, m.Data, m.Constants)
	require.NoError(t, err)
	got := Evaluate(t, b, p, m.Data, m.Constants)
	var bounds [][]byte
	if op.Info().Accuracy == tensor.Sum.Info().Accuracy {
		// The same of absolute values: the sum of what was added.
		bounds, err = oracle.Eval(p, absolute(p.Inputs(), m.Data), absolute(p.Constants(), m.Constants))
		require.NoError(t, err)
	}
	for i, typ := range p.Outputs() {
		w, g := oracle.Decode(typ, want[i]), oracle.Decode(typ, got[i])
		require.Equal(t, w.Ints, g.Ints, "%s to %s of %v %v", op, typ, p.Inputs(), p.Constants())
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
			case strict && a.ULP > 0 && typ.DType != tensor.Float64:
				tolerance = ULP(typ.DType, w.Floats[j])
			case (op == tensor.Sin || op == tensor.Cos) && typ.DType == tensor.Float64:
				// Those of Go, which the oracle has, lose bits near the zeros of the functions.
				tolerance = max(a.ULP*ULP(typ.DType, w.Floats[j]), 2*epsilon(typ.DType))
			case op == tensor.Pow && typ.DType == tensor.Float64:
				// Go's loses a bit or so with each multiplication: for (1e-3)**100 it is 18 units off.
				tolerance = 16 * a.ULP * ULP(typ.DType, w.Floats[j])
			default:
				tolerance = a.ULP * ULP(typ.DType, w.Floats[j])
			}
			if !Near(w.Floats[j], g.Floats[j], tolerance) {
				t.Fatalf("%s to %s: element %d is %v, want %v ± %v\ninputs %v %v", op, typ, j, g.Floats[j], w.Floats[j], tolerance, p.Inputs(), p.Constants())
			}
		}
	}
}

// SameNaN compares floats of which the bits of NaN may differ: those of an
// operation on two of them depend on the order in which the compiler takes them.
func SameNaN(t T, typ tensor.Type, a, b []byte) {
	t.Helper()
	x, y := oracle.Decode(typ, a), oracle.Decode(typ, b)
	require.Equal(t, x.Ints, y.Ints)
	for i := range x.Floats {
		require.True(t, Near(x.Floats[i], y.Floats[i], 0), "%v %v", x.Floats[i], y.Floats[i])
	}
}

// Near tells whether two results are the same, to a tolerance. Zeros differ by their
// sign if nothing may be off.
func Near(want, got, tolerance float64) bool {
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

// ULP returns the distance of the numbers around x, at least that of the smallest ones.
func ULP(d tensor.DType, x float64) float64 {
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
func largest(p *tensor.Program, m *Maker) float64 {
	f := 1.0
	data := slices.Concat(m.Data, m.Constants)
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

// Evaluate runs p and returns its outputs. Buffers are poisoned and lie at odd addresses now and then.
func Evaluate(t T, b gpu.Backend, p *tensor.Program, data, constants [][]byte) [][]byte {
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
