package engine

import (
	"sync"
	"time"
)

// A watchdog ends a process that takes longer for a request than it may. It is safe for
// concurrent use.
type watchdog struct {
	grace time.Duration

	mu    sync.Mutex
	timer *time.Timer
	holds int  // how many wait for the embedder; guarded by mu
	final bool // the time runs out whoever waits, or has been stopped; guarded by mu
}

// guard gives the process a time for a request. The caller stops the watchdog.
func (p *process) guard(grace time.Duration) *watchdog {
	return &watchdog{grace: grace, timer: p.watch(grace)}
}

// hold says that the embedder, not the process, takes its time, or that it no longer
// does: each true is followed by a false, which may come when the request is over.
func (w *watchdog) hold(waits bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if waits {
		w.holds++
	} else {
		w.holds--
	}
	switch {
	case w.final:
	case waits && w.holds == 1:
		w.timer.Stop()
	case w.holds == 0:
		w.timer.Reset(w.grace)
	}
}

// hurry leaves the process some time to end the request, whoever waits.
func (w *watchdog) hurry() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.final {
		w.final = true
		w.timer.Reset(min(cancelGrace, w.grace))
	}
}

// stop ends the watch.
func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.final = true
	w.timer.Stop()
}
