package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/engine/internal/wasmtest"
	"github.com/sporeengine/spore/snapshot"
)

// forgetful is a reset that overlooks one page.
func forgetful(page int) func(m *snapshot.Memory) error {
	return func(m *snapshot.Memory) error {
		at := page * snapshot.PageSize
		kept := bytes.Clone(m.Bytes()[at : at+snapshot.PageSize])
		err := m.Reset()
		m.Enter()
		defer m.Leave()
		copy(m.Bytes()[at:], kept)
		return err
	}
}

// TestVerifyResetFinds plants a reset that overlooks a page. A call that wrote
// to it fails, whether it had a result or an error, and no other call sees what
// it wrote. Without the option the bug goes through: that is what it is for.
func TestVerifyResetFinds(t *testing.T) {
	const page = wasmtest.Free/snapshot.PageSize + 3
	const at = page*snapshot.PageSize + 100
	harmless := func() *wasmtest.Prog { return new(wasmtest.Prog).Sum(at, 4) }
	for _, verify := range []bool{true, false} {
		t.Run(fmt.Sprint("verify ", verify), func(t *testing.T) {
			var log strings.Builder
			e := newRaw(t, wasmtest.Guest{}, engine.Config{
				VerifyReset: verify,
				Limits:      engine.Limits{Memory: 4 << 20},
				Log:         slog.New(slog.NewTextHandler(&log, nil)),
			})
			engine.SetReset(e, forgetful(page))
			c := compileRaw(t, e, "any")
			for round, p := range []*wasmtest.Prog{
				new(wasmtest.Prog).Store(at, 0xbad),
				new(wasmtest.Prog).Store(at, 0xbad).Die(wasmtest.DieUnreachable),
				new(wasmtest.Prog).Grow(4).Store(at, 0xbad),
			} {
				_, err := c.Render(t.Context(), p, nil)
				if errors.Is(err, engine.ErrReset) != verify {
					t.Fatalf("round %d: %v", round, err)
				}
				_, trapped := errors.AsType[*engine.GuestError](err)
				if trapped != (round == 1) {
					t.Errorf("round %d: the guest's own error: %v", round, err)
				}
				want := "00000000"
				if !verify {
					want = "00000bad"
					settle(t, e)
				}
				if got := render(t, c, harmless(), nil); got != want {
					t.Errorf("round %d: the next render reads %s, want %s", round, got, want)
				}
				if n := e.Stats().BadResets; verify && n != uint64(round+1) || !verify && n != 0 {
					t.Errorf("round %d: %d bad resets counted", round, n)
				}
				if !verify {
					// The next memory is a new one.
					if err := engine.VerifyIdle(c); err == nil {
						t.Errorf("round %d: VerifyIdle finds nothing", round)
					}
				}
			}
			if strings.Contains(log.String(), "component=guest") != verify {
				t.Errorf("log: %s", log.String())
			}
		})
	}
}

// settle waits until the memory of calls that have failed is reset.
func settle(t *testing.T, e *engine.Engine) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); e.Stats().Guests > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("calls go on: %+v", e.Stats())
		}
	}
}

// TestFailedReset: a reset that fails is never taken for one that worked.
func TestFailedReset(t *testing.T) {
	e := newRaw(t, wasmtest.Guest{}, engine.Config{Limits: engine.Limits{Memory: 4 << 20}, Log: slog.New(slog.DiscardHandler)})
	c := compileRaw(t, e, "any")
	planted := errors.New("planted")
	engine.SetReset(e, func(*snapshot.Memory) error { return planted })
	if _, err := c.Render(t.Context(), new(wasmtest.Prog).Store(wasmtest.Free, 1), nil); !errors.Is(err, engine.ErrReset) || !errors.Is(err, planted) {
		t.Errorf("got %v", err)
	}
	engine.SetReset(e, (*snapshot.Memory).Reset)
	if got := render(t, c, new(wasmtest.Prog).Sum(wasmtest.Free, 4), nil); got != "00000000" {
		t.Errorf("the next render reads %s", got)
	}
	if n := e.Stats().BadResets; n != 1 {
		t.Errorf("%d bad resets counted", n)
	}
}
