package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
	"github.com/sporeengine/spore/snapshot"
)

const sessionsTitle = "# Instances, parked and awake\n\nWritten by `make bench-sessions` (`cd engine/bench && go run . -sessions 1000000 -o ../SESSIONS.md`); do not edit. "

const sessionsMethod = `One program made all of this in one run, with Go's default settings of the garbage collector.

- The component is a counter with a host call, in each language (engine/bench/sessions.go). Every result of every call
  is compared with what the counter must be at, and a wrong one ends the program.
- Times are wall clock around the public method. p50 and p99 are nearest ranks: values that were measured.
- A call of an instance wakes it, runs it and parks it again; nothing of that is left out. Its floor is a render of the
  same component, which starts from the image and leaves nothing.
- Memory is what the system counts for the whole process: anonymous memory, and shared memory for images.
`

// A sessionSubject is a component with a state.
type sessionSubject struct {
	name, file, code string
}

var sessionSubjects = []sessionSubject{
	{"JavaScript", "counter.js", `import { call, callSync } from "spore";
let n = 0;
export const render = () => n;
export const add = () => ++n;
export const wait = async () => { await call("app.wait", {}); return ++n; };
export const all = async p => { await Promise.all(Array.from({ length: p.n }, () => call("app.slow", {}))); return ++n; };
const own = arg => ({ ...arg });
export const loop = async p => {
	if (p.how == "await") for (let i = 0; i < p.n; i++) await call("app.nothing", {});
	else if (p.how == "sync") for (let i = 0; i < p.n; i++) callSync("app.nothing", {});
	else for (let i = 0; i < p.n; i++) own({});
	return 0;
};`},
	{"Python", "counter.py", `import asyncio, spore
n = 0
def render(): return n
def add():
    global n
    n += 1
    return n
async def wait():
    global n
    await spore.call("app.wait", {})
    n += 1
    return n
async def all(p):
    global n
    await asyncio.gather(*[spore.call("app.slow", {}) for _ in range(p["n"])])
    n += 1
    return n
def own(arg): return {**arg}
async def loop(p):
    if p["how"] == "await":
        for _ in range(p["n"]): await spore.call("app.nothing", {})
    elif p["how"] == "sync":
        for _ in range(p["n"]): spore.call_sync("app.nothing", {})
    else:
        for _ in range(p["n"]): own({})
    return 0`},
}

// sessionEngine returns an engine for many instances.
func (b *bench) sessionEngine(memory int64) (*engine.Engine, error) {
	return engine.New(engine.Config{
		Runtimes: []runtimes.Runtime{javascript.Runtime(), python.Runtime()}, CacheDir: b.dir + "/cache",
		Limits:      engine.Limits{HostCalls: 1e6, CallTime: time.Minute, HostTime: time.Hour},
		Guests:      1 << 20,
		GuestMemory: 1 << 46, Parking: engine.Parking{Memory: memory, CompressAfter: time.Hour},
	})
}

// number calls a function that returns one.
func number(ctx context.Context, in *engine.Instance, function string, arg any, want int) error {
	r, err := in.Call(ctx, function, arg)
	if err != nil {
		return err
	}
	if r.Text() != strconv.Itoa(want) {
		return fmt.Errorf("%s returned %s instead of %d", function, r.Text(), want)
	}
	return nil
}

// eachSession runs f with a component of each language.
func (b *bench) eachSession(ctx context.Context, memory int64, f func(s sessionSubject, e *engine.Engine, c *engine.Component) error) (err error) {
	for _, s := range sessionSubjects {
		e, err := b.sessionEngine(memory)
		if err != nil {
			return err
		}
		c, err := e.Compile(ctx, engine.Source{Name: s.file, Code: []byte(s.code)})
		if err == nil {
			err = f(s, e, c)
		}
		if err = errors.Join(err, e.Close()); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		runtime.GC()
	}
	return nil
}

