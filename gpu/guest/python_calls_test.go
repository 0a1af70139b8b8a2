package guest_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/snapshot"
)

const keepingPython = `import gpu

db = gpu.constant([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])       # before anything can be called
lazy = done = None

async def first(p):
    global lazy, done
    done = gpu.asarray([1.0, 2.0]) * 2
    await gpu.evaluate_async(done)
    lazy = (db @ done + gpu.asarray([10.0, 20.0, 30.0])).cumulative_sum()

async def next(p):
    global lazy
    r = await gpu.evaluate_async(lazy)
    lazy = lazy + 1
    return r.tolist()

def search(p):
    return (db @ p["q"]).tolist()
`

// TestPythonConstants is TestConstants in Python.
func TestPythonConstants(t *testing.T) {
	other := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	eachWorld(t, func(t *testing.T, w *world) {
		c := w.compile(t, "keeping.py", keepingPython)
		call := func(in *engine.Instance, f string, arg any) (out []any) {
			t.Helper()
			r, err := in.Call(t.Context(), f, arg)
			require.NoError(t, err)
			require.NoError(t, r.Decode(&out))
			return out
		}
		in, err := c.Open(t.Context(), w.options())
		require.NoError(t, err)
		defer in.Close()
		type list = []any
		call(in, "first", nil)
		require.Equal(t, 1, w.count("gpu.eval"))
		require.Zero(t, w.count("gpu.constant"), "it was not used")

		fork, err := in.Fork(t.Context())
		require.NoError(t, err)
		defer fork.Close()
		delta, err := in.Snapshot(t.Context())
		require.NoError(t, err)

		want, want1 := list{12., 36., 72.}, list{13., 37., 73.}
		require.Equal(t, want, call(in, "next", nil))
		require.Equal(t, want1, call(in, "next", nil))
		require.Equal(t, 1, w.count("gpu.constant"), "sent once")
		require.Equal(t, want, call(fork, "next", nil))
		require.Equal(t, 1, w.pool.Stats().Constants, "one for both")

		// Once an instance has used it, its clones need not send it.
		w.reset()
		clone, err := in.Fork(t.Context())
		require.NoError(t, err)
		defer clone.Close()
		query := map[string]any{"q": list{3.5, 4}}
		require.Equal(t, list{3.5, 4., 7.5}, call(clone, "search", query))
		require.Zero(t, w.count("gpu.constant"))

		// The host forgets it: it is sent again, once.
		id := gpu.IDOf(typeOf(t, "float32", []int{3, 2}), floats(1, 0, 0, 1, 1, 1))
		w.pool.For("t").DropConstant(id)
		require.Equal(t, list{3.5, 4., 7.5}, call(clone, "search", query))
		require.Equal(t, 1, w.count("gpu.constant"))
		require.Equal(t, 3, w.count("gpu.eval"))

		// Elsewhere, twice: before it was used, and after.
		used, err := in.Snapshot(t.Context())
		require.NoError(t, err)
		other.reset()
		for _, d := range []struct {
			delta *snapshot.Delta
			want  list
		}{{delta, want}, {used, list{14., 38., 74.}}} {
			there, err := w.engine.Resume(t.Context(), d.delta, other.options())
			require.NoError(t, err)
			require.Equal(t, d.want, call(there, "next", nil))
			require.Equal(t, list{3.5, 4., 7.5}, call(there, "search", query))
			require.NoError(t, there.Close())
			other.pool.For("t").DropConstant(id)
		}
		require.Equal(t, 2, other.count("gpu.constant"))
	})
}

