package pyworker_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/pyworker"
	"github.com/sporeengine/spore/hostfuncs"
)

var interpreter = sync.OnceValues(pyworker.Find)

// newPool returns a pool of Python workers of a file of models.
func newPool(t testing.TB, models string, c gpu.Config) *gpu.Pool {
	t.Helper()
	path, err := interpreter()
	if err != nil {
		t.Skip("no Python, so nothing of this worker is tested:", err)
	}
	if c.Command == nil {
		c.Command = []string{path}
	}
	c, err = pyworker.Configure(models, c)
	require.NoError(t, err)
	p, err := gpu.NewPool(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// newGuest returns what a guest of a tenant calls functions by.
func newGuest(t testing.TB, p *gpu.Pool) func(ctx context.Context, tenant, function string, inputs ...gpu.Tensor) *answer {
	t.Helper()
	functions, _, err := p.Models(t.Context())
	require.NoError(t, err)
	var call hostfuncs.Func
	for _, f := range gpu.Functions(p, gpu.Options{Functions: functions}) {
		if f.Name == "gpu.call" {
			call = f
		}
	}
	return func(ctx context.Context, tenant, function string, inputs ...gpu.Tensor) *answer {
		arg := map[string]any{"inputs": []any{}}
		name, parameters, _ := strings.Cut(function, " ")
		arg["function"] = name
		if parameters != "" {
			arg["parameters"] = json.RawMessage(parameters)
		}
		var buffers [][]byte
		for _, in := range inputs {
			arg["inputs"] = append(arg["inputs"].([]any), map[string]any{"name": in.Name, "datatype": in.Datatype, "shape": in.Shape,
				"data": map[string]any{"$bytes": len(buffers)}})
			buffers = append(buffers, in.Data)
		}
		text, err := json.Marshal(arg)
		if err != nil {
			panic(err)
		}
		v, err := call.Call(hostfuncs.WithCaller(ctx, hostfuncs.Caller{Tenant: tenant}), hostfuncs.Value{JSON: text, Buffers: buffers})
		a := &answer{err: err}
		if err != nil {
			a.shown = hostfuncs.ForGuest(err)
			return a
		}
		if err := json.Unmarshal(v.JSON, a); err != nil {
			panic(err)
		}
		for i := range a.Outputs {
			a.Outputs[i].data = v.Buffers[a.Outputs[i].Data["$bytes"]]
		}
		return a
	}
}

// An answer is what a guest has got.
type answer struct {
	Parameters map[string]any
	Outputs    []struct {
		Name, Datatype string
		Shape          []int
		Data           map[string]int
		data           []byte
	}
	err   error            // for the embedder
	shown *hostfuncs.Error // for the guest
}

func floats(values ...float32) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func rows(n, columns int, from float32) gpu.Tensor {
	var v []float32
	for i := range n * columns {
		v = append(v, from+float32(i))
	}
	return gpu.Tensor{Name: "x", Datatype: "FP32", Shape: []int{n, columns}, Data: floats(v...)}
}

// number returns element i of floats.
func number(b []byte, i int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
}

func requireDoubled(t *testing.T, in gpu.Tensor, a *answer) {
	t.Helper()
	require.NoError(t, a.err)
	require.Len(t, a.Outputs, 1)
	require.Equal(t, in.Shape, a.Outputs[0].Shape)
	var want []float32
	for i := range len(in.Data) / 4 {
		want = append(want, 2*number(in.Data, i))
	}
	require.Equal(t, floats(want...), a.Outputs[0].data)
}

func requireShown(t *testing.T, a *answer, code string) {
	t.Helper()
	require.Error(t, a.err)
	require.Equal(t, code, a.shown.Code, a.err)
	for _, secret := range []string{"secret", "bug", "models.py", "Error", "CUDA"} {
		require.NotContains(t, a.shown.Message, secret)
	}
}

func TestModels(t *testing.T) {
	p := newPool(t, "testdata/models.py", gpu.Config{})
	call := newGuest(t, p)
	ctx := t.Context()
	in := rows(2, 3, 1)
	a := call(ctx, "a", "double", in)
	requireDoubled(t, in, a)
	require.Equal(t, map[string]any{"rows": 2.0}, a.Parameters)

	a = call(ctx, "a", "upper", gpu.Tensor{Name: "text", Datatype: "BYTES", Shape: []int{2}, Data: []byte("\x02\x00\x00\x00no\x03\x00\x00\x00yes")})
	require.NoError(t, a.err)
	require.Equal(t, "\x02\x00\x00\x00NO\x03\x00\x00\x00YES", string(a.Outputs[0].data))
	require.Equal(t, []byte{2, 7: 0, 8: 3, 15: 0}, a.Outputs[1].data)

	a = call(ctx, "a", "kinds", gpu.Tensor{Name: "x", Datatype: "FP16", Shape: []int{3}, Data: []byte("abcdef")})
	require.NoError(t, a.err)
	got := map[string]string{}
	for _, o := range a.Outputs {
		got[o.Name] = fmt.Sprintf("%s%v %x", o.Datatype, o.Shape, o.data)
	}
	require.Equal(t, map[string]string{
		"f16": "FP16[3] 616263646566", "bf16": "BF16[4] 803f803f627fc07f", "none": "FP32[0 4] ", "bytes": "BYTES[2 1] 01000000ff02000000c3a9",
		"b": "BOOL[2] 0100", "torch": "BF16[2 2] 803f004040408040"}, got)

	info, err := p.Info(ctx)
	require.NoError(t, err)
	require.Equal(t, "python", info.Name)
	require.Equal(t, "test device", info.Device)
	functions, streams, err := p.Models(ctx)
	require.NoError(t, err)
	require.Len(t, functions, 7)
	require.Len(t, streams, 1)
	require.Equal(t, "Twice as much.\n\nAnd no more.\nTakes x FP32[?,?]. Returns y FP32[?,?].", functions[0].Doc)
	require.NoError(t, p.Close())
	require.Zero(t, p.Stats().Killed, "the worker ends when it is told")
	_, _, err = p.Models(ctx)
	require.ErrorIs(t, err, gpu.ErrClosed)
}

func TestLarge(t *testing.T) {
	p := newPool(t, "testdata/models.py", gpu.Config{})
	call := newGuest(t, p)
	in := rows(100, 10_000, 1000) // 4 MB, many times what a pipe holds
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { requireDoubled(t, in, call(t.Context(), "a", "double", in)) })
	}
	wg.Wait()
}

