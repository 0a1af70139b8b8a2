package conformance

import (
	"slices"

	"github.com/sporeengine/spore/gpu/tensor"
)

// RandomProgram makes a program of many operations, each on values that are there
// already, with data for it.
func RandomProgram(m *Maker, nodes int) (*tensor.Program, error) {
	s := m.Shape(1 + m.R.IntN(3))
	m.Fill(s)
	d := tensor.DTypes()[m.R.IntN(8)]
	values := []tensor.Value{m.Operand(d, s), m.Operand(d, s), m.Operand(tensor.Float32, s)}
	ops := tensor.Ops()
	for range nodes {
		// A builder keeps its first error, so what may be invalid is tried on a copy.
		trial := *m.B
		pick := func() tensor.Value { return values[len(values)-1-m.R.IntN(min(len(values), 6))] }
		op := ops[m.R.IntN(len(ops))]
		if m.Chance(2) {
			op = []tensor.Op{tensor.Add, tensor.Multiply, tensor.Sqrt, tensor.Maximum, tensor.Where, tensor.AsType, tensor.Less, tensor.Negative}[m.R.IntN(8)]
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
			v = trial.AsType(in[0], tensor.DTypes()[m.R.IntN(8)])
		default:
			attrs := tensor.Attrs{}
			t = trial.Type(in[0])
			for _, a := range op.Info().Attrs {
				switch a.Name {
				case "axes":
					attrs["axes"] = m.Axes(t.Shape)
					if op == tensor.PermuteDims {
						attrs["axes"] = m.R.Perm(len(t.Shape))
					}
				case "axis":
					attrs["axis"] = m.R.IntN(max(1, len(t.Shape)))
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
		*m.B = trial
		values = append(values, v)
		if op.Results() == 2 {
			values = append(values, v+1)
		}
	}
	outputs := []tensor.Value{values[len(values)-1]}
	for range m.R.IntN(3) {
		outputs = append(outputs, values[m.R.IntN(len(values))])
	}
	return m.B.Build(outputs...)
}
