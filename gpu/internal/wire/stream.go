package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// Sizes of buffers, in bytes.
const (
	oneWrite   = 64 << 10 // up to which a frame is copied together and written at once
	keepBuffer = 1 << 20  // up to which a buffer is kept
	firstStep  = 64 << 10 // how much of an announced body is allocated before any of it has arrived
)

// A Writer sends frames. It is safe for concurrent use.
type Writer struct {
	mu  sync.Mutex
	w   io.Writer
	buf []byte // guarded by mu
}

// NewWriter returns a writer of frames to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Send writes a frame, which is whole or the last one: after an error the channel is of no use.
func (w *Writer) Send(m Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = m.append(append(w.buf[:0], make([]byte, headerBytes)...))
	if cap(w.buf) > keepBuffer {
		defer func() { w.buf = nil }()
	}
	tail, n := m.tail(), len(w.buf)-headerBytes
	for _, b := range tail {
		n += len(b)
	}
	if n > MaxFrame {
		return fmt.Errorf("wire: frame of %d bytes", n)
	}
	binary.LittleEndian.PutUint32(w.buf, uint32(n))
	w.buf[4] = byte(m.kind())
	if n <= oneWrite {
		for _, b := range tail {
			w.buf = append(w.buf, b...)
		}
		tail = nil
	}
	_, err := w.w.Write(w.buf)
	for i := 0; i < len(tail) && err == nil; i++ {
		_, err = w.w.Write(tail[i])
	}
	return err
}

// A Reader reads frames. One goroutine at a time.
type Reader struct {
	r   *bufio.Reader
	buf []byte
}

// NewReader returns a reader of frames from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: bufio.NewReaderSize(r, 16<<10)} }

// Next returns the next frame, whose body, of limit bytes at most, is valid until the
// following call. The error is io.EOF only at the end of a frame.
func (r *Reader) Next(limit int) (Type, []byte, error) {
	var head [headerBytes]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return 0, nil, err
	}
	n, t := int64(binary.LittleEndian.Uint32(head[:])), Type(head[4])
	if n > int64(limit) {
		return 0, nil, fmt.Errorf("%w: frame of type %d has %d bytes, more than %d", ErrProtocol, t, n, limit)
	}
	if cap(r.buf) > keepBuffer {
		r.buf = nil
	}
	for r.buf = r.buf[:0]; len(r.buf) < int(n); { // it grows with what arrives, not with what is announced
		at := len(r.buf)
		step := min(int(n)-at, max(firstStep, at))
		r.buf = slices.Grow(r.buf, step)[:at+step]
		if _, err := io.ReadFull(r.r, r.buf[at:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, nil, err
		}
	}
	return t, r.buf[:n:n], nil
}

// Receive returns the next frame as a message, which is valid until the following call.
func (r *Reader) Receive(max int) (Message, error) {
	t, body, err := r.Next(max)
	if err != nil {
		return nil, err
	}
	return Parse(t, body)
}

// SkipGreeting reads up to and including [Greeting], before which nothing but noise comes: at
// most max bytes with it.
func (r *Reader) SkipGreeting(max int) error {
	matched := 0
	for range max {
		c, err := r.r.ReadByte()
		if err != nil {
			return err
		}
		switch c {
		case Greeting[matched]:
			if matched++; matched == len(Greeting) {
				return nil
			}
		case Greeting[0]: // which is nowhere else in it
			matched = 1
		default:
			matched = 0
		}
	}
	return fmt.Errorf("%w: no greeting in %d bytes", ErrProtocol, max)
}
