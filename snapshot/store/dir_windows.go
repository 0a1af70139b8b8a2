package store

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockReads is true: a file that someone reads cannot be replaced.
const lockReads = true

// tryLockFile locks f, for as long as it is open, and reports whether that went
// well. A lock belongs to the handle and not to the process, so that goroutines
// exclude each other too.
func tryLockFile(f *os.File) (bool, error) {
	const all = ^uint32(0)
	err := windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, all, all, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	if err != nil {
		return false, &os.PathError{Op: "LockFileEx", Path: f.Name(), Err: err}
	}
	return true, nil
}

// rename makes the file at from that at to, and waits until that is on disk.
func rename(from, to string) error {
	f, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	t, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	if err := windows.MoveFileEx(f, t, windows.MOVEFILE_REPLACE_EXISTING|windows.MOVEFILE_WRITE_THROUGH); err != nil {
		return &os.LinkError{Op: "MoveFileEx", Old: from, New: to, Err: err}
	}
	return nil
}

// remove removes the file at path, and waits until that is on disk. Only a move
// can be waited for, so the file is made a temporary one first.
func remove(path, temp string) error {
	if err := rename(path, temp); err != nil {
		return err
	}
	os.Remove(temp) // what is left is removed as leftovers are
	return nil
}

// syncDir does nothing: a directory cannot be flushed without the right to write
// to it. NTFS writes what happens to names to its journal in order, and rename
// waits for that.
func syncDir(string) error { return nil }

// isFull reports whether an error says that there is no room on the disk or in
// the quota of the user.
func isFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) ||
		errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED)
}

// checkPrivate does nothing: who else may write to a directory is for the access
// lists of the system to say, and the user's profile is private.
func checkPrivate(string) error { return nil }
