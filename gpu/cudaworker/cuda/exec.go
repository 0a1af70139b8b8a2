package cuda

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// errStopped: the executor has ended.
var errStopped = errors.New("cuda: the executor has ended")

// An executor is the only goroutine that talks to a driver, on a thread of its own: contexts of CUDA belong to
// threads. Others send it functions and events to wait for.
type executor struct {
	jobs  chan job
	done  chan struct{} // closed when it has ended
	stop  chan struct{} // closed to end it
	fatal func(error)   // called by it once, when the device cannot be used any more

	once   sync.Once
	broken atomic.Pointer[error] // why the device is not used any more
}

// A job is a function to call, and an event to wait for then, if it is not 0.
type job struct {
	run    func() error
	event  event
	result chan<- error
}

// newExecutor starts an executor. open is the first function that it calls; it returns the driver.
func newExecutor(open func() (driver, error), fatal func(error)) (*executor, driver, error) {
	e := &executor{jobs: make(chan job, 1024), done: make(chan struct{}), stop: make(chan struct{}), fatal: fatal}
	type opened struct {
		d   driver
		err error
	}
	result := make(chan opened, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, and its context with it
		d, err := open()
		result <- opened{d, err}
		if err != nil {
			close(e.done)
			return
		}
		e.loop(d)
	}()
	r := <-result
	return e, r.d, r.err
}

// start has f called and returns a channel that gets what it returns.
func (e *executor) start(f func() error) <-chan error { return e.send(job{run: f}) }

// startAndWait has f called and returns a channel that gets its error, or nil when the event that it records is done.
func (e *executor) startAndWait(f func() error, ev event) <-chan error {
	return e.send(job{run: f, event: ev})
}

// do calls f on the executor and returns what it returns.
func (e *executor) do(f func() error) error { return <-e.start(f) }

func (e *executor) send(j job) <-chan error {
	result := make(chan error, 1)
	j.result = result
	e.jobs <- j
	select {
	case <-e.done:
		e.refuse() // the executor does not look any more
	default:
	}
	return result
}

// refuse answers the jobs that came too late.
func (e *executor) refuse() {
	for {
		select {
		case j := <-e.jobs:
			j.result <- errStopped
		default:
			return
		}
	}
}

// kill calls fatal, once, and has all calls from now on fail with err. It may be called while the executor hangs in a call of the driver.
func (e *executor) kill(err error) {
	if e.broken.CompareAndSwap(nil, &err) {
		e.fatal(err)
	}
}

// close ends the executor. There must be nothing that waits.
func (e *executor) close() {
	e.once.Do(func() { close(e.stop) })
	<-e.done
}

// loop serves jobs and looks, between them, whether events are done.
func (e *executor) loop(d driver) {
	var pending []job
	idle := 0 // how often events were looked for in vain
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var j job
		switch {
		case len(pending) == 0:
			select {
			case j = <-e.jobs:
			case <-e.stop:
				close(e.done)
				e.refuse()
				return
			}
		case idle < 64:
			select {
			case j = <-e.jobs:
			default:
				runtime.Gosched()
			}
		default:
			timer.Reset(pause(idle))
			select {
			case j = <-e.jobs:
			case <-timer.C:
			}
		}
		if j.run != nil {
			idle = 0
			if err := e.check(j.run); err != nil || j.event == 0 {
				j.result <- err
			} else {
				pending = append(pending, j)
			}
		}
		kept := pending[:0]
		for _, w := range pending {
			done := false
			err := e.check(func() (err error) { done, err = d.query(w.event); return err })
			if done || err != nil {
				w.result <- err
				idle = 0
			} else {
				kept = append(kept, w)
			}
		}
		pending = kept
		idle++
	}
}

// pause is how long to wait between looking for events, after the first microseconds: short calls take some ten of them, and a
// thread that sleeps takes as long to wake.
func pause(idle int) time.Duration {
	if idle < 256 {
		return 20 * time.Microsecond
	}
	return 200 * time.Microsecond
}

// check calls f unless the device is broken, and notices if it breaks.
func (e *executor) check(f func() error) error {
	if err := e.broken.Load(); err != nil {
		return *err
	}
	err := f()
	if isKind(err, fatal) {
		e.kill(err)
	}
	return err
}
