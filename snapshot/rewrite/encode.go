package rewrite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// The encoded form of a module, for caches: rewriting a large interpreter
// takes a hundred times longer than reading the result back.
//
//	8 bytes   "sporerw" and the version of the format, 2
//	u32       CRC-32C of all that follows, little-endian
//	uvarint   MaxMemory
//	string    Budget
//	vector    Globals: string name, byte type, uvarint initial value
//	vector    Imports: string module, string name, string params, string results
//	vector    Exports: the same
//	uvarint…  the counts of Census in the order of its fields
//	string    Wasm
//	uvarint   length of Memory
//	vector    runs of pages that are not zero: uvarint pages of zeros since the
//	          last run, uvarint pages
//	          these pages
//
// A string is a uvarint length and bytes, a vector a uvarint count and entries.
const (
	encodedMagic = "sporerw\x02"
	encodedPage  = 4096
)

// ErrEncoding is returned by [ParseModule], wrapped with detail, for bytes that
// are not an encoded module of this version or are damaged. A cache should
// treat them as absent.
var ErrEncoding = errors.New("rewrite: not an encoded module")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendBinary appends an encoding of m to b, which [ParseModule] decodes. It
// implements [encoding.BinaryAppender]. Pages of m.Memory that are zero take no
// room, the rest is not compressed. The error is always nil if m came from
// [Rewrite].
//
// The encoding is for caches: it is protected against accidents by a checksum,
// not against attackers, and may change with the version of this package.
func (m *Module) AppendBinary(b []byte) ([]byte, error) {
	if len(m.Memory) > MaxMemory || len(m.Memory)%pageSize != 0 {
		return b, fmt.Errorf("rewrite: cannot encode a memory of %d bytes", len(m.Memory))
	}
	b = append(b, encodedMagic...)
	sum := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.AppendUvarint(b, uint64(m.MaxMemory))
	b = appendString(b, m.Budget)
	b = binary.AppendUvarint(b, uint64(len(m.Globals)))
	for _, g := range m.Globals {
		b = appendString(b, g.Name)
		b = append(b, byte(g.Type))
		b = binary.AppendUvarint(b, g.Init)
	}
	for _, funcs := range [][]Func{m.Imports, m.Exports} {
		b = binary.AppendUvarint(b, uint64(len(funcs)))
		for _, f := range funcs {
			b = appendString(b, f.Module)
			b = appendString(b, f.Name)
			b = appendTypes(b, f.Params)
			b = appendTypes(b, f.Results)
		}
	}
	for _, n := range m.Census.fields() {
		b = binary.AppendUvarint(b, uint64(*n))
	}
	b = appendString(b, m.Wasm)
	b = appendMemory(b, m.Memory)
	binary.LittleEndian.PutUint32(b[sum:], crc32.Checksum(b[sum+4:], castagnoli))
	return b, nil
}

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m *Module) MarshalBinary() ([]byte, error) {
	return m.AppendBinary(make([]byte, 0, len(m.Wasm)+len(m.Memory)+4096))
}

// appendString appends the length and the bytes of s.
func appendString[S string | []byte](b []byte, s S) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// appendTypes appends value types as a string of one byte each.
func appendTypes(b []byte, types []ValueType) []byte {
	b = binary.AppendUvarint(b, uint64(len(types)))
	for _, t := range types {
		b = append(b, byte(t))
	}
	return b
}

// A run is a range of pages.
type run struct{ start, end int }

// appendMemory appends the sparse form of mem.
func appendMemory(b, mem []byte) []byte {
	var runs []run
	for i := 0; i < len(mem); i += encodedPage {
		if isZero(mem[i : i+encodedPage]) {
			continue
		}
		page := i / encodedPage
		if n := len(runs); n > 0 && runs[n-1].end == page {
			runs[n-1].end++
		} else {
			runs = append(runs, run{page, page + 1})
		}
	}
	b = binary.AppendUvarint(b, uint64(len(mem)))
	b = binary.AppendUvarint(b, uint64(len(runs)))
	last := 0
	for _, r := range runs {
		b = binary.AppendUvarint(b, uint64(r.start-last))
		b = binary.AppendUvarint(b, uint64(r.end-r.start))
		last = r.end
	}
	for _, r := range runs {
		b = append(b, mem[r.start*encodedPage:r.end*encodedPage]...)
	}
	return b
}

// isZero reports whether b, whose length is a multiple of eight, is all zeros.
func isZero(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.NativeEndian.Uint64(b) != 0 {
			return false
		}
	}
	return true
}

// fields lists the counts of c in order.
func (c *Census) fields() []*int {
	return []*int{
		&c.Functions, &c.Instructions, &c.Loops, &c.Calls, &c.CallIndirect,
		&c.MemoryGrow, &c.MemoryCopy, &c.MemoryFill,
		&c.Meters, &c.Checks, &c.MeteredEntries, &c.MaxCharge, &c.MaxUnchecked,
		&c.Tables, &c.TableElements, &c.Elements, &c.Globals, &c.MutableGlobals,
		&c.ActiveData, &c.PassiveData, &c.DataBytes,
		&c.TableWrites, &c.MemoryInit, &c.DataDrop,
	}
}

