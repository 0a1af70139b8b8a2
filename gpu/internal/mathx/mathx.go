// Package mathx has functions of package math where those have gaps.
package mathx

import "math"

// Exp is [math.Exp]. On amd64 that is infinite from 709.7 on, although the result can be held up to 709.78.
func Exp(x float64) float64 {
	if x > 709 {
		return math.Exp(x-1) * math.E
	}
	return math.Exp(x)
}

// Log is [math.Log]. On amd64 that is wrong for numbers below the smallest normal one.
func Log(x float64) float64 {
	if x > 0 && x < 0x1p-1022 {
		return math.Log(x*0x1p54) - 54*math.Ln2
	}
	return math.Log(x)
}

// Pow is [math.Pow]. On amd64 that is wrong, as it uses Log, for numbers below the smallest normal one.
func Pow(x, y float64) float64 {
	if a := math.Abs(x); a > 0 && a < 0x1p-1022 {
		return math.Pow(x*0x1p54, y) * math.Pow(0x1p-54, y)
	}
	return math.Pow(x, y)
}
