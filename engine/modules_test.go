package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes/python"
)

// greet is a module in both languages, and base one that it imports.
func greet(t testing.TB, greeting string) hostfuncs.Set {
	t.Helper()
	hello := hostfuncs.New("greet.word", "", func(context.Context, struct{}) (string, error) { return greeting, nil })
	s, err := hostfuncs.Set{}.WithModules(
		hostfuncs.Module{
			Name: "greet", Functions: []hostfuncs.Func{hello},
			Sources: map[string]string{
				"python": `import base, spore

count = 0

def hello(name):
    global count
    count += 1
    return f"{spore.call_sync('greet.word')}, {base.loud(name)} ({count}, ` + greeting + `)"

def fail():
    raise ValueError("of the module")

def local():
    return "` + greeting + `"
`,
				"javascript": `import { callSync } from 'spore';
import { loud } from 'base';

let count = 0;

export function hello(name) {
  count++;
  return ` + "`${callSync('greet.word')}, ${loud(name)} (${count}, " + greeting + ")`" + `;
}

export function fail() {
  throw new RangeError('of the module');
}

export const local = () => '` + greeting + `';
export default { hello, fail, local };
`,
			},
		},
		hostfuncs.Module{Name: "base", Sources: map[string]string{
			"python":     "def loud(s):\n    return s.upper()\n",
			"javascript": "export const loud = (s) => s.toUpperCase();\n",
		}},
		hostfuncs.Module{Name: "broken", Sources: map[string]string{
			"python":     "import re\nx = = 1\n",
			"javascript": "export const a = 1;\nexport const b = = 2;\n",
		}},
		hostfuncs.Module{Name: "late", Sources: map[string]string{
			"python":     "\n\nraise KeyError('at once')\n",
			"javascript": "\n\nthrow new TypeError('at once');\n",
		}},
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// inBoth runs a test on the shared engine and with worker processes.
func inBoth(t *testing.T, test func(t *testing.T, e *engine.Engine)) {
	t.Run("in process", func(t *testing.T) { test(t, shared) })
	t.Run("subprocess", func(t *testing.T) {
		test(t, newEngine(t, engine.Config{Isolation: engine.Subprocess, Workers: 2}))
	})
}

func compileWith(t testing.TB, e *engine.Engine, s hostfuncs.Set, name, code string) *engine.Component {
	t.Helper()
	c, err := e.Compile(t.Context(), engine.Source{Name: name, Code: []byte(code), Modules: s.Modules()})
	if err != nil {
		t.Fatalf("compile %s: %v", name, err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestModules(t *testing.T) {
	inBoth(t, func(t *testing.T, e *engine.Engine) {
		grants := greet(t, "Hi")
		opt := &engine.Options{Grants: grants}
		for name, code := range map[string]string{
			"a.py":   "'''Doc.'''\nfrom __future__ import annotations\nimport greet\nfrom greet import hello\nassert __doc__ == 'Doc.'\ndef render(p):\n    return hello('you') + '/' + greet.hello(p['name'])\n",
			"b.py":   "def render(p):\n    import greet\n    return greet.hello('you') + '/' + greet.hello(p['name'])\n",
			"a.tsx":  "import greet, { hello } from 'greet';\nexport const render = (p: { name: string }) => hello('you') + '/' + greet.hello(p.name);\n",
			"b.js":   "import * as greet from 'greet';\nexport const render = (p) => greet.hello('you') + '/' + greet.hello(p.name);\n",
			"c.tsx":  "export const render = async (p: { name: string }) => { const greet = await import('greet'); return greet.hello('you') + '/' + greet.default.hello(p.name) };\n",
			"of.tsx": "import greet from 'greet';\nimport { loud } from 'base';\nexport default ({ name }: { name: string }) => <>{greet.hello(loud('you')) + '/' + greet.hello(name)}</>;\n",
		} {
			c := compileWith(t, e, grants, name, code)
			for range 2 { // the module's state starts anew
				const want = "Hi, YOU (1, Hi)/Hi, BOB (2, Hi)"
				if got := render(t, c, map[string]string{"name": "Bob"}, opt); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		}
	})
}

// TestModulesDigest: a component that imports a module has it in its digest, and others have not.
func TestModulesDigest(t *testing.T) {
	inBoth(t, func(t *testing.T, e *engine.Engine) {
		again := newEngine(t, engine.Config{})
		for _, test := range []struct{ name, imports, plain string }{
			{"a.py", "import greet\ndef render(p):\n    return greet.local()\n", "def render(p):\n    return 'x'\n"},
			{"a.tsx", "import { local } from 'greet';\nexport const render = () => local();\n", "export const render = () => 'x';\n"},
		} {
			one := compileWith(t, e, greet(t, "Hi"), test.name, test.imports)
			same := compileWith(t, again, greet(t, "Hi"), test.name, test.imports)
			other := compileWith(t, e, greet(t, "Ho"), test.name, test.imports)
			if one.Digest() != same.Digest() {
				t.Errorf("%s: another engine makes another image", test.name)
			}
			if one.Digest() == other.Digest() {
				t.Errorf("%s: another module, the same digest", test.name)
			}
			if got := render(t, one, nil, nil) + render(t, other, nil, nil); got != "HiHo" {
				t.Errorf("%s: %s", test.name, got)
			}
			if a, b := compileWith(t, e, greet(t, "Hi"), test.name, test.plain), compile(t, e, test.name, test.plain); a.Digest() != b.Digest() {
				t.Errorf("%s: an offered module that is not imported has changed the image", test.name)
			}
			// An image needs no modules to be loaded elsewhere.
			s, err := one.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			loaded, err := again.Load(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			defer loaded.Close()
			if got := render(t, loaded, nil, nil); got != "Hi" {
				t.Errorf("%s: loaded: %s", test.name, got)
			}
		}
	})
}

// TestModulesErrors: positions are those of the component, or of the module's own file.
func TestModulesErrors(t *testing.T) {
	inBoth(t, func(t *testing.T, e *engine.Engine) {
		grants := greet(t, "Hi")
		for _, test := range []struct {
			name, code string
			stack      []string // innermost first
		}{
			{"a.py", "import greet\n\ndef render(p):\n    x = 1\n    return greet.fail()\n", []string{"<greet>:11", "a.py:5"}},
			{"b.py", "import greet\n\ndef render(p):\n    x = 1\n    return greet.absent\n", []string{"b.py:5"}},
			{"a.tsx", "import greet from 'greet';\n\nexport const render = () => {\n  const x = 1;\n  return greet.fail() + x;\n};\n", []string{"<greet>:12", "a.tsx:5"}},
			{"b.tsx", "import greet from 'greet';\n\nexport const render = () => {\n  const x = 1;\n  return greet.absent() + x;\n};\n", []string{"b.tsx:5"}},
		} {
			c := compileWith(t, e, grants, test.name, test.code)
			_, err := c.Render(t.Context(), nil, &engine.Options{Grants: grants})
			checkStack(t, test.name, err, test.stack)
		}
		for _, test := range []struct {
			name, code string
			stack      []string
		}{
			{"load.py", "x = 1\nimport late\ndef render(p): pass\n", []string{"<late>:3", "load.py:2"}},
			{"syntax.py", "x = 1\nimport broken\ndef render(p): pass\n", []string{"syntax.py:2"}},
			{"raise.py", "import greet\n\n1 / 0\ndef render(p): pass\n", []string{"raise.py:3"}},
			{"load.tsx", "const x = 1;\nimport 'late';\nexport const render = () => x;\n", []string{"<late>:3"}},
			{"raise.tsx", "import 'greet';\n\nnull.x;\nexport const render = () => 1;\n", []string{"raise.tsx:3"}},
		} {
			_, err := e.Compile(t.Context(), engine.Source{Name: test.name, Code: []byte(test.code), Modules: grants.Modules()})
			checkStack(t, test.name, err, test.stack)
			if test.name == "syntax.py" && !strings.Contains(fmt.Sprint(err), "<broken>, line 2") {
				t.Errorf("the file is not named: %v", err)
			}
		}
		for _, test := range []struct{ name, code, want string }{
			{"a.py", "import greet\ndef render(p) return 1\n", "a.py:2:15: "},
			{"nul.py", "import greet\n\x00\ndef render(p): return 1\n", "nul.py:2:1: "},
			{"bytes.py", "import greet\n\xff\ndef render(p): return 1\n", "bytes.py:2:1: "},
			{"none.py", "import greet\nx = 1\n", "component defines no function"},
			{"a.tsx", "import greet from 'greet';\nexport const render = = 1;\n", "a.tsx:2:23: "},
			{"b.tsx", "import other from 'other';\nexport const render = () => other;\n", `b.tsx:1:19: cannot import "other"; a component can import react, react/jsx-runtime, react-dom, react-dom/server, spore, base, broken, greet, late`},
			{"broken.tsx", "import * as b from 'broken';\nexport const render = () => b.b;\n", "<broken>:2:18: "},
		} {
			_, err := e.Compile(t.Context(), engine.Source{Name: test.name, Code: []byte(test.code), Modules: grants.Modules()})
			var se *engine.SourceError
			if !errors.As(err, &se) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v, want %s", test.name, err, test.want)
			}
		}
	})
}

func checkStack(t *testing.T, name string, err error, want []string) {
	t.Helper()
	var ge *engine.GuestError
	if !errors.As(err, &ge) {
		t.Errorf("%s: %v", name, err)
		return
	}
	var got []string
	for _, f := range ge.Stack {
		got = append(got, fmt.Sprintf("%s:%d", f.File, f.Line))
	}
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("%s: %v\nstack %v, want %v\n%s", name, err, got, want, ge.Trace)
	}
}

// TestModulesInCells: cells import what the component has imported, and what it has not.
func TestModulesInCells(t *testing.T) {
	inBoth(t, func(t *testing.T, e *engine.Engine) {
		grants := greet(t, "Hi")
		for _, test := range []struct {
			name, code string
			cells      [][2]string
		}{
			{"with.py", "import greet\nmine = greet\ndef render(p): return greet.hello('x')\n", [][2]string{
				{"import greet\ngreet is mine, greet.hello('a')", "(True, 'Hi, A (1, Hi)')"},
				{"import base; base.loud('q')", "'Q'"},
			}},
			{"without.py", "def render(p): return 1\n", [][2]string{
				{"exec = compile = globals = None", ""},
				{"import greet\nfirst = greet\ngreet.hello('a')", "'Hi, A (1, Hi)'"},
				{"import asyncio, greet\nawait asyncio.sleep(0)\ngreet is first, greet.hello('b')", "(True, 'Hi, B (2, Hi)')"},
				{"'exec' in dir(), [n for n in dir() if n in ('Finder', 'modules', 'what', 'source')]", "(True, [])"},
			}},
			{"with.tsx", "import greet from 'greet';\nexport const mine = greet;\nexport const render = () => 1;\n", [][2]string{
				{"import { mine } from 'component';\nimport greet from 'greet';\n[greet === mine, greet.hello('a')]", "[ true, 'Hi, A (1, Hi)' ]"},
				{"(await import('greet')).hello('b')", "'Hi, B (2, Hi)'"},
				{"import { loud } from 'base'; loud('q')", "'Q'"},
			}},
			{"without.tsx", "export const render = () => 1;\n", [][2]string{
				{"import * as greet from 'greet';\nvar first = greet;\nlet y = greet.hello('a')", ""},
				{"y", "'Hi, A (1, Hi)'"},
				{"import greet from 'greet'; [greet === first.default, greet.hello('b')]", "[ true, 'Hi, B (2, Hi)' ]"},
				{"import { loud } from 'base'", ""},
				{"loud('q')", "'Q'"},
				{"require('greet').hello('c')", "'Hi, C (3, Hi)'"},
			}},
		} {
			t.Run(test.name, func(t *testing.T) {
				c := compileWith(t, e, grants, test.name, test.code)
				opt := &engine.Options{Grants: grants}
				in, err := c.Open(t.Context(), opt)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { in.Close() }()
				for i, cell := range test.cells {
					got, err := in.Exec(t.Context(), fmt.Sprintf("cell%d", i), cell[0])
					if err != nil || got.Text != cell[1] {
						t.Errorf("%s: %q, %v, want %q", cell[0], got.Text, err, cell[1])
					}
				}
				_, err = in.Exec(t.Context(), "bad", "import greet\n\ngreet.fail()")
				want := []string{"<greet>:11", "bad:3"}
				if strings.HasSuffix(test.name, ".tsx") {
					want[0] = "<greet>:12"
					_, err = in.Exec(t.Context(), "bad", "import greet from 'greet';\n\ngreet.fail()")
				}
				checkStack(t, test.name, err, want)
				// Elsewhere, where nothing is offered any more, what was imported stays.
				d, err := in.Snapshot(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				in.Close()
				functions, err := hostfuncs.NewSet(slices.Collect(grants.All())...)
				if err != nil {
					t.Fatal(err)
				}
				if in, err = e.Resume(t.Context(), d, &engine.Options{Grants: functions}); err != nil {
					t.Fatal(err)
				}
				code, want2 := "import greet; greet.local()", "'Hi'"
				if strings.HasSuffix(test.name, ".tsx") {
					code = "import { local } from 'greet'; local()"
				}
				if got, err := in.Exec(t.Context(), "resumed", code); err != nil || got.Text != want2 {
					t.Errorf("resumed: %q, %v", got.Text, err)
				}
			})
		}
	})
}

// TestModulesCellsThatDoNotParse do not count as having brought a module along.
func TestModulesCellsThatDoNotParse(t *testing.T) {
	grants := greet(t, "Hi")
	for name, test := range map[string][3]string{
		"a.py":  {"def render(p): return 1\n", "import greet\nx = = 1\n", "import greet; greet.local()"},
		"a.tsx": {"export const render = () => 1;\n", "import greet from 'greet';\nlet x = = 1\n", "import { local } from 'greet'; local()"},
	} {
		in, err := compile(t, shared, name, test[0]).Open(t.Context(), &engine.Options{Grants: grants})
		if err != nil {
			t.Fatal(err)
		}
		var se *engine.SourceError
		if _, err := in.Exec(t.Context(), "bad", test[1]); !errors.As(err, &se) || se.Diagnostics[0].File != "bad" || se.Diagnostics[0].Line != 2 {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := in.Exec(t.Context(), "good", test[2]); err != nil || got.Text != "'Hi'" {
			t.Errorf("%s: %v %v", name, got, err)
		}
		in.Close()
	}
}

// TestModulesRefused: names that are taken, whatever the component imports.
func TestModulesRefused(t *testing.T) {
	module := func(name string, languages ...string) hostfuncs.Module {
		m := hostfuncs.Module{Name: name, Sources: map[string]string{}}
		for _, l := range languages {
			m.Sources[l] = "x"
		}
		return m
	}
	py := engine.Source{Name: "a.py", Code: []byte("def render(p): return 1\n")}
	js := engine.Source{Name: "a.js", Code: []byte("export const render = () => 1;\n")}
	for _, test := range []struct {
		src engine.Source
		m   []hostfuncs.Module
		bad bool
	}{
		{py, []hostfuncs.Module{module("json", "python")}, true},
		{py, []hostfuncs.Module{module("jinja2", "python")}, true},
		{py, []hostfuncs.Module{module("tkinter", "python")}, true},
		{py, []hostfuncs.Module{module("import", "python")}, true},
		{py, []hostfuncs.Module{module("component", "python")}, true},
		{py, []hostfuncs.Module{module("a", "python"), module("a", "python")}, true},
		{py, []hostfuncs.Module{module("", "python")}, true},
		{py, []hostfuncs.Module{module("A", "python")}, true},
		{py, []hostfuncs.Module{module("a")}, true},
		{py, []hostfuncs.Module{module("react", "python")}, false},
		{py, []hostfuncs.Module{module("json", "javascript")}, false},
		{js, []hostfuncs.Module{module("react", "javascript")}, true},
		{js, []hostfuncs.Module{module("json", "javascript")}, false},
		{js, []hostfuncs.Module{module("b", "javascript"), module("c", "cobol")}, false},
	} {
		src := test.src
		src.Modules = test.m
		c, err := shared.Compile(t.Context(), src)
		if err == nil {
			c.Close()
		}
		if errors.Is(err, hostfuncs.ErrModule) != test.bad || (err != nil) != test.bad {
			t.Errorf("%s with %s: %v", src.Name, test.m[0].Name, err)
		}
	}
	// The same in a cell.
	s, err := hostfuncs.Set{}.WithModules(module("json", "python"))
	if err != nil {
		t.Fatal(err)
	}
	in, err := compile(t, shared, py.Name, string(py.Code)).Open(t.Context(), &engine.Options{Grants: s})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := in.Exec(t.Context(), "c", "1"); !errors.Is(err, hostfuncs.ErrModule) {
		t.Errorf("cell: %v", err)
	}
}

// TestModulesPrecompiled: what an interpreter has made of a source is taken for this source only.
func TestModulesPrecompiled(t *testing.T) {
	maker := compile(t, shared, "maker.py", "import marshal, zlib\ndef render(p): return zlib.compress(marshal.dumps(compile(p, '<pre>', 'exec', 0, True)))\n")
	r, err := maker.Render(t.Context(), "\n\ndef which(): return 'program'\ndef fail(): 1 / 0\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	const source = "def which(): return 'source'\n"
	pre := hostfuncs.Module{Name: "pre", Sources: map[string]string{"python": source}, Precompiled: map[string][]byte{"python": python.Precompiled(source, r.Buffers[0])}}
	other := pre
	other.Sources = map[string]string{"python": "# another\n" + source}
	foreign := pre
	foreign.Precompiled = map[string][]byte{"python": append([]byte{0}, pre.Precompiled["python"]...)}
	inBoth(t, func(t *testing.T, e *engine.Engine) {
		for want, m := range map[string]hostfuncs.Module{"program": pre, "source": other, "source ": foreign} {
			s, err := hostfuncs.Set{}.WithModules(m)
			if err != nil {
				t.Fatal(err)
			}
			c := compileWith(t, e, s, "a.py", "import pre, sys\ndef render(p):\n    if p.get('fail'): pre.fail()\n    before = pre.which()\n    del sys.modules['pre']\n    import pre as again\n    return before if again is not pre and again.which() == before else 'another'\n")
			if got := render(t, c, nil, nil); got != strings.TrimSpace(want) {
				t.Errorf("%q, want %q", got, want)
			}
			if want == "program" {
				_, err := c.Render(t.Context(), map[string]bool{"fail": true}, nil)
				checkStack(t, "fail", err, []string{"<pre>:4", "a.py:3"})
			}
			in, err := compile(t, e, "b.py", "def render(p): return 1\n").Open(t.Context(), &engine.Options{Grants: s})
			if err != nil {
				t.Fatal(err)
			}
			got, err := in.Exec(t.Context(), "c", "import pre; pre.which()")
			if err != nil || got.Text != "'"+strings.TrimSpace(want)+"'" {
				t.Errorf("cell: %v %v, want %q", got, err, want)
			}
			in.Close()
		}
	})
}
