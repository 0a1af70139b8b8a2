//go:build !amd64 || purego

package cpu

// There are no loops in vectors here.

func hasChains() bool { return false }

func runChain(_, _ []float32, _ []linkOp) { panic("cpu: no vectors") }

func sumHalves(_, _ []float32, _ *[16]float64) int { return 0 }

func vectorTiling(_, _ int) (tiling[float32], bool) { return tiling[float32]{}, false }

func dotHalves(_, _ []float32, _ int, _ *[16]float32) bool { return false }
