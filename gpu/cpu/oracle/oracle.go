// Package oracle says what a tensor program computes: each operation is one function
// that is written to be obviously right, not fast. Floats are computed in float64 and
// rounded to the dtype after each operation, integers in int64. Backends are tested
// against it.
package oracle

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/sporeengine/spore/gpu/tensor"
)

// A Tensor is a type and its elements in row-major order: Floats if the dtype is a
// float, Ints otherwise (0 and 1 of bools).
type Tensor struct {
	tensor.Type
	Floats []float64
	Ints   []int64
}

// New returns a tensor of zeros.
func New(t tensor.Type) *Tensor {
	x := &Tensor{Type: t}
	if t.DType.IsFloat() {
		x.Floats = make([]float64, t.Size())
	} else {
		x.Ints = make([]int64, t.Size())
	}
	return x
}

// operations has a function for each operation: it returns the results of a node,
// which are rounded afterwards.
var operations = map[tensor.Op]func(n *tensor.Node, out []tensor.Type, in []*Tensor) ([]*Tensor, error){}

// Has tells whether there is a function for o.
func Has(o tensor.Op) bool {
	return operations[o] != nil || o == tensor.AsArray || o == tensor.Constant
}

// Eval runs p. Inputs, constants and results are encoded as backends take them.
func Eval(p *tensor.Program, inputs, constants [][]byte) ([][]byte, error) {
	values := make([]*Tensor, p.NumValues())
	for i, v := range p.InputValues() {
		values[v] = Decode(p.Type(v), inputs[i])
	}
	for i, v := range p.ConstantValues() {
		values[v] = Decode(p.Type(v), constants[i])
	}
	nodes := p.Nodes()
	for i := range nodes {
		n := &nodes[i]
		if values[n.Out] != nil {
			continue
		}
		var in []*Tensor
		for _, v := range n.In {
			in = append(in, values[v])
		}
		types := make([]tensor.Type, n.Op.Results())
		for r := range types {
			types[r] = p.Type(n.Out + r)
		}
		results, err := operations[n.Op](n, types, in)
		if err != nil {
			return nil, fmt.Errorf("node %d: %w", i, err)
		}
		for r, x := range results {
			x.round()
			values[n.Out+r] = x
		}
	}
	var outputs [][]byte
	for _, v := range p.OutputValues() {
		outputs = append(outputs, values[v].Encode())
	}
	return outputs, nil
}

// round rounds the elements to what the dtype can hold.
func (x *Tensor) round() {
	for i, f := range x.Floats {
		x.Floats[i] = Round(x.DType, f)
	}
	for i, v := range x.Ints {
		switch x.DType {
		case tensor.Uint8:
			x.Ints[i] = int64(uint8(v))
		case tensor.Int32:
			x.Ints[i] = int64(int32(v))
		}
	}
}

// Round returns the value of a float dtype that is nearest to f, of two the even one.
func Round(d tensor.DType, f float64) float64 {
	switch d {
	case tensor.Float32:
		return float64(float32(f))
	case tensor.Float16:
		return roundTo(f, 11, -14, 65504)
	case tensor.BFloat16:
		return roundTo(f, 8, -126, 0x1.fep127)
	}
	return f
}

// roundTo rounds to precision bits, of exponents not below that of the smallest
// normal number, and to infinity what is above largest after that.
func roundTo(f float64, precision, minExp int, largest float64) float64 {
	if f == 0 || math.IsInf(f, 0) || f != f {
		return f
	}
	_, exp := math.Frexp(f)                     // f = 0.1… · 2^exp
	ulp := max(exp-1, minExp) - (precision - 1) // of the last bit, as a power of 2
	r := math.Ldexp(math.RoundToEven(math.Ldexp(f, -ulp)), ulp)
	if math.Abs(r) > largest {
		return math.Copysign(math.Inf(1), f)
	}
	return math.Copysign(r, f)
}

