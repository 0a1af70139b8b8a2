package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
)

const (
	// hangBound is far beyond any overrun. What exceeds it hangs.
	hangBound = 5 * time.Second
	// heapGrowth is what an engine may keep on Go's heap after any number of
	// attacks: the native stacks of its workers, and the heap's gaps.
	heapGrowth = 64 << 20
	// hostileCompileTime is Limits.CompileTime for programs that attack Compile.
	hostileCompileTime = 500 * time.Millisecond
	// hostileEvery is the size of the everyday sample, one program in so many, and
	// with -short half of it. SPORE_HOSTILE=all, which is `make hostile`, runs all.
	hostileEvery = 8
)

// fine are components that do no harm.
var fine = map[string]string{
	"fine.js": "export const render = p => `fine ${p.n}`",
	"fine.py": "def render(p): return f\"fine {p['n']}\"",
}

// hostileRun holds what all programs share.
type hostileRun struct {
	isolation engine.Isolation
	engine    *engine.Engine // for programs that attack a render
	compiler  *engine.Engine // for those that attack Compile
	watch     *watch
	base      usage // what is open while no program runs
	overruns  []time.Duration
	late      []string // programs that overran by more than they state
	stalls    map[string]time.Duration
	outcomes  map[string]int
}

// TestHostile runs a sample of the corpus, or all of it. Every program ends with the outcome that its
// header states, and a heartbeat, the garbage collector, two other tenants and
// the program's own next render do not notice.
func TestHostile(t *testing.T) { testHostile(t, engine.InProcess, 0) }

// TestHostileSubprocess is the same with guests in worker processes, and its
// sample has other programs.
func TestHostileSubprocess(t *testing.T) { testHostile(t, engine.Subprocess, hostileEvery/2) }

// testHostile runs the corpus, or of its sample the programs from the given one on.
func testHostile(t *testing.T, isolation engine.Isolation, first int) {
	all := hostilePrograms(t)
	programs := all
	if os.Getenv("SPORE_HOSTILE") != "all" {
		every := hostileEvery
		if testing.Short() {
			every *= 2
		}
		programs = nil
		for i := first; i < len(all); i += every {
			programs = append(programs, all[i])
		}
	}
	t.Logf("%d of %d programs; SPORE_HOSTILE=all runs all", len(programs), len(all))
	checkKnown(t, all)

	// What a process opens once and keeps, such as the descriptor by which all
	// memories find their changed pages, is open before the count.
	t.Run("warm", func(t *testing.T) { runHostile(t, isolation, programs[:1]) })
	before := resources(t)
	t.Run("programs", func(t *testing.T) { runHostile(t, isolation, programs) })
	checkLeaks(t, before)
}

