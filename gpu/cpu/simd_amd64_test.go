//go:build !purego

package cpu

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/tensor"
)

// oddities are numbers that loops treat differently if they are not careful.
var oddities = []uint32{
	0, 1 << 31, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001, // zeros, ones, infinities, NaNs
	1, 0x807fffff, 0x00800000, 0x7f7fffff, 0x3f000000, 0xbf000000, 0x3fc00000, 0x4b000000, 0x4b7fffff, 0xcb000001, // subnormal, extreme, halves, around 2^23
}

func oddFloats(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		switch r.IntN(3) {
		case 0:
			x[i] = math.Float32frombits(oddities[r.IntN(len(oddities))])
		case 1:
			x[i] = math.Float32frombits(r.Uint32())
		default:
			x[i] = float32(r.NormFloat64() * 3)
		}
	}
	return x
}

// sameFloats compares bits, but for which NaN a NaN is.
func sameFloats(t *testing.T, want, got []float32, what string) {
	t.Helper()
	for i := range want {
		if math.Float32bits(want[i]) != math.Float32bits(got[i]) && (want[i] == want[i] || got[i] == got[i]) {
			t.Fatalf("%s: element %d of %d is %x, not %x", what, i, len(want), math.Float32bits(got[i]), math.Float32bits(want[i]))
		}
	}
}

// goKernels are those that vectors took the place of.
var goKernels = map[tensor.Op]kernel{
	tensor.Add: add[float32], tensor.Subtract: subtract[float32], tensor.Multiply: multiply[float32], tensor.Divide: divide[float32],
	tensor.Minimum: minimum[float32], tensor.Maximum: maximum[float32], tensor.Negative: negative[float32], tensor.Abs: absF32,
	tensor.Sqrt: mapped32(math.Sqrt), tensor.Floor: floorF32, tensor.Ceil: ceilF32, tensor.Round: roundF32,
}

func requireVectors(t *testing.T) {
	if !hasVectors {
		t.Skip("the processor has no AVX2")
	}
}

// TestVectors compares the loops in vectors with those in Go, on all lengths up to some vectors, from any place, into the operands' own
// memory too. What is before and behind the result stays as it was.
func TestVectors(t *testing.T) {
	requireVectors(t)
	require.Len(t, goKernels, len(vectorized))
	r := rand.New(rand.NewPCG(13, 0))
	for op, want := range goKernels {
		for n := range 100 {
			for alias := range 3 {
				at := r.IntN(8)
				x, y := oddFloats(r, n+16), oddFloats(r, n+16)
				d := make([]float32, n+16)
				expected := make([]float32, n)
				want(of(expected), of(x[at:at+n]), of(y[at:at+n]), vec{})
				dst := [][]float32{d, x, y}[alias]
				before, after := append([]float32{}, dst[:at]...), append([]float32{}, dst[at+n:]...)
				kernels[op][classF32](of(dst[at:at+n]), of(x[at:at+n]), of(y[at:at+n]), vec{})
				what := fmt.Sprint(op, ", ", n, " elements, alias ", alias)
				sameFloats(t, expected, dst[at:at+n], what)
				sameFloats(t, before, dst[:at], what+", before")
				sameFloats(t, after, dst[at+n:], what+", behind")
			}
		}
	}
}

