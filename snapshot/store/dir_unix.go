//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// lockReads is false: a file that is replaced while it is read stays as it was
// for its reader.
const lockReads = false

// tryLockFile locks f, for as long as it is open, and reports whether that went
// well. A lock belongs to the open file and not to the process, so that
// goroutines exclude each other too.
func tryLockFile(f *os.File) (bool, error) {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, &os.PathError{Op: "flock", Path: f.Name(), Err: err}
		}
	}
}

// rename makes the file at from that at to.
func rename(from, to string) error { return os.Rename(from, to) }

// remove removes the file at path.
func remove(path, _ string) error { return os.Remove(path) }

// syncDir waits until the names in a directory are on disk.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// isFull reports whether an error says that there is no room: on the disk, in
// the quota of the user or within the limits of the process.
func isFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EFBIG)
}

// checkPrivate refuses a directory that another user owns or can write to.
func checkPrivate(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("belongs to user %d, not to user %d who runs this program", st.Uid, os.Geteuid())
	}
	if perm := info.Mode().Perm(); perm&0o022 != 0 {
		return fmt.Errorf("other users can write to it (mode %#o)", perm)
	}
	return nil
}
