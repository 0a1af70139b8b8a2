package cpu

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/internal/conformance"
	"github.com/sporeengine/spore/gpu/tensor"
)

// TestFusingChangesNothing runs random programs fused and operation by operation, on
// one core and on several: all results are the same, bit for bit, and the memory stays
// within what the program was bounded to.
func TestFusingChangesNothing(t *testing.T) {
	fused, err := New(Options{Procs: 3})
	require.NoError(t, err)
	plain, err := New(Options{Procs: 1, OpByOp: true})
	require.NoError(t, err)
	rounds, ran, joined := 400, 0, 0
	if testing.Short() {
		rounds = 100
	}
	for i := range rounds {
		m := conformance.NewMaker(rand.New(rand.NewPCG(7, uint64(i))))
		m.Large = i%3 == 0
		p, err := conformance.RandomProgram(m, 4+m.R.IntN(40))
		if errors.Is(err, tensor.ErrLimit) {
			continue
		}
		require.NoError(t, err)
		a, errA := tryEvaluate(fused, p, m)
		b, errB := tryEvaluate(plain, p, m)
		if errA != nil || errB != nil { // an index out of range
			require.Error(t, errA)
			require.Error(t, errB)
			require.Equal(t, errA.Error(), errB.Error())
			continue
		}
		ran++
		for j := range a {
			if !slices.Equal(a[j], b[j]) {
				conformance.SameNaN(t, p.Outputs()[j], a[j], b[j])
			}
		}
		pl := newPlan(p, true)
		for g, members := range pl.members {
			if g != members[0] {
				joined++
			}
		}
		require.LessOrEqual(t, pl.peak(p), p.Cost().Peak)
	}
	require.Greater(t, ran, rounds/3)
	require.Greater(t, joined, rounds/8)
}

func tryEvaluate(b *Backend, p *tensor.Program, m *conformance.Maker) ([][]byte, error) {
	e := newExec(context.Background(), b.options, p)
	inputs := make([]*value, len(m.Data))
	for i, t := range p.Inputs() {
		inputs[i] = valueOf(t, m.Data[i])
	}
	constants := make([]*value, len(m.Constants))
	for i, t := range p.Constants() {
		constants[i] = valueOf(t, m.Constants[i])
	}
	outputs := make([][]byte, len(p.Outputs()))
	for i, t := range p.Outputs() {
		outputs[i] = make([]byte, t.Bytes())
	}
	if err := e.run(inputs, constants, outputs); err != nil {
		return nil, err
	}
	// Tensors are rounded up to words.
	if most := p.Cost().Peak*9/8 + int64(16*p.NumValues()); e.arena.high > most {
		panic("more memory than the program is bounded to")
	}
	return outputs, nil
}

// TestJoining runs random chains of the operations that are joined to one loop, with
// scalars and vectors of numbers for which the order of roundings and the signs of
// zeros matter.
func TestJoining(t *testing.T) {
	fused := newBackend(t, Options{Procs: 2})
	plain := newBackend(t, Options{Procs: 1, OpByOp: true})
	ops := []tensor.Op{tensor.Add, tensor.Subtract, tensor.Multiply, tensor.Negative, tensor.Minimum, tensor.Maximum, tensor.Abs, tensor.Divide, tensor.Floor, tensor.Sqrt}
	numbers := []float64{0, math.Copysign(0, -1), 1, -1, 2, 0.1, -3.3, 1e30, math.Inf(1), math.NaN()}
	for i := range 600 {
		m := conformance.NewMaker(rand.New(rand.NewPCG(11, uint64(i))))
		d := []tensor.DType{tensor.Float32, tensor.Float64, tensor.Float16}[i%3]
		x := oracle.New(tensor.Type{DType: d, Shape: tensor.Shape{700}})
		fill := func() tensor.Value {
			for i := range x.Floats {
				x.Floats[i] = oracle.Round(d, numbers[m.R.IntN(len(numbers))])
				if m.Chance(3) {
					x.Floats[i] = m.Number(d, false)
				}
			}
			return m.Give(x)
		}
		v := fill()
		values := []tensor.Value{v}
		for range 3 + m.R.IntN(12) {
			op := ops[m.R.IntN(len(ops))]
			if op.Info().Arity == 1 {
				v = m.B.Apply(op, nil, v)
			} else {
				other := m.B.Full(d, numbers[m.R.IntN(len(numbers))])
				switch m.R.IntN(6) {
				case 0:
					other = fill()
				case 1:
					other = values[m.R.IntN(len(values))]
				}
				if m.Chance(2) {
					v, other = other, v
				}
				v = m.B.Apply(op, nil, v, other)
			}
			values = append(values, v)
		}
		p, err := m.B.Build(v)
		require.NoError(t, err)
		a, err := tryEvaluate(fused, p, m)
		require.NoError(t, err)
		b, err := tryEvaluate(plain, p, m)
		require.NoError(t, err)
		conformance.SameNaN(t, p.Outputs()[0], a[0], b[0])
		want, err := oracle.Eval(p, m.Data, m.Constants)
		require.NoError(t, err)
		conformance.SameNaN(t, p.Outputs()[0], want[0], a[0])
	}
}

// TestChainIsJoined holds that the chain that is measured is joined to fewer loops, so
// that the test before this one tests something.
func TestChainIsJoined(t *testing.T) {
	p := chain(t, 100)
	pl := newPlan(p, true)
	require.Len(t, pl.members, 1)
	values := make([]*value, p.NumValues())
	for v := range values {
		if typ := p.Type(v); len(typ.Shape) == 0 || v < 2 {
			values[v] = valueOf(typ, make([]byte, typ.Bytes()))
		}
	}
	for _, members := range pl.members {
		require.Len(t, members, 10)
		want := 6
		if hasChains() {
			want = 1
		}
		require.Len(t, compile(p, members, values).steps, want)
	}
}
