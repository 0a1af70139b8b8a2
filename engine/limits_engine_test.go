package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
)

// limitOf returns the name of the limit that err reports.
func limitOf(err error) string {
	if le, ok := errors.AsType[*engine.LimitError](err); ok {
		return le.Limit
	}
	return fmt.Sprint(err)
}

// work is a component of each language whose loop runs p.n times, with built-ins
// and allocations in it.
var work = map[string]string{
	"work.js": `export function render({ n }) { let m = new Map(), s = ""; for (let i = 0; i < n; i++) { m.set("k" + i % 97, [i, s.length]); s = JSON.stringify([...m].sort().slice(0, 5)) } return s }`,
	"work.py": "import json, re\ndef render(p):\n    m = {}; s = ''\n    for i in range(p['n']):\n        m[f'k{i % 97}'] = [i, len(s)]\n        s = json.dumps(sorted(m.items())[:5]); re.sub('[0-9]+', '#', s)\n    return s",
}

// TestFuelIsTheSameEveryTime runs the same work on engines of its own, on many
// goroutines, and with limits so close that only an equal count passes.
func TestFuelIsTheSameEveryTime(t *testing.T) {
	for name, code := range work {
		t.Run(name, func(t *testing.T) {
			fixed := &engine.Options{Fixed: &engine.Fixed{Seed: 3}}
			props := map[string]int{"n": 200}
			var fuel int64
			for range 2 {
				c := compile(t, newEngine(t, engine.Config{}), name, code)
				var wg sync.WaitGroup
				var mu sync.Mutex
				for range 4 {
					wg.Go(func() {
						r, err := c.Render(t.Context(), props, fixed)
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						defer mu.Unlock()
						if fuel == 0 {
							fuel = r.Usage.Fuel
						}
						if r.Usage.Fuel != fuel || fuel == 0 {
							t.Errorf("used %d, before %d", r.Usage.Fuel, fuel)
						}
					})
				}
				wg.Wait()
				opt := *fixed
				opt.Limits.Fuel = fuel + 1
				if r, err := c.Render(t.Context(), props, &opt); err != nil || r.Usage.Fuel != fuel {
					t.Errorf("with one unit more than needed: %v", err)
				}
				opt.Limits.Fuel = fuel - 1
				_, err := c.Render(t.Context(), props, &opt)
				if le, ok := errors.AsType[*engine.LimitError](err); !ok || le.Limit != "Fuel" || le.Max != fuel-1 {
					t.Errorf("with one unit less than needed: %v", err)
				}
				opt.Limits.Fuel = 1
				if _, err := c.Render(t.Context(), props, &opt); limitOf(err) != "Fuel" {
					t.Errorf("with one unit: %v", err)
				}
			}
		})
	}
}

// TestFuelCoversSleeps: what is used before and after a sleep adds up.
func TestFuelCoversSleeps(t *testing.T) {
	for name, code := range map[string]string{
		"naps.js": `export async function render({ n, naps }) { let x = 0; for (let i = 0; i < naps; i++) { for (let j = 0; j < n; j++) x += j; await new Promise(r => setTimeout(r, 1)) } return x }`,
		"naps.py": "import asyncio\nasync def render(p):\n    x = 0\n    for i in range(p['naps']):\n        for j in range(p['n']): x += j\n        await asyncio.sleep(0.001)\n    return x",
	} {
		c := compile(t, shared, name, code)
		fuel := func(naps int) int64 {
			r, err := c.Render(t.Context(), map[string]int{"n": 5000, "naps": naps}, &engine.Options{Fixed: &engine.Fixed{}})
			if err != nil {
				t.Fatal(err)
			}
			return r.Usage.Fuel
		}
		few, many := fuel(2), fuel(12)
		if many < 4*few || many > 8*few {
			t.Errorf("%s: 2 rounds use %d, 12 use %d", name, few, many)
		}
		_, err := c.Render(t.Context(), map[string]int{"n": 5000, "naps": 12}, &engine.Options{Fixed: &engine.Fixed{}, Limits: engine.Limits{Fuel: many / 2}})
		if limitOf(err) != "Fuel" {
			t.Errorf("%s with half of its fuel: %v", name, err)
		}
	}
}

