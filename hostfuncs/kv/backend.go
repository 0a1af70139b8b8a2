package kv

import "context"

// A Backend stores small items under keys, in spaces that have nothing to do with
// each other. It knows nothing of versions, quotas and expiry: all that is made of its transactions,
// by this package. It must be safe for concurrent use; package kvtest tests one.
//
// A space is named by printable ASCII without spaces, and exists without having been made.
type Backend interface {
	// View calls fn with the items of a space as they were at one moment.
	View(ctx context.Context, space string, fn func(Tx) error) error

	// Update calls fn and stores what it has changed: all of it, or nothing if fn returns an
	// error, which Update then returns. When it returns nil, the change lasts as long as the backend
	// promises. No other update of the space comes between what fn reads and what it writes.
	//
	// fn may be called several times, if the backend is optimistic; the last one counts.
	Update(ctx context.Context, space string, fn func(Tx) error) error
}

// A Tx reads and, in an update, changes the items of one space. It is used by one goroutine, until
// the function that was given it returns. It sees its own changes.
//
// Keys are at most [MaxKey] + 16 bytes, any bytes; values are not empty. What Get and Scan
// return must not be modified, and is valid until the next change.
type Tx interface {
	Get(key string) ([]byte, error)     // nil if there is none
	Put(key string, value []byte) error // does not keep value
	Delete(key string) error            // of what need not exist

	// Scan returns the first items whose keys are not less than from, in the
	// order of their bytes, n at most.
	Scan(from string, n int) ([]Pair, error)
}

// A Pair is an item and its key.
type Pair struct {
	Key   string
	Value []byte
}
