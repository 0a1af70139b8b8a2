package cpu

import "math"

// The loops of operations that are so cheap that calling a function for each element
// would cost more. Products are converted to their own type so that no platform fuses
// them with a sum: every result is the same everywhere. The commonest loops are unrolled:
// whether a short one runs at full speed depends on where it happens to lie in memory.

type number interface {
	uint8 | int32 | int64 | float32 | float64
}

type integer interface {
	uint8 | int32 | int64
}

func negative[T number](dst, a, _, _ vec) {
	d := as[T](dst)
	x := as[T](a)[:len(d)]
	i := 0
	for ; i <= len(d)-4; i += 4 {
		d[i] = -x[i]
		d[i+1] = -x[i+1]
		d[i+2] = -x[i+2]
		d[i+3] = -x[i+3]
	}
	for ; i < len(d); i++ {
		d[i] = -x[i]
	}
}

func absInt[T int32 | int64](dst, a, _, _ vec) {
	d := as[T](dst)
	for i, x := range as[T](a)[:len(d)] {
		d[i] = max(x, -x) // the smallest integer is its own negative
	}
}

func absF32(dst, a, _, _ vec) {
	d := as[float32](dst)
	x := as[float32](a)[:len(d)]
	i := 0
	for ; i <= len(d)-4; i += 4 {
		d[i] = math.Float32frombits(math.Float32bits(x[i]) &^ (1 << 31))
		d[i+1] = math.Float32frombits(math.Float32bits(x[i+1]) &^ (1 << 31))
		d[i+2] = math.Float32frombits(math.Float32bits(x[i+2]) &^ (1 << 31))
		d[i+3] = math.Float32frombits(math.Float32bits(x[i+3]) &^ (1 << 31))
	}
	for ; i < len(d); i++ {
		d[i] = math.Float32frombits(math.Float32bits(x[i]) &^ (1 << 31))
	}
}

func sign[T number](dst, a, _, _ vec) {
	d := as[T](dst)
	one := T(1)
	for i, x := range as[T](a)[:len(d)] {
		switch {
		case x > 0:
			x = one
		case x < 0:
			x = -one
		case x == 0:
			x = 0
		}
		d[i] = x
	}
}

func floorF32(dst, a, _, _ vec) {
	d := as[float32](dst)
	for i, x := range as[float32](a)[:len(d)] {
		d[i] = float32(math.Floor(float64(x)))
	}
}

func ceilF32(dst, a, _, _ vec) {
	d := as[float32](dst)
	for i, x := range as[float32](a)[:len(d)] {
		d[i] = float32(math.Ceil(float64(x)))
	}
}

func roundF32(dst, a, _, _ vec) {
	d := as[float32](dst)
	for i, x := range as[float32](a)[:len(d)] {
		d[i] = float32(math.RoundToEven(float64(x)))
	}
}

func isNaN[T number](dst, a, _, _ vec) {
	d := as[uint8](dst)
	for i, x := range as[T](a)[:len(d)] {
		d[i] = truth(x != x)
	}
}

func logicalNot(dst, a, _, _ vec) {
	d := as[uint8](dst)
	for i, x := range as[uint8](a)[:len(d)] {
		d[i] = x ^ 1
	}
}

func add[T number](dst, a, b, _ vec) {
	d := as[T](dst)
	x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
	i := 0
	for ; i <= len(d)-4; i += 4 {
		d[i] = x[i] + y[i]
		d[i+1] = x[i+1] + y[i+1]
		d[i+2] = x[i+2] + y[i+2]
		d[i+3] = x[i+3] + y[i+3]
	}
	for ; i < len(d); i++ {
		d[i] = x[i] + y[i]
	}
}

func subtract[T number](dst, a, b, _ vec) {
	d := as[T](dst)
	x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
	i := 0
	for ; i <= len(d)-4; i += 4 {
		d[i] = x[i] - y[i]
		d[i+1] = x[i+1] - y[i+1]
		d[i+2] = x[i+2] - y[i+2]
		d[i+3] = x[i+3] - y[i+3]
	}
	for ; i < len(d); i++ {
		d[i] = x[i] - y[i]
	}
}

