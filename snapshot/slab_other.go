//go:build !linux || !(amd64 || arm64)

package snapshot

func newSlabMemory(int) (slabMemory, error) { return newHeapSlab(), nil }
