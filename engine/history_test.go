package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/snapshot"
)

type by struct {
	By int `json:"by"`
}

// historySet has the functions that histories call. Of a twin app.held answers later, of the
// others it waits until the call is suspended, and says so.
func historySet(t *testing.T, twin bool, holds func()) hostfuncs.Set {
	type question struct {
		Q int `json:"q,omitempty"`
	}
	s, err := hostfuncs.NewSet(
		hostfuncs.New("app.ask", "", func(context.Context, question) (by, error) { return by{}, hostfuncs.ErrLater }),
		hostfuncs.New("app.held", "", func(ctx context.Context, _ question) (by, error) {
			if twin {
				return by{}, hostfuncs.ErrLater
			}
			holds()
			<-ctx.Done()
			return by{}, ctx.Err()
		}),
		hostfuncs.Raw("app.echo", "", func(_ context.Context, v hostfuncs.Value) (hostfuncs.Value, error) { return v, nil }),
	)
	require.NoError(t, err)
	return s
}

// A history is an instance that lives through everything that instances can, a twin that only makes
// the calls, and a plain model: a number.
type history struct {
	t       *testing.T
	name    string
	r       *rand.Rand
	engines []*engine.Engine
	opt     *engine.Options
	in      *engine.Instance
	twin    *engine.Twin
	printed [2]*bytes.Buffer
	log     []string

	n       int
	cells   int
	called  bool           // there was a call that was not taken back
	call    string         // in progress
	answers map[uint32]int // to its calls by their numbers: by, 0 if there is none yet
}

