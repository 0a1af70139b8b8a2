package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

// A cell is one key of a store, of which one version is known, and takes writes
// whose outcome the store cannot tell. A bucket may time out after it has
// written; the next attempt would then conflict with the first.
type cell struct {
	store   Store
	key     string
	version Version

	// doubt are the hashes of the writes that may have been made, or may still
	// be. Sealed records are never equal, so a hash names a write.
	doubt [][sha256.Size]byte
}

// swap writes data if the value is still of the version that c knows, or one that
// c itself has written in doubt. The error matches ErrConflict if someone else
// has changed the value; if it is none of those that a Store promises to mean
// that nothing was changed, data may have been written and swap may be called
// again.
func (c *cell) swap(ctx context.Context, data []byte) error {
	mine := sha256.Sum256(data)
	for {
		v, err := c.store.Put(ctx, c.key, data, c.version)
		if err == nil {
			c.version, c.doubt = v, nil
			return nil
		}
		if unchanged(err) {
			return err
		}
		is, v, getErr := c.store.Get(ctx, c.key)
		hash := sha256.Sum256(is)
		switch {
		case getErr == nil && hash == mine:
			c.version, c.doubt = v, nil
			return nil
		case getErr == nil && slices.Contains(c.doubt, hash):
			// An earlier write, which is no longer in doubt: go on from it.
			c.version = v
			c.doubt = slices.DeleteFunc(c.doubt, func(h [sha256.Size]byte) bool { return h == hash })
			continue
		case errors.Is(err, ErrConflict):
			return err
		case getErr == nil && v != c.version, errors.Is(getErr, ErrNotFound) && c.version != Absent:
			return fmt.Errorf("%w: %s: %w", ErrConflict, c.key, err)
		}
		c.doubt = append(c.doubt, mine)
		return err
	}
}

// unchanged reports whether an error of Put says that nothing was changed, a
// conflict excepted, which may be with a write of one's own.
func unchanged(err error) bool {
	for _, e := range []error{ErrFull, ErrTooLarge, ErrKey, ErrClosed} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
