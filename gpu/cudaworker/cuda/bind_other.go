//go:build !linux

package cuda

import (
	"errors"
	"fmt"
	"runtime"
)

// openDriver fails: CUDA is used on Linux only.
func openDriver(*Options) (driver, error) {
	return nil, fmt.Errorf("cuda: on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
