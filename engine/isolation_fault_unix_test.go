//go:build unix

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
)

// TestIsolationBadStart has worker processes that do not start. Each call fails
// with what is wrong, soon, and nothing is left behind.
func TestIsolationBadStart(t *testing.T) {
	before := resources(t)
	for way, want := range map[string]string{
		"exit":    "panic: no such luck",
		"noise":   "no greeting",
		"garbage": "invalid character",
		"long":    "more than",
		"early":   "frame of type 9 before it is ready",
		"refuse":  "too bad",
	} {
		t.Run(way, func(t *testing.T) {
			e := isolated(t, 2)
			engine.SetWorkerArgs(e, fakeWorker, way)
			for range 2 { // the second time it waits, or is told at once
				_, err := e.Compile(t.Context(), engine.Source{Name: "a.js", Code: []byte("export const render = 1")})
				if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "start a worker process") {
					t.Errorf("got %v, want %q", err, want)
				}
			}
			// It heals by itself as soon as processes start again.
			engine.SetWorkerArgs(e, "spore-worker")
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
				c, err := e.Compile(t.Context(), engine.Source{Name: "a.js", Code: []byte("export const render = p => p")})
				if err == nil {
					c.Close()
					break
				}
				if time.Now().After(deadline) {
					t.Fatal(err)
				}
			}
		})
	}
	t.Run("silent", func(t *testing.T) {
		e := isolated(t, 2)
		engine.SetWorkerArgs(e, fakeWorker, "silent")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := e.Compile(ctx, engine.Source{Name: "a.js", Code: []byte("export const render = 1")})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
	checkLeaks(t, before)
	checkChildren(t)
}

// checkChildren fails the test if this process has a child, dead or alive.
func checkChildren(t *testing.T) {
	t.Helper()
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); !errors.Is(err, syscall.ECHILD) {
		t.Errorf("there is a child process: %d, %v", pid, err)
	}
}

// TestIsolationKill kills and stops worker processes at random while they work.
// Each call has the right answer or a typed error, and the engine goes on.
func TestIsolationKill(t *testing.T) {
	faults := 100
	if testing.Short() {
		faults = 20
	}
	before := resources(t)
	t.Run("load", func(t *testing.T) {
		e := isolated(t, 4)
		sources := map[string]string{
			"a.tsx": `export default ({ n, way }: any) => { if (way == "spin") for (;;); return <b>{n}</b> }`,
			"b.py":  "def render(p):\n    while p['way'] == 'spin': pass\n    return f\"<b>{p['n']}</b>\"",
		}
		var components []*engine.Component
		for name, code := range sources {
			components = append(components, compile(t, e, name, code))
		}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		var mu sync.Mutex
		deaths, good := 0, 0
		for g := range 4 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(2, uint64(g)))
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					c := components[r.IntN(2)]
					way := []string{"", "", "spin"}[r.IntN(3)]
					opt := &engine.Options{Tenant: []string{"x", "y"}[g%2], Limits: engine.Limits{CallTime: 200 * time.Millisecond}}
					if way == "spin" {
						opt.Limits.CallTime = 10 * time.Millisecond
					}
					var err error
					var res *engine.Result
					if r.IntN(10) == 0 {
						var mine *engine.Component
						name := c.Name()
						if mine, err = e.Compile(t.Context(), engine.Source{Name: name, Code: []byte(sources[name]), Tenant: "x"}); err == nil {
							way = "compiled"
							mine.Close()
						}
					} else {
						res, err = c.Render(t.Context(), map[string]any{"n": n, "way": way}, opt)
					}
					_, died := errors.AsType[*engine.WorkerError](err)
					le, limited := errors.AsType[*engine.LimitError](err)
					mu.Lock()
					switch {
					case died:
						deaths++
					case limited && strings.HasSuffix(le.Limit, "Time"): // stopped, or spinning
					case err == nil && (way == "compiled" || res.Text() == fmt.Sprintf("<b>%d</b>", n)):
						good++
					default:
						t.Errorf("%s %q: %v, %v", c.Name(), way, res, err)
					}
					mu.Unlock()
				}
			})
		}
		r := rand.New(rand.NewPCG(3, 3))
		for i := 0; i < faults; i++ {
			time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
			pids := engine.BusyWorkers(e)
			if len(pids) == 0 {
				continue
			}
			signal := syscall.SIGKILL
			if i%25 == 24 {
				signal = syscall.SIGSTOP
			}
			syscall.Kill(pids[r.IntN(len(pids))], signal)
		}
		close(stop)
		wg.Wait()
		t.Logf("%d calls were right, %d died", good, deaths)
		if good == 0 || deaths == 0 {
			t.Error("the test has tested nothing")
		}
		for _, c := range components {
			for {
				r, err := c.Render(t.Context(), map[string]any{"n": 5, "way": ""}, nil)
				if _, died := errors.AsType[*engine.WorkerError](err); died {
					continue // it was killed in the end
				}
				if le, ok := errors.AsType[*engine.LimitError](err); ok && le.Limit == "CallTime" {
					continue // it was stopped
				}
				if err != nil || r.Text() != "<b>5</b>" {
					t.Errorf("afterwards: %v, %v", r, err)
				}
				break
			}
		}
	})
	checkLeaks(t, before)
	checkChildren(t)
}

// TestIsolationStopped calls a worker process that was stopped: the limit and
// the context hold nevertheless.
func TestIsolationStopped(t *testing.T) {
	e := isolated(t, 1)
	c := compile(t, e, "a.js", `export const render = p => "fine"`)
	signal := func(s syscall.Signal) {
		for _, pid := range engine.WorkerProcesses(e) {
			syscall.Kill(pid, s)
		}
	}
	signal(syscall.SIGSTOP)
	_, err := c.Render(t.Context(), nil, &engine.Options{Limits: engine.Limits{CallTime: 50 * time.Millisecond}})
	if le, ok := errors.AsType[*engine.LimitError](err); !ok || le.Limit != "CallTime" || le.Max != int64(50*time.Millisecond) {
		t.Errorf("got %v", err)
	}
	if got := render(t, c, nil, nil); got != "fine" {
		t.Errorf("next render is %q", got)
	}
	signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	// More than a pipe holds, so that it cannot even be sent.
	if _, err = c.Render(ctx, strings.Repeat("x", 1<<20), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	// On a very slow machine the context may have ended before anything was sent.
	signal(syscall.SIGCONT)
	if got := render(t, c, nil, nil); got != "fine" {
		t.Errorf("next render is %q", got)
	}
}

// TestIsolationClose closes engines while processes start, work and sleep.
func TestIsolationClose(t *testing.T) {
	before := resources(t)
	for i := range 6 {
		e, err := engine.New(engine.Config{Runtimes: allRuntimes(), CacheDir: sharedCache, Isolation: engine.Subprocess, Workers: 2,
			Limits: engine.Limits{CallTime: time.Minute}})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for g := range 6 {
			wg.Go(func() {
				name, code := "spin.js", `export function render() { for (;;); }`
				if g%2 == 1 {
					name, code = "nap.py", "import time\ndef render(p): time.sleep(50)"
				}
				c, err := e.Compile(context.Background(), engine.Source{Name: name, Code: []byte(code)})
				if err == nil {
					_, err = c.Render(context.Background(), nil, nil)
				}
				if !errors.Is(err, engine.ErrClosed) {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		time.Sleep(time.Duration(i*60) * time.Millisecond)
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if n := len(engine.WorkerProcesses(e)); n > 0 {
			t.Errorf("%d processes are left", n)
		}
	}
	checkLeaks(t, before)
	checkChildren(t)
}
