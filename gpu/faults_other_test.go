//go:build !linux

package gpu_test

func fault([]byte) {}

func faultyStart() error { return nil }
