package gpu_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
)

// double doubles INT64 tensors and notes its batches.
type double struct {
	mu      sync.Mutex
	batches [][]string // tenants
	hold    chan bool  // if not nil, a batch waits for it
	running atomic.Int64
}

func (d *double) run(ctx context.Context, batch []*gpu.Request) error {
	if d.running.Add(1) > 1 {
		return errors.New("two batches run")
	}
	defer d.running.Add(-1)
	var tenants []string
	for _, r := range batch {
		tenants = append(tenants, r.Tenant)
	}
	d.mu.Lock()
	d.batches = append(d.batches, tenants)
	d.mu.Unlock()
	if d.hold != nil {
		select {
		case <-d.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, r := range batch {
		switch r.Parameters["mood"] {
		case "panic":
			panic("secret")
		case "fail":
			return errors.New("secret")
		case "alone":
			r.Err = hostfuncs.Errorf("sad", "only this one")
			continue
		case "nonsense":
			r.Outputs = []gpu.Tensor{{Datatype: "INT64", Shape: []int{7}}}
			continue
		}
		for _, in := range r.Inputs {
			out := make([]byte, len(in.Data))
			for i := 0; i < len(out); i += 8 {
				binary.LittleEndian.PutUint64(out[i:], 2*binary.LittleEndian.Uint64(in.Data[i:]))
			}
			r.Outputs = append(r.Outputs, gpu.Tensor{Name: in.Name, Datatype: in.Datatype, Shape: in.Shape, Data: out})
		}
		r.Parameters = nil
	}
	return nil
}

// callDouble calls the function and compares its answer.
func callDouble(ctx context.Context, funcs []hostfuncs.Func, tenant, mood string, n uint64) error {
	m, out, err := newGuest(funcs, tenant).call(ctx, "gpu.call",
		`{"function": "double", "parameters": {"mood": "`+mood+`"}, "inputs": [{"name": "x", "datatype": "INT64", "shape": [1], "data": %b}]}`,
		binary.LittleEndian.AppendUint64(nil, n))
	if err != nil {
		return err
	}
	if m["outputs"].([]any)[0].(map[string]any)["name"] != "x" || binary.LittleEndian.Uint64(out[0]) != 2*n {
		return fmt.Errorf("%w: %v %v", errWrong, m, out)
	}
	return nil
}

func TestBatches(t *testing.T) {
	p := newPool(t, gpu.Config{Quota: gpu.Quota{Queue: 6}})
	d := &double{hold: make(chan bool)}
	var came atomic.Int64
	f := &gpu.Function{Name: "double", Run: d.run, MaxBatch: 4, Check: func(*gpu.Request) error { came.Add(1); return nil }}
	funcs := gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{f}})
	var wg sync.WaitGroup
	start := func(tenant string, n int) {
		for i := range n {
			wg.Go(func() {
				if err := callDouble(context.Background(), funcs, tenant, "", uint64(i)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	start("first", 1)
	require.Eventually(t, func() bool { return d.running.Load() == 1 }, 10*time.Second, time.Millisecond)
	start("many", 6)
	require.Eventually(t, func() bool { return came.Load() == 7 }, 10*time.Second, time.Millisecond)
	time.Sleep(50 * time.Millisecond)
	requireCode(t, callDouble(t.Context(), funcs, "many", "", 1), hostfuncs.CodeQuota)
	start("few", 2)
	require.Eventually(t, func() bool { return came.Load() == 10 }, 10*time.Second, time.Millisecond)
	time.Sleep(50 * time.Millisecond)
	close(d.hold)
	wg.Wait()
	require.Equal(t, []string{"first"}, d.batches[0])
	require.Len(t, d.batches[1], 4)
	require.Equal(t, 2, strings.Count(strings.Join(d.batches[1], " "), "few"), "%v", d.batches)
	s := p.Stats()
	require.Equal(t, int64(len(d.batches)), s.Batches)
	require.Equal(t, int64(9), s.Batched)
}

// TestBatchFates has one call of a batch spoil it, which must not touch the others.
func TestBatchFates(t *testing.T) {
	for _, mood := range []string{"panic", "fail", "alone", "nonsense"} {
		p := newPool(t, gpu.Config{})
		d := &double{}
		funcs := gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{{Name: "double", Run: d.run, MaxBatch: 8, MaxDelay: 100 * time.Millisecond}}})
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if i != 3 {
					if err := callDouble(context.Background(), funcs, "good", "", uint64(i)); err != nil {
						t.Error(err)
					}
					return
				}
				var e *hostfuncs.Error
				if err := callDouble(context.Background(), funcs, "bad", mood, 1); !errors.As(err, &e) || strings.Contains(e.Message, "secret") ||
					(e.Code != hostfuncs.CodeInternal && (mood != "alone" || e.Code != "sad")) {
					t.Errorf("%s: %v", mood, err)
				}
			})
		}
		wg.Wait()
	}
}

