package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
)

// BenchmarkHostCall measures a call of a host function that does nothing, from the
// guest's call to the value it gets: the time of a render with many such calls
// less that of the same loop around a function of the guest.
func BenchmarkHostCall(b *testing.B) {
	grants, err := hostfuncs.NewSet(
		hostfuncs.New("app.nothing", "", func(context.Context, struct{}) (int, error) { return 1, nil }),
		hostfuncs.Raw("app.raw", "", func(_ context.Context, v hostfuncs.Value) (hostfuncs.Value, error) { return v, nil }),
	)
	if err != nil {
		b.Fatal(err)
	}
	for f := range grants.All() {
		f.Name, f.Quick = f.Name+"_quick", true
		if grants, err = grants.With(f); err != nil {
			b.Fatal(err)
		}
	}
	const calls = 2000
	for _, mode := range []engine.Isolation{engine.InProcess, engine.Subprocess} {
		e := newEngine(b, engine.Config{Isolation: mode, Limits: engine.Limits{HostCalls: 1e6, CallTime: time.Minute}})
		for name, code := range map[string]string{
			"calls.js": `import { call, callSync } from "spore";
const own = (name, arg) => ({ ...arg });
export async function render({ n, f, how }) {
	if (how == "await") for (let i = 0; i < n; i++) await call(f, {});
	else if (how == "sync") for (let i = 0; i < n; i++) callSync(f, {});
	else for (let i = 0; i < n; i++) own(f, {});
}`,
			"calls.py": `import spore
def own(name, arg): return {**arg}
async def render(p):
    n, f, how = p["n"], p["f"], p["how"]
    if how == "await":
        for _ in range(n): await spore.call(f, {})
    elif how == "sync":
        for _ in range(n): spore.call_sync(f, {})
    else:
        for _ in range(n): own(f, {})`,
		} {
			c := compile(b, e, name, code)
			run := func(f, how string) time.Duration {
				begin := time.Now()
				render(b, c, map[string]any{"n": calls, "f": f, "how": how}, &engine.Options{Grants: grants})
				return time.Since(begin)
			}
			for _, f := range []string{"app.nothing", "app.nothing_quick", "app.raw_quick"} {
				for _, how := range []string{"sync", "await"} {
					b.Run(map[engine.Isolation]string{engine.InProcess: "inprocess", engine.Subprocess: "subprocess"}[mode]+"/"+name[6:]+"/"+f+"/"+how, func(b *testing.B) {
						best, floor := time.Hour, time.Hour
						for b.Loop() {
							best, floor = min(best, run(f, how)), min(floor, run(f, "own"))
						}
						b.ReportMetric(float64(best-floor)/calls/1e3, "µs/call")
						b.ReportMetric(0, "ns/op")
					})
				}
			}
		}
	}
}
