package gpu_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
	"github.com/sporeengine/spore/hostfuncs"
)

// guest calls functions as a guest of a tenant does.
type guest struct {
	funcs  map[string]hostfuncs.Func
	tenant string
}

func newGuest(funcs []hostfuncs.Func, tenant string) *guest {
	g := &guest{map[string]hostfuncs.Func{}, tenant}
	for _, f := range funcs {
		g.funcs[f.Name] = f
	}
	return g
}

// call calls a function with an argument of JSON, in which each %b is the next buffer, and returns the members
// of the result and its buffers.
func (g *guest) call(ctx context.Context, name, arg string, buffers ...[]byte) (map[string]any, [][]byte, error) {
	for i := range buffers {
		arg = strings.Replace(arg, "%b", fmt.Sprintf(`{"$bytes":%d}`, i), 1)
	}
	ctx = hostfuncs.WithCaller(ctx, hostfuncs.Caller{Tenant: g.tenant})
	v, err := g.funcs[name].Call(ctx, hostfuncs.Value{JSON: json.RawMessage(arg), Buffers: buffers})
	if err != nil {
		return nil, nil, hostfuncs.ForGuest(err) // nothing else reaches a guest
	}
	var m map[string]any
	return m, v.Buffers, json.Unmarshal(v.JSON, &m)
}

func requireCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *hostfuncs.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, e.Message)
	for _, secret := range []string{"secret", "0x", "/", "toy", "worker", "signal"} {
		require.NotContains(t, e.Message, secret)
	}
}

func TestEvalFunction(t *testing.T) {
	p := newPool(t, gpu.Config{Timeout: 2 * time.Second, Limits: tensor.Limits{Elements: 10_000}})
	g := newGuest(gpu.Functions(p, gpu.Options{MaxBytes: 1 << 20}), "a")
	ctx, x := t.Context(), counting(8, 1)
	const eval = `{"program": %b, "inputs": [%b, %b]}`
	program := square(8).Encode()
	_, out, err := g.call(ctx, "gpu.eval", eval, program, raw(x), make([]byte, 16))
	require.NoError(t, err)
	require.Len(t, out, 1)
	require.Equal(t, float32(12), floats(out[0])[2])

	for name, c := range map[string]struct {
		code    string
		arg     string
		buffers [][]byte
	}{
		"no program":        {hostfuncs.CodeInvalid, `{"inputs": []}`, nil},
		"empty program":     {hostfuncs.CodeInvalid, `{"program": %b}`, [][]byte{{}}},
		"garbage":           {hostfuncs.CodeInvalid, `{"program": %b}`, [][]byte{[]byte("GPX1 and what not, for longer than a header is")}},
		"short input":       {hostfuncs.CodeInvalid, eval, [][]byte{program, {}, make([]byte, 16)}},
		"too few inputs":    {hostfuncs.CodeInvalid, `{"program": %b, "inputs": [%b]}`, [][]byte{program, raw(x)}},
		"too many":          {hostfuncs.CodeInvalid, `{"program": %b, "inputs": [%b, %b, %b]}`, [][]byte{program, raw(x), make([]byte, 16), {}}},
		"over a limit":      {hostfuncs.CodeInvalid, eval, [][]byte{square(10_001).Encode(), raw(counting(10_001, 0)), make([]byte, 16)}},
		"strange constant":  {hostfuncs.CodeInvalid, `{"program": %b, "inputs": [%b], "constants": ["../../etc"]}`, [][]byte{scaled(8).Encode(), raw(x)}},
		"unknown constant":  {gpu.CodeStaleConstant, `{"program": %b, "inputs": [%b], "constants": ["` + strings.Repeat("00", 32) + `"]}`, [][]byte{scaled(8).Encode(), raw(x)}},
		"no constant":       {hostfuncs.CodeInvalid, `{"program": %b, "inputs": [%b]}`, [][]byte{scaled(8).Encode(), raw(x)}},
		"refused by the op": {hostfuncs.CodeInvalid, eval, [][]byte{program, raw(x), {doRefuse, 15: 0}}},
		"no memory":         {gpu.CodeExhausted, eval, [][]byte{program, raw(x), {doMemory, 15: 0}}},
		"worker dies":       {gpu.CodeUnavailable, eval, [][]byte{program, raw(x), {doPanic, 15: 0}}},
		"worker waits":      {hostfuncs.CodeTimeout, eval, [][]byte{program, raw(x), {doWait, 15: 0}}},
	} {
		_, _, err := g.call(ctx, "gpu.eval", c.arg, c.buffers...)
		t.Run(name, func(t *testing.T) { requireCode(t, err, c.code) })
	}
	_, _, err = g.call(ctx, "gpu.eval", eval, program, raw(x), []byte{doRefuse, 15: 0})
	require.ErrorContains(t, err, "node 1")
	_, _, err = g.call(ctx, "gpu.eval", eval, program, raw(x), make([]byte, 16))
	require.NoError(t, err, "after all that")

	// The embedder learns more.
	v := hostfuncs.Value{JSON: json.RawMessage(`{"program": {"$bytes": 0}, "inputs": [{"$bytes": 1}, {"$bytes": 2}]}`), Buffers: [][]byte{program, raw(x), {doPanic, 15: 0}}}
	_, err = g.funcs["gpu.eval"].Call(ctx, v)
	var lost *gpu.WorkerError
	require.ErrorAs(t, err, &lost)
	require.Contains(t, lost.Reason, "a bug in the backend")
}

