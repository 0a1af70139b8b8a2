package engine_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
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
