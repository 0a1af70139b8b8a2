//go:build !linux

package shm

import (
	"testing"
	"time"
)

func shared(t *testing.T, _ int64, _ time.Duration) *pair {
	t.Fatal("there is no shared memory here")
	return nil
}
