package python_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/python"
	"github.com/sporeengine/spore/runtimes/runtimestest"
)

// TestTaken compares taken.txt with what the interpreter says. SPORE_UPDATE=1 writes it anew.
func TestTaken(t *testing.T) {
	c, err := runtimestest.Engine(t, python.Runtime(), t.TempDir()).Compile(context.Background(), engine.Source{Name: "a.py", Code: []byte(`
import re, sys, keyword

def render(_):
    import _imp
    names = set(sys.stdlib_module_names) | set(sys.builtin_module_names) | set(_imp._frozen_module_names())
    names |= set(sys.modules) | {"component"} | set(keyword.kwlist)
    names = {n.partition(".")[0] for n in names}
    return "\n".join(sorted(n for n in names if re.fullmatch("[a-z][a-z0-9_]*", n))) + "\n"
`)})
	require.NoError(t, err)
	r, err := c.Render(context.Background(), nil, nil)
	require.NoError(t, err)
	if os.Getenv("SPORE_UPDATE") != "" {
		require.NoError(t, os.WriteFile("taken.txt", []byte(r.Text()), 0o644))
	}
	want, err := os.ReadFile("taken.txt")
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), r.Text())
}

func TestLinkLeavesSource(t *testing.T) {
	modules := []runtimes.Module{{Name: "gpu", Code: []byte("import other")}, {Name: "known"}, {Name: "other", Code: []byte("x = 1")}, {Name: "no", Code: []byte("x")}}
	for _, code := range []string{"", "import json", "gpus = gpu_ = 1", "import known"} {
		for _, link := range []func(string, []byte, []runtimes.Module) (runtimes.Lowered, []runtimes.Diagnostic){python.Link, python.LinkCell} {
			l, d := link("a.py", []byte(code), modules)
			require.Empty(t, d)
			require.Equal(t, code, string(l.Code))
			require.Empty(t, l.Modules)
		}
	}
	l, _ := python.Link("a.py", []byte("import gpu"), modules)
	require.Equal(t, []string{"gpu", "other"}, l.Modules)
}

var address = regexp.MustCompile(`0x[0-9a-f]+`)

// FuzzLink loads any source with and without a module that it has nothing to do with, and compares what comes out.
func FuzzLink(f *testing.F) {
	for _, code := range []string{"def render(p): return 1", "x = = 1", "'''\xff'''", "1 / 0", "raise SystemExit", "\x00", "# coding: latin-1", "\ufeffdef render(p): return 'ä\\\"'",
		"def f():\n  return g()\ndef g():\n  raise ValueError\nf()", "class E(Exception):\n  def __str__(self): raise self\nraise E", "import sys\nsys.modules['component'] = None\ndef render(p): return 1",
		"(" + strings.Repeat("[", 300), "def render(p):\n  return '''\\N{BULLET}'''"} {
		f.Add([]byte(code))
	}
	modules := runtimes.Module{Name: "offered", Code: []byte("x = 1")}
	eng := runtimestest.Engine(f, python.Runtime(), f.TempDir())
	if _, err := eng.Compile(context.Background(), engine.Source{Name: "a.py", Code: []byte("def render(p): return 1")}); err != nil {
		f.Fatal(err) // which compiles the interpreter: an input may not take so long
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		if len(code) > 4<<10 {
			return
		}
		load := func(linked bool) string {
			code := append([]byte("# offered\n"), code...)
			src := engine.Source{Name: "a.py", Code: code}
			if linked {
				l, _ := python.Link("a.py", code, []runtimes.Module{modules})
				if len(l.Modules) != 1 {
					t.Fatal("the module does not come along")
				}
				src.Code = l.Code
			}
			c, err := eng.Compile(context.Background(), src)
			if err != nil {
				return address.ReplaceAllString(err.Error(), "")
			}
			defer c.Close()
			r, err := c.Render(context.Background(), nil, nil)
			if err != nil {
				return address.ReplaceAllString(err.Error(), "")
			}
			return r.Text()
		}
		if plain, linked := load(false), load(true); plain != linked {
			t.Errorf("%q\n%s\n%s", code, plain, linked)
		}
	})
}
