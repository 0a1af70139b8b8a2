package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/hostfuncs"
)

// An Instance is a component that keeps its state from call to call: variables, the
// interpreter's heap, coroutines that wait.
//
// A call is a transaction on that state. If it ends with a result, or with an exception of
// the component, what it did to the state stays. If it is ended from outside, by a limit, by its context, by
// Close or by an error of the machine, the instance is as it was before the call: whatever a component
// does, the next call finds a sound instance. What host functions did meanwhile is done: [hostfuncs.Caller] has a
// key by which the outside knows a call again that is resumed or retried. When a call was taken back, calls made in its place have
// other keys, as they may be other calls; what must not happen twice even then needs a key in its argument.
//
// Between calls an instance has no thread, no process, no mapping and no place among
// Config.Guests: it is what its memory differs in from the component's image, some kilobytes
// for a small one. See [Config.Parking].
//
// One goroutine at a time may use an instance; a method that finds another at work
// returns [ErrBusy] and changes nothing. Close, Suspend, Pending and ID may be called at any
// time.
type Instance struct {
	// There may be millions of these, so pointers come first and no room is lost between the others.
	block     *block
	opt       atomic.Pointer[Options] // nil once it is closed
	handles   *hostfuncs.Handles      // what it holds; nil: nothing; guarded by busy
	work      *working                // the method that is at work; guarded by mu
	id        [16]byte
	epoch     uint32 // how many calls were taken back; guarded by busy
	slot      uint8  // which of block's it is
	mu        sync.Mutex
	state     parked // guarded by mu
	fresh     bool   // the next start gets new randomness, whatever the state says; guarded by busy
	suspended bool   // a call is in progress and waits for answers; guarded by mu
	closed    bool   // guarded by mu
}

// A working is a method of an instance at work.
type working struct {
	cancel  context.CancelCauseFunc
	suspend chan struct{} // closed when the instance is to be suspended
	done    chan struct{} // closed when the method is over
	blocked blocked       // its guest, in a host function
}

// busy is why another method cannot be at work.
func (w *working) busy() error {
	if function := w.blocked.Load(); function != nil {
		return fmt.Errorf("%w, in a blocking call of %s, where it cannot be suspended", ErrBusy, *function)
	}
	return ErrBusy
}

// blocked has the name of the function that a guest has called in the blocking form, while it waits.
type blocked = atomic.Pointer[string]

// Open returns a new instance of c. Nil options grant nothing. The instance keeps opt,
// which must not be changed afterwards; instances may share it.
//
// It costs some hundred bytes until the first call. The caller closes it; closing the engine does
// so too. The error is [ErrClosed], [ErrConfig], or a [*LimitError] naming Instances.
func (c *Component) Open(ctx context.Context, opt *Options) (*Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in, err := c.newInstance(opt)
	if err != nil {
		return nil, err
	}
	rand.Read(in.id[:]) // never fails
	_, end := in.trace(ctx, OpOpen)
	err = c.engine.instances.add(in)
	end(Outcome{Err: err, Instance: in})
	if err != nil {
		return nil, err
	}
	return in, nil
}

// noOptions are those of all instances that were given none.
var noOptions Options

// newInstance returns an instance without an ID that is not registered.
func (c *Component) newInstance(opt *Options) (*Instance, error) {
	if c.closed.Load() || c.engine.closing.Load() {
		return nil, ErrClosed
	}
	if opt == nil {
		opt = &noOptions
	}
	limits := opt.Limits
	if problems := limits.lower(c.engine.cfg.Limits); len(problems) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrConfig, strings.Join(problems, "; "))
	}
	if opt.Fixed != nil {
		if _, err := opt.Fixed.now(); err != nil {
			return nil, err
		}
	}
	return c.newSlot(opt), nil
}

// ID identifies the instance, also after it was resumed elsewhere.
func (in *Instance) ID() string { return hex.EncodeToString(in.id[:]) }

// Component returns what the instance is one of.
func (in *Instance) Component() *Component { return in.block.component }

// options are those of an instance that is not closed, or a call of which is not over.
func (in *Instance) options() *Options {
	if opt := in.opt.Load(); opt != nil {
		return opt
	}
	return &noOptions
}

// begin makes the calling method the one at work, with a context that ends when the
// instance is closed. end is its reverse.
func (in *Instance) begin(ctx context.Context) (context.Context, *working, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.closed:
		return nil, nil, ErrClosed
	case in.work != nil:
		return nil, nil, in.work.busy()
	}
	w := &working{suspend: make(chan struct{}), done: make(chan struct{})}
	ctx, w.cancel = context.WithCancelCause(ctx)
	in.work = w
	return ctx, w, nil
}

