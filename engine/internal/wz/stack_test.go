package wz

import (
	"context"
	"errors"
	"testing"

	"github.com/sporeengine/spore/snapshot/rewrite"
)

// recursive is a module whose export "f" calls itself as often as its argument
// says, and passes a loop head each time:
//
//	(module (import "spore" "tick" (func (result i32))) (memory 1) (func $f (export "f") (param i32) (result i32)
//	  (if (result i32) (local.get 0)
//	    (then (loop) (i32.add (call $f (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
//	    (else (i32.const 0)))))
const recursive = "\x00asm\x01\x00\x00\x00" +
	"\x01\x0a\x02\x60\x00\x01\x7f\x60\x01\x7f\x01\x7f" + // types () → i32, (i32) → i32
	"\x02\x0e\x01\x05spore\x04tick\x00\x00" +
	"\x03\x02\x01\x01" +
	"\x05\x03\x01\x00\x01" + // a memory
	"\x07\x05\x01\x01f\x00\x01" +
	"\x0a\x19\x01\x17\x00\x20\x00\x04\x7f\x03\x40\x0b\x20\x00\x41\x01\x6b\x10\x01\x41\x01\x6a\x05\x41\x00\x0b\x0b"

// bytesMemory is a memory of one page that does not grow.
type bytesMemory []byte

func (m bytesMemory) Bytes() []byte             { return m }
func (m bytesMemory) Grow(int64) ([]byte, bool) { return nil, false }

// stackWorker returns a worker for recursive with a budget of 1000.
func stackWorker(t *testing.T) *Worker {
	t.Helper()
	m, err := rewrite.Rewrite([]byte(recursive), rewrite.Options{TickModule: "spore", TickName: "tick"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compile(t.Context(), m, "", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	w, err := c.NewWorker()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Bind(bytesMemory(make([]byte, PageSize)), make([]uint64, len(m.Globals)), 1000, &fakeHost{budget: 1000}); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestStackIsSeen fails if a version of wazero keeps its stacks elsewhere.
func TestStackIsSeen(t *testing.T) {
	w := stackWorker(t)
	if !w.hasStack {
		t.Fatal("native stacks cannot be seen")
	}
	if n, err := w.Call("f", 10); n != 10 || err != nil {
		t.Fatal(n, err)
	}
	small := w.stackBytes()
	if small < 4096 || small > keepStack {
		t.Errorf("the stack has %d bytes", small)
	}
	if n, err := w.Call("f", 50_000); n != 50_000 || err != nil {
		t.Fatal(n, err)
	}
	if n := w.stackBytes(); n < 50_000*16 {
		t.Errorf("after 50,000 calls in each other the stack has %d bytes", n)
	}
	// The large one is not kept.
	if n, err := w.Call("f", 10); n != 10 || err != nil || w.stackBytes() != small {
		t.Errorf("%d, %v: the next call has a stack of %d bytes, want %d", n, err, w.stackBytes(), small)
	}
}

// TestStackIsBounded recurses much further than an interpreter does.
func TestStackIsBounded(t *testing.T) {
	w := stackWorker(t)
	_, err := w.Call("f", 1<<31)
	trap, ok := errors.AsType[*Trap](err)
	if !ok || trap.Reason != StackOverflow {
		t.Errorf("got %v, want a stack overflow", err)
	}
	if n := w.stackBytes(); n < 40e6 || n > 90e6 {
		t.Errorf("the stack had %d bytes", n)
	}
	w.module.Close(context.Background())
}
