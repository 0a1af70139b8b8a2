//go:build unix

package engine

import (
	"os"
	"syscall"
)

// workerDir is the working directory of worker processes.
const workerDir = "/"

// workerAttr puts a worker process into a process group of its own: an interrupt from
// the terminal is for the server, which may want to finish its calls.
func workerAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// newPipe returns a pipe whose ends wait in the kernel, not in Go's poller: a thread for each call in a worker process, but
// the one that wakes is the one that goes on, with nothing in between.
func newPipe() (r, w *os.File, err error) {
	var fds [2]int
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := syscall.Pipe(fds[:]); err != nil {
		return nil, nil, os.NewSyscallError("pipe", err)
	}
	for _, fd := range fds {
		syscall.CloseOnExec(fd)
	}
	return os.NewFile(uintptr(fds[0]), "|0"), os.NewFile(uintptr(fds[1]), "|1"), nil
}
