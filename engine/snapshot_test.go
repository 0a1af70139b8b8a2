package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
	"github.com/sporeengine/spore/snapshot"
)

func snapshotBytes(t *testing.T, c *engine.Component) []byte {
	t.Helper()
	s, err := c.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSnapshotTravelsToAnotherEngine(t *testing.T) {
	other := newEngine(t, engine.Config{CacheDir: t.TempDir()}) // boots its own runtimes
	for name, code := range map[string]string{
		"a.tsx": `const at = new Date().toISOString(); export default (p: any) => <b title={at}>{p.n}</b>`,
		"a.py":  "import random\nr = random.random()\ndef render(p): return f'<b>{p[\"n\"]} {r}</b>'",
	} {
		c := compile(t, shared, name, code)
		b := snapshotBytes(t, c)
		t.Logf("%s: %d bytes", name, len(b))
		s, err := snapshot.Read(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := other.Load(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil { // not needed once loaded
			t.Fatal(err)
		}
		props := map[string]int{"n": 3}
		if got, want := render(t, loaded, props, nil), render(t, c, props, nil); got != want {
			t.Errorf("%s: loaded renders %s, compiled %s", name, got, want)
		}
		if loaded.Digest() != c.Digest() || loaded.Name() != name || !bytes.Equal(snapshotBytes(t, loaded), b) {
			t.Errorf("%s: a loaded component is another one", name)
		}
		// Errors still have positions in the source.
		if err := loaded.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestLoadedComponentsKeepSourcePositions(t *testing.T) {
	c := compile(t, shared, "throw.tsx", "\n\nexport default function F(p: { a?: string }) {\n  const x: number = 1;\n  return <b>{p.a!.length}</b>;\n}\n")
	s, err := c.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	loaded, err := shared.Load(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	_, err = loaded.Render(t.Context(), nil, nil)
	var ge *engine.GuestError
	if !errors.As(err, &ge) || len(ge.Stack) == 0 || ge.Stack[0] != (engine.Frame{Func: "F", File: "throw.tsx", Line: 5, Column: ge.Stack[0].Column}) {
		t.Errorf("got %+v", err)
	}
}

func TestForeignSnapshotsAreRefused(t *testing.T) {
	whole := make([]byte, snapshot.WasmPageSize)
	describe := func(v map[string]string) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	js := describe(map[string]string{"language": "javascript", "name": "a.js"})
	good := javascript.Runtime().SHA256
	for name, c := range map[string]struct {
		params snapshot.Params
		want   error
	}{
		"no description":      {snapshot.Params{Runtime: good, Memory: whole}, engine.ErrMismatch},
		"description is junk": {snapshot.Params{Runtime: good, Memory: whole, Meta: []byte("{")}, engine.ErrMismatch},
		"unknown language":    {snapshot.Params{Runtime: good, Memory: whole, Meta: describe(map[string]string{"language": "cobol"})}, engine.ErrNoRuntime},
		"other module":        {snapshot.Params{Runtime: snapshot.Digest{1}, Memory: whole, Meta: js}, engine.ErrMismatch},
		"module of Python":    {snapshot.Params{Runtime: python.Runtime().SHA256, Memory: whole, Meta: js}, engine.ErrMismatch},
		"whole, not a delta":  {snapshot.Params{Runtime: good, Memory: whole, Meta: js}, engine.ErrMismatch},
		"delta of another":    {snapshot.Params{Runtime: good, Base: snapshot.Digest{2}, BaseMemory: whole, Memory: whole, Meta: js}, engine.ErrMismatch},
	} {
		s, err := snapshot.New(c.params)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := shared.Load(t.Context(), s); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}

	c := compile(t, shared, "a.js", "export const render = () => 1")
	s, err := c.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pythonOnly := newEngine(t, engine.Config{Runtimes: []runtimes.Runtime{python.Runtime()}})
	if _, err := pythonOnly.Load(t.Context(), s); !errors.Is(err, engine.ErrNoRuntime) {
		t.Errorf("engine without the language: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := shared.Load(t.Context(), s); !errors.Is(err, snapshot.ErrClosed) {
		t.Errorf("closed snapshot: %v", err)
	}
	if got := render(t, c, nil, nil); got != "1" {
		t.Errorf("closing a snapshot broke its component: %s", got)
	}
}

// Cut off anywhere, or with any byte changed, the bytes of a component are
// refused with a typed error, and nothing is made of them.
func TestDamagedSnapshotsAreRefused(t *testing.T) {
	b := snapshotBytes(t, compile(t, shared, "a.js", "export const render = () => 1"))
	step := 1
	if testing.Short() {
		step = 97
	}
	typed := func(err error) bool {
		return errors.Is(err, snapshot.ErrCorrupt) || errors.Is(err, snapshot.ErrFormat) || errors.Is(err, snapshot.ErrVersion)
	}
	for n := 0; n < len(b); n += step {
		if _, err := snapshot.Read(bytes.NewReader(b[:n])); !typed(err) {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(b), err)
		}
	}
	for i := 0; i < len(b); i += step {
		b[i] ^= 0x10
		if _, err := snapshot.Read(bytes.NewReader(b)); !typed(err) {
			t.Fatalf("byte %d of %d changed: %v", i, len(b), err)
		}
		b[i] ^= 0x10
	}
}
