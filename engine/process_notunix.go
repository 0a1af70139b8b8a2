//go:build !unix

package engine

import (
	"os"
	"syscall"
)

// workerDir is the working directory of worker processes: that of this one.
const workerDir = ""

func workerAttr() *syscall.SysProcAttr { return nil }

func newPipe() (r, w *os.File, err error) { return os.Pipe() }
