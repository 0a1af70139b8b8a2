//go:build !unix

package gpu

import "syscall"

// workerDir is the working directory of workers: that of this process.
const workerDir = ""

func workerAttr() *syscall.SysProcAttr { return nil }

// killGroup does nothing: there are no groups.
func killGroup(int) {}