// timed takes the time of n calls of f, after some that do not count.
func timed(n int, f func(i int) error) (samples, error) {
	var s samples
	for i := range n + n/10 {
		begin := time.Now()
		if err := f(i); err != nil {
			return nil, err
		}
		if i >= n/10 {
			s = append(s, time.Since(begin))
		}
	}
	return s, nil
}

// oneInstance measures what is done to an instance.
func (b *bench) oneInstance(ctx context.Context) error {
	sec := b.report.section("One instance", "Among 100 that take turns. Suspending makes bytes of an instance and resuming an instance of bytes; their number is that of one which was called once.",
		"language", "what", "p50", "p99")
	n := b.count(20_000, 100)
	return b.eachSession(ctx, 1<<30, func(s sessionSubject, e *engine.Engine, c *engine.Component) error {
		list := make([]*engine.Instance, 100)
		for i := range list {
			var err error
			if list[i], err = c.Open(ctx, nil); err != nil {
				return err
			}
		}
		calls := make([]int, len(list))
		var encoded []byte
		for _, w := range []struct {
			what string
			goal time.Duration
			do   func(i int) error
		}{
			{"render, the floor", 0, func(int) error { _, err := c.Render(ctx, nil, nil); return err }},
			{"wake, call and park again", 60 * time.Microsecond, func(i int) error {
				i %= len(list)
				calls[i]++
				return number(ctx, list[i], "add", nil, calls[i])
			}},
			{"fork and close", 20 * time.Microsecond, func(i int) error {
				in, err := list[i%len(list)].Fork(ctx)
				if err != nil {
					return err
				}
				return in.Close()
			}},
			{"fork, call and close", 0, func(i int) error {
				in, err := list[i%len(list)].Fork(ctx)
				if err != nil {
					return err
				}
				return errors.Join(number(ctx, in, "add", nil, calls[i%len(list)]+1), in.Close())
			}},
			{"suspend to bytes", 200 * time.Microsecond, func(i int) error {
				d, err := list[i%len(list)].Snapshot(ctx)
				if err != nil {
					return err
				}
				encoded, err = d.MarshalBinary()
				return err
			}},
			{"resume from bytes", 200 * time.Microsecond, func(int) error {
				d, err := snapshot.ReadDelta(bytes.NewReader(encoded), 1<<20)
				if err != nil {
					return err
				}
				in, err := e.Resume(ctx, d, nil)
				if err != nil {
					return err
				}
				return in.Close()
			}},
		} {
			times, err := timed(n, w.do)
			if err != nil {
				return fmt.Errorf("%s: %w", w.what, err)
			}
			sec.row(s.name, w.what, format(times.p(50)), format(times.p(99)))
			if w.goal > 0 {
				b.report.atMost(w.what+", p50", s.name, times.p(50), w.goal)
			}
		}
		in, err := c.Open(ctx, nil)
		if err != nil {
			return err
		}
		if err := number(ctx, in, "add", nil, 1); err != nil {
			return err
		}
		d, err := in.Snapshot(ctx)
		if err != nil {
			return err
		}
		if encoded, err = d.MarshalBinary(); err != nil {
			return err
		}
		most := map[string]int{"JavaScript": 8 << 10, "Python": 4 << 10}[s.name]
		b.report.goal("bytes of a suspended instance", s.name, fmt.Sprint(len(encoded)), fmt.Sprintf("≤ %d", most), len(encoded) <= most)
		return nil
	})
}

