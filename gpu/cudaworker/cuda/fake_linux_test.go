package cuda

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ebitengine/purego"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/cudaworker/internal/fakelibs"
)

// The fake libraries of testdata, with which the real bindings and all kernels run on the processor.

var fakeDir string

func TestMain(m *testing.M) {
	var err error
	if fakeDir, err = os.MkdirTemp("", "fakecuda-"); err != nil {
		panic(err)
	}
	status := m.Run()
	if _, err := exec.LookPath("cc"); err != nil {
		fmt.Println("SKIPPED: no C compiler (cc): neither the bindings nor the kernels were tested")
	}
	_ = os.RemoveAll(fakeDir)
	os.Exit(status)
}

// buildFakes compiles the libraries.
var buildFakes = sync.OnceValues(func() (Libraries, error) {
	l, err := fakelibs.Build(fakeDir)
	return Libraries{CUDA: l.CUDA, NVRTC: l.NVRTC, CUBLAS: l.CUBLAS}, err
})

// fakeOptions are options for a backend on the fake libraries. Kernels are kept, so that each is compiled once in a run of the tests.
func fakeOptions(t testing.TB) Options {
	t.Helper()
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("no C compiler (cc): the fake libraries cannot be built")
	}
	l, err := buildFakes()
	require.NoError(t, err)
	return Options{Libraries: l, Memory: 1 << 30, Cache: filepath.Join(fakeDir, "cache"), Poison: true,
		Fatal: func(err error) { panic(err) }}
}

func newFake(t testing.TB, change func(o *Options)) *Backend {
	t.Helper()
	o := fakeOptions(t)
	if change != nil {
		change(&o)
	}
	b, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// Numbers of the fake driver, as in fakecuda.c.
const (
	fakeDeviceBytes = iota
	fakeHostBytes
	fakeStreams
	fakeEvents
	fakeModules
	fakeContexts
	fakeLaunches
	fakeRegistered
	fakeLimit
	fakeDevices
)

// fakeNumber returns a number of the fake driver and sets it if set is not negative.
func fakeNumber(t testing.TB, which int, set int64) int64 {
	t.Helper()
	l, err := buildFakes()
	require.NoError(t, err)
	h, err := purego.Dlopen(l.CUDA, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	require.NoError(t, err)
	f, err := purego.Dlsym(h, "fake_number")
	require.NoError(t, err)
	r, _, _ := purego.SyscallN(f, uintptr(which), uintptr(set))
	return int64(r)
}