// TestTenants has one tenant try to get at what another has.
func TestTenants(t *testing.T) {
	p := newPool(t, gpu.Config{Quota: gpu.Quota{Constants: 10_000}})
	funcs := gpu.Functions(p, gpu.Options{})
	a, b := newGuest(funcs, "a"), newGuest(funcs, "b")
	ctx, c := t.Context(), counting(8, 100)
	const put = `{"dtype": "float32", "shape": [8], "data": %b}`
	m, _, err := a.call(ctx, "gpu.constant", put, raw(c))
	require.NoError(t, err)
	digest := m["digest"].(string)
	eval := `{"program": %b, "inputs": [%b], "constants": ["` + digest + `"]}`
	_, out, err := a.call(ctx, "gpu.eval", eval, scaled(8).Encode(), raw(counting(8, 1)))
	require.NoError(t, err)
	require.Equal(t, float32(202), floats(out[0])[1])

	// A digest is no right.
	_, _, err = b.call(ctx, "gpu.eval", eval, scaled(8).Encode(), raw(counting(8, 1)))
	requireCode(t, err, gpu.CodeStaleConstant)
	_, _, err = b.call(ctx, "gpu.constant", `{"digest": "`+digest+`"}`)
	requireCode(t, err, gpu.CodeStaleConstant)
	_, _, err = a.call(ctx, "gpu.constant", `{"digest": "`+digest+`"}`)
	require.NoError(t, err)

	// Nor can other contents be put under it.
	_, _, err = b.call(ctx, "gpu.constant", `{"digest": "`+digest+`", "dtype": "float32", "shape": [8], "data": %b}`, raw(counting(8, 66)))
	requireCode(t, err, hostfuncs.CodeInvalid)
	// With the same type but for the shape it is another constant.
	m, _, err = b.call(ctx, "gpu.constant", `{"dtype": "float32", "shape": [2, 4], "data": %b}`, raw(c))
	require.NoError(t, err)
	require.NotEqual(t, digest, m["digest"])
	// Who has the contents may have the constant, of which there is still one.
	_, _, err = b.call(ctx, "gpu.constant", put, raw(c))
	require.NoError(t, err)
	require.Equal(t, 2, p.Stats().Constants)

	// What is dropped cannot be named again.
	id := gpu.IDOf(tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{8}}, raw(c))
	p.For("a").DropConstant(id)
	_, _, err = a.call(ctx, "gpu.eval", eval, scaled(8).Encode(), raw(counting(8, 1)))
	requireCode(t, err, gpu.CodeStaleConstant)
	_, _, err = b.call(ctx, "gpu.eval", eval, scaled(8).Encode(), raw(counting(8, 1)))
	require.NoError(t, err)

	// No name makes a tenant's constants those of all.
	for _, name := range []string{"", "shared", "\x00shared"} {
		require.NoError(t, p.For(name).PutConstant(ctx, id, tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{8}}, raw(c)))
		require.ErrorIs(t, scale(ctx, p.For("c"), id, c, counting(8, 1)), gpu.ErrConstant, name)
		p.For(name).DropConstant(id)
	}

	// The quota: what was used least recently goes.
	for i := range 40 {
		_, _, err = b.call(ctx, "gpu.constant", put, raw(counting(8, float32(i))))
		require.NoError(t, err)
	}
	require.LessOrEqual(t, p.Stats().ConstantBytes, int64(10_000))
	_, _, err = b.call(ctx, "gpu.eval", eval, scaled(8).Encode(), raw(counting(8, 1)))
	requireCode(t, err, gpu.CodeStaleConstant)
	_, _, err = b.call(ctx, "gpu.constant", `{"dtype": "float32", "shape": [2501], "data": %b}`, raw(counting(2501, 0)))
	requireCode(t, err, hostfuncs.CodeQuota)

	shared, err := p.ShareConstant(tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{8}}, raw(counting(8, -5)))
	require.NoError(t, err)
	require.NoError(t, scale(ctx, p.For("anybody"), shared, counting(8, -5), counting(8, 9)))
	p.DropShared(shared)
	require.ErrorIs(t, scale(ctx, p.For("anybody"), shared, counting(8, -5), counting(8, 9)), gpu.ErrConstant)
}

func TestConstantArguments(t *testing.T) {
	p := newPool(t, gpu.Config{})
	g := newGuest(gpu.Functions(p, gpu.Options{}), "a")
	for _, arg := range []string{
		`{}`, `{"digest": "zz"}`, `{"dtype": "float33", "shape": [1], "data": %b}`, `{"dtype": "float32", "shape": [-1], "data": %b}`,
		`{"dtype": "float32", "shape": [2], "data": %b}`, `{"dtype": "float32", "shape": [4294967296, 4294967296, 4294967296], "data": %b}`,
		`{"dtype": "float32", "shape": [` + strings.Repeat("1,", 40) + `1], "data": %b}`,
	} {
		var buffers [][]byte
		if strings.Contains(arg, "%b") {
			buffers = [][]byte{{1, 2, 3, 4}}
		}
		_, _, err := g.call(t.Context(), "gpu.constant", arg, buffers...)
		requireCode(t, err, hostfuncs.CodeInvalid)
	}
	require.Zero(t, p.Stats().Starts, "nothing of this needs a worker")
}

