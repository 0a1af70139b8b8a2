package engine_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A full disk costs a warning and the time to build things anew, whichever
// entry did not fit.
func TestFullCacheIsReportedAndIgnored(t *testing.T) {
	sizes := []string{"64k", "2m", "5m"}
	if testing.Short() {
		sizes = sizes[1:2] // each start compiles an interpreter
	}
	for _, size := range sizes {
		dir := t.TempDir()
		if err := unix.Mount("spore-test", dir, "tmpfs", 0, "mode=700,size="+size); err != nil {
			t.Skipf("NOT TESTED: a full cache directory, because a small file system cannot be mounted here: %v", err)
		}
		func() {
			defer func() {
				if err := unix.Unmount(dir, 0); err != nil {
					t.Error(err)
				}
			}()
			for i := range 2 {
				if w := start(t, dir); !strings.Contains(w, "cannot be written") || !strings.Contains(w, "no space left") {
					t.Errorf("%s, start %d: warned %q", size, i, w)
				}
			}
			for path := range files(t, dir) {
				if strings.Contains(path, "tmp-") {
					t.Errorf("%s: %s was left behind", size, path)
				}
			}
		}()
	}
}

// A cache on a read-only file system is used if it is complete, and else costs
// a warning.
func TestReadOnlyCache(t *testing.T) {
	for _, warm := range []bool{true, false} {
		dir := t.TempDir()
		if err := unix.Mount("spore-test", dir, "tmpfs", 0, "mode=700,size=64m"); err != nil {
			t.Skipf("NOT TESTED: a read-only cache directory, because a file system cannot be mounted here: %v", err)
		}
		func() {
			defer func() {
				if err := unix.Unmount(dir, 0); err != nil {
					t.Error(err)
				}
			}()
			if warm {
				startSmall(t, dir)
			}
			if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
				t.Fatal(err)
			}
			w := startSmall(t, dir)
			if warm && w != "" {
				t.Errorf("warm: warned %q", w)
			}
			if !warm && !strings.Contains(w, "read-only file system") {
				t.Errorf("empty: warned %q", w)
			}
		}()
	}
}