func TestRefusedInputs(t *testing.T) {
	call := newGuest(t, newPool(t, "testdata/models.py", gpu.Config{}))
	good := rows(2, 3, 1)
	for _, change := range map[string]func(x *gpu.Tensor) []gpu.Tensor{
		"none":           func(*gpu.Tensor) []gpu.Tensor { return nil },
		"two":            func(x *gpu.Tensor) []gpu.Tensor { return []gpu.Tensor{*x, *x} },
		"other name":     func(x *gpu.Tensor) []gpu.Tensor { x.Name = "y"; return []gpu.Tensor{*x} },
		"other datatype": func(x *gpu.Tensor) []gpu.Tensor { x.Datatype = "INT32"; return []gpu.Tensor{*x} },
		"other rank":     func(x *gpu.Tensor) []gpu.Tensor { x.Shape = []int{6}; return []gpu.Tensor{*x} },
		"too short":      func(x *gpu.Tensor) []gpu.Tensor { x.Data = x.Data[4:]; return []gpu.Tensor{*x} },
		"no rows":        func(x *gpu.Tensor) []gpu.Tensor { x.Shape, x.Data = []int{0, 3}, nil; return []gpu.Tensor{*x} },
		"too many rows":  func(x *gpu.Tensor) []gpu.Tensor { *x = rows(101, 1, 0); return []gpu.Tensor{*x} },
	} {
		x := good
		requireShown(t, call(t.Context(), "a", "double", change(&x)...), hostfuncs.CodeInvalid)
	}
	requireDoubled(t, good, call(t.Context(), "a", "double", good))
}

// TestBatches has calls of two tenants run together, in batches of eight.
func TestBatches(t *testing.T) {
	p := newPool(t, "testdata/models.py", gpu.Config{})
	call := newGuest(t, p)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			in := rows(1+i%3, 4, float32(100*i))
			requireDoubled(t, in, call(t.Context(), []string{"a", "b"}[i%2], "double", in))
		})
	}
	wg.Wait()
	s := p.Stats()
	require.EqualValues(t, 16, s.Batched)
	require.Less(t, s.Batches, int64(8), "they ran together")

	// Other parameters or rows of another length are another batch.
	for i := range 6 {
		wg.Go(func() {
			in := rows(1, 1+i%2, float32(i))
			requireDoubled(t, in, call(t.Context(), "a", fmt.Sprintf(`double {"k": %d}`, i%3), in))
		})
	}
	wg.Wait()
	require.EqualValues(t, 6, p.Stats().Batches-s.Batches)

	// What one guest sends does not spoil the calls of others.
	for i := range 6 {
		wg.Go(func() {
			in := rows(1, 2, float32(i))
			if i == 3 {
				requireShown(t, call(t.Context(), "bad", "double", rows(1, 2, 666)), hostfuncs.CodeInternal)
				return
			}
			requireDoubled(t, in, call(t.Context(), "a", "double", in))
		})
	}
	wg.Wait()
}

