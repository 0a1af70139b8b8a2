package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	. "github.com/sporeengine/spore/engine/internal/wasmtest"
	"github.com/sporeengine/spore/runtimes"
)

// A liar is a hand-written guest that breaks the guest ABI, or the machine, in
// one way. runtimes/ABI.md is what it breaks.
type liar struct {
	name   string
	attack map[string]Code // what an export does instead, by its name
	text   string          // lies at Text
	change func(m *Module)

	// when says what the attack hits: "boot" everything up to the first image,
	// "compile" a component whose source asks for it, or else a render.
	when   string
	limits engine.Limits

	// want is how it ends, in the words of outcome; see liar.ended. says is
	// part of the long form.
	want, says string

	// allocates is what the call may allocate on the Go heap in bytes, if that
	// is more than liarAlloc.
	allocates uint64

	overruns []time.Duration // of time limits, in the runs of the case
}

// liarAlloc is what a call of a liar may allocate: some times its limits.
const liarAlloc = 16 << 20

// on is an attack in one export.
func on(export string, code ...Code) map[string]Code { return map[string]Code{export: Seq(code...)} }

// render and settle are attacks in these exports.
func inCall(code ...Code) map[string]Code { return on("spore_call", code...) }

// check traps unless code gives v.
func check(code Code, v int) Code { return If(Not(Eq(code, Const(v))), Unreachable()) }

// answer returns the case's text with a status.
func answer(status int, text string) Code { return Say(status, Const(Text), Const(len(text))) }

// pending returns the status PENDING after a sleep of a millisecond.
func pending() Code {
	return Seq(Drop(Sleep(NewID(), Const(0), Const(1))), Say(PENDING, Const(0), Const(0)))
}

// settling attacks in spore_settle.
func settling(code ...Code) map[string]Code {
	return map[string]Code{"spore_call": pending(), "spore_settle": Seq(code...)}
}

// runLiars runs the cases. Each ends as it says, within its limits, and beside it
// a heartbeat, the garbage collector, two tenants with real interpreters, the
// same engine's other guests and the component's own next render do not notice.
//
// With -short it takes a sample.
func runLiars(t *testing.T, cases []liar) {
	if all := cases; testing.Short() {
		cases = nil
		for i := 0; i < len(all); i += 5 {
			cases = append(cases, all[i])
		}
		t.Logf("%d of %d cases", len(cases), len(all))
	}
	// What a process opens once and keeps is open before the count.
	render(t, compile(t, shared, "warm.js", `export const render = () => ""`), nil, nil)
	render(t, compile(t, shared, "warm.py", `def render(p): return ""`), nil, nil)
	before := resources(t)
	var overruns, stalls []time.Duration
	t.Run("all", func(t *testing.T) {
		watch := startWatch(t, shared)
		for _, l := range cases {
			t.Run(l.name, func(t *testing.T) {
				watch.lap()
				l.run(t)
				overruns = append(overruns, l.overruns...)
				stall, wrong := watch.lap()
				stalls = append(stalls, stall)
				for _, w := range wrong {
					t.Errorf("another tenant: %s", w)
				}
				if stall > hangBound {
					t.Errorf("the heartbeat stalled for %v", stall)
				}
			})
		}
		watch.end()
		t.Logf("%d cases", len(cases))
		t.Logf("overrun of time limits: %s", spread(overruns))
		t.Logf("heartbeat stall, worst of each case: %s", spread(stalls))
	})
	checkLeaks(t, before)
}

