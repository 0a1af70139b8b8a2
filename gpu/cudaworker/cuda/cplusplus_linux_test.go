package cuda

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/internal/conformance"
	"github.com/sporeengine/spore/gpu/tensor"
)

// words is what a compiler for devices knows and one of C++ does not.
const words = `#define __CUDACC_RTC__
#define __global__
#define __device__
#define __forceinline__ inline
#define __shared__ static
#define __launch_bounds__(n)
struct dim3 { unsigned x, y, z; };
static const dim3 threadIdx = {}, blockIdx = {}, blockDim = {}, gridDim = {};
static inline void __syncthreads() {}
#include <math.h>
`

// TestKernelsAreCPlusPlus has a compiler of C++ read kernels of all operations, in the form that NVRTC gets, as the fake compiler is one of C. It
// is strict, but knows nothing of devices.
func TestKernelsAreCPlusPlus(t *testing.T) {
	if _, err := exec.LookPath("c++"); err != nil {
		t.Skip("no compiler of C++ (c++)")
	}
	// All kernels in one file, each in a namespace of its own.
	sources := map[string]bool{}
	for _, op := range tensor.Ops() {
		for _, d := range tensor.DTypes() {
			for i := range 4 {
				m := conformance.NewMaker(rand.New(rand.NewPCG(uint64(op)<<8|uint64(d), uint64(i))))
				m.Large = i%2 == 0
				p, err := m.Case(op, d)
				if errors.Is(err, tensor.ErrInvalid) {
					continue
				}
				require.NoError(t, err)
				for _, k := range newPlan(p, true).kernels {
					sources[k] = true
				}
			}
		}
	}
	var text strings.Builder
	text.WriteString(words)
	text.WriteString("#define NWORDS 512\n#define INDEX u32\n" + prelude)
	n := 0
	for k := range sources {
		head, body, ok := strings.Cut(k, prelude)
		require.True(t, ok)
		index := "u32"
		if strings.Contains(head, "u64") {
			index = "u64"
		}
		body = strings.Replace(body, "KERNEL k(", fmt.Sprintf("KERNEL k%d(", n), 1)
		fmt.Fprintf(&text, "#undef INDEX\n#define INDEX %s\n#undef TREE\n#undef ALONE\n#undef BEFORE\nnamespace n%d {\n%s\n}\n", index, n, body)
		n++
	}
	require.Greater(t, n, 300)
	path := filepath.Join(t.TempDir(), "kernels.cc")
	require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
	out, err := exec.Command("c++", "-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-unused", "-Wno-type-limits", "-Wno-sign-compare",
		"-Wno-parentheses", path).CombinedOutput()
	require.NoError(t, err, "%s", out[:min(len(out), 4000)])
}
