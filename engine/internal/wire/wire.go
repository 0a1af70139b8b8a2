// Package wire is the language between an engine and its worker processes:
// frames on a pair of pipes. Each side is one writer and one reader.
//
// A frame is the length of what follows in 4 bytes, little endian, a byte that is its
// [Type], and its body. In a body, numbers have 8 bytes, little endian, and
// strings and blobs their length in 8 bytes before them. Nothing follows the last field. Both
// sides belong to the same program, so there is no version.
//
// The worker may have been taken over by a guest. What it sends is read by
// [Reader], which allocates no more than has arrived, and parsed strictly.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// ErrProtocol is wrapped by every error about what the other side sent.
var ErrProtocol = errors.New("broke the protocol")

// A Type says what a frame is.
type Type byte

// Types of frames. The first ones go to the worker, the others come from it.
const (
	TypeStart   Type = 1 + iota // JSON that the engine defines: what to be
	TypeCompile                 // [Compile]
	TypeRender                  // [Render]
	TypeForget                  // [Forget]
	TypeCancel                  // [Cancel]

	TypeReady    // JSON that the engine defines: the answer to TypeStart
	TypeProgress // JSON that the engine defines: before TypeReady
	TypeConsole  // [Console]
	TypeResult   // [Result]
	TypeCompiled // [Compiled]
	TypeFailed   // [Failed]
	TypeHostCall // [HostCall]

	TypeHostReply // [HostReply], to the worker

	TypeGiveUp  // [GiveUp]
	TypeSuspend // [Suspend], to the worker
)

// headerBytes is the length of a frame's header.
const headerBytes = 5

// MaxFrame bounds the body of every frame, in bytes.
const MaxFrame = math.MaxInt32

// Compile asks for the image of a component.
type Compile struct {
	ID         uint64
	Name, Code []byte
	Modules    []Module // that it can import
}

// Module is a module of the embedder. Without code it is one that the guest has.
type Module struct{ Name, Code, Precompiled []byte }

// Render asks for a call of a component's function.
type Render struct {
	ID       uint64
	Digest   [32]byte // of the component
	Snapshot []byte   // its image; empty if the worker has it
	Limits   []int64  // in the order of the engine
	Console  bool     // whether anybody wants the output
	Grants   int64    // the longest frame of a host call that it may send, 0 if nothing is granted
	Fixed    bool     // whether the environment is reproducible
	Now      int64    // its clock, in nanoseconds since 1970
	Seed     uint64
	Function []byte
	Arg      []byte   // JSON
	Session  bool     // the call is one of an instance, and leaves a state
	GoOn     bool     // it goes on with what is in progress in State
	State    []byte   // of the instance, as the engine encodes it
	Modules  []Module // that a cell can import
}

// Forget makes the worker forget a component.
type Forget struct{ Digest [32]byte }

// HostReply answers [HostCall].
type HostReply struct {
	ID    uint64
	Call  uint64
	Reply []byte // of the guest ABI; empty: the answer comes from outside, later
}

// GiveUp says that the component does not wait for the answer to a [HostCall] any more.
type GiveUp struct {
	ID   uint64
	Call uint64
}

// Suspend asks for the state of the instance, instead of a result, as soon as it waits.
type Suspend struct{ ID uint64 }

// HostCall is a call of a host function by the component whose request is in
// progress.
type HostCall struct {
	ID       uint64
	Call     uint64 // its number in the guest ABI
	Blocking bool
	Name     []byte
	Frame    []byte // of the guest ABI
}

// Cancel stops the request with the number, if it is still in progress.
type Cancel struct{ ID uint64 }

// Console is a message of the component whose request is in progress.
type Console struct {
	ID    uint64
	Level int64
	Text  []byte
}

// Result answers [Render].
type Result struct {
	ID     uint64
	Status int64   // of the guest ABI
	Usage  []int64 // in the order of the engine
	Data   []byte  // as the guest ABI has it
	State  []byte  // of the instance afterwards, if the call was one of an instance
}

// Compiled answers [Compile].
type Compiled struct {
	ID       uint64
	Usage    []int64 // as in Result
	Snapshot []byte
}

// Failed answers [Compile] and [Render] if there is an error: JSON that the
// engine defines.
type Failed struct {
	ID    uint64
	Usage []int64 // as in Result
	Error []byte
	State []byte // as in Result, if the instance has survived
}

// A Message is a body that can be sent.
type Message interface{ appendTo(b []byte) ([]byte, Type) }

// Raw is a body of bytes with any type.
type Raw struct {
	Type Type
	Body []byte
}

func (m Raw) appendTo(b []byte) ([]byte, Type) { return append(b, m.Body...), m.Type }

func (m *Compile) appendTo(b []byte) ([]byte, Type) {
	b = appendUint(b, m.ID)
	b = appendBlob(b, m.Name)
	b = appendBlob(b, m.Code)
	return appendModules(b, m.Modules), TypeCompile
}

func (m *Render) appendTo(b []byte) ([]byte, Type) {
	b = appendUint(b, m.ID)
	b = append(b, m.Digest[:]...)
	b = appendBlob(b, m.Snapshot)
	b = appendInts(b, m.Limits)
	b = appendBool(b, m.Console)
	b = appendUint(b, uint64(m.Grants))
	b = appendBool(b, m.Fixed)
	b = appendUint(b, uint64(m.Now))
	b = appendUint(b, m.Seed)
	b = appendBlob(b, m.Function)
	b = appendBlob(b, m.Arg)
	b = appendBool(b, m.Session)
	b = appendBool(b, m.GoOn)
	b = appendBlob(b, m.State)
	return appendModules(b, m.Modules), TypeRender
}

