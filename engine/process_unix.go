//go:build unix

package engine

import "syscall"

// workerDir is the working directory of worker processes.
const workerDir = "/"

// workerAttr puts a worker process into a process group of its own: an interrupt from
// the terminal is for the server, which may want to finish its calls.
func workerAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