// TestChains compares chains with their operations one by one, on all lengths up to some strips, into memory of their own and into that of
// each operand. What is before and behind the result stays as it was.
func TestChains(t *testing.T) {
	requireVectors(t)
	r := rand.New(rand.NewPCG(14, 0))
	type choice struct {
		op    tensor.Op
		right bool
	}
	var choices []choice
	for op := range linkCodes {
		choices = append(choices, choice{op, false}, choice{op, true})
	}
	slices.SortFunc(choices, func(a, b choice) int {
		return cmp.Or(cmp.Compare(a.op, b.op), cmp.Compare(truth(a.right), truth(b.right)))
	})
	for n := 1; n < 300; n++ {
		const operands = 4
		at := r.IntN(8)
		var memory [operands + 1][]float32 // the last one is the result's own
		for i := range memory {
			memory[i] = oddFloats(r, n+16)
		}
		x := r.IntN(operands)
		s := step{in: [3]int{x}}
		want := slices.Clone(memory[x][at : at+n])
		for i := range 1 + r.IntN(20) {
			c := choices[(n*20+i)%len(choices)]
			k := r.IntN(operands)
			args, acc := []int{-1, k}, 0
			switch {
			case vectorized[c.op].unary != nil:
				args = []int{k}
			case c.right:
				args, acc = []int{k, -1}, 1
			}
			s.links = append(s.links, newLink(&tensor.Node{Op: c.op}, acc, args))
			y := of(memory[k][at : at+n])
			if c.right && len(args) == 2 {
				goKernels[c.op](of(want), y, of(want), vec{})
			} else {
				goKernels[c.op](of(want), of(want), y, vec{})
			}
		}
		dst := memory[r.IntN(len(memory))]
		before, after := slices.Clone(dst[:at]), slices.Clone(dst[at+n:])
		regs := make([]vec, len(memory))
		for i := range regs {
			regs[i] = of(memory[i][at : at+n])
		}
		runLinks(&s, of(dst[at:at+n]), regs)
		what := fmt.Sprintf("%d elements, %+v", n, s.links)
		sameFloats(t, want, dst[at:at+n], what)
		sameFloats(t, before, dst[:at], what+", before")
		sameFloats(t, after, dst[at+n:], what+", behind")
	}
}

// TestJoiningWithoutVectors runs on float32 what other processors do.
func TestJoiningWithoutVectors(t *testing.T) {
	requireVectors(t)
	defer func() { hasVectors = true }()
	hasVectors = false
	TestJoining(t)
}

// TestVectorSums has sums be the same with and without vectors.
func TestVectorSums(t *testing.T) {
	requireVectors(t)
	defer func() { hasVectors = true }()
	r := rand.New(rand.NewPCG(15, 0))
	for n := range 300 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		hasVectors = true
		got := sumOf(x)
		hasVectors = false
		require.Equal(t, sumOf(x), got, "%d elements", n)
		hasVectors = true
		product := dot(x, x)
		hasVectors = false
		sameFloats(t, []float32{dot(x, x)}, []float32{product}, fmt.Sprint("dot of ", n))
		exact := 0.0
		for _, v := range x {
			exact += float64(v)
		}
		require.InDelta(t, exact, got, 1e-9)
	}
}

// TestVectorProducts has products be the same with and without vectors, for shapes that fill tiles and blocks and such that do not.
func TestVectorProducts(t *testing.T) {
	requireVectors(t)
	defer func() { hasVectors = true }()
	r := rand.New(rand.NewPCG(17, 0))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	for _, shape := range [][3]int{{4, 16, 8}, {5, 1, 9}, {4, 3, 7}, {3, 9, 16}, {97, 257, 33}, {100, 600, 8}, {7, 256, 160}, {193, 5, 17}} {
		m, k, n := shape[0], shape[1], shape[2]
		for _, stack := range []int{1, 3} {
			p := build(t, func(b *tensor.Builder) []tensor.Value {
				return []tensor.Value{b.Apply(tensor.MatMul, nil, b.Input(tensor.Float32, stack, m, k), b.Input(tensor.Float32, stack, k, n))}
			})
			x, y := random(stack*m*k), random(stack*k*n)
			results := [2][]float32{make([]float32, stack*m*n), make([]float32, stack*m*n)}
			for i, v := range []bool{true, false} {
				hasVectors = v
				err := newBackend(t, Options{}).Eval(t.Context(), p, [][]byte{of(x).bytesOf(4), of(y).bytesOf(4)}, nil, [][]byte{of(results[i]).bytesOf(4)})
				require.NoError(t, err)
			}
			sameFloats(t, results[1], results[0], fmt.Sprint(shape, stack))
		}
	}
}

// TestVectorsCheckLengths has operands that are too short.
func TestVectorsCheckLengths(t *testing.T) {
	requireVectors(t)
	long, short := make([]float32, 32), make([]float32, 16)
	require.Panics(t, func() { kernels[tensor.Add][classF32](of(long), of(short), of(long), vec{}) })
	require.Panics(t, func() { kernels[tensor.Add][classF32](of(long), of(long), of(short), vec{}) })
	require.Panics(t, func() { kernels[tensor.Abs][classF32](of(long), of(short), vec{}, vec{}) })
	for _, regs := range [][]vec{{of(long), of(short)}, {of(short), of(long)}} {
		require.Panics(t, func() { runLinks(&step{links: []link{{code: linkAdd, y: 1}}}, of(long), regs) })
	}
}
