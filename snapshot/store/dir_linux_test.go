package store_test

import (
	"bytes"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sporeengine/spore/snapshot/store"
)

// TestDirFullDisk fills a disk of one megabyte.
func TestDirFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small disk; TestDirFileLimit has another way to run out of room")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		t.Skipf("root without the right to mount (%v); TestDirFileLimit has another way to run out of room", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil { // which fails if a file is open
			t.Error(err)
		}
	})
	d := openDir(t, dir)
	if _, err := d.Put(t.Context(), "a", bytes.Repeat([]byte("old"), 1000), store.Absent); err != nil {
		t.Fatal(err)
	}
	if err := fill(d, dir, make([]byte, 2<<20)); err != nil {
		t.Error(err)
	}
}
