//go:build unix

package engine

import (
	"os"
	"syscall"
)

// nonblocking returns f as a file that Go's network poller waits for, or nil.
func nonblocking(f *os.File) *os.File {
	fd := f.Fd()
	if syscall.SetNonblock(int(fd), true) != nil {
		return nil
	}
	return os.NewFile(fd, f.Name())
}
