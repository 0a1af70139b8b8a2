//go:build !unix

package engine

import "syscall"

// workerDir is the working directory of worker processes: that of this one.
const workerDir = ""

func workerAttr() *syscall.SysProcAttr { return nil }
