package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
)

// tenantMark begins the secrets of the tenants beside a hostile guest. The
// programs that search their memory search for it, in parts, so that they do
// not find themselves.
const tenantMark = "TENANT-" + "SECRET-"

// A watch is what must not notice a hostile guest: a goroutine that allocates
// and wakes every millisecond, the garbage collector, and a tenant of each
// language.
type watch struct {
	stop chan struct{}
	wg   sync.WaitGroup

	mu      sync.Mutex
	stall   time.Duration   // longest delay of the heartbeat since lap; guarded by mu
	renders []time.Duration // of the tenants; guarded by mu
	wrong   []string        // wrong answers of the tenants; guarded by mu
}

func startWatch(t *testing.T, e *engine.Engine) *watch {
	t.Helper()
	tenants := []*engine.Component{
		compile(t, e, "tenant.js", `let seen = null;
			export function render({ n, secret }) { if (seen) return "leak"; seen = secret; return [1, 2, 3].map(x => x * n).join() + JSON.stringify({ secret }) }`),
		compile(t, e, "tenant.py", `import json
seen = None
def render(p):
    global seen
    if seen: return "leak"
    seen = p["secret"]
    return ",".join(str(x * p["n"]) for x in [1, 2, 3]) + json.dumps({"secret": seen}, separators=(",", ":"))`),
	}
	w := &watch{stop: make(chan struct{})}
	w.wg.Go(w.beat)
	w.wg.Go(func() {
		for w.sleep(20 * time.Millisecond) {
			runtime.GC()
		}
	})
	for i, c := range tenants {
		w.wg.Go(func() { w.tenant(c, rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	return w
}

// sleep reports whether the watch goes on.
func (w *watch) sleep(d time.Duration) bool {
	select {
	case <-w.stop:
		return false
	case <-time.After(d):
		return true
	}
}

func (w *watch) beat() {
	var garbage [][]byte
	for last := time.Now(); ; {
		if !w.sleep(time.Millisecond) {
			return
		}
		garbage = append(garbage, make([]byte, 8<<10))
		if len(garbage) == 128 {
			garbage = nil
		}
		now := time.Now()
		w.mu.Lock()
		w.stall = max(w.stall, now.Sub(last)-time.Millisecond)
		w.mu.Unlock()
		last = now
	}
}

func (w *watch) tenant(c *engine.Component, r *rand.Rand) {
	for w.sleep(2 * time.Millisecond) {
		n, secret := r.IntN(1000), fmt.Sprintf("%s%016x", tenantMark, r.Uint64())
		begin := time.Now()
		res, err := c.Render(context.Background(), map[string]any{"n": n, "secret": secret}, nil)
		took := time.Since(begin)
		got, want := fmt.Sprint(err), fmt.Sprintf(`%d,%d,%d{"secret":"%s"}`, n, 2*n, 3*n, secret)
		if err == nil {
			got = res.Text()
		}
		w.mu.Lock()
		w.renders = append(w.renders, took)
		if got != want {
			w.wrong = append(w.wrong, fmt.Sprintf("%s: got %s, want %s", c.Name(), clip(got), want))
		}
		w.mu.Unlock()
	}
}

// lap returns the longest stall and the wrong answers since the last lap.
func (w *watch) lap() (stall time.Duration, wrong []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	stall, wrong = w.stall, w.wrong
	w.stall, w.wrong = 0, nil
	return stall, wrong
}

// end stops the watch and returns how long the tenants' renders took.
func (w *watch) end() []time.Duration {
	close(w.stop)
	w.wg.Wait()
	return w.renders
}

// spread describes a distribution.
func spread(d []time.Duration) string {
	if len(d) == 0 {
		return "none"
	}
	d = slices.Clone(d)
	slices.Sort(d)
	at := func(p int) time.Duration { return d[(len(d)-1)*p/100].Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %v, p99 %v, worst %v (of %d)", at(50), at(99), at(100), len(d))
}
