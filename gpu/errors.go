package gpu

import (
	"errors"

	"github.com/sporeengine/spore/gpu/internal/fair"
)

// What a [Pool] can fail with, beside the errors of a [Backend], of package tensor for programs
// that are not valid or over their limits, and of contexts.
var (
	// ErrUnavailable: no worker can serve now. Programs have no effects, so the same call may be made again.
	ErrUnavailable = errors.New("gpu: unavailable")

	// ErrQuota: the tenant has too much in progress, or too many constants.
	ErrQuota = fair.ErrQuota

	// errWorker: a worker reported what none should.
	errWorker = errors.New("gpu: the worker failed")
)

// A WorkerError is a worker that was lost in the middle of a call, or could not be started. It matches [ErrUnavailable].
type WorkerError struct {
	// Reason says what happened, for people. It may hold the last line that the worker wrote to its standard error.
	Reason string
}

// Error implements error.
func (e *WorkerError) Error() string { return "gpu: worker " + e.Reason }

// Is reports whether target is ErrUnavailable.
func (e *WorkerError) Is(target error) bool { return target == ErrUnavailable }
