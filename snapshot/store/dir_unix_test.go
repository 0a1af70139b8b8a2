//go:build unix

package store_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sporeengine/spore/snapshot/store"
)

func TestDirPermissions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	d := openDir(t, dir)
	if _, err := d.Put(t.Context(), "a/b", []byte("x"), store.Absent); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %#o", path, info.Mode().Perm())
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Errorf("%d files, %v", files, err)
	}

	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenDir(dir); err == nil || !strings.Contains(err.Error(), "write to it") {
		t.Errorf("a directory that all can write to: %v", err)
	}
}

// TestDirFileLimit lets a process write files of 64 KiB only, which is a full
// disk that any user can have.
func TestDirFileLimit(t *testing.T) {
	dir := t.TempDir()
	old := bytes.Repeat([]byte("old"), 1000)
	if _, err := openDir(t, dir).Put(t.Context(), "a", old, store.Absent); err != nil {
		t.Fatal(err)
	}
	if out, err := command(t, "limited", dir).CombinedOutput(); err != nil || string(out) != "ok\n" {
		t.Fatalf("%s%v", out, err)
	}
	if b, _, err := openDir(t, dir).Get(t.Context(), "a"); err != nil || !bytes.Equal(b, old) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func init() { children["limited"] = func(args []string) error { return runLimited(args[0]) } }

// runLimited is the process of TestDirFileLimit.
func runLimited(dir string) error {
	const limit = 64 << 10
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	d, err := store.OpenDir(dir)
	if err != nil {
		return err
	}
	return fill(d, dir, make([]byte, 2*limit))
}

// fill checks that a value which does not fit is refused, that what is there
// stays, and that there is room for a small one.
func fill(d *store.Dir, dir string, big []byte) error {
	ctx := background
	old, v, err := d.Get(ctx, "a")
	if err != nil {
		return err
	}
	for _, key := range []string{"a", "new"} {
		if key == "new" {
			v = store.Absent
		}
		if _, err := d.Put(ctx, key, big, v); !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), key) {
			return errors.Join(errors.New("no ErrFull"), err)
		}
	}
	if b, _, err := d.Get(ctx, "a"); err != nil || !bytes.Equal(b, old) {
		return errors.Join(errors.New("the old value changed"), err)
	}
	if _, _, err := d.Get(ctx, "new"); !errors.Is(err, store.ErrNotFound) {
		return errors.Join(errors.New("a new value is there"), err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "tmp")); err != nil || len(left) != 0 {
		return errors.Join(errors.New("temporary files are left"), err)
	}
	_, err = d.Put(ctx, "small", []byte("fits"), store.Absent)
	return err
}
