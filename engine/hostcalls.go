package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/hostfuncs"
)

// Bounds of what the host calls of one call of a component may cost the host.
const (
	// maxRunning is how many functions run at once, or have a result that the
	// guest has not taken. Others wait.
	maxRunning = 64
	// maxArgBytes bounds the sum of the arguments of calls that run or wait.
	maxArgBytes = 16 << 20
	// frameSlack is what a frame may take beside its value, buffer lengths above all.
	frameSlack = 512 << 10
)

// A HostCall is a finished call of a host function, as [Options].Audit sees it.
type HostCall struct {
	hostfuncs.Caller
	Func     string        // as the guest wrote it; it need not exist
	Argument int64         // bytes
	Result   int64         // bytes
	Duration time.Duration // from the guest's call, waiting included
	Err      error         // nil if the function returned a result; see [hostfuncs.ForGuest] for what the guest learns
}

// A dispatcher makes the host calls of one call of a component, in the process of the
// embedder. It is safe for concurrent use.
type dispatcher struct {
	grants hostfuncs.Set
	ctx    context.Context
	cancel context.CancelFunc
	caller hostfuncs.Caller // but for the number
	audit  func(HostCall)
	log    *slog.Logger
	slots  chan struct{}

	mu     sync.Mutex
	made   map[string]int64 // calls of functions with a bound; guarded by mu
	bytes  int64            // of arguments; guarded by mu
	causes map[uint32]error // of calls that failed; guarded by mu
}

// newDispatcher returns the dispatcher of a call, which must be closed.
func (e *Engine) newDispatcher(k *call, component string) *dispatcher {
	d := &dispatcher{grants: k.grants, audit: k.audit, log: e.cfg.Log, slots: make(chan struct{}, maxRunning),
		caller: hostfuncs.Caller{Tenant: k.tenant, Component: component}, made: map[string]int64{}, causes: map[uint32]error{}}
	d.ctx, d.cancel = context.WithCancel(k.ctx)
	return d
}

// close ends the contexts of functions that still run, and does not wait for
// them. What they return is lost.
func (d *dispatcher) close() { d.cancel() }

// start makes a call, whose frame belongs to d from now on. deliver gets the reply once,
// before start returns if that says so, and calls release when it has made use of it. Once d is closed
// it may get none.
//
// A blocking call does not wait for others: their replies are not taken before it ends.
func (d *dispatcher) start(id uint32, blocking bool, name string, frame []byte, deliver func(id uint32, reply []byte, release func())) (answered bool) {
	begin := time.Now()
	f, arg, err := d.admit(name, frame)
	if err != nil {
		deliver(id, d.reply(id, name, begin, int64(len(frame)), hostfuncs.Value{}, err), nothing)
		return true
	}
	if f.Quick {
		deliver(id, d.call(id, f, arg, begin, int64(len(frame))), nothing)
		return true
	}
	go func() {
		release := nothing
		if !blocking {
			select {
			case d.slots <- struct{}{}:
				release = func() { <-d.slots }
			case <-d.ctx.Done():
				return
			}
		}
		reply := d.call(id, f, arg, begin, int64(len(frame)))
		if d.ctx.Err() != nil {
			release()
			return
		}
		deliver(id, reply, release)
	}()
	return false
}

func nothing() {}

// call calls a function that was admitted and returns the reply.
func (d *dispatcher) call(id uint32, f hostfuncs.Func, arg hostfuncs.Value, begin time.Time, argument int64) []byte {
	caller := d.caller
	caller.Number = id
	v, err := f.Call(hostfuncs.WithCaller(d.ctx, caller), arg)
	d.mu.Lock()
	d.bytes -= argument
	d.mu.Unlock()
	if err == nil {
		err = checkValue(v)
	}
	return d.reply(id, f.Name, begin, argument, v, err)
}

// maxFrame is the length of the longest frame that a function takes.
func (d *dispatcher) maxFrame() int64 {
	var most int64
	for f := range d.grants.All() {
		most = max(most, f.MaxArg, hostfuncs.DefaultMaxArg)
	}
	return min(most+frameSlack, maxArgBytes)
}