// hostCalls measures host calls.
func (b *bench) hostCalls(ctx context.Context) error {
	const calls = 2000
	sec := b.report.section("Host calls", fmt.Sprintf("A call of an empty Go function, from the guest's call to the value it gets: the best time of %d of them in one call, less that of the same loop around "+
		"a function of the guest. Quick functions run on the guest's goroutine, others on one of their own. The last column is one call that awaits 100 functions of 20 ms each.", calls),
		"language", "Quick, blocking", "Quick, awaited", "blocking", "awaited", "100 × 20 ms")
	nothing := func(context.Context, struct{}) (int, error) { return 1, nil }
	slow := hostfuncs.New("app.slow", "", func(ctx context.Context, _ struct{}) (int, error) {
		time.Sleep(20 * time.Millisecond)
		return 1, nil
	})
	rounds := b.count(200, 2)
	return b.eachSession(ctx, 1<<30, func(s sessionSubject, e *engine.Engine, c *engine.Component) error {
		row := []string{s.name}
		for _, quick := range []bool{true, false} {
			f := hostfuncs.New("app.nothing", "", nothing)
			f.Quick = quick
			grants, err := hostfuncs.NewSet(f, slow)
			if err != nil {
				return err
			}
			in, err := c.Open(ctx, &engine.Options{Grants: grants})
			if err != nil {
				return err
			}
			best := map[string]time.Duration{}
			for range rounds {
				for _, how := range []string{"own", "sync", "await"} {
					begin := time.Now()
					if err := number(ctx, in, "loop", map[string]any{"n": calls, "how": how}, 0); err != nil {
						return err
					}
					if d := time.Since(begin); best[how] == 0 || d < best[how] {
						best[how] = d
					}
				}
			}
			for _, how := range []string{"sync", "await"} {
				each := (best[how] - best["own"]) / calls
				row = append(row, format(each))
				if quick && how == "sync" {
					b.report.atMost("host call of a Quick function, blocking", s.name, each, map[string]time.Duration{"JavaScript": 3 * time.Microsecond, "Python": 5 * time.Microsecond}[s.name])
				}
			}
			if quick {
				continue
			}
			done := 0
			times, err := timed(b.count(20, 2), func(int) error {
				done++
				return number(ctx, in, "all", map[string]any{"n": 100}, done)
			})
			if err != nil {
				return err
			}
			row = append(row, format(times.p(50)))
			b.report.atMost("100 awaited host calls of 20 ms, p50", s.name, times.p(50), 30*time.Millisecond)
		}
		sec.row(row...)
		return nil
	})
}

// waiting has very many calls in progress at once, each of which waits for a host
// function with its memory mapped.
func (b *bench) waiting(ctx context.Context) error {
	n := b.count(50_000, 50)
	sec := b.report.section("Calls that wait at once", fmt.Sprintf("%d instances, each in the middle of a call that awaits a host function: mapped, and not parked. Then all are answered, and their results compared.", n),
		"language", "in progress", "anonymous memory", "page tables", "GC cycle, p50 of 9", "longest GC pause", "all answered after")
	return b.eachSession(ctx, 2<<30, func(s sessionSubject, e *engine.Engine, c *engine.Component) error {
		release := make(chan struct{})
		var inside = make(chan struct{}, n)
		grants, err := hostfuncs.NewSet(hostfuncs.New("app.wait", "", func(context.Context, struct{}) (int, error) {
			inside <- struct{}{}
			<-release
			return 1, nil
		}))
		if err != nil {
			return err
		}
		for f := range grants.All() {
			f.Timeout = time.Hour
			grants, err = hostfuncs.NewSet(f)
		}
		if err != nil {
			return err
		}
		results := make(chan error, n)
		for range n {
			in, err := c.Open(ctx, &engine.Options{Grants: grants})
			if err != nil {
				return err
			}
			go func() { results <- number(ctx, in, "wait", nil, 1) }()
		}
		for i := range n {
			select {
			case <-inside:
			case err := <-results:
				close(release)
				return fmt.Errorf("call %d: %w", i, err)
			}
		}
		cycle, pause := collect()
		anonymous, tables := processMemory("RssAnon"), processMemory("VmPTE")
		begin := time.Now()
		close(release)
		for range n {
			if err := <-results; err != nil {
				return err
			}
		}
		sec.row(s.name, strconv.Itoa(n), anonymous, tables, format(cycle), format(pause), format(time.Since(begin)))
		b.report.goal("calls in progress with memory mapped", s.name, strconv.Itoa(n), "≥ 50000", n >= 50_000)
		return nil
	})
}

