package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/engine/internal/wasmtest"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
)

// start makes an engine with the cache directory dir, renders with it, and
// returns what it warned of.
func start(t *testing.T, dir string) (warnings string) {
	t.Helper()
	return startWith(t, dir, javascript.Runtime(), engine.Source{Name: "a.tsx", Code: []byte(`export default (p: any) => <b>{p.n}</b>`)}, "<b>5</b>")
}

// startSmall is start with a guest that is compiled in no time.
func startSmall(t *testing.T, dir string) (warnings string) {
	t.Helper()
	return startWith(t, dir, wasmtest.Guest{}.Runtime(), engine.Source{Language: "raw", Name: "a", Code: []byte("a")}, `{"n":5}`)
}

func startWith(t *testing.T, dir string, r runtimes.Runtime, src engine.Source, want string) (warnings string) {
	t.Helper()
	var log lockedBuffer
	e, err := engine.New(engine.Config{
		Runtimes: []runtimes.Runtime{r},
		CacheDir: dir,
		Log:      slog.New(slog.NewTextHandler(&log, nil)),
		Limits:   patient(engine.Limits{}),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	c, err := e.Compile(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	if got := render(t, c, map[string]int{"n": 5}, nil); got != want {
		t.Fatalf("rendered %q", got)
	}
	return log.String()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// files returns the files under dir and their sizes.
func files(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	m := map[string]int64{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		m[path] = info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCacheIsUsedAndRepaired damages every file of the cache in several ways: a warning that
// names the directory, the right result, and a cache that works again.
func TestCacheIsUsedAndRepaired(t *testing.T) {
	for name, c := range map[string]struct {
		start   func(t *testing.T, dir string) string
		damages int
	}{"an interpreter": {start, 1}, "a small guest": {startSmall, 100}} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "not", "yet", "there")
			if w := c.start(t, dir); w != "" {
				t.Fatalf("first start warned: %s", w)
			}
			entries := files(t, dir)
			if len(entries) < 3 {
				t.Fatalf("cache holds %v", entries)
			}
			for path := range entries {
				if strings.Contains(filepath.Base(path), "tmp-") {
					t.Errorf("%s was left behind", path)
				}
			}
			if w := c.start(t, dir); w != "" {
				t.Fatalf("second start warned: %s", w)
			}
			for path, size := range entries {
				whole, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				damages := [][]byte{whole[:size/2], nil, bytes.Repeat([]byte("garbage "), 1000), append(bytes.Clone(whole), 0)}
				for at := int64(0); at < size; at = at*2 + 1 {
					flipped := bytes.Clone(whole)
					flipped[at] ^= 0x41
					damages = append(damages, flipped)
				}
				for i, damaged := range damages[:min(len(damages), c.damages)] {
					if err := os.WriteFile(path, damaged, 0o600); err != nil {
						t.Fatal(err)
					}
					if w := c.start(t, dir); !strings.Contains(w, "cache entry cannot be used") || !strings.Contains(w, dir) {
						t.Errorf("%s, damage %d: warned %q", filepath.Base(path), i, w)
					}
					if w := c.start(t, dir); w != "" {
						t.Errorf("%s, damage %d: warned again after the repair: %s", filepath.Base(path), i, w)
					}
				}
			}
		})
	}
}

func TestUnusableCacheIsReportedAndIgnored(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("permissions of directories are not tested on windows")
		return
	}
	shared := filepath.Join(t.TempDir(), "shared")
	if err := os.Mkdir(shared, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shared, 0o777); err != nil {
		t.Fatal(err)
	}
	if w := startSmall(t, shared); !strings.Contains(w, "other users can write") {
		t.Errorf("world-writable directory: warned %q", w)
	}
	if got := files(t, shared); len(got) != 0 {
		t.Errorf("world-writable directory was used: %v", got)
	}

	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if w := startSmall(t, file); !strings.Contains(w, "not a directory") {
		t.Errorf("a file as directory: warned %q", w)
	}

	// Root may write anywhere, so a directory that nobody can write to is one
	// that does not exist and cannot be made.
	if w := startSmall(t, "/proc/self/nowhere/cache"); runtime.GOOS == "linux" && !strings.Contains(w, "cache directory cannot be used") {
		t.Errorf("read-only place: warned %q", w)
	}

	if os.Geteuid() != 0 {
		t.Log("not root: a directory of another user is not tested")
		return
	}
	foreign := filepath.Join(t.TempDir(), "foreign")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(foreign, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if w := startSmall(t, foreign); !strings.Contains(w, "belongs to user 12345") {
		t.Errorf("directory of another user: warned %q", w)
	}
}

// Several engines, as several processes would, start on one empty directory.
func TestCacheIsSharedByConcurrentStarts(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if w := start(t, dir); w != "" {
				t.Errorf("warned: %s", w)
			}
		})
	}
	wg.Wait()
	if w := start(t, dir); w != "" {
		t.Errorf("warned: %s", w)
	}
	for path := range files(t, dir) {
		if strings.Contains(path, "tmp-") {
			t.Errorf("%s was left behind", path)
		}
	}
}

func TestProgressReportsFirstTimeWork(t *testing.T) {
	var events []engine.Progress
	dir := t.TempDir()
	run := func() {
		events = nil
		e, err := engine.New(engine.Config{
			Runtimes: []runtimes.Runtime{javascript.Runtime()}, CacheDir: dir, Limits: patient(engine.Limits{}),
			Progress: func(p engine.Progress) { events = append(events, p) },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if _, err := e.Compile(context.Background(), engine.Source{Name: "a.js", Code: []byte("export const render = () => 1")}); err != nil {
			t.Fatal(err)
		}
	}
	run()
	want := []engine.Progress{{Stage: "compile"}, {Stage: "compile", Done: true}, {Stage: "boot"}, {Stage: "boot", Done: true}}
	if len(events) != len(want) {
		t.Fatalf("events are %+v", events)
	}
	for i, e := range events {
		if e.Language != "javascript" || e.Stage != want[i].Stage || e.Done != want[i].Done || e.Done != (e.Elapsed > 0) {
			t.Errorf("event %d is %+v", i, e)
		}
	}
	run()
	if len(events) != 0 {
		t.Errorf("with a warm cache: %+v", events)
	}
}

func TestRefusedModule(t *testing.T) {
	rt := javascript.Runtime()
	rt.SHA256[0] ^= 1
	e, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{rt}, Limits: patient(engine.Limits{})})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := e.Compile(t.Context(), engine.Source{Name: "a.js"}); err == nil || !strings.Contains(err.Error(), "digest") {
		t.Errorf("module with another digest: %v", err)
	}
	rt = javascript.Runtime()
	rt.Module = rt.Module[:len(rt.Module)/2]
	e2, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{rt}, Limits: patient(engine.Limits{})})
	if err != nil {
		t.Fatal(err)
	}
	defer e2.Close()
	if _, err := e2.Compile(t.Context(), engine.Source{Name: "a.js"}); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("half a module: %v", err)
	}
}
