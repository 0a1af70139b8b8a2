// Package abi is the host's side of the guest ABI (runtimes/ABI.md): the
// control block, frames and errors. Every byte that comes from a guest is
// hostile: nothing here panics on or believes any of it.
package abi

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// Names of the exports.
const (
	Initialize = "_initialize"
	Control    = "spore_control"
	Boot       = "spore_boot"
	Load       = "spore_load"
	Seal       = "spore_seal"
	Call       = "spore_call"
	Settle     = "spore_settle"
	Tidy       = "spore_tidy"
	Reserve    = "spore_reserve"
)

// Names of the imports that the engine itself must know.
const (
	ImportModule = "spore"
	ImportTick   = "tick"
)

// Reserved names of host calls. Every guest may make the first two.
const (
	SleepCall  = "spore.sleep"
	CancelCall = "spore.cancel" // of a pending call that the guest has given up
	EmitCall   = "spore.emit"   // one part of a streamed result
)

// ExecFunction is the reserved name of the function that runs more source.
const ExecFunction = "spore.exec"

// FlagBlocking asks a host call to reply at once.
const FlagBlocking = 1

// A Status is what an export of the guest returns.
type Status int32

// Statuses.
const (
	StatusJSON Status = iota
	StatusText
	StatusPending
	StatusError
)

// ErrABI means that a guest broke the ABI. It is wrapped with detail.
var ErrABI = errors.New("guest broke the ABI")

// controlSize is the length of the control block in bytes.
const controlSize = 32

// A ControlBlock is a copy of a guest's control block.
type ControlBlock struct {
	ABI               uint32
	Input, InputCap   uint32
	Result, ResultLen uint32
	Pending, Fresh    uint32
}

// ReadControl reads the control block at addr and checks that the areas it
// names lie in mem.
func ReadControl(mem []byte, addr uint32) (ControlBlock, error) {
	b, ok := Slice(mem, addr, controlSize)
	if !ok {
		return ControlBlock{}, fmt.Errorf("%w: control block at %d lies outside memory", ErrABI, addr)
	}
	u := func(off int) uint32 { return binary.LittleEndian.Uint32(b[off:]) }
	c := ControlBlock{u(0), u(4), u(8), u(12), u(16), u(20), u(24)}
	if _, ok := Slice(mem, c.Input, c.InputCap); !ok {
		return c, fmt.Errorf("%w: input area [%d, +%d) lies outside memory", ErrABI, c.Input, c.InputCap)
	}
	if _, ok := Slice(mem, c.Result, c.ResultLen); !ok {
		return c, fmt.Errorf("%w: result [%d, +%d) lies outside memory", ErrABI, c.Result, c.ResultLen)
	}
	return c, nil
}

// Fresh returns the bytes of the field fresh of the control block at addr, if it lies in mem.
func Fresh(mem []byte, addr uint32) ([]byte, bool) {
	b, ok := Slice(mem, addr, controlSize)
	if !ok {
		return nil, false
	}
	return b[24:28:28], true
}

// Kept is Fresh for the field kept.
func Kept(mem []byte, addr uint32) ([]byte, bool) {
	b, ok := Slice(mem, addr, controlSize)
	if !ok {
		return nil, false
	}
	return b[28:32:32], true
}

// Slice returns the n bytes of mem at ptr, if they exist.
func Slice(mem []byte, ptr, n uint32) ([]byte, bool) {
	end := uint64(ptr) + uint64(n)
	if end > uint64(len(mem)) {
		return nil, false
	}
	return mem[ptr:end:end], true
}

// AppendFrame appends a frame of the JSON text and its buffers to dst.
func AppendFrame(dst, text []byte, buffers ...[]byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(text)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(buffers)))
	for _, b := range buffers {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(b)))
	}
	dst = append(dst, text...)
	for _, b := range buffers {
		dst = append(dst, b...)
	}
	return dst
}

// maxBuffers bounds the buffers of a frame: an empty one takes four bytes of a
// guest and six times as much of the host.
const maxBuffers = 1 << 16

