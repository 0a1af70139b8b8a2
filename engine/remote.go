package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/engine/internal/wire"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/snapshot"
)

// compileRemote is the part of Compile that runs in a worker process.
func (e *Engine) compileRemote(ctx context.Context, l *language, src Source, modules []runtimes.Module, used *Usage) (*Component, error) {
	if err := e.wait(ctx, l.workers, src.Tenant, oneWorker, "a worker"); err != nil {
		return nil, err
	}
	defer l.workers.Release(src.Tenant, oneWorker)
	p, err := l.processes.acquire(ctx, ownerOf(src.Tenant, src.Tenant))
	if err != nil {
		return nil, err
	}
	defer l.processes.release(p)
	limit := e.cfg.Limits.CompileTime
	x := &exchange{
		id: p.nextID(),
		// The parser and the guest have this time each.
		limit: 2 * limit, limited: &LimitError{Limit: limitCompileTime, Max: int64(limit)},
		max: int(min(2*e.cfg.Limits.Memory, wire.MaxFrame)),
	}
	x.messages = append(p.takeForget(), &wire.Compile{ID: x.id, Name: []byte(src.Name), Code: src.Code, Modules: encodeModules(modules)})
	sent := time.Now()
	m, err := p.do(ctx, x)
	if err != nil {
		used.Guest = time.Since(sent)
		return nil, err
	}
	limits := e.cfg.Limits
	limits.CallTime = limits.CompileTime
	switch m := m.(type) {
	case *wire.Failed:
		if used.decode(m.Usage, limits) != nil {
			return nil, p.unexpected(m)
		}
		err := p.failed(ctx, m)
		if le, ok := errors.AsType[*LimitError](err); ok && le.Limit == limitCompileTime && l.runtime.Lower != nil {
			p.dead = true // its parser may be at it for hours
		}
		return nil, err
	case *wire.Compiled:
		if used.decode(m.Usage, limits) != nil {
			return nil, p.unexpected(m)
		}
		c, err := e.compiled(l, src.Name, m.Snapshot)
		if err != nil {
			p.dead = true
			return nil, &WorkerError{Reason: fmt.Sprintf("%v: %v", wire.ErrProtocol, err)}
		}
		p.uses(c.Digest(), int64(len(m.Snapshot)))
		c.tenant = src.Tenant
		return c, nil
	}
	return nil, p.unexpected(m)
}

// compiled makes a component of what a worker process says that it is.
func (e *Engine) compiled(l *language, name string, encoded []byte) (*Component, error) {
	s, err := snapshot.Read(bytes.NewReader(encoded))
	if err != nil {
		return nil, err
	}
	var meta componentMeta
	if err := json.Unmarshal(s.Meta(), &meta); err != nil {
		return nil, err
	}
	if meta.Language != l.runtime.Language || meta.Name != name {
		return nil, fmt.Errorf("component %q of language %q", meta.Name, meta.Language)
	}
	if err := checkModules(meta.Modules); err != nil {
		return nil, err
	}
	base, globals, err := l.processes.about(context.Background())
	if err != nil {
		return nil, err
	}
	if err := e.checkSnapshot(l, s, base, globals); err != nil {
		return nil, err
	}
	return e.newComponent(l, nil, meta, nil, s, nil), nil
}

