package cpu

import "math"

// expPoly is exp of a float32, computed in float64: with x = k·log(2) + r, 2^k times
// the Taylor polynomial of degree 8 of exp(r), |r| ≤ log(2)/2, whose error is below
// 2^-34. There is no branch that depends on the data, but for numbers of which the
// result overflows or underflows.
func expPoly(x float32) float64 {
	const (
		log2e = 1.44269504088896338700
		ln2   = 0.693147180559945309417
		// Added to and taken from a small number, this rounds it to an integer, which the
		// lowest bits of the sum have.
		magic = 1<<52 + 1<<51
	)
	v := float64(x)
	if !(v > -104 && v < 89) {
		return math.Exp(v)
	}
	t := v*log2e + magic
	k := t - magic
	r := v - k*ln2
	p := 1.0 / 40320
	p = p*r + 1.0/5040
	p = p*r + 1.0/720
	p = p*r + 1.0/120
	p = p*r + 1.0/24
	p = p*r + 1.0/6
	p = p*r + 1.0/2
	p = p*r + 1
	p = p*r + 1
	scale := math.Float64frombits((math.Float64bits(t) + 1023) << 52)
	return p * scale
}

func expF32(dst, a, _, _ vec) {
	d := as[float32](dst)
	for i, x := range as[float32](a)[:len(d)] {
		d[i] = float32(expPoly(x))
	}
}

func sigmoidF32(dst, a, _, _ vec) {
	d := as[float32](dst)
	for i, x := range as[float32](a)[:len(d)] {
		d[i] = float32(1 / (1 + expPoly(-x)))
	}
}

// tanhF32 is computed in float64, too: near 0, where 1 - 2/(exp(2x) + 1) would lose
// bits, by the Taylor polynomial of degree 9.
func tanhF32(dst, a, _, _ vec) {
	d := as[float32](dst)
	for i, x := range as[float32](a)[:len(d)] {
		v := float64(x)
		if v > -0.0625 && v < 0.0625 {
			s := v * v
			d[i] = float32(v + v*s*(-1.0/3+s*(2.0/15+s*(-17.0/315+s*62.0/2835))))
			continue
		}
		d[i] = float32(1 - 2/(expPoly(2*x)+1))
	}
}
