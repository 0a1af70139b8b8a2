package shm

import (
	"context"
	"testing"
	"time"
)

// BenchmarkCall is 64 bytes there and back, to a worker in the same process.
func BenchmarkCall(b *testing.B) {
	h, f, err := NewHost(8, 1<<20, Control{})
	if err != nil {
		b.Skip(err)
	}
	defer f.Close()
	w, err := NewWorker(f, SharedBytes(1<<20), 8, func(_ context.Context, j *Job) Answer {
		copy(j.Out, j.In)
		return Answer{}
	}, func(err error) { b.Error(err) })
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	defer h.Close()
	c := &Call{In: [][]byte{make([]byte, 64)}, Out: [][]byte{make([]byte, 64)}}
	b.ReportAllocs()
	for b.Loop() {
		c.Deadline = time.Now().Add(time.Second)
		if _, err := h.Do(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}
