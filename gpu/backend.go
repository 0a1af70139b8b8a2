package gpu

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/sporeengine/spore/gpu/tensor"
)

// A Backend evaluates tensor programs on one device. All methods but Close may be
// called by many goroutines at the same time.
type Backend interface {
	// Info describes the backend. It does not change while the backend lives.
	Info() Info

	// Eval runs p on its inputs and constants, in the order in which p declares
	// them, and writes its outputs.
	//
	// All data are row-major, little-endian and without gaps: inputs[i] has
	// p.Inputs()[i].Bytes() bytes, outputs[i] p.Outputs()[i].Bytes(). The slices
	// are the caller's: they must not change while Eval runs and are not kept
	// when it has returned. Outputs must not overlap each other nor an input.
	// After an error, their contents are unspecified.
	//
	// When ctx is done, Eval returns ctx's error soon, at the latest when the
	// node that runs is done. A constant that is not there is [ErrConstant],
	// want of memory [ErrMemory], data that an operation refuses (an index out of
	// range) a *[tensor.NodeError].
	Eval(ctx context.Context, p *tensor.Program, inputs [][]byte, constants []ConstantID, outputs [][]byte) error

	// PutConstant makes data known as a constant of type t. It copies data. An
	// id that is known already is left as it is, so calls may be repeated. The id
	// is trusted: it must be IDOf(t, data).
	PutConstant(ctx context.Context, id ConstantID, t tensor.Type, data []byte) error

	// DropConstant forgets a constant. Evaluations that use it go on. An unknown
	// id is ignored.
	DropConstant(id ConstantID)

	// Close ends the backend and frees its memory, when the evaluations that run
	// are done. Later calls fail with [ErrClosed]. Close may be called twice.
	Close() error
}

// Info describes a backend.
type Info struct {
	// Name is the kind of the backend: "cpu", "cuda".
	Name string

	// Device is the device as its maker names it.
	Device string

	// MemoryBytes is what evaluations and constants may use together.
	MemoryBytes int64

	// Ops are the operations that the backend has.
	Ops []tensor.Op

	// Models are what a worker process serves beside programs, see [Pool.Models]. Other backends have none.
	Models []Model `json:",omitempty"`
}

// A ConstantID names a constant by its type and contents, see [IDOf].
type ConstantID [sha256.Size]byte

// IDOf returns the id of a constant.
func IDOf(t tensor.Type, data []byte) ConstantID {
	h := sha256.New()
	h.Write(t.AppendBinary(nil))
	h.Write(data)
	var id ConstantID
	h.Sum(id[:0])
	return id
}

// String returns id in hexadecimal digits.
func (id ConstantID) String() string { return hex.EncodeToString(id[:]) }

// What can be wrong with a call of a [Backend].
var (
	// ErrArgument: buffers that do not fit the program.
	ErrArgument = errors.New("gpu: buffers do not fit the program")

	// ErrConstant: a constant that the backend does not know, or of another type
	// than the program says.
	ErrConstant = errors.New("gpu: unknown constant")

	// ErrMemory: the program or constant needs more memory than there is.
	ErrMemory = errors.New("gpu: out of memory")

	// ErrClosed: the backend has been closed.
	ErrClosed = errors.New("gpu: backend is closed")
)
