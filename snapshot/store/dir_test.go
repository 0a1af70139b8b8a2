package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/snapshot/store"
	"github.com/sporeengine/spore/snapshot/store/storetest"
)

func openDir(t testing.TB, path string) *store.Dir {
	t.Helper()
	d, err := store.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestDir(t *testing.T) {
	storetest.Test(t, func(t *testing.T) store.Store { return openDir(t, t.TempDir()) })
	t.Run("hammer", func(t *testing.T) {
		dir := t.TempDir() // the two know no more of each other than two processes do
		if n := storetest.Hammer(t, openDir(t, dir), openDir(t, dir)); n != 0 {
			t.Errorf("%d writes left open", n)
		}
	})
}

// TestDirReopen has a second store of the same directory see what the first wrote.
func TestDirReopen(t *testing.T) {
	dir, ctx := filepath.Join(t.TempDir(), "new", "dir"), t.Context()
	v, err := openDir(t, dir).Put(ctx, "a/b", []byte("value"), store.Absent)
	if err != nil {
		t.Fatal(err)
	}
	d := openDir(t, dir)
	if b, is, err := d.Get(ctx, "a/b"); err != nil || is != v || string(b) != "value" {
		t.Errorf("got %q, version %q, want %q: %v", b, is, v, err)
	}
}

// entryFile returns the one file in objects of this name.
func entryFile(t *testing.T, dir, name string) string {
	t.Helper()
	m, err := filepath.Glob(filepath.Join(dir, "objects", "*", name))
	if err != nil || len(m) != 1 {
		t.Fatalf("%q: %v", m, err)
	}
	return m[0]
}

// TestDirCorrupt damages an entry in every way. Get says so and names the key,
// and the entry can be replaced and deleted.
func TestDirCorrupt(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	d := openDir(t, dir)
	put := func(key, value string) {
		t.Helper()
		if _, err := d.Put(ctx, key, []byte(value), store.Absent); err != nil {
			t.Fatal(err)
		}
	}
	put("a/b", "some value")
	path := entryFile(t, dir, "a+b")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put("other", "some value")
	other, err := os.ReadFile(entryFile(t, dir, "other"))
	if err != nil {
		t.Fatal(err)
	}

	damaged := map[string][]byte{"empty": {}, "longer": append(bytes.Clone(whole), 0), "of another key": other, "zeros": make([]byte, len(whole))}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		damaged[fmt.Sprintf("bit in byte %d", i)] = b
		damaged[fmt.Sprintf("cut at %d", i)] = whole[:i]
	}
	delete(damaged, "cut at 0")
	for name, b := range damaged {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, v, err := d.Get(ctx, "a/b")
		if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "a/b") || got != nil || v == store.Absent {
			t.Fatalf("%s: %d bytes, version %q, %v", name, len(got), v, err)
		}
		if _, err := d.Put(ctx, "a/b", nil, store.Absent); !errors.Is(err, store.ErrConflict) {
			t.Fatalf("%s: put as absent: %v", name, err)
		}
		if len(b)%2 == 0 {
			if err := d.Delete(ctx, "a/b", v); err != nil {
				t.Fatalf("%s: delete: %v", name, err)
			}
			continue
		}
		if _, err := d.Put(ctx, "a/b", []byte("new"), v); err != nil {
			t.Fatalf("%s: replace: %v", name, err)
		}
		if got, _, err := d.Get(ctx, "a/b"); err != nil || string(got) != "new" {
			t.Fatalf("%s: %q, %v", name, got, err)
		}
	}
}

// TestDirLeftovers has temporary files lie about, as after a crash, and files
// that are nobody's.
func TestDirLeftovers(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	d := openDir(t, dir)
	v, err := d.Put(ctx, "a", []byte("value"), store.Absent)
	if err != nil {
		t.Fatal(err)
	}
	shard := filepath.Base(filepath.Dir(entryFile(t, dir, "a")))
	write := func(path ...string) string {
		t.Helper()
		name := filepath.Join(append([]string{dir}, path...)...)
		if err := os.WriteFile(name, bytes.Repeat([]byte("junk"), 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	left := []string{write("tmp", shard), write("tmp", "000"), write("tmp", "fff")}
	write("objects", shard, ".DS_Store")
	write("objects", "README")

	openDir(t, dir)
	for _, path := range left {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
	// One that nobody has cleaned up is in nobody's way.
	write("tmp", shard)
	if v, err = d.Put(ctx, "a", []byte("next"), v); err != nil {
		t.Fatal(err)
	}
	if b, is, err := d.Get(ctx, "a"); err != nil || is != v || string(b) != "next" {
		t.Errorf("%q, %v", b, err)
	}
	if tmp, err := os.ReadDir(filepath.Join(dir, "tmp")); err != nil || len(tmp) != 0 {
		t.Errorf("left in tmp: %v, %v", tmp, err)
	}
	var keys []string
	for info, err := range d.List(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, info.Key)
	}
	if len(keys) != 1 || keys[0] != "a" {
		t.Errorf("listed %q", keys)
	}
}

// TestDirLocked has someone else hold the lock of a key: calls wait as long as
// their context lasts, temporary files are left alone, and readers do not care
// (but on Windows).
func TestDirLocked(t *testing.T) {
	dir := t.TempDir()
	d := openDir(t, dir)
	v, err := d.Put(t.Context(), "a", []byte("value"), store.Absent)
	if err != nil {
		t.Fatal(err)
	}
	shard := filepath.Base(filepath.Dir(entryFile(t, dir, "a")))
	unlock, err := store.TryLock(d, shard)
	if err != nil || unlock == nil {
		t.Fatalf("lock: %v", err)
	}
	temp := filepath.Join(dir, "tmp", shard)
	if err := os.WriteFile(temp, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := d.Put(ctx, "a", nil, v); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("put: %v", err)
	}
	openDir(t, dir)
	if _, err := os.Stat(temp); err != nil {
		t.Errorf("temporary file of a writer: %v", err)
	}
	if runtime.GOOS != "windows" {
		if b, _, err := d.Get(t.Context(), "a"); err != nil || string(b) != "value" {
			t.Errorf("get: %q, %v", b, err)
		}
	}
	unlock()
	if _, err := d.Put(t.Context(), "a", nil, v); err != nil {
		t.Errorf("put: %v", err)
	}
}
