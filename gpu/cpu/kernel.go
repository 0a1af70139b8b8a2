package cpu

import (
	"math"

	"github.com/sporeengine/spore/gpu/internal/mathx"
	"github.com/sporeengine/spore/gpu/tensor"
)

// A kernel computes the elements of dst from those of its operands, which are as many.
// Operands that the operation does not have are empty. dst may be one of them.
type kernel func(dst, a, b, c vec)

// kernels are those of the elementwise operations, by the class of their inputs; that
// of where is of its last two.
var kernels = map[tensor.Op][numClasses]kernel{
	tensor.Abs:        {copyOf[uint8], absInt[int32], absInt[int64], absF32, mapped(math.Abs)},
	tensor.Negative:   {negative[uint8], negative[int32], negative[int64], negative[float32], negative[float64]},
	tensor.Sign:       {sign[uint8], sign[int32], sign[int64], sign[float32], sign[float64]},
	tensor.Sqrt:       floats(mapped32(math.Sqrt), mapped(math.Sqrt)),
	tensor.Rsqrt:      floats(mapped32(rsqrt), mapped(rsqrt)),
	tensor.Exp:        floats(expF32, mapped(mathx.Exp)),
	tensor.Log:        floats(mapped32(math.Log), mapped(mathx.Log)),
	tensor.Log1p:      floats(mapped32(math.Log1p), mapped(math.Log1p)),
	tensor.Expm1:      floats(mapped32(math.Expm1), mapped(math.Expm1)),
	tensor.Sin:        floats(mapped32(math.Sin), mapped(math.Sin)),
	tensor.Cos:        floats(mapped32(math.Cos), mapped(math.Cos)),
	tensor.Tanh:       floats(tanhF32, mapped(math.Tanh)),
	tensor.Sigmoid:    floats(sigmoidF32, mapped(sigmoid)),
	tensor.Erf:        floats(mapped32(math.Erf), mapped(math.Erf)),
	tensor.Floor:      {copyOf[uint8], copyOf[int32], copyOf[int64], floorF32, mapped(math.Floor)},
	tensor.Ceil:       {copyOf[uint8], copyOf[int32], copyOf[int64], ceilF32, mapped(math.Ceil)},
	tensor.Round:      {copyOf[uint8], copyOf[int32], copyOf[int64], roundF32, mapped(math.RoundToEven)},
	tensor.IsNaN:      {isNaN[uint8], isNaN[int32], isNaN[int64], isNaN[float32], isNaN[float64]},
	tensor.LogicalNot: {classU8: logicalNot},

	tensor.Add:          {add[uint8], add[int32], add[int64], add[float32], add[float64]},
	tensor.Subtract:     {subtract[uint8], subtract[int32], subtract[int64], subtract[float32], subtract[float64]},
	tensor.Multiply:     {multiply[uint8], multiply[int32], multiply[int64], multiply[float32], multiply[float64]},
	tensor.Divide:       {classF32: divide[float32], classF64: divide[float64]},
	tensor.FloorDivide:  {paired(floorDivideInt[uint8]), paired(floorDivideInt[int32]), paired(floorDivideInt[int64]), paired32(floorDivide), paired(floorDivide)},
	tensor.Remainder:    {paired(remainderInt[uint8]), paired(remainderInt[int32]), paired(remainderInt[int64]), paired32(remainder), paired(remainder)},
	tensor.Pow:          {paired(powInt[uint8]), paired(powInt[int32]), paired(powInt[int64]), paired32(mathx.Pow), paired(mathx.Pow)},
	tensor.Minimum:      {minimum[uint8], minimum[int32], minimum[int64], minimum[float32], minimum[float64]},
	tensor.Maximum:      {maximum[uint8], maximum[int32], maximum[int64], maximum[float32], maximum[float64]},
	tensor.Equal:        {equal[uint8], equal[int32], equal[int64], equal[float32], equal[float64]},
	tensor.NotEqual:     {notEqual[uint8], notEqual[int32], notEqual[int64], notEqual[float32], notEqual[float64]},
	tensor.Less:         {less[uint8], less[int32], less[int64], less[float32], less[float64]},
	tensor.LessEqual:    {lessEqual[uint8], lessEqual[int32], lessEqual[int64], lessEqual[float32], lessEqual[float64]},
	tensor.Greater:      {swapped(less[uint8]), swapped(less[int32]), swapped(less[int64]), swapped(less[float32]), swapped(less[float64])},
	tensor.GreaterEqual: {swapped(lessEqual[uint8]), swapped(lessEqual[int32]), swapped(lessEqual[int64]), swapped(lessEqual[float32]), swapped(lessEqual[float64])},
	tensor.BitwiseAnd:   {bitwiseAnd[uint8], bitwiseAnd[int32], bitwiseAnd[int64]},
	tensor.BitwiseOr:    {bitwiseOr[uint8], bitwiseOr[int32], bitwiseOr[int64]},
	tensor.Where:        {where[uint8], where[int32], where[int64], where[float32], where[float64]},
	tensor.Clip:         {clip[uint8], clip[int32], clip[int64], clip[float32], clip[float64]},
}