func runHostile(t *testing.T, isolation engine.Isolation, programs []*hostileProgram) {
	h := &hostileRun{isolation: isolation, stalls: map[string]time.Duration{}, outcomes: map[string]int{}}
	h.engine = newEngine(t, engine.Config{Isolation: isolation, Workers: 2, Limits: engine.Limits{CallTime: time.Minute}})
	// Both languages are ready, and their images in the cache, before a short
	// CompileTime applies to the boot of a runtime as well.
	h.watch = startWatch(t, h.engine)
	h.compiler = newEngine(t, engine.Config{Isolation: isolation, Workers: 2, Limits: engine.Limits{CompileTime: hostileCompileTime}})
	for name := range fine {
		compileFine(t, h.engine, name)
		compileFine(t, h.compiler, name)
	}
	time.Sleep(200 * time.Millisecond)
	alone, _ := h.watch.lap()
	h.base = resources(t)
	before := heapInUse()
	classes := map[string]int{}
	for _, p := range programs {
		classes[p.class]++
		t.Run(p.name, func(t *testing.T) {
			h.watch.lap()
			if p.compile {
				h.attackCompile(t, p)
			} else {
				h.attackRender(t, p)
			}
			stall, wrong := h.watch.lap()
			h.stalls[p.name] = stall
			for _, w := range wrong {
				t.Errorf("another tenant: %s", w)
			}
			if stall > hangBound {
				t.Errorf("the heartbeat stalled for %v", stall)
			}
			checkLeaks(t, h.base)
		})
	}
	tenants := h.watch.end()

	if len(programs) == 1 {
		return
	}
	t.Logf("classes: %s", counts(classes))
	t.Logf("outcomes: %s", counts(h.outcomes))
	t.Logf("overrun of CallTime: %s", spread(h.overruns))
	t.Logf("overran by more than their headers say, which a busy machine may make them: %s", strings.Join(h.late, ", "))
	t.Logf("heartbeat stall, worst of each program: %s; without a program %v", spread(slices.Collect(maps.Values(h.stalls))), alone)
	t.Logf("renders of other tenants: %s", spread(tenants))
	for name, d := range h.stalls {
		if d > 100*time.Millisecond {
			t.Logf("heartbeat stalled for %v beside %s", d, name)
		}
	}
	if after := heapInUse(); after > before+heapGrowth {
		t.Errorf("Go's heap has grown from %d to %d MiB", before>>20, after>>20)
	} else {
		t.Logf("Go heap in use before all programs %d MiB, after %d MiB", before>>20, after>>20)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// attackRender runs p's attack and then a benign render of the same component.
func (h *hostileRun) attackRender(t *testing.T, p *hostileProgram) {
	c, err := h.engine.Compile(t.Context(), engine.Source{Name: p.name, Code: p.code})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	opt := &engine.Options{Limits: p.limits}
	if p.fixed {
		opt.Fixed = &engine.Fixed{}
	}
	props := map[string]any{"attack": true, "n": 7}
	h.judge(t, p, p.limits.CallTime, func(ctx context.Context) (*engine.Result, error) { return c.Render(ctx, props, opt) })
	if h.isolation == engine.InProcess {
		if err := engine.VerifyIdle(c); err != nil {
			t.Errorf("after the attack: %v", err)
		}
	}
	begin := time.Now()
	if got := render(t, c, map[string]any{"attack": false, "n": 7}, nil); got != "fine 7" {
		t.Errorf("next render is %q", got)
	}
	if took := time.Since(begin); took > hangBound {
		t.Errorf("next render took %v", took)
	}
}

// attackCompile compiles p and then a benign program.
func (h *hostileRun) attackCompile(t *testing.T, p *hostileProgram) {
	// Those that run into another limit have time for it on a busy machine too.
	e, limit := h.engine, time.Minute
	if p.expect == "limit CompileTime" {
		e, limit = h.compiler, hostileCompileTime
	}
	h.judge(t, p, limit, func(ctx context.Context) (*engine.Result, error) {
		c, err := e.Compile(ctx, engine.Source{Name: p.name, Code: p.code})
		if err != nil {
			return nil, err
		}
		defer c.Close()
		return c.Render(ctx, map[string]any{"attack": true, "n": 7}, nil)
	})
	name := "fine.js"
	if strings.HasSuffix(p.name, ".py") {
		name = "fine.py"
	}
	compileFine(t, e, name)
}

// compileFine compiles and renders what does no harm.
func compileFine(t *testing.T, e *engine.Engine, name string) {
	t.Helper()
	// It may have to wait until a parser has given up, see KNOWN.md, which takes longer than CompileTime here.
	var c *engine.Component
	var err error
	for begin := time.Now(); time.Since(begin) < hangBound; {
		c, err = e.Compile(t.Context(), engine.Source{Name: name, Code: []byte(fine[name])})
		if limitOf(err) != "CompileTime" {
			break
		}
	}
	if err != nil {
		t.Fatalf("compile %s: %v", name, err)
	}
	defer c.Close()
	if got := render(t, c, map[string]any{"n": 7}, nil); got != "fine 7" {
		t.Errorf("%s renders %q", name, got)
	}
}

// judge runs an attack that has the time limit and checks how it ends.
func (h *hostileRun) judge(t *testing.T, p *hostileProgram, limit time.Duration, attack func(context.Context) (*engine.Result, error)) {
	type ending struct {
		r   *engine.Result
		err error
	}
	done := make(chan ending, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begin := time.Now()
	go func() {
		r, err := attack(ctx)
		done <- ending{r, err}
	}()
	var end ending
	select {
	case end = <-done:
	case <-time.After(limit + hangBound):
		cancel()
		t.Fatalf("hangs: no end %v after its limit", hangBound)
	}
	took := time.Since(begin)
	got := outcomeOf(end.r, end.err)
	h.outcomes[firstWords(got.short)]++
	if strings.HasPrefix(got.short, "limit C") && strings.HasSuffix(got.short, "Time") || took > limit {
		h.overruns = append(h.overruns, took-limit)
	}
	if over := took - limit; p.within > 0 && over > p.within {
		h.late = append(h.late, fmt.Sprintf("%s by %v", p.name, over.Round(time.Millisecond)))
	}
	if testing.Verbose() {
		t.Logf("%s after %v", clip(got.long), took.Round(100*time.Microsecond))
	}
	expect, known := p.expect, false
	if observed, ok := knownDeviations[p.name]; ok {
		expect, known = observed, true
	}
	switch {
	case known && got.is(p.expect):
		t.Errorf("is right now: remove it from the known deviations")
	case !got.is(expect):
		t.Errorf("ended with %q after %v, want %q", clip(got.long), took, expect)
	}
	if err := checkError(end.err); err != nil {
		t.Error(err)
	}
	if end.err != nil && errors.Is(end.err, context.Canceled) {
		t.Errorf("was cancelled: %v", end.err)
	}
}

// firstWords makes a key of an outcome that many programs share.
func firstWords(s string) string {
	f := strings.Fields(s)
	if f[0] == "text" || f[0] == "json" {
		return "result returned"
	}
	return strings.Join(f, " ")
}

func counts(m map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(parts, ", ")
}

// checkKnown fails if a deviation is listed for a program that is not there.
func checkKnown(t *testing.T, all []*hostileProgram) {
	t.Helper()
	for name := range knownDeviations {
		if !slices.ContainsFunc(all, func(p *hostileProgram) bool { return p.name == name }) {
			t.Errorf("a deviation is known of %s, which does not exist", name)
		}
	}
}
