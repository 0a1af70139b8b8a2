package gpu

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/sporeengine/spore/hostfuncs"
)

// A Tensor is an input or output of a [Function], as the Open Inference Protocol (KServe v2) describes
// one, with the contents of its binary data extension: little endian, row major. An element of datatype BYTES is
// its length in 4 bytes and then as many bytes.
type Tensor struct {
	Name     string          `json:"name"`
	Datatype string          `json:"datatype" jsonschema:"of KServe v2, such as FP32, INT64, UINT8, BOOL or BYTES"`
	Shape    []int           `json:"shape"`
	Data     hostfuncs.Bytes `json:"data" jsonschema:"contents: little endian, row major; elements of BYTES have their length in 4 bytes before them"`
}

// datatypes are the sizes of elements, in bytes. That of BYTES varies.
var datatypes = map[string]int64{
	"BOOL": 1, "UINT8": 1, "INT8": 1, "UINT16": 2, "INT16": 2, "UINT32": 4, "INT32": 4, "UINT64": 8, "INT64": 8,
	"FP16": 2, "BF16": 2, "FP32": 4, "FP64": 8, "BYTES": 0,
}

// maxElements bounds a tensor outside of programs, as one of BYTES may have empty elements.
const maxElements = 1 << 28

// check returns what is wrong with t, in words for guests.
func (t *Tensor) check() error {
	size, ok := datatypes[t.Datatype]
	if !ok {
		return fmt.Errorf("unknown datatype %.20q", t.Datatype)
	}
	if len(t.Shape) > maxRank {
		return fmt.Errorf("%d dimensions, at most %d", len(t.Shape), maxRank)
	}
	n, empty := int64(1), false
	for _, d := range t.Shape {
		if d < 0 {
			return fmt.Errorf("a dimension of length %d", d)
		}
		if d == 0 {
			empty = true
			continue
		}
		if n > maxElements/int64(d) {
			return fmt.Errorf("more than %d elements", maxElements)
		}
		n *= int64(d)
	}
	if empty {
		n = 0
	}
	if size > 0 {
		if int64(len(t.Data)) != n*size {
			return fmt.Errorf("%d elements of %s have %d bytes, not %d", n, t.Datatype, n*size, len(t.Data))
		}
		return nil
	}
	return walk(t.Data, n, func([]byte) {})
}

var errElements = errors.New("elements of BYTES that do not fit the shape")

// walk calls f with each of n elements of BYTES.
func walk(data []byte, n int64, f func([]byte)) error {
	for range n {
		if len(data) < 4 {
			return errElements
		}
		size := binary.LittleEndian.Uint32(data)
		data = data[4:]
		if int64(size) > int64(len(data)) {
			return errElements
		}
		f(data[:size:size])
		data = data[size:]
	}
	if len(data) > 0 {
		return errElements
	}
	return nil
}

// Elements returns the elements of a tensor of datatype BYTES, which share its memory.
func (t *Tensor) Elements() ([][]byte, error) {
	if t.Datatype != "BYTES" {
		return nil, fmt.Errorf("gpu: the datatype is %s, not BYTES", t.Datatype)
	}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("gpu: %w", err)
	}
	n := int64(1)
	for _, d := range t.Shape {
		n *= int64(d)
	}
	all := [][]byte{}
	err := walk(t.Data, n, func(e []byte) { all = append(all, e) })
	return all, err
}
