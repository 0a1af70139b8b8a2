// Package entry is the form in which backends keep a value: with a checksum
// that finds accidents, and a number that no other writing has.
//
// All integers are little-endian.
//
//	offset  bytes
//	0       8      magic "SPOREkv1"
//	8       16     nonce: random
//	24      8      length of the value
//	32      4      CRC-32C of the bytes 0–31, the key and the value
//	36             the value
package entry

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
)

// HeaderBytes is the length of what comes before the value.
const HeaderBytes = 36

const (
	magic      = "SPOREkv1"
	nonceBytes = 16
	lengthAt   = len(magic) + nonceBytes
	sumAt      = lengthAt + 8
)

// ErrDamaged means that bytes are no entry, or not the one of this key.
var ErrDamaged = errors.New("damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Header returns the header of a new entry for a value, with a fresh nonce.
func Header(key string, data []byte) []byte {
	b := make([]byte, HeaderBytes)
	copy(b, magic)
	rand.Read(b[len(magic):lengthAt])
	binary.LittleEndian.PutUint64(b[lengthAt:], uint64(len(data)))
	binary.LittleEndian.PutUint32(b[sumAt:], sum(b, key, data))
	return b
}

// Decode returns the value of an entry, which is a part of b. The error matches
// ErrDamaged.
func Decode(key string, b []byte) ([]byte, error) {
	if len(b) < HeaderBytes {
		return nil, fmt.Errorf("%w: %d bytes are shorter than a header", ErrDamaged, len(b))
	}
	head, data := b[:HeaderBytes], b[HeaderBytes:]
	if string(head[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: wrong magic", ErrDamaged)
	}
	if n := binary.LittleEndian.Uint64(head[lengthAt:]); n != uint64(len(data)) {
		return nil, fmt.Errorf("%w: %d bytes of %d", ErrDamaged, len(data), n)
	}
	if sum(head, key, data) != binary.LittleEndian.Uint32(head[sumAt:]) {
		return nil, fmt.Errorf("%w: wrong checksum", ErrDamaged)
	}
	return data, nil
}

// Version returns what identifies the entry that starts with b, which holds the
// header or is all there is. Damaged entries have one too, so that they can be
// compared and swapped like others.
func Version(b []byte) string {
	s := sha256.Sum256(b[:min(len(b), HeaderBytes)])
	return hex.EncodeToString(s[:16])
}

func sum(head []byte, key string, data []byte) uint32 {
	c := crc32.Update(0, castagnoli, head[:sumAt])
	c = crc32.Update(c, castagnoli, []byte(key))
	return crc32.Update(c, castagnoli, data)
}
