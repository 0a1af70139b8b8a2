package gpu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// notify tells those who wait that something has changed. p.mu is held.
func (p *Pool) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// acquire returns the worker that has least to do. It waits for one to be started, until the deadline or
// until ctx is done; while the pool is in quarantine it fails at once.
func (p *Pool) acquire(ctx context.Context, deadline time.Time) (*process, error) {
	var late <-chan time.Time
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, ErrClosed
		}
		if len(p.serving) > 0 {
			w := slices.MinFunc(p.serving, func(a, b *process) int { return int(a.calls.Load() - b.calls.Load()) })
			p.mu.Unlock()
			return w, nil
		}
		if p.bad != nil && time.Now().Before(p.after) {
			defer p.mu.Unlock()
			return nil, &WorkerError{Reason: "cannot be started: " + p.bad.Error()}
		}
		p.started = true
		p.provide()
		changed := p.changed
		p.mu.Unlock()
		if late == nil {
			t := time.NewTimer(time.Until(deadline))
			defer t.Stop()
			late = t.C
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-late:
			return nil, context.DeadlineExceeded
		}
	}
}

// provide starts the workers that are missing, now or after the delay. p.mu is held.
func (p *Pool) provide() {
	if p.closed || !p.started {
		return
	}
	missing := p.cfg.Workers - len(p.serving) - p.starting
	if p.cfg.Standby && p.standby == nil && len(p.serving) > 0 {
		missing++ // only when others serve: the first start is not to be held up
	}
	if missing <= 0 {
		return
	}
	if wait := time.Until(p.after); wait > 0 {
		if p.timer != nil {
			p.timer.Stop()
		}
		p.timer = time.AfterFunc(wait, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.provide()
		})
		return
	}
	if p.failures > 0 {
		missing = 1 // a trial
		if p.starting > 0 {
			return
		}
	}
	for range missing {
		p.starting++
		p.running.Go(p.start)
	}
}

// start starts a worker and admits it if its answer is right.
func (p *Pool) start() {
	begin := time.Now()
	w, err := launch(&p.cfg, p, p.sharedBuffers())
	if err == nil {
		err = p.admit(w)
	}
	p.stats.starts.Add(1)
	if err == nil {
		p.cfg.Log.Debug("spore: gpu worker serves", "pid", w.cmd.Process.Pid, "after", time.Since(begin), "backend", w.info.Name)
	} else if !errors.Is(err, errClosing) {
		p.stats.startsFailed.Add(1)
		p.cfg.Log.Warn("spore: gpu worker does not start", "error", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.notify()
	p.starting--
	p.launched = slices.DeleteFunc(p.launched, func(o *process) bool { return o == w })
	switch {
	case p.closed:
		if err == nil {
			p.running.Go(func() { w.close(p.cfg.Grace) })
		}
	case err != nil:
		p.rejected++
		p.failed()
		if p.rejected >= maxFailures {
			p.bad = err
			p.after = time.Now().Add(min(quarantine<<min(p.rejected-maxFailures, 10), maxQuarantine))
		}
	default:
		p.bad, p.rejected = nil, 0
		if w.why.Load() == nil { // or else it has died since, and killed was there already
			p.serve(w)
		}
	}
	p.provide()
}

// serve gives a worker its place. p.mu is held.
func (p *Pool) serve(w *process) {
	if len(p.serving) < p.cfg.Workers {
		p.serving = append(slices.Clone(p.serving), w)
	} else {
		p.standby = w
	}
}

// failed puts off the next start. p.mu is held.
func (p *Pool) failed() {
	p.after = time.Now().Add(min(firstDelay<<min(p.failures, 10), maxDelay))
	p.failures++
}

// admit brings a worker so far that it can serve. Its error says why it cannot; then it is gone.
func (p *Pool) admit(w *process) error {
	p.mu.Lock()
	p.launched = append(p.launched, w)
	if p.closed {
		w.closes.Store(true)
		w.kill(errClosing)
	}
	p.mu.Unlock()
	late := time.AfterFunc(p.cfg.StartTimeout, func() { w.kill(fmt.Errorf("did not start in %v", p.cfg.StartTimeout)) })
	defer late.Stop()
	err := w.handshake(&p.cfg, p.sharedBuffers())
	if err != nil {
		w.closes.Store(true)
		w.reap(err)
		return fmt.Errorf("%w (%w)", err, *w.why.Load())
	}
	p.running.Go(w.read)
	if err = canary(w, p.cfg.StartTimeout); err == nil {
		err = p.adopt(w)
	}
	if err != nil {
		w.closes.Store(true)
		w.kill(err)
		<-w.exited
		return err
	}
	w.admitted.Store(true)
	return nil
}

// remove takes a worker out of those that are there and puts the standby in its place. p.mu is held.
func (p *Pool) remove(w *process) {
	if p.standby == w {
		p.standby = nil
	}
	if i := slices.Index(p.serving, w); i >= 0 {
		p.serving = slices.Delete(slices.Clone(p.serving), i, i+1)
		if p.standby != nil && !p.closed {
			p.serving = append(p.serving, p.standby)
			p.standby = nil
		}
	}
}

// killed implements killCounter: the worker is replaced at once, not when it is reaped.
func (p *Pool) killed(w *process, why error) {
	p.stats.killed(why)
	p.cfg.Log.Warn("spore: gpu worker", "pid", w.cmd.Process.Pid, "reason", why)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(w)
	if !w.answered.Load() {
		p.failed() // so that one that dies at its first call is not started without end
	}
	p.provide()
	p.notify()
}

// proved notes that a worker has answered a call.
func (p *Pool) proved(w *process) {
	w.answered.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures = 0
}
