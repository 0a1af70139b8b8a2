package cuda

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/tensor"
)

// TestSymbols compares names and numbers of arguments with what the headers of CUDA declare. That each call passes so many is
// checked by the call itself.
func TestSymbols(t *testing.T) {
	text, err := os.ReadFile("testdata/signatures.txt")
	require.NoError(t, err)
	declared := map[string]int{}
	for line := range strings.Lines(string(text)) {
		if name, args, ok := strings.Cut(strings.TrimSpace(line), "("); ok && !strings.HasPrefix(line, "#") {
			declared[name] = strings.Count(args, ",") + 1
		}
	}
	known := slices.Concat(driverSymbols[:], nvrtcSymbols[:], cublasSymbols[:])
	for _, s := range known {
		require.Equal(t, declared[s.name], s.args, s.name)
	}
	require.Len(t, known, len(declared))
}

// TestNames holds that a library that the driver may be too old for is the last choice.
func TestNames(t *testing.T) {
	require.Equal(t, []string{"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"}, namesFor("libnvrtc", 13020))
	require.Equal(t, []string{"libnvrtc.so.12", "libnvrtc.so", "libnvrtc.so.13"}, namesFor("libnvrtc", 12080))
}

// TestStatuses holds that errors after which a context answers nothing else are fatal, and so is whatever is not known.
func TestStatuses(t *testing.T) {
	require.Equal(t, outOfMemory, kindOf(2))
	for _, status := range []int{1, 209, 222, 500, 701} {
		require.Equal(t, failed, kindOf(status), status)
	}
	for _, status := range []int{4, 201, 214, 700, 702, 709, 710, 715, 716, 717, 718, 719, 721, 999, 12345} {
		require.Equal(t, fatal, kindOf(status), status)
	}
}

// TestSourceHasNoData holds that programs that differ in numbers only, among them all that a guest can choose freely, have the same
// kernels: nothing of a program gets into their text.
func TestSourceHasNoData(t *testing.T) {
	sources := func(n int, value float64, seed uint64) []string {
		p := build(t, func(b *tensor.Builder) []tensor.Value { return numbersProgram(b, n, value, seed) })
		return newPlan(p, true).kernels
	}
	a, b := sources(1000, 1.5, 7), sources(1234, -2e30, 1<<60+12345)
	require.Equal(t, a, b)
	for _, s := range a {
		require.NotContains(t, s, "1234")
		require.Equal(t, prelude, s[strings.Index(s, prelude):][:len(prelude)])
	}
}

// numbersProgram has attributes of all kinds.
func numbersProgram(b *tensor.Builder, n int, value float64, seed uint64) []tensor.Value {
	x := b.Create(tensor.RandomNormal, tensor.Float32, tensor.Attrs{"shape": []int{n, 40}, "seed": seed})
	y := b.Apply(tensor.Add, nil, x, b.Full(tensor.Float32, value, n, 40))
	z := b.Apply(tensor.Slice, tensor.Attrs{"start": []int{n / 3, 1}, "step": []int{1, 3}, "count": []int{n / 2, 9}}, y)
	w := b.Create(tensor.Arange, tensor.Int64, tensor.Attrs{"n": n, "start": n * 3, "step": -n})
	return []tensor.Value{b.Apply(tensor.LayerNorm, tensor.Attrs{"axis": 1, "eps": float64(n)}, z), w,
		b.Apply(tensor.Take, tensor.Attrs{"axis": 0}, y, b.Apply(tensor.Remainder, nil, w, b.Full(tensor.Int64, n))),
		b.Create(tensor.Linspace, tensor.Float64, tensor.Attrs{"n": n, "start": value, "stop": float64(n)})}
}
