//go:build !linux || !(amd64 || arm64)

package snapshot

import "testing"

// pageOuts is for systems where memories are on the Go heap.
type pageOuts struct{}

func (*pageOuts) swap(*testing.T, *Memory) {}
func (*pageOuts) String() string           { return "pages are not swapped out on this system" }
