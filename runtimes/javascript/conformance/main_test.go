package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	if err := run(&out, dir, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`FAIL pass/d.js: "a b"`, "pass              2 of    3 pass, 1 modules left out", "fail              1 of    1", "early             1 of    1", "all               4 of    5"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestRunWithoutTests(t *testing.T) {
	if err := run(&bytes.Buffer{}, t.TempDir(), false); err == nil {
		t.Error("an empty folder passed")
	}
}