func appendModules(b []byte, modules []Module) []byte {
	b = appendUint(b, uint64(len(modules)))
	for _, m := range modules {
		b = appendBlob(b, m.Name)
		b = appendBlob(b, m.Code)
		b = appendBlob(b, m.Precompiled)
	}
	return b
}

func (m *Forget) appendTo(b []byte) ([]byte, Type) { return append(b, m.Digest[:]...), TypeForget }

func (m *Cancel) appendTo(b []byte) ([]byte, Type) { return appendUint(b, m.ID), TypeCancel }

func (m *HostReply) appendTo(b []byte) ([]byte, Type) {
	b = appendUint(b, m.ID)
	b = appendUint(b, m.Call)
	return appendBlob(b, m.Reply), TypeHostReply
}

func (m *HostCall) appendTo(b []byte) ([]byte, Type) {
	b = appendUint(b, m.ID)
	b = appendUint(b, m.Call)
	b = appendBool(b, m.Blocking)
	b = appendBlob(b, m.Name)
	return appendBlob(b, m.Frame), TypeHostCall
}

func (m *GiveUp) appendTo(b []byte) ([]byte, Type) {
	b = appendUint(b, m.ID)
	return appendUint(b, m.Call), TypeGiveUp
}

func (m *Suspend) appendTo(b []byte) ([]byte, Type) { return appendUint(b, m.ID), TypeSuspend }

func (m *Console) appendTo(b []byte) ([]byte, Type) {
	b = appendUint(b, m.ID)
	b = appendUint(b, uint64(m.Level))
	return appendBlob(b, m.Text), TypeConsole
}

func (m *Result) appendTo(b []byte) ([]byte, Type) {
	b = appendUint(b, m.ID)
	b = appendUint(b, uint64(m.Status))
	b = appendInts(b, m.Usage)
	b = appendBlob(b, m.Data)
	return appendBlob(b, m.State), TypeResult
}

func (m *Compiled) appendTo(b []byte) ([]byte, Type) {
	b = appendUint(b, m.ID)
	b = appendInts(b, m.Usage)
	return appendBlob(b, m.Snapshot), TypeCompiled
}

func (m *Failed) appendTo(b []byte) ([]byte, Type) {
	b = appendUint(b, m.ID)
	b = appendInts(b, m.Usage)
	b = appendBlob(b, m.Error)
	return appendBlob(b, m.State), TypeFailed
}

// Append appends the frame of m to b. A body of more than [MaxFrame] is an
// error.
func Append(b []byte, m Message) ([]byte, error) {
	start := len(b)
	b, t := m.appendTo(append(b, make([]byte, headerBytes)...))
	n := len(b) - start - headerBytes
	if n > MaxFrame {
		return b[:start], fmt.Errorf("wire: frame of %d bytes", n)
	}
	binary.LittleEndian.PutUint32(b[start:], uint32(n))
	b[start+4] = byte(t)
	return b, nil
}

func appendUint(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }

func appendBlob(b, blob []byte) []byte { return append(appendUint(b, uint64(len(blob))), blob...) }

func appendInts(b []byte, v []int64) []byte {
	b = appendUint(b, uint64(len(v)))
	for _, i := range v {
		b = appendUint(b, uint64(i))
	}
	return b
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// A Reader reads frames.
type Reader struct {
	r   io.Reader
	buf []byte // what was read and not yet returned is buf[at:]
	at  int
}

// NewReader returns a reader of frames from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r, buf: make([]byte, 0, 64<<10)} }

// keepBuffer is the size up to which a reader keeps its buffer.
const keepBuffer = 1 << 20

// Next returns the next frame, whose body, of max bytes at most, is valid until
// the following call. The error is io.EOF only at the end of a frame.
func (r *Reader) Next(max int) (Type, []byte, error) {
	if err := r.need(headerBytes); err != nil {
		return 0, nil, err
	}
	head := r.buf[r.at:]
	n, t := int64(binary.LittleEndian.Uint32(head)), Type(head[4])
	if n > int64(max) {
		return 0, nil, fmt.Errorf("%w: frame of type %d has %d bytes, more than %d", ErrProtocol, t, n, max)
	}
	if err := r.need(headerBytes + int(n)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	body := r.buf[r.at+headerBytes:][:n:n]
	r.at += headerBytes + int(n)
	return t, body, nil
}

// need makes sure that n bytes are in the buffer. It grows with what arrives,
// not with what is announced.
func (r *Reader) need(n int) error {
	for len(r.buf)-r.at < n {
		if r.at == len(r.buf) {
			r.buf, r.at = r.buf[:0], 0
			if cap(r.buf) > keepBuffer {
				r.buf = make([]byte, 0, 64<<10)
			}
		}
		if len(r.buf) == cap(r.buf) {
			if r.at > 0 {
				r.buf, r.at = r.buf[:copy(r.buf, r.buf[r.at:])], 0
			} else {
				r.buf = append(r.buf, make([]byte, len(r.buf))...)[:len(r.buf)]
			}
			continue
		}
		got, err := r.r.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+got]
		if err != nil && len(r.buf)-r.at < n {
			if errors.Is(err, io.EOF) && len(r.buf) > r.at {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// Skip reads up to and including mark, which nothing but noise comes before: at most
// max bytes.
func (r *Reader) Skip(mark []byte, max int) error {
	matched := 0
	for range max {
		if err := r.need(1); err != nil {
			return err
		}
		c := r.buf[r.at]
		r.at++
		switch {
		case c == mark[matched]:
			if matched++; matched == len(mark) {
				return nil
			}
		case c == mark[0]: // no mark begins twice with the same byte
			matched = 1
		default:
			matched = 0
		}
	}
	return fmt.Errorf("%w: no greeting in %d bytes", ErrProtocol, max)
}
