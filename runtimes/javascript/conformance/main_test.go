package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/runtimestest"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	for name, code := range map[string]string{
		"pass/a.js": "while (true);", "pass/b.js": "undefinedVariable", "pass/c.module.js": "import 'x'", "pass/d.js": "a b",
		"fail/a.js": "a b", "early/a.js": "'use strict'; with (a) {}",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(code), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	eng := testEngine(t)
	n, err := runParserTests(&out, eng, dir, true)
	if err != nil || n != 4 {
		t.Fatal(n, err)
	}
	for _, want := range []string{`FAIL pass/d.js: "a b"`, "pass              2 of    3 pass, 1 modules left out", "fail              1 of    1", "early             1 of    1", "parser            4 of    5"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestRunWithoutTests(t *testing.T) {
	eng := testEngine(t)
	if _, err := runParserTests(&bytes.Buffer{}, eng, t.TempDir(), false); err == nil {
		t.Error("an empty folder passed")
	}
	if _, err := runQuickJSTests(&bytes.Buffer{}, eng, t.TempDir(), false); err == nil {
		t.Error("a folder without QuickJS's tests passed")
	}
}

func TestQuickJSTests(t *testing.T) {
	dir := t.TempDir()
	for _, name := range quickjsFiles {
		code := `
			function help() { return 1; }
function test_good() { if (help() !== 1) throw Error("no help"); }
function test_bad() { throw Error("bad"); }
function test_loop() { for (;;); }
function test_own() { std.gc(); }
function test_orphan() { return "compiles"; }
test_good();
test_bad();
test_loop();
test_own();
`
		if err := os.WriteFile(filepath.Join(dir, name), []byte(code), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	n, err := runQuickJSTests(&out, testEngine(t), dir, true)
	if err != nil || n != 2*len(quickjsFiles) {
		t.Fatal(n, err)
	}
	for _, want := range []string{"FAIL test_loop.js test_bad: ", "test_bigint.js     2 of   4 pass, 1 need", "quickjs           10 of  20 pass"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func testEngine(t *testing.T) *engine.Engine {
	t.Helper()
	return runtimestest.Engine(t, javascript.Runtime(), t.TempDir())
}
