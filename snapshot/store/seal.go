package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sporeengine/spore/snapshot"
)

// Errors of sealed records, wrapped with the cause.
var (
	// ErrFormat means that bytes are no sealed record, or one of a format that
	// this package does not know.
	ErrFormat = errors.New("store: not a sealed record")

	// ErrAuth means that a record was tampered with or damaged, or sealed with a
	// key that is not among those of the Sessions.
	ErrAuth = errors.New("store: record is not authentic")

	// ErrExpired means that the session has passed its Expires.
	ErrExpired = errors.New("store: session has expired")

	// ErrForeign means that an authentic record is of another tenant, session or
	// component than the caller wants. The error is a [*ForeignError].
	ErrForeign = errors.New("store: foreign record")
)

// A ForeignError says in what an authentic record differs from what the caller
// wants. It matches [ErrForeign].
type ForeignError struct {
	What string // "tenant", "session" or "component"
}

func (e *ForeignError) Error() string { return "store: the record is of another " + e.What }

// Is reports whether target is ErrForeign.
func (e *ForeignError) Is(target error) bool { return target == ErrForeign }

// KeyBytes is the length of a secret.
const KeyBytes = 32

// A Key seals records. Its secret is random, known to nobody but the embedder,
// and used for nothing else.
type Key struct {
	ID     uint32         // tells keys apart; it is written into records
	Secret [KeyBytes]byte `json:"-"` // not for logs, see Format
}

// Format writes the number of the key, whatever the verb, so that secrets do not
// end up in logs.
func (k Key) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "store.Key %d", k.ID) }

// A sealed record, all integers little-endian:
//
//	offset  bytes
//	0       8      magic "SPOREses"
//	8       4      version of the format: 1
//	12      4      ID of the key
//	16      32     salt: random
//	48      8      expiry: milliseconds since 1970, 0 for never
//	56      32     digest of the component
//	88             AES-256-GCM of the fields, with the bytes 0–87 as
//	               associated data; its tag of 16 bytes is the end
//
// What is open is what is needed to throw old records away, and to know which
// images are in use, without the key. All else is inside; see record.go.
//
// Key and nonce of the AEAD come from the secret by HKDF-SHA-256 (RFC 5869) with
// the salt: 256 random bits, so that no two records share them however many
// there are, where random nonces under one key would be good for 2³² records
// only (NIST SP 800-38D, 8.3). XAES-256-GCM (c2sp.org/XAES-256-GCM) derives keys
// for the same reason.
const (
	sealMagic   = "SPOREses"
	sealVersion = 1
	sealInfo    = "spore sealed session v1"

	saltAt    = 16
	saltBytes = 32
	expiryAt  = saltAt + saltBytes
	digestAt  = expiryAt + 8
	sealHead  = digestAt + sha256.Size
	tagBytes  = 16
)

// A keyring holds the keys of a Sessions. The first seals.
type keyring []Key

func newKeyring(keys []Key) (keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("store: no key")
	}
	seen := map[uint32]bool{}
	for _, k := range keys {
		if k.Secret == ([KeyBytes]byte{}) {
			return nil, fmt.Errorf("store: the secret of key %d is zero", k.ID)
		}
		if seen[k.ID] {
			return nil, fmt.Errorf("store: two keys have the ID %d", k.ID)
		}
		seen[k.ID] = true
	}
	return append(keyring{}, keys...), nil
}

// aead returns the cipher of the record with this key and salt, and its nonce.
func (k *Key) aead(salt []byte) (cipher.AEAD, []byte, error) {
	const aesKey, nonce = 32, 12
	b, err := hkdf.Key(sha256.New, k.Secret[:], salt, sealInfo, aesKey+nonce)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(b[:aesKey])
	if err != nil {
		return nil, nil, err
	}
	gcm, err := cipher.NewGCM(block)
	return gcm, b[aesKey:], err
}

// seal returns the sealed form of r.
func (ks keyring) seal(r *record) ([]byte, error) {
	fields := r.append(nil)
	b := make([]byte, sealHead, sealHead+len(fields)+tagBytes)
	le := binary.LittleEndian
	copy(b, sealMagic)
	le.PutUint32(b[len(sealMagic):], sealVersion)
	le.PutUint32(b[saltAt-4:], ks[0].ID)
	io.ReadFull(rand.Reader, b[saltAt:expiryAt]) // never fails, see crypto/rand
	le.PutUint64(b[expiryAt:], uint64(millis(r.Expires)))
	copy(b[digestAt:], r.Component[:])
	gcm, nonce, err := ks[0].aead(b[saltAt:expiryAt])
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return gcm.Seal(b, nonce, fields, b), nil
}

// open returns the record of sealed bytes. Errors: ErrFormat, ErrAuth. It does
// not look at the clock, nor at whose record it is.
func (ks keyring) open(b []byte) (*record, error) {
	if len(b) < sealHead+tagBytes {
		return nil, fmt.Errorf("%w: %d bytes are too few", ErrFormat, len(b))
	}
	le := binary.LittleEndian
	if !bytes.HasPrefix(b, []byte(sealMagic)) {
		return nil, fmt.Errorf("%w: wrong magic", ErrFormat)
	}
	if v := le.Uint32(b[len(sealMagic):]); v != sealVersion {
		return nil, fmt.Errorf("%w: version %d, this package reads %d", ErrFormat, v, sealVersion)
	}
	id := le.Uint32(b[saltAt-4:])
	for i := range ks {
		if ks[i].ID != id {
			continue
		}
		gcm, nonce, err := ks[i].aead(b[saltAt:expiryAt])
		if err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		fields, err := gcm.Open(nil, nonce, b[sealHead:], b[:sealHead])
		if err != nil {
			return nil, fmt.Errorf("%w: it was changed, or its key %d is another", ErrAuth, id)
		}
		r := new(record)
		r.Expires = fromMillis(int64(le.Uint64(b[expiryAt:])))
		r.Component = snapshot.Digest(b[digestAt:sealHead])
		return r, r.parse(fields)
	}
	return nil, fmt.Errorf("%w: sealed with key %d, which is not known", ErrAuth, id)
}

// millis and fromMillis convert times, the zero one to 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