// remote makes the call in a worker process.
func (c *Component) remote(k *call) (a answer, err error) {
	if c.closed.Load() {
		return a, ErrClosed
	}
	e, l := c.engine, c.language
	begin := time.Now()
	if err := e.wait(k.ctx, l.workers, k.tenant, oneWorker, "a worker"); err != nil {
		return a, err
	}
	defer l.workers.Release(k.tenant, oneWorker)
	p, err := l.processes.acquire(k.ctx, ownerOf(c.tenant, k.tenant))
	if err != nil {
		return a, err
	}
	defer l.processes.release(p)

	r := &wire.Render{ID: p.nextID(), Digest: c.Digest(), Limits: k.limits.encode(), Console: k.console != nil,
		Function: []byte(k.function), Arg: k.arg}
	if !p.has(r.Digest) {
		var b bytes.Buffer
		if _, err := c.snapshot.WriteRaw(&b); err != nil {
			return a, err
		}
		r.Snapshot = b.Bytes()
		p.uses(r.Digest, int64(b.Len()))
	}
	if k.fixed != nil {
		now, _ := k.fixed.now() // checked before
		r.Fixed, r.Now, r.Seed = true, now.UnixNano(), k.fixed.Seed
	}
	sess := k.session
	if sess != nil {
		r.Session, r.GoOn = true, sess.goOn
		sess.ledger = newLedger(sess.from)
		if r.State, err = sess.encoded(); err != nil {
			return a, err
		}
		if k.function == abi.ExecFunction && !sess.goOn {
			modules, err := c.cellModules(k)
			if err != nil {
				return a, err
			}
			r.Modules = encodeModules(modules)
		}
	}
	x := &exchange{
		id: r.ID, messages: append(p.takeForget(), r),
		limit: k.limits.CallTime, limited: &LimitError{Limit: limitCallTime, Max: int64(k.limits.CallTime)},
		max: int(min(k.limits.Output+maxErrorFrame, wire.MaxFrame)),
	}
	if k.console != nil {
		x.console = remoteConsole(k, c.meta.Name)
	}
	var d *dispatcher
	if k.capable() {
		d = e.newDispatcher(k, c.meta.Name)
		defer d.close()
		r.Grants = d.maxFrame()
		x.limit += k.limits.HostTime
		x.max = max(x.max, int(r.Grants)+maxErrorFrame)
		x.host, x.giveUp = p.remoteCalls(d, sess, r.ID, k.limits.HostCalls), d.giveUp
		x.onHold = k.onHold
	}
	if sess != nil {
		x.max += int(sess.maxBytes) + maxStateRest
		x.suspend = sess.suspend
	}
	started := time.Since(begin)
	m, err := p.do(k.ctx, x)
	if err != nil {
		a.usage = Usage{Start: started, Guest: time.Since(begin) - started}
		return a, err
	}
	switch m := m.(type) {
	case *wire.Failed:
		if a.usage.decode(m.Usage, k.limits) != nil {
			return a, p.unexpected(m)
		}
		if len(r.Snapshot) > 0 {
			// Perhaps the process could not load it.
			p.drop(r.Digest)
			p.forget = append(p.forget, &wire.Forget{Digest: r.Digest})
		}
		err := p.failed(k.ctx, m)
		if d != nil {
			d.explain(err)
		}
		if sess != nil && len(m.State) > 0 && survives(err) {
			if bad := sess.adopt(m.State, budgets{}); bad != nil {
				return a, also(err, p.malformed(bad))
			}
			if sess.suspended {
				return a, p.unexpected(m)
			}
		}
		return a, err
	case *wire.Result:
		a = answer{status: abi.Status(m.Status), data: bytes.Clone(m.Data)}
		if err := a.usage.decode(m.Usage, k.limits); err != nil || (a.status != abi.StatusText && a.status != abi.StatusJSON && (a.status != abi.StatusPending || sess == nil)) {
			return a, p.unexpected(m)
		}
		if sess != nil {
			if err := sess.adopt(m.State, d.spent()); err != nil {
				return a, p.malformed(err)
			}
			if sess.suspended != (a.status == abi.StatusPending) {
				return a, p.unexpected(m)
			}
		}
		if int64(len(a.data)) > k.limits.Output {
			return a, p.unexpected(m)
		}
		a.usage.Start += started
		return a, nil
	}
	return a, p.unexpected(m)
}

