//go:build !linux

package shm

import (
	"errors"
	"os"
)

// NewHost fails: there is no shared memory here.
func NewHost(int, int64, Control) (Host, *os.File, error) { return nil, nil, errors.ErrUnsupported }

// NewWorker fails likewise.
func NewWorker(*os.File, int64, int, Handler, func(error)) (Worker, error) {
	return nil, errors.ErrUnsupported
}

// SharedBytes is not asked for here.
func SharedBytes(arenaBytes int64) int64 { return arenaBytes }

// MapBuffers fails likewise.
func MapBuffers(int) ([]byte, error) { return nil, errors.ErrUnsupported }

func newSharedBuffers(int64) (*os.File, []byte, error) { return nil, nil, errors.ErrUnsupported }

func discard(mem []byte) error { return errors.ErrUnsupported }

func unmap([]byte) error { return nil }