func floats(f32, f64 kernel) [numClasses]kernel {
	return [numClasses]kernel{classF32: f32, classF64: f64}
}

// mapped is the kernel of a function of one number.
func mapped(f func(float64) float64) kernel {
	return func(dst, a, _, _ vec) {
		d := as[float64](dst)
		for i, x := range as[float64](a)[:len(d)] {
			d[i] = f(x)
		}
	}
}

// mapped32 is mapped for float32: computed in float64 and rounded once, so it is not
// more than half a unit in the last place, and a little, off.
func mapped32(f func(float64) float64) kernel {
	return func(dst, a, _, _ vec) {
		d := as[float32](dst)
		for i, x := range as[float32](a)[:len(d)] {
			d[i] = float32(f(float64(x)))
		}
	}
}

// paired is the kernel of a function of two numbers.
func paired[T elem](f func(x, y T) T) kernel {
	return func(dst, a, b, _ vec) {
		d := as[T](dst)
		x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
		for i := range d {
			d[i] = f(x[i], y[i])
		}
	}
}

func paired32(f func(x, y float64) float64) kernel {
	return func(dst, a, b, _ vec) {
		d := as[float32](dst)
		x, y := as[float32](a)[:len(d)], as[float32](b)[:len(d)]
		for i := range d {
			d[i] = float32(f(float64(x[i]), float64(y[i])))
		}
	}
}

func swapped(k kernel) kernel {
	return func(dst, a, b, c vec) { k(dst, b, a, c) }
}

func copyOf[T elem](dst, a, _, _ vec) { copy(as[T](dst), as[T](a)) }

func rsqrt(x float64) float64 { return 1 / math.Sqrt(x) }

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// remainder is x % y of Python and NumPy.
func remainder(x, y float64) float64 {
	m := math.Mod(x, y)
	switch {
	case m != m:
	case m == 0:
		return math.Copysign(0, y)
	case (m < 0) != (y < 0):
		m += y
	}
	return m
}

// floorDivide is x // y of Python and NumPy (npy_divmod).
func floorDivide(x, y float64) float64 {
	if y == 0 {
		return x / y
	}
	m := math.Mod(x, y)
	q := (x - m) / y
	if m != 0 && (m < 0) != (y < 0) {
		q--
	}
	if q == 0 {
		return math.Copysign(0, x/y)
	}
	f := math.Floor(q)
	if q-f > 0.5 {
		f++
	}
	return f
}

func floorDivideInt[T uint8 | int32 | int64](x, y T) T {
	if y == 0 {
		return 0
	}
	q := x / y
	if x%y != 0 && (x < 0) != (y < 0) {
		q--
	}
	return q
}

func remainderInt[T uint8 | int32 | int64](x, y T) T {
	if y == 0 {
		return 0
	}
	m := x % y
	if m != 0 && (m < 0) != (y < 0) {
		m += y
	}
	return m
}

func powInt[T uint8 | int32 | int64](x, y T) T {
	if y < 0 {
		switch {
		case x == 1, x+1 == 0 && y%2 == 0:
			return 1
		case x+1 == 0:
			return x
		}
		return 0
	}
	p := T(1)
	for ; y > 0; y /= 2 {
		if y%2 != 0 {
			p *= x
		}
		x *= x
	}
	return p
}
