package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
)

// A panicHandler panics when a component prints "panic".
type panicHandler struct{ slog.Handler }

func (panicHandler) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "text" && strings.Contains(a.Value.String(), "panic") {
			panic("console")
		}
		return true
	})
	return nil
}

func (panicHandler) Enabled(context.Context, slog.Level) bool { return true }

// TestConsolePanics: a panic of what the embedder gave a call comes to him, takes the call back like
// any other that did not end, and leaves nothing behind.
func TestConsolePanics(t *testing.T) {
	sources := map[string]string{
		"panics.js": `import { call } from "spore";
let n = 0;
export const render = () => n;
export const add = async p => { await call("app.mark", { n: ++n }); if (p.print) console.log(p.print); if (p.more) console.log("more"); return n };`,
		"panics.py": `import spore, sys
n = 0
def render(): return n
async def add(p):
    global n
    n += 1
    await spore.call("app.mark", {"n": n})
    if p.get("print"): print(p["print"], end="\n" if p.get("more") else "")
    return n`,
	}
	var mu sync.Mutex
	keys := map[string]int{}
	mark := hostfuncs.New("app.mark", "", func(ctx context.Context, in struct {
		N int `json:"n"`
	}) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		keys[hostfuncs.CallerOf(ctx).Key]++
		return 0, nil
	})
	grants, err := hostfuncs.NewSet(mark)
	require.NoError(t, err)
	opt := &engine.Options{Grants: grants, Console: slog.New(panicHandler{})}
	eachOf(t, sources, opt, func(t *testing.T, in *engine.Instance) {
		e := engine.EngineOf(in.Component())
		clear(keys)
		require.Equal(t, "1", text(t, in, "add", props{}))
		for _, more := range []bool{false, true} {
			what := func() (what any) {
				defer func() {
					if p := recover(); p != nil {
						what = p
					}
				}()
				_, err := in.Call(t.Context(), "add", props{"print": "panic", "more": more})
				return err
			}()
			require.Contains(t, fmt.Sprint(what), "console", "a panic of the handler's, or an error that says so")
		}
		require.Equal(t, "1", text(t, in, "render", nil), "taken back")
		require.Equal(t, "2", text(t, in, "add", props{"print": "fine"}))
		require.Len(t, keys, 4, "each call that was made has a key of its own")
		require.Eventually(t, func() bool { return e.Stats().Guests == 0 }, 5*time.Second, time.Millisecond)
	})
}

// A panicTracer panics when a host call ends.
type panicTracer struct{}

func (panicTracer) Begin(ctx context.Context, op engine.Op) (context.Context, func(engine.Outcome)) {
	return ctx, func(engine.Outcome) {
		if op.Kind == engine.OpHostCall {
			panic("tracer")
		}
	}
}

// TestWatchersPanic: a panic of an audit hook or a tracer, which run on the goroutine of a host call, is logged.
func TestWatchersPanic(t *testing.T) {
	var log lockedBuffer
	for _, isolation := range []engine.Isolation{engine.InProcess, engine.Subprocess} {
		e := newEngine(t, engine.Config{Tracer: panicTracer{}, Log: slog.New(slog.NewTextHandler(&log, nil)), Isolation: isolation})
		one := hostfuncs.New("app.one", "", func(context.Context, struct{}) (int, error) { return 1, nil })
		quick := one
		quick.Name, quick.Quick = "app.quick", true
		grants, err := hostfuncs.NewSet(one, quick)
		require.NoError(t, err)
		const js = `import { call, callSync } from "spore";
export async function render() {
	const none = await call("app.none", {}).catch(e => e.code);
	return [await call("app.one", {}), callSync("app.one", {}), await call("app.quick", {}), none].join();
}`
		calls := 0
		var mu sync.Mutex
		got := render(t, compile(t, e, "a.js", js), nil, &engine.Options{Grants: grants, Audit: func(engine.HostCall) {
			mu.Lock()
			defer mu.Unlock()
			calls++
			panic("audit")
		}})
		require.Equal(t, "1,1,1,not_granted", got)
		require.Equal(t, 4, calls)
	}
	require.Equal(t, 8, strings.Count(log.String(), "spore: tracer panicked"))
	require.Equal(t, 8, strings.Count(log.String(), "spore: audit panicked"))
}
