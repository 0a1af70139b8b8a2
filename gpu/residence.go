package gpu

import (
	"context"
	"fmt"
	"sync"

	"github.com/sporeengine/spore/gpu/internal/wire"
)

// A residence is what constants a worker, or another backend, has. It is safe for concurrent use.
type residence struct {
	sending sync.Mutex // parts of two constants must not mix

	mu   sync.Mutex
	has  map[ConstantID]*upload // guarded by mu
	dead error                  // once there will be no more answers; guarded by mu
}

// An upload is a constant on its way, or there.
type upload struct {
	done chan struct{}
	err  error // set before done is closed
}

func (r *residence) init() { r.has = map[ConstantID]*upload{} }

// ensure returns when the constant is there. If nobody has, it is sent on a goroutine, which goes on if ctx ends: others may
// wait for it too.
func (r *residence) ensure(ctx context.Context, c *constant, send func() error) error {
	r.mu.Lock()
	if r.dead != nil {
		defer r.mu.Unlock()
		return r.dead
	}
	u := r.has[c.id]
	if u == nil {
		u = &upload{done: make(chan struct{})}
		r.has[c.id] = u
		go func() {
			r.sending.Lock()
			err := send()
			r.sending.Unlock()
			if err != nil {
				r.finish(c.id, err)
			}
		}()
	}
	r.mu.Unlock()
	select {
	case <-u.done:
		return u.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// finish settles an upload. One that failed is forgotten, so that it can be tried again.
func (r *residence) finish(id ConstantID, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	u := r.has[id]
	if u == nil {
		return false
	}
	select {
	case <-u.done:
		return false
	default:
	}
	if err != nil {
		delete(r.has, id)
	}
	u.err = err
	close(u.done)
	return true
}

// stored takes a worker's word that it has a constant. An error means that it was not asked.
func (r *residence) stored(m *wire.Stored) error {
	var err error
	switch m.Code {
	case codeOK:
	case codeMemory:
		err = ErrMemory
	default:
		err = errWorker
	}
	if !r.finish(m.ID, err) {
		return fmt.Errorf("%w: a constant that was not sent", wire.ErrProtocol)
	}
	return nil
}

// drop forgets a constant and reports whether it was there.
func (r *residence) drop(id ConstantID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	u := r.has[id]
	if u == nil {
		return false
	}
	select {
	case <-u.done:
		delete(r.has, id)
		return true
	default:
		return false // it stays until somebody sends it again and drops it
	}
}

// fail makes all uploads in progress, and later ones, fail.
func (r *residence) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dead = err
	for id, u := range r.has {
		select {
		case <-u.done:
		default:
			u.err = err
			close(u.done)
			delete(r.has, id)
		}
	}
}
