package python

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const plain = "def render(p): return 'fine'\n"

// exec runs a cell with the name "cell".
func (g *guest) exec(code string) end {
	g.t.Helper()
	return g.call("spore.exec", map[string]string{"code": code, "name": "cell"})
}

// A bundle is the value of a cell.
type bundle struct {
	Text string
	Data map[string]any
}

func (e end) bundle(t *testing.T) (b bundle) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(e.json(t)), &b))
	return b
}

// TestCells runs cells one after another in one guest and compares the text of their values.
func TestCells(t *testing.T) {
	g := newGuest(t, "import math\nbase = 40\ndef render(p): return str(base)\n")
	for _, c := range []struct{ code, want string }{
		{"base + 2", "42"}, // names of the component
		{"base = 1", "null"},
		{"x = [1, 2]\nx", "[1, 2]"},
		{"x.append(3); x", "[1, 2, 3]"}, // and of cells
		{"_", "[1, 2, 3]"},
		{"None", "null"},
		{"_", "[1, 2, 3]"}, // no value leaves it
		{"x;", "null"},
		{"x ; # hidden", "null"},
		{"x # ; shown", "[1, 2, 3]"},
		{"(x\n);", "null"},
		{"'ä;'", "'ä;'"},
		{"'ä' ; ", "null"},
		{"x \\\n;", "null"},
		{"if x:\n    5", "null"}, // a statement
		{"def f(a: 'A') -> int:\n    'doc'\n    return a * 2\nf(4)", "8"},
		{"f.__module__, f.__doc__, __name__", "('component', 'doc', 'component')"},
		{"class C:\n    y: int = 3\nC().y", "3"},
		{"", "null"},
		{"# nothing", "null"},
		{"'''text\nof two lines'''", `'text\nof two lines'`},
		{"\r\nx = 5\r\nx\r\n", "5"},
		{"\n\n   \n", "null"},
		{"[i for i in range(3) if i in x] if isinstance(x, list) else x", "5"},
		{"import asyncio\nasyncio.run(asyncio.sleep(0, 'ran'))", "'ran'"},
		{"await asyncio.sleep(0, 'awaited')", "'awaited'"},
		{"y = await asyncio.sleep(0, 6)", "null"},
		{"y", "6"},
		{"async def agen():\n    for i in range(3): yield i\n[i async for i in agen()]", "[0, 1, 2]"},
		{"async with asyncio.TaskGroup() as group:\n    t = group.create_task(asyncio.sleep(0, 7))\nt.result()", "7"},
		{"z = 1\nawait asyncio.sleep(0)\nz + 1", "2"},
		{"from __future__ import annotations\nimport component\ncomponent.z", "1"},
		{"def h(a: undefined): pass\nh.__annotations__", "{'a': 'undefined'}"},
		{"(lambda: (yield))()", "<generator object <lambda>"}, // a value, not a stream
		{"render({})", "'1'"},
		{"_a = 5\n_a", "5"},
		{"globals() is __import__('component').__dict__", "True"},
		{"del x, y\n'x' in globals()", "False"},
		{"'\\u0000\\ud800'", `'\x00\ud800'`},
		{"import sys; sys.last_exc if hasattr(sys, 'last_exc') else 'clean'", "'clean'"},
	} {
		e := g.exec(c.code)
		require.Equal(t, uint32(statusJSON), e.status, "%q: %s", c.code, e.text)
		got := e.text
		if got != "null" {
			got = e.bundle(t).Text
		}
		assert.Truef(t, strings.HasPrefix(got, c.want), "%q: got %q, want %q", c.code, got, c.want)
	}
	assert.Equal(t, "8", g.call("f", 4).text, "a function of a cell is one of the component")
	assert.Equal(t, "1", g.call("render", 4).text)
	assert.Empty(t, g.console)
}

func TestCellThatWaits(t *testing.T) {
	g := newGuest(t, plain)
	g.reserved(never)
	e := g.exec("import spore\nbefore = 1\nv = await spore.call('db.get', 5)\nprint('part', end='')\nv['n'] + 1")
	require.Equal(t, uint32(statusPending), e.status)
	require.Equal(t, []string{"db.get 5"}, g.waiting())
	e = g.settle(g.find("db.get 5"), map[string]int{"n": 41})
	require.Equal(t, "42", e.bundle(t).Text)
	require.Equal(t, []string{"part"}, g.console, "an unfinished line goes out with the cell")
	require.Equal(t, "42", g.exec("_").bundle(t).Text)

	require.Equal(t, uint32(statusPending), g.exec("after = 2\nawait spore.call('db.get', 6)").status)
	e = g.settle(g.find("db.get 6"), hostError{"gone", "no such row"})
	f := e.failure(t)
	require.Equal(t, "HostError", f.Name)
	require.Contains(t, f.Trace, "await spore.call('db.get', 6)")
	require.Equal(t, "2", g.exec("after").bundle(t).Text, "what ran before the error stays")
}