// Decode reads a tensor.
func Decode(t tensor.Type, data []byte) *Tensor {
	x := New(t)
	le := binary.LittleEndian
	for i := range int(t.Size()) {
		b := data[i*t.DType.Size():]
		switch t.DType {
		case tensor.Bool, tensor.Uint8:
			x.Ints[i] = int64(b[0])
		case tensor.Int32:
			x.Ints[i] = int64(int32(le.Uint32(b)))
		case tensor.Int64:
			x.Ints[i] = int64(le.Uint64(b))
		case tensor.Float16:
			x.Floats[i] = float16(le.Uint16(b))
		case tensor.BFloat16:
			x.Floats[i] = float64(math.Float32frombits(uint32(le.Uint16(b)) << 16))
		case tensor.Float32:
			x.Floats[i] = float64(math.Float32frombits(le.Uint32(b)))
		case tensor.Float64:
			x.Floats[i] = math.Float64frombits(le.Uint64(b))
		}
	}
	return x
}

// float16 returns the value of the bits of a binary16.
func float16(h uint16) float64 {
	exp, frac := int(h>>10&31), float64(h&0x3ff)
	var f float64
	switch exp {
	case 31:
		f = math.Inf(1)
		if frac != 0 {
			return math.NaN()
		}
	case 0:
		f = math.Ldexp(frac, -24)
	default:
		f = math.Ldexp(1024+frac, exp-25)
	}
	if h>>15 != 0 {
		f = -f
	}
	return f
}

// Encode writes a tensor, whose elements the dtype can hold.
func (x *Tensor) Encode() []byte {
	le := binary.LittleEndian
	var b []byte
	for _, v := range x.Ints {
		switch x.DType {
		case tensor.Int32:
			b = le.AppendUint32(b, uint32(v))
		case tensor.Int64:
			b = le.AppendUint64(b, uint64(v))
		default:
			b = append(b, byte(v))
		}
	}
	for _, f := range x.Floats {
		switch x.DType {
		case tensor.Float16:
			b = le.AppendUint16(b, bits16(f))
		case tensor.BFloat16:
			b = le.AppendUint16(b, uint16(math.Float32bits(float32(f))>>16))
		case tensor.Float32:
			b = le.AppendUint32(b, math.Float32bits(float32(f)))
		default:
			b = le.AppendUint64(b, math.Float64bits(f))
		}
	}
	return b
}

// bits16 returns the bits of a binary16, which f is.
func bits16(f float64) uint16 {
	sign := uint16(math.Float64bits(f)>>48) & 0x8000
	a := math.Abs(f)
	switch {
	case f != f:
		return 0x7e00
	case math.IsInf(f, 0):
		return sign | 0x7c00
	case a < 0x1p-14:
		return sign | uint16(a*0x1p24)
	}
	frac, exp := math.Frexp(a) // a = frac · 2^exp, frac from 1/2 to 1
	return sign | uint16(exp+14)<<10 | uint16(frac*2048)&0x3ff
}

// index returns the indices along each dimension of element i of a shape.
func index(s tensor.Shape, i int) []int {
	out := make([]int, len(s))
	for d := len(s) - 1; d >= 0; d-- {
		out[d] = i % s[d]
		i /= s[d]
	}
	return out
}

// position is the opposite of index. Dimensions of length 1 repeat, and those that the
// shape does not have are passed over.
func position(s tensor.Shape, index []int) int {
	i := 0
	index = index[len(index)-len(s):]
	for d, n := range s {
		j := index[d]
		if n == 1 {
			j = 0
		}
		i = i*n + j
	}
	return i
}

// set copies element j of y to element i of x, which is of the same kind.
func (x *Tensor) set(i int, y *Tensor, j int) {
	if x.Floats != nil {
		x.Floats[i] = y.Floats[j]
	} else {
		x.Ints[i] = y.Ints[j]
	}
}
