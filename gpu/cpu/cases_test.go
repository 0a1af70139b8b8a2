package cpu

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/tensor"
)

// A maker makes random programs and data for them.
type maker struct {
	r    *rand.Rand
	b    *tensor.Builder
	data [][]byte // of inputs
	ids  [][]byte // of constants

	// tame leaves out numbers whose sums overflow or lose everything.
	tame bool
	// large shapes have some thousand elements, so that blocks and tiles are crossed.
	large bool
}

func newMaker(r *rand.Rand) *maker {
	return &maker{r: r, b: tensor.NewBuilder(tensor.Limits{})}
}

func (m *maker) chance(n int) bool { return m.r.IntN(n) == 0 }

// shape returns a random shape; one in twelve is empty.
func (m *maker) shape(rank int) tensor.Shape {
	s := make(tensor.Shape, rank)
	for i := range s {
		s[i] = 1 + m.r.IntN(5)
		if m.large && m.chance(2) {
			s[i] = 1 + m.r.IntN([]int{2, 3000, 90, 24, 12}[min(rank, 4)])
		}
		if m.chance(40) {
			s[i] = 0
		}
	}
	return s
}

// narrower returns a shape that broadcasts to s.
func (m *maker) narrower(s tensor.Shape) tensor.Shape {
	t := slices.Clone(s[m.r.IntN(len(s)+1)*m.r.IntN(2):])
	for i := range t {
		if m.chance(4) {
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

// number returns a random element of a float type.
func (m *maker) number(d tensor.DType, special bool) float64 {
	f := m.r.NormFloat64() * 3
	if special {
		switch m.r.IntN(12) {
		case 0:
			f = math.NaN()
		case 1:
			f = math.Inf(1 - 2*m.r.IntN(2))
		case 2, 3, 4, 5:
			if e := extremes[d]; !m.tame {
				f = e[m.r.IntN(len(e))]
			} else {
				f = 0
			}
		case 6:
			if !m.tame {
				f = math.Ldexp(f, m.r.IntN(300)-150)
			}
		}
	}
	return oracle.Round(d, f)
}

// elements returns random data.
func (m *maker) elements(t tensor.Type) *oracle.Tensor {
	x := oracle.New(t)
	special := m.chance(2)
	for i := range x.Floats {
		x.Floats[i] = m.number(t.DType, special)
	}
	for i := range x.Ints {
		switch t.DType {
		case tensor.Bool:
			x.Ints[i] = int64(m.r.IntN(2))
		case tensor.Uint8:
			x.Ints[i] = int64(m.r.IntN(256))
		case tensor.Int32:
			x.Ints[i] = int64(int32(m.integer(special, math.MinInt32, math.MaxInt32)))
		default:
			x.Ints[i] = m.integer(special, math.MinInt64, math.MaxInt64)
		}
	}
	return x
}

func (m *maker) integer(special bool, lo, hi int64) int64 {
	if special {
		switch m.r.IntN(6) {
		case 0:
			return lo
		case 1:
			return hi
		case 2:
			return int64(m.r.Uint64())
		}
	}
	return int64(m.r.IntN(21) - 10)
}

// give makes data an input or a constant.
func (m *maker) give(x *oracle.Tensor) tensor.Value {
	if m.chance(4) {
		m.ids = append(m.ids, x.Encode())
		return m.b.Constant(x.DType, x.Shape...)
	}
	m.data = append(m.data, x.Encode())
	return m.b.Input(x.DType, x.Shape...)
}

// operand makes a value of a type: data from outside, or a view of them.
func (m *maker) operand(d tensor.DType, s tensor.Shape) tensor.Value {
	switch {
	case len(s) > 1 && m.chance(4):
		axes := m.r.Perm(len(s))
		from := make(tensor.Shape, len(s))
		for i, a := range axes {
			from[a] = s[i]
		}
		return m.b.Apply(tensor.PermuteDims, tensor.Attrs{"axes": axes}, m.give(m.elements(tensor.Type{DType: d, Shape: from})))
	case m.chance(6):
		return m.b.Apply(tensor.BroadcastTo, tensor.Attrs{"shape": s}, m.give(m.elements(tensor.Type{DType: d, Shape: m.narrower(s)})))
	}
	return m.give(m.elements(tensor.Type{DType: d, Shape: s}))
}

// axis returns a random axis.
func (m *maker) axis(s tensor.Shape) int { return m.r.IntN(len(s)) }

func (m *maker) axes(s tensor.Shape) []int {
	axes := []int{}
	for i := range s {
		if m.chance(2) {
			axes = append(axes, i)
		}
	}
	return axes
}

// kin returns a type of the same kind as d.
func (m *maker) kin(d tensor.DType) tensor.DType {
	kin := tensor.DTypes()[m.r.IntN(8)]
	if _, ok := tensor.Promote(d, kin); ok {
		return kin
	}
	return d
}

// A maker of an operation applies it to random operands, of type d as far as that is
// possible, and returns its first result.
type opMaker func(m *maker, op tensor.Op, d tensor.DType) tensor.Value

// opMakers has one for each operation of the table.
var opMakers = map[tensor.Op]opMaker{
	tensor.AsArray:  func(m *maker, _ tensor.Op, d tensor.DType) tensor.Value { return m.operand(d, m.shape(m.r.IntN(5))) },
	tensor.Constant: func(m *maker, _ tensor.Op, d tensor.DType) tensor.Value { return m.operand(d, m.shape(m.r.IntN(5))) },
	tensor.Zeros:    makeShaped, tensor.Ones: makeShaped,
	tensor.RandomUniform: makeRandom, tensor.RandomNormal: makeRandom,
	tensor.Full: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		return m.b.Full(d, m.scalar(d), m.shape(m.r.IntN(5))...)
	},
	tensor.Arange: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		return m.b.Create(op, d, tensor.Attrs{"n": m.r.IntN(3000), "start": m.scalar(d), "step": m.scalar(d)})
	},
	tensor.Linspace: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		return m.b.Create(op, d, tensor.Attrs{"n": m.r.IntN(1 + m.r.IntN(2000)), "start": m.scalar(d), "stop": m.scalar(d), "endpoint": m.chance(2)})
	},
	tensor.Eye: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		return m.b.Create(op, d, tensor.Attrs{"rows": m.r.IntN(50), "cols": m.r.IntN(50), "k": m.r.IntN(9) - 4})
	},
	tensor.AsType: func(m *maker, _ tensor.Op, d tensor.DType) tensor.Value {
		return m.b.AsType(m.operand(tensor.DTypes()[m.r.IntN(8)], m.shape(m.r.IntN(5))), d)
	},
	tensor.Where: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.shape(m.r.IntN(5))
		return m.b.Apply(op, nil, m.operand(tensor.Bool, m.narrower(s)), m.operand(d, s), m.operand(m.kin(d), m.narrower(s)))
	},
	tensor.Clip: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.shape(m.r.IntN(5))
		return m.b.Apply(op, nil, m.operand(d, s), m.operand(m.kin(d), m.narrower(s)), m.operand(m.kin(d), m.narrower(s)))
	},
	tensor.Var: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.shape(m.r.IntN(5))
		return m.b.Apply(op, tensor.Attrs{"axes": m.axes(s), "keepdims": m.chance(2), "correction": float64(m.r.IntN(2))}, m.operand(d, s))
	},
	tensor.ArgMin: makeReduceOne, tensor.ArgMax: makeReduceOne,
	tensor.CumulativeSum: makeAlong, tensor.Softmax: makeAlong, tensor.LayerNorm: makeAlong,
	tensor.Reshape: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.shape(m.r.IntN(5))
		to := tensor.Shape{1, int(s.Size())}
		if m.chance(2) {
			to = slices.Clone(s)
			slices.Reverse(to)
		}
		return m.b.Apply(op, tensor.Attrs{"shape": to}, m.operand(d, s))
	},
	tensor.PermuteDims: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.shape(m.r.IntN(5))
		return m.b.Apply(op, tensor.Attrs{"axes": m.r.Perm(len(s))}, m.operand(d, s))
	},
	tensor.ExpandDims: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.shape(m.r.IntN(5))
		return m.b.Apply(op, tensor.Attrs{"axis": m.r.IntN(len(s) + 1)}, m.operand(d, s))
	},
	tensor.Squeeze: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.shape(1 + m.r.IntN(4))
		axes := m.axes(s)
		for _, a := range axes {
			s[a] = 1
		}
		return m.b.Apply(op, tensor.Attrs{"axes": axes}, m.operand(d, s))
	},
	tensor.BroadcastTo: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.shape(m.r.IntN(5))
		return m.b.Apply(op, tensor.Attrs{"shape": s}, m.operand(d, m.narrower(s)))
	},
	tensor.Concat: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.shape(1 + m.r.IntN(3))
		axis := m.axis(s)
		in := make([]tensor.Value, 1+m.r.IntN(4))
		for i := range in {
			t := slices.Clone(s)
			t[axis] = m.r.IntN(5)
			in[i] = m.operand(m.kin(d), t)
		}
		return m.b.Apply(op, tensor.Attrs{"axis": axis}, in...)
	},
	tensor.Slice: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.shape(m.r.IntN(5))
		start, step, count := make([]int, len(s)), make([]int, len(s)), make([]int, len(s))
		for i, n := range s {
			step[i] = m.r.IntN(7) - 3
			if n == 0 {
				continue
			}
			start[i] = m.r.IntN(n)
			end := n - 1
			if step[i] < 0 {
				end = 0
			}
			most := 5
			if step[i] != 0 {
				most = (end-start[i])/step[i] + 1
			}
			count[i] = m.r.IntN(most + 1)
		}
		return m.b.Apply(op, tensor.Attrs{"start": start, "step": step, "count": count}, m.operand(d, s))
	},
	tensor.Take: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.shape(1 + m.r.IntN(3))
		axis := m.axis(s)
		indices := oracle.New(tensor.Type{DType: []tensor.DType{tensor.Int32, tensor.Int64}[m.r.IntN(2)], Shape: m.shape(m.r.IntN(3))})
		for i := range indices.Ints {
			s[axis] = max(s[axis], 1)
			indices.Ints[i] = int64(m.r.IntN(2*s[axis]) - s[axis])
		}
		return m.b.Apply(op, tensor.Attrs{"axis": axis}, m.operand(d, s), m.give(indices))
	},
	tensor.MatMul: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		batch := m.shape(m.r.IntN(3))
		a, b := m.narrower(batch), slices.Clone(batch)
		size := []int{1, 2, 3, 4, 7, 100, 300}
		if !m.large {
			size = size[:5]
		}
		k := size[m.r.IntN(len(size))] * (1 - m.r.IntN(20)/19)
		a = append(a, size[m.r.IntN(5)], k)
		b = append(b, k, size[m.r.IntN(5)])
		if m.large && m.chance(2) && len(batch) == 0 {
			a[0] = size[m.r.IntN(7)]
		}
		if m.chance(6) {
			a = a[len(a)-1:]
		}
		if m.chance(6) {
			b = tensor.Shape{k}
		}
		return m.b.Apply(op, nil, m.operand(d, a), m.operand(m.kin(d), b))
	},
	tensor.TopK: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.shape(1 + m.r.IntN(3))
		axis := m.axis(s)
		k := m.r.IntN(s[axis] + 1)
		if m.chance(2) {
			k /= 9 // so few that a heap is used
		}
		return m.b.Apply(op, tensor.Attrs{"axis": axis, "k": k, "largest": m.chance(2)}, m.operand(d, s))
	},
	tensor.Sort: func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
		s := m.shape(1 + m.r.IntN(3))
		return m.b.Apply(op, tensor.Attrs{"axis": m.axis(s), "descending": m.chance(2)}, m.operand(d, s))
	},
}

