package gpu

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/sporeengine/spore/gpu/internal/shm"
	"github.com/sporeengine/spore/gpu/tensor"
)

// A trial is a program and its answer.
type trial struct {
	program  *tensor.Program
	input    []byte
	expected []byte
	err      error
}

// theTrial sums x·x + x over small integers, which every backend computes exactly, whatever
// the order.
var theTrial = sync.OnceValue(func() (c trial) {
	const n = 64
	b := tensor.NewBuilder(tensor.Limits{})
	x := b.Input(tensor.Float32, n)
	y := b.Apply(tensor.Add, nil, b.Apply(tensor.Multiply, nil, x, x), x)
	c.program, c.err = b.Build(y, b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{0}}, y))
	sum := float32(0)
	var each []byte
	for i := range n {
		v := float32(i - 20)
		c.input = binary.LittleEndian.AppendUint32(c.input, math.Float32bits(v))
		each = binary.LittleEndian.AppendUint32(each, math.Float32bits(v*v+v))
		sum += v*v + v
	}
	c.expected = binary.LittleEndian.AppendUint32(each, math.Float32bits(sum))
	return c
})

var errCanary = errors.New("gave a wrong answer to the trial")

// canary has a new worker compute something known. A device that was left in a bad state by the worker before
// may look well and compute wrongly.
func canary(w *process, timeout time.Duration) error {
	if len(w.info.Models) > 0 {
		if err := modelTrial(w, timeout); err != nil || len(w.info.Ops) == 0 {
			return err
		}
	}
	c := theTrial()
	if c.err != nil {
		return c.err
	}
	got := bytes.Repeat([]byte{0xff}, len(c.expected))
	split := len(got) - 4
	op, parts := encodeEval(c.program, [][]byte{c.input}, nil, nil)
	a, err := w.do(context.Background(), &shm.Call{Op: op, In: parts,
		Out: [][]byte{got[:split:split], got[split:]}, Deadline: time.Now().Add(timeout)})
	if err == nil {
		err = decodeAnswer(a, c.program)
	}
	if err == nil && !bytes.Equal(got, c.expected) {
		err = errCanary
	}
	return err
}
