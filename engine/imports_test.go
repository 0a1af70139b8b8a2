package engine_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestImports keeps the arrows between packages pointing one way. A package
// may import, from this module, only what is listed here.
func TestImports(t *testing.T) {
	const module = "github.com/sporeengine/spore/"
	allowed := map[string][]string{
		"hostfuncs": nil,
		"runtimes":  nil,
		"snapshot":  nil,
		"engine":    {"hostfuncs", "runtimes", "snapshot"},
		"gpu":       {"hostfuncs"},
		"examples":  {"engine", "gpu", "hostfuncs", "runtimes", "snapshot"},

		// A conformance suite runs what it tests.
		"runtimes/javascript/conformance": {"engine", "hostfuncs", "runtimes", "snapshot"},
		"runtimes/python/conformance":     {"engine", "hostfuncs", "runtimes", "snapshot"},
		"runtimes/runtimestest":           {"engine", "hostfuncs", "runtimes", "snapshot"},
	}
	nested := nestedModules(t)
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; packages++ {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		path := strings.TrimPrefix(p.ImportPath, module)
		from, _, _ := strings.Cut(path, "/")
		may := allowed[from]
		if exception, ok := allowed[path]; ok {
			may = exception
		}
		for _, imp := range p.Imports {
			rest, ours := strings.CutPrefix(imp, module)
			to, _, _ := strings.Cut(rest, "/")
			if ours && to != from && !slices.Contains(may, to) {
				t.Errorf("%s imports %s: %q may not depend on %q", p.ImportPath, imp, from, to)
			}
			// What is a module of its own is so because of its dependencies.
			for _, m := range nested {
				if imp == m || strings.HasPrefix(imp, m+"/") {
					t.Errorf("%s imports %s, which is of another module, %s", p.ImportPath, imp, m)
				}
			}
			// The engine knows no particular language: runtimes are data.
			if from == "engine" && strings.HasPrefix(rest, "runtimes/") && ours {
				t.Errorf("%s imports %s: the engine has no code for a language", p.ImportPath, imp)
			}
			// Programs that build the interpreters are no part of the library.
			if strings.HasPrefix(imp, "github.com/tetratelabs/wazero") && path != "engine/internal/wz" && !strings.Contains(path, "/build/") {
				t.Errorf("%s imports %s: only engine/internal/wz may", p.ImportPath, imp)
			}
		}
	}
	if packages < 8 {
		t.Errorf("looked at %d packages only", packages)
	}
}

// nestedModules returns the paths of the modules in directories of this one, and
// checks that this one requires none of them, nor what they are there to keep
// out of it.
func nestedModules(t *testing.T) (paths []string) {
	t.Helper()
	main, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, heavy := range []string{"gocloud.dev", "google.golang.org/grpc", "go.opentelemetry.io/otel", "github.com/prometheus/"} {
		if strings.Contains(string(main), heavy) {
			t.Errorf("go.mod requires %s: it belongs into a nested module", heavy)
		}
	}
	err = filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() != "go.mod" || filepath.Dir(path) == ".." {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		line, _, _ := strings.Cut(string(b), "\n")
		module, ok := strings.CutPrefix(line, "module ")
		if !ok || strings.Contains(string(main), module) {
			t.Errorf("%s: %q is no module, or the main one requires it", path, line)
		}
		paths = append(paths, module)
		return nil
	})
	if err != nil || !slices.Contains(paths, "github.com/sporeengine/spore/snapshot/store/blobstore") {
		t.Errorf("nested modules: %q, %v", paths, err)
	}
	return paths
}
