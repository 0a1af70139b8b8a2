package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
)

// Options say what one call may do. The zero value, like a nil pointer, grants
// nothing.
type Options struct {
	// Limits may lower the engine's limits, never raise them.
	Limits Limits

	// Tenant says for whom the call is made; empty means the tenant of the
	// component's source. Where calls have to wait, for room or for a worker,
	// the tenant with the fewest calls in progress goes first, so that no
	// tenant can keep the others waiting. The names are the embedder's own.
	Tenant string

	// Grants are the functions of the host that the component may call: it is all that
	// it can do beside computing. It matters to this call only.
	Grants hostfuncs.Set

	// Audit, if not nil, sees every finished call of a host function, refused ones
	// included, on the goroutine that made it: it must be safe for concurrent use, and
	// the guest waits for it. A panic of it is logged, and changes nothing for the guest.
	Audit func(HostCall)

	// Console receives what the guest prints. Nil discards it. Output is
	// untrusted: it is passed as an attribute, never as a format.
	Console *slog.Logger

	// Fixed, if not nil, replaces clock and randomness, for tests and replay.
	// Otherwise every render gets randomness of its own.
	Fixed *Fixed
}

// Fixed is a reproducible environment. Its clock stands still, except that
// sleeping moves it on, at no cost in real time.
type Fixed struct {
	Now  time.Time // between 1970 and 2200; zero means 2026-01-01, as while compiling
	Seed uint64
}

// now returns the time at which the clock of f stands.
func (f *Fixed) now() (time.Time, error) {
	now := f.Now
	if now.IsZero() {
		now = bootTime
	}
	if y := now.UTC().Year(); y < 1970 || y > 2200 {
		return now, fmt.Errorf("%w: Fixed.Now is %v", ErrConfig, now)
	}
	return now, nil
}

// A Result is what a call returned and what it cost.
type Result struct {
	Buffers [][]byte // binary values, to which the JSON refers as {"$bytes": i}
	Usage   Usage

	isText bool
	data   []byte
}

// Text returns the value if it is a string, such as HTML, and else its JSON.
func (r *Result) Text() string { return string(r.data) }

// JSON returns the value as JSON: a string if the component returned text,
// null if it returned nothing.
func (r *Result) JSON() json.RawMessage {
	if !r.isText {
		return r.data
	}
	b, _ := json.Marshal(string(r.data)) // strings always marshal
	return b
}

// Decode stores the value in v, as [json.Unmarshal] does.
func (r *Result) Decode(v any) error { return json.Unmarshal(r.JSON(), v) }

// Usage is what a call cost.
type Usage struct {
	Start  time.Duration // from encoded props to a guest that can run, waiting for a worker included
	Guest  time.Duration // time of the guest, sleeps included
	Host   time.Duration // time that it waited for host functions
	Memory int64         // bytes of guest memory after the call
	Output int64         // bytes of the result, and of parts before it
	Fuel   int64         // work of the guest, in the unit of Limits.Fuel

	HostCalls int64 // that the guest has made, sleeps included
	State     int64 // bytes of the instance's state after the call, before compression; 0 if there is no instance
}

// Render calls the component's render function with props, any value that
// [encoding/json] accepts, in a guest of its own that starts from the
// component's image and is gone when Render returns. Nil props are an empty
// object.
//
// Nothing that a guest does outlives its render. An error of the component is a
// [*GuestError], a limit that it ran into a [*LimitError]. If ctx ends, the
// guest is stopped and the error wraps ctx.Err().
func (c *Component) Render(ctx context.Context, props any, opt *Options) (*Result, error) {
	if err := c.engine.enter(); err != nil {
		return nil, err
	}
	defer c.engine.leave()
	if opt == nil {
		opt = &Options{}
	}
	k := &call{ctx: ctx, function: "render", kind: OpRender}
	k.fill(opt, c)
	return c.counted(k, func() (_ *Result, err error) {
		if k.arg, err = encode(props); err != nil {
			return nil, fmt.Errorf("engine: props: %w", err)
		}
		return c.do(k)
	})
}

// fill sets what a call gets from its options.
func (k *call) fill(opt *Options, c *Component) {
	k.limits, k.fixed, k.audit = opt.Limits, opt.Fixed, opt.Audit
	k.tenant = cmp.Or(opt.Tenant, c.tenant)
	k.console = cmp.Or(k.console, opt.Console)
	k.grants = opt.Grants
}

