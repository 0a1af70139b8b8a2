package boltkv

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/sporeengine/spore/hostfuncs/kv"
)

// An update waits to be written with others, because syncing the file takes the same time
// for one and for many. (DB.Batch of bbolt waits for others, and commits on a goroutine of its own, where a
// damaged file that makes it panic ends the process.)
type update struct {
	ctx   context.Context
	space string
	fn    func(kv.Tx) error

	// Guarded by Backend.commit.
	done     bool
	err      error
	panicked any // what fn panicked with
}

// Update implements [kv.Backend].
func (b *Backend) Update(ctx context.Context, space string, fn func(kv.Tx) error) error {
	u := &update{ctx: ctx, space: space, fn: fn}
	b.mu.Lock()
	b.queue = append(b.queue, u)
	b.mu.Unlock()
	b.commit.Lock()
	if !u.done { // whoever comes first writes for all
		b.write()
	}
	b.commit.Unlock()
	if u.panicked != nil {
		panic(u.panicked)
	}
	return u.err
}

// write writes what waits. What fails is taken out, and the others are tried again. b.commit is held.
func (b *Backend) write() {
	b.mu.Lock()
	todo := b.queue
	b.queue = nil
	b.mu.Unlock()
	todo = slices.DeleteFunc(todo, func(u *update) bool {
		u.err = u.ctx.Err()
		u.done = u.err != nil
		return u.done
	})
	for len(todo) > 0 {
		failed, err := b.try(todo)
		if failed == nil {
			for _, u := range todo {
				u.done, u.err = true, err
			}
			return
		}
		failed.done, failed.err = true, err
		todo = slices.DeleteFunc(todo, func(u *update) bool { return u == failed })
	}
}

// try makes all updates in one transaction, and returns the one that failed, or none if
// that was the transaction.
func (b *Backend) try(todo []*update) (failed *update, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("boltkv: the file is damaged: %v", p)
		}
	}()
	err = b.db.Update(func(t *bbolt.Tx) error {
		for _, u := range todo {
			if err := u.call(t); err != nil {
				failed = u
				return err
			}
		}
		return nil
	})
	return failed, err
}

var errPanicked = errors.New("boltkv: panicked")

func (u *update) call(t *bbolt.Tx) (err error) {
	defer func() {
		if u.panicked = recover(); u.panicked != nil {
			err = errPanicked
		}
	}()
	bucket, err := t.CreateBucketIfNotExists([]byte(u.space))
	if err != nil {
		return err
	}
	return u.fn(tx{bucket})
}
