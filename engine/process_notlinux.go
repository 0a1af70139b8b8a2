//go:build !linux

package engine

import "os"

// selfExecutable returns the program of this process.
func selfExecutable() (string, error) { return os.Executable() }
