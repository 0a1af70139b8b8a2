package tensor

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// The encoding of a program, see FORMAT.md.
const (
	formatMagic   = "GPX1"
	formatVersion = 1
	headerBytes   = 32
	nodeBytes     = 16
)

// encode returns the encoding of p, which is complete but for that.
func (p *Program) encode() []byte {
	le := binary.LittleEndian
	nodes := make([]byte, 0, nodeBytes*len(p.nodes))
	var attrs []byte
	for i := range p.nodes {
		n := &p.nodes[i]
		nodes = le.AppendUint16(nodes, uint16(n.Op))
		nodes = append(nodes, byte(n.DType), byte(len(n.In)))
		nodes = le.AppendUint32(nodes, uint32(len(attrs)))
		for j := range 2 {
			v := 0
			if j < len(n.In) {
				v = n.In[j]
			}
			nodes = le.AppendUint32(nodes, uint32(v))
		}
		for _, v := range n.In[min(2, len(n.In)):] {
			attrs = binary.AppendUvarint(attrs, uint64(v))
		}
		for j := range n.Attrs {
			attrs = n.Attrs[j].append(attrs, table[n.Op].attrs[j].Kind)
		}
	}
	for _, v := range p.outputs {
		attrs = binary.AppendUvarint(attrs, uint64(v))
	}
	b := make([]byte, 0, headerBytes+len(nodes)+len(attrs))
	b = append(b, formatMagic...)
	b = le.AppendUint16(b, formatVersion)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint32(b, uint32(len(p.nodes)))
	b = le.AppendUint32(b, uint32(len(p.inputs)))
	b = le.AppendUint32(b, uint32(len(p.constants)))
	b = le.AppendUint32(b, uint32(len(p.outputs)))
	b = le.AppendUint32(b, uint32(len(attrs)))
	b = le.AppendUint32(b, 0)
	b = append(b, nodes...)
	return append(b, attrs...)
}

// append appends the encoding of a value of kind k.
func (a *Attr) append(b []byte, k AttrKind) []byte {
	switch k {
	case AttrInt:
		return binary.AppendVarint(b, a.Int)
	case AttrBool:
		return append(b, byte(a.Int))
	case AttrInts:
		b = binary.AppendUvarint(b, uint64(len(a.Ints)))
		for _, v := range a.Ints {
			b = binary.AppendVarint(b, int64(v))
		}
		return b
	case AttrShape:
		b = binary.AppendUvarint(b, uint64(len(a.Ints)))
		for _, v := range a.Ints {
			b = binary.AppendUvarint(b, uint64(v))
		}
		return b
	}
	return binary.LittleEndian.AppendUint64(b, a.Bits)
}

// Decode reads and checks a program. Errors match [ErrFormat], [ErrInvalid] or
// [ErrLimit]. It takes only what Encode writes, so each program has one encoding. It
// does not keep data.
func Decode(data []byte, limits Limits) (*Program, error) {
	l := limits.withDefaults()
	if len(data) < headerBytes || string(data[:4]) != formatMagic {
		return nil, fmt.Errorf("%w: no header", ErrFormat)
	}
	le := binary.LittleEndian
	if v := le.Uint16(data[4:]); v != formatVersion {
		return nil, fmt.Errorf("%w: version %d: %d is supported", ErrFormat, v, formatVersion)
	}
	nodes, outputs, attrBytes := le.Uint32(data[8:]), le.Uint32(data[20:]), le.Uint32(data[24:])
	if err := l.checkSize(int(min(nodes, maxLength)), len(data)); err != nil {
		return nil, err
	}
	if uint64(len(data)) != headerBytes+nodeBytes*uint64(nodes)+uint64(attrBytes) {
		return nil, fmt.Errorf("%w: %d bytes do not fit the header", ErrFormat, len(data))
	}
	records := data[headerBytes : headerBytes+nodeBytes*int(nodes)]
	r := reader{b: data[headerBytes+len(records):]}
	p := &Program{nodes: make([]Node, 0, nodes), types: make([]Type, 0, nodes)}
	for i := range int(nodes) {
		n, err := r.node(records[nodeBytes*i:], len(p.types))
		if err != nil {
			return nil, fmt.Errorf("%w: node %d: %s", ErrFormat, i, err)
		}
		if err := p.add(n, &l); err != nil {
			return nil, err
		}
	}
	if uint64(outputs) > uint64(len(r.b)) {
		return nil, fmt.Errorf("%w: %d outputs do not fit", ErrFormat, outputs)
	}
	out := make([]int, outputs)
	for i := range out {
		out[i] = r.length()
	}
	if r.bad {
		return nil, fmt.Errorf("%w: outputs end early", ErrFormat)
	}
	if err := p.finish(out, &l); err != nil {
		return nil, err
	}
	// What is left over, redundant fields that do not fit, and numbers that could be
	// written shorter, are all found by writing the program again.
	if p.encoded = p.encode(); !bytes.Equal(p.encoded, data) {
		return nil, fmt.Errorf("%w: not in canonical form", ErrFormat)
	}
	return p, nil
}

// A reader reads the attributes. When something is wrong, it sets bad and returns
// zeros.
type reader struct {
	b   []byte
	bad bool
}

// node reads a node; values are those before it.
func (r *reader) node(record []byte, values int) (Node, error) {
	le := binary.LittleEndian
	n := Node{Op: Op(le.Uint16(record)), DType: DType(record[2])}
	if !n.Op.Valid() {
		return n, fmt.Errorf("unknown operation %d", uint16(n.Op))
	}
	if !n.DType.Valid() {
		return n, fmt.Errorf("unknown %s", n.DType)
	}
	n.In = make([]int, record[3])
	for j := range n.In {
		if j < 2 {
			n.In[j] = int(min(le.Uint32(record[8+4*j:]), maxLength))
		} else {
			n.In[j] = r.length()
		}
		if n.In[j] >= values {
			return n, fmt.Errorf("input %d is value %d: there are %d before it", j, n.In[j], values)
		}
	}
	specs := table[n.Op].attrs
	n.Attrs = make([]Attr, len(specs))
	for j := range specs {
		r.attr(&n.Attrs[j], specs[j].Kind)
	}
	if r.bad {
		return n, fmt.Errorf("attributes of %s end early or are out of range", n.Op)
	}
	return n, nil
}

func (r *reader) attr(a *Attr, k AttrKind) {
	switch k {
	case AttrInt:
		a.Int = r.varint()
	case AttrBool:
		if len(r.b) < 1 {
			r.bad = true
			return
		}
		a.Int = int64(r.b[0])
		r.b = r.b[1:]
	case AttrInts, AttrShape:
		n := r.length()
		if r.bad || n > maxAttrEntries || n > len(r.b) {
			r.bad = true
			return
		}
		a.Ints = make([]int, n)
		for i := range a.Ints {
			if k == AttrShape {
				a.Ints[i] = r.length()
			} else {
				a.Ints[i] = int(r.varint())
			}
		}
	default:
		if len(r.b) < 8 {
			r.bad = true
			return
		}
		a.Bits = binary.LittleEndian.Uint64(r.b)
		r.b = r.b[8:]
	}
}

// varint reads a number of at most 31 bits and its sign.
func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 || v > maxLength || v < -maxLength {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

// length reads a number of at most 31 bits.
func (r *reader) length() int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > maxLength {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}
