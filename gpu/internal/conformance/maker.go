package conformance

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/tensor"
)

// A Maker makes random programs and data for them. It is for one goroutine.
type Maker struct {
	R *rand.Rand
	B *tensor.Builder

	// Data are those of the inputs that the program has, Constants those of its constants.
	Data, Constants [][]byte

	// Tame leaves out numbers whose sums overflow or lose everything.
	Tame bool
	// Large shapes have some thousand elements, so that blocks and tiles are crossed.
	Large bool
}

// NewMaker returns a maker of one program.
func NewMaker(r *rand.Rand) *Maker {
	return &Maker{R: r, B: tensor.NewBuilder(tensor.Limits{})}
}

// Case makes a program of one operation on random operands, of type d as far as that is possible. It fails with
// [tensor.ErrInvalid] if the operation has no such type.
func (m *Maker) Case(op tensor.Op, d tensor.DType) (*tensor.Program, error) {
	v := makers[op](m, op, d)
	outputs := []tensor.Value{v}
	if op.Results() == 2 {
		outputs = append(outputs, v+1)
	}
	return m.B.Build(outputs...)
}

// Makes tells whether there are cases of an operation.
func Makes(op tensor.Op) bool { return makers[op] != nil }

// Chance is true once in n times.
func (m *Maker) Chance(n int) bool { return m.R.IntN(n) == 0 }

// Shape returns a random shape; one in twelve is empty.
func (m *Maker) Shape(rank int) tensor.Shape {
	s := make(tensor.Shape, rank)
	for i := range s {
		s[i] = 1 + m.R.IntN(5)
		if m.Large && m.Chance(2) {
			s[i] = 1 + m.R.IntN([]int{2, 3000, 90, 24, 12}[min(rank, 4)])
		}
		if m.Chance(40) {
			s[i] = 0
		}
	}
	return s
}

// narrower returns a shape that broadcasts to s.
func (m *Maker) narrower(s tensor.Shape) tensor.Shape {
	t := slices.Clone(s[m.R.IntN(len(s)+1)*m.R.IntN(2):])
	for i := range t {
		if m.Chance(4) {
			t[i] = 1
		}
	}
	return t
}

var extremes = map[tensor.DType][]float64{
	tensor.Float16:  {0, math.Copysign(0, -1), 1, -1, 65504, -65504, 0x1p-24, 0x1p-14, -0x1p-15, 0.5, 1.5, 2.5, 2048, 88},
	tensor.BFloat16: {0, math.Copysign(0, -1), 1, -1, 0x1.fep127, -0x1.fep127, 0x1p-133, 0x1p-126, 0.5, 2.5, 256, 88},
	tensor.Float32:  {0, math.Copysign(0, -1), 1, -1, math.MaxFloat32, -math.MaxFloat32, 0x1p-149, 0x1p-126, -0x1p-127, 0.5, 1.5, 2.5, 1 << 24, 88.7, -103.9},
	tensor.Float64:  {0, math.Copysign(0, -1), 1, -1, math.MaxFloat64, -math.MaxFloat64, 0x1p-1074, 0x1p-1022, 0.5, 1.5, 2.5, 1 << 53, 709.7, -745},
}

// Number returns a random element of a float type.
func (m *Maker) Number(d tensor.DType, special bool) float64 {
	f := m.R.NormFloat64() * 3
	if special {
		switch m.R.IntN(12) {
		case 0:
			f = math.NaN()
		case 1:
			f = math.Inf(1 - 2*m.R.IntN(2))
		case 2, 3, 4, 5:
			if e := extremes[d]; !m.Tame {
				f = e[m.R.IntN(len(e))]
			} else {
				f = 0
			}
		case 6:
			if !m.Tame {
				f = math.Ldexp(f, m.R.IntN(300)-150)
			}
		}
	}
	return oracle.Round(d, f)
}

