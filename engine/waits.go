package engine

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/hostfuncs"
)

// A hostReply is a reply to a host call that waits to be taken. Without data it
// says that the answer comes later, from outside.
type hostReply struct {
	id      uint32
	data    []byte // as abi.Reply makes it
	release func()
}

// A hostWait is a host call that was not settled.
type hostWait struct {
	name  string
	frame []byte // its argument; kept only where the call may be suspended
	later bool   // the answer comes from outside
	said  bool   // the function has said so; otherwise the instance was suspended meanwhile
	free  bool   // waiting for it does not count: the consumer of a stream is slow
}

// hostWaits are the host calls of a guest that have not been settled, but for
// sleeps. All but push belongs to the guest's goroutine.
type hostWaits struct {
	start   startCall // nil: nothing is granted
	giveUp  func(id uint32)
	pending map[uint32]*hostWait
	owed    int           // of pending, those that the host has to answer: not later
	charged int           // of them, those whose wait counts: not free
	left    time.Duration // of Limits.HostTime
	arrived chan struct{} // has room for one

	mu      sync.Mutex
	replies []hostReply // guarded by mu
}

// A startCall starts a host call, whose frame it must not keep. If it is answered already it
// returns the reply, which is nil if that comes later, from outside; otherwise the reply is pushed.
type startCall func(id uint32, blocking bool, name string, frame []byte) (reply []byte, answered bool, err error)

// open makes w ready for calls that start begins and giveUp, if it is not nil, gives up.
func (w *hostWaits) open(left time.Duration, start startCall, giveUp func(id uint32)) {
	w.start, w.giveUp, w.left = start, giveUp, left
	w.pending, w.arrived = map[uint32]*hostWait{}, make(chan struct{}, 1)
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
		wait := w.pending[r.id]
		if wait != nil && r.data != nil && id != 0 && r.id != id {
			continue
		}
		w.replies = slices.Delete(w.replies, i, i+1)
		i--
		r.release()
		switch {
		case wait == nil:
		case r.data == nil:
			w.count(wait, -1)
			wait.later, wait.said = true, true
			if r.id == id {
				return r, true
			}
		default:
			w.remove(r.id)
			return r, true
		}
	}
	return hostReply{}, false
}

// add registers a pending call, and remove forgets it.
func (w *hostWaits) add(id uint32, wait *hostWait) {
	w.pending[id] = wait
	w.count(wait, 1)
}

func (w *hostWaits) remove(id uint32) {
	if wait := w.pending[id]; wait != nil {
		delete(w.pending, id)
		w.count(wait, -1)
	}
}

func (w *hostWaits) count(wait *hostWait, n int) {
	if wait.later {
		return
	}
	w.owed += n
	if !wait.free {
		w.charged += n
	}
}