func init() {
	for _, op := range tensor.Ops() {
		info := op.Info()
		switch {
		case opMakers[op] != nil:
		case info.Group == tensor.GroupUnary:
			opMakers[op] = func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
				return m.b.Apply(op, nil, m.operand(d, m.shape(m.r.IntN(5))))
			}
		case info.Group == tensor.GroupBinary && info.Arity == 2:
			opMakers[op] = func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
				s := m.shape(m.r.IntN(5))
				x, y := m.operand(d, s), m.operand(m.kin(d), m.narrower(s))
				if m.chance(2) {
					x, y = y, x
				}
				return m.b.Apply(op, nil, x, y)
			}
		case info.Group == tensor.GroupReduce && len(info.Attrs) == 2 && info.Attrs[0].Name == "axes":
			opMakers[op] = func(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
				s := m.shape(m.r.IntN(5))
				axes := m.axes(s)
				if op == tensor.Min || op == tensor.Max {
					m.fill(s)
				}
				return m.b.Apply(op, tensor.Attrs{"axes": axes, "keepdims": m.chance(2)}, m.operand(d, s))
			}
		}
	}
}

// fill makes s a shape of at least one element.
func (m *maker) fill(s tensor.Shape) {
	for i := range s {
		s[i] = max(1, s[i])
	}
}

func makeShaped(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
	return m.b.Create(op, d, tensor.Attrs{"shape": m.shape(m.r.IntN(5))})
}

func makeRandom(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
	return m.b.Create(op, d, tensor.Attrs{"shape": m.shape(m.r.IntN(5)), "seed": m.r.Uint64()})
}

func makeReduceOne(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
	s := m.shape(1 + m.r.IntN(4))
	m.fill(s)
	return m.b.Apply(op, tensor.Attrs{"axis": m.axis(s), "keepdims": m.chance(2)}, m.operand(d, s))
}

func makeAlong(m *maker, op tensor.Op, d tensor.DType) tensor.Value {
	s := m.shape(1 + m.r.IntN(4))
	return m.b.Apply(op, tensor.Attrs{"axis": m.axis(s)}, m.operand(d, s))
}

// scalar returns an attribute for d.
func (m *maker) scalar(d tensor.DType) any {
	switch {
	case d == tensor.Bool:
		return m.chance(2)
	case d == tensor.Uint8:
		return m.r.IntN(256)
	case d.IsInt():
		return m.r.IntN(2001) - 1000
	}
	return m.r.NormFloat64() * 10
}
