package oracle

import (
	"math"
	"math/big"

	"github.com/sporeengine/spore/gpu/internal/mathx"
	"github.com/sporeengine/spore/gpu/tensor"
)

// fns are what an operation does to single elements: of floats, of integers.
type fns struct {
	f func(x []float64) float64
	i func(x []int64) int64
}

// unary makes fns of functions of one element.
func unary(f func(x float64) float64, i func(x int64) int64) fns {
	return fns{func(x []float64) float64 { return f(x[0]) }, func(x []int64) int64 { return i(x[0]) }}
}

func binary2(f func(x, y float64) float64, i func(x, y int64) int64) fns {
	return fns{func(x []float64) float64 { return f(x[0], x[1]) }, func(x []int64) int64 { return i(x[0], x[1]) }}
}

func same(x int64) int64 { return x }

var elementwise = map[tensor.Op]fns{
	tensor.Abs: unary(math.Abs, func(x int64) int64 {
		if x < 0 {
			return -x
		}
		return x
	}),
	tensor.Negative: unary(func(x float64) float64 { return -x }, func(x int64) int64 { return -x }),
	tensor.Sign: unary(func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		case x == 0:
			return 0
		}
		return x
	}, func(x int64) int64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return 0
	}),
	tensor.Sqrt:    unary(math.Sqrt, nil),
	tensor.Rsqrt:   unary(func(x float64) float64 { return 1 / math.Sqrt(x) }, nil),
	tensor.Exp:     unary(mathx.Exp, nil),
	tensor.Log:     unary(mathx.Log, nil),
	tensor.Log1p:   unary(math.Log1p, nil),
	tensor.Expm1:   unary(math.Expm1, nil),
	tensor.Sin:     unary(math.Sin, nil),
	tensor.Cos:     unary(math.Cos, nil),
	tensor.Tanh:    unary(math.Tanh, nil),
	tensor.Sigmoid: unary(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, nil),
	tensor.Erf:     unary(math.Erf, nil),
	tensor.Floor:   unary(math.Floor, same),
	tensor.Ceil:    unary(math.Ceil, same),
	tensor.Round:   unary(math.RoundToEven, same),

	tensor.Add:         binary2(func(x, y float64) float64 { return x + y }, func(x, y int64) int64 { return x + y }),
	tensor.Subtract:    binary2(func(x, y float64) float64 { return x - y }, func(x, y int64) int64 { return x - y }),
	tensor.Multiply:    binary2(func(x, y float64) float64 { return x * y }, func(x, y int64) int64 { return x * y }),
	tensor.Divide:      binary2(func(x, y float64) float64 { return x / y }, nil),
	tensor.FloorDivide: binary2(floorDivide, floorDivideInt),
	tensor.Remainder:   binary2(remainder, remainderInt),
	tensor.Pow:         binary2(mathx.Pow, powInt),
	tensor.Minimum:     binary2(minimum, func(x, y int64) int64 { return min(x, y) }),
	tensor.Maximum:     binary2(maximum, func(x, y int64) int64 { return max(x, y) }),
	tensor.BitwiseAnd:  binary2(nil, func(x, y int64) int64 { return x & y }),
	tensor.BitwiseOr:   binary2(nil, func(x, y int64) int64 { return x | y }),
	tensor.Clip: {
		func(x []float64) float64 { return minimum(maximum(x[0], x[1]), x[2]) },
		func(x []int64) int64 { return min(max(x[0], x[1]), x[2]) },
	},
}

func nonZero(x int64) int64 {
	if x != 0 {
		return 1
	}
	return 0
}

// minimum and maximum are NaN if one is, unlike those of package math for infinities.
func minimum(x, y float64) float64 {
	if x != x || y != y {
		return math.NaN()
	}
	return math.Min(x, y)
}

func maximum(x, y float64) float64 {
	if x != x || y != y {
		return math.NaN()
	}
	return math.Max(x, y)
}

// remainder has the sign of y, as in Python.
func remainder(x, y float64) float64 {
	m := math.Mod(x, y)
	if m == 0 {
		return math.Copysign(0, y)
	}
	if m < 0 && y > 0 || m > 0 && y < 0 {
		return m + y
	}
	return m
}

// floorDivide rounds the quotient that is left without the remainder.
func floorDivide(x, y float64) float64 {
	if y == 0 {
		return x / y
	}
	m := math.Mod(x, y)
	q := (x - m) / y
	if m < 0 && y > 0 || m > 0 && y < 0 {
		q--
	}
	if q == 0 {
		return math.Copysign(0, x/y)
	}
	if f := math.Floor(q); q-f <= 0.5 {
		return f
	}
	return math.Ceil(q)
}

func remainderInt(x, y int64) int64 {
	if y == 0 {
		return 0
	}
	return x - floorDivideInt(x, y)*y
}

func floorDivideInt(x, y int64) int64 {
	if y == 0 {
		return 0
	}
	var q, m big.Int
	q.DivMod(big.NewInt(x), big.NewInt(y), &m)
	if y < 0 && m.Sign() != 0 {
		q.Sub(&q, big.NewInt(1)) // DivMod's remainder is not negative
	}
	return wrap(&q)
}

func powInt(x, y int64) int64 {
	if y < 0 {
		switch x {
		case 1:
			return 1
		case -1:
			return 1 - 2*(y&1)
		}
		return 0
	}
	mod := new(big.Int).Lsh(big.NewInt(1), 64)
	return wrap(new(big.Int).Exp(big.NewInt(x), big.NewInt(y), mod))
}

