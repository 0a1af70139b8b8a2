//go:build !unix

package engine

import "os"

// nonblocking returns f as a file that Go's network poller waits for, or nil.
func nonblocking(*os.File) *os.File { return nil }
