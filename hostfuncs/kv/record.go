package kv

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/sporeengine/spore/hostfuncs"
)

// Keys of a space, by their first byte. What follows is
const (
	totalsKey  = "t" // nothing: a totals
	itemPrefix = "k" // a guest's key: an item
	endPrefix  = "e" // when the item expires, eight bytes of milliseconds, and its key: one byte
	donePrefix = "d" // an idempotency key: the result of that write
	ringPrefix = "r" // a slot of the ring, two bytes: the idempotency key in it
)

// errCorrupt means that the backend returned something that this package has not
// written, or not in this version.
var errCorrupt = errors.New("kv: corrupt record")

// totals are about one space. They are stored in the order of the fields.
type totals struct {
	keys    uint64
	bytes   uint64 // of keys and values
	version uint64 // the last one given to an item: one never comes twice, even for another key
	writes  uint64 // that had an idempotency key
}

// An item is a value of a guest, and what belongs to it. Version zero means none.
type item struct {
	version uint64
	expires uint64 // unix time in milliseconds, zero: never
	value   hostfuncs.Value
}

// bytes is what an item takes of a quota.
func (it item) bytes(key string) uint64 {
	return uint64(len(key)) + uint64(it.value.Size())
}

func (t totals) encode() []byte { return appendNumbers(nil, t.keys, t.bytes, t.version, t.writes) }

func decodeTotals(b []byte) (t totals, err error) {
	if b == nil {
		return t, nil
	}
	r := reader{rest: b}
	t = totals{r.number(), r.number(), r.number(), r.number()}
	return t, r.end()
}

// encode returns version, expiry, JSON, number of buffers and each buffer, every text with its length
// before it and every number as a varint.
func (it item) encode() []byte {
	b := appendNumbers(nil, it.version, it.expires, uint64(len(it.value.JSON)))
	b = appendNumbers(append(b, it.value.JSON...), uint64(len(it.value.Buffers)))
	for _, buffer := range it.value.Buffers {
		b = append(appendNumbers(b, uint64(len(buffer))), buffer...)
	}
	return b
}

// decodeItem decodes an item, which shares memory with b.
func decodeItem(b []byte) (it item, err error) {
	if b == nil {
		return it, nil
	}
	r := reader{rest: b}
	it = item{version: r.number(), expires: r.number()}
	it.value.JSON = r.text(r.number())
	n := r.number()
	if n > uint64(len(r.rest)) { // each takes a byte at least
		r.bad = true
	}
	for range n {
		if r.bad {
			break
		}
		it.value.Buffers = append(it.value.Buffers, r.text(r.number()))
	}
	return it, r.end()
}

func appendNumbers(b []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// A reader takes a record apart. Once it is bad, it returns zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if r.bad || size <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) text(n uint64) []byte {
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) end() error {
	if r.bad || len(r.rest) > 0 {
		return fmt.Errorf("%w, %d bytes before its end", errCorrupt, len(r.rest))
	}
	return nil
}

// endKey returns the key under which the end of an item is noted.
func endKey(expires uint64, key string) string {
	return string(binary.BigEndian.AppendUint64([]byte(endPrefix), expires)) + key
}

// parseEndKey is the inverse of endKey.
func parseEndKey(s string) (expires uint64, key string, ok bool) {
	if len(s) < len(endPrefix)+8 || s[:len(endPrefix)] != endPrefix {
		return 0, "", false
	}
	s = s[len(endPrefix):]
	return binary.BigEndian.Uint64([]byte(s[:8])), s[8:], true
}

// ringKey returns the key of the slot for the write of this number.
func ringKey(write uint64) string {
	return string(binary.BigEndian.AppendUint16([]byte(ringPrefix), uint16(write%rememberedWrites)))
}
