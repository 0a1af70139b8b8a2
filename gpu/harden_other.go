//go:build !linux

package gpu

// harden does nothing here: a worker is a process of its own and no more.
func harden() {}
