package abi

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

func TestFrameRoundTrip(t *testing.T) {
	for _, c := range []struct {
		text    string
		buffers [][]byte
	}{
		{"", nil}, {"null", nil}, {`{"a":{"$bytes":0}}`, [][]byte{{1, 2, 3}}}, {`[]`, [][]byte{{}, {9}, nil}},
	} {
		b := AppendFrame(nil, []byte(c.text), c.buffers...)
		text, buffers, err := ParseFrame(b)
		if err != nil || string(text) != c.text || len(buffers) != len(c.buffers) {
			t.Fatalf("%q: got %q, %d buffers, %v", c.text, text, len(buffers), err)
		}
		for i := range buffers {
			if !bytes.Equal(buffers[i], c.buffers[i]) {
				t.Errorf("%q: buffer %d is %v, want %v", c.text, i, buffers[i], c.buffers[i])
			}
		}
		for n := range b {
			if _, _, err := ParseFrame(b[:n]); !errors.Is(err, ErrABI) {
				t.Errorf("%q cut to %d bytes: %v, want ErrABI", c.text, n, err)
			}
		}
	}
}

func TestReadControlRefusesAreasOutsideMemory(t *testing.T) {
	mem := make([]byte, 1024)
	put := func(off int, v uint32) { binary.LittleEndian.PutUint32(mem[off:], v) }
	put(4, 100)
	put(8, 100)
	put(12, 1000)
	put(16, 24)
	if _, err := ReadControl(mem, 0); err != nil {
		t.Fatal(err)
	}
	put(16, 25)
	if _, err := ReadControl(mem, 0); !errors.Is(err, ErrABI) {
		t.Errorf("result past the end: %v", err)
	}
	put(16, ^uint32(0))
	if _, err := ReadControl(mem, 0); !errors.Is(err, ErrABI) {
		t.Errorf("result that wraps around: %v", err)
	}
	if _, err := ReadControl(mem, 1000); !errors.Is(err, ErrABI) {
		t.Errorf("control block past the end: %v", err)
	}
}

func TestTooManyBuffersAreRefused(t *testing.T) {
	for _, n := range []int{maxBuffers, maxBuffers + 1} {
		_, buffers, err := ParseFrame(AppendFrame(nil, []byte("1"), make([][]byte, n)...))
		if ok := n <= maxBuffers; ok != (err == nil) || ok && len(buffers) != n {
			t.Errorf("%d buffers: %d, %v", n, len(buffers), err)
		}
	}
}

func TestDepth(t *testing.T) {
	for text, want := range map[string]int{
		`1`: 0, `[]`: 1, `{"a":[1,{"b":[]}],"c":{}}`: 4, `"[[["`: 0, `["\"[[["]`: 1, `[[],[[]]]`: 3, ``: 0, `]`: 0, `"\`: 0,
	} {
		if got := Depth([]byte(text)); got != want {
			t.Errorf("depth of %s is %d, want %d", text, got, want)
		}
	}
}

func FuzzParseFrame(f *testing.F) {
	f.Add(AppendFrame(nil, []byte(`{"a":1}`), []byte("xyz")))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		text, buffers, err := ParseFrame(b)
		if err != nil {
			return
		}
		if again := AppendFrame(nil, text, buffers...); !bytes.Equal(again, b) {
			t.Fatalf("frame %x reads as %x", b, again)
		}
	})
}

func FuzzParseError(f *testing.F) {
	f.Add([]byte(`{"kind":"error","name":"TypeError","message":"x","stack":[{"func":"f","file":"a.tsx","line":1,"column":2}],"trace":""}`))
	f.Add([]byte(`{"kind":"syntax","diagnostics":[{"file":"a.py","line":3}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseError(b)
		if (e == nil) == (err == nil) {
			t.Fatalf("error %v with result %v", err, e)
		}
	})
}
