package engine_test

import (
	"context"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/snapshot"
)

// TestBlockedSaysWhy: while a guest waits in a blocking host call its instance cannot be suspended, and every method
// that would need it says so, and names the function. When the call is over it no longer does.
func TestBlockedSaysWhy(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	wait := func(ctx context.Context, _ struct{}) (struct{}, error) {
		entered <- struct{}{}
		select {
		case <-leave:
		case <-ctx.Done():
		}
		return struct{}{}, ctx.Err()
	}
	grants, err := hostfuncs.NewSet(hostfuncs.New("app.door", "", wait))
	require.NoError(t, err)
	eachCaller(t, &engine.Options{Grants: grants}, func(t *testing.T, in *engine.Instance) {
		methods := map[string]func() error{
			"call":     func() error { _, err := in.Call(t.Context(), "add", nil); return err },
			"continue": func() error { _, err := in.Continue(t.Context()); return err },
			"exec":     func() error { _, err := in.Exec(t.Context(), "cell", "1"); return err },
			"stream":   func() error { _, err := take(in.Stream(t.Context(), "add", nil), nop); return err },
			"fork":     func() error { _, err := in.Fork(t.Context()); return err },
			"park":     func() error { return in.Park(t.Context()) },
			"snapshot": func() error { _, err := in.Snapshot(t.Context()); return err },
			"answer":   func() error { return in.Answer(t.Context(), 1, nil, nil) },
			"retry":    func() error { return in.Retry(t.Context(), 1) },
		}
		for _, function := range []string{"block", "wait"} {
			done := make(chan error, 1)
			go func() { _, err := in.Call(context.Background(), function, props{"name": "app.door"}); done <- err }()
			<-entered
			for name, method := range methods {
				err := method()
				require.ErrorIs(t, err, engine.ErrBusy, name)
				require.Equal(t, function == "block", strings.Contains(err.Error(), "blocking call of app.door"), "%s: %v", name, err)
			}
			leave <- struct{}{}
			require.NoError(t, <-done)
		}
		require.Equal(t, "4", text(t, in, "render", nil), "nothing of it has changed anything")
		_, err := in.Snapshot(t.Context())
		require.NoError(t, err)
	})
}

// TestAnswerBound: an answer that does not fit into what the instance may keep is refused, as its snapshot would be, and
// the call can still be answered.
func TestAnswerBound(t *testing.T) {
	opt := &engine.Options{Grants: askSet(t), Limits: engine.Limits{State: 64 << 10}}
	eachCounter(t, opt, func(t *testing.T, in *engine.Instance) {
		_, err := in.Call(t.Context(), "ask", nil)
		require.ErrorIs(t, err, engine.ErrSuspended)
		list, err := in.Pending(t.Context())
		require.NoError(t, err)
		err = in.Answer(t.Context(), list[0].Number, props{"by": 1, "more": strings.Repeat("x", 100<<10)}, nil)
		require.Equal(t, "State", limitOf(err))
		require.NoError(t, in.Answer(t.Context(), list[0].Number, props{"by": 1, "more": strings.Repeat("x", 10<<10)}, nil))
		d, err := in.Snapshot(t.Context())
		require.NoError(t, err)
		there, err := in.Component().Resume(t.Context(), d, opt)
		require.NoError(t, err)
		defer there.Close()
		r, err := there.Continue(t.Context())
		require.NoError(t, err)
		require.Equal(t, "2", r.Text())
	})
}

// A nosyCloser asks its instance what it knows while that closes it.
type nosyCloser struct{ in *engine.Instance }

func (c nosyCloser) Close() error {
	c.in.Suspend()
	if _, err := c.in.Pending(context.Background()); err != engine.ErrClosed {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// TestCloseLetsGo: what an instance held may use it while it is closed, and options that were refused are not kept.
func TestCloseLetsGo(t *testing.T) {
	var in *engine.Instance
	hold := hostfuncs.New("app.hold", "", func(ctx context.Context, _ struct{}) (hostfuncs.Handle, error) {
		return hostfuncs.Hold(ctx, nosyCloser{in})
	})
	grants, err := hostfuncs.NewSet(hold)
	require.NoError(t, err)
	c := compile(t, shared, "caller.js", callers["caller.js"])
	in, err = c.Open(t.Context(), &engine.Options{Grants: grants})
	require.NoError(t, err)
	text(t, in, "wait", props{"name": "app.hold"})
	d, err := sleeperOf(t, c)
	require.NoError(t, err)
	closed := make(chan error, 1)
	go func() { closed <- in.Close() }()
	select {
	case err := <-closed:
		require.NoError(t, err)
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for itself")
	}

	opt := &engine.Options{Limits: engine.Limits{State: 1 << 10}}
	_, err = c.Resume(t.Context(), d, opt)
	require.Equal(t, "State", limitOf(err))
	kept := weak.Make(opt)
	opt = nil
	require.Eventually(t, func() bool { runtime.GC(); return kept.Value() == nil }, 10*time.Second, time.Millisecond)
	runtime.KeepAlive(c)
}

func sleeperOf(t *testing.T, c *engine.Component) (*snapshot.Delta, error) {
	in, err := c.Open(t.Context(), nil)
	require.NoError(t, err)
	defer in.Close()
	text(t, in, "add", nil)
	return in.Snapshot(t.Context())
}

// TestFunctionOutlivesInstance: a host function that ignores its context and returns when its instance is closed, with
// something that it holds for it, changes nothing, and what it holds is closed.
func TestFunctionOutlivesInstance(t *testing.T) {
	entered, leave, returned := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var closed atomic.Int32
	late := hostfuncs.New("app.late", "", func(ctx context.Context, _ struct{}) (hostfuncs.Handle, error) {
		entered <- struct{}{}
		<-leave
		h, err := hostfuncs.Hold(ctx, closer{&closed})
		returned <- err
		return h, nil // as if it had been able to hold it
	})
	grants, err := hostfuncs.NewSet(late)
	require.NoError(t, err)
	eachCaller(t, &engine.Options{Grants: grants}, func(t *testing.T, in *engine.Instance) {
		for i, function := range []string{"wait", "block"} {
			other, err := in.Fork(t.Context())
			require.NoError(t, err)
			done := make(chan error, 1)
			go func() { _, err := other.Call(context.Background(), function, props{"name": "app.late"}); done <- err }()
			<-entered
			require.NoError(t, other.Close())
			require.ErrorIs(t, <-done, engine.ErrClosed)
			leave <- struct{}{}
			require.Error(t, <-returned)
			require.EqualValues(t, i+1, closed.Load())
			require.Equal(t, strconv.Itoa(i+1), text(t, in, "add", nil))
		}
		e := engine.EngineOf(in.Component())
		require.Eventually(t, func() bool { return e.Stats().Guests == 0 }, 10*time.Second, time.Millisecond)
		closed.Store(0)
	})
}
