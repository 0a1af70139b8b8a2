package engine_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

// shared is an engine for all tests that do not need one of their own, and
// sharedCache its cache directory, with which others start fast.
var (
	shared      *engine.Engine
	sharedCache string
)

func TestMain(m *testing.M) {
	engine.ServeWorker(allRuntimes()...)
	switch os.Args[0] {
	case fakeWorker:
		os.Exit(runFakeWorker(os.Args[1]))
	case killedWorker:
		fmt.Fprintln(os.Stderr, "killed worker:", runKilled(os.Args[1:]))
		os.Exit(1)
	case echoWorker:
		os.Exit(runEcho(os.Args[1]))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	flag.Parse()
	dir, err := os.MkdirTemp("", "spore-engine-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	sharedCache, engine.TestCacheDir = dir, dir
	shared, err = engine.New(engine.Config{Runtimes: allRuntimes(), CacheDir: dir, VerifyReset: !benchmarks(), Limits: patient(engine.Limits{})})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := shared.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "close engine:", err)
		return 1
	}
	return code
}

// benchmarks reports whether benchmarks run. In tests every reset of a guest is
// verified, byte for byte.
func benchmarks() bool { return flag.Lookup("test.bench").Value.String() != "" }

func allRuntimes() []runtimes.Runtime {
	return []runtimes.Runtime{javascript.Runtime(), python.Runtime()}
}

// patient gives a call and a compilation a minute, unless l says how long they
// have: what does not test these limits has time on a busy machine, too.
func patient(l engine.Limits) engine.Limits {
	if l.CallTime == 0 {
		l.CallTime = time.Minute
	}
	if l.CompileTime == 0 {
		l.CompileTime = time.Minute
	}
	return l
}

// newEngine returns an engine for one test, patient, and with the shared cache
// unless cfg names another.
func newEngine(t testing.TB, cfg engine.Config) *engine.Engine {
	t.Helper()
	if cfg.Runtimes == nil {
		cfg.Runtimes = allRuntimes()
	}
	if cfg.CacheDir == "" {
		cfg.CacheDir = sharedCache
	}
	cfg.Limits = patient(cfg.Limits)
	cfg.VerifyReset = !benchmarks()
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

// compile compiles code on e and closes the component when the test ends.
func compile(t testing.TB, e *engine.Engine, name, code string) *engine.Component {
	t.Helper()
	c, err := e.Compile(context.Background(), engine.Source{Name: name, Code: []byte(code)})
	if err != nil {
		t.Fatalf("compile %s: %v", name, err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// render renders and returns the text.
func render(t testing.TB, c *engine.Component, props any, opt *engine.Options) string {
	t.Helper()
	r, err := c.Render(context.Background(), props, opt)
	if err != nil {
		t.Fatalf("render %s: %v", c.Name(), err)
	}
	return r.Text()
}
