package rewrite

import (
	"fmt"
	"unicode/utf8"
)

// A reader decodes one section. The first failure sticks: after it the reader
// stands at its end and yields zeros, so that callers check err once per
// construct and loops over counts that come from the input must test it too.
type reader struct {
	b       []byte // the whole module up to the end of the section
	p       int    // next byte
	section string
	err     *Error
}

// fail records a refusal at offset off.
func (r *reader) fail(off int, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{r.section, off, fmt.Sprintf(format, args...)}
		r.p = len(r.b)
	}
}

// byte reads one byte.
func (r *reader) byte() byte {
	if r.p >= len(r.b) {
		r.fail(r.p, "unexpected end")
		return 0
	}
	c := r.b[r.p]
	r.p++
	return c
}

// bytes reads n bytes without copying them.
func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)-r.p) {
		r.fail(r.p, "%d bytes wanted, %d left", n, len(r.b)-r.p)
		return nil
	}
	b := r.b[r.p : r.p+int(n)]
	r.p += int(n)
	return b
}

// u32 reads an unsigned LEB128 of at most 32 bits.
func (r *reader) u32() uint32 {
	// Nearly all are one byte long.
	if r.p < len(r.b) && r.b[r.p] < 0x80 {
		r.p++
		return uint32(r.b[r.p-1])
	}
	start := r.p
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		if shift == 28 && c > 0x0f {
			break
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	r.fail(start, "integer does not fit 32 bits")
	return 0
}

// signed reads a signed LEB128 of at most bits bits, sign-extended.
func (r *reader) signed(bits int) int64 {
	start := r.p
	var v int64
	for shift := 0; shift < bits; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		if shift+7 < bits {
			// Below the full width the top bit of the last byte is the sign.
			return v << (64 - shift - 7) >> (64 - shift - 7)
		}
		// The last byte holds bits-shift bits; the rest of it repeats the sign.
		rest := int8(c<<1) >> 1 >> (bits - shift - 1)
		if rest == 0 || rest == -1 {
			return v << (64 - bits) >> (64 - bits)
		}
		break
	}
	r.fail(start, "integer does not fit %d bits", bits)
	return 0
}

// skip passes over a LEB128 of at most n bytes.
func (r *reader) skip(n int) {
	start := r.p
	for range n {
		if r.byte() < 0x80 {
			return
		}
	}
	r.fail(start, "integer is longer than %d bytes", n)
}

// name reads a UTF-8 string.
func (r *reader) name() string {
	start := r.p
	b := r.bytes(r.u32())
	if !utf8.Valid(b) {
		r.fail(start, "name is not UTF-8")
	}
	return string(b)
}

// count reads the number of entries of a vector. Each takes at least one byte,
// so a count beyond the section is malformed and nothing is allocated for it.
func (r *reader) count() int {
	start := r.p
	n := r.u32()
	if uint64(n) > uint64(len(r.b)-r.p) {
		r.fail(start, "%d entries in %d bytes", n, len(r.b)-r.p)
		return 0
	}
	return int(n)
}

// valueType reads a value type of WebAssembly 2.0.
func (r *reader) valueType() ValueType {
	start := r.p
	t := ValueType(r.byte())
	switch t {
	case I32, I64, F32, F64, V128, FuncRef, ExternRef:
	default:
		r.fail(start, "unsupported value type %#02x", byte(t))
	}
	return t
}

// refType reads the type of a table.
func (r *reader) refType() ValueType {
	start := r.p
	t := r.valueType()
	if r.err == nil && t != FuncRef && t != ExternRef {
		r.fail(start, "%v is not a reference type", t)
	}
	return t
}

// appendU32 appends v in unsigned LEB128.
func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}
