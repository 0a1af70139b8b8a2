package cpu

import (
	"math"

	"github.com/sporeengine/spore/gpu/tensor"
)

// Conversions. A value of float16 or bfloat16 is computed as a float32 that has the
// precision of its dtype.

// caster returns the kernel that converts computed values of from to those of to, nil
// if they are the same already.
func caster(from, to tensor.DType) kernel {
	a, b := classOf(from), classOf(to)
	switch {
	case from == to:
		return nil
	case to == tensor.Bool:
		return [numClasses]kernel{nonZero[uint8], nonZero[int32], nonZero[int64], nonZero[float32], nonZero[float64]}[a]
	case half(to) && a == classF32:
		return rounder(to)
	case half(to):
		round := rounder(to)
		odd := [numClasses]kernel{oddInt[uint8], oddInt[int32], oddInt[int64], nil, oddFloat}[a]
		return func(dst, x, _, _ vec) {
			odd(dst, x, vec{}, vec{})
			round(dst, dst, vec{}, vec{})
		}
	case a == b: // bool to uint8, halves to float32
		return nil
	}
	return casts[a][b]
}

// casts are the kernels from class to class.
var casts = [numClasses][numClasses]kernel{
	classU8:  {nil, castTo[uint8, int32], castTo[uint8, int64], castTo[uint8, float32], castTo[uint8, float64]},
	classI32: {castTo[int32, uint8], nil, castTo[int32, int64], castTo[int32, float32], castTo[int32, float64]},
	classI64: {castTo[int64, uint8], castTo[int64, int32], nil, castTo[int64, float32], castTo[int64, float64]},
	classF32: {saturate[float32](toUint8), saturate[float32](toInt32), saturate[float32](toInt64), nil, castTo[float32, float64]},
	classF64: {saturate[float64](toUint8), saturate[float64](toInt32), saturate[float64](toInt64), castTo[float64, float32], nil},
}

func castTo[S, D number](dst, a, _, _ vec) {
	d := as[D](dst)
	for i, x := range as[S](a)[:len(d)] {
		d[i] = D(x)
	}
}

func saturate[S float32 | float64, D integer](convert func(float64) D) kernel {
	return func(dst, a, _, _ vec) {
		d := as[D](dst)
		for i, x := range as[S](a)[:len(d)] {
			d[i] = convert(float64(x))
		}
	}
}

func toUint8(x float64) uint8 {
	if x != x {
		return 0
	}
	return uint8(min(max(x, 0), 255))
}

func toInt32(x float64) int32 {
	if x != x {
		return 0
	}
	return int32(min(max(x, math.MinInt32), math.MaxInt32))
}

func toInt64(x float64) int64 {
	switch {
	case x != x:
		return 0
	case x >= 1<<63:
		return math.MaxInt64
	case x < -1<<63:
		return math.MinInt64
	}
	return int64(x)
}

func nonZero[T number](dst, a, _, _ vec) {
	d := as[uint8](dst)
	for i, x := range as[T](a)[:len(d)] {
		d[i] = truth(x != 0)
	}
}

func oddInt[T integer](dst, a, _, _ vec) {
	d := as[float32](dst)
	for i, x := range as[T](a)[:len(d)] {
		d[i] = oddF32(oddF64(int64(x)))
	}
}

func oddFloat(dst, a, _, _ vec) {
	d := as[float32](dst)
	for i, x := range as[float64](a)[:len(d)] {
		d[i] = oddF32(x)
	}
}

// rounder returns the kernel that rounds float32 to a half type.
func rounder(d tensor.DType) kernel {
	if d == tensor.Float16 {
		return roundF16
	}
	return roundBF16
}

func roundF16(dst, a, _, _ vec) {
	d := as[float32](dst)
	for i, x := range as[float32](a)[:len(d)] {
		d[i] = fromF16(toF16(x))
	}
}

func roundBF16(dst, a, _, _ vec) {
	d := as[float32](dst)
	for i, x := range as[float32](a)[:len(d)] {
		d[i] = fromBF16(toBF16(x))
	}
}

// widen converts stored halves of d to float32; narrow does the opposite.
func widen(d tensor.DType, dst, src vec) {
	to, from := as[float32](dst), as[uint16](src)
	if d == tensor.Float16 {
		for i, h := range from[:len(to)] {
			to[i] = fromF16(h)
		}
		return
	}
	for i, h := range from[:len(to)] {
		to[i] = fromBF16(h)
	}
}

func narrow(d tensor.DType, dst, src vec) {
	to, from := as[uint16](dst), as[float32](src)
	if d == tensor.Float16 {
		for i, f := range from[:len(to)] {
			to[i] = toF16(f)
		}
		return
	}
	for i, f := range from[:len(to)] {
		to[i] = toBF16(f)
	}
}
