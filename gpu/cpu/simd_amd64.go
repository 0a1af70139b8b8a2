//go:build !purego

package cpu

import (
	"golang.org/x/sys/cpu"

	"github.com/sporeengine/spore/gpu/tensor"
)

// The loops of simd_amd64.s. What holds for n is checked by those who call them.

//go:noescape
func addAVX2(d, x, y *float32, n int)

//go:noescape
func subtractAVX2(d, x, y *float32, n int)

//go:noescape
func multiplyAVX2(d, x, y *float32, n int)

//go:noescape
func divideAVX2(d, x, y *float32, n int)

//go:noescape
func minimumAVX2(d, x, y *float32, n int)

//go:noescape
func maximumAVX2(d, x, y *float32, n int)

//go:noescape
func negativeAVX2(d, x *float32, n int)

//go:noescape
func absAVX2(d, x *float32, n int)

//go:noescape
func sqrtAVX2(d, x *float32, n int)

//go:noescape
func floorAVX2(d, x *float32, n int)

//go:noescape
func ceilAVX2(d, x *float32, n int)

//go:noescape
func roundAVX2(d, x *float32, n int)

//go:noescape
func chainAVX2(d, x *float32, n int, ops *linkOp, count int)

//go:noescape
func sumsAVX2(x, y *float32, n int, s *[16]float64)

//go:noescape
func productAVX2(c, a, b *float32, n int)

//go:noescape
func dotsAVX2(a, b *float32, n int, s *[16]float32)

// hasVectors tells whether the processor has what these loops need.
var hasVectors = cpu.X86.HasAVX2

// vectorized are loops on float32 in vectors.
var vectorized = map[tensor.Op]struct {
	unary  func(d, x *float32, n int)
	binary func(d, x, y *float32, n int)
}{
	tensor.Add:      {binary: addAVX2},
	tensor.Subtract: {binary: subtractAVX2},
	tensor.Multiply: {binary: multiplyAVX2},
	tensor.Divide:   {binary: divideAVX2},
	tensor.Minimum:  {binary: minimumAVX2},
	tensor.Maximum:  {binary: maximumAVX2},
	tensor.Negative: {unary: negativeAVX2},
	tensor.Abs:      {unary: absAVX2},
	tensor.Sqrt:     {unary: sqrtAVX2},
	tensor.Floor:    {unary: floorAVX2},
	tensor.Ceil:     {unary: ceilAVX2},
	tensor.Round:    {unary: roundAVX2},
}

func init() {
	if !hasVectors {
		return
	}
	for op, v := range vectorized {
		k := kernels[op]
		if v.unary != nil {
			k[classF32] = unaryVectors(v.unary, k[classF32])
		} else {
			k[classF32] = binaryVectors(v.binary, k[classF32])
		}
		kernels[op] = k
	}
}

// lanes is what the loops take a multiple of.
const lanes = 16

// unaryVectors is the kernel of a loop. The last few elements are left to one in Go.
func unaryVectors(loop func(d, x *float32, n int), rest kernel) kernel {
	return func(dst, a, _, _ vec) {
		d := as[float32](dst)
		x := as[float32](a)[:len(d)]
		n := len(d) &^ (lanes - 1)
		if n > 0 {
			loop(&d[0], &x[0], n)
		}
		if n < len(d) {
			rest(of(d[n:]), of(x[n:]), vec{}, vec{})
		}
	}
}

func binaryVectors(loop func(d, x, y *float32, n int), rest kernel) kernel {
	return func(dst, a, b, _ vec) {
		d := as[float32](dst)
		x, y := as[float32](a)[:len(d)], as[float32](b)[:len(d)]
		n := len(d) &^ (lanes - 1)
		if n > 0 {
			loop(&d[0], &x[0], &y[0], n)
		}
		if n < len(d) {
			rest(of(d[n:]), of(x[n:]), of(y[n:]), vec{})
		}
	}
}

// hasChains tells whether operations on float32 run as chains.
func hasChains() bool { return hasVectors }

func runChain(d, x []float32, ops []linkOp) {
	if len(d) == 0 {
		return
	}
	chainAVX2(&d[0], &x[0], len(d), &ops[0], len(ops))
}

// sumHalves adds the elements of x to s[0] to s[7] in turn, and those of y, which has as many, to the others. It returns how many of each it
// has added, a multiple of 8.
func sumHalves(x, y []float32, s *[16]float64) int {
	n := min(len(x), len(y)) &^ 7
	if !hasVectors || n == 0 {
		return 0
	}
	sumsAVX2(&x[0], &y[0], n, s)
	return n
}

// Tiles of products.
const (
	vectorTileM = 4
	vectorTileN = 16
)

// vectorTiling is the tiling of products of float32. Narrow ones would need more memory than is counted for them, as columns are filled up
// to a tile, and gain little.
func vectorTiling(m, n int) (tiling[float32], bool) {
	return tiling[float32]{vectorTileM, vectorTileN, vectorKernel}, hasVectors && m >= vectorTileM && n >= vectorTileN/2
}

func vectorKernel(c *[maxTile]float32, a, b []float32) {
	n := min(len(a)/vectorTileM, len(b)/vectorTileN)
	if n == 0 {
		clear(c[:])
		return
	}
	productAVX2(&c[0], &a[0], &b[0], n)
}

// dotHalves adds the products of the first half elements of a and b to s[0] to s[7] in turn, and those of the next as many to the others, if it
// can. half is a multiple of 8.
func dotHalves(a, b []float32, half int, s *[16]float32) bool {
	if !hasVectors || half == 0 {
		return false
	}
	_, _ = a[2*half-1], b[2*half-1]
	dotsAVX2(&a[0], &b[0], half, s)
	return true
}