// Elements returns random data.
func (m *Maker) Elements(t tensor.Type) *oracle.Tensor {
	x := oracle.New(t)
	special := m.Chance(2)
	for i := range x.Floats {
		x.Floats[i] = m.Number(t.DType, special)
	}
	for i := range x.Ints {
		switch t.DType {
		case tensor.Bool:
			x.Ints[i] = int64(m.R.IntN(2))
		case tensor.Uint8:
			x.Ints[i] = int64(m.R.IntN(256))
		case tensor.Int32:
			x.Ints[i] = int64(int32(m.integer(special, math.MinInt32, math.MaxInt32)))
		default:
			x.Ints[i] = m.integer(special, math.MinInt64, math.MaxInt64)
		}
	}
	return x
}

func (m *Maker) integer(special bool, lo, hi int64) int64 {
	if special {
		switch m.R.IntN(6) {
		case 0:
			return lo
		case 1:
			return hi
		case 2:
			return int64(m.R.Uint64())
		}
	}
	return int64(m.R.IntN(21) - 10)
}

// Give makes data an input or a constant.
func (m *Maker) Give(x *oracle.Tensor) tensor.Value {
	if m.Chance(4) {
		m.Constants = append(m.Constants, x.Encode())
		return m.B.Constant(x.DType, x.Shape...)
	}
	m.Data = append(m.Data, x.Encode())
	return m.B.Input(x.DType, x.Shape...)
}

// Operand makes a value of a type: data from outside, or a view of them.
func (m *Maker) Operand(d tensor.DType, s tensor.Shape) tensor.Value {
	switch {
	case len(s) > 1 && m.Chance(4):
		axes := m.R.Perm(len(s))
		from := make(tensor.Shape, len(s))
		for i, a := range axes {
			from[a] = s[i]
		}
		return m.B.Apply(tensor.PermuteDims, tensor.Attrs{"axes": axes}, m.Give(m.Elements(tensor.Type{DType: d, Shape: from})))
	case m.Chance(6):
		return m.B.Apply(tensor.BroadcastTo, tensor.Attrs{"shape": s}, m.Give(m.Elements(tensor.Type{DType: d, Shape: m.narrower(s)})))
	}
	return m.Give(m.Elements(tensor.Type{DType: d, Shape: s}))
}

// axis returns a random axis.
func (m *Maker) axis(s tensor.Shape) int { return m.R.IntN(len(s)) }

// Axes returns some of the axes of s, in ascending order.
func (m *Maker) Axes(s tensor.Shape) []int {
	axes := []int{}
	for i := range s {
		if m.Chance(2) {
			axes = append(axes, i)
		}
	}
	return axes
}

// kin returns a type of the same kind as d.
func (m *Maker) kin(d tensor.DType) tensor.DType {
	kin := tensor.DTypes()[m.R.IntN(8)]
	if _, ok := tensor.Promote(d, kin); ok {
		return kin
	}
	return d
}

// A Maker of an operation applies it to random operands, of type d as far as that is
// possible, and returns its first result.
type opMaker func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value