// remoteCalls returns what takes the host calls of the request in progress. The worker has
// counted them, unless it was taken over. sess is nil for a render.
func (p *process) remoteCalls(d *dispatcher, sess *session, id uint64, left int64) func(*wire.HostCall) error {
	last, maxFrame := uint64(0), d.maxFrame()
	var book *ledger
	if sess != nil {
		last, book = uint64(sess.from.lastID), sess.ledger
	}
	return func(m *wire.HostCall) error {
		again := book != nil && m.Call <= last && !m.Blocking && book.retried(uint32(m.Call), string(m.Name), m.Frame)
		if left--; left < 0 || m.Call <= last && !again || m.Call > math.MaxUint32 || int64(len(m.Frame)) > maxFrame {
			return fmt.Errorf("%w: host call %d of %d bytes after %d, with %d left", wire.ErrProtocol, m.Call, len(m.Frame), last, left)
		}
		last = max(last, m.Call)
		if book != nil && !m.Blocking {
			book.begin(uint32(m.Call), string(m.Name), m.Frame)
		}
		deliver := func(call uint32, reply []byte, release func()) {
			defer release()
			if book != nil {
				book.answered(call, reply, false)
			}
			// If it fails, so does the exchange. If that is over, the process drops it.
			p.send(&wire.HostReply{ID: id, Call: uint64(call), Reply: reply})
		}
		if reply, answered := d.start(uint32(m.Call), m.Blocking, string(m.Name), bytes.Clone(m.Frame), deliver); answered {
			if book != nil {
				book.answered(uint32(m.Call), reply, true)
			}
			deliver(uint32(m.Call), reply, nothing)
		}
		return nil
	}
}

// takeForget returns what the process is to forget before the next request.
func (p *process) takeForget() []wire.Message {
	f := p.forget
	p.forget = nil
	return f
}

// failed returns the error that the process reports.
func (p *process) failed(ctx context.Context, m *wire.Failed) error {
	var w wireError
	dec := json.NewDecoder(bytes.NewReader(m.Error))
	dec.DisallowUnknownFields()
	err := dec.Decode(&w)
	if err == nil {
		err = w.check()
	}
	if err != nil {
		p.dead = true
		return &WorkerError{Reason: fmt.Sprintf("%v: %v", wire.ErrProtocol, err)}
	}
	if w.Kind == wireReset {
		p.engine.counters.badResets.Add(1)
		p.dead = true
	}
	if w.Kind == wireInterrupted && ctx.Err() != nil {
		return fmt.Errorf("engine: component interrupted: %w", ctx.Err())
	}
	return w.decode()
}

// malformed is the error of an answer whose state is none, or too large.
func (p *process) malformed(err error) error {
	if _, ok := errors.AsType[*LimitError](err); ok {
		return err
	}
	p.dead = true
	return &WorkerError{Reason: fmt.Sprintf("%v: %v", wire.ErrProtocol, err)}
}

// unexpected is the error of an answer that is none.
func (p *process) unexpected(m wire.Message) error {
	p.dead = true
	return &WorkerError{Reason: fmt.Sprintf("%v: an answer of type %T that cannot be", wire.ErrProtocol, m)}
}

// remoteConsole returns what takes the output of a component that runs in a
// worker process, which has kept the limit unless it was taken over.
func remoteConsole(k *call, name string) func(level int64, text []byte) error {
	left := 3 * k.limits.Console // replacing what is not UTF-8 makes text longer
	return func(level int64, text []byte) error {
		if left -= int64(len(text)) + 1; left < -2 {
			return fmt.Errorf("%w: output beyond its limit", wire.ErrProtocol)
		}
		l := min(max(slog.Level(level), slog.LevelDebug), slog.LevelError)
		k.console.LogAttrs(k.ctx, l, "component output",
			slog.String("component", name), slog.String("text", strings.ToValidUTF8(string(text), "\uFFFD")))
		return nil
	}
}

// Kinds of errors that a worker process reports.
const (
	wireSource      = "source"
	wireGuest       = "guest"
	wireLimit       = "limit"
	wireReset       = "reset"
	wireMismatch    = "mismatch"
	wireInterrupted = "interrupted"
	wireOther       = "other"
)

