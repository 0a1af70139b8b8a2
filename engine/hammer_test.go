package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
)

// TestHammer renders, fails, overruns, is cancelled, compiles and closes on many
// goroutines at once, with fewer images mapped than there are components. Every
// answer must be right.
func TestHammer(t *testing.T) {
	const goroutines = 8
	rounds := 150
	if testing.Short() {
		rounds = 25
	}
	e := newEngine(t, engine.Config{Workers: 3, ImageMemory: 1 << 20})
	sources := map[string]string{
		"a.tsx": `export default function A({ n, way }: any) { if (way == "throw") throw new Error("x" + n); if (way == "spin") for (;;); return <b>{n}</b> }`,
		"b.js":  `let seen; export function render({ n, way }) { if (seen) return "leak"; seen = n; if (way == "throw") throw new Error("x" + n); if (way == "spin") for (;;); return "<b>" + n + "</b>" }`,
		"c.py":  "seen = None\ndef render(p):\n    global seen\n    if seen: return 'leak'\n    seen = p['n']\n    if p['way'] == 'throw': raise ValueError(f\"x{p['n']}\")\n    while p['way'] == 'spin': pass\n    return f\"<b>{p['n']}</b>\"",
	}
	var components []*engine.Component
	for name, code := range sources {
		components = append(components, compile(t, e, name, code))
	}
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(g)))
			for i := range rounds {
				n := 1 + g*1000 + i
				c := components[r.IntN(len(components))]
				way := []string{"", "", "", "throw", "spin", "cancel"}[r.IntN(6)]
				ctx, cancel := context.WithCancel(context.Background())
				opt := &engine.Options{}
				switch way {
				case "spin":
					opt.Limits.CallTime = time.Duration(1+r.IntN(5)) * time.Millisecond
				case "cancel":
					time.AfterFunc(time.Duration(r.IntN(500))*time.Microsecond, cancel)
				}
				res, err := c.Render(ctx, map[string]any{"n": n, "way": way}, opt)
				cancel()
				if err := judge(way, n, res, err); err != nil {
					t.Errorf("%s %q: %v", c.Name(), way, err)
				}
				if r.IntN(20) == 0 {
					name := c.Name()
					mine, err := e.Compile(context.Background(), engine.Source{Name: name, Code: []byte(sources[name])})
					if err != nil {
						t.Error(err)
						continue
					}
					if res, err := mine.Render(context.Background(), map[string]any{"n": n, "way": ""}, nil); judge("", n, res, err) != nil {
						t.Errorf("own %s: %v", name, judge("", n, res, err))
					}
					mine.Close()
				}
			}
		})
	}
	wg.Wait()
	s := e.Stats()
	if s.Components != len(sources) || s.ImageBuilds == 0 {
		t.Errorf("stats are %+v", s)
	}
}

func judge(way string, n int, res *engine.Result, err error) error {
	var ge *engine.GuestError
	var le *engine.LimitError
	want := fmt.Sprintf("<b>%d</b>", n)
	switch {
	case way == "throw" && errors.As(err, &ge) && ge.Message == fmt.Sprintf("x%d", n):
	case way == "spin" && errors.As(err, &le) && le.Limit == "CallTime":
	case way == "cancel" && errors.Is(err, context.Canceled):
	case (way == "" || way == "cancel") && err == nil && res.Text() == want:
	default:
		return fmt.Errorf("got %v, %v, want %s", res, err, want)
	}
	return nil
}

// TestCloseEndsWhatRuns closes an engine under load. Every render ends, with
// its result or with ErrClosed, and nothing is left behind.
func TestCloseEndsWhatRuns(t *testing.T) {
	// What a process opens once and keeps is open before the count.
	render(t, compile(t, shared, "warm.js", `export const render = () => ""`), nil, nil)
	before := resources(t)
	for range 3 {
		e, err := engine.New(engine.Config{
			Runtimes: allRuntimes(), CacheDir: sharedCache, Workers: 2,
			Limits: engine.Limits{CallTime: time.Minute},
		})
		if err != nil {
			t.Fatal(err)
		}
		var components []*engine.Component
		for name, code := range map[string]string{
			"spin.js": `export function render() { for (;;); }`,
			"nap.js":  `export async function render() { await new Promise(r => setTimeout(r, 60000)) }`,
			"spin.py": "def render(p):\n    while True: pass",
		} {
			c, err := e.Compile(t.Context(), engine.Source{Name: name, Code: []byte(code)})
			if err != nil {
				t.Fatal(err)
			}
			components = append(components, c)
		}
		var wg sync.WaitGroup
		for i := range 4 * len(components) {
			c := components[i%len(components)]
			wg.Go(func() {
				if _, err := c.Render(context.Background(), nil, nil); !errors.Is(err, engine.ErrClosed) {
					t.Errorf("%s: %v", c.Name(), err)
				}
			})
		}
		time.Sleep(20 * time.Millisecond)
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if _, err := e.Compile(t.Context(), engine.Source{Name: "a.js"}); !errors.Is(err, engine.ErrClosed) {
			t.Errorf("compile after close: %v", err)
		}
		if err := e.Close(); err != nil {
			t.Errorf("second close: %v", err)
		}
	}
	checkLeaks(t, before)
}

// checkLeaks fails the test if the process has more than before. What ends after
// its use, such as the goroutines on which Go runs finalizers after a
// collection, has some seconds to do so; a leak stays.
func checkLeaks(t *testing.T, before usage) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		after := resources(t)
		// One goroutine of the Go runtime may be there to stay; a leak would be
		// one for each of the engines, components or renders.
		if after.goroutines <= before.goroutines+1 && after.files <= before.files && after.guests <= before.guests {
			return
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Errorf("leak: before %+v, after %+v\n%s", before, after, stacks[:runtime.Stack(stacks, true)])
			return
		}
	}
}

type usage struct{ goroutines, files, guests int }

// resources counts what a process can leak: goroutines, open files, and
// mappings of guest memory.
func resources(t *testing.T) usage {
	t.Helper()
	runtime.GC()
	time.Sleep(10 * time.Millisecond)
	u := usage{goroutines: runtime.NumGoroutine()}
	if runtime.GOOS != "linux" {
		t.Logf("open files and mappings are not counted on %s", runtime.GOOS)
		return u
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	u.files = len(files)
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	u.guests = strings.Count(string(maps), "memfd:")
	return u
}

func TestClosedComponent(t *testing.T) {
	c, err := shared.Compile(t.Context(), engine.Source{Name: "a.py", Code: []byte("def render(p): return 1")})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Render(t.Context(), nil, nil); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("render: %v", err)
	}
	if _, err := c.Snapshot(t.Context()); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("snapshot: %v", err)
	}
}