// makers has one for each operation of the table.
var makers = map[tensor.Op]opMaker{
	tensor.AsArray:  func(m *Maker, _ tensor.Op, d tensor.DType) tensor.Value { return m.Operand(d, m.Shape(m.R.IntN(5))) },
	tensor.Constant: func(m *Maker, _ tensor.Op, d tensor.DType) tensor.Value { return m.Operand(d, m.Shape(m.R.IntN(5))) },
	tensor.Zeros:    makeShaped, tensor.Ones: makeShaped,
	tensor.RandomUniform: makeRandom, tensor.RandomNormal: makeRandom,
	tensor.Full: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		return m.B.Full(d, m.scalar(d), m.Shape(m.R.IntN(5))...)
	},
	tensor.Arange: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		return m.B.Create(op, d, tensor.Attrs{"n": m.R.IntN(3000), "start": m.scalar(d), "step": m.scalar(d)})
	},
	tensor.Linspace: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		return m.B.Create(op, d, tensor.Attrs{"n": m.R.IntN(1 + m.R.IntN(2000)), "start": m.scalar(d), "stop": m.scalar(d), "endpoint": m.Chance(2)})
	},
	tensor.Eye: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		return m.B.Create(op, d, tensor.Attrs{"rows": m.R.IntN(50), "cols": m.R.IntN(50), "k": m.R.IntN(9) - 4})
	},
	tensor.AsType: func(m *Maker, _ tensor.Op, d tensor.DType) tensor.Value {
		return m.B.AsType(m.Operand(tensor.DTypes()[m.R.IntN(8)], m.Shape(m.R.IntN(5))), d)
	},
	tensor.Where: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.Shape(m.R.IntN(5))
		return m.B.Apply(op, nil, m.Operand(tensor.Bool, m.narrower(s)), m.Operand(d, s), m.Operand(m.kin(d), m.narrower(s)))
	},
	tensor.Clip: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.Shape(m.R.IntN(5))
		return m.B.Apply(op, nil, m.Operand(d, s), m.Operand(m.kin(d), m.narrower(s)), m.Operand(m.kin(d), m.narrower(s)))
	},
	tensor.Var: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.Shape(m.R.IntN(5))
		return m.B.Apply(op, tensor.Attrs{"axes": m.Axes(s), "keepdims": m.Chance(2), "correction": float64(m.R.IntN(2))}, m.Operand(d, s))
	},
	tensor.ArgMin: makeReduceOne, tensor.ArgMax: makeReduceOne,
	tensor.CumulativeSum: makeAlong, tensor.Softmax: makeAlong, tensor.LayerNorm: makeAlong,
	tensor.Reshape: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.Shape(m.R.IntN(5))
		to := tensor.Shape{1, int(s.Size())}
		if m.Chance(2) {
			to = slices.Clone(s)
			slices.Reverse(to)
		}
		return m.B.Apply(op, tensor.Attrs{"shape": to}, m.Operand(d, s))
	},
	tensor.PermuteDims: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.Shape(m.R.IntN(5))
		return m.B.Apply(op, tensor.Attrs{"axes": m.R.Perm(len(s))}, m.Operand(d, s))
	},
	tensor.ExpandDims: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.Shape(m.R.IntN(5))
		return m.B.Apply(op, tensor.Attrs{"axis": m.R.IntN(len(s) + 1)}, m.Operand(d, s))
	},
	tensor.Squeeze: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.Shape(1 + m.R.IntN(4))
		axes := m.Axes(s)
		for _, a := range axes {
			s[a] = 1
		}
		return m.B.Apply(op, tensor.Attrs{"axes": axes}, m.Operand(d, s))
	},
	tensor.BroadcastTo: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.Shape(m.R.IntN(5))
		return m.B.Apply(op, tensor.Attrs{"shape": s}, m.Operand(d, m.narrower(s)))
	},
	tensor.Concat: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.Shape(1 + m.R.IntN(3))
		axis := m.axis(s)
		in := make([]tensor.Value, 1+m.R.IntN(4))
		for i := range in {
			t := slices.Clone(s)
			t[axis] = m.R.IntN(5)
			in[i] = m.Operand(m.kin(d), t)
		}
		return m.B.Apply(op, tensor.Attrs{"axis": axis}, in...)
	},
	tensor.Slice: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.Shape(m.R.IntN(5))
		start, step, count := make([]int, len(s)), make([]int, len(s)), make([]int, len(s))
		for i, n := range s {
			step[i] = m.R.IntN(7) - 3
			if n == 0 {
				continue
			}
			start[i] = m.R.IntN(n)
			end := n - 1
			if step[i] < 0 {
				end = 0
			}
			most := 5
			if step[i] != 0 {
				most = (end-start[i])/step[i] + 1
			}
			count[i] = m.R.IntN(most + 1)
		}
		return m.B.Apply(op, tensor.Attrs{"start": start, "step": step, "count": count}, m.Operand(d, s))
	},
	tensor.Take: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.Shape(1 + m.R.IntN(3))
		axis := m.axis(s)
		indices := oracle.New(tensor.Type{DType: []tensor.DType{tensor.Int32, tensor.Int64}[m.R.IntN(2)], Shape: m.Shape(m.R.IntN(3))})
		for i := range indices.Ints {
			s[axis] = max(s[axis], 1)
			indices.Ints[i] = int64(m.R.IntN(2*s[axis]) - s[axis])
		}
		return m.B.Apply(op, tensor.Attrs{"axis": axis}, m.Operand(d, s), m.Give(indices))
	},
	tensor.MatMul: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		batch := m.Shape(m.R.IntN(3))
		a, b := m.narrower(batch), slices.Clone(batch)
		size := []int{1, 2, 3, 4, 7, 100, 300}
		if !m.Large {
			size = size[:5]
		}
		k := size[m.R.IntN(len(size))] * (1 - m.R.IntN(20)/19)
		a = append(a, size[m.R.IntN(5)], k)
		b = append(b, k, size[m.R.IntN(5)])
		if m.Large && m.Chance(2) && len(batch) == 0 {
			a[0] = size[m.R.IntN(7)]
		}
		if m.Chance(6) {
			a = a[len(a)-1:]
		}
		if m.Chance(6) {
			b = tensor.Shape{k}
		}
		return m.B.Apply(op, nil, m.Operand(d, a), m.Operand(m.kin(d), b))
	},
	tensor.TopK: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.Shape(1 + m.R.IntN(3))
		axis := m.axis(s)
		k := m.R.IntN(s[axis] + 1)
		if m.Chance(2) {
			k /= 9 // so few that a heap is used
		}
		return m.B.Apply(op, tensor.Attrs{"axis": axis, "k": k, "largest": m.Chance(2)}, m.Operand(d, s))
	},
	tensor.Sort: func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.Shape(1 + m.R.IntN(3))
		return m.B.Apply(op, tensor.Attrs{"axis": m.axis(s), "descending": m.Chance(2)}, m.Operand(d, s))
	},
}