// do makes a call that is complete but for its limits, which may be zero.
func (c *Component) do(k *call) (_ *Result, err error) {
	if problems := k.limits.lower(c.engine.cfg.Limits); len(problems) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrConfig, strings.Join(problems, "; "))
	}
	if k.fixed != nil {
		if _, err := k.fixed.now(); err != nil {
			return nil, err
		}
	}
	if k.session != nil {
		k.session.maxBytes = k.limits.State
	}
	begin := time.Now()
	if err := c.engine.admit(k.ctx, k.tenant, k.limits.Memory); err != nil {
		return nil, err
	}
	admitted := time.Since(begin)
	var a answer
	if c.engine.cfg.Isolation == Subprocess {
		a, err = c.there(k)
	} else {
		a, err = c.here(k)
	}
	a.usage.Start += admitted
	a.usage.Output += min(k.emitted.Load(), k.limits.Output)
	if k.session != nil {
		a.usage.State = int64(len(k.session.next))
	}
	k.spent = a.usage.since(k.before())
	if err != nil {
		return nil, err
	}
	r := &Result{}
	if a.status != abi.StatusPending {
		if r, err = k.result(a.status, a.data); err != nil {
			return nil, err
		}
	}
	r.Usage = a.usage
	return r, nil
}

// A call is a call of a component's function.
type call struct {
	ctx      context.Context
	function string
	arg      []byte // JSON
	limits   Limits
	fixed    *Fixed
	console  *slog.Logger
	tenant   string
	grants   hostfuncs.Set
	modules  []runtimes.Module // that a cell can import, in a worker process; nil: those of grants
	emit     *hostfuncs.Func   // what spore.emit is; nil: nothing
	audit    func(HostCall)

	session *session           // of an instance; nil: a render
	handles *hostfuncs.Handles // of an instance
	onHold  *func(waits bool)
	emitted atomic.Int64 // bytes of the parts of a stream

	kind  OpKind
	op    *Op   // what the tracer is told; nil if there is none
	spent Usage // what the call has used; of one that goes on, what it has used since

	// start, in a worker process, passes host calls on to the parent.
	start func(w *hostWaits) (start startCall, giveUp func(id uint32))
}

// capable reports whether there are host functions that the guest may call.
func (k *call) capable() bool { return k.grants.Len() > 0 || k.emit != nil }

// An answer is what the guest returned, text or a frame of the guest ABI, not
// yet checked.
type answer struct {
	status abi.Status
	data   []byte
	usage  Usage
}

// here makes the call in this process and dismisses it. Who has a result waits until
// the memory is reset, which takes microseconds. After a failure it may take
// milliseconds, for a guest that wrote to all the memory it could get, and the
// caller does not wait: it has waited for the limit.
func (c *Component) here(k *call) (a answer, err error) {
	e := c.engine
	var finish func() error
	ended := false
	defer func() {
		if ended {
			return
		}
		// What the embedder gave the call panicked: a console, say.
		defer e.dismiss(k.tenant, k.limits.Memory)
		if finish != nil {
			finish() // what goes wrong is in the log
		}
	}()
	a, err = c.local(k, &finish)
	ended = true
	if finish == nil || err == nil || e.cfg.VerifyReset {
		if finish != nil {
			err = first(finish(), err)
		}
		e.dismiss(k.tenant, k.limits.Memory)
		return a, err
	}
	e.stay()
	go func() {
		defer e.leave()
		defer e.dismiss(k.tenant, k.limits.Memory)
		finish() // what goes wrong is in the log
	}()
	return a, err
}

// there makes the call in a worker process and dismisses it.
func (c *Component) there(k *call) (answer, error) {
	defer c.engine.dismiss(k.tenant, k.limits.Memory) // also if what the embedder gave the call panics
	return c.remote(k)
}

// first joins two errors of which any may be nil.
func first(a, b error) error {
	if a == nil {
		return b
	}
	return also(a, b)
}

