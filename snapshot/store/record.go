package store

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/sporeengine/spore/snapshot"
)

// MaxNameBytes is the length of the longest tenant and of the longest ID.
const MaxNameBytes = 255

// A Record is a session as it is kept.
type Record struct {
	// Tenant is to whom the session belongs. It may be empty.
	Tenant string

	// ID names the session among those of its tenant. It must not be empty.
	ID string

	// Component is the digest of the component's image, without which the
	// payload means nothing.
	Component snapshot.Digest

	// Expires is when the session ceases to exist, to the millisecond. The zero
	// time is never.
	Expires time.Time

	// Payload is the state: whatever bytes the embedder wants to have back.
	Payload []byte
}

func (r *Record) check(maxPayload int, now time.Time) error {
	switch {
	case len(r.Tenant) > MaxNameBytes || len(r.ID) > MaxNameBytes:
		return fmt.Errorf("store: tenant of %d and ID of %d bytes, at most %d are supported", len(r.Tenant), len(r.ID), MaxNameBytes)
	case r.ID == "":
		return errors.New("store: session without an ID")
	case len(r.Payload) > maxPayload:
		return fmt.Errorf("%w: payload of %d bytes, the limit is %d", ErrTooLarge, len(r.Payload), maxPayload)
	case r.expired(now):
		return fmt.Errorf("%w before it is saved", ErrExpired)
	}
	return nil
}

func (r *Record) expired(now time.Time) bool { return !r.Expires.IsZero() && !now.Before(r.Expires) }

// States of a session.
const (
	parked  byte = 1
	running byte = 2
)

// A record is what is sealed: a Record and its place in the state machine.
//
//	offset  bytes
//	0       1      state: 1 parked, 2 running
//	1       8      generation: how often the session was taken
//	9       8      end of the lease: milliseconds since 1970, 0 if parked
//	17      32     SHA-256 of the secret of the token; of the one that was
//	               taken, if it runs
//	49      1+n    length of the tenant, tenant
//	        1+n    length of the ID, ID
//	               the payload is the rest
type record struct {
	Record
	state      byte
	generation uint64
	until      int64
	token      [sha256.Size]byte
}

const recordHead = 1 + 8 + 8 + sha256.Size

// append appends the encoding of what is not in the open part.
func (r *record) append(b []byte) []byte {
	b = append(b, r.state)
	b = binary.LittleEndian.AppendUint64(b, r.generation)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.until))
	b = append(b, r.token[:]...)
	b = append(append(b, byte(len(r.Tenant))), r.Tenant...)
	b = append(append(b, byte(len(r.ID))), r.ID...)
	return append(b, r.Payload...)
}

// parse is the reverse of append. The payload is a part of b. The error matches
// ErrFormat: an authentic record that this package did not write.
func (r *record) parse(b []byte) error {
	if len(b) < recordHead {
		return fmt.Errorf("%w: fields of %d bytes", ErrFormat, len(b))
	}
	r.state = b[0]
	r.generation = binary.LittleEndian.Uint64(b[1:])
	r.until = int64(binary.LittleEndian.Uint64(b[9:]))
	copy(r.token[:], b[17:])
	b = b[recordHead:]
	if r.state != parked && r.state != running || r.until < 0 || (r.state == parked) != (r.until == 0) {
		return fmt.Errorf("%w: state %d until %d", ErrFormat, r.state, r.until)
	}
	for _, name := range []*string{&r.Tenant, &r.ID} {
		if len(b) == 0 || len(b) < 1+int(b[0]) {
			return fmt.Errorf("%w: a name ends early", ErrFormat)
		}
		*name = string(b[1 : 1+int(b[0])])
		b = b[1+int(b[0]):]
	}
	r.Payload = b
	return nil
}