// TestBatchLeft has everybody leave a batch, which ends it.
func TestBatchLeft(t *testing.T) {
	p := newPool(t, gpu.Config{})
	d := &double{hold: make(chan bool)}
	funcs := gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{{Name: "double", Run: d.run}}})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 3 { // one runs, two wait
		wg.Go(func() {
			if callDouble(ctx, funcs, "a", "", 1) == nil {
				t.Error("it was canceled")
			}
		})
	}
	require.Eventually(t, func() bool { return d.running.Load() == 1 }, 10*time.Second, time.Millisecond)
	cancel()
	wg.Wait()
	require.Eventually(t, func() bool { return d.running.Load() == 0 }, 10*time.Second, time.Millisecond)
	close(d.hold)
	require.NoError(t, callDouble(t.Context(), funcs, "a", "", 5))
}

func TestBatchKeysAndChecks(t *testing.T) {
	p := newPool(t, gpu.Config{})
	mixed := false
	f := &gpu.Function{Name: "double", MaxBatch: 10, MaxDelay: 30 * time.Millisecond,
		Key: func(r *gpu.Request) string { return r.Tenant },
		Check: func(r *gpu.Request) error {
			if r.Parameters["mood"] == "unwanted" {
				return hostfuncs.Errorf("unwanted", "no")
			}
			return nil
		}}
	d := &double{}
	f.Run = func(ctx context.Context, batch []*gpu.Request) error {
		for _, r := range batch {
			mixed = mixed || r.Tenant != batch[0].Tenant
		}
		return d.run(ctx, batch)
	}
	funcs := gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{f}})
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			if err := callDouble(context.Background(), funcs, fmt.Sprint("tenant ", i%2), "", uint64(i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.False(t, mixed)
	require.ErrorContains(t, callDouble(t.Context(), funcs, "a", "unwanted", 1), "unwanted: no")
}

func TestTensorArguments(t *testing.T) {
	p := newPool(t, gpu.Config{})
	f := &gpu.Function{Name: "words", Run: func(_ context.Context, batch []*gpu.Request) error {
		words, err := batch[0].Inputs[0].Elements()
		batch[0].Parameters = map[string]any{"n": len(words)}
		return err
	}}
	g := newGuest(gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{f}}), "a")
	arg := func(datatype, shape string) string {
		return `{"function": "words", "inputs": [{"name": "x", "datatype": "` + datatype + `", "shape": ` + shape + `, "data": %b}]}`
	}
	words := []byte("\x02\x00\x00\x00ab\x00\x00\x00\x00\x01\x00\x00\x00c")
	m, _, err := g.call(t.Context(), "gpu.call", arg("BYTES", "[3]"), words)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"n": 3.0}, m["parameters"])
	for _, c := range []struct {
		datatype, shape string
		data            []byte
	}{
		{"BYTES", "[2]", words}, {"BYTES", "[4]", words}, {"BYTES", "[3]", words[:12]}, {"BYTES", "[1]", []byte("\xff\xff\xff\xff")},
		{"FP32", "[2]", make([]byte, 9)}, {"FP33", "[2]", make([]byte, 8)}, {"FP32", "[-1]", nil}, {"BYTES", "[1000000, 1000000]", nil},
		{"INT8", "[4294967296, 4294967296]", nil}, {"INT8", "[" + strings.Repeat("1,", 40) + "1]", []byte{1}},
	} {
		_, _, err := g.call(t.Context(), "gpu.call", arg(c.datatype, c.shape), c.data)
		var e *hostfuncs.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, hostfuncs.CodeInvalid, e.Code, "%v", c)
	}
	_, _, err = g.call(t.Context(), "gpu.call", `{"function": "unknown"}`)
	requireCode(t, err, hostfuncs.CodeNotGranted)
}

// TestBatchHammer has many guests whose calls fail, leave and are refused.
func TestBatchHammer(t *testing.T) {
	p := newPool(t, gpu.Config{Quota: gpu.Quota{Queue: 4}})
	d := &double{}
	funcs := gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{{Name: "double", Run: d.run, MaxBatch: 5, MaxDelay: 100 * time.Microsecond}}})
	var wg sync.WaitGroup
	var good atomic.Int64
	for i := range uint64(16) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(8, i))
			for n := range uint64(60) {
				ctx, cancel := context.WithCancel(context.Background())
				if r.IntN(5) == 0 {
					time.AfterFunc(time.Duration(r.IntN(300))*time.Microsecond, cancel)
				}
				mood := []string{"", "", "", "", "alone", "fail", "panic"}[r.IntN(7)]
				err := callDouble(ctx, funcs, fmt.Sprint(i%3), mood, n)
				cancel()
				var e *hostfuncs.Error
				switch {
				case err == nil && mood == "":
					good.Add(1)
				case err == nil, !errors.As(err, &e):
					t.Errorf("%q: %v", mood, err)
				}
			}
		})
	}
	wg.Wait()
	require.Positive(t, good.Load())
}