func TestErrors(t *testing.T) {
	p := newPool(t, "testdata/models.py", gpu.Config{Grace: 200 * time.Millisecond})
	call := newGuest(t, p)
	pid := func() int64 {
		a := call(t.Context(), "a", "misbehave")
		require.NoError(t, a.err)
		return int64(binary.LittleEndian.Uint64(a.Outputs[0].data))
	}
	first := pid()
	for how, want := range map[string]struct{ code, text string }{
		"invalid": {hostfuncs.CodeInvalid, "Invalid: /secret: this is not what it wants (line 42)"},
		"memory":  {gpu.CodeExhausted, "MemoryError: /secret: so many bytes"},
		"raise":   {hostfuncs.CodeInternal, "RuntimeError: /secret: a bug"},
		"shape":   {hostfuncs.CodeInternal, "pid is INT64[3], not INT64[]"},
		"nan":     {hostfuncs.CodeInternal, "ValueError"},
	} {
		a := call(t.Context(), "a", fmt.Sprintf(`misbehave {"how": %q}`, how))
		requireShown(t, a, want.code)
		var e *gpu.ModelError
		require.ErrorAs(t, a.err, &e, how)
		require.Contains(t, e.Text, want.text)
	}
	require.Equal(t, first, pid(), "of these the worker has not died")

	for how, reason := range map[string]string{"exit": "SystemExit: for no reason", "kill": "signal: killed", "poison": "CUDA error"} {
		before := pid()
		a := call(t.Context(), "a", fmt.Sprintf(`misbehave {"how": %q}`, how))
		requireShown(t, a, gpu.CodeUnavailable)
		var lost *gpu.WorkerError
		require.ErrorAs(t, a.err, &lost)
		require.Contains(t, lost.Reason, reason)
		require.NotEqual(t, before, pid())
	}
	require.EqualValues(t, 3, p.Stats().Died)
}

// TestLate has models that end when nobody waits any more, and one that does not.
func TestLate(t *testing.T) {
	p := newPool(t, "testdata/models.py", gpu.Config{Timeout: time.Second, Grace: time.Second})
	call := newGuest(t, p)
	require.NoError(t, call(t.Context(), "a", "misbehave").err)
	requireShown(t, call(t.Context(), "a", `misbehave {"how": "wait"}`), hostfuncs.CodeTimeout)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, call(ctx, "a", `misbehave {"how": "wait"}`).err, context.DeadlineExceeded)
	require.NoError(t, call(t.Context(), "a", "misbehave").err)
	require.Zero(t, p.Stats().Killed)

	hows := []string{"hang", "stop"}
	if runtime.GOOS == "windows" {
		hows = hows[:1] // there are no signals
	}
	for i, how := range hows {
		requireShown(t, call(t.Context(), "a", fmt.Sprintf(`misbehave {"how": %q}`, how)), hostfuncs.CodeTimeout)
		require.Eventually(t, func() bool { return p.Stats().Killed == int64(i+1) }, 5*time.Second, 5*time.Millisecond)
		require.NoError(t, call(t.Context(), "a", "misbehave").err)
	}
}

// TestKilled has workers die at any time, with a standby that takes their place.
func TestKilled(t *testing.T) {
	before := runtime.NumGoroutine()
	p := newPool(t, "testdata/models.py", gpu.Config{Standby: true})
	call := newGuest(t, p)
	for range 5 {
		a := call(t.Context(), "a", "misbehave")
		require.NoError(t, a.err)
		require.Eventually(t, func() bool { return p.Stats().Standby == 1 }, 20*time.Second, 5*time.Millisecond)
		running := make(chan *answer)
		go func() { running <- call(t.Context(), "b", `misbehave {"how": "wait"}`) }()
		time.Sleep(50 * time.Millisecond)
		victim, err := os.FindProcess(int(binary.LittleEndian.Uint64(a.Outputs[0].data)))
		require.NoError(t, err)
		require.NoError(t, victim.Kill())
		begin := time.Now()
		requireShown(t, <-running, gpu.CodeUnavailable)
		in := rows(1, 3, 1)
		requireDoubled(t, in, call(t.Context(), "a", "double", in))
		t.Log("the next good answer after", time.Since(begin))
	}
	require.NoError(t, p.Close())
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b := make([]byte, 1<<20)
			t.Fatalf("goroutines are left, more than %d:\n%s", before, b[:runtime.Stack(b, true)])
		}
	}
}

