package engine

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"runtime/debug"
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
	maxRunning = 128
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
	Err      error         // nil if the function returned a result, [hostfuncs.ErrLater] if that comes later; see [hostfuncs.ForGuest] for what the guest learns
}

// A dispatcher makes the host calls of one call of a component, in the process of the
// embedder. It is safe for concurrent use.
type dispatcher struct {
	grants hostfuncs.Set
	emit   *hostfuncs.Func // what spore.emit is; nil: nothing
	ctx    context.Context
	cancel context.CancelFunc
	caller hostfuncs.Caller // but for the number
	audit  func(HostCall)
	tracer Tracer // may be nil
	op     *Op    // for it: the component's call
	log    *slog.Logger
	keys   func(id uint32) string // idempotency keys of the calls; nil: they have none
	later  bool                   // whether a function may answer later
	own    *hostfuncs.Handles     // the table of handles, if it ends with the call
	block  *blocked               // where to say what the guest is blocked by; nil: nowhere

	mu      sync.Mutex
	running int                           // of maxRunning; guarded by mu
	waiting []func()                      // start the calls that wait, in their order; guarded by mu
	made    map[string]int64              // calls of functions with a bound; guarded by mu
	used    map[string]int64              // bytes of arguments and results of functions with such a bound; guarded by mu
	bytes   int64                         // of arguments; guarded by mu
	causes  map[uint32]error              // of calls that failed; guarded by mu
	cancels map[uint32]context.CancelFunc // of calls that run; guarded by mu
}

// newDispatcher returns the dispatcher of a call, which must be closed.
func (e *Engine) newDispatcher(k *call, component string) *dispatcher {
	d := &dispatcher{grants: k.grants, emit: k.emit, audit: k.audit, log: e.cfg.Log,
		caller: hostfuncs.Caller{Tenant: k.tenant, Component: component}, tracer: e.cfg.Tracer, op: k.op, made: map[string]int64{}, used: map[string]int64{}, causes: map[uint32]error{},
		cancels: map[uint32]context.CancelFunc{}}
	handles := k.handles
	if handles == nil {
		d.own = &hostfuncs.Handles{}
		handles = d.own
	}
	d.ctx, d.cancel = context.WithCancel(hostfuncs.WithHandles(k.ctx, handles))
	if s := k.session; s != nil {
		d.keys, d.later, d.block = s.key, true, s.blocked
		if c := s.from.Call; c != nil {
			maps.Copy(d.made, c.Made)
			maps.Copy(d.used, c.Used)
		}
	}
	return d
}

// close ends the contexts of functions that still run, and does not wait for
// them. What they return is lost. It closes what a render holds.
func (d *dispatcher) close() {
	d.cancel()
	d.mu.Lock()
	waiting := d.waiting
	d.waiting = nil
	d.mu.Unlock()
	for _, run := range waiting {
		run() // it ends at once
	}
	if d.own == nil {
		return
	}
	if err := d.own.Close(); err != nil {
		d.log.Warn("spore: closing what a component held", slog.Any("error", err))
	}
}

// start makes a call, whose frame belongs to d from now on. If it is answered at once, it
// returns the reply, nil if that comes from outside, later; otherwise deliver gets it, once,
// and calls release when it has made use of it. Once d is closed it may get none.
//
// A blocking call does not wait for others: their replies are not taken before it ends.
func (d *dispatcher) start(id uint32, blocking bool, name string, frame []byte, deliver func(id uint32, reply []byte, release func())) (reply []byte, answered bool) {
	at := time.Now()
	f, arg, err := d.admit(name, frame)
	// A name that a guest made up is not told: it would be a label of its own in every metric.
	ctx, begin := d.begin(at, id, f.Name)
	if err != nil {
		return d.reply(id, name, begin, int64(len(frame)), hostfuncs.Value{}, err), true
	}
	if f.Quick {
		return d.call(ctx, id, blocking, f, arg, begin, int64(len(frame))), true
	}
	ctx, cancel := context.WithCancel(ctx)
	run := func(release func()) {
		defer d.giveUp(id)
		if ctx.Err() != nil { // given up while it waited
			d.mu.Lock()
			d.bytes -= int64(len(frame))
			d.mu.Unlock()
			d.guarded("tracer", func() { begin.end(Outcome{Err: ctx.Err()}) })
			release()
			return
		}
		reply := d.call(ctx, id, blocking, f, arg, begin, int64(len(frame)))
		if blocking {
			d.blocked(nil) // before the guest can make another such call
		}
		if ctx.Err() != nil {
			release()
			return
		}
		deliver(id, reply, release)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cancels[id] = cancel
	switch {
	case blocking:
		d.blocked(&f.Name)
		go run(nothing)
	case d.running < maxRunning:
		d.running++
		go run(d.next)
	default:
		// A guest with a fixed environment takes replies in the order of its calls, so that
		// the first of them must never wait for others.
		d.waiting = append(d.waiting, func() { run(d.next) })
	}
	return nil, false
}

// next gives the place of a call whose result was taken to the one that waits for longest.
func (d *dispatcher) next() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiting) == 0 {
		d.running--
		return
	}
	go d.waiting[0]()
	d.waiting[0] = nil
	d.waiting = d.waiting[1:]
}

func nothing() {}

// blocked says in which function the guest is blocked, nil if it is in none.
func (d *dispatcher) blocked(function *string) {
	if d.block != nil {
		d.block.Store(function)
	}
}

// A begun is the beginning of a host call.
type begun struct {
	time.Time
	end func(Outcome) // tells the tracer
}

