package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/snapshot"
)

// A recorder is a tracer that notes operations. It is safe for concurrent use.
type recorder struct {
	mu   sync.Mutex
	list []*traced // in the order in which they began; guarded by mu
}

type traced struct {
	engine.Op
	engine.Outcome
	parent *traced // in which it is
	ends   int     // how often it has ended
}

type tracedKey struct{}

func (r *recorder) Begin(ctx context.Context, op engine.Op) (context.Context, func(engine.Outcome)) {
	t := &traced{Op: op}
	t.parent, _ = ctx.Value(tracedKey{}).(*traced)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, t)
	return context.WithValue(ctx, tracedKey{}, t), func(o engine.Outcome) {
		r.mu.Lock()
		defer r.mu.Unlock()
		t.Outcome = o
		t.ends++
	}
}

// take returns what was noted, and forgets it. Every operation must have ended once.
func (r *recorder) take(t *testing.T) []*traced {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, op := range r.list {
		require.Equal(t, 1, op.ends, "%v %s", op.Kind, op.Name)
	}
	list := r.list
	r.list = nil
	return list
}

// kinds returns a line of what there is in list.
func kinds(list []*traced) string {
	var words []string
	for _, op := range list {
		word := op.Kind.String()
		if op.Name != "" {
			word += ":" + op.Name
		}
		if class := engine.ErrorClass(op.Err); class != "" {
			word += "=" + class
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// traceModes runs f with an engine of each isolation mode that has a tracer.
func traceModes(t *testing.T, f func(t *testing.T, e *engine.Engine, r *recorder)) {
	for _, mode := range []engine.Isolation{engine.InProcess, engine.Subprocess} {
		t.Run(mode.String(), func(t *testing.T) {
			r := &recorder{}
			f(t, newEngine(t, engine.Config{Isolation: mode, Tracer: r}), r)
		})
	}
}

const tracedSource = `import { call, blocking } from "spore";
export const render = async p => {
	const list = await Promise.all([call("app.up", { s: "a" }), call("app.up", { s: "b" })]);
	try { await call("app.none" + Math.random(), {}); } catch {}
	return list.map(v => v.s).join("");
};
export const fail = () => { throw new Error("no"); };
export const spin = () => { for (;;); };
export const ask = async () => (await call("app.ask", {})).s;
let n = 0;
export const add = () => ++n;`

type upper struct {
	S string `json:"s"`
}

func TestTracerSeesARender(t *testing.T) {
	traceModes(t, func(t *testing.T, e *engine.Engine, r *recorder) {
		var seen []*traced // in which the host functions ran
		var mu sync.Mutex
		grants, err := hostfuncs.NewSet(hostfuncs.New("app.up", "", func(ctx context.Context, u upper) (upper, error) {
			mu.Lock()
			defer mu.Unlock()
			in, _ := ctx.Value(tracedKey{}).(*traced)
			seen = append(seen, in)
			return upper{strings.ToUpper(u.S)}, nil
		}))
		require.NoError(t, err)
		ctx := t.Context()
		c, err := e.Compile(ctx, engine.Source{Name: "a.js", Code: []byte(tracedSource), Tenant: "author"})
		require.NoError(t, err)
		defer c.Close()
		list := r.take(t)
		require.Equal(t, "compile", kinds(list))
		require.Equal(t, engine.Op{Kind: engine.OpCompile, Tenant: "author", Language: "javascript", Component: "a.js"}, list[0].Op)
		require.Same(t, c, list[0].Outcome.Component)
		require.Positive(t, list[0].Usage.Fuel)

		res, err := c.Render(ctx, nil, &engine.Options{Tenant: "caller", Grants: grants})
		require.NoError(t, err)
		require.Equal(t, "AB", res.Text())
		list = r.take(t)
		require.Equal(t, "render:render host_call:app.up host_call:app.up host_call=host.not_granted", kinds(list), "what a guest made up is no name")
		top := list[0]
		require.Equal(t, engine.Op{Kind: engine.OpRender, Tenant: "caller", Language: "javascript", Component: "a.js", Digest: c.Digest(), Name: "render"}, top.Op)
		require.Equal(t, res.Usage, top.Usage)
		require.EqualValues(t, 3, res.Usage.HostCalls)
		require.Zero(t, res.Usage.State)
		for i, call := range list[1:] {
			require.Same(t, top, call.parent)
			require.Equal(t, "caller", call.Tenant)
			require.Equal(t, c.Digest(), call.Digest)
			require.EqualValues(t, i+1, call.Number)
			require.Positive(t, call.Usage.Output)
		}
		require.ElementsMatch(t, list[1:3], seen, "host functions get the context of their own operations")

		for name, want := range map[string]string{"fail": "call:fail=guest.error", "spin": "call:spin=limit.CallTime", "none": "call:none=guest.missing"} {
			in, err := c.Open(ctx, &engine.Options{Limits: engine.Limits{CallTime: 300 * time.Millisecond}})
			require.NoError(t, err)
			_, err = in.Call(ctx, name, nil)
			require.Error(t, err)
			require.NoError(t, in.Close())
			list = r.take(t)
			require.Equal(t, "open "+want, kinds(list))
			require.Equal(t, in.ID(), list[1].Op.Instance)
			require.Positive(t, list[1].Usage.Fuel, "what failed has cost something too")
		}
		_, err = e.Compile(ctx, engine.Source{Name: "bad.js", Code: []byte("(")})
		require.Error(t, err)
		list = r.take(t)
		require.Equal(t, "compile=source", kinds(list))
		require.Nil(t, list[0].Outcome.Component)
	})
}

func TestTracerSeesAnInstance(t *testing.T) {
	traceModes(t, func(t *testing.T, e *engine.Engine, r *recorder) {
		grants, err := hostfuncs.NewSet(hostfuncs.New("app.ask", "", func(context.Context, struct{}) (upper, error) { return upper{}, hostfuncs.ErrLater }))
		require.NoError(t, err)
		opt := &engine.Options{Tenant: "caller", Grants: grants}
		ctx := t.Context()
		c := compile(t, e, "a.js", tracedSource)
		in, err := c.Open(ctx, opt)
		require.NoError(t, err)
		_, err = in.Call(ctx, "ask", nil)
		require.ErrorIs(t, err, engine.ErrSuspended)
		list := r.take(t)
		require.Equal(t, "compile open call:ask=suspended host_call:app.ask=suspended", kinds(list))
		require.False(t, list[2].Failed() || list[3].Failed())
		require.Equal(t, in.ID()+".0.1", list[3].Key)
		require.Equal(t, in.ID(), list[3].Op.Instance)
		first := list[2].Usage

		fork, err := in.Fork(ctx)
		require.NoError(t, err)
		d, err := in.Snapshot(ctx)
		require.NoError(t, err)
		require.NoError(t, in.Close())
		again, err := e.Resume(ctx, d, opt)
		require.NoError(t, err)
		require.NoError(t, again.Answer(ctx, 1, upper{"yes"}, nil))
		res, err := again.Continue(ctx)
		require.NoError(t, err)
		require.Equal(t, "yes", res.Text())
		list = r.take(t)
		require.Equal(t, "fork snapshot resume continue", kinds(list))
		require.Same(t, fork, list[0].Outcome.Instance)
		require.Same(t, again, list[2].Outcome.Instance)
		second := list[3].Usage
		require.EqualValues(t, 1, first.HostCalls)
		require.Zero(t, second.HostCalls, "it was made in the first part")
		require.EqualValues(t, 1, res.Usage.HostCalls)
		require.Equal(t, res.Usage.Fuel, first.Fuel+second.Fuel, "parts add up to the whole")
		require.Positive(t, second.Fuel)
		require.Positive(t, res.Usage.State)

		for range again.Stream(ctx, "add", nil) {
		}
		again.Exec(ctx, "cell 1", "n")
		require.NoError(t, again.Park(ctx))
		list = r.take(t)
		require.Equal(t, engine.OpPark, list[len(list)-1].Kind)
		require.Equal(t, engine.OpStream, list[0].Kind)
		require.Equal(t, engine.OpExec, list[1].Kind)
		require.Equal(t, "spore.exec", list[1].Name)
		require.NoError(t, again.Close())
		require.NoError(t, fork.Close())
		_, err = again.Call(ctx, "add", nil)
		require.ErrorIs(t, err, engine.ErrClosed)
		require.Empty(t, r.take(t), "what is refused at once is no operation")
	})
}

func TestTracerSeesFetching(t *testing.T) {
	c := compile(t, shared, "a.js", tracedSource)
	in, err := c.Open(t.Context(), nil)
	require.NoError(t, err)
	defer in.Close()
	d, err := in.Snapshot(t.Context())
	require.NoError(t, err)
	image, err := c.Snapshot(t.Context())
	require.NoError(t, err)
	r := &recorder{}
	e := newEngine(t, engine.Config{Tracer: r, Fetch: func(context.Context, snapshot.Digest) (*snapshot.Snapshot, error) { return image, nil }})
	_, err = e.Resume(t.Context(), d, nil)
	require.NoError(t, err)
	list := r.take(t)
	require.Equal(t, "resume load", kinds(list))
	require.Same(t, list[0], list[1].parent)
	require.Equal(t, c.Digest(), list[0].Digest)
	require.Equal(t, c.Digest(), list[1].Outcome.Component.Digest())
}

func TestTracerSeesTidying(t *testing.T) {
	r := &recorder{}
	e := newEngine(t, engine.Config{Tracer: r, Parking: engine.Parking{CompressAfter: time.Millisecond}})
	c := compile(t, e, "a.js", tracedSource)
	in, err := c.Open(t.Context(), nil)
	require.NoError(t, err)
	defer in.Close()
	text(t, in, "add", nil)
	require.Eventually(t, func() bool { return e.Stats().Packed == 1 }, 10*time.Second, time.Millisecond)
	require.NoError(t, e.Close())
	list := r.take(t)
	i := slices.IndexFunc(list, func(op *traced) bool { return op.Kind == engine.OpTidy && op.Moved == 1 })
	require.GreaterOrEqual(t, i, 0, "%s", kinds(list))
}

func TestTracers(t *testing.T) {
	var order []string
	named := func(name string) engine.Tracer {
		return tracerFunc(func(ctx context.Context, op engine.Op) (context.Context, func(engine.Outcome)) {
			order = append(order, name)
			return context.WithValue(ctx, tracedKey{}, name), func(engine.Outcome) { order = append(order, "/"+name) }
		})
	}
	ctx, end := engine.Tracers(named("a"), named("b")).Begin(t.Context(), engine.Op{})
	end(engine.Outcome{})
	require.Equal(t, []string{"a", "b", "/b", "/a"}, order)
	require.Equal(t, "b", ctx.Value(tracedKey{}))
}

type tracerFunc func(context.Context, engine.Op) (context.Context, func(engine.Outcome))

func (f tracerFunc) Begin(ctx context.Context, op engine.Op) (context.Context, func(engine.Outcome)) {
	return f(ctx, op)
}

func TestErrorClass(t *testing.T) {
	for want, err := range map[string]error{
		"":               nil,
		"limit.Fuel":     &engine.LimitError{Limit: "Fuel"},
		"limit.Stack":    fmt.Errorf("wrapped: %w", &engine.LimitError{Limit: "Stack"}),
		"limit":          &engine.LimitError{Limit: "what a worker process that was taken over says"},
		"guest.trap":     &engine.GuestError{Kind: engine.KindTrap},
		"source":         &engine.SourceError{},
		"worker":         &engine.WorkerError{},
		"host.not_found": hostfuncs.Errorf("not_found", "no"),
		"suspended":      engine.ErrSuspended,
		"interrupted":    fmt.Errorf("stopped: %w", context.Canceled),
		"mismatch":       engine.ErrInstance,
		"closed":         engine.ErrClosed,
		"other":          errors.New("something"),
	} {
		require.Equal(t, want, engine.ErrorClass(err))
	}
	require.Equal(t, "unknown", engine.OpKind(200).String())
}
