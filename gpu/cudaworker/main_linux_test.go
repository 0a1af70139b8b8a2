package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/cudaworker/cuda"
	"github.com/sporeengine/spore/gpu/cudaworker/internal/fakelibs"
	"github.com/sporeengine/spore/gpu/internal/conformance"
	"github.com/sporeengine/spore/gpu/tensor"
)

// worker builds the command as it is shipped, without cgo, and the fake libraries, and returns how it is started.
func worker(t *testing.T, flags ...string) []string {
	t.Helper()
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("no C compiler (cc): the fake libraries cannot be built")
	}
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "cudaworker"), ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	l, err := fakelibs.Build(dir, flags...)
	require.NoError(t, err)
	return []string{filepath.Join(dir, "cudaworker"), "-libcuda", l.CUDA, "-libnvrtc", l.NVRTC, "-libcublas", l.CUBLAS,
		"-cache", filepath.Join(dir, "kernels"), "-memory", "268435456"}
}

// env is what the fake compiler needs to find cc.
func env() []string { return []string{"PATH=" + os.Getenv("PATH")} }

// TestWorker has a pool start the command: programs of many tenants at the same time are what the oracle says.
func TestWorker(t *testing.T) {
	pool, err := gpu.NewPool(gpu.Config{Command: worker(t), Env: env(), Timeout: time.Minute, StartTimeout: time.Minute})
	require.NoError(t, err)
	defer func() { require.NoError(t, pool.Close()) }()
	var wg sync.WaitGroup
	for g, op := range []tensor.Op{tensor.MatMul, tensor.Add, tensor.Sum, tensor.TopK} {
		wg.Go(func() {
			b := pool.For(op.String())
			for i := range 3 {
				m := conformance.NewMaker(rand.New(rand.NewPCG(uint64(g), uint64(i))))
				m.Tame = true
				p, err := m.Case(op, tensor.Float32)
				if err != nil {
					t.Errorf("%s: %v", op, err)
					return
				}
				conformance.Compare(t, b, p, m, op, false)
			}
		})
	}
	wg.Wait()
	info := pool.For("x").Info()
	require.Equal(t, "cuda", info.Name)
	require.Equal(t, "Fake 40", info.Device)
	require.Len(t, info.Ops, len(tensor.Ops()))
}

// TestWorkerEnds has a context break after some launches. The process ends, the pool replaces it, and no answer is wrong.
func TestWorkerEnds(t *testing.T) {
	pool, err := gpu.NewPool(gpu.Config{Command: worker(t, "-DILLEGAL_AFTER=12"), Env: env(), Timeout: time.Minute, StartTimeout: time.Minute})
	require.NoError(t, err)
	defer func() { require.NoError(t, pool.Close()) }()
	b := tensor.NewBuilder(tensor.Limits{})
	p, err := b.Build(b.Apply(tensor.Exp, nil, b.Input(tensor.Float32, 10)))
	require.NoError(t, err)
	x := oracle.New(p.Inputs()[0])
	in := [][]byte{x.Encode()}
	want, err := oracle.Eval(p, in, nil)
	require.NoError(t, err)
	lost := 0
	for range 60 {
		out := [][]byte{make([]byte, 40)}
		err := pool.For("x").Eval(context.Background(), p, in, nil, out)
		if err != nil {
			require.ErrorIs(t, err, gpu.ErrUnavailable)
			var e *gpu.WorkerError
			if errors.As(err, &e) {
				require.Contains(t, e.Reason, "illegal memory access")
			}
			lost++
			continue
		}
		require.Equal(t, want, out)
	}
	require.GreaterOrEqual(t, lost, 2)
	require.Less(t, lost, 30)
}

// TestWithoutDriver holds that a pool says what is missing on a machine without a device.
func TestWithoutDriver(t *testing.T) {
	command := worker(t)
	command[2] = "/nowhere/libcuda.so.1"
	out, err := exec.Command(command[0], append(command[1:], "-check")...).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "no driver")
	pool, err := gpu.NewPool(gpu.Config{Command: command, Env: env(), StartTimeout: time.Minute})
	if err == nil {
		b := tensor.NewBuilder(tensor.Limits{})
		var p *tensor.Program
		p, err = b.Build(b.Create(tensor.Zeros, tensor.Bool, tensor.Attrs{"shape": []int{}}))
		require.NoError(t, err)
		err = pool.For("x").Eval(context.Background(), p, nil, nil, [][]byte{{0}})
		require.NoError(t, pool.Close())
	}
	require.ErrorIs(t, err, gpu.ErrUnavailable)
	require.ErrorContains(t, err, "no driver")
}

// TestCheck runs the command by hand.
func TestCheck(t *testing.T) {
	command := worker(t)
	out, err := exec.Command(command[0], append(command[1:], "-check")...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, want := range []string{"Fake 40 (sm_90", "driver 13.0", "NVRTC 13.0", "cuBLAS 130000", "operations   72 of 72", "second call"} {
		require.Contains(t, string(out), want)
	}
	out, err = exec.Command(command[0]).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "gpu.Config.Command")
}

func TestFlags(t *testing.T) {
	o, check, err := parse([]string{"-device", "2", "-memory", "5", "-lib-dirs", "/a:/b", "-cache", "/c", "-check"}, io.Discard)
	require.NoError(t, err)
	require.True(t, check)
	require.Equal(t, cuda.Options{Device: 2, Memory: 5, Cache: "/c", Libraries: cuda.Libraries{Dirs: []string{"/a", "/b"}}}, o)
	var text bytes.Buffer
	_, _, err = parse([]string{"more"}, &text)
	require.Error(t, err)
	require.True(t, strings.Contains(text.String(), `unexpected "more"`))
	_, _, err = parse([]string{"-memory", "x"}, io.Discard)
	require.Error(t, err)
}
