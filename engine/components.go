package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/sporeengine/spore/snapshot"
)

// components are the open components of an engine, by their digests.
type components struct {
	mu       sync.Mutex
	open     map[snapshot.Digest][]*Component // guarded by mu
	fetching map[snapshot.Digest]*fetching    // guarded by mu
}

// A fetching is a component that is being fetched. The result is there once done is closed.
type fetching struct {
	done      chan struct{}
	component *Component
	err       error
}

func (s *components) add(c *Component) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[snapshot.Digest][]*Component{}
	}
	s.open[c.Digest()] = append(s.open[c.Digest()], c)
}

func (s *components) remove(c *Component) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := c.Digest()
	s.open[d] = slices.DeleteFunc(s.open[d], func(o *Component) bool { return o == c })
	if len(s.open[d]) == 0 {
		delete(s.open, d)
	}
}

// find returns an open component with a digest, or nil.
func (s *components) find(d snapshot.Digest) *Component {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first(d)
}

// first is find with s.mu held.
func (s *components) first(d snapshot.Digest) *Component {
	if list := s.open[d]; len(list) > 0 {
		return list[0]
	}
	return nil
}

// get returns an open component with a digest, or fetches it, once however many sessions
// want it.
func (s *components) get(ctx context.Context, e *Engine, digest snapshot.Digest) (*Component, error) {
	for {
		s.mu.Lock()
		if c := s.first(digest); c != nil {
			s.mu.Unlock()
			return c, nil
		}
		f := s.fetching[digest]
		if f == nil {
			f = &fetching{done: make(chan struct{})}
			if s.fetching == nil {
				s.fetching = map[snapshot.Digest]*fetching{}
			}
			s.fetching[digest] = f
			s.mu.Unlock()
			return s.fetch(ctx, e, digest, f)
		}
		s.mu.Unlock()
		select {
		case <-f.done:
		case <-e.closed:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, fmt.Errorf("engine: waiting for component %v: %w", digest, ctx.Err())
		}
		// An error that comes from the other caller's context is none of this one.
		if !errors.Is(f.err, context.Canceled) && !errors.Is(f.err, context.DeadlineExceeded) {
			return f.component, f.err
		}
	}
}

// fetch does the work of get for everybody who waits for f.
func (s *components) fetch(ctx context.Context, e *Engine, digest snapshot.Digest, f *fetching) (*Component, error) {
	defer func() {
		s.mu.Lock()
		delete(s.fetching, digest)
		s.mu.Unlock()
		close(f.done)
	}()
	f.err = fmt.Errorf("%w: component %v is not open", ErrMismatch, digest) // also if Fetch panics
	if e.cfg.Fetch == nil {
		return nil, f.err
	}
	ctx, end := e.untilClosed(ctx)
	defer end()
	snap, err := e.cfg.Fetch(ctx, digest)
	if err != nil && errors.Is(context.Cause(ctx), ErrClosed) {
		f.err = ErrClosed
		return nil, f.err
	}
	if err != nil {
		f.err = errors.Join(f.err, fmt.Errorf("engine: fetch component %v: %w", digest, err))
		return nil, f.err
	}
	defer snap.Close()
	if snap.Digest() != digest {
		f.err = fmt.Errorf("%w: Config.Fetch returned component %v instead of %v", ErrMismatch, snap.Digest(), digest)
		return nil, f.err
	}
	f.component, f.err = e.Load(ctx, snap)
	return f.component, f.err
}

// untilClosed returns a context that ends when the engine is closed, too. The caller calls end.
func (e *Engine) untilClosed(ctx context.Context) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-e.closed:
			cancel(ErrClosed)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}
