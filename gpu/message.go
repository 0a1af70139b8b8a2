package gpu

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/sporeengine/spore/gpu/internal/shm"
	"github.com/sporeengine/spore/gpu/internal/wire"
	"github.com/sporeengine/spore/gpu/tensor"
)

// Operations of requests to workers, see PROTOCOL.md.
const (
	opEval       = 1
	opEvalPlaced = 2 // some inputs lie in buffers
	opModel      = 3
	opStream     = 4
)

// Codes of answers. The detail of codeNode is the index of the node.
const (
	codeOK = iota
	codeArgument
	codeConstant
	codeMemory
	codeCanceled
	codeNode
	codeUnsupported
	codeInternal
)

// errData is what the host knows of a *tensor.NodeError of a worker.
var errData = errors.New("the operation refuses its data")

// encodeAnswer turns the error of a backend into what crosses to the host: numbers only, so that
// no text of a worker reaches a guest.
func encodeAnswer(err error) shm.Answer {
	var node *tensor.NodeError
	switch {
	case err == nil:
		return shm.Answer{}
	case errors.As(err, &node):
		return shm.Answer{Code: codeNode, Detail: uint32(node.Node)}
	case errors.Is(err, ErrArgument):
		return shm.Answer{Code: codeArgument}
	case errors.Is(err, ErrConstant):
		return shm.Answer{Code: codeConstant}
	case errors.Is(err, ErrMemory):
		return shm.Answer{Code: codeMemory}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return shm.Answer{Code: codeCanceled}
	case errors.Is(err, errors.ErrUnsupported):
		return shm.Answer{Code: codeUnsupported}
	}
	return shm.Answer{Code: codeInternal}
}

// decodeAnswer turns it back.
func decodeAnswer(a shm.Answer, p *tensor.Program) error {
	switch a.Code {
	case codeOK:
		return nil
	case codeArgument:
		return ErrArgument
	case codeConstant:
		return ErrConstant
	case codeMemory:
		return ErrMemory
	case codeCanceled:
		return context.Canceled
	case codeUnsupported:
		return fmt.Errorf("gpu: an operation of the program: %w", errors.ErrUnsupported)
	case codeNode:
		if p != nil && int64(a.Detail) < int64(len(p.Nodes())) {
			n := &p.Nodes()[a.Detail]
			e := &tensor.NodeError{Node: int(a.Detail), Op: n.Op, Err: errData}
			for _, v := range n.In {
				e.In = append(e.In, p.Type(v))
			}
			return e
		}
	}
	return errWorker
}

// evalHeader is the length of the first part of a request to evaluate, without the
// constants that it names.
const evalHeader = 16

// placed is the length of the place of an input, and notPlaced that of one which comes with the request.
const (
	placed    = 8
	notPlaced = -1
)

// encodeEval returns the parts of a request. If at is not nil it says which inputs lie where in the buffers.
func encodeEval(p *tensor.Program, inputs [][]byte, constants []ConstantID, at []int64) (op uint32, parts [][]byte) {
	program := p.Encode()
	ids := len(constants) * len(ConstantID{})
	head := make([]byte, evalHeader+ids+placed*len(at))
	binary.LittleEndian.PutUint32(head, uint32(len(constants)))
	binary.LittleEndian.PutUint32(head[4:], uint32(len(program)))
	for i := range constants {
		copy(head[evalHeader+i*len(ConstantID{}):], constants[i][:])
	}
	parts = append(make([][]byte, 0, 2+len(inputs)), head, program)
	if at == nil {
		return opEval, append(parts, inputs...)
	}
	binary.LittleEndian.PutUint32(head[8:], uint32(len(at)))
	for i, where := range at {
		binary.LittleEndian.PutUint64(head[evalHeader+ids+placed*i:], uint64(where))
		if where == notPlaced {
			parts = append(parts, inputs[i])
		}
	}
	return opEvalPlaced, parts
}

// An evaluation is a request as the worker sees it.
type evaluation struct {
	program         *tensor.Program
	inputs, outputs [][]byte
	constants       []ConstantID
	tenant          uint32 // see TenantOf
}

