package cuda

import (
	"errors"
	"fmt"
)

type (
	// devPtr is an address in the memory of the device, 0 for none.
	devPtr uint64

	// Handles of CUDA.
	stream   uintptr
	event    uintptr
	function uintptr
)

// A driver is what the backend uses of a device and its libraries. Only the goroutine of an [executor] calls its methods, but for
// compile and compiler, which any may call. Work on a stream goes on after a method has returned: memory that it reads or
// writes must stay until an event that was recorded after it is done.
type driver interface {
	device() deviceInfo

	memAlloc(bytes int64) (devPtr, error)
	memFree(p devPtr) error
	memInfo() (free, total int64, err error)

	// hostAlloc returns memory that the device can read and write, outside of Go's heap.
	hostAlloc(bytes int) ([]byte, error)
	hostFree(b []byte) error
	// register makes memory that is there already such memory.
	register(b []byte) error
	unregister(b []byte) error

	newStream() (stream, error)
	freeStream(s stream) error
	newEvent() (event, error)
	freeEvent(e event) error
	record(e event, s stream) error
	query(e event) (done bool, err error)

	copyIn(dst devPtr, src []byte, s stream) error
	copyOut(dst []byte, src devPtr, s stream) error
	fill(dst devPtr, b byte, bytes int64, s stream) error

	// compile turns a kernel into code for this device, compiler says by what: it is part of the key of what is kept.
	compile(source string) ([]byte, error)
	compiler() string

	load(code []byte) (function, error)
	unload(f function) error
	launch(f function, blocks, threads int, words []uint64, s stream) error

	// gemm multiplies matrices; canGemm tells whether there is a library that does.
	gemm(g *gemm, s stream) error
	canGemm() bool

	close() error
}

// deviceInfo describes a device.
type deviceInfo struct {
	name        string
	arch        string // "sm_90"
	uuid        string
	memory      int64 // bytes
	driver      int   // version, as 13000
	library     string
	multiprocs  int
	runtimeLibs string // versions of the libraries that are not the driver, for people
}

// A gemm is C = A·B of column-major matrices, count of them at distances from each other.
type gemm struct {
	dtype                     gemmType
	transA, transB, tf32      bool
	m, n, k                   int
	a, b, c                   devPtr
	lda, ldb, ldc             int
	strideA, strideB, strideC int64 // elements
	count                     int
}

// gemmType is the type of all three matrices.
type gemmType uint8

const (
	gemmF16 gemmType = iota + 1
	gemmBF16
	gemmF32
	gemmF64
)

// A driverError is a status that a library has returned.
type driverError struct {
	call string // the function
	code int    // its status
	text string // the status in words
	kind errorKind
}

// errorKind says what an error means for the process.
type errorKind uint8

const (
	failed      errorKind = iota // this call, nothing else
	outOfMemory                  // want of device memory
	fatal                        // the context cannot be used any more
)

func (e *driverError) Error() string {
	return fmt.Sprintf("cuda: %s: %s (%d)", e.call, e.text, e.code)
}

// isKind tells whether err is a driver's error of a kind.
func isKind(err error, k errorKind) bool {
	var e *driverError
	return errors.As(err, &e) && e.kind == k
}

// Statuses of the driver.
const (
	statusOK          = 0
	statusOutOfMemory = 2
	statusNotReady    = 600
)

// kindOf classifies a status of the driver. Of errors that leave the context unusable every later call reports the same;
// the only cure is another process. A status that is not known is taken for such a one.
func kindOf(status int) errorKind {
	switch status {
	case statusOutOfMemory:
		return outOfMemory
	case 1, // invalid value
		200, 209, 218, 222, // no image, none for this device, invalid PTX, of a later version
		500,      // not found
		701, 801: // too many resources asked for, not supported
		return failed
	}
	return fatal
}
