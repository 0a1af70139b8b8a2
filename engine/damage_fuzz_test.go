package engine_test

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	. "github.com/sporeengine/spore/engine/internal/wasmtest"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

// FuzzLoad loads and renders components of both languages whose heap, stack and
// globals have been overwritten, which is what a guest can do to itself that found a
// bug in its interpreter, and what whoever can write snapshots can do. Every render ends
// in a result or a typed error, in time, and the sound component goes on.
func FuzzLoad(f *testing.F) {
	const callTime = 100 * time.Millisecond
	e, err := engine.New(engine.Config{
		Runtimes: []runtimes.Runtime{javascript.Runtime(), python.Runtime()}, CacheDir: engine.TestCacheDir, VerifyReset: true,
		Log: slog.New(slog.DiscardHandler), Limits: engine.Limits{Memory: 64 << 20, CallTime: time.Minute},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := e.Close(); err != nil {
			f.Error(err)
		}
	})
	const want = "<ul><li>1</li><li>2</li><li>3</li></ul>"
	sound := []*engine.Component{
		compile(f, e, "a.tsx", "export default (p: { rows: number[] }) => <ul>{p.rows.map(r => <li key={r}>{r}</li>)}</ul>"),
		compile(f, e, "a.py", "def render(p): return '<ul>' + ''.join(f'<li>{r}</li>' for r in p['rows']) + '</ul>'"),
	}
	props := map[string]any{"rows": []int{1, 2, 3}}
	rnd := rand.New(rand.NewPCG(1, 2))
	for python := range 2 {
		f.Add(python == 1, []byte{})
		for _, place := range []uint32{0, 1 << 30, 1 << 31} {
			for _, n := range []int{1, 30, 1000} {
				var edits []byte
				for range n {
					edits = binary.LittleEndian.AppendUint32(edits, place|rnd.Uint32()&(1<<30-1))
					edits = binary.LittleEndian.AppendUint32(edits, rnd.Uint32()>>rnd.IntN(32))
				}
				f.Add(python == 1, edits)
			}
		}
	}
	f.Fuzz(func(t *testing.T, python bool, edits []byte) {
		c := sound[0]
		if python {
			c = sound[1]
		}
		s, err := engine.Damaged(t.Context(), c, edits)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		damaged, err := e.Load(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		defer damaged.Close()
		begin := time.Now()
		res, err := damaged.Render(t.Context(), props, &engine.Options{Limits: engine.Limits{CallTime: callTime}})
		took := time.Since(begin)
		o := outcomeOf(res, err)
		t.Logf("%.200q", o.long)
		if o.short == "untyped" {
			t.Fatalf("ended with %s", o.long)
		}
		if err := checkError(err); err != nil {
			t.Fatal(err)
		}
		if took > callTime+10*time.Second { // a fuzzer's machine is busy
			t.Fatalf("took %v", took)
		}
		if got := render(t, c, props, nil); got != want {
			t.Fatalf("the sound component renders %s", got)
		}
	})
}

// FuzzCache damages the files of a cache directory: whatever is in them, an engine
// that starts on it renders right and leaves a sound cache behind. Files in it have checksums,
// which find accidents; who can write to it on purpose can run what he likes.
func FuzzCache(f *testing.F) {
	begin := func(t testing.TB, dir string) (warnings string) {
		t.Helper()
		var log lockedBuffer
		e := newRaw(t, Guest{}, engine.Config{CacheDir: dir, Log: slog.New(slog.NewTextHandler(&log, nil)), Limits: engine.Limits{Memory: 2 << 20}})
		if got := render(t, compileRaw(t, e, "calm"), map[string]int{"n": 7}, nil); got != `{"n":7}` {
			t.Fatalf("rendered %s", got)
		}
		return log.String()
	}
	pristine := f.TempDir()
	if w := begin(f, pristine); w != "" {
		f.Fatal(w)
	}
	var names []string
	contents := map[string][]byte{}
	err := filepath.WalkDir(pristine, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(pristine, path)
		names = append(names, name)
		contents[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	slices.Sort(names)
	for i := range names {
		f.Add(uint8(i), uint32(0), uint32(1<<31), []byte{})                  // truncated to nothing
		f.Add(uint8(i), uint32(1<<31), uint32(0), []byte("more"))            // something behind the end
		f.Add(uint8(i), uint32(20), uint32(1<<31-1), []byte{1, 2, 3, 4, 80}) // other bytes
	}
	f.Fuzz(func(t *testing.T, file uint8, at, cut uint32, data []byte) {
		dir := t.TempDir()
		damaged := names[int(file)%len(names)]
		changed := false
		for _, name := range names {
			b := contents[name]
			if name == damaged {
				// What lies between at and cut bytes further on is replaced.
				from := min(int(at), len(b))
				to := min(from+int(cut), len(b))
				if cut == 1<<31-1 {
					to = min(from+len(data), len(b))
				}
				b = slices.Concat(b[:from], data, b[to:])
				changed = string(b) != string(contents[name])
			}
			path := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		switch w := begin(t, dir); {
		case changed && !strings.Contains(w, "cache entry cannot be used"):
			t.Fatalf("%s is damaged, and the engine warned %q", damaged, w)
		case !changed && w != "":
			t.Fatalf("nothing is damaged, and the engine warned %q", w)
		}
		if w := begin(t, dir); w != "" {
			t.Fatalf("after the repair the engine warned %q", w)
		}
	})
}
