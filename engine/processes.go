package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sporeengine/spore/snapshot"
)

// processes are the worker processes of a language. They are started when they
// are needed; one more than are bound to somebody is kept ready, if there may be
// more.
type processes struct {
	language *language
	max      int

	mu       sync.Mutex
	all      map[*process]bool // that exist: not yet reaped; guarded by mu
	idle     []*process        // ready and not in use, least recently used first; guarded by mu
	total    int               // that exist or are about to; guarded by mu
	starting int               // of them, not yet ready; guarded by mu
	ending   int               // that were ended to make room, and not yet reaped; guarded by mu
	waiting  int               // calls that wait for one; guarded by mu
	closed   bool              // guarded by mu
	changed  chan struct{}     // closed and replaced whenever one of the above has changed; guarded by mu

	known   bool            // whether a process was ready once; guarded by mu
	base    snapshot.Digest // its image; guarded by mu
	globals int             // guarded by mu

	failures int       // starts that failed; guarded by mu
	inRow    int       // of them, since one was successful; guarded by mu
	failure  error     // the last of them; guarded by mu
	retry    time.Time // when to try again; guarded by mu
}

// Waiting times after starts that failed, in a row.
const (
	minRetry = 50 * time.Millisecond
	maxRetry = 5 * time.Second
)

func newProcesses(l *language, max int) *processes {
	return &processes{language: l, max: max, all: map[*process]bool{}, changed: make(chan struct{})}
}

// notify wakes those who wait for a change. s.mu is held.
func (s *processes) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// ownerOf says for whom a process works that calls a component of author for
// caller: what it holds belongs to both.
func ownerOf(author, caller string) string { return fmt.Sprintf("%q %q", author, caller) }

// acquire returns a process that works for owner and for nobody else. The caller
// holds a slot of the language's workers, so that there is always one to be had.
func (s *processes) acquire(ctx context.Context, owner string) (*process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var p *process
	err := s.wait(ctx, func() bool {
		p = s.take(owner)
		return p != nil
	})
	return p, err
}

// wait waits until found returns true, and sees to it that there will be an
// unbound process for it to find. s.mu is held, but not while it waits.
func (s *processes) wait(ctx context.Context, found func() bool) error {
	s.waiting++
	defer func() { s.waiting-- }()
	for failures := s.failures; ; {
		switch {
		case s.closed:
			return ErrClosed
		case found():
			return nil
		case s.failures != failures || time.Now().Before(s.retry):
			return s.failure
		}
		s.provide()
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		s.mu.Lock()
		if ctx.Err() != nil {
			return fmt.Errorf("engine: waiting for a worker process: %w", ctx.Err())
		}
	}
}

// take removes an idle process for owner. s.mu is held.
func (s *processes) take(owner string) *process {
	find := func(fits func(p *process) bool) *process {
		for i, p := range slices.Backward(s.idle) {
			if fits(p) {
				s.idle = slices.Delete(s.idle, i, i+1)
				return p
			}
		}
		return nil
	}
	if p := find(func(p *process) bool { return p.bound && p.owner == owner }); p != nil {
		return p
	}
	p := find(func(p *process) bool { return !p.bound })
	if p != nil {
		p.bound, p.owner = true, owner
		if s.starting == 0 && s.total < s.max {
			s.start() // the next owner need not wait
		}
	}
	return p
}

// provide starts a process for those who wait, if there may be more or the place
// of the one that was idle for longest can be had. s.mu is held.
func (s *processes) provide() {
	switch {
	case s.starting+s.ending >= s.waiting:
	case s.starting > 0 && !s.known:
		// Several would compile the interpreter at the same time.
	case s.total < s.max:
		s.start()
	case len(s.idle) > 0:
		p := s.idle[0]
		s.idle = slices.Delete(s.idle, 0, 1)
		p.evicted = true
		s.ending++
		p.kill()
	}
}

// start starts a process in the background. s.mu is held.
func (s *processes) start() {
	s.starting++
	s.total++
	s.language.engine.counters.processStarts.Add(1)
	go func() {
		p, err := s.launch()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.starting--
		if err == nil && !s.all[p] {
			err = errors.New(p.status) // in this moment
		}
		if err == nil {
			s.inRow, s.failure, s.retry = 0, nil, time.Time{}
			s.idle = append(s.idle, p)
		} else {
			wait := min(minRetry<<min(s.inRow, 10), maxRetry)
			s.inRow++
			s.failures++
			s.retry = time.Now().Add(wait)
			s.failure = fmt.Errorf("engine: start a worker process: %w", err)
		}
		s.notify()
	}()
}

// launch starts a process and makes it ready.
func (s *processes) launch() (*process, error) {
	l, cfg := s.language, &s.language.engine.cfg
	p, err := startProcess(l.engine)
	s.mu.Lock()
	if err != nil {
		s.total--
		s.mu.Unlock()
		return nil, err
	}
	s.all[p] = true
	closed := s.closed
	s.mu.Unlock()
	go s.reap(p)
	if closed {
		p.kill()
	}
	err = p.handshake(workerStart{
		Language: l.runtime.Language, SHA256: l.runtime.SHA256, Limits: cfg.Limits, VerifyReset: cfg.VerifyReset,
		ImageMemory: max(cfg.ImageMemory/int64(cfg.Workers), 1), CacheDir: l.engine.cache.dir,
	})
	if err == nil {
		err = s.learn(&p.ready)
	}
	if err != nil {
		p.kill()
		<-p.exited
		return nil, fmt.Errorf("%w (it %s)", err, p.status)
	}
	return p, nil
}

// learn keeps what the first process says about the runtime, which is the same
// for all.
func (s *processes) learn(r *workerReady) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known {
		s.known, s.base, s.globals = true, r.Base, r.Globals
		if !r.Jail.Seccomp {
			s.language.engine.cfg.Log.Warn("spore: worker processes are not locked up: " + r.Jail.Note)
		}
	}
	if s.base != r.Base || s.globals != r.Globals {
		return errors.New("its image of the runtime differs from that of others")
	}
	return nil
}

// reap waits for p's end, which makes room for another.
func (s *processes) reap(p *process) {
	p.reap()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, p)
	s.total--
	if p.evicted {
		s.ending--
	}
	s.idle = slices.DeleteFunc(s.idle, func(q *process) bool { return q == p })
	s.language.engine.counters.processEnds.Add(1)
	s.notify()
}

// release takes back a process from acquire.
func (s *processes) release(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.dead || s.closed {
		p.kill() // which may be done already
		return
	}
	s.idle = append(s.idle, p)
	s.notify()
}

// close ends all processes and waits until they are reaped, and starts have
// failed.
func (s *processes) close() {
	s.mu.Lock()
	s.closed = true
	for {
		for p := range s.all {
			p.kill()
		}
		if len(s.all) == 0 && s.starting == 0 {
			s.mu.Unlock()
			return
		}
		changed := s.changed
		s.mu.Unlock()
		<-changed
		s.mu.Lock()
	}
}

// about returns what is known about the runtime's image, for which it may have
// to start a process.
func (s *processes) about(ctx context.Context) (base snapshot.Digest, globals int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known {
		err = s.wait(ctx, func() bool { return s.known })
	}
	return s.base, s.globals, err
}

// count returns how many processes there are.
func (s *processes) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}
