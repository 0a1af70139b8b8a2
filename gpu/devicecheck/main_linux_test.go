package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/internal/conformance"
	"github.com/sporeengine/spore/gpu/tensor"
)

func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "devicecheck")
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// TestWithoutDevice holds that on a machine without a device everything is counted as skipped, and nothing as passed.
func TestWithoutDevice(t *testing.T) {
	out, err := exec.Command(build(t), "-libcuda", "/nowhere/libcuda.so.1").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "no device: cuda: no driver")
	require.Contains(t, string(out), "\n0 passed, 0 goals missed, 0 failed, 10 skipped\n")
}

// TestOnFakes runs the checks on a device that is the processor, to see that they work; what they measure means nothing.
func TestOnFakes(t *testing.T) {
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("no C compiler (cc): the fake libraries cannot be built")
	}
	dir := t.TempDir()
	sources := "../cudaworker/internal/fakelibs/testdata"
	source, err := filepath.Abs(sources)
	require.NoError(t, err)
	args := []string{"-quick", "-rounds", "1", "-kills", "3", "-soak", "1s", "-only", "open,copies,zeroing,speed,kills,illegal,spinning,soak"}
	for name, flag := range map[string]string{"fakecuda": "-libcuda", "fakenvrtc": "-libnvrtc", "fakecublas": "-libcublas"} {
		path := filepath.Join(dir, name+".so")
		out, err := exec.Command("cc", "-O2", "-fPIC", "-shared", `-DTESTDATA="`+source+`"`, "-o", path, filepath.Join(sources, name+".c"), "-ldl", "-lpthread").CombinedOutput()
		require.NoError(t, err, "%s", out)
		args = append(args, flag, path)
	}
	out, err := exec.Command(build(t), args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	text := string(out)
	t.Log(text)
	for _, want := range []string{"libraries, symbols, context", "QUICK", "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "1000 sandboxes", "P9", "99th of a hundred", "stands by", "3 workers killed at work", "ends its worker", "memory of another tenant is zero", "64 tenants for 1s, each answer compared"} {
		require.Contains(t, text, want)
	}
	require.Regexp(t, regexp.MustCompile(`\n\d+ passed, 0 goals missed, 0 failed, \d+ skipped\n`), text)
	for line := range strings.Lines(text) {
		if strings.Contains(line, "skipped: ") {
			require.NotContains(t, line, "skipped:  |", "a reason is given")
		}
	}
}

// TestTable holds that a goal that is missed and a check that fails are told apart.
func TestTable(t *testing.T) {
	var w bytes.Buffer
	tab := &table{w: &w}
	tab.ratio("d", "x", "1", "2", 0.5, 0.9, false)
	tab.ratio("d", "y", "1", "2", 0.95, 0.9, false)
	require.True(t, tab.end())
	require.Contains(t, w.String(), "MISSED")
	require.Contains(t, w.String(), "1 passed, 1 goals missed, 0 failed, 0 skipped")
	tab.fail("b", "z", errStop)
	require.False(t, tab.end())
}

// TestCaseFails holds that comparisons outside of tests can fail.
func TestCaseFails(t *testing.T) {
	typ := tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{1}}
	one, two := oracle.New(typ), oracle.New(typ)
	two.Floats[0] = 2
	var c caseT
	require.PanicsWithValue(t, errStop, func() { conformance.SameNaN(&c, typ, one.Encode(), two.Encode()) })
	require.Error(t, c.err)
}
