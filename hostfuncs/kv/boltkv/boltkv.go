// Package boltkv keeps the items of package kv in one file, by
// go.etcd.io/bbolt: a B+tree in pure Go, in which a transaction is on disk when it is committed.
//
// It is a module of its own, so that programs which need no file have no dependency on it.
package boltkv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/sporeengine/spore/hostfuncs/kv"
)

// ErrInUse means that another process has the file open: only one can.
var ErrInUse = errors.New("boltkv: the file is in use")

// lockPatience is how long Open waits for another process to close the file.
const lockPatience = time.Second

// A Backend is a [kv.Backend] in a file. It is safe for concurrent use by one process. Each update is
// on disk when it returns. Updates that come while others are written share the next
// transaction; views go on meanwhile.
type Backend struct {
	db *bbolt.DB

	commit sync.Mutex // held by the goroutine that writes
	mu     sync.Mutex
	queue  []*update // what waits for commit; guarded by mu
}

var _ kv.Backend = (*Backend)(nil)

// Open opens a file, or makes it, readable by its owner alone. It must be closed.
//
// The file survives a process that is killed, and a machine that loses power as far as its disk keeps
// what it has acknowledged. It is not to be on a network file system, whose locks and mappings do not do
// what they should. bbolt maps the file and trusts it: one that somebody else has damaged may end the process.
func Open(path string) (*Backend, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockPatience, FreelistType: bbolt.FreelistMapType})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, path)
	}
	if err != nil {
		return nil, fmt.Errorf("boltkv: opening %s: %w", path, err)
	}
	return &Backend{db: db}, nil
}

// Close closes the file. It waits for what is going on, and may be called again.
func (b *Backend) Close() error { return b.db.Close() }

// View implements [kv.Backend].
func (b *Backend) View(ctx context.Context, space string, fn func(kv.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.db.View(func(t *bbolt.Tx) error {
		bucket := t.Bucket([]byte(space))
		if bucket == nil {
			return fn(empty{})
		}
		return fn(tx{bucket})
	})
}

// A tx is a bucket, which is a space.
type tx struct{ bucket *bbolt.Bucket }

func (t tx) Get(key string) ([]byte, error) { return t.bucket.Get([]byte(key)), nil }

// Put copies the value, because bbolt keeps it until the transaction ends.
func (t tx) Put(key string, value []byte) error {
	return t.bucket.Put([]byte(key), bytes.Clone(value))
}

func (t tx) Delete(key string) error { return t.bucket.Delete([]byte(key)) }

func (t tx) Scan(from string, n int) ([]kv.Pair, error) {
	var out []kv.Pair
	c := t.bucket.Cursor()
	for k, v := c.Seek([]byte(from)); k != nil && len(out) < n; k, v = c.Next() {
		out = append(out, kv.Pair{Key: string(k), Value: v})
	}
	return out, nil
}

// empty is a space that has no bucket yet, in a view.
type empty struct{}

func (empty) Get(string) ([]byte, error)          { return nil, nil }
func (empty) Put(string, []byte) error            { return bolterrors.ErrTxNotWritable }
func (empty) Delete(string) error                 { return bolterrors.ErrTxNotWritable }
func (empty) Scan(string, int) ([]kv.Pair, error) { return nil, nil }
