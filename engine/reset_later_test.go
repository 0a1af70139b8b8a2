package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/snapshot"
)

// TestResetAfterFailure has calls that fail with much memory written, whose reset
// goes on when they have returned. The next render is right at once, and Close
// waits for what is left to do.
func TestResetAfterFailure(t *testing.T) {
	render(t, compile(t, shared, "warm.js", `export const render = () => ""`), nil, nil)
	before := resources(t)
	for range 5 {
		// Not by newEngine, which verifies resets and so waits for them.
		e, err := engine.New(engine.Config{Runtimes: allRuntimes(), CacheDir: sharedCache, Workers: 2, Guests: 6, Limits: patient(engine.Limits{})})
		if err != nil {
			t.Fatal(err)
		}
		sources := map[string]string{
			"a.js": `let seen; export function render({ n, fail }) { if (seen) return "leak"; seen = n; if (fail) { const a = new Uint8Array(40 << 20).fill(1); throw new Error("x" + n) } return "<b>" + n + "</b>" }`,
			"b.py": "seen = None\ndef render(p):\n    global seen\n    if seen: return 'leak'\n    seen = p['n']\n    if p['fail']:\n        a = b'1' * (30 << 20)\n        raise ValueError(f\"x{p['n']}\")\n    return f\"<b>{p['n']}</b>\"",
		}
		var wg sync.WaitGroup
		for name, code := range sources {
			c, err := e.Compile(t.Context(), engine.Source{Name: name, Code: []byte(code)})
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				wg.Go(func() {
					for n := 1; n < 8; n++ {
						_, err := c.Render(context.Background(), map[string]any{"n": n, "fail": true}, nil)
						if ge, ok := errors.AsType[*engine.GuestError](err); !ok || ge.Message != fmt.Sprintf("x%d", n) {
							t.Errorf("%s: %v", name, err)
						}
						r, err := c.Render(context.Background(), map[string]any{"n": n, "fail": false}, nil)
						if err != nil || r.Text() != fmt.Sprintf("<b>%d</b>", n) {
							t.Errorf("%s: %v, %v", name, r, err)
						}
					}
				})
			}
		}
		wg.Wait()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if s := e.Stats(); s.Guests != 0 || s.GuestMemory != 0 || s.BadResets != 0 {
			t.Errorf("after Close: %+v", s)
		}
	}
	checkLeaks(t, before)
}

// TestFailedResetAfterFailure has a reset that goes wrong when nobody waits for it:
// it is counted, and the memory is not used again.
func TestFailedResetAfterFailure(t *testing.T) {
	e, err := engine.New(engine.Config{Runtimes: allRuntimes(), CacheDir: sharedCache, Log: slog.New(slog.DiscardHandler), Limits: patient(engine.Limits{})})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	engine.SetReset(e, func(*snapshot.Memory) error { return errors.New("planted") })
	c := compile(t, e, "a.py", "seen = []\ndef render(p):\n    if seen: return 'leak'\n    seen.append(1)\n    if p['fail']: raise ValueError('x')\n    return 'fine'")
	_, err = c.Render(t.Context(), map[string]any{"fail": true}, nil)
	if _, ok := errors.AsType[*engine.GuestError](err); !ok || errors.Is(err, engine.ErrReset) {
		t.Errorf("got %v", err)
	}
	for deadline := time.Now().Add(10 * time.Second); e.Stats().BadResets == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the failed reset is not counted")
		}
	}
	if _, err := c.Render(t.Context(), map[string]any{"fail": false}, nil); !errors.Is(err, engine.ErrReset) {
		t.Errorf("a call whose reset failed: %v", err)
	}
	engine.SetReset(e, (*snapshot.Memory).Reset)
	if got := render(t, c, map[string]any{"fail": false}, nil); got != "fine" {
		t.Errorf("next render is %q", got)
	}
}