// admit finds out whether a call may be made.
func (d *dispatcher) admit(name string, frame []byte) (f hostfuncs.Func, arg hostfuncs.Value, err error) {
	f, ok := d.grants.Lookup(name)
	if !ok {
		return f, arg, hostfuncs.Errorf(hostfuncs.CodeNotGranted, "host function %q is not granted", name[:min(len(name), maxCallName)])
	}
	text, buffers, err := abi.ParseFrame(frame)
	if err == nil && len(text) > 0 && (!json.Valid(text) || !utf8.Valid(text)) {
		err = errors.New("it is not JSON")
	}
	if err == nil && len(text) > 0 {
		err = abi.CheckBuffers(text, len(buffers))
	}
	if err != nil {
		return f, arg, hostfuncs.Errorf(hostfuncs.CodeInvalid, "argument of %s: %v", name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.MaxCalls > 0 && d.made[name] >= f.MaxCalls {
		return f, arg, hostfuncs.Errorf(hostfuncs.CodeQuota, "%s may be called %d times", name, f.MaxCalls)
	}
	if d.bytes+int64(len(frame)) > maxArgBytes {
		return f, arg, hostfuncs.Errorf(hostfuncs.CodeTooMany, "the arguments of pending calls have more than %d bytes", maxArgBytes)
	}
	d.made[name]++
	d.bytes += int64(len(frame))
	return f, hostfuncs.Value{JSON: text, Buffers: buffers}, nil
}

// checkValue makes sure that what a function returned can be given to a guest.
func checkValue(v hostfuncs.Value) error {
	if len(v.JSON) == 0 {
		if len(v.Buffers) > 0 {
			return errors.New("engine: host function returned buffers without JSON")
		}
		return nil
	}
	if !json.Valid(v.JSON) {
		return errors.New("engine: host function returned something that is not JSON")
	}
	return abi.CheckBuffers(v.JSON, len(v.Buffers))
}

// reply encodes the outcome of a call for the guest, and tells the embedder.
func (d *dispatcher) reply(id uint32, name string, begin time.Time, argument int64, v hostfuncs.Value, err error) []byte {
	b := abi.Reply(true, v.JSON, v.Buffers...)
	if err != nil {
		shown := hostfuncs.ForGuest(err)
		b = errorReply(shown.Code, shown.Message)
		d.mu.Lock()
		d.causes[id] = err
		d.mu.Unlock()
		if p, ok := errors.AsType[*hostfuncs.PanicError](err); ok {
			d.log.Error("spore: host function panicked", slog.String("function", name), slog.Any("panic", p.Value), slog.String("stack", string(p.Stack)))
		}
	}
	if d.audit != nil {
		c := HostCall{Caller: d.caller, Func: name, Argument: argument, Result: int64(len(b)), Duration: time.Since(begin), Err: err}
		c.Number = id
		d.audit(c)
	}
	return b
}

// explain adds to an error of the guest which host call it came from, so that
// errors.Is finds the error of the host function.
func (d *dispatcher) explain(err error) {
	if ge, ok := errors.AsType[*GuestError](err); ok && ge.HostCall != 0 {
		d.mu.Lock()
		defer d.mu.Unlock()
		ge.cause = d.causes[ge.HostCall]
	}
}

// A hostReply is a reply to a host call that waits to be taken.
type hostReply struct {
	id      uint32
	data    []byte // as abi.Reply makes it
	release func()
}

// hostWaits are the host calls of a guest that have not been settled, but for
// sleeps. All but push belongs to the guest's goroutine.
type hostWaits struct {
	start   startCall // nil: nothing is granted
	pending map[uint32]struct{}
	left    time.Duration // of Limits.HostTime
	arrived chan struct{} // has room for one

	mu      sync.Mutex
	replies []hostReply // guarded by mu
}

// A startCall starts a host call, whose frame it must not keep. It reports whether the reply
// has come already.
type startCall func(id uint32, blocking bool, name string, frame []byte) (answered bool, err error)

// open makes w ready for calls that start begins.
func (w *hostWaits) open(left time.Duration, start startCall) {
	w.start, w.left = start, left
	w.pending, w.arrived = map[uint32]struct{}{}, make(chan struct{}, 1)
}

// push hands over a reply. It may be called by any goroutine, at any time.
func (w *hostWaits) push(id uint32, data []byte, release func()) {
	w.mu.Lock()
	w.replies = append(w.replies, hostReply{id, data, release})
	w.mu.Unlock()
	select {
	case w.arrived <- struct{}{}:
	default:
	}
}

// take returns the reply to the call with the number id, or the first that has arrived if
// id is 0. What answers no pending call is dropped.
func (w *hostWaits) take(id uint32) (hostReply, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := 0; i < len(w.replies); i++ {
		r := w.replies[i]
		_, wanted := w.pending[r.id]
		if wanted && id != 0 && r.id != id {
			continue
		}
		w.replies = append(w.replies[:i], w.replies[i+1:]...)
		r.release()
		if wanted {
			delete(w.pending, r.id)
			return r, true
		}
		i--
	}
	return hostReply{}, false
}

// first returns the smallest number of a pending call, or 0.
func (w *hostWaits) first() (id uint32) {
	for n := range w.pending {
		if id == 0 || n < id {
			id = n
		}
	}
	return id
}

// hostCall makes a call of a function that is not built in.
func (g *guest) hostCall(id uint32, blocking bool, name string, frame []byte) ([]byte, error) {
	if len(g.host.pending) >= maxPending {
		return errorReply(hostfuncs.CodeTooMany, fmt.Sprintf("more than %d host calls are pending", maxPending)), nil
	}
	g.host.pending[id] = struct{}{}
	answered, err := g.host.start(id, blocking, name, frame)
	if err != nil {
		return nil, err
	}
	if answered && (blocking || g.fixed == nil) {
		r, _ := g.host.take(id)
		// The function may have taken its time.
		return r.data, g.check()
	}
	if !blocking {
		return nil, nil
	}
	// Waiting for the host does not use up the guest's time.
	begin := time.Now()
	r, err := g.awaitHost(id, nil)
	now := time.Now()
	g.deadline, g.turn = g.deadline.Add(now.Sub(begin)), now
	return r.data, err
}

// awaitHost waits for the reply to a call, any if id is 0. It returns a reply without number if timeout
// comes first.
func (g *guest) awaitHost(id uint32, timeout <-chan time.Time) (hostReply, error) {
	for {
		if r, ok := g.host.take(id); ok {
			return r, nil
		}
		begin := time.Now()
		limit := time.NewTimer(g.host.left)
		var err error
		timedOut := false
		select {
		case <-g.host.arrived:
		case <-timeout:
			timedOut = true
		case <-limit.C:
			err = &LimitError{Limit: limitHostTime, Max: int64(g.limits.HostTime)}
		case <-g.ctx.Done():
			err = fmt.Errorf("engine: component interrupted: %w", g.ctx.Err())
		case <-g.engine.closed:
			err = ErrClosed
		}
		limit.Stop()
		g.host.left -= time.Since(begin)
		if err != nil || timedOut {
			return hostReply{}, err
		}
	}
}

// settle waits until a host call can be settled, a sleep or another, and returns its number and reply.
//
// With a fixed environment time passes only if nothing else can, and replies are taken in the
// order of the calls, so that equal functions make equal runs.
func (g *guest) settle() (id uint32, reply []byte, err error) {
	if g.fixed != nil {
		if id := g.host.first(); id != 0 {
			r, err := g.awaitHost(id, nil)
			return r.id, r.data, err
		}
	}
	if len(g.host.pending) > 0 {
		if len(g.sleeps) == 0 {
			r, err := g.awaitHost(0, nil)
			return r.id, r.data, err
		}
		timer := time.NewTimer(time.Duration(g.sleeps[0].due - g.Clock(false)))
		defer timer.Stop()
		if r, err := g.awaitHost(0, timer.C); err != nil || r.id != 0 {
			return r.id, r.data, err
		}
	}
	id, err = g.settleSleep()
	return id, nullReply, err
}

var nullReply = abi.Reply(true, []byte("null"))