func (in *Instance) end(w *working) {
	w.cancel(nil)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.work = nil
	close(w.done)
}

// Call calls a function of the component with arg, any value that [encoding/json]
// accepts; nil is an empty object. It returns when the function has returned, and all host
// functions that it started have too.
//
// If the function waits for answers that only come from outside ([hostfuncs.ErrLater]), or sleeps for longer than
// it may, the error is [ErrSuspended]: the call is still in progress, and [Instance.Answer] and
// [Instance.Continue] go on with it. Other errors are those of [Component.Render].
func (in *Instance) Call(ctx context.Context, function string, arg any) (*Result, error) {
	return in.call(ctx, &call{function: function, kind: OpCall}, arg)
}

// call makes a call of which k has what differs from the instance's options.
func (in *Instance) call(ctx context.Context, k *call, arg any) (*Result, error) {
	if strings.HasPrefix(k.function, "spore.") && k.function != abi.ExecFunction {
		return nil, fmt.Errorf("%w: functions with names like %q are reserved", ErrConfig, k.function)
	}
	var err error
	if k.arg, err = encode(arg); err != nil {
		return nil, fmt.Errorf("engine: argument of %s: %w", k.function, err)
	}
	ctx, w, err := in.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer in.end(w)
	if in.suspended {
		return nil, ErrSuspended
	}
	return in.run(ctx, w, k, false)
}

// Continue goes on with the call in progress, if an answer has been given or a sleep has
// come due, and returns what Call would have. It returns [ErrSuspended] again if the call waits
// once more. With a Fixed environment the clock jumps to the next sleep if there is no answer.
//
// If no call is in progress, it lets background work of the component go on that can, and
// returns an empty result.
func (in *Instance) Continue(ctx context.Context) (*Result, error) {
	ctx, w, err := in.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer in.end(w)
	return in.run(ctx, w, &call{kind: OpContinue}, true)
}

// run makes a call as the method at work.
func (in *Instance) run(ctx context.Context, w *working, k *call, goOn bool) (*Result, error) {
	c := in.Component()
	if err := c.engine.enter(); err != nil {
		return nil, err
	}
	defer c.engine.leave()
	k.ctx = ctx
	k.fill(in.options(), c)
	k.session = &session{instance: in, keys: fmt.Sprintf("%s.%d", in.ID(), in.epoch), goOn: goOn, suspend: w.suspend, blocked: &w.blocked}
	return c.counted(k, func() (*Result, error) { return in.transact(k) })
}

// transact makes a call and keeps the state that it leaves, if it leaves one.
func (in *Instance) transact(k *call) (_ *Result, err error) {
	c, s := in.Component(), k.session
	if s.from, s.lines, err = in.load(k.ctx); err != nil {
		return nil, err
	}
	s.from.fresh = s.from.fresh || in.fresh
	mark := in.hold(k)
	kept := false
	defer func() { // also if what the embedder gave the call panics: a console, a tracer
		if !kept {
			in.takeBack(mark)
		}
		in.letGo()
	}()
	r, err := c.do(k)
	err = closedFirst(k.ctx, err)
	if s.next == nil || !survives(err) {
		return nil, err
	}
	next, perr := c.engine.parking.park(s.next)
	if perr != nil {
		return nil, perr
	}
	kept = true
	in.fresh = false
	in.mu.Lock()
	old := in.state
	in.state, in.suspended = next, s.suspended
	in.mu.Unlock()
	c.engine.parking.free(old)
	if err == nil && s.suspended {
		err = ErrSuspended
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// takeBack notes that a call has not been. Numbers of host calls and random values that the
// guest drew may be known outside, and must not come again. mark is from hold.
func (in *Instance) takeBack(mark hostfuncs.Handle) {
	in.epoch++
	in.fresh = true
	if in.handles != nil {
		in.handles.CloseAfter(mark)
	}
}

// hold gives a call a table of handles. What it gets there is above the mark.
func (in *Instance) hold(k *call) (mark hostfuncs.Handle) {
	if !k.capable() {
		return 0
	}
	if in.handles == nil {
		in.handles = &hostfuncs.Handles{}
	}
	k.handles = in.handles
	return in.handles.Last()
}

// letGo gives up the table of handles if nothing is in it: most instances never hold anything.
func (in *Instance) letGo() {
	if in.handles != nil && in.handles.Len() == 0 {
		in.handles.Close() // so that a function that comes too late does not fill it
		in.handles = nil
	}
}

// capturable returns why the instance cannot be captured, if it cannot.
func (in *Instance) capturable() error {
	if in.handles != nil {
		if n := in.handles.Len(); n > 0 {
			return fmt.Errorf("%w: %d of them", ErrHolds, n)
		}
	}
	return nil
}

// closedFirst returns ErrClosed instead of an error that a method of an instance ended with because the
// instance was closed.
func closedFirst(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), ErrClosed) {
		return ErrClosed
	}
	return err
}

