package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
)

// A parser that does not come to its end holds up nobody for longer than
// CompileTime, and one that panics is an error of the source.
func TestLowerThatHangsOrPanics(t *testing.T) {
	release := make(chan struct{})
	rt := javascript.Runtime()
	lower := rt.Lower
	rt.Lower = func(name string, code []byte) (runtimes.Lowered, []runtimes.Diagnostic) {
		switch name {
		case "hang.ts":
			<-release
		case "panic.ts":
			panic("index out of range")
		}
		return lower(name, code)
	}
	e := newEngine(t, engine.Config{Runtimes: []runtimes.Runtime{rt}, Limits: engine.Limits{CompileTime: time.Second}})
	good := engine.Source{Name: "good.ts", Code: []byte("export const render = () => 1")}
	c, err := e.Compile(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	var se *engine.SourceError
	if _, err := e.Compile(t.Context(), engine.Source{Name: "panic.ts"}); !errors.As(err, &se) || !strings.Contains(err.Error(), "panic.ts:0:0: the parser failed: index out of range") {
		t.Errorf("panic: %v", err)
	}
	var le *engine.LimitError
	for range 2 {
		if _, err := e.Compile(t.Context(), engine.Source{Name: "hang.ts"}); !errors.As(err, &le) || le.Limit != "CompileTime" {
			t.Errorf("hang: %v", err)
		}
	}
	// Both places are taken: the next waits, and gives up.
	if _, err := e.Compile(t.Context(), good); !errors.As(err, &le) || le.Limit != "CompileTime" {
		t.Errorf("third: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Compile(ctx, good); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if got := render(t, c, nil, nil); got != "1" {
		t.Errorf("render beside them: %s", got)
	}
	close(release)
	for { // the places are free again, soon
		c, err := e.Compile(t.Context(), good)
		if err == nil {
			c.Close()
			break
		}
		if !errors.As(err, &le) {
			t.Fatal(err)
		}
	}
}