func init() {
	for _, op := range tensor.Ops() {
		info := op.Info()
		switch {
		case makers[op] != nil:
		case info.Group == tensor.GroupUnary:
			makers[op] = func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
				return m.B.Apply(op, nil, m.Operand(d, m.Shape(m.R.IntN(5))))
			}
		case info.Group == tensor.GroupBinary && info.Arity == 2:
			makers[op] = func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
				s := m.Shape(m.R.IntN(5))
				x, y := m.Operand(d, s), m.Operand(m.kin(d), m.narrower(s))
				if m.Chance(2) {
					x, y = y, x
				}
				return m.B.Apply(op, nil, x, y)
			}
		case info.Group == tensor.GroupReduce && len(info.Attrs) == 2 && info.Attrs[0].Name == "axes":
			makers[op] = func(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
				s := m.Shape(m.R.IntN(5))
				axes := m.Axes(s)
				if op == tensor.Min || op == tensor.Max {
					m.Fill(s)
				}
				return m.B.Apply(op, tensor.Attrs{"axes": axes, "keepdims": m.Chance(2)}, m.Operand(d, s))
			}
		}
	}
}

// Fill makes s a shape of at least one element.
func (m *Maker) Fill(s tensor.Shape) {
	for i := range s {
		s[i] = max(1, s[i])
	}
}

func makeShaped(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
	return m.B.Create(op, d, tensor.Attrs{"shape": m.Shape(m.R.IntN(5))})
}

func makeRandom(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
	return m.B.Create(op, d, tensor.Attrs{"shape": m.Shape(m.R.IntN(5)), "seed": m.R.Uint64()})
}

func makeReduceOne(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
	s := m.Shape(1 + m.R.IntN(4))
	m.Fill(s)
	return m.B.Apply(op, tensor.Attrs{"axis": m.axis(s), "keepdims": m.Chance(2)}, m.Operand(d, s))
}

func makeAlong(m *Maker, op tensor.Op, d tensor.DType) tensor.Value {
	s := m.Shape(1 + m.R.IntN(4))
	return m.B.Apply(op, tensor.Attrs{"axis": m.axis(s)}, m.Operand(d, s))
}

// scalar returns an attribute for d.
func (m *Maker) scalar(d tensor.DType) any {
	switch {
	case d == tensor.Bool:
		return m.Chance(2)
	case d == tensor.Uint8:
		return m.R.IntN(256)
	case d.IsInt():
		return m.R.IntN(2001) - 1000
	}
	return m.R.NormFloat64() * 10
}
