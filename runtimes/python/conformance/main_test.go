package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestList(t *testing.T) {
	ms := list()
	if len(ms) < 100 {
		t.Fatalf("modules.txt names %d modules", len(ms))
	}
	byName := map[string]module{}
	for _, m := range ms {
		if _, ok := byName[m.name]; ok {
			t.Errorf("%s is listed twice", m.name)
		}
		byName[m.name] = m
	}
	if m := byName["test_bytes"]; len(m.stubs) != 1 || m.stubs[0] != "_testlimitedcapi" {
		t.Errorf("stubs of test_bytes are %q", m.stubs)
	}
	if m := byName["test_asyncio.test_tasks"]; len(m.without) != 1 {
		t.Errorf("test_tasks leaves out %q", m.without)
	}
}

func TestSourcesAndData(t *testing.T) {
	lib := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(lib, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("test/__init__.py", "")
	write("test/support/__init__.py", "")
	write("test/test_a.py", "import mathdata, helper, test.test_b")
	write("test/test_b.py", "")
	write("test/test_c.py", "")
	write("test/helper.py", "")
	write("test/mathdata/x.txt", "1 2")

	files, err := sourcesOf(lib, "test_a", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"test", "test.support", "test.test_a", "test.test_b", "test.helper"} {
		if _, ok := files[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	if _, ok := files["test.test_c"]; ok {
		t.Error("a module that test_a does not mention is there")
	}
	if files["test"][1] != true || files["test.helper"][1] != false {
		t.Error("packages and modules are confused")
	}
	data, err := dataOf(lib, "test_a")
	if err != nil || string(data["mathdata/x.txt"]) != "1 2" {
		t.Errorf("data is %q, %v", data, err)
	}
}