// A wireError is an error as a worker process reports it.
type wireError struct {
	Kind        string                `json:"kind"`
	Diagnostics []runtimes.Diagnostic `json:"diagnostics,omitempty"`
	Guest       *GuestError           `json:"guest,omitempty"`
	Limit       *LimitError           `json:"limit,omitempty"`
	Text        string                `json:"text,omitempty"`
}

func encodeError(err error) wireError {
	if errors.Is(err, ErrReset) {
		return wireError{Kind: wireReset, Text: err.Error()}
	}
	// Of several errors at once this one says why there is no state.
	if e, ok := errors.AsType[*LimitError](err); ok {
		return wireError{Kind: wireLimit, Limit: e}
	}
	if e, ok := errors.AsType[*SourceError](err); ok {
		return wireError{Kind: wireSource, Diagnostics: e.Diagnostics}
	}
	if e, ok := errors.AsType[*GuestError](err); ok {
		return wireError{Kind: wireGuest, Guest: e}
	}
	kind := wireOther
	switch {
	case errors.Is(err, ErrMismatch):
		kind = wireMismatch
	case errors.Is(err, context.Canceled):
		kind = wireInterrupted
	}
	return wireError{Kind: kind, Text: err.Error()}
}

// check returns what makes no sense in w, which a guest may have written.
func (w *wireError) check() error {
	switch {
	case w.Kind == wireSource && len(w.Diagnostics) == 0, w.Kind == wireLimit && w.Limit == nil:
		return fmt.Errorf("an error of kind %s without one", w.Kind)
	case w.Kind == wireGuest:
		if w.Guest == nil {
			return errors.New("an error of the guest without one")
		}
		switch w.Guest.Kind {
		case KindThrown, KindResult, KindMissing, KindExit, KindStuck, KindTrap:
			return nil
		}
		return fmt.Errorf("an error of the guest of kind %q", w.Guest.Kind)
	}
	switch w.Kind {
	case wireSource, wireLimit, wireReset, wireMismatch, wireInterrupted, wireOther:
		return nil
	}
	return fmt.Errorf("an error of kind %q", w.Kind)
}

func (w *wireError) decode() error {
	switch w.Kind {
	case wireSource:
		return &SourceError{w.Diagnostics}
	case wireGuest:
		return w.Guest
	case wireLimit:
		return w.Limit
	case wireReset:
		return &remoteError{w.Text, ErrReset}
	case wireMismatch:
		return &remoteError{w.Text, ErrMismatch}
	}
	return &WorkerError{Reason: "failed: " + w.Text}
}

// A remoteError is an error of a worker process that wraps one of this package.
type remoteError struct {
	text string
	is   error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.is }

// encode returns the limits as numbers, and decode reads them.
func (l *Limits) encode() []int64 {
	var v []int64
	l.each(Limits{}, func(_ string, n *int64, _ int64) { v = append(v, *n) })
	return v
}

func (l *Limits) decode(v []int64) (err error) {
	l.each(Limits{}, func(_ string, n *int64, _ int64) {
		if len(v) == 0 {
			err = errTooShort
			return
		}
		*n, v = v[0], v[1:]
	})
	return err
}

// encode returns the usage as numbers, and decode reads them. A worker process that was taken
// over cannot make it more than a call with limits can use.
func (u *Usage) encode() []int64 {
	return []int64{int64(u.Start), int64(u.Guest), int64(u.Host), u.Memory, u.Output, u.Fuel, u.HostCalls}
}

func (u *Usage) decode(v []int64, limits Limits) error {
	if len(v) != 7 {
		return errTooShort
	}
	for _, n := range v {
		if n < 0 {
			return errors.New("negative usage")
		}
	}
	l := &limits
	*u = Usage{Start: time.Duration(v[0]), Guest: min(time.Duration(v[1]), l.CallTime), Host: min(time.Duration(v[2]), l.HostTime),
		Memory: min(v[3], l.Memory), Output: min(v[4], l.Output), Fuel: min(v[5], l.Fuel), HostCalls: min(v[6], l.HostCalls)}
	return nil
}
