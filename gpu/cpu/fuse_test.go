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
	"github.com/sporeengine/spore/gpu/tensor"
)

// randomProgram makes a program of many operations, each on values that are there
// already, with data for it.
func randomProgram(m *maker, nodes int) (*tensor.Program, error) {
	s := m.shape(1 + m.r.IntN(3))
	m.fill(s)
	d := tensor.DTypes()[m.r.IntN(8)]
	values := []tensor.Value{m.operand(d, s), m.operand(d, s), m.operand(tensor.Float32, s)}
	ops := tensor.Ops()
	for range nodes {
		// A builder keeps its first error, so what may be invalid is tried on a copy.
		trial := *m.b
		pick := func() tensor.Value { return values[len(values)-1-m.r.IntN(min(len(values), 6))] }
		op := ops[m.r.IntN(len(ops))]
		if m.chance(2) {
			op = []tensor.Op{tensor.Add, tensor.Multiply, tensor.Sqrt, tensor.Maximum, tensor.Where, tensor.AsType, tensor.Less, tensor.Negative}[m.r.IntN(8)]
		}
		in := make([]tensor.Value, max(op.Info().Arity, 0))
		for i := range in {
			in[i] = pick()
		}
		var v tensor.Value
		switch t := trial.Type(pick()); {
		case op == tensor.AsArray || op == tensor.Constant || len(in) == 0:
			continue
		case op == tensor.AsType:
			v = trial.AsType(in[0], tensor.DTypes()[m.r.IntN(8)])
		default:
			attrs := tensor.Attrs{}
			t = trial.Type(in[0])
			for _, a := range op.Info().Attrs {
				switch a.Name {
				case "axes":
					attrs["axes"] = m.axes(t.Shape)
					if op == tensor.PermuteDims {
						attrs["axes"] = m.r.Perm(len(t.Shape))
					}
				case "axis":
					attrs["axis"] = m.r.IntN(max(1, len(t.Shape)))
				case "shape":
					attrs["shape"] = tensor.Shape{int(t.Shape.Size())}
				case "k":
					attrs["k"] = 1
				case "start", "step":
					attrs[a.Name] = slices.Repeat([]int{1}, len(t.Shape))
				case "count":
					count := slices.Clone(t.Shape)
					for i := range count {
						count[i] = max(0, count[i]-1)
					}
					attrs["count"] = count
				}
			}
			v = trial.Apply(op, attrs, in...)
		}
		if trial.Type(v).DType == 0 {
			continue // refused
		}
		*m.b = trial
		values = append(values, v)
		if op.Results() == 2 {
			values = append(values, v+1)
		}
	}
	outputs := []tensor.Value{values[len(values)-1]}
	for range m.r.IntN(3) {
		outputs = append(outputs, values[m.r.IntN(len(values))])
	}
	return m.b.Build(outputs...)
}

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
		m := newMaker(rand.New(rand.NewPCG(7, uint64(i))))
		m.large = i%3 == 0
		p, err := randomProgram(m, 4+m.r.IntN(40))
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
				requireSameNaN(t, p.Outputs()[j], a[j], b[j])
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

// requireSameNaN compares floats of which the bits of NaN may differ: those of an
// operation on two of them depend on the order in which the compiler takes them.
func requireSameNaN(t *testing.T, typ tensor.Type, a, b []byte) {
	t.Helper()
	x, y := oracle.Decode(typ, a), oracle.Decode(typ, b)
	require.Equal(t, x.Ints, y.Ints)
	for i := range x.Floats {
		require.True(t, near(x.Floats[i], y.Floats[i], 0), "%v %v", x.Floats[i], y.Floats[i])
	}
}

func tryEvaluate(b *Backend, p *tensor.Program, m *maker) ([][]byte, error) {
	e := newExec(context.Background(), b.options, p)
	inputs := make([]*value, len(m.data))
	for i, t := range p.Inputs() {
		inputs[i] = valueOf(t, m.data[i])
	}
	constants := make([]*value, len(m.ids))
	for i, t := range p.Constants() {
		constants[i] = valueOf(t, m.ids[i])
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
	ops := []tensor.Op{tensor.Add, tensor.Subtract, tensor.Multiply, tensor.Negative, tensor.Minimum, tensor.Maximum, tensor.Abs}
	numbers := []float64{0, math.Copysign(0, -1), 1, -1, 2, 0.1, -3.3, 1e30, math.Inf(1), math.NaN()}
	for i := range 600 {
		m := newMaker(rand.New(rand.NewPCG(11, uint64(i))))
		d := []tensor.DType{tensor.Float32, tensor.Float64, tensor.Float16}[i%3]
		x := oracle.New(tensor.Type{DType: d, Shape: tensor.Shape{700}})
		fill := func() tensor.Value {
			for i := range x.Floats {
				x.Floats[i] = oracle.Round(d, numbers[m.r.IntN(len(numbers))])
				if m.chance(3) {
					x.Floats[i] = m.number(d, false)
				}
			}
			return m.give(x)
		}
		v := fill()
		values := []tensor.Value{v}
		for range 3 + m.r.IntN(12) {
			op := ops[m.r.IntN(len(ops))]
			if op.Info().Arity == 1 {
				v = m.b.Apply(op, nil, v)
			} else {
				other := m.b.Full(d, numbers[m.r.IntN(len(numbers))])
				switch m.r.IntN(6) {
				case 0:
					other = fill()
				case 1:
					other = values[m.r.IntN(len(values))]
				}
				if m.chance(2) {
					v, other = other, v
				}
				v = m.b.Apply(op, nil, v, other)
			}
			values = append(values, v)
		}
		p, err := m.b.Build(v)
		require.NoError(t, err)
		a, err := tryEvaluate(fused, p, m)
		require.NoError(t, err)
		b, err := tryEvaluate(plain, p, m)
		require.NoError(t, err)
		requireSameNaN(t, p.Outputs()[0], a[0], b[0])
		want, err := oracle.Eval(p, m.data, m.ids)
		require.NoError(t, err)
		requireSameNaN(t, p.Outputs()[0], want[0], a[0])
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
		require.Len(t, compile(p, members, values).steps, 6)
	}
}