// decodeEval reads a request and divides up its memory and that of the result. Some inputs may lie in buffers.
//
// All of this is in memory that may change while it is read. So numbers are read once, and what is checked is what is used; the program is known by a
// copy. The inputs are only data: a backend must bear any.
func (c *programs) decodeEval(in, out []byte, mayBePlaced bool, buffers []byte) (e evaluation, err error) {
	if len(in) < evalHeader {
		return e, wire.ErrProtocol
	}
	n, size := int64(binary.LittleEndian.Uint32(in)), int64(binary.LittleEndian.Uint32(in[4:]))
	places := uint64(binary.LittleEndian.Uint32(in[8:]))
	e.tenant = binary.LittleEndian.Uint32(in[12:])
	if places > 0 && !mayBePlaced || places > uint64(len(in)) {
		return e, wire.ErrProtocol
	}
	ids := n * int64(len(ConstantID{}))
	at := align(evalHeader + ids + placed*int64(places))
	if align(at+size) > int64(len(in)) {
		return e, wire.ErrProtocol
	}
	e.constants = make([]ConstantID, n)
	for i := range e.constants {
		copy(e.constants[i][:], in[evalHeader+i*len(ConstantID{}):])
	}
	known, err := c.get(in[at : at+size])
	if err != nil {
		return e, err
	}
	e.program = known.program
	rest, sizes := in[align(at+size):], known.inputs
	if places > 0 {
		if places != uint64(len(sizes)) {
			return e, wire.ErrProtocol
		}
		e.inputs, sizes, err = takePlaced(in[evalHeader+ids:][:placed*places], sizes, buffers)
		if err != nil {
			return e, err
		}
	}
	inline, err := divide(rest, sizes)
	if err != nil {
		return e, err
	}
	if places == 0 {
		e.inputs = inline
	}
	for i := range e.inputs {
		if e.inputs[i] == nil {
			e.inputs[i], inline = inline[0], inline[1:]
		}
	}
	e.outputs, err = divide(out, known.outputs)
	return e, err
}

// takePlaced returns the inputs that lie in buffers, nil for others, and the sizes of these.
func takePlaced(places []byte, sizes []int64, buffers []byte) (inputs [][]byte, others []int64, err error) {
	inputs = make([][]byte, len(sizes))
	for i, n := range sizes {
		at := int64(binary.LittleEndian.Uint64(places[placed*i:]))
		if at == notPlaced {
			others = append(others, n)
			continue
		}
		if at < 0 || at%shm.Align > 0 || at >= int64(len(buffers)) || n > int64(len(buffers))-at {
			return nil, nil, wire.ErrProtocol
		}
		inputs[i] = buffers[at : at+n : at+n]
	}
	return inputs, others, nil
}

func align(n int64) int64 { return (n + shm.Align - 1) / shm.Align * shm.Align }

// divide returns where tensors of these sizes are in b.
func divide(b []byte, sizes []int64) ([][]byte, error) {
	parts := make([][]byte, len(sizes))
	for i, n := range sizes {
		if n > int64(len(b)) || align(n) > int64(len(b)) {
			return nil, wire.ErrProtocol
		}
		parts[i] = b[:n:n]
		b = b[align(n):]
	}
	if len(b) > 0 {
		return nil, wire.ErrProtocol
	}
	return parts, nil
}

// programs keeps what was decoded last. A worker decodes what its host has checked already, and so sets no limits of its
// own.
type programs struct {
	mu    sync.Mutex
	known map[string]*known // by their encoding; guarded by mu
	bytes int               // of the keys; guarded by mu
}

// A known program, with the sizes of what comes and goes.
type known struct {
	program         *tensor.Program
	inputs, outputs []int64
}

// Bounds of programs.
const (
	maxPrograms     = 1024
	maxProgramBytes = 16 << 20
)

var noLimits = tensor.Limits{Nodes: 1<<31 - 1, Rank: 1 << 10, Elements: 1<<63 - 1, Bytes: 1<<63 - 1, Work: 1<<63 - 1, Peak: 1<<63 - 1}

func (c *programs) get(encoded []byte) (*known, error) {
	c.mu.Lock()
	k := c.known[string(encoded)]
	c.mu.Unlock()
	if k != nil {
		return k, nil
	}
	encoded = bytes.Clone(encoded) // out of the shared memory, which may change while it is checked
	p, err := tensor.Decode(encoded, noLimits)
	if err != nil {
		return nil, err
	}
	k = &known{program: p}
	for _, t := range p.Inputs() {
		k.inputs = append(k.inputs, t.Bytes())
	}
	for _, t := range p.Outputs() {
		k.outputs = append(k.outputs, t.Bytes())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bytes += len(encoded); c.known == nil || len(c.known) >= maxPrograms || c.bytes > maxProgramBytes {
		c.known, c.bytes = map[string]*known{}, len(encoded)
	}
	c.known[string(encoded)] = k
	return k, nil
}
