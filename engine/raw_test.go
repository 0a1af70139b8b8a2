package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/engine/internal/wasmtest"
	"github.com/sporeengine/spore/runtimes"
)

// newRaw returns an engine that runs guest and nothing else, patient, without a cache.
func newRaw(t testing.TB, guest wasmtest.Guest, cfg engine.Config) *engine.Engine {
	t.Helper()
	cfg.Runtimes, cfg.Limits = []runtimes.Runtime{guest.Runtime()}, patient(cfg.Limits)
	e, err := engine.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close engine: %v", err)
		}
	})
	return e
}

// compileRaw compiles code, which says nothing to a hand-written guest but for
// an exclamation mark.
func compileRaw(t testing.TB, e *engine.Engine, code string) *engine.Component {
	t.Helper()
	c, err := e.Compile(t.Context(), engine.Source{Language: "raw", Name: "guest", Code: []byte(code)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestRawGuest makes sure that hand-written guests do what tests with them rely
// on.
func TestRawGuest(t *testing.T) {
	e := newRaw(t, wasmtest.Guest{}, engine.Config{Limits: engine.Limits{Memory: 2 << 20}})
	c := compileRaw(t, e, "any")
	if got := render(t, c, map[string]int{"n": 7}, nil); got != `{"n":7}` {
		t.Errorf("props come back as %s", got)
	}
	big := make([]int, 100_000)
	if want, _ := json.Marshal(big); render(t, c, json.RawMessage(fmt.Sprintf(`{"big":%s}`, want)), nil) != fmt.Sprintf(`{"big":%s}`, want) {
		t.Error("props of 200 KB do not come back")
	}
	needle := [16]byte([]byte("0123456789abcdef"))
	free := uint32(wasmtest.Free)
	for _, p := range []struct {
		name string
		prog *wasmtest.Prog
		want string
	}{
		{"nothing", new(wasmtest.Prog), "00000000"},
		{"fill", new(wasmtest.Prog).Fill(free+1, 3, 0xab).Sum(free, 4), "ababab00"},
		{"store", new(wasmtest.Prog).Store(free, 0xfedcba98).Sum(free, 8), "fedcba98"},
		{"grow", new(wasmtest.Prog).Grow(3).Size(), "00000013"},
		{"grow too far", new(wasmtest.Prog).Grow(25), "ffffffff"},
		{"globals", new(wasmtest.Prog).Globals(), "00000009"},
		{"other globals", new(wasmtest.Prog).SetGlobals(5).Globals(), "0000000f"},
		{"stride", new(wasmtest.Prog).Stride(free, 64<<10, 1).Sum(free, 8<<16-free), "00000005"},
		{"nap", new(wasmtest.Prog).Nap(1).Store(free, 1).Sum(free, 4), "00000001"},
		{"sleep", new(wasmtest.Prog).Store(free, 1).Sleep(1).SetGlobals(1).Sleep(2).Sum(free, 4).Globals(), "00000004"},
		{"scan", new(wasmtest.Prog).Scan(needle), "00000000"},
		{"scan what is there", new(wasmtest.Prog).Bytes(free+3, needle[:]).Copy(8<<16-16, free+3, 16).Scan(needle), "00000002"},
	} {
		if got := render(t, c, p.prog, nil); got != p.want {
			t.Errorf("%s: %s, want %s", p.name, got, p.want)
		}
	}
	for way, want := range []string{"trap", "trap", "trap", "CallTime", "exit", "Stack", "trap"} {
		opt := &engine.Options{}
		if want == "CallTime" {
			opt.Limits.CallTime = 50 * time.Millisecond
		}
		_, err := c.Render(t.Context(), new(wasmtest.Prog).Die(uint32(way)), opt)
		got := limitOf(err)
		if ge, ok := errors.AsType[*engine.GuestError](err); ok {
			got = ge.Kind
		}
		if got != want {
			t.Errorf("death %d: %v, want %s", way, err, want)
		}
	}
}