// TestAdmission fills an engine with guests that sleep. Others wait until their
// context ends or there is room, and the tenant that has least goes first.
func TestAdmission(t *testing.T) {
	memory := engine.Limits{Memory: 80 << 20}
	for _, c := range []struct {
		what string
		cfg  engine.Config
	}{
		{"guests", engine.Config{Guests: 3}},
		{"memory", engine.Config{GuestMemory: 250 << 20, Limits: memory}},
		{"guests in processes", engine.Config{Guests: 3, Isolation: engine.Subprocess}},
		{"memory of processes", engine.Config{GuestMemory: 250 << 20, Limits: memory, Isolation: engine.Subprocess}},
	} {
		t.Run(c.what, func(t *testing.T) {
			c.cfg.Workers = 2
			c.cfg.Limits.CallTime = time.Minute
			e := newEngine(t, c.cfg)
			nap := compile(t, e, "nap.js", `export async function render({ ms }) { await new Promise(r => setTimeout(r, ms)); return "" }`)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var wg sync.WaitGroup
			sleepers := func(n int, tenant string) {
				for range n {
					wg.Go(func() {
						if _, err := nap.Render(ctx, map[string]int{"ms": 60000}, &engine.Options{Tenant: tenant}); !errors.Is(err, context.Canceled) {
							t.Errorf("a guest that sleeps: %v", err)
						}
					})
				}
			}
			until := func(what string, f func(s engine.Stats) bool) {
				t.Helper()
				for end := time.Now().Add(20 * time.Second); !f(e.Stats()); time.Sleep(time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("%s: %+v", what, e.Stats())
					}
				}
			}
			sleepers(3, "greedy")
			until("the engine is full", func(s engine.Stats) bool { return s.Guests == 3 })

			short, end := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer end()
			if _, err := nap.Render(short, map[string]int{"ms": 0}, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a call for which there is no room: %v", err)
			}
			if _, err := e.Compile(short, engine.Source{Name: "a.js", Code: []byte("export const render = 1")}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a compilation for which there is no room: %v", err)
			}

			// Fifty of the greedy tenant wait when another comes.
			sleepers(50, "greedy")
			until("fifty wait", func(s engine.Stats) bool { return s.Waiting == 50 })
			modest := make(chan error, 1)
			go func() {
				_, err := nap.Render(t.Context(), map[string]int{"ms": 0}, &engine.Options{Tenant: "modest"})
				modest <- err
			}()
			until("the modest tenant waits", func(s engine.Stats) bool { return s.Waiting == 51 })
			select {
			case err := <-modest:
				t.Fatalf("the modest tenant found room: %v", err)
			default:
			}
			cancel() // all of the greedy tenant go
			if err := <-modest; err != nil {
				t.Error(err)
			}
			wg.Wait()
			until("nothing is left", func(s engine.Stats) bool { return s.Guests == 0 && s.GuestMemory == 0 && s.Waiting == 0 })
		})
	}
}

// TestTenantsShareWorkers: a tenant that keeps every worker busy with a long
// queue delays another by no more than what runs.
func TestTenantsShareWorkers(t *testing.T) {
	e := newEngine(t, engine.Config{Workers: 1, GuestMemory: 8 << 30, Limits: engine.Limits{CallTime: time.Minute}})
	spin := compile(t, e, "spin.py", "import time\ndef render(p):\n    end = time.monotonic() + p['ms'] / 1000\n    while time.monotonic() < end: pass\n    return str(p['ms'])")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	finished := 0
	var mu sync.Mutex
	for range 100 {
		wg.Go(func() {
			if _, err := spin.Render(ctx, map[string]int{"ms": 20}, &engine.Options{Tenant: "greedy"}); err == nil {
				mu.Lock()
				finished++
				mu.Unlock()
			}
		})
	}
	for e.Stats().Guests < 100 {
		time.Sleep(time.Millisecond)
	}
	mu.Lock()
	before := finished
	mu.Unlock()
	if _, err := spin.Render(t.Context(), map[string]int{"ms": 0}, &engine.Options{Tenant: "modest"}); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	after := finished
	mu.Unlock()
	cancel()
	wg.Wait()
	// One ran, and one may have been started or counted meanwhile.
	if after-before > 3 {
		t.Errorf("%d calls of the greedy tenant ended before that of the modest one", after-before)
	}
}