func multiply[T number](dst, a, b, _ vec) {
	d := as[T](dst)
	x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
	i := 0
	for ; i <= len(d)-4; i += 4 {
		d[i] = T(x[i] * y[i])
		d[i+1] = T(x[i+1] * y[i+1])
		d[i+2] = T(x[i+2] * y[i+2])
		d[i+3] = T(x[i+3] * y[i+3])
	}
	for ; i < len(d); i++ {
		d[i] = T(x[i] * y[i])
	}
}

func divide[T float32 | float64](dst, a, b, _ vec) {
	d := as[T](dst)
	x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
	i := 0
	for ; i <= len(d)-4; i += 4 {
		d[i] = x[i] / y[i]
		d[i+1] = x[i+1] / y[i+1]
		d[i+2] = x[i+2] / y[i+2]
		d[i+3] = x[i+3] / y[i+3]
	}
	for ; i < len(d); i++ {
		d[i] = x[i] / y[i]
	}
}

func minimum[T number](dst, a, b, _ vec) {
	d := as[T](dst)
	x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
	i := 0
	for ; i <= len(d)-4; i += 4 {
		d[i] = min(x[i], y[i])
		d[i+1] = min(x[i+1], y[i+1])
		d[i+2] = min(x[i+2], y[i+2])
		d[i+3] = min(x[i+3], y[i+3])
	}
	for ; i < len(d); i++ {
		d[i] = min(x[i], y[i])
	}
}

func maximum[T number](dst, a, b, _ vec) {
	d := as[T](dst)
	x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
	i := 0
	for ; i <= len(d)-4; i += 4 {
		d[i] = max(x[i], y[i])
		d[i+1] = max(x[i+1], y[i+1])
		d[i+2] = max(x[i+2], y[i+2])
		d[i+3] = max(x[i+3], y[i+3])
	}
	for ; i < len(d); i++ {
		d[i] = max(x[i], y[i])
	}
}

func clip[T number](dst, a, b, c vec) {
	d := as[T](dst)
	x, lo, hi := as[T](a)[:len(d)], as[T](b)[:len(d)], as[T](c)[:len(d)]
	for i := range d {
		d[i] = min(max(x[i], lo[i]), hi[i])
	}
}

func equal[T number](dst, a, b, _ vec) {
	d := as[uint8](dst)
	x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
	for i := range d {
		d[i] = truth(x[i] == y[i])
	}
}

func notEqual[T number](dst, a, b, _ vec) {
	d := as[uint8](dst)
	x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
	for i := range d {
		d[i] = truth(x[i] != y[i])
	}
}

func less[T number](dst, a, b, _ vec) {
	d := as[uint8](dst)
	x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
	for i := range d {
		d[i] = truth(x[i] < y[i])
	}
}

func lessEqual[T number](dst, a, b, _ vec) {
	d := as[uint8](dst)
	x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
	for i := range d {
		d[i] = truth(x[i] <= y[i])
	}
}

func bitwiseAnd[T integer](dst, a, b, _ vec) {
	d := as[T](dst)
	x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
	for i := range d {
		d[i] = x[i] & y[i]
	}
}

func bitwiseOr[T integer](dst, a, b, _ vec) {
	d := as[T](dst)
	x, y := as[T](a)[:len(d)], as[T](b)[:len(d)]
	for i := range d {
		d[i] = x[i] | y[i]
	}
}

func where[T number](dst, a, b, c vec) {
	d := as[T](dst)
	cond, x, y := as[uint8](a)[:len(d)], as[T](b)[:len(d)], as[T](c)[:len(d)]
	for i := range d {
		v := y[i]
		if cond[i] != 0 {
			v = x[i]
		}
		d[i] = v
	}
}

func truth(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
