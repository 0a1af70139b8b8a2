// Package random gives guests randomness of the host.
//
// A guest has random numbers of its own, seeded anew with each start
// (crypto.getRandomValues, secrets). This one is for what must not be in its memory before it
// is needed, since whoever reads a snapshot of a guest can tell what its generator yields next; and for the
// embedder who wants to say where it comes from.
package random

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"

	"github.com/sporeengine/spore/hostfuncs"
)

// DefaultMaxBytes is used if Options.MaxBytes is not positive.
const DefaultMaxBytes = 64 << 10

// Options of [Functions]. The zero value is the randomness of the operating system.
type Options struct {
	// MaxBytes is how much one call returns at most.
	MaxBytes int

	// Source is where the bytes come from. It must be safe for concurrent use. Nil means
	// [rand.Reader] of crypto/rand.
	Source io.Reader
}

type question struct {
	N int `json:"n" jsonschema:"how many bytes"`
}

// Functions returns random.bytes.
func Functions(opts Options) []hostfuncs.Func {
	most, source := opts.MaxBytes, opts.Source
	if most <= 0 {
		most = DefaultMaxBytes
	}
	if source == nil {
		source = rand.Reader
	}
	f := hostfuncs.New("random.bytes", fmt.Sprintf("Random bytes, fit for keys. At most %d at once.", most),
		func(_ context.Context, q question) (hostfuncs.Bytes, error) {
			if q.N < 0 || q.N > most {
				return nil, hostfuncs.Errorf(hostfuncs.CodeTooLarge, "random.bytes returns 0 to %d bytes, not %d", most, q.N)
			}
			b := make([]byte, q.N)
			_, err := io.ReadFull(source, b)
			return b, err
		})
	f.Quick = opts.Source == nil // of another source it is not known
	f.MaxResult = max(f.MaxResult, int64(most)+1024)
	return []hostfuncs.Func{f}
}