// ParseFrame splits a frame into its JSON text, which is nil if the frame
// stands for no value, and its buffers. Both share memory with b. The text is
// not checked to be JSON.
func ParseFrame(b []byte) (text []byte, buffers [][]byte, err error) {
	bad := func(what string) ([]byte, [][]byte, error) {
		return nil, nil, fmt.Errorf("%w: frame of %d bytes: %s", ErrABI, len(b), what)
	}
	if len(b) < 8 {
		return bad("shorter than its header")
	}
	n, count := uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[4:]))
	if count > maxBuffers {
		return bad(fmt.Sprintf("has %d buffers, more than %d", count, maxBuffers))
	}
	head := 8 + 4*count
	if head > uint64(len(b)) {
		return bad("has no room for its buffer lengths")
	}
	if head+n > uint64(len(b)) {
		return bad("ends inside its JSON text")
	}
	lengths, rest := b[8:head], b[head:]
	if n > 0 {
		text, rest = rest[:n:n], rest[n:]
	}
	if count > 0 {
		buffers = make([][]byte, count)
	}
	for i := range buffers {
		l := uint64(binary.LittleEndian.Uint32(lengths[4*i:]))
		if l > uint64(len(rest)) {
			return bad(fmt.Sprintf("ends inside buffer %d", i))
		}
		buffers[i], rest = rest[:l:l], rest[l:]
	}
	if len(rest) > 0 {
		return bad(fmt.Sprintf("has %d bytes behind its last buffer", len(rest)))
	}
	return text, buffers, nil
}

// Depth returns how deep the arrays and objects of a JSON text are nested. Of a
// text that is not JSON it returns some number.
func Depth(text []byte) int {
	depth, most, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\':
			i++
		case quoted:
		case c == '[' || c == '{':
			depth++
			most = max(most, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return most
}

// Reply builds the reply to a host call: its result, or an error.
func Reply(ok bool, text []byte, buffers ...[]byte) []byte {
	dst := []byte{0}
	if ok {
		dst[0] = 1
	}
	return AppendFrame(dst, text, buffers...)
}

// MaxErrorBytes bounds the JSON of an error.
const MaxErrorBytes = 64 << 10

// Kinds of an [Error].
const (
	KindSyntax  = "syntax"
	KindError   = "error"
	KindResult  = "result"
	KindMissing = "missing"
	KindMemory  = "memory"
	KindExit    = "exit"
	KindStuck   = "stuck"
	KindABI     = "abi"
)

// An Error is what a guest says of a failure. Its texts are untrusted.
type Error struct {
	Kind        string       `json:"kind"`
	Name        string       `json:"name"`
	Message     string       `json:"message"`
	Stack       []Frame      `json:"stack"`
	Trace       string       `json:"trace"`
	Diagnostics []Diagnostic `json:"diagnostics"`
	Host        uint32       `json:"host"`
}

// A Frame is a position on the guest's stack.
type Frame struct {
	Func   string `json:"func"`
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// A Diagnostic is a problem in source.
type Diagnostic struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Text     string `json:"text"`
	LineText string `json:"lineText"`
}

// maxStack bounds the frames of an error's stack, and its diagnostics.
const maxStack = 64

// ParseError decodes the result of a call whose status is [StatusError].
func ParseError(b []byte) (*Error, error) {
	if len(b) > MaxErrorBytes {
		return nil, fmt.Errorf("%w: error of %d bytes, more than %d", ErrABI, len(b), MaxErrorBytes)
	}
	var e Error
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, fmt.Errorf("%w: error is not JSON: %v", ErrABI, err)
	}
	switch e.Kind {
	case KindSyntax, KindError, KindResult, KindMissing, KindMemory, KindExit, KindStuck, KindABI:
		e.tidy()
		return &e, nil
	}
	return nil, fmt.Errorf("%w: error of unknown kind %.40q", ErrABI, e.Kind)
}

// tidy drops what is beyond the bounds, and positions that are none.
func (e *Error) tidy() {
	e.Stack = e.Stack[:min(len(e.Stack), maxStack)]
	for i := range e.Stack {
		f := &e.Stack[i]
		f.Line, f.Column = max(f.Line, 0), max(f.Column, 0)
	}
	e.Diagnostics = e.Diagnostics[:min(len(e.Diagnostics), maxStack)]
	for i := range e.Diagnostics {
		d := &e.Diagnostics[i]
		d.Line, d.Column = max(d.Line, 0), max(d.Column, 0)
	}
}