// FuzzTensor checks that what is taken for a tensor of BYTES can be taken apart.
func FuzzTensor(f *testing.F) {
	f.Add("BYTES", 3, 1, []byte("\x02\x00\x00\x00ab\x00\x00\x00\x00\x01\x00\x00\x00c"))
	f.Add("FP32", 2, 2, make([]byte, 16))
	f.Fuzz(func(t *testing.T, datatype string, a, b int, data []byte) {
		x := gpu.Tensor{Datatype: datatype, Shape: []int{a, b}, Data: data}
		all, err := x.Elements()
		if err != nil {
			return
		}
		n := 4 * len(all)
		for _, e := range all {
			n += len(e)
		}
		if len(all) != a*b || n != len(data) {
			t.Fatalf("%d elements, %d bytes of %d", len(all), n, len(data))
		}
	})
}

// TestBatchKeepsSecrets has a batch fail with an error that is about one tenant's request, and its time run out before all were tried alone.
func TestBatchKeepsSecrets(t *testing.T) {
	p := newPool(t, gpu.Config{})
	var parameters []any // of those that ran alone
	f := &gpu.Function{Name: "double", MaxBatch: 3, MaxDelay: time.Minute, Timeout: 200 * time.Millisecond, Run: func(ctx context.Context, batch []*gpu.Request) error {
		if len(batch) > 1 {
			for _, r := range batch {
				r.Parameters, r.Err = nil, hostfuncs.Errorf("sad", "of another attempt")
			}
			return hostfuncs.Errorf("sad", "what one of them has sent")
		}
		parameters = append(parameters, batch[0].Parameters["mood"])
		if len(parameters) == 1 {
			batch[0].Outputs = []gpu.Tensor{batch[0].Inputs[0]}
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}}
	funcs := gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{f}})
	var wg sync.WaitGroup
	var mu sync.Mutex
	codes := map[string]int{}
	for i := range 3 {
		wg.Go(func() {
			err := callDouble(context.Background(), funcs, fmt.Sprint("tenant ", i), "calm", 0) // whose double is itself
			code := ""
			if err != nil {
				code = hostfuncs.ForGuest(err).Code
			}
			mu.Lock()
			defer mu.Unlock()
			codes[code]++
		})
	}
	wg.Wait()
	require.Equal(t, map[string]int{"": 1, hostfuncs.CodeTimeout: 2}, codes)
	require.Equal(t, []any{"calm", "calm"}, parameters, "they are asked what the guest has asked")
}

// TestRequestBytes has a tenant keep the embedder's memory full with requests that wait, run, and were given up.
func TestRequestBytes(t *testing.T) {
	p := newPool(t, gpu.Config{Quota: gpu.Quota{Bytes: 100_000}})
	release := make(chan bool)
	end := sync.OnceFunc(func() { close(release) })
	t.Cleanup(end) // before the pool is closed, which waits for streams
	work := func(context.Context, *gpu.Request) { <-release }
	var came atomic.Int64
	f := &gpu.Function{Name: "f", Key: func(*gpu.Request) string { came.Add(1); return "" }, Run: func(ctx context.Context, batch []*gpu.Request) error { work(ctx, batch[0]); return nil }}
	s := &gpu.Stream{Name: "s", Run: func(ctx context.Context, r *gpu.Request, _ func(gpu.Part) error) error { work(ctx, r); return nil }}
	funcs := gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{f}, Streams: []*gpu.Stream{s}})
	ask := func(ctx context.Context, tenant, host, name string) error {
		i := newInstance(funcs, tenant)
		t.Cleanup(func() { i.handles.Close() })
		_, _, err := i.call(ctx, host, `{"function": "`+name+`", "inputs": [{"name": "x", "datatype": "UINT8", "shape": [30000], "data": %b}]}`, make([]byte, 30_000))
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	for range 2 { // one runs, one waits
		go func() { ended <- ask(ctx, "a", "gpu.call", "f") }()
	}
	require.Eventually(t, func() bool { return came.Load() == 2 }, 10*time.Second, time.Millisecond)
	require.NoError(t, ask(t.Context(), "a", "gpu.stream", "s"))
	requireCode(t, ask(t.Context(), "a", "gpu.stream", "s"), hostfuncs.CodeQuota)
	require.NoError(t, ask(t.Context(), "b", "gpu.stream", "s"), "another tenant has its own")

	cancel()
	require.Error(t, <-ended)
	require.Error(t, <-ended)
	// The one that waited is gone, soon after its caller has heard of it; the one that runs takes no notice.
	require.Eventually(t, func() bool { return ask(t.Context(), "a", "gpu.stream", "s") == nil }, 10*time.Second, time.Millisecond)
	requireCode(t, ask(t.Context(), "a", "gpu.stream", "s"), hostfuncs.CodeQuota)
	end()
	for range 20 {
		require.Eventually(t, func() bool { return ask(t.Context(), "a", "gpu.call", "f") == nil }, 10*time.Second, 5*time.Millisecond)
	}

	_, _, err := newGuest(funcs, "a").call(t.Context(), "gpu.call", `{"function": "f", "parameters": {"x": [`+strings.Repeat("[0],", 500_000)+`0]}}`)
	requireCode(t, err, hostfuncs.CodeTooLarge)
}