// engine returns an engine with the liar and a guest that is none.
func (l *liar) engine(t *testing.T) *engine.Engine {
	guest := Guest{Attack: l.attack, Change: l.change}
	if l.text != "" {
		guest.Data = []Data{{At: Text, Bytes: l.text}}
	}
	limits := l.limits
	for _, d := range []struct {
		v   *int64
		def int64
	}{
		{&limits.Memory, 4 << 20}, {(*int64)(&limits.CallTime), int64(10 * time.Second)}, {(*int64)(&limits.CompileTime), int64(10 * time.Second)},
		{&limits.Output, 1 << 20}, {&limits.Console, 16 << 10},
	} {
		if *d.v == 0 {
			*d.v = d.def
		}
	}
	e, err := engine.New(engine.Config{
		Runtimes: []runtimes.Runtime{guest.Runtime(), Guest{Language: "good"}.Runtime()},
		Workers:  2, Limits: limits, VerifyReset: true, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

func (l *liar) run(t *testing.T) {
	e := l.engine(t)
	props := map[string]int{"n": 7}
	const want = `{"n":7}`
	source := engine.Source{Language: "raw", Name: "liar", Code: []byte("calm")}
	attack := func(ctx context.Context) (*engine.Result, error) {
		s := source
		s.Code = []byte("!attack")
		c, err := e.Compile(ctx, s)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		return c.Render(ctx, props, nil)
	}
	if l.when == "" {
		c, err := e.Compile(t.Context(), source)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		console := slog.New(slog.NewTextHandler(new(strings.Builder), nil))
		attack = func(ctx context.Context) (*engine.Result, error) {
			return c.Render(ctx, "attack", &engine.Options{Console: console})
		}
		defer func() {
			if err := engine.VerifyIdle(c); err != nil {
				t.Error(err)
			}
			if got := render(t, c, props, nil); got != want {
				t.Errorf("next render is %q", got)
			}
		}()
	}
	for range 2 { // the second must not be worse off for the first
		l.judge(t, e, attack)
	}
	if l.when == "compile" {
		c, err := e.Compile(t.Context(), source)
		if err != nil {
			t.Fatalf("next component: %v", err)
		}
		defer c.Close()
		if got := render(t, c, props, nil); got != want {
			t.Errorf("next component renders %q", got)
		}
	}
	good, err := e.Compile(t.Context(), engine.Source{Language: "good", Code: []byte("calm")})
	if err != nil {
		t.Fatalf("other language: %v", err)
	}
	defer good.Close()
	if got := render(t, good, props, nil); got != want {
		t.Errorf("other language renders %q", got)
	}
	if n := e.Stats().BadResets; n != 0 {
		t.Errorf("%d bad resets", n)
	}
}

// judge runs the attack once and checks how it ends.
func (l *liar) judge(t *testing.T, e *engine.Engine, attack func(context.Context) (*engine.Result, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	type ending struct {
		r   *engine.Result
		err error
	}
	done := make(chan ending, 1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := time.Now()
	go func() {
		r, err := attack(ctx)
		done <- ending{r, err}
	}()
	var end ending
	select {
	case end = <-done:
	case <-time.After(30 * time.Second):
		stacks := make([]byte, 1<<20)
		t.Fatalf("hangs\n%s", stacks[:runtime.Stack(stacks, true)])
	}
	took := time.Since(begin)
	runtime.ReadMemStats(&after)
	o := outcomeOf(end.r, end.err)
	switch o.short {
	case "limit CallTime":
		l.overruns = append(l.overruns, took-l.limits.CallTime)
	case "limit CompileTime":
		l.overruns = append(l.overruns, took-l.limits.CompileTime)
	}
	if !l.ended(o) {
		t.Errorf("ended with %q (%s) after %v, want %q with %q", o.short, clip(o.long), took, l.want, l.says)
	}
	if err := checkError(end.err); err != nil {
		t.Error(err)
	}
	// The tenants beside it allocate too: a hundredth of this each millisecond.
	allowed := max(l.allocates, liarAlloc) + uint64(took/time.Millisecond)*100<<10
	if n := after.TotalAlloc - before.TotalAlloc; n > allowed {
		t.Errorf("allocated %d bytes, allowed are %d", n, allowed)
	}
	if testing.Verbose() {
		t.Logf("%s after %v, %d KiB allocated", clip(o.long), took.Round(10*time.Microsecond), (after.TotalAlloc-before.TotalAlloc)>>10)
	}
}

// ended compares an outcome with what is wanted: its short form, up to a star,
// "any" typed one, or "refused" for a module that does not become a runtime.
func (l *liar) ended(o outcome) bool {
	if !strings.Contains(o.long, l.says) {
		return false
	}
	if start, ok := strings.CutSuffix(l.want, "*"); ok {
		return strings.HasPrefix(o.short, start)
	}
	if l.want == "refused" {
		return o.short == "untyped" && strings.Contains(o.long, "prepare the raw runtime: ")
	}
	return o.is(l.want)
}

// every makes a case for each of the exports that a guest can attack in.
func every(name string, want string, code func() Code) (cases []liar) {
	for _, c := range []struct{ export, when string }{
		{"_initialize", "boot"}, {"spore_control", "boot"}, {"spore_boot", "boot"},
		{"spore_load", "compile"}, {"spore_seal", "compile"}, {"spore_call", ""}, {"spore_settle", ""}, {"spore_reserve", ""},
	} {
		l := liar{name: fmt.Sprintf("%s in %s", name, c.export), attack: on(c.export, code()), when: c.when, want: want}
		switch c.export {
		case "spore_settle":
			l.attack["spore_call"] = pending()
		case "spore_reserve":
			// The input area that a component was loaded with is too small.
			l.when = "compile"
			l.attack["spore_seal"] = Store(Const(Control+CtlInputCap), Const(0))
		}
		cases = append(cases, l)
	}
	return cases
}