// TestResumed has a digest that a guest brought from another process.
func TestResumed(t *testing.T) {
	c := counting(8, 3)
	kind := tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{8}}
	id := gpu.IDOf(kind, raw(c))
	asked := 0
	p := newPool(t, gpu.Config{FetchConstant: func(_ context.Context, tenant string, want gpu.ConstantID) (tensor.Type, []byte, error) {
		asked++
		switch {
		case tenant == "a" && want == id:
			return kind, raw(c), nil
		case tenant == "b":
			return kind, raw(counting(8, 4)), nil // not what was asked for
		}
		return tensor.Type{}, nil, errors.New("not in the /secret store")
	}})
	funcs := gpu.Functions(p, gpu.Options{})
	arg := `{"digest": "` + id.String() + `"}`
	for range 2 {
		_, _, err := newGuest(funcs, "a").call(t.Context(), "gpu.constant", arg)
		require.NoError(t, err)
	}
	require.Equal(t, 1, asked)
	require.NoError(t, scale(t.Context(), p.For("a"), id, c, counting(8, 1)))
	for _, tenant := range []string{"b", "c"} {
		_, _, err := newGuest(funcs, tenant).call(t.Context(), "gpu.constant", arg)
		requireCode(t, err, gpu.CodeStaleConstant)
		require.ErrorIs(t, scale(t.Context(), p.For(tenant), id, c, counting(8, 1)), gpu.ErrConstant)
	}
}

// TestConstantsOfNoUse names more constants than the program has, for each of which the embedder would be asked.
func TestConstantsOfNoUse(t *testing.T) {
	asked := 0
	p := newPool(t, gpu.Config{Timeout: 100 * time.Millisecond, FetchConstant: func(ctx context.Context, _ string, _ gpu.ConstantID) (tensor.Type, []byte, error) {
		asked++
		<-ctx.Done()
		return tensor.Type{}, nil, ctx.Err()
	}})
	g := newGuest(gpu.Functions(p, gpu.Options{}), "a")
	digest := `"` + gpu.ConstantID{}.String() + `"`
	_, _, err := g.call(t.Context(), "gpu.eval", `{"program": %b, "inputs": [%b], "constants": [`+strings.Repeat(digest+", ", 1000)+digest+`]}`,
		scaled(8).Encode(), raw(counting(8, 1)))
	requireCode(t, err, hostfuncs.CodeInvalid)
	require.Zero(t, asked)

	// It does not take longer than a call may.
	require.Error(t, scale(context.Background(), p.For("a"), gpu.ConstantID{}, counting(8, 1), counting(8, 1)))
	require.Equal(t, 1, asked)
}

func TestInfoFunction(t *testing.T) {
	p := newPool(t, gpu.Config{})
	f := &gpu.Function{Name: "embed", Doc: "Embeds.", Run: func(context.Context, []*gpu.Request) error { return nil }}
	funcs := gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{f}})
	m, _, err := newGuest(funcs, "a").call(t.Context(), "gpu.info", `{}`)
	require.NoError(t, err)
	require.Equal(t, "toy", m["backend"])
	require.Contains(t, m["ops"], "multiply")
	require.Equal(t, []any{map[string]any{"name": "embed", "doc": "Embeds."}}, m["functions"])
	require.Equal(t, float64(tensor.DefaultNodes), m["limits"].(map[string]any)["nodes"])
	require.Panics(t, func() { gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{f, f}}) })
	_, err = hostfuncs.NewSet(funcs...)
	require.NoError(t, err)
	require.NoError(t, p.Close())
	_, _, err = newGuest(funcs, "a").call(t.Context(), "gpu.info", `{}`)
	requireCode(t, err, gpu.CodeUnavailable)
}

// TestQuotas has a tenant with too much in progress, beside one with one call.
func TestQuotas(t *testing.T) {
	p := newPool(t, gpu.Config{InFlight: 4, Quota: gpu.Quota{Calls: 2, Queue: 3}})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() { _ = try(ctx, p.For("greedy"), counting(4, 0), doWait) })
	}
	require.Eventually(t, func() bool { s := p.Stats(); return s.Running == 2 && s.Waiting == 3 }, 10*time.Second, time.Millisecond)
	require.ErrorIs(t, try(t.Context(), p.For("greedy"), counting(4, 0)), gpu.ErrQuota)
	require.NoError(t, try(t.Context(), p.For("modest"), counting(4, 0)))
	cancel()
	wg.Wait()
	require.NoError(t, try(t.Context(), p.For("greedy"), counting(4, 0)))
	require.Equal(t, int64(1), p.Stats().Refused)
}
