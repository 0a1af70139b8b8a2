package wire

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"
	"testing/iotest"
)

// messages has one of each type.
func messages() []Message {
	return []Message{
		Raw{TypeStart, []byte(`{"a":1}`)},
		&Compile{ID: 1, Name: []byte("a.js"), Code: []byte("code"), Modules: []Module{{[]byte("gpu"), []byte("source"), []byte("code")}, {[]byte("b"), []byte{}, []byte{}}}},
		&Render{ID: 2, Digest: [32]byte{1, 2}, Snapshot: []byte("image"), Limits: []int64{1, -1, 1 << 60}, Console: true, Grants: 1 << 20, Fixed: true,
			Now: -5, Seed: 1 << 63, Function: []byte("render"), Arg: []byte("{}"), Session: true, GoOn: true, State: []byte("state"), Modules: []Module{{[]byte("gpu"), []byte("source"), []byte{}}}},
		&Suspend{ID: 3},
		&Forget{Digest: [32]byte{31: 9}},
		&Cancel{ID: 1<<64 - 1},
		&HostReply{ID: 2, Call: 7, Reply: []byte("\x01reply")},
		&HostCall{ID: 2, Call: 7, Blocking: true, Name: []byte("kv.get"), Frame: []byte("frame")},
		&GiveUp{ID: 2, Call: 7},
		Raw{TypeReady, []byte("{}")},
		Raw{TypeProgress, []byte{}},
		&Console{ID: 2, Level: -4, Text: []byte("text")},
		&Result{ID: 2, Status: 1, Usage: []int64{1, 2, 3}, Data: []byte("data"), State: []byte("state")},
		&Compiled{ID: 1, Usage: []int64{4}, Snapshot: []byte("snapshot")},
		&Failed{ID: 1, Usage: []int64{5}, Error: []byte("{}"), State: []byte("state")},
	}
}

func TestRoundTrip(t *testing.T) {
	var stream []byte
	for _, m := range messages() {
		var err error
		if stream, err = Append(stream, m); err != nil {
			t.Fatal(err)
		}
	}
	for name, r := range map[string]io.Reader{
		"whole":      bytes.NewReader(stream),
		"byte-wise":  iotest.OneByteReader(bytes.NewReader(stream)),
		"data + EOF": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		in := NewReader(r)
		for _, want := range messages() {
			typ, body, err := in.Next(MaxFrame)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, err := Parse(typ, body)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
			}
		}
		if _, _, err := in.Next(MaxFrame); err != io.EOF {
			t.Errorf("%s: at the end: %v", name, err)
		}
	}
}

// TestCut cuts a stream anywhere: never an end without an error, nor a wrong frame.
func TestCut(t *testing.T) {
	stream, _ := Append(nil, messages()[2])
	for n := 1; n < len(stream); n++ {
		if _, _, err := NewReader(bytes.NewReader(stream[:n])).Next(MaxFrame); err != io.ErrUnexpectedEOF {
			t.Errorf("cut at %d: %v", n, err)
		}
		if n < headerBytes {
			continue
		}
		if _, err := Parse(TypeRender, stream[headerBytes:n]); !errors.Is(err, ErrProtocol) {
			t.Errorf("body cut at %d: %v", n, err)
		}
	}
	if _, err := Parse(TypeRender, append(stream[headerBytes:], 0)); !errors.Is(err, ErrProtocol) {
		t.Errorf("a byte too many: %v", err)
	}
}

// TestLargeFrames reads frames that are larger than the buffer, between others.
func TestLargeFrames(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var stream []byte
	var sizes []int
	for range 30 {
		n := r.IntN(300 << 10)
		if r.IntN(5) == 0 {
			n = 3 << 20
		}
		sizes = append(sizes, n)
		stream, _ = Append(stream, &Failed{ID: uint64(n), Error: bytes.Repeat([]byte{byte(n)}, n)})
	}
	in := NewReader(iotest.HalfReader(bytes.NewReader(stream)))
	for i, n := range sizes {
		typ, body, err := in.Next(4 << 20)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(typ, body)
		if err != nil {
			t.Fatal(err)
		}
		f := m.(*Failed)
		if f.ID != uint64(n) || !bytes.Equal(f.Error, bytes.Repeat([]byte{byte(n)}, n)) {
			t.Errorf("frame %d is wrong", i)
		}
	}
}

// TestLyingLength announces two gigabytes and sends little.
func TestLyingLength(t *testing.T) {
	in := NewReader(bytes.NewReader([]byte("\xff\xff\xff\x7f\x09 little")))
	if _, _, err := in.Next(1 << 20); !errors.Is(err, ErrProtocol) {
		t.Errorf("got %v", err)
	}
	in = NewReader(bytes.NewReader([]byte("\xff\xff\xff\x7f\x09 little")))
	if _, _, err := in.Next(MaxFrame); err != io.ErrUnexpectedEOF {
		t.Errorf("got %v", err)
	}
	if cap(in.buf) > 1<<20 {
		t.Errorf("allocated %d bytes", cap(in.buf))
	}
}

func TestSkip(t *testing.T) {
	mark := []byte("\x00ready\n")
	for text, want := range map[string]error{
		"\x00ready\nrest": nil, "noise\n\x00rea\x00\x00ready\nrest": nil,
		"\x00read": io.EOF, "": io.EOF, string(make([]byte, 200)): ErrProtocol,
	} {
		in := NewReader(bytes.NewReader([]byte(text)))
		if err := in.Skip(mark, 100); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", text, err, want)
		}
		if rest := string(in.buf[in.at:]); want == nil && rest != "rest" {
			t.Errorf("%q: %q is left", text, rest)
		}
	}
}

// FuzzParse feeds a reader with any bytes. It ends with an error, what it returns
// is encoded as it was, and it allocates in proportion to what it was given.
func FuzzParse(f *testing.F) {
	var all []byte
	for _, m := range messages() {
		b, _ := Append(nil, m)
		f.Add(b)
		all = append(all, b...)
	}
	f.Add(all)
	f.Add([]byte("\xff\xff\xff\x7f\x09"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := NewReader(bytes.NewReader(b))
		at := 0
		for {
			typ, body, err := in.Next(MaxFrame)
			if err != nil {
				break
			}
			frame := b[at : at+headerBytes+len(body)]
			at += len(frame)
			m, err := Parse(typ, body)
			if err != nil {
				if !errors.Is(err, ErrProtocol) {
					t.Fatalf("untyped error %v", err)
				}
				continue
			}
			again, err := Append(nil, m)
			if err != nil || !bytes.Equal(again, frame) {
				t.Fatalf("%x is read as %+v, which is written as %x, %v", frame, m, again, err)
			}
		}
		if cap(in.buf) > 4*len(b)+128<<10 {
			t.Fatalf("a buffer of %d bytes for %d", cap(in.buf), len(b))
		}
	})
}
