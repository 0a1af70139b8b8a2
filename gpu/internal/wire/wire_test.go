package wire

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// messages are one of each type.
func messages() []Message {
	id := [32]byte{1, 2, 31: 3}
	return []Message{
		&Hello{Version: 1, Slots: 2, Shared: 1 << 40},
		&Constant{ID: id, Size: 100, Offset: 97, Head: []byte("f32[25]"), Data: []byte("end")},
		&Drop{id},
		&Call{ID: 7, Op: 3, Left: 1e9, Out: 64, In: []byte("input")},
		&Cancel{7},
		&Goodbye{},
		&Ready{Version: 1, Error: []byte("no device"), Info: []byte(`{"Name":"x"}`)},
		&Stored{ID: id, Code: 5},
		&Reply{ID: 7, Code: 1, Detail: 2, Out: []byte("output")},
		&Part{ID: 7, Out: []byte("some of it")},
		&Credit{ID: 7, N: 3},
	}
}

func frame(t testing.TB, m Message) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, NewWriter(&b).Send(m))
	return b.Bytes()
}

func TestMessages(t *testing.T) {
	var all bytes.Buffer
	w := NewWriter(&all)
	for _, m := range messages() {
		require.NoError(t, w.Send(m))
	}
	stream := all.Bytes()
	for _, r := range []io.Reader{bytes.NewReader(stream), iotest.OneByteReader(bytes.NewReader(stream))} {
		frames := NewReader(r)
		for _, want := range messages() {
			got, err := frames.Receive(1 << 20)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		_, err := frames.Receive(1 << 20)
		require.ErrorIs(t, err, io.EOF)
	}
	for cut := 1; cut < len(frame(t, messages()[0])); cut++ {
		_, err := NewReader(bytes.NewReader(stream[:cut])).Receive(1 << 20)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%d bytes", cut)
	}
}

// TestLargeCall has a body of more than one write and of more than one step of allocation.
func TestLargeCall(t *testing.T) {
	part := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	b := frame(t, &Call{ID: 1, In: part, Tail: [][]byte{part, nil, part[:5]}})
	m, err := NewReader(bytes.NewReader(b)).Receive(MaxFrame)
	require.NoError(t, err)
	require.Equal(t, append(append(bytes.Clone(part), part...), part[:5]...), m.(*Call).In)

	_, err = NewReader(bytes.NewReader(b)).Receive(1000)
	require.ErrorIs(t, err, ErrProtocol)
}

// TestAnnounced has a frame announce two gigabytes that do not come.
func TestAnnounced(t *testing.T) {
	r := NewReader(strings.NewReader("\xff\xff\xff\x7f\x04rest"))
	_, _, err := r.Next(MaxFrame)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.LessOrEqual(t, cap(r.buf), 2*firstStep)
}

func TestBadFrames(t *testing.T) {
	for _, m := range messages() {
		b := frame(t, m)[headerBytes:]
		if _, ok := m.(*Goodbye); !ok {
			_, err := Parse(m.kind(), nil)
			require.ErrorIs(t, err, ErrProtocol, "%T without a body", m)
		}
		switch m.(type) {
		case *Hello, *Drop, *Cancel, *Goodbye, *Stored, *Credit: // whose length is fixed
			_, err := Parse(m.kind(), append(b, 0))
			require.ErrorIs(t, err, ErrProtocol, "%T with a byte more", m)
		}
	}
	for _, c := range []*Constant{
		{Size: 2, Data: []byte("abc")}, {Size: 10, Offset: 11}, {Size: 1 << 63, Offset: 1<<64 - 1, Data: []byte("ab")},
		{Size: 1 << 40, Data: make([]byte, Chunk+1)}, {Size: 1, Head: make([]byte, MaxHead+1)},
	} {
		_, err := Parse(TypeConstant, frame(t, c)[headerBytes:])
		require.ErrorIs(t, err, ErrProtocol)
	}
	_, err := Parse(0, nil)
	require.ErrorIs(t, err, ErrProtocol)
}

func TestSkipGreeting(t *testing.T) {
	for _, noise := range []string{"", "hello\n", "\x00", Greeting[:5], "\x00\x00spore"} {
		r := NewReader(strings.NewReader(noise + Greeting + "\x08\x00\x00\x00\x05abcdefgh"))
		require.NoError(t, r.SkipGreeting(1000), "%q", noise)
		m, err := r.Receive(100)
		require.NoError(t, err)
		require.IsType(t, &Cancel{}, m)
	}
	require.ErrorIs(t, NewReader(strings.NewReader(strings.Repeat("x", 2000))).SkipGreeting(1000), ErrProtocol)
	require.ErrorIs(t, NewReader(strings.NewReader("x")).SkipGreeting(1000), io.EOF)
}

// FuzzParse checks that what was parsed is sent as it came.
func FuzzParse(f *testing.F) {
	for _, m := range messages() {
		b := frame(f, m)
		f.Add(b[4], b[headerBytes:])
	}
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		m, err := Parse(Type(kind), body)
		if err != nil {
			if !errors.Is(err, ErrProtocol) {
				t.Fatal(err)
			}
			return
		}
		b := frame(t, m)
		if b[4] != kind || !bytes.Equal(b[headerBytes:], body) {
			t.Fatalf("%T: sent as %q instead of %q", m, b[headerBytes:], body)
		}
		again, err := Parse(Type(b[4]), b[headerBytes:])
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Fatalf("%+v, then %+v, %v", m, again, err)
		}
	})
}