func newHistory(t *testing.T, name string, engines []*engine.Engine, twins *engine.Component, seed uint64) *history {
	h := &history{t: t, name: name, r: rand.New(rand.NewPCG(seed, 7)), engines: engines}
	console := func(i int) *slog.Logger {
		h.printed[i] = &bytes.Buffer{}
		return slog.New(slog.NewTextHandler(h.printed[i], &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
	}
	fixed := &engine.Fixed{Now: time.Unix(1.8e9, 0), Seed: seed}
	limits := engine.Limits{HostCalls: 300}
	h.opt = &engine.Options{Fixed: fixed, Limits: limits, Console: console(0), Grants: historySet(t, false, func() { h.in.Suspend() })}
	var err error
	h.twin, err = engine.NewTwin(twins, &engine.Options{Fixed: fixed, Limits: limits, Console: console(1), Grants: historySet(t, true, nil)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.twin.Close()) })
	c := compile(t, h.engines[0], name, histories[name])
	h.in, err = c.Open(t.Context(), h.opt)
	require.NoError(t, err)
	t.Cleanup(func() { h.in.Close() })
	return h
}

// both makes a call of the instance and its twin, and compares what comes of it.
func (h *history) both(call func(function func(string, any) (*engine.Result, error), goOn func() (*engine.Result, error)) (*engine.Result, error)) (*engine.Result, error) {
	h.t.Helper()
	ctx := h.t.Context()
	r, err := call(func(f string, arg any) (*engine.Result, error) { return h.in.Call(ctx, f, arg) },
		func() (*engine.Result, error) { return h.in.Continue(ctx) })
	tr, terr := call(func(f string, arg any) (*engine.Result, error) { return h.twin.Call(ctx, f, arg) },
		func() (*engine.Result, error) { return h.twin.Continue(ctx) })
	require.Equal(h.t, fmt.Sprint(terr), fmt.Sprint(err), h)
	if err == nil {
		require.Equal(h.t, tr.Text(), r.Text(), h)
	}
	h.called = true
	return r, err
}

// String returns what was done.
func (h *history) String() string { return strings.Join(h.log, "\n") }

func (h *history) note(format string, args ...any) {
	h.log = append(h.log, fmt.Sprintf(format, args...))
}

// begin calls a function that may wait.
func (h *history) begin() {
	type start struct {
		function string
		arg      props
		lacks    int // answers
	}
	q := 1 + h.r.IntN(1000)
	s := []start{
		{"step", props{"by": h.r.IntN(10), "size": h.r.IntN(3) * h.r.IntN(5000), "drop": h.r.IntN(13)}, 0},
		{"fail", nil, 0}, {"nap", props{"ms": h.r.IntN(100_000)}, 0}, {"many", props{"count": 1 + h.r.IntN(200)}, 0},
		{"ask", props{"q": q}, 1}, {"both", props{"q": q}, 3}, {"race", props{"q": q}, 1}, {"held", props{"q": q}, 1},
	}[h.r.IntN(8)]
	h.note("%s %v", s.function, s.arg)
	_, err := h.both(func(f func(string, any) (*engine.Result, error), _ func() (*engine.Result, error)) (*engine.Result, error) {
		return f(s.function, s.arg)
	})
	switch s.function {
	case "step":
		h.n += s.arg["by"].(int)
	case "many":
		h.n += s.arg["count"].(int)
	case "race", "nap":
	default:
		h.n++
	}
	switch {
	case s.function == "nap":
		// While calls are pending a fixed clock stands still until the host has had its turn.
		if h.call = s.function; !errors.Is(err, engine.ErrSuspended) {
			require.NoError(h.t, err, h)
			h.call = ""
			h.n++
		} else {
			require.NotEmpty(h.t, h.pending(), h)
		}
	case s.lacks > 0:
		require.ErrorIs(h.t, err, engine.ErrSuspended, h)
		h.call, h.answers = s.function, map[uint32]int{}
		list := h.pending() // in it calls of races that were lost may come first
		for _, p := range list[len(list)-s.lacks:] {
			h.answers[p.Number] = 0
		}
	case s.function == "fail":
		ge, ok := errors.AsType[*engine.GuestError](err)
		require.True(h.t, ok, "%v", err)
		require.Equal(h.t, fmt.Sprintf("no %d", h.n), ge.Message)
	default:
		require.NoError(h.t, err, h)
	}
}

// pending returns what the instance waits for, but for sleeps.
func (h *history) pending() []engine.PendingCall {
	list, err := h.in.Pending(h.t.Context())
	require.NoError(h.t, err)
	return slices.DeleteFunc(list, func(p engine.PendingCall) bool { return p.Name == "spore.sleep" })
}

// exec runs a cell.
func (h *history) exec() {
	name, code := fmt.Sprintf("cell%d", h.cells), notebooks[h.name][h.r.IntN(4)]
	h.cells++
	h.note("exec %s", code)
	got, err := h.in.Exec(h.t.Context(), name, code)
	want, werr := h.twin.Exec(h.t.Context(), name, code)
	require.Equal(h.t, fmt.Sprint(werr), fmt.Sprint(err), h)
	require.Equal(h.t, want.Text, got.Text, h)
	require.Equal(h.t, want.Data, got.Data, h)
	_, unparsed := errors.AsType[*engine.SourceError](err)
	h.called = h.called || !unparsed
	if errors.Is(err, engine.ErrSuspended) {
		list := h.pending()
		h.call, h.answers = "cell", map[uint32]int{list[len(list)-1].Number: 0}
	}
}

// answer answers a call.
func (h *history) answer() {
	list := h.pending()
	if len(list) == 0 {
		return
	}
	p := list[h.r.IntN(len(list))]
	if p.Answered {
		require.ErrorIs(h.t, h.in.Answer(h.t.Context(), p.Number, by{}, nil), engine.ErrNoCall)
		return
	}
	v := 1 + h.r.IntN(50)
	h.note("answer %d %d", p.Number, v)
	require.NoError(h.t, h.in.Answer(h.t.Context(), p.Number, by{v}, nil))
	require.NoError(h.t, h.twin.Answer(p.Number, by{v}))
	if _, ok := h.answers[p.Number]; ok {
		h.answers[p.Number] = v
	}
}

// goOn continues the call in progress.
func (h *history) goOn() {
	h.note("continue")
	_, err := h.both(func(_ func(string, any) (*engine.Result, error), goOn func() (*engine.Result, error)) (*engine.Result, error) {
		return goOn()
	})
	sum, complete := 0, true
	for _, v := range h.answers {
		sum += v
		complete = complete && v > 0
	}
	clocked := h.call == "race" || h.call == "nap" // the clock may have jumped, or not far enough
	switch {
	case clocked && errors.Is(err, engine.ErrSuspended):
		return
	case h.call == "nap":
		require.NoError(h.t, err, h)
		h.n++
	case h.call == "cell" && complete:
		require.NoError(h.t, err, h)
	case complete:
		require.NoError(h.t, err, h)
		h.n += sum
	case clocked:
		require.NoError(h.t, err, h)
		h.n--
	default:
		require.ErrorIs(h.t, err, engine.ErrSuspended, h)
		return
	}
	h.call, h.answers = "", nil
}

// kill makes a call that is ended from outside.
func (h *history) kill() {
	var names []string
	for name := range killed {
		names = append(names, name)
	}
	name := names[h.r.IntN(len(names))]
	h.note("kill %s", name)
	ctx, cancel := context.WithCancel(h.t.Context())
	defer cancel()
	if name == "spin" {
		time.AfterFunc(time.Duration(h.r.IntN(20))*time.Millisecond, cancel)
	}
	before := h.printed[0].Len()
	_, err := h.in.Call(ctx, name, nil)
	h.printed[0].Truncate(before)
	if limit := killed[name]; limit != "" {
		require.Equal(h.t, limit, limitOf(err), "%s\n%v", h, err)
	} else {
		require.ErrorIs(h.t, err, context.Canceled, h)
	}
}

// fork goes on with a fork or with the instance, and closes the other.
func (h *history) fork() {
	h.note("fork")
	f, err := h.in.Fork(h.t.Context())
	require.NoError(h.t, err)
	if h.r.IntN(2) == 0 {
		h.in, f = f, h.in
	}
	require.NoError(h.t, f.Close())
}

// travel goes on with what comes of the bytes of a snapshot, in any engine.
func (h *history) travel() {
	to := h.r.IntN(len(h.engines))
	h.note("travel to engine %d", to)
	d, err := h.in.Snapshot(h.t.Context())
	require.NoError(h.t, err, h)
	var file bytes.Buffer
	_, err = d.WriteTo(&file)
	require.NoError(h.t, err)
	if d, err = snapshot.ReadDelta(&file, 64<<20); err != nil {
		h.t.Fatal(err)
	}
	id := h.in.ID()
	require.NoError(h.t, h.in.Close())
	h.in, err = h.engines[to].Resume(h.t.Context(), d, h.opt)
	require.NoError(h.t, err, h)
	require.Equal(h.t, id, h.in.ID())
}

// compare compares the instance with its twin, byte for byte.
func (h *history) compare() {
	h.t.Helper()
	require.Equal(h.t, h.printed[1].String(), h.printed[0].String(), h)
	if !h.called {
		return
	}
	got, err := engine.StateOf(h.t.Context(), h.in)
	require.NoError(h.t, err)
	want, err := h.twin.State()
	require.NoError(h.t, err)
	require.Equal(h.t, want.Rest, got.Rest, h)
	require.Equal(h.t, want.Globals, got.Globals, h)
	require.Equal(h.t, want.LastID, got.LastID, h)
	if !bytes.Equal(want.Lines, got.Lines) {
		h.t.Fatalf("memory differs\n%s", h)
	}
}

func (h *history) step() {
	busy := h.call != ""
	switch k := h.r.IntN(12); {
	case k < 2 && busy:
		h.answer()
	case k < 5 && busy:
		h.goOn()
	case k < 6 && busy:
		_, err := h.in.Call(h.t.Context(), "render", nil)
		require.ErrorIs(h.t, err, engine.ErrSuspended)
	case k < 5:
		h.begin()
	case k < 6:
		h.exec()
	case k < 7 && !busy:
		h.kill()
	case k < 8:
		h.fork()
	case k < 10:
		h.travel()
	case k < 11:
		h.note("park")
		require.NoError(h.t, h.in.Park(h.t.Context()))
	default:
		if !busy {
			r, err := h.in.Call(h.t.Context(), "render", nil)
			require.NoError(h.t, err)
			require.Equal(h.t, fmt.Sprint(h.n), r.Text(), h)
			_, err = h.twin.Call(h.t.Context(), "render", nil)
			require.NoError(h.t, err)
			h.called = true
		}
	}
	h.compare()
}

// TestHistories lives through random histories, in two engines in this process, and in two
// of which one has worker processes. SPORE_HISTORIES is how many, if not a few.
func TestHistories(t *testing.T) {
	count, steps := 3, 60
	if testing.Short() {
		count = 1
	}
	if s := os.Getenv("SPORE_HISTORIES"); s != "" {
		_, err := fmt.Sscan(s, &count)
		require.NoError(t, err)
	}
	limits := engine.Limits{CallTime: 20 * time.Second}
	here := newEngine(t, engine.Config{Limits: limits, Parking: engine.Parking{CompressAfter: time.Millisecond}})
	second := newEngine(t, engine.Config{Limits: limits})
	there := newEngine(t, engine.Config{Limits: limits, Isolation: engine.Subprocess, Workers: 2})
	for name, code := range histories {
		for _, e := range []*engine.Engine{second, there} {
			compile(t, e, name, code)
		}
		twins := compile(t, here, name, code)
		for kind, engines := range map[string][]*engine.Engine{"in process": {here, second}, "across": {there, here}} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				for seed := range count {
					h := newHistory(t, name, engines, twins, uint64(seed))
					for range steps {
						h.step()
					}
				}
			})
		}
	}
}
