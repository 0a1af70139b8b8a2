package engine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/snapshot"
)

// differentialDirs are the components with which the runtimes are compared with the
// real languages.
var differentialDirs = map[string]string{
	"javascript": "../runtimes/javascript/testdata/react",
	"python":     "../runtimes/python/testdata",
}

// TestDifferential runs components with wazero's compiler and with its
// interpreter, two implementations of WebAssembly that share little. Images,
// results, errors and fuel are the same. Everyday tests take one component;
// with SPORE_DIFFERENTIAL=all (make differential) it is all of them.
func TestDifferential(t *testing.T) {
	all := os.Getenv("SPORE_DIFFERENTIAL") == "all"
	limits := engine.Limits{CallTime: 5 * time.Minute, CompileTime: 10 * time.Minute}
	for _, rt := range allRuntimes() {
		t.Run(rt.Language, func(t *testing.T) {
			compiled := newEngine(t, engine.Config{Runtimes: []runtimes.Runtime{rt}, Limits: limits})
			interpreted := newEngine(t, engine.Config{Runtimes: []runtimes.Runtime{rt}, Limits: limits, CacheDir: t.TempDir()})
			engine.Interpret(interpreted)
			dir := differentialDirs[rt.Language]
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, entry := range entries {
				if !slices.Contains(rt.Extensions, filepath.Ext(entry.Name())) {
					continue
				}
				if n++; n > 1 && !all {
					break
				}
				t.Run(entry.Name(), func(t *testing.T) {
					path := filepath.Join(dir, entry.Name())
					code, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					var props any
					if b, err := os.ReadFile(strings.TrimSuffix(path, filepath.Ext(path)) + ".props.json"); err == nil {
						props = json.RawMessage(b)
					}
					a, b := transcript(t, compiled, entry.Name(), code, props), transcript(t, interpreted, entry.Name(), code, props)
					if !reflect.DeepEqual(a, b) {
						t.Errorf("compiled:    %s\ninterpreted: %s", clip(a.String()), clip(b.String()))
					}
				})
			}
			if n == 0 || all && n < 30 {
				t.Errorf("%d components in %s", n, dir)
			}
		})
	}
}

// A record is all that can be seen of a render.
type record struct {
	Digest  snapshot.Digest
	JSON    string
	Buffers [][]byte
	Fuel    int64
	Memory  int64
	Err     string
}

func (r record) String() string {
	b, _ := json.Marshal(r) // always can be
	return string(b)
}

func transcript(t *testing.T, e *engine.Engine, name string, code []byte, props any) (r record) {
	t.Helper()
	c, err := e.Compile(t.Context(), engine.Source{Name: name, Code: code})
	if err != nil {
		return record{Err: err.Error()}
	}
	defer c.Close()
	r.Digest = c.Digest()
	res, err := c.Render(t.Context(), props, &engine.Options{Fixed: &engine.Fixed{Seed: 1}})
	if err != nil {
		r.Err = err.Error()
		return r
	}
	r.JSON, r.Buffers, r.Fuel, r.Memory = string(res.JSON()), res.Buffers, res.Usage.Fuel, res.Usage.Memory
	return r
}