// ParseModule decodes what [Module.AppendBinary] encoded. The module's Wasm
// shares memory with data, which must not change any more; Memory is new. The
// error wraps [ErrEncoding].
func ParseModule(data []byte) (*Module, error) {
	if len(data) < len(encodedMagic)+4 || string(data[:len(encodedMagic)]) != encodedMagic {
		return nil, fmt.Errorf("%w: wrong magic or version", ErrEncoding)
	}
	data = data[len(encodedMagic):]
	if sum := binary.LittleEndian.Uint32(data); sum != crc32.Checksum(data[4:], castagnoli) {
		return nil, fmt.Errorf("%w: wrong checksum", ErrEncoding)
	}
	d := &decoder{data[4:]}
	m, ok := d.module()
	if !ok || len(d.b) != 0 {
		return nil, fmt.Errorf("%w: malformed", ErrEncoding)
	}
	return m, nil
}

// A decoder reads the encoded form. Its methods report whether there was
// enough input, and allocate no more than a small multiple of it.
type decoder struct{ b []byte }

func (d *decoder) uvarint(limit uint64) (uint64, bool) {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > limit {
		return 0, false
	}
	d.b = d.b[n:]
	return v, true
}

// count reads the number of entries of a vector, each at least one byte long.
func (d *decoder) count() (int, bool) {
	n, ok := d.uvarint(uint64(len(d.b)))
	return int(n), ok
}

func (d *decoder) bytes() ([]byte, bool) {
	n, ok := d.uvarint(math.MaxInt)
	if !ok || n > uint64(len(d.b)) {
		return nil, false
	}
	b := d.b[:n:n]
	d.b = d.b[n:]
	return b, true
}

func (d *decoder) string() (string, bool) {
	b, ok := d.bytes()
	return string(b), ok
}

func (d *decoder) module() (m *Module, ok bool) {
	m = new(Module)
	v, ok := d.uvarint(maxPages * pageSize)
	if !ok {
		return nil, false
	}
	m.MaxMemory = int64(v)
	if m.Budget, ok = d.string(); !ok {
		return nil, false
	}
	if m.Globals, ok = d.globals(); !ok {
		return nil, false
	}
	if m.Imports, ok = d.funcs(); !ok {
		return nil, false
	}
	if m.Exports, ok = d.funcs(); !ok {
		return nil, false
	}
	for _, n := range m.Census.fields() {
		v, ok := d.uvarint(math.MaxInt)
		if !ok {
			return nil, false
		}
		*n = int(v)
	}
	if m.Wasm, ok = d.bytes(); !ok {
		return nil, false
	}
	m.Memory, ok = d.memory()
	return m, ok
}

func (d *decoder) globals() ([]Global, bool) {
	n, ok := d.count()
	var globals []Global
	for ; ok && n > 0; n-- {
		var g Global
		if g.Name, ok = d.string(); !ok || len(d.b) == 0 {
			return nil, false
		}
		g.Type = ValueType(d.b[0])
		d.b = d.b[1:]
		if g.Init, ok = d.uvarint(math.MaxUint64); !ok {
			return nil, false
		}
		globals = append(globals, g)
	}
	return globals, ok
}

func (d *decoder) funcs() ([]Func, bool) {
	n, ok := d.count()
	var funcs []Func
	for ; ok && n > 0; n-- {
		var f Func
		if f.Module, ok = d.string(); !ok {
			return nil, false
		}
		if f.Name, ok = d.string(); !ok {
			return nil, false
		}
		if f.Params, ok = d.types(); !ok {
			return nil, false
		}
		if f.Results, ok = d.types(); !ok {
			return nil, false
		}
		funcs = append(funcs, f)
	}
	return funcs, ok
}

func (d *decoder) types() ([]ValueType, bool) {
	b, ok := d.bytes()
	var types []ValueType
	for _, t := range b {
		types = append(types, ValueType(t))
	}
	return types, ok
}

// memory decodes the sparse memory. The runs are checked to add up to the rest
// of the input before the memory is allocated, which the checksum and
// [MaxMemory] bound.
func (d *decoder) memory() ([]byte, bool) {
	size, ok := d.uvarint(MaxMemory)
	if !ok || size%pageSize != 0 {
		return nil, false
	}
	n, ok := d.count()
	if !ok {
		return nil, false
	}
	pages := size / encodedPage
	var runs []run
	var at, stored uint64
	for ; n > 0; n-- {
		gap, ok := d.uvarint(pages - at)
		if !ok {
			return nil, false
		}
		at += gap
		length, ok := d.uvarint(pages - at)
		if !ok || length == 0 {
			return nil, false
		}
		runs = append(runs, run{int(at), int(at + length)})
		at += length
		stored += length
	}
	if uint64(len(d.b)) != stored*encodedPage {
		return nil, false
	}
	mem := make([]byte, size)
	for _, r := range runs {
		k := copy(mem[r.start*encodedPage:r.end*encodedPage], d.b)
		d.b = d.b[k:]
	}
	return mem, true
}