// begin tells the tracer of a call, whose context it returns.
func (d *dispatcher) begin(at time.Time, id uint32, name string) (context.Context, begun) {
	if d.tracer == nil {
		return d.ctx, begun{at, untraced}
	}
	op := *d.op
	op.Kind, op.Name, op.Number = OpHostCall, name, id
	if d.keys != nil {
		op.Key = d.keys(id)
	}
	ctx, end := d.tracer.Begin(d.ctx, op)
	return ctx, begun{at, end}
}

// giveUp ends the context of a call whose reply nobody waits for.
func (d *dispatcher) giveUp(id uint32) {
	d.mu.Lock()
	cancel := d.cancels[id]
	delete(d.cancels, id)
	d.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// call calls a function that was admitted and returns the reply, nil if that is to come
// from outside.
func (d *dispatcher) call(ctx context.Context, id uint32, blocking bool, f hostfuncs.Func, arg hostfuncs.Value, begin begun, argument int64) []byte {
	caller := d.caller
	caller.Number = id
	if d.keys != nil {
		caller.Key = d.keys(id)
	}
	v, err := f.Call(hostfuncs.WithCaller(ctx, caller), arg)
	d.mu.Lock()
	d.bytes -= argument
	if err == nil {
		err = d.charge(f, v)
	}
	d.mu.Unlock()
	switch {
	case err == nil:
		err = checkValue(v)
	case errors.Is(err, hostfuncs.ErrLater) && d.later && !blocking:
		d.observe(id, f.Name, begin, argument, 0, err)
		return nil
	case errors.Is(err, hostfuncs.ErrLater):
		err = hostfuncs.Errorf(hostfuncs.CodeCannotWait, "%s is answered later, and this call cannot wait for it", f.Name)
	}
	return d.reply(id, f.Name, begin, argument, v, err)
}

// maxFrame is the length of the longest frame that a function takes.
func (d *dispatcher) maxFrame() int64 {
	var most int64
	if d.emit != nil {
		most = d.emit.MaxArg
	}
	for f := range d.grants.All() {
		most = max(most, f.MaxArg, hostfuncs.DefaultMaxArg)
	}
	return min(most+frameSlack, maxArgBytes)
}

// admit finds out whether a call may be made.
func (d *dispatcher) admit(name string, frame []byte) (f hostfuncs.Func, arg hostfuncs.Value, err error) {
	f, ok := d.grants.Lookup(name)
	if name == abi.EmitCall && d.emit != nil {
		f, ok = *d.emit, true
	}
	if !ok {
		return f, arg, hostfuncs.Errorf(hostfuncs.CodeNotGranted, "host function %q is not granted", name[:min(len(name), maxCallName)])
	}
	text, buffers, err := abi.ParseFrame(frame)
	if err == nil {
		err = checkJSON(text, buffers)
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
	arg = hostfuncs.Value{JSON: text, Buffers: buffers}
	if err := d.charge(f, arg); err != nil {
		return f, arg, err
	}
	if f.MaxCalls > 0 {
		d.made[name]++
	}
	d.bytes += int64(len(frame))
	return f, arg, nil
}

// charge counts an argument or a result, unless it is more than f may still take and
// return. d.mu is held.
func (d *dispatcher) charge(f hostfuncs.Func, v hostfuncs.Value) error {
	if f.MaxBytes <= 0 {
		return nil
	}
	if d.used[f.Name]+v.Size() > f.MaxBytes {
		return hostfuncs.Errorf(hostfuncs.CodeQuota, "%s may take and return %d bytes", f.Name, f.MaxBytes)
	}
	d.used[f.Name] += v.Size()
	return nil
}

// checkJSON makes sure that the text of a frame, if there is one, is JSON that fits its buffers.
func checkJSON(text []byte, buffers [][]byte) error {
	switch {
	case len(text) == 0:
		return nil
	case !json.Valid(text) || !utf8.Valid(text):
		return errors.New("it is not JSON")
	}
	return abi.CheckBuffers(text, len(buffers))
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
func (d *dispatcher) reply(id uint32, name string, begin begun, argument int64, v hostfuncs.Value, err error) []byte {
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
	d.observe(id, name, begin, argument, int64(len(b)), err)
	return b
}

func (d *dispatcher) observe(id uint32, name string, begin begun, argument, result int64, err error) {
	d.guarded("tracer", func() { begin.end(Outcome{Err: err, Usage: Usage{Output: result}}) })
	if d.audit == nil {
		return
	}
	c := HostCall{Caller: d.caller, Func: name, Argument: argument, Result: result, Duration: time.Since(begin.Time), Err: err}
	c.Number = id
	if d.keys != nil {
		c.Key = d.keys(id)
	}
	d.guarded("audit", func() { d.audit(c) })
}

// guarded calls what the embedder has given to watch host calls. It is called on the goroutine of a call,
// where a panic would end the program.
func (d *dispatcher) guarded(what string, watch func()) {
	defer func() {
		if p := recover(); p != nil {
			d.log.Error("spore: "+what+" panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		}
	}()
	watch()
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

// budgets are what was used of the bounds of functions during one call of a component.
type budgets struct {
	Made map[string]int64 `json:"made,omitempty"` // calls
	Used map[string]int64 `json:"used,omitempty"` // bytes of arguments and results
}

// spent returns what was used of the bounds of functions.
func (d *dispatcher) spent() (b budgets) {
	if d == nil {
		return b
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.made) > 0 {
		b.Made = maps.Clone(d.made)
	}
	if len(d.used) > 0 {
		b.Used = maps.Clone(d.used)
	}
	return b
}
