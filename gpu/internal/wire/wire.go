// Package wire is the control channel between a host and a worker process: frames
// on a pair of pipes. PROTOCOL.md describes it byte by byte.
//
// A frame is the length of its body in 4 bytes, a byte that is its [Type], and the body. Numbers are
// little endian, of 4 or 8 bytes; the last field of some bodies is all that is left of them.
// Everything else has a fixed length, so that there is nothing to nest and little to check.
//
// The worker may be broken or taken over. [Reader] allocates no more than has arrived, and
// [Parse] is strict.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Version is that of the protocol. Both sides refuse any other.
const Version = 1

// Greeting precedes the first frame of a worker: what the packages of its program print while
// they are initialized comes before.
const Greeting = "\x00spore-gpu-worker\n"

// ErrProtocol is wrapped by every error about what the other side sent.
var ErrProtocol = errors.New("broke the protocol")

// A Type says what a frame is.
type Type byte

// Types of frames. The first ones go to the worker, the next ones come from it; the last ones were added later.
const (
	TypeHello    Type = 1 + iota // [Hello]
	TypeConstant                 // [Constant]
	TypeDrop                     // [Drop]
	TypeCall                     // [Call]
	TypeCancel                   // [Cancel]
	TypeGoodbye                  // [Goodbye]

	TypeReady  // [Ready]
	TypeStored // [Stored]
	TypeReply  // [Reply]

	TypePart   // [Part], from the worker
	TypeCredit // [Credit], to the worker
)

// Bounds of frames, in bytes.
const (
	MaxInfo  = 1 << 20 // of the JSON in Ready
	MaxError = 1 << 10 // of the text in Ready
	MaxHead  = 1 << 10 // of the description of a constant
	Chunk    = 1 << 20 // of a constant's data in one frame
	MaxFrame = 1<<31 - 1
)

const headerBytes = 5

// Hello is the first frame of the host.
type Hello struct {
	Version uint32
	Slots   uint32 // how many calls may be in progress at once
	Shared  uint64 // bytes of the memory that both map; 0: calls come as frames
}

// Constant is a part of a constant. The parts of one come in order, between which other frames may come.
type Constant struct {
	ID     [32]byte
	Size   uint64 // of the whole
	Offset uint64 // of this part
	Head   []byte // what the data is, as the user of this package encodes it
	Data   []byte
}

// Drop makes the worker forget a constant.
type Drop struct{ ID [32]byte }

// Call is a request, where there is no shared memory.
type Call struct {
	ID   uint64
	Op   uint32
	Left uint64 // nanoseconds until its deadline; 0: none
	Out  uint64 // bytes of the result
	In   []byte
	Tail [][]byte // what follows In when it is sent; nil in what was parsed
}

// Cancel says that nobody waits for a call any more.
type Cancel struct{ ID uint64 }

// Goodbye ends the worker once it has nothing to do.
type Goodbye struct{}

// Ready is the first frame of a worker.
type Ready struct {
	Version uint32
	Error   []byte // why it cannot serve, for people; empty if it can
	Info    []byte // JSON that the user of this package defines
}

// Stored answers the last part of a [Constant].
type Stored struct {
	ID   [32]byte
	Code uint32
}

// Reply answers a [Call].
type Reply struct {
	ID           uint64
	Code, Detail uint32
	Out          []byte
}

// Part is a part of the result of a [Call], before its [Reply].
type Part struct {
	ID  uint64
	Out []byte
}

// Credit allows so many parts more of a call. One for a call that has been answered means nothing.
type Credit struct {
	ID uint64
	N  uint32
}

// A Message is the body of a frame.
type Message interface {
	append(b []byte) []byte
	// tail is what follows the body's first part, so that it need not be copied.
	tail() [][]byte
	kind() Type
}

func (m *Hello) append(b []byte) []byte { return u64(u32(u32(b, m.Version), m.Slots), m.Shared) }
func (m *Constant) append(b []byte) []byte {
	b = u64(u64(append(b, m.ID[:]...), m.Size), m.Offset)
	return append(u32(b, uint32(len(m.Head))), m.Head...)
}
func (m *Drop) append(b []byte) []byte { return append(b, m.ID[:]...) }
func (m *Call) append(b []byte) []byte {
	return append(u64(u64(u32(u64(b, m.ID), m.Op), m.Left), m.Out), m.In...)
}
func (m *Cancel) append(b []byte) []byte  { return u64(b, m.ID) }
func (m *Goodbye) append(b []byte) []byte { return b }
func (m *Ready) append(b []byte) []byte {
	b = u32(u32(b, m.Version), uint32(len(m.Error)))
	return append(append(b, m.Error...), m.Info...)
}
func (m *Stored) append(b []byte) []byte { return u32(append(b, m.ID[:]...), m.Code) }
func (m *Reply) append(b []byte) []byte  { return u32(u32(u64(b, m.ID), m.Code), m.Detail) }
func (m *Part) append(b []byte) []byte   { return u64(b, m.ID) }
func (m *Credit) append(b []byte) []byte { return u32(u64(b, m.ID), m.N) }