// wrap returns x modulo 2^64 as an int64.
func wrap(x *big.Int) int64 {
	mod := new(big.Int).Lsh(big.NewInt(1), 64)
	return int64(new(big.Int).Mod(x, mod).Uint64())
}

// compare is what the comparisons do, for NaN too.
var compare = map[tensor.Op]func(less, equal, unordered bool) bool{
	tensor.Equal:        func(_, equal, _ bool) bool { return equal },
	tensor.NotEqual:     func(_, equal, _ bool) bool { return !equal },
	tensor.Less:         func(less, _, _ bool) bool { return less },
	tensor.LessEqual:    func(less, equal, _ bool) bool { return less || equal },
	tensor.Greater:      func(less, equal, unordered bool) bool { return !less && !equal && !unordered },
	tensor.GreaterEqual: func(less, _, unordered bool) bool { return !less && !unordered },
}

func init() {
	for op, f := range elementwise {
		operations[op] = func(_ *tensor.Node, out []tensor.Type, in []*Tensor) ([]*Tensor, error) {
			return each(out[0], in, func(x *Tensor, i int, fs []float64, is []int64) {
				if x.Floats != nil {
					x.Floats[i] = f.f(fs)
				} else {
					x.Ints[i] = f.i(is)
				}
			})
		}
	}
	for op, f := range compare {
		operations[op] = func(_ *tensor.Node, out []tensor.Type, in []*Tensor) ([]*Tensor, error) {
			return each(out[0], in, func(x *Tensor, i int, fs []float64, is []int64) {
				r := false
				if len(fs) == 2 {
					r = f(fs[0] < fs[1], fs[0] == fs[1], fs[0] != fs[0] || fs[1] != fs[1])
				} else {
					r = f(is[0] < is[1], is[0] == is[1], false)
				}
				x.Ints[i] = truth(r)
			})
		}
	}
	operations[tensor.IsNaN] = func(_ *tensor.Node, out []tensor.Type, in []*Tensor) ([]*Tensor, error) {
		return each(out[0], in, func(x *Tensor, i int, fs []float64, _ []int64) {
			x.Ints[i] = truth(len(fs) == 1 && fs[0] != fs[0])
		})
	}
	operations[tensor.LogicalNot] = func(_ *tensor.Node, out []tensor.Type, in []*Tensor) ([]*Tensor, error) {
		return each(out[0], in, func(x *Tensor, i int, _ []float64, is []int64) { x.Ints[i] = 1 - is[0] })
	}
	operations[tensor.AsType] = func(_ *tensor.Node, out []tensor.Type, in []*Tensor) ([]*Tensor, error) {
		return each(out[0], in, func(x *Tensor, i int, fs []float64, is []int64) {
			switch {
			case x.Floats != nil && len(fs) == 1:
				x.Floats[i] = fs[0]
			case x.Floats != nil:
				x.Floats[i] = fromInt(x.DType, is[0])
			case x.DType == tensor.Bool && len(fs) == 1:
				x.Ints[i] = truth(fs[0] != 0)
			case x.DType == tensor.Bool:
				x.Ints[i] = nonZero(is[0])
			case len(fs) == 1:
				x.Ints[i] = toInt(x.DType, fs[0])
			default:
				x.Ints[i] = is[0]
			}
		})
	}
	operations[tensor.Where] = func(_ *tensor.Node, out []tensor.Type, in []*Tensor) ([]*Tensor, error) {
		x := New(out[0])
		for i := range int(x.Size()) {
			at := index(x.Shape, i)
			from := in[2]
			if in[0].Ints[position(in[0].Shape, at)] != 0 {
				from = in[1]
			}
			x.set(i, from, position(from.Shape, at))
		}
		return []*Tensor{x}, nil
	}
}

// each calls f for each element of the result, with those of the inputs that belong to
// it.
func each(t tensor.Type, in []*Tensor, f func(x *Tensor, i int, fs []float64, is []int64)) ([]*Tensor, error) {
	x := New(t)
	for i := range int(x.Size()) {
		at := index(x.Shape, i)
		var fs []float64
		var is []int64
		for _, y := range in {
			j := position(y.Shape, at)
			if y.Floats != nil {
				fs = append(fs, y.Floats[j])
			} else {
				is = append(is, y.Ints[j])
			}
		}
		f(x, i, fs, is)
	}
	return []*Tensor{x}, nil
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// toInt converts towards 0 and to the ends of the range.
func toInt(d tensor.DType, f float64) int64 {
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	switch d {
	case tensor.Uint8:
		lo, hi = 0, math.MaxUint8
	case tensor.Int32:
		lo, hi = math.MinInt32, math.MaxInt32
	}
	switch {
	case f != f:
		return 0
	case f <= float64(lo):
		return lo
	case f >= float64(hi):
		return hi
	}
	return int64(f)
}

// fromInt returns the float of type d that is nearest to v, rounded once.
func fromInt(d tensor.DType, v int64) float64 {
	precision := map[tensor.DType]uint{tensor.Float16: 11, tensor.BFloat16: 8, tensor.Float32: 24, tensor.Float64: 53}[d]
	f, _ := new(big.Float).SetPrec(precision).SetInt64(v).Float64()
	return f
}
