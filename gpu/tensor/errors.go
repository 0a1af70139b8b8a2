package tensor

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a program, for errors.Is.
var (
	// ErrFormat: bytes that are no encoding of a program.
	ErrFormat = errors.New("tensor: malformed program")

	// ErrInvalid: an operation does not take such types or attributes.
	ErrInvalid = errors.New("tensor: invalid program")

	// ErrLimit: the program is over one of its [Limits].
	ErrLimit = errors.New("tensor: program over its limits")
)

// A NodeError says which operation of a program is wrong. Its text has no contents
// of tensors but single indices, so it may be shown to the guest.
type NodeError struct {
	Node int    // index in [Program.Nodes]
	Op   Op     //
	In   []Type // the inputs' types
	Err  error  // what is wrong; matches ErrInvalid or ErrLimit, or is of a backend
}

// Error names the node, the operation, the types of its inputs, and what is wrong.
func (e *NodeError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tensor: node %d: %s(", e.Node, e.Op)
	for i, t := range e.In {
		if i == 4 && len(e.In) > 5 {
			fmt.Fprintf(&b, ", … %d inputs", len(e.In))
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.String())
	}
	fmt.Fprintf(&b, "): %s", strings.TrimPrefix(e.Err.Error(), "tensor: "))
	return b.String()
}

// Unwrap returns e.Err.
func (e *NodeError) Unwrap() error { return e.Err }

// reason is an error that matches a sentinel but has a text of its own.
type reason struct {
	text string
	is   error
}

func (r *reason) Error() string   { return r.text }
func (r *reason) Is(e error) bool { return e == r.is }