func (m *Hello) tail() [][]byte    { return nil }
func (m *Constant) tail() [][]byte { return [][]byte{m.Data} }
func (m *Drop) tail() [][]byte     { return nil }
func (m *Call) tail() [][]byte     { return m.Tail }
func (m *Cancel) tail() [][]byte   { return nil }
func (m *Goodbye) tail() [][]byte  { return nil }
func (m *Ready) tail() [][]byte    { return nil }
func (m *Stored) tail() [][]byte   { return nil }
func (m *Reply) tail() [][]byte    { return [][]byte{m.Out} }
func (m *Part) tail() [][]byte     { return [][]byte{m.Out} }
func (m *Credit) tail() [][]byte   { return nil }

func (*Hello) kind() Type    { return TypeHello }
func (*Constant) kind() Type { return TypeConstant }
func (*Drop) kind() Type     { return TypeDrop }
func (*Call) kind() Type     { return TypeCall }
func (*Cancel) kind() Type   { return TypeCancel }
func (*Goodbye) kind() Type  { return TypeGoodbye }
func (*Ready) kind() Type    { return TypeReady }
func (*Stored) kind() Type   { return TypeStored }
func (*Reply) kind() Type    { return TypeReply }
func (*Part) kind() Type     { return TypePart }
func (*Credit) kind() Type   { return TypeCredit }

func u32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
func u64(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }

// Parse reads the body of a frame. The message refers to the memory of body.
func Parse(t Type, body []byte) (Message, error) {
	p := parser{b: body}
	var m Message
	switch t {
	case TypeHello:
		m = &Hello{p.u32(), p.u32(), p.u64()}
	case TypeConstant:
		c := &Constant{ID: p.id(), Size: p.u64(), Offset: p.u64()}
		c.Head = p.bytes(p.u32(), MaxHead)
		c.Data = p.rest()
		p.bad = p.bad || len(c.Data) > Chunk || c.Offset > c.Size || uint64(len(c.Data)) > c.Size-c.Offset
		m = c
	case TypeDrop:
		m = &Drop{p.id()}
	case TypeCall:
		m = &Call{ID: p.u64(), Op: p.u32(), Left: p.u64(), Out: p.u64(), In: p.rest()}
	case TypeCancel:
		m = &Cancel{p.u64()}
	case TypeGoodbye:
		m = &Goodbye{}
	case TypeReady:
		r := &Ready{Version: p.u32()}
		r.Error = p.bytes(p.u32(), MaxError)
		r.Info = p.bytes(uint32(len(p.b)), MaxInfo)
		m = r
	case TypeStored:
		m = &Stored{p.id(), p.u32()}
	case TypeReply:
		m = &Reply{p.u64(), p.u32(), p.u32(), p.rest()}
	case TypePart:
		m = &Part{p.u64(), p.rest()}
	case TypeCredit:
		m = &Credit{p.u64(), p.u32()}
	default:
		return nil, fmt.Errorf("%w: frame of type %d", ErrProtocol, t)
	}
	if p.bad || len(p.b) > 0 {
		return nil, fmt.Errorf("%w: frame of type %d with %d bytes", ErrProtocol, t, len(body))
	}
	return m, nil
}

// A parser takes fields off the front of b. Once one is missing it returns zeros.
type parser struct {
	b   []byte
	bad bool
}

func (p *parser) bytes(n uint32, max int) []byte {
	if int64(n) > int64(len(p.b)) || int64(n) > int64(max) {
		p.bad, p.b = true, nil
		return nil
	}
	b := p.b[:n:n]
	p.b = p.b[n:]
	return b
}

func (p *parser) rest() []byte { return p.bytes(uint32(len(p.b)), MaxFrame) }

func (p *parser) u32() uint32 {
	if b := p.bytes(4, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (p *parser) u64() uint64 {
	if b := p.bytes(8, 8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (p *parser) id() (id [32]byte) {
	copy(id[:], p.bytes(32, 32))
	return id
}
