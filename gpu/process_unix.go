//go:build unix

package gpu

import "syscall"

// workerDir is the working directory of workers.
const workerDir = "/"

// workerAttr puts a worker into a process group of its own: an interrupt from the terminal is for the
// host, which may want to finish its calls.
func workerAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills the processes that a worker has started, unless they have left its group.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