// first returns the smallest number of a call that the host has to answer, or 0.
func (w *hostWaits) first() (id uint32) {
	for n, wait := range w.pending {
		if !wait.later && (id == 0 || n < id) {
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
	reply, answered, err := g.host.start(id, blocking, name, frame)
	if err != nil {
		return nil, err
	}
	if reply != nil && (blocking || g.fixed == nil) {
		return reply, g.check() // the function may have taken its time
	}
	later := answered && reply == nil
	wait := &hostWait{name: name, free: name == abi.EmitCall, later: later, said: later}
	g.host.add(id, wait)
	if reply != nil {
		g.host.push(id, reply, nothing)
	}
	if !blocking {
		if g.session {
			wait.frame = slices.Clone(frame)
		}
		return nil, nil
	}
	// Waiting for the host does not use up the guest's time. The guest is in the middle of
	// something, so that its state cannot be kept now: it is not to be suspended here.
	begin := time.Now()
	r, err := g.awaitHost(id, nil, nil)
	now := time.Now()
	g.deadline, g.turn = g.deadline.Add(now.Sub(begin)), now
	return r.data, err
}

// cancelCall forgets a pending call that the guest has given up.
func (g *guest) cancelCall(frame []byte) ([]byte, error) {
	text, _, err := abi.ParseFrame(frame)
	if err != nil {
		return nil, err
	}
	var arg struct{ ID *uint32 }
	if json.Unmarshal(text, &arg) != nil || arg.ID == nil {
		return errorReply(hostfuncs.CodeInvalid, abi.CancelCall+` takes {"id": number}`), nil
	}
	id := *arg.ID
	if g.host.pending[id] != nil {
		g.host.remove(id)
		if g.host.giveUp != nil {
			g.host.giveUp(id)
		}
	}
	g.sleeps.remove(id)
	return abi.Reply(true, []byte("null")), nil
}

// errSuspend ends the driving of a guest that waits for what the host does not have.
var errSuspend = errors.New("engine: the guest waits for an answer from outside")

// awaitHost waits for the reply to a call, any if id is 0. It returns a reply without number if timeout
// comes first, or if a call turns out to be answered later, and errSuspend once suspend is closed.
func (g *guest) awaitHost(id uint32, timeout <-chan time.Time, suspend <-chan struct{}) (hostReply, error) {
	for {
		if r, ok := g.host.take(id); ok {
			return r, nil
		}
		if g.host.owed == 0 {
			return hostReply{}, nil
		}
		begin := time.Now()
		var limit *time.Timer
		var expired <-chan time.Time
		if g.host.charged > 0 {
			limit = time.NewTimer(g.host.left)
			expired = limit.C
		}
		var err error
		timedOut := false
		select {
		case <-g.host.arrived:
		case <-timeout:
			timedOut = true
		case <-expired:
			err = &LimitError{Limit: limitHostTime, Max: int64(g.limits.HostTime)}
		case <-g.ctx.Done():
			err = interrupted(g.ctx)
		case <-g.engine.closed:
			err = ErrClosed
		case <-suspend:
			err = errSuspend
		}
		if limit != nil {
			limit.Stop()
			g.host.left -= time.Since(begin)
		}
		if err != nil || timedOut {
			return hostReply{}, err
		}
	}
}

// settle waits until a host call can be settled, a sleep or another, and returns its number and reply.
// The error is errSuspend if the guest may be suspended and waits only for answers from
// outside, or for a time that lies beyond its limit.
//
// With a fixed environment time passes only if nothing else can, and replies are taken in the
// order of the calls, so that equal functions make equal runs.
func (g *guest) settle() (id uint32, reply []byte, err error) {
	for g.host.owed > 0 {
		if g.fixed != nil {
			r, err := g.awaitHost(g.host.first(), nil, g.suspend)
			if err != nil || r.data != nil {
				return r.id, r.data, err
			}
			continue
		}
		var due <-chan time.Time
		if len(g.sleeps) > 0 {
			timer := time.NewTimer(time.Duration(g.sleeps[0].due - g.Clock(false)))
			defer timer.Stop()
			due = timer.C
		}
		r, err := g.awaitHost(0, due, g.suspend)
		if err != nil || r.data != nil {
			return r.id, r.data, err
		}
		if len(g.sleeps) > 0 && g.sleeps[0].due <= g.Clock(false) {
			break
		}
	}
	if g.session && g.mustSuspend() {
		return 0, nil, errSuspend
	}
	id, err = g.settleSleep()
	return id, nullReply, err
}

// mustSuspend reports whether a guest for which the host can do nothing now is to be
// suspended rather than to sleep.
func (g *guest) mustSuspend() bool {
	if len(g.sleeps) == 0 {
		return true
	}
	wait := g.sleeps[0].due - g.Clock(false)
	switch {
	case wait <= 0:
		return false
	case len(g.host.pending) > 0: // for answers from outside
		// A fixed clock moves on only if the host has come back without one.
		jump := g.jump
		g.jump = false
		return g.fixed == nil || !jump
	}
	return g.fixed == nil && time.Duration(wait) > g.left
}

// exhausted returns the error of a call that has nothing left of a limit, which it may not have noticed.
func (g *guest) exhausted() error {
	switch {
	case g.left <= 0:
		return g.outOfTime()
	case g.host.left <= 0:
		return &LimitError{Limit: limitHostTime, Max: int64(g.limits.HostTime)}
	case g.fuel <= 0:
		return &LimitError{Limit: limitFuel, Max: g.limits.Fuel}
	}
	return nil
}

var nullReply = abi.Reply(true, []byte("null"))

// pendingCalls returns the calls that were not settled, in the order in which they were made,
// and with them the replies that have come and were not taken.
func (w *hostWaits) pendingCalls() []pendingState {
	w.mu.Lock()
	defer w.mu.Unlock()
	replies := make(map[uint32][]byte, len(w.replies))
	for _, r := range w.replies {
		if r.data != nil {
			replies[r.id] = r.data
		} else if p := w.pending[r.id]; p != nil {
			p.said = true
		}
	}
	list := make([]pendingState, 0, len(w.pending))
	for _, id := range slices.SortedFunc(maps.Keys(w.pending), cmp.Compare[uint32]) {
		p := w.pending[id]
		list = append(list, pendingState{ID: id, Name: p.name, Frame: p.frame, Later: p.said, Reply: replies[id]})
	}
	return list
}