// collect runs the garbage collector several times and returns how long that took, the median, and the longest pause.
func collect() (cycle, pause time.Duration) {
	runtime.GC()
	before := pauses()
	var cycles samples
	for range 9 {
		begin := time.Now()
		runtime.GC()
		cycles = append(cycles, time.Since(begin))
	}
	cycle = cycles.p(50)
	after := pauses()
	for i, n := range after.Counts {
		if n > before.Counts[i] {
			pause = time.Duration(after.Buckets[i+1] * float64(time.Second))
		}
	}
	return cycle, pause
}

func pauses() *metrics.Float64Histogram {
	s := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(s)
	h := *s[0].Value.Float64Histogram()
	h.Counts = append([]uint64(nil), h.Counts...)
	return &h
}

// parked opens very many instances, calls each, and holds them.
func (b *bench) parked(ctx context.Context, n int) error {
	n = b.count(n, 1000)
	sec := b.report.section("Parked instances", fmt.Sprintf("%d instances of one component, each called once and then parked, as they are: nothing is compressed. "+
		"Then 100,000 random calls, then one more of every instance. Memory is what all take, and per instance. A GC pause is the upper end of the runtime's histogram bucket.", n),
		"language", "opened and called", "anonymous memory", "of it, states", "per instance", "GC cycle before, p50 of 9", "with them", "longest GC pause", "random call, p50", "p99", "all verified in")
	return b.eachSession(ctx, 8<<30, func(s sessionSubject, e *engine.Engine, c *engine.Component) error {
		empty, _ := collect()
		debug.FreeOSMemory()
		before := anonymousBytes()
		list := make([]*engine.Instance, n)
		calls := make([]int32, n)
		begin := time.Now()
		for i := range list {
			var err error
			if list[i], err = c.Open(ctx, nil); err != nil {
				return err
			}
			calls[i]++
			if err := number(ctx, list[i], "add", nil, 1); err != nil {
				return fmt.Errorf("instance %d: %w", i, err)
			}
		}
		opened := time.Since(begin)
		debug.FreeOSMemory()
		cycle, pause := collect()
		total := anonymousBytes()
		stats := e.Stats()
		if stats.Parked != n || stats.Instances != n {
			return fmt.Errorf("%d of %d instances are parked, %d open", stats.Parked, n, stats.Instances)
		}
		times, err := timed(b.count(100_000, 100), func(int) error {
			i := rand.IntN(n)
			calls[i]++
			return number(ctx, list[i], "add", nil, int(calls[i]))
		})
		if err != nil {
			return err
		}
		begin = time.Now()
		for i, in := range list {
			calls[i]++
			if err := number(ctx, in, "add", nil, int(calls[i])); err != nil {
				return fmt.Errorf("instance %d: %w", i, err)
			}
		}
		verified := time.Since(begin)
		sec.row(s.name, fmt.Sprintf("%d in %s", n, format(opened)), mebibytes(total), mebibytes(stats.ParkedBytes), fmt.Sprintf("%d B", (total-before)/int64(n)),
			format(empty), format(cycle), format(pause), format(times.p(50)), format(times.p(99)), format(verified))
		b.report.goal("instances parked in one process under 8 GiB", s.name, fmt.Sprintf("%d in %s", n, mebibytes(total)), "1000000", n >= 1_000_000 && total < 8<<30)
		b.report.atMost("random one of them: wake, call and park, p50", s.name, times.p(50), 60*time.Microsecond)
		b.report.atMost("GC pause with them", s.name, pause, time.Millisecond)
		b.report.atMost("GC cycle with them", s.name, cycle, 50*time.Millisecond)
		for _, in := range list {
			if err := in.Close(); err != nil {
				return err
			}
		}
		if stats := e.Stats(); stats.Parked != 0 || stats.Instances != 0 {
			return fmt.Errorf("%d states are left of closed instances", stats.Parked)
		}
		return nil
	})
}

// anonymousBytes returns the anonymous memory of the process, 0 if the system does not tell.
func anonymousBytes() int64 {
	kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(field("/proc/self/status", "RssAnon"), " kB")), 10, 64)
	return kib << 10
}