// local makes the call in this process. The caller calls finish, if it has been set, to
// reset and give back the guest's memory.
func (c *Component) local(k *call, finish *func() error) (_ answer, err error) {
	begin := time.Now()
	lease := &lease{language: c.language, prepared: c.prepared, tenant: k.tenant}
	if err := lease.acquire(k.ctx); err != nil {
		return answer{}, err
	}
	defer func() { err = also(err, lease.release()) }()
	mem, img, err := c.engine.images.acquire(c.image)
	if err != nil {
		return answer{}, err
	}
	*finish = func() error {
		err := c.reset(mem)
		return first(err, c.engine.images.release(c.image, mem, err == nil))
	}

	g := c.engine.newGuest(c.prepared, k.limits, limitCallTime)
	g.ctx, g.memory = k.ctx, mem
	if k.fixed != nil {
		now, err := k.fixed.now()
		if err != nil {
			return answer{}, err
		}
		g.fixed = newFixedEnv(now, k.fixed.Seed)
	}
	g.globals = append(make([]uint64, 0, 4), img.globals...)
	g.console.ctx, g.console.log, g.console.name = k.ctx, k.console, c.meta.Name
	var d *dispatcher
	switch {
	case k.start != nil:
		start, giveUp := k.start(&g.host)
		g.host.open(k.limits.HostTime, start, giveUp)
	case k.capable():
		d = c.engine.newDispatcher(k, c.meta.Name)
		defer d.close()
		g.host.open(k.limits.HostTime, func(id uint32, blocking bool, name string, frame []byte) ([]byte, bool, error) {
			reply, answered := d.start(id, blocking, name, bytes.Clone(frame), g.host.push)
			return reply, answered, nil
		}, d.giveUp)
	case k.session != nil:
		g.host.open(k.limits.HostTime, nil, nil)
	}
	positions := c.positions
	if s := k.session; s != nil {
		if err := s.wake(g, mem, img); err != nil {
			return answer{}, err
		}
		if k.function == abi.ExecFunction && !s.goOn {
			if err := c.lowerCell(k); err != nil {
				return answer{}, err
			}
		}
		g.exec = s.calling(k) == abi.ExecFunction
		positions = (&stateRest{Cells: s.cells}).positions(positions)
	}
	start := time.Since(begin)
	status, data, err := k.drive(g, lease)
	g.console.flush()
	usage := Usage{Start: start, Guest: g.used(), Host: g.waited(), Memory: int64(len(mem.Bytes())), Output: int64(len(data)), Fuel: k.limits.Fuel - g.fuel, HostCalls: k.limits.HostCalls - max(g.calls, 0)}
	switch {
	case err == errSuspend && g.exhausted() != nil:
		err = g.exhausted() // it could never go on
	case err == errSuspend:
		status = abi.StatusPending
		err = k.session.keep(g, mem, k.session.calling(k), d.spent())
	case err != nil:
		err = g.failure(err)
	default:
		if status == abi.StatusError {
			err = g.thrown(data, positions)
		}
		if _, ok := errors.AsType[*SourceError](err); ok && k.session != nil {
			k.session.modules = k.session.from.Modules // nothing has run
		}
		if k.session != nil && survives(err) {
			err = first(k.session.keep(g, mem, "", budgets{}), err)
		}
	}
	if d != nil {
		d.explain(err)
	}
	return answer{status, data, usage}, err
}

// drive runs the guest as the call wants it: from the beginning, or on.
func (k *call) drive(g *guest, lease *lease) (abi.Status, []byte, error) {
	s := k.session
	if s != nil && s.goOn {
		if err := s.again(g); err != nil {
			return 0, nil, err
		}
		status, data, err := g.proceed(lease, s.from.Call != nil)
		return g.finish(lease, status, data, err)
	}
	status, data, err := g.call(lease, k.function, abi.AppendFrame(nil, k.arg))
	return g.finish(lease, status, data, err)
}

// survives reports whether a guest is in a known state after a call that ended with err.
func survives(err error) bool {
	if err == nil {
		return true
	}
	if _, ok := errors.AsType[*SourceError](err); ok {
		return true // of a cell
	}
	ge, ok := errors.AsType[*GuestError](err)
	return ok && ge.Kind != KindTrap && ge.Kind != KindExit
}

// also joins a second error to err, and leaves err as it is if there is none.
func also(err, second error) error {
	if second == nil {
		return err
	}
	return errors.Join(err, second)
}

// encode returns props as JSON. Text that is JSON already is not copied.
func encode(props any) ([]byte, error) {
	switch p := props.(type) {
	case nil:
		return []byte("{}"), nil
	case json.RawMessage:
		if json.Valid(p) {
			return p, nil
		}
	}
	return json.Marshal(props)
}

// result checks what a guest returned, which may come from a worker process.
func (k *call) result(status abi.Status, data []byte) (*Result, error) {
	if status == abi.StatusText {
		if !utf8.Valid(data) {
			return nil, abiError(fmt.Errorf("%w: text is not UTF-8", abi.ErrABI))
		}
		return &Result{isText: true, data: data}, nil
	}
	text, buffers, err := abi.ParseFrame(data)
	if err != nil {
		return nil, abiError(err)
	}
	if text == nil {
		text = []byte("null")
	}
	switch {
	case int64(abi.Depth(text)) > k.limits.Depth:
		return nil, &LimitError{Limit: limitDepth, Max: k.limits.Depth}
	case !json.Valid(text) || !utf8.Valid(text):
		return nil, abiError(fmt.Errorf("%w: result is not JSON", abi.ErrABI))
	}
	if err := abi.CheckBuffers(text, len(buffers)); err != nil {
		return nil, abiError(err)
	}
	return &Result{data: text, Buffers: buffers}, nil
}