func TestCellErrors(t *testing.T) {
	g := newGuest(t, plain)
	f := g.exec("def broken(n):\n    return 1 / n\n").text
	require.Equal(t, "null", f)
	e := g.call("spore.exec", map[string]string{"code": "x = 1\n\nbroken(x - 1)", "name": "second cell"}).failure(t)
	require.Equal(t, "ZeroDivisionError", e.Name)
	require.Equal(t, "error", e.Kind)
	require.Len(t, e.Stack, 2)
	require.Equal(t, "broken", e.Stack[0].Func)
	require.Equal(t, []any{"second cell", 3, 1}, []any{e.Stack[1].File, e.Stack[1].Line, e.Stack[1].Column})
	require.Contains(t, e.Trace, "return 1 / n")
	require.Contains(t, e.Trace, "broken(x - 1)")
	require.NotContains(t, e.Trace, "frozen")

	for _, c := range []struct {
		code, text string
		line, col  int
		lineText   string
	}{
		{"x = 1\ny = = 2", "invalid syntax", 2, 5, "y = = 2"},
		{"ä = (1\n", "'(' was never closed", 1, 6, "ä = (1"},
		{"x = 2\nreturn x", "'return' outside function", 2, 1, "return x"},
		{"yield 1", "'yield' outside function", 1, 1, "yield 1"},
		{"  x = 1", "unexpected indent", 1, 2, "  x = 1"},
		{"x = 'a\x00b'", "source contains a NUL byte", 1, 7, `x = 'a\0b'`},
		{strings.Repeat("(", 500), "the source is nested too deeply", 0, 0, ""},
		{strings.Repeat("-", 50000) + "1", "the source is nested too deeply", 0, 0, ""},
	} {
		e := g.exec(c.code).failure(t)
		require.Equal(t, "syntax", e.Kind, "%.50q", c.code)
		require.Len(t, e.Diagnostics, 1)
		d := e.Diagnostics[0]
		assert.Equal(t, []any{"cell", c.text, c.line, c.col}, []any{d.File, d.Text, d.Line, d.Column}, "%.50q", c.code)
		assert.Equal(t, c.lineText, d.LineText)
	}
	require.Equal(t, "1", g.exec("x").bundle(t).Text, "a cell that does not parse does nothing")
	// An error that a cell makes itself is an ordinary one.
	require.Equal(t, "error", g.exec("eval('1 +')").failure(t).Kind)
	require.Equal(t, "exit", g.exec("raise SystemExit(3)").failure(t).Kind)
	require.Equal(t, "stuck", g.exec("import asyncio\nawait asyncio.Event().wait()").failure(t).Kind)
	require.Equal(t, "KeyboardInterrupt", g.exec("raise KeyboardInterrupt").failure(t).Name)
	require.Equal(t, "abi", g.call("spore.exec", "text").failure(t).Kind)
	require.Equal(t, "abi", g.call("spore.exec", map[string]any{"code": 5, "name": "n"}).failure(t).Kind)
	require.Equal(t, "abi", g.call("spore.exec", map[string]string{"code": "5"}).failure(t).Kind)
	require.Equal(t, "syntax", g.call("spore.exec", json.RawMessage(`{"code": "x = '\ud800'", "name": "n"}`)).failure(t).Kind)
	require.Equal(t, "missing", g.call("spore.other", nil).failure(t).Kind)
}

// What failed is not kept alive by the error.
func TestCellLeavesNoTraceback(t *testing.T) {
	g := newGuest(t, plain)
	for _, await := range []string{"", "await asyncio.sleep(0)"} {
		require.Equal(t, "null", g.exec(lines(
			"import asyncio, gc, weakref", "gc.disable()", "class Big: pass",
			"def fail():", "    big = Big()", "    global ref", "    ref = weakref.ref(big)", "    raise ValueError")).text)
		require.Equal(t, "ValueError", g.exec(await+"\nfail()").failure(t).Name)
		require.Equal(t, "True", g.exec("ref() is None").bundle(t).Text)
	}
}

