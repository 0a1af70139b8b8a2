package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A Lease is the right to run a session, from Take until Until. It must not be
// run any longer: who needs more time calls Renew early, and stops when that
// fails. A lease that is just forgotten costs others the time until it ends.
//
// A method whose error leaves open whether the store has written may be called
// again, and so may any other. Methods are safe for concurrent use.
type Lease struct {
	s     *Sessions
	place place

	mu     sync.Mutex
	cell   cell
	record *record
	until  time.Time // with a monotonic reading
	over   bool
}

// Record returns the session as it was saved last. The payload is shared and must
// not be changed.
func (l *Lease) Record() Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record.Record
}

// Generation returns how often the session was taken, this time included. It
// grows with each Take, so it serves as a fencing token: who is told it along
// with an effect can refuse those of an older run that does not know yet that
// its lease is over.
func (l *Lease) Generation() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record.generation
}

// Until returns when the lease ends, by this machine's clock. It suits
// context.WithDeadline, which does not mind if the clock is set. It is the zero
// time after a Save, Release or Delete, and after an attempt of which the store
// could not tell whether it was made: the session may be parked, and must not run
// unless a Renew or Checkpoint succeeds.
func (l *Lease) Until() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until
}

// Renew makes the lease last for another SessionsConfig.Lease from now on. It writes the
// whole record. It also works when the lease has ended and nobody has recovered
// the session. Errors: ErrLost, those of the store.
func (l *Lease) Renew(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.extendLocked(ctx, l.record.Record)
}

// Checkpoint is like Renew and replaces the payload: if this process dies, the
// session is recovered in this state. It keeps payload.
func (l *Lease) Checkpoint(ctx context.Context, payload []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.record.Record
	r.Payload = payload
	return l.extendLocked(ctx, r)
}

func (l *Lease) extendLocked(ctx context.Context, r Record) error {
	if l.over {
		return ErrLost
	}
	if len(r.Payload) > l.s.cfg.MaxPayload {
		return fmt.Errorf("%w: payload of %d bytes, the limit is %d", ErrTooLarge, len(r.Payload), l.s.cfg.MaxPayload)
	}
	return l.lost(l.extend(ctx, l.s.cfg.Now(), r))
}

// extend writes the record as running, with the contents of r, until a lease
// from now.
func (l *Lease) extend(ctx context.Context, now time.Time, r Record) error {
	until := now.Add(l.s.cfg.Lease)
	next := *l.record
	next.Record = r
	next.until = until.UnixMilli() + 1 // rounded up
	if err := l.s.write(ctx, &l.cell, &next); err != nil {
		return err
	}
	l.record, l.until = &next, until
	return nil
}

// lost makes ErrLost of ErrConflict, and the lease over with it.
func (l *Lease) lost(err error) error {
	if errors.Is(err, ErrConflict) {
		l.over, l.until = true, time.Time{}
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return err
}

// Save parks the session in a new state and returns the token that takes it the
// next time. The lease is over. The tenant and the ID of r may be empty, and else
// must be those of the session; the component may be another. Errors: ErrLost,
// ErrExpired, ErrTooLarge, those of the store.
func (l *Lease) Save(ctx context.Context, r Record) (Token, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	is := l.record.Record
	if r.Tenant != "" && r.Tenant != is.Tenant {
		return "", &ForeignError{"tenant"}
	}
	if r.ID != "" && r.ID != is.ID {
		return "", &ForeignError{"session"}
	}
	r.Tenant, r.ID = is.Tenant, is.ID
	if err := r.check(l.s.cfg.MaxPayload, l.s.cfg.Now()); err != nil {
		return "", err
	}
	return l.park(ctx, r)
}

// Release parks the session as it was saved last, and is otherwise like Save.
func (l *Lease) Release(ctx context.Context) (Token, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.park(ctx, l.record.Record)
}

func (l *Lease) park(ctx context.Context, r Record) (Token, error) {
	if l.over {
		return "", ErrLost
	}
	next := *l.record
	next.Record = r
	token, err := l.s.park(ctx, l.place, &l.cell, &next)
	if len(l.cell.doubt) > 0 {
		l.until = time.Time{}
	}
	if err != nil {
		return "", l.lost(err)
	}
	l.over, l.until = true, time.Time{}
	return token, nil
}

// Delete removes the session; if it is gone already, that is as good. The lease
// is over. Errors: ErrLost, those of the store.
func (l *Lease) Delete(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return ErrLost
	}
	// If there is a write in doubt, one that is not tells the version.
	if len(l.cell.doubt) > 0 {
		if err := l.extend(ctx, l.s.cfg.Now(), l.record.Record); err != nil {
			return l.lost(err)
		}
	}
	l.until = time.Time{}
	err := l.s.cfg.Store.Delete(ctx, l.cell.key, l.cell.version)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return l.lost(err)
	}
	l.over = true
	return nil
}
