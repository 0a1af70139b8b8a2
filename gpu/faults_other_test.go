//go:build !linux

package gpu_test

const sharesMemory = false

func fault([]byte) {}

func faultyStart() error { return nil }