// load returns what the instance is, to the method at work.
func (in *Instance) load(ctx context.Context) (*state, []byte, error) {
	st, lines, err := in.Component().engine.parking.load(ctx, in.state)
	return st, lines, closedFirst(ctx, err)
}

// look returns what the instance is while another method may be at work. The caller frees at, which
// until then no other state is.
func (in *Instance) look(ctx context.Context) (at parked, st *state, lines []byte, err error) {
	p := in.Component().engine.parking
	in.mu.Lock()
	if in.closed {
		in.mu.Unlock()
		return at, nil, nil, ErrClosed
	}
	at = p.share(in.state)
	in.mu.Unlock()
	if st, lines, err = p.load(ctx, at); err != nil {
		p.free(at)
	}
	return at, st, lines, err
}

// Suspend makes the call that is at work, if there is one, return [ErrSuspended] as soon
// as its guest waits for something. One that waits in a blocking host call goes on until it awaits something: it has a native stack,
// which cannot be captured. The errors of other methods, [ErrBusy], name the function meanwhile. The contexts of host functions that are under way then end, and their calls stay
// pending: whether they are made again is for [Instance.Pending] and [Instance.Retry] to decide.
func (in *Instance) Suspend() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if w := in.work; w != nil {
		select {
		case <-w.suspend:
		default:
			close(w.suspend)
		}
	}
}

// Fork returns a new instance in the state of in, with the same options. The two share what neither
// has changed, and know nothing of each other: the new one has an ID and randomness of its own, unless
// the environment is Fixed. Calls that are pending have to be answered in both, and keep their keys.
func (in *Instance) Fork(ctx context.Context) (*Instance, error) {
	ctx, w, err := in.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer in.end(w)
	if err := first(ctx.Err(), in.capturable()); err != nil {
		return nil, err
	}
	c := in.Component()
	if c.engine.closing.Load() {
		return nil, ErrClosed
	}
	child := c.newSlot(in.options())
	child.fresh, child.suspended = true, in.suspended
	rand.Read(child.id[:])
	_, end := in.trace(ctx, OpFork)
	child.state = c.engine.parking.share(in.state)
	if err = c.engine.instances.add(child); err != nil {
		c.engine.parking.free(child.state)
		child = nil
	}
	end(Outcome{Err: err, Instance: child})
	return child, err
}

// Park moves the state of the instance as far away as [Parking] allows, at once: it is compressed, and put into the
// store if there is one. The next call brings it back. Instances that are idle come there by themselves.
func (in *Instance) Park(ctx context.Context) error {
	ctx, w, err := in.begin(ctx)
	if err != nil {
		return err
	}
	defer in.end(w)
	if err := ctx.Err(); err != nil || !in.state.some() {
		return err
	}
	ctx, end := in.trace(ctx, OpPark)
	p := in.Component().engine.parking
	p.pack(in.state.number)
	if p.cfg.Store != nil {
		err = closedFirst(ctx, p.put(ctx, in.state.number))
	}
	end(Outcome{Err: err})
	return err
}

// Close ends the instance and what it has in progress, for which it waits, so that it must not be called
// from within a call of the instance (a host function, a console). It is idempotent.
func (in *Instance) Close() error {
	in.mu.Lock()
	w := in.work
	if !in.closed {
		in.closed = true
		in.Component().engine.instances.remove(in)
	}
	if w != nil {
		w.cancel(ErrClosed)
	}
	in.mu.Unlock()
	if w != nil {
		<-w.done
	}
	in.mu.Lock()
	in.Component().engine.parking.free(in.state)
	in.state = parked{}
	handles := in.handles
	// Others in its block, or whoever has it, must not keep what belongs to the embedder.
	in.opt.Store(nil)
	in.handles = nil
	in.mu.Unlock() // what is closed now may ask for the ID, or what is pending
	if handles == nil {
		return nil
	}
	return handles.Close()
}
