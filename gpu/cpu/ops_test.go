package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/internal/conformance"
	"github.com/sporeengine/spore/gpu/tensor"
)

// TestTableIsComplete fails if an operation has been put in the table and forgotten
// elsewhere.
func TestTableIsComplete(t *testing.T) {
	for _, op := range tensor.Ops() {
		info := op.Info()
		require.NotEmpty(t, info.Doc, "%s has no doc", op)
		require.True(t, oracle.Has(op), "%s has no oracle", op)
		require.True(t, conformance.Makes(op), "%s has no test input", op)
		fast := operations[op] != nil || op == tensor.AsArray || op == tensor.Constant || op == tensor.AsType
		if op.Elementwise() && op != tensor.AsType {
			_, fast = kernels[op]
		}
		require.True(t, fast, "%s has no kernel", op)
	}
}

// TestOps compares each operation with the oracle.
func TestOps(t *testing.T) {
	rounds := 24
	if testing.Short() {
		rounds = 12
	}
	conformance.Ops(t, func(t *testing.T) gpu.Backend { return newBackend(t, Options{Procs: 3}) }, rounds, true)
}

// TestSumIsAccurate holds the backend to what its documentation promises beyond the
// table: sums of float32 are made in float64.
func TestSumIsAccurate(t *testing.T) {
	b, err := New(Options{})
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range []tensor.Shape{{300000}, {70000, 5}, {3, 1000, 7}} {
		for axis := range shape {
			m := conformance.NewMaker(r)
			x := oracle.New(tensor.Type{DType: tensor.Float32, Shape: shape})
			for i := range x.Floats {
				x.Floats[i] = float64(float32(r.Float64()*1000 + 1))
			}
			m.Data = [][]byte{x.Encode()}
			p, err := m.B.Build(m.B.Apply(tensor.Sum, tensor.Attrs{"axes": []int{axis}}, m.B.Input(tensor.Float32, shape...)))
			require.NoError(t, err)
			want, err := oracle.Eval(p, m.Data, nil)
			require.NoError(t, err)
			got := conformance.Evaluate(t, b, p, m.Data, nil)
			w, g := oracle.Decode(p.Outputs()[0], want[0]), oracle.Decode(p.Outputs()[0], got[0])
			for i := range w.Floats {
				require.InDelta(t, w.Floats[i], g.Floats[i], conformance.ULP(tensor.Float32, w.Floats[i]), fmt.Sprint(shape, axis, i))
			}
		}
	}
}
