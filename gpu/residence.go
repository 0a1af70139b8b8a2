package gpu

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sporeengine/spore/gpu/internal/wire"
)

// A residence is what constants a worker, or another backend, has. It is safe for concurrent use.
type residence struct {
	sending sync.Mutex       // parts of two constants must not mix
	discard func(ConstantID) // makes the other side forget what it has; it does not wait for it
	late    func()           // ends the other side: a constant has not arrived after limit
	limit   time.Duration    // from when it is sent; 0: none

	mu   sync.Mutex
	has  map[ConstantID]*upload // guarded by mu
	dead error                  // once there will be no more answers; guarded by mu
}

// An upload is a constant on its way, or there.
type upload struct {
	done     chan struct{}
	err      error // set before done is closed
	unwanted bool  // it was dropped on its way; guarded by residence.mu
}

func (r *residence) init(discard func(ConstantID)) {
	r.has, r.discard = map[ConstantID]*upload{}, discard
}

// ensure returns when the constant is there. If nobody has, it is sent on a goroutine, which goes on if ctx ends: others may
// wait for it too.
func (r *residence) ensure(ctx context.Context, c *constant, send func() error) error {
	r.mu.Lock()
	if r.dead != nil {
		defer r.mu.Unlock()
		return r.dead
	}
	u := r.has[c.id]
	if u != nil {
		u.unwanted = false
	} else {
		u = &upload{done: make(chan struct{})}
		r.has[c.id] = u
		go func() {
			r.sending.Lock()
			if r.limit > 0 {
				defer time.AfterFunc(r.limit, r.late).Stop()
			}
			err := send()
			r.sending.Unlock()
			if err != nil {
				r.finish(c.id, err)
			}
			<-u.done
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
	u := r.has[id]
	if u == nil || u.over() {
		r.mu.Unlock()
		return false
	}
	if err != nil || u.unwanted {
		delete(r.has, id)
	}
	u.err = err
	close(u.done)
	discard := err == nil && u.unwanted
	r.mu.Unlock()
	if discard {
		r.discard(id)
	}
	return true
}

// over reports whether u is there, or has failed.
func (u *upload) over() bool {
	select {
	case <-u.done:
		return true
	default:
		return false
	}
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

// drop has a constant forgotten, now or when it has arrived.
func (r *residence) drop(id ConstantID) {
	r.mu.Lock()
	u := r.has[id]
	there := u != nil && u.over()
	if there {
		delete(r.has, id)
	} else if u != nil {
		u.unwanted = true
	}
	r.mu.Unlock()
	if there {
		r.discard(id)
	}
}

// lost notes that the other side has not got constants, which will be sent again.
func (r *residence) lost(ids []ConstantID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if u := r.has[id]; u != nil && u.over() {
			delete(r.has, id)
		}
	}
}

// fail makes all uploads in progress, and later ones, fail.
func (r *residence) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dead = err
	for id, u := range r.has {
		if !u.over() {
			u.err = err
			close(u.done)
			delete(r.has, id)
		}
	}
}