// TestPythonElsewhere has an instance that is suspended while it waits for an evaluation, and goes on in another process, where
// the constant is not known. What it has not evaluated is evaluated there.
func TestPythonElsewhere(t *testing.T) {
	const code = `import gpu

c = gpu.constant([1.0, 2.0, 3.0])
lazy = c + gpu.asarray([0.5, 0.5, 0.5])

async def work(p):
    y = c * p["x"]
    await gpu.evaluate_async(y)
    return [y.sum().item(), *lazy.tolist()]
`
	here := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	e, err := engine.New(engine.Config{Runtimes: allRuntimes(), Isolation: engine.Subprocess, Workers: 1, Limits: patient, CacheDir: cacheDir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	there := newWorld(t, e, gpu.Config{}, gpu.Options{})
	for _, way := range [][2]*world{{here, there}, {there, here}} {
		from, to := way[0], way[1]
		c := from.compile(t, "suspended.py", code)
		require.Equal(t, c.Digest(), to.compile(t, "suspended.py", code).Digest())
		in, err := c.Open(t.Context(), from.options())
		require.NoError(t, err)
		suspended, tell := context.WithCancel(t.Context())
		from.before = func(name string) error {
			if name == "gpu.eval" {
				in.Suspend()
				<-suspended.Done() // the answer must not come first
			}
			return nil
		}
		_, err = in.Call(t.Context(), "work", map[string]any{"x": []float64{1, 1, 2.5}})
		tell()
		from.before = nil
		require.ErrorIs(t, err, engine.ErrSuspended)
		d, err := in.Snapshot(t.Context())
		require.NoError(t, err)
		require.NoError(t, in.Close())

		to.reset()
		on, err := to.engine.Resume(t.Context(), d, to.options())
		require.NoError(t, err)
		pending, err := on.Pending(t.Context())
		require.NoError(t, err)
		require.Len(t, pending, 1)
		require.Equal(t, "gpu.eval", pending[0].Name)
		require.NoError(t, on.Retry(t.Context(), pending[0].Number))
		r, err := on.Continue(t.Context())
		require.NoError(t, err)
		require.JSONEq(t, "[10.5, 1.5, 2.5, 3.5]", r.Text())
		require.Equal(t, 1, to.count("gpu.constant"), "sent again where it was not known")
		require.NoError(t, on.Close())
		to.pool.For("t").DropConstant(gpu.IDOf(typeOf(t, "float32", []int{3}), floats(1, 2, 3)))
		from.pool.For("t").DropConstant(gpu.IDOf(typeOf(t, "float32", []int{3}), floats(1, 2, 3)))
	}
}

// TestPythonSharedConstant has a constant of the embedder's, of which a component knows the name.
func TestPythonSharedConstant(t *testing.T) {
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	id, err := w.pool.ShareConstant(typeOf(t, "float32", []int{2}), floats(5, 6))
	require.NoError(t, err)
	c := w.compile(t, "a.py", `import gpu

def render(p):
    return (gpu.constant(digest=p["digest"], dtype="float32", shape=2) + 1).tolist()
`)
	var out []any
	w.render(t, c, map[string]any{"digest": id.String()}, &out)
	require.Equal(t, []any{6., 7.}, out)
	w.pool.DropShared(id)
	_, err = c.Render(t.Context(), map[string]any{"digest": id.String()}, w.options())
	var ge *engine.GuestError
	require.ErrorAs(t, err, &ge)
	require.Contains(t, ge.Message, "stale_constant: a constant is not here, or of another type")
	require.Zero(t, w.count("gpu.constant"))
}

const callingPython = `import array
import gpu

ARGS = dict(u=bytes([7]), list=[[1.5], [2.5]], texts=["a", "ö"], model="x", n=3, deep={"a": [1]})

def shown(r):
    return {"said": r["said"], "model": r["model"], "n": r["n"], "deep": r["deep"], "lazy": (r["lazy"] + 1).tolist(), "u": [r["u"].dtype, *r["u"].tolist()],
            "texts": r["texts"], "numbers": [r["output4"].typecode, *r["output4"]], "blob": [type(r["blob"][0]).__name__, *r["blob"][0]]}

def functions(p):
    return shown(gpu.call("echo", lazy=gpu.asarray([1.0, 2.0]) * 2, **ARGS))

async def functions_async(p):
    return shown(await gpu.call_async("echo", lazy=gpu.asarray([1.0, 2.0]) * 2, **ARGS))

def parts(p):
    return [v for t in gpu.stream("count", n=p["n"]) for v in (t["text"], t["x"].item())]

async def parts_async(p):
    return [v async for t in gpu.stream("count", n=p["n"]) for v in (t["text"], t["x"].item())]

def early(p):
    for t in gpu.stream("count", n=1000):
        if t["x"].item() == 3:
            return t["text"]

async def early_async(p):
    async for t in gpu.stream("count", n=1000):
        if t["x"].item() == 3:
            return t["text"]

async def sad(p):
    out = []
    try:
        for t in gpu.stream("count", n=2, fail=True):
            out.append(t["text"])
    except gpu.Error as e:
        out += [e.code, e.message, e.line]
    try:
        async for t in gpu.stream("count", n=1, fail=True):
            out.append(t["text"])
    except gpu.Error as e:
        out += [e.code, e.message]
    for f in (lambda: gpu.call("echo", fail=True), lambda: next(gpu.stream("none")), lambda: gpu.call(1), lambda: gpu.call("echo", x=[{}])):
        try:
            f()
        except gpu.Error as e:
            out.append(e.code)
    s = gpu.stream("count", n=1)
    s.close()
    out.append(list(s))
    return out

async def info(p):
    a, b = await gpu.info_async(), gpu.info()
    return [a["backend"], a == b, sorted(a["ops"]) == sorted(n for n in a["ops"]), len(a["ops"])]

held = None

def hold(p):
    global held
    held = gpu.stream("count", n=5)
    return next(held)["text"]

async def drop(p):
    await held.aclose()
`

// TestPythonCalls calls functions and streams of the embedder.
func TestPythonCalls(t *testing.T) {
	ended := make(chan error, 16)
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{Functions: []*gpu.Function{echo()}, Streams: []*gpu.Stream{counter(ended)}})
	c := w.compile(t, "calling.py", callingPython)
	in, err := c.Open(t.Context(), w.options())
	require.NoError(t, err)
	defer in.Close()
	call := func(f string, arg any) string {
		t.Helper()
		r, err := in.Call(t.Context(), f, arg)
		require.NoError(t, err, f)
		return string(r.JSON())
	}
	for _, form := range []string{"", "_async"} {
		require.JSONEq(t, `{"said": ["lazy FP32[2] 0000004000008040", "u UINT8[1] 07", "list FP32[2 1] 0000c03f00002040", "texts BYTES[2] 010000006102000000c3b6"],
			"model": "x", "n": 3, "deep": {"a": [1]}, "lazy": [3, 5], "u": ["uint8", 7], "texts": ["a", "ö"], "numbers": ["H", 1, 258], "blob": ["bytes", 255, 254]}`, call("functions"+form, nil))
		require.JSONEq(t, `["t0", 0, "t1", 1, "t2", 2]`, call("parts"+form, map[string]any{"n": 3}))
		require.JSONEq(t, `[]`, call("parts"+form, map[string]any{"n": 0}))
		require.Zero(t, w.count("gpu.close"))
		require.Equal(t, `"t3"`, call("early"+form, nil))
		require.Equal(t, 1, w.count("gpu.close"), "leaving the loop ends the stream")
		require.Error(t, <-ended)
		w.reset()
	}
	line := strings.Count(callingPython[:strings.Index(callingPython, `n=2, fail`)], "\n") + 1
	require.JSONEq(t, strings.Replace(`["t0", "t1", "sad", "no more", LINE, "t0", "sad", "no more", "sad", "not_granted", "invalid_argument", "invalid_argument", []]`, "LINE", strconv.Itoa(line), 1), call("sad", nil))
	require.JSONEq(t, `["cpu", true, true, 72]`, call("info", nil))

	// A stream that is held keeps the instance from being captured.
	require.Equal(t, `"t0"`, call("hold", nil))
	_, err = in.Snapshot(t.Context())
	require.ErrorIs(t, err, engine.ErrHolds)
	call("drop", nil)
	_, err = in.Snapshot(t.Context())
	require.NoError(t, err)
}
