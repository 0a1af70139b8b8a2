package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/snapshot"
	"github.com/sporeengine/spore/snapshot/store"
)

// Bounds of a session.
const (
	maxState  = 4 << 20             // bytes that are saved
	lifetime  = 30 * 24 * time.Hour // on disk, after it was used last
	eventTime = 20 * time.Second    // of an event, waiting for the session included
)

// A pool has the sessions that are awake; all others are in the store. A session
// that is awake is saved after each event, so there is nothing to lose.
type pool struct {
	eng      *engine.Engine
	sessions *store.Sessions
	log      *slog.Logger

	mu    sync.Mutex
	awake map[name]*session // guarded by mu
}

// A name is that of a session. Each app has sessions of its own.
type name struct{ app, id string }

// A session is one visitor's instance of an app.
type session struct {
	name
	users int // goroutines that use it or wait for it; guarded by pool.mu

	mu    sync.Mutex       // events come one after the other
	in    *engine.Instance // nil: in the store
	lease *store.Lease     // the right to run it
	used  time.Time
}

// with calls f with a session, which nobody else uses meanwhile.
func (p *pool) with(n name, f func(*session) error) error {
	p.mu.Lock()
	s := p.awake[n]
	if s == nil {
		s = &session{name: n}
		p.awake[n] = s
	}
	s.users++
	p.mu.Unlock()

	s.mu.Lock()
	err := f(s)
	asleep := s.in == nil
	s.mu.Unlock()

	p.mu.Lock()
	defer p.mu.Unlock()
	if s.users--; s.users == 0 && asleep {
		delete(p.awake, n)
	}
	return err
}

// event lets an app's component handle an event and saves what became of it. An
// event that could not be handled or saved has not happened. The error matches
// store.ErrNotFound or ErrExpired if there is no such session.
func (p *pool) event(ctx context.Context, n name, e map[string]string) error {
	// A client that goes away does not undo what it has asked for.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), eventTime)
	defer cancel()
	return p.with(n, func(s *session) error {
		err := p.wake(ctx, s)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithDeadline(ctx, s.lease.Until())
		defer cancel()
		if _, err = s.in.Call(ctx, "event", e); err == nil {
			var b []byte
			if b, err = state(ctx, s.in); err == nil {
				err = s.lease.Checkpoint(ctx, b)
			}
		}
		if err != nil {
			p.park(ctx, s) // as it was saved last
		}
		return err
	})
}

// render returns the HTML of a session and the size of its state. It renders a
// fork, so that looking changes nothing.
func (p *pool) render(ctx context.Context, n name) (html string, size int, err error) {
	err = p.with(n, func(s *session) error {
		if err := p.wake(ctx, s); err != nil {
			return err
		}
		fork, err := s.in.Fork(ctx)
		if err != nil {
			return err
		}
		defer fork.Close()
		r, err := fork.Call(ctx, "render", nil)
		if err != nil {
			return err
		}
		html, size = r.Text(), len(s.lease.Record().Payload)
		return nil
	})
	return html, size, err
}

// create stores a session that has the first state of a component.
func (p *pool) create(ctx context.Context, app string, c *engine.Component) (n name, err error) {
	in, err := c.Open(ctx, nil)
	if err != nil {
		return n, err
	}
	defer in.Close()
	b, err := state(ctx, in)
	if err != nil {
		return n, err
	}
	n = name{app, rand.Text()} // 128 bits that nobody can guess
	_, err = p.sessions.Save(ctx, store.Record{Tenant: n.app, ID: n.id, Component: c.Digest(), Expires: time.Now().Add(lifetime), Payload: b})
	return n, err
}

// state returns what an instance is, as bytes.
func state(ctx context.Context, in *engine.Instance) ([]byte, error) {
	d, err := in.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return d.MarshalBinary()
}

// wake makes sure that s is in memory and that this process may run it for a while.
func (p *pool) wake(ctx context.Context, s *session) error {
	s.used = time.Now()
	for {
		if s.in == nil {
			if err := p.resume(ctx, s); err != nil {
				return err
			}
		}
		if time.Until(s.lease.Until()) > lease/2 {
			return nil
		}
		err := s.lease.Renew(ctx)
		if err == nil {
			return nil
		}
		p.forget(s)
		if !errors.Is(err, store.ErrLost) { // to another process, that is
			return err
		}
	}
}

// resume brings a session from the store to life.
func (p *pool) resume(ctx context.Context, s *session) (err error) {
	if s.lease, err = p.take(ctx, s.name); err != nil {
		return err
	}
	d, err := snapshot.ParseDelta(s.lease.Record().Payload, maxState)
	if err == nil {
		s.in, err = p.eng.Resume(ctx, d, nil)
	}
	if err != nil {
		p.park(ctx, s)
	}
	return err
}

// take takes a session from the store. One that runs elsewhere, or did in a process
// that was killed, it waits for: that is over when its lease is.
func (p *pool) take(ctx context.Context, n name) (*store.Lease, error) {
	for {
		token, err := p.sessions.Recover(ctx, n.app, n.id)
		if err == nil {
			return p.sessions.Take(ctx, token, store.Want{Tenant: n.app})
		}
		if !errors.Is(err, store.ErrTaken) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// park gives a session back to the store, as it was saved last, and frees its memory.
func (p *pool) park(ctx context.Context, s *session) {
	if s.lease != nil {
		r := s.lease.Record()
		r.Expires = time.Now().Add(lifetime)
		// The token that Save returns is not needed: Recover makes another.
		if _, err := s.lease.Save(ctx, r); err != nil {
			p.log.Warn("a session stays taken until its lease ends", slog.Any("error", err))
		}
	}
	p.forget(s)
}

func (p *pool) forget(s *session) {
	if s.in != nil {
		s.in.Close()
	}
	s.in, s.lease = nil, nil
}

// parkIdle parks the sessions that have not been used for a time.
func (p *pool) parkIdle(ctx context.Context, idle time.Duration) {
	p.mu.Lock()
	all := slices.Collect(maps.Values(p.awake))
	p.mu.Unlock()
	for _, s := range all {
		p.with(s.name, func(s *session) error {
			if time.Since(s.used) >= idle {
				p.park(ctx, s)
			}
			return nil
		})
	}
}