// TestStart has files of models with which no worker can serve.
func TestStart(t *testing.T) {
	for name, c := range map[string]struct{ source, reason string }{
		"nothing":   {"x = 1", "it registers no model"},
		"exception": {"import nowhere.to.be.found", "ModuleNotFoundError: No module named 'nowhere' (line 1)"},
		"syntax":    {"x = 1\nif", "SyntaxError: invalid syntax (models.py, line 2) (line 2)"},
		"signature": {"from spore_gpu import model\n@model('m', inputs={'x': 'float'}, outputs={})\ndef m(call, x): pass", `'float' is no description of a tensor`},
		"twice":     {"from spore_gpu import model\nfor i in 1, 2: model('m', inputs={}, outputs={})(print)", "there are two models 'm'"},
		"no name":   {"from spore_gpu import model\nmodel('a b', inputs={}, outputs={})(print)", "description of models"},
		"no stack":  {"from spore_gpu import model\nmodel('m', inputs={'x': 'FP32[2]'}, outputs={}, batch=True)(print)", "cannot be stacked along x"},
		"exits":     {"import os; os._exit(3)", "exit status 3"},
		"end":       {"raise SystemExit('no card')", "SystemExit: no card"},
		"hangs":     {"import time; time.sleep(60)", "did not start in 300ms"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "models.py")
			require.NoError(t, os.WriteFile(path, []byte(c.source), 0o600))
			config := gpu.Config{}
			if name == "hangs" {
				config.StartTimeout = 300 * time.Millisecond
			}
			p := newPool(t, path, config)
			_, _, err := p.Models(t.Context())
			require.ErrorIs(t, err, gpu.ErrUnavailable)
			require.ErrorContains(t, err, c.reason)
			require.True(t, p.Stats().Quarantine)
		})
	}
	_, err := pyworker.Configure("testdata/none.py", gpu.Config{})
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestChanged has the file of models change while a pool is there.
func TestChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "models.py")
	write := func(outputs string) {
		require.NoError(t, os.WriteFile(path, []byte("import os\nfrom spore_gpu import model\n@model('m', inputs={}, outputs="+outputs+")\ndef m(call): os._exit(1)"), 0o600))
	}
	write("{'x': 'FP32[]'}")
	p := newPool(t, path, gpu.Config{})
	call := newGuest(t, p)
	write("{'x': 'FP64[]'}")
	requireShown(t, call(t.Context(), "a", "m"), gpu.CodeUnavailable)
	a := call(t.Context(), "a", "m")
	requireShown(t, a, gpu.CodeUnavailable)
	require.ErrorContains(t, a.err, "its models are not those of the first worker")
}

// TestSlowStart has a call wait for a worker that takes its time.
func TestSlowStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "models.py")
	require.NoError(t, os.WriteFile(path, []byte("import time, os\nfrom spore_gpu import model\ntime.sleep(0.7)\n@model('m', inputs={}, outputs={'x': 'FP32[]'})\ndef m(call):\n  if call.parameters: os._exit(1)\n  return 1.5"), 0o600))
	p := newPool(t, path, gpu.Config{})
	call := newGuest(t, p)
	requireShown(t, call(t.Context(), "a", `m {"die": 1}`), gpu.CodeUnavailable)
	a := call(t.Context(), "a", "m")
	require.NoError(t, a.err)
	require.Equal(t, floats(1.5), a.Outputs[0].data)
}

// TestTransport has a worker be offered shared memory.
func TestTransport(t *testing.T) {
	path, err := interpreter()
	if err != nil {
		t.Skip("no Python, so nothing of this worker is tested:", err)
	}
	file, err := filepath.Abs("testdata/models.py")
	require.NoError(t, err)
	p, err := gpu.NewPool(gpu.Config{Command: pyworker.Command([]string{path}, file), Name: path})
	require.NoError(t, err)
	defer p.Close()
	_, _, err = p.Models(t.Context())
	require.ErrorContains(t, err, "this worker takes calls through pipes only: see Config.Pipes")
}