// The source of the last hundred cells can be shown, and no more is kept.
func TestCellSources(t *testing.T) {
	g := newGuest(t, plain)
	for i := range 120 {
		e := g.call("spore.exec", map[string]string{"code": fmt.Sprintf("def f%d(): raise KeyError(%d)", i, i), "name": fmt.Sprintf("c%d", i)})
		require.Equal(t, "null", e.text)
	}
	require.Contains(t, g.exec("f119()").failure(t).Trace, "raise KeyError(119)")
	require.Contains(t, g.exec("f30()").failure(t).Trace, "raise KeyError(30)")
	old := g.exec("f5()").failure(t)
	require.NotContains(t, old.Trace, "raise KeyError(5)")
	require.Equal(t, "c5", old.Stack[0].File)
	require.Equal(t, "101", g.exec("import linecache\nlen(linecache.cache)").bundle(t).Text, "100 cells and the component")
	for i := range 4 {
		require.Equal(t, "null", g.call("spore.exec", map[string]string{"code": strings.Repeat("#", 600<<10), "name": fmt.Sprint("large", i)}).text)
	}
	require.Equal(t, "2", g.exec("len([n for n in linecache.cache if n != 'app.py'])").bundle(t).Text, "the last large one and this")
}

const rich = `
class Rich:
    def __init__(self, **forms):
        for name, form in forms.items():
            setattr(self, name, (lambda f: lambda **k: f() if callable(f) else f)(form))
    def __repr__(self): return "Rich()"

class Html:
    def __html__(self): return "<b>"
    def __repr__(self): return "Html()"

def fail(e):
    raise e

def deep(n):
    v = []
    for _ in range(n): v = [v]
    return v

def render(p): pass
`

