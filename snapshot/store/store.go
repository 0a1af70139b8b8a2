package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Limits of what a store holds.
const (
	// MaxKeyBytes is the length of the longest key. With what backends add to
	// it, it is a file name on every system.
	MaxKeyBytes = 200

	// MaxValueBytes is the length of the longest value: more than any image of
	// a component, and little enough to be read into memory at once.
	MaxValueBytes = 256 << 20
)

// Errors of a [Store], wrapped with the key and the cause.
var (
	// ErrNotFound means that there is no value under the key.
	ErrNotFound = errors.New("store: not found")

	// ErrConflict means that the value is not of the version that the caller
	// named, or that there is one where there should be none. Nothing was
	// changed.
	ErrConflict = errors.New("store: changed by someone else")

	// ErrCorrupt means that a value was damaged where it is kept. The version
	// that Get returns with it serves to delete or to replace it.
	ErrCorrupt = errors.New("store: corrupt")

	// ErrFull means that there is no room. What was there is as it was.
	ErrFull = errors.New("store: no space left")

	// ErrTooLarge means that a value is longer than MaxValueBytes, or longer
	// than the whole store.
	ErrTooLarge = errors.New("store: value too large")

	// ErrKey means that a key is not one; see [CheckKey].
	ErrKey = errors.New("store: invalid key")

	// ErrClosed means that the store was closed.
	ErrClosed = errors.New("store: closed")
)

// A Version names one writing of one value. Two writings never have the same
// version, even of the same bytes under the same key and with a deletion in
// between. It is at most 64 bytes of printable ASCII.
type Version string

// Absent is the version of a value that does not exist.
const Absent Version = ""

// A Store keeps values under keys. It is safe for concurrent use, by any number
// of processes if what is behind it can be reached by them.
//
// # What a store guarantees
//
// Each key is a linearizable register with compare-and-swap: a Get that begins
// after a Put has returned sees its value or a later one, and of several Puts or
// Deletes that name one version at most one succeeds. There is no order between
// keys. A value is whole: nobody sees a part of one. What Put and Delete have
// acknowledged survives the end of the process, and of the machine if the
// backend says so.
//
// An error of Put or Delete that matches ErrConflict, ErrFull, ErrTooLarge,
// ErrKey or ErrClosed says that nothing was changed. Any other (a time-out, an
// error of the disk) leaves open whether it was: Get tells. Methods end early
// with the error of their context, which is such an error too.
//
// Package storetest tests all of this for a backend.
type Store interface {
	// Get returns the value and its version. The caller owns the slice. Errors:
	// ErrNotFound, ErrCorrupt (with the version).
	Get(ctx context.Context, key string) ([]byte, Version, error)

	// Put writes the value and returns its version, if the value that is there
	// has the version ifVersion, or is not there and ifVersion is Absent. It
	// does not keep data. Errors: ErrConflict, ErrFull, ErrTooLarge.
	Put(ctx context.Context, key string, data []byte, ifVersion Version) (Version, error)

	// Delete removes the value if it has this version. Errors: ErrConflict, and
	// ErrNotFound if there is none.
	Delete(ctx context.Context, key string, ifVersion Version) error

	// List yields what is stored under keys with this prefix, in no particular
	// order. What is written or deleted meanwhile may be missing or not; all
	// else comes once. It yields an error last or never.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]

	// Close lets go of what the store holds. Later calls return ErrClosed; those
	// that are running end as usual. It is idempotent.
	Close() error
}

// Info is what List says of a value.
type Info struct {
	Key  string
	Size int64 // bytes, at least those of the value: some backends count their own as well

	// Modified is when it was written, by the clock of what is behind the store.
	Modified time.Time
}

// CheckKey checks that key is one: at most MaxKeyBytes bytes, one or several
// segments with a slash between them, each of a–z, 0–9, '.', '-' and '_', not
// beginning with one of the signs, not ending with a dot, and not the name of a
// device of Windows. Such keys are safe as file names on every system, in
// buckets and in URLs. The error matches ErrKey.
func CheckKey(key string) error {
	if key == "" || len(key) > MaxKeyBytes {
		return fmt.Errorf("%w: %d bytes, want 1 to %d", ErrKey, len(key), MaxKeyBytes)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if !validSegment(segment) {
			return fmt.Errorf("%w: %q", ErrKey, key)
		}
	}
	return nil
}

func validSegment(s string) bool {
	if s == "" || !alphanumeric(s[0]) || s[len(s)-1] == '.' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return !device(s)
}

func alphanumeric(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// device reports whether Windows takes a file of this name for a device, which
// it does with any extension.
// See https://learn.microsoft.com/windows/win32/fileio/naming-a-file.
func device(s string) bool {
	s, _, _ = strings.Cut(s, ".")
	switch s {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(s) == 4 && (s[:3] == "com" || s[:3] == "lpt") && '0' <= s[3] && s[3] <= '9'
}

// checkPut checks what every backend checks of a Put.
func checkPut(key string, data []byte) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if len(data) > MaxValueBytes {
		return fmt.Errorf("%w: %s: %d bytes, the limit is %d", ErrTooLarge, key, len(data), MaxValueBytes)
	}
	return nil
}
