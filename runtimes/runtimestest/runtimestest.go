// Package runtimestest is a conformance suite for language runtimes. It runs
// them on a real engine, so it is the one package beside the runtimes that
// imports engine.
package runtimestest

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
)

// Engine returns an engine with rt that is closed when the test ends. cacheDir
// may be shared by the tests of a package, so that the interpreter is compiled
// once. Its calls have a minute: none of these tests is about time.
func Engine(t testing.TB, rt runtimes.Runtime, cacheDir string) *engine.Engine {
	t.Helper()
	eng, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{rt}, CacheDir: cacheDir,
		Limits: engine.Limits{CallTime: time.Minute, CompileTime: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Errorf("close engine: %v", err)
		}
	})
	return eng
}

// Corpus renders every component in dir and compares the result, byte for
// byte, with what the real language printed. For a component name.ext the props
// are in name.props.json, if that exists, and the expected text in name+wantExt.
// Each component is rendered twice, because the second render must not see the
// first. It fails if there are fewer than atLeast components.
func Corpus(t *testing.T, eng *engine.Engine, rt runtimes.Runtime, dir, wantExt string, atLeast int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, entry := range entries {
		ext := filepath.Ext(entry.Name())
		if !slices.Contains(rt.Extensions, ext) {
			continue
		}
		n++
		name := strings.TrimSuffix(entry.Name(), ext)
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			code := read(t, path+ext)
			want := read(t, path+wantExt)
			var props any
			if b, err := os.ReadFile(path + ".props.json"); err == nil {
				props = json.RawMessage(b)
			} else if !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			c, err := eng.Compile(context.Background(), engine.Source{Name: entry.Name(), Code: code})
			if err != nil {
				t.Fatalf("compile: %v", err)
			}
			defer c.Close()
			for i := range 2 {
				r, err := c.Render(context.Background(), props, nil)
				if err != nil {
					t.Fatalf("render %d: %v", i, err)
				}
				if got := r.Text(); got != string(want) {
					t.Fatalf("render %d\n got %s\nwant %s", i, got, want)
				}
			}
		})
	}
	if n < atLeast {
		t.Errorf("%d components in %s, want at least %d", n, dir, atLeast)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