// TestRichValues compares the forms of values.
func TestRichValues(t *testing.T) {
	g := newGuest(t, rich)
	for _, c := range []struct{ code, text, data, note string }{
		{`5`, `5`, `{"application/json": 5}`, ``},
		{`"a\ud800"`, `'a\ud800'`, `{"application/json": "a\\ud800"}`, ``},
		{`{"a": [1, 2.5, None, True, (1,)]}`, `{'a': [1, 2.5, None, True, (1,)]}`, `{"application/json": {"a": [1, 2.5, null, true, [1]]}}`, ``},
		{`{1: 2}`, `{1: 2}`, `{}`, ``},
		{`{"$bytes": 0}`, `{'$bytes': 0}`, `{}`, ``},
		{`float("nan")`, `nan`, `{}`, ``},
		{`[-0.0]`, `[-0.0]`, `{"application/json": [-0.0]}`, ``},
		{`b"bytes"`, `b'bytes'`, `{}`, ``},
		{`{1, 2}`, `{1, 2}`, `{}`, ``},
		{`Rich(_repr_html_="<i>", _repr_markdown_="*", _repr_latex_="$x$", _repr_svg_="<svg/>", _repr_json_={"a": 1})`, `Rich()`,
			`{"text/html": "<i>", "text/markdown": "*", "text/latex": "$x$", "image/svg+xml": "<svg/>", "application/json": {"a": 1}}`, ``},
		{`Rich(_repr_png_=b"\x89PNG", _repr_jpeg_="aGVsbG8=")`, `Rich()`, `{"image/png": {"$bytes": 0}, "image/jpeg": {"$bytes": 1}}`, ``},
		{`Rich(_repr_html_=("<i>", {"isolated": True}), _repr_svg_=None)`, `Rich()`, `{"text/html": "<i>"}`, ``},
		{`Rich(_repr_mimebundle_={"text/plain": "own text", "text/html": "<u>", "application/vnd.x.v1+json": {"k": []}}, _repr_html_="<i>")`, `own text`,
			`{"text/html": "<u>", "application/vnd.x.v1+json": {"k": []}}`, ``},
		{`Rich(_repr_mimebundle_=({"text/html": "<u>", "text/css": None}, {"m": 1}))`, `Rich()`, `{"text/html": "<u>"}`, ``},
		{`Rich(_repr_html_=lambda: fail(NotImplementedError()))`, `Rich()`, `{}`, ``},
		{`Html()`, `Html()`, `{"text/html": "<b>"}`, ``},
		{`Html`, `<class 'component.Html'>`, `{}`, ``},
		{`import markupsafe; markupsafe.Markup("<em>")`, `Markup('<em>')`, `{"text/html": "<em>", "application/json": "<em>"}`, ``},
		{`from unittest import mock; mock.MagicMock(name="m", spec_set=None)`, `<MagicMock name='m' id='`, `{}`, ``},
		{`type("T", (), {"_repr_html_": lambda self: "<x>"})`, `<class 'component.T'>`, `{}`, ``},
		{`deep(31)`, `[[[`, `{"application/json": ` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, ``},
		{`deep(40)`, `[[[`, `{}`, ``},
		{`10**300`, `1000`, `{"application/json": 1` + strings.Repeat("0", 300) + `}`, ``},
		{`10**2000`, `1000`, `{}`, ``},
		{`list(range(10**6)) and [0] * 10**6`, `[0, 0,`, `{}`, ``},
		{`"x" * 10**6`, `'xxx`, `{}`, ``},
		{`v = []; v.append(v); v`, `[[...]]`, `{}`, ``},

		// Methods that do not do what they should.
		{`Rich(_repr_html_=lambda: fail(ValueError("no\nway")), _repr_svg_="<svg/>")`, `Rich()`, `{"image/svg+xml": "<svg/>"}`, `Rich: _repr_html_: ValueError: no way`},
		{`def again(): return again()` + "\n" + `Rich(_repr_html_=again)`, `Rich()`, `{}`, `Rich: _repr_html_: RecursionError: maximum recursion depth exceeded`},
		{`Rich(_repr_html_=5, _repr_svg_=b"<svg/>", _repr_png_=[1], _repr_jpeg_=5)`, `Rich()`, `{"image/svg+xml": {"$bytes": 0}}`, `Rich: text/html: is of type int`},
		{`Rich(_repr_mimebundle_=[1])`, `Rich()`, `{}`, `Rich: _repr_mimebundle_: returned list, not dict`},
		{`Rich(_repr_mimebundle_={"no type": "a", 5: "b", "a/b": "c", "a/b\n": "d", "A/" + "b" * 200: ""})`, `Rich()`, `{"a/b": "c"}`, `Rich: its bundle: has a key that is no MIME type`},
		{`Rich(_repr_mimebundle_={f"a/{i}": "" for i in range(100)})`, `Rich()`, ``, `Rich: its bundle: has more than 32 forms`},
		{`Rich(_repr_html_="x" * (3 << 20))`, `Rich()`, `{}`, `Rich: text/html: is too large`},
		{`Rich(_repr_png_=b"x" * (3 << 20))`, `Rich()`, `{}`, `Rich: image/png: is too large`},
		{`Rich(_repr_html_="x" * (3 << 19), _repr_svg_="x" * (3 << 19), _repr_latex_="$$")`, `Rich()`, ``, `Rich: image/svg+xml: is too large`},
		{`Rich(_repr_html_="ä" * (3 << 19))`, `Rich()`, `{}`, `Rich: text/html: is too large`},
		{`Rich(_repr_json_={"f": object()})`, `Rich()`, `{}`, `Rich: application/json: has a value of type object`},
		{`Rich(_repr_json_=deep(100))`, `Rich()`, `{}`, `Rich: application/json: is nested too deeply`},
		{`type("Bad", (), {"__repr__": lambda self: 1 / 0})()`, `<repr() of Bad failed: ZeroDivisionError: division by zero>`, `{}`, ``},
		{`type("Bad", (), {"__repr__": lambda self: 5})()`, `<repr() of Bad failed: TypeError`, `{}`, ``},
		{`type("Bad", (), {"__html__": lambda self: 5, "__repr__": lambda self: "Bad()"})()`, `Bad()`, `{}`, `Bad: __html__: TypeError: __html__() returned int, not str`},
		{`type("Bad", (), {"__getattr__": lambda self, n: fail(ValueError("attribute"))})()`, `<component.Bad object`, `{}`, `Bad: __html__: ValueError: attribute`},
		{`type("Bad", (str,), {"__str__": lambda s: 1, "encode": 0, "__len__": lambda s: -1, "__getitem__": 5})("ok")`, `'ok'`, `{"application/json": "ok"}`, ``},
		{`type("Bad", (dict,), {"items": 0, "__iter__": None, "__len__": None, "keys": 1})(a=1)`, `{'a': 1}`, `{"application/json": {"a": 1}}`, ``},
		{`type("Bad", (), {"__class__": property(lambda s: str), "__repr__": lambda s: "Bad()"})()`, `Bad()`, `{}`, ``},
		{`type("Bad", (int,), {"__int__": 0, "__pos__": lambda s: "x", "bit_length": 0})(5)`, `5`, `{"application/json": 5}`, ``},
	} {
		g.console = nil
		e := g.exec(c.code)
		b := e.bundle(t)
		assert.Truef(t, strings.HasPrefix(b.Text, c.text), "%s: text %.200q", c.code, b.Text)
		if c.data != "" {
			data, _ := json.Marshal(b.Data)
			assert.JSONEq(t, c.data, string(data), c.code)
		}
		if c.note == "" {
			assert.Empty(t, g.console, c.code)
		} else if assert.NotEmpty(t, g.console, c.code) {
			assert.Equal(t, c.note, g.console[0])
		}
	}
	e := g.exec(`Rich(_repr_png_=b"\x89PNG", _repr_jpeg_="aGVsbG8=")`)
	require.Equal(t, [][]byte{[]byte("\x89PNG"), []byte("hello")}, e.buffers)
	text := g.exec(`"ä" * 10**6`).bundle(t).Text
	require.LessOrEqual(t, len(text), 64<<10)
	require.Greater(t, len(text), 64<<10-8)
	require.True(t, strings.HasSuffix(text, "ä…"))
	// An exception that is not one of the ordinary kind ends the cell.
	require.Equal(t, "exit", g.exec(`Rich(_repr_html_=lambda: fail(SystemExit()))`).failure(t).Kind)
}

