package store

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// A Token lets its holder take a session, once. It is 76 letters that are safe in
// URLs, 192 bits of them a secret: whoever has it can resume the session, so it
// does not belong into logs. It does not tell the tenant or the ID.
type Token string

// ErrToken means that a text is no token.
var ErrToken = errors.New("store: malformed token")

// A token is, in base64: a 1 (the version), the place of the session, the secret.
const (
	tokenVersion = 1
	placeBytes   = 16 // of the hash of the tenant, and as many of that of the ID
	secretBytes  = 24
	tokenBytes   = 1 + 2*placeBytes + secretBytes
)

// Strict refuses a second way to write the same bytes.
var tokenEncoding = base64.RawURLEncoding.Strict()

// A place is where a session is kept: hashes of the tenant and of the ID, cut to
// 128 bits, so that any text can be a name and none shows in the keys.
type place [2 * placeBytes]byte

func placeOf(tenant, id string) (p place) {
	t := sha256.Sum256([]byte("spore tenant\n" + tenant))
	i := sha256.Sum256([]byte("spore session\n" + id))
	copy(p[:placeBytes], t[:])
	copy(p[placeBytes:], i[:])
	return p
}

// sessionsPrefix is that of all keys of sessions.
const sessionsPrefix = "sessions/"

// tenantPrefix is that of the keys of the tenant's sessions.
func (p place) tenantPrefix() string {
	return sessionsPrefix + hex.EncodeToString(p[:placeBytes]) + "/"
}

// key returns the key in the store.
func (p place) key() string { return p.tenantPrefix() + hex.EncodeToString(p[placeBytes:]) }

// newToken returns a token for the session at p, and the hash of its secret,
// which is all that is kept of it.
func newToken(p place) (Token, [sha256.Size]byte) {
	b := make([]byte, tokenBytes)
	b[0] = tokenVersion
	copy(b[1:], p[:])
	secret := b[1+len(p):]
	rand.Read(secret) // never fails
	return Token(tokenEncoding.EncodeToString(b)), sha256.Sum256(secret)
}

// parse returns the place and the hash of the secret. The error matches ErrToken.
func (t Token) parse() (p place, secret [sha256.Size]byte, err error) {
	if len(t) != tokenEncoding.EncodedLen(tokenBytes) {
		return p, secret, fmt.Errorf("%w: %d bytes", ErrToken, len(t))
	}
	b, err := tokenEncoding.DecodeString(string(t))
	if err != nil || len(b) != tokenBytes {
		return p, secret, fmt.Errorf("%w: not base64", ErrToken)
	}
	if b[0] != tokenVersion {
		return p, secret, fmt.Errorf("%w: version %d", ErrToken, b[0])
	}
	return place(b[1 : 1+len(p)]), sha256.Sum256(b[1+len(p):]), nil
}

// sameSecret compares hashes of secrets in a time that does not tell how much of
// them is equal.
func sameSecret(a, b [sha256.Size]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
