package cpu

import "math"

// Conversions of float16 and bfloat16, which are computed in float32 and rounded
// after each operation, to the nearest, of two to the even one.

// fromF16 returns the value of the bits of a binary16.
func fromF16(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&0x3ff
	switch exp {
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case 0:
		f := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(f) | sign)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// toF16 returns the bits of the binary16 that is nearest to f.
func toF16(f float32) uint16 {
	b := math.Float32bits(f)
	sign, mag := uint16(b>>16)&0x8000, b&0x7fffffff
	switch {
	case mag > 0x7f800000: // NaN
		return sign | 0x7e00
	case mag >= 0x477ff000: // 65520 and more round to infinity
		return sign | 0x7c00
	case mag < 0x38800000: // below 2^-14: subnormal, a multiple of 2^-24
		// The sum with 0.5 has exactly the precision that is left: its rounding is the
		// one that we want.
		sum := math.Float32frombits(mag) + 0.5
		return sign | uint16(math.Float32bits(sum)-0x3f000000)
	}
	mag += 0xfff + mag>>13&1
	return sign | uint16((mag-0x38000000)>>13)
}

// fromBF16 returns the value of the bits of a bfloat16.
func fromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// toBF16 returns the bits of the bfloat16 that is nearest to f.
func toBF16(f float32) uint16 {
	b := math.Float32bits(f)
	if b&0x7fffffff > 0x7f800000 { // NaN
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// oddF32 rounds x to odd: of the two float32 around a value that is none, that with
// the odd last bit. Rounding the result again, to a shorter type, gives what rounding
// x to it at once gives (Boldo and Melquiond, When double rounding is odd, 2005).
func oddF32(x float64) float32 {
	f := float32(x)
	if float64(f) == x || x != x {
		return f
	}
	b := math.Float32bits(f)
	if math.Abs(float64(f)) > math.Abs(x) {
		b-- // to the one nearer to 0
	}
	return math.Float32frombits(b | 1)
}

// oddF64 rounds an integer to odd.
func oddF64(x int64) float64 {
	// Bits below the 53 highest are gathered in the lowest that is kept.
	const keep = 1 << 53
	if x > -keep && x < keep {
		return float64(x)
	}
	if low := x & (1<<11 - 1); low != 0 {
		// 63 bits at most, so a multiple of 2^11 has 52 that count, and 2^11 may be odd.
		x = x&^(1<<11-1) | 1<<10
	}
	return float64(x)
}