func TestDisplay(t *testing.T) {
	g := newGuest(t, rich+"from spore import display\n")
	// Nobody looks.
	require.Equal(t, "null", g.exec(`display(5, Rich(_repr_html_="<i>")); display({"text/html": "<u>"}, raw=True); print("end")`).text)
	require.Equal(t, []string{"5", "Rich()", "<text/html>", "end"}, g.console)

	var parts []hostCall
	g.answer = func(c hostCall) (any, bool) {
		parts = append(parts, c)
		return json.RawMessage("null"), true
	}
	require.Equal(t, "null", g.exec(`display(5, Rich(_repr_png_=b"png"))
display({"text/html": "<u>", "text/plain": "u", "bad": 1}, raw=True)
display("ä"); display()`).text)
	require.Len(t, parts, 4)
	for i, want := range []string{
		`{"text": "5", "data": {"application/json": 5}}`, `{"text": "Rich()", "data": {"image/png": {"$bytes": 0}}}`,
		`{"text": "u", "data": {"text/html": "<u>"}}`, `{"text": "'ä'", "data": {"application/json": "ä"}}`,
	} {
		assert.Equal(t, "spore.emit", parts[i].name)
		assert.True(t, parts[i].blocking)
		assert.JSONEq(t, want, parts[i].arg)
	}
	require.Equal(t, [][]byte{[]byte("png")}, parts[1].buffers)
	require.Equal(t, "TypeError", g.exec(`display(5, raw=True)`).failure(t).Name)
	g.answer = func(c hostCall) (any, bool) { return hostError{"too_large", "no"}, true }
	require.Equal(t, "HostError", g.exec(`display(5)`).failure(t).Name)
}

// A cell may break what it stands on, and gets errors for that.
func TestCellsThatBreakTheirInterpreter(t *testing.T) {
	for _, code := range []string{
		"import builtins\nfor n in list(vars(builtins)): delattr(builtins, n)",
		"import builtins\nbuiltins.compile = builtins.eval = builtins.len = builtins.isinstance = None",
		"__builtins__ = {}",
		"import sys\nsys.modules.clear()",
		"import linecache\nlinecache.cache = None",
		"import ast\nast.Expression = ast.Expr = None",
		"import _spore_cells\n_spore_cells._shown = _spore_cells._compile = None",
		"import _spore_cells, _spore_display\n_spore_cells.bundle = lambda v: object()",
		"import _spore_cells\n_spore_cells.bundle = lambda v: {'$bytes': 1}",
		"globals().clear()",
		"import sys\nsys.stdout = sys.stderr = None",
		"import sys\nsys.setrecursionlimit(30)",
		"import asyncio\nasyncio.EventLoop = None",
		"import traceback\ntraceback.TracebackException = None",
	} {
		g := newGuest(t, plain)
		for _, c := range []string{code, "x = 1\nx + 1", "def", "1/0", "import asyncio\nawait asyncio.sleep(0)\n2", "print(3)"} {
			e := g.exec(c)
			require.NotEqual(t, uint32(statusPending), e.status, "%q then %q", code, c)
			require.NotEqual(t, uint32(statusText), e.status, "%q then %q", code, c)
			if e.status == statusError {
				require.NotEmpty(t, e.failure(t).Kind, "%q then %q", code, c)
			}
		}
	}
}
