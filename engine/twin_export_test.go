package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/snapshot"
)

// A Twin is what an [Instance] is said to be: one guest that keeps its memory from call
// to call. It is never captured, so that what instances do can be compared with it. Its
// environment is fixed and its calls must not be ended from outside.
type Twin struct {
	c        *Component
	opt      *Options
	limits   Limits
	g        *guest
	lease    *lease
	mem      *snapshot.Memory
	function string // of the call in progress
	cells    []cellState
}

// NewTwin returns a twin of a new instance. The caller closes it.
func NewTwin(c *Component, opt *Options) (*Twin, error) {
	limits := opt.Limits
	limits.fill(c.engine.cfg.Limits)
	now, err := opt.Fixed.now()
	if err != nil {
		return nil, err
	}
	mem, img, err := c.engine.images.acquire(c.image)
	if err != nil {
		return nil, err
	}
	g := c.engine.newGuest(c.prepared, limits, limitCallTime)
	g.memory, g.session, g.fixed = mem, true, newFixedEnv(now, opt.Fixed.Seed)
	g.globals = slices.Clone(img.globals)
	g.host.open(limits.HostTime, nil, nil)
	mem.Enter()
	defer mem.Leave()
	if err := g.keepMemory(mem.Bytes()); err != nil {
		return nil, err
	}
	return &Twin{c: c, opt: opt, limits: limits, g: g, mem: mem, lease: &lease{language: c.language, prepared: c.prepared}}, nil
}

// Close gives back the memory.
func (t *Twin) Close() error {
	err := t.mem.Reset()
	return first(err, t.c.engine.images.release(t.c.image, t.mem, err == nil))
}

// Call is [Instance.Call].
func (t *Twin) Call(ctx context.Context, function string, arg any) (*Result, error) {
	if t.function != "" {
		return nil, ErrSuspended
	}
	b, err := encode(arg)
	if err != nil {
		return nil, err
	}
	return t.run(&call{ctx: ctx, function: function, arg: b}, false)
}

// Exec is [Instance.Exec], without what the cell has printed.
func (t *Twin) Exec(ctx context.Context, name, code string) (*Cell, error) {
	r, err := t.Call(ctx, abi.ExecFunction, execArg{code, name})
	if err != nil {
		return &Cell{}, err
	}
	c := &Cell{}
	c.Text, c.Data, err = bundle(r.JSON(), r.Buffers)
	return c, err
}

// Continue is [Instance.Continue].
func (t *Twin) Continue(ctx context.Context) (*Result, error) {
	return t.run(&call{ctx: ctx, function: t.function}, true)
}

// Answer gives a pending call its reply.
func (t *Twin) Answer(number uint32, value any) error {
	v, err := answerValue(value)
	if err != nil {
		return err
	}
	w := t.g.host.pending[number]
	w.later = false
	t.g.host.count(w, 1)
	t.g.host.push(number, abi.Reply(true, v.JSON, v.Buffers...), nothing)
	return nil
}

func (t *Twin) run(k *call, goOn bool) (*Result, error) {
	g := t.g
	k.fill(t.opt, t.c)
	k.limits = t.limits
	k.session = &session{from: &state{}, cells: t.cells}
	if g.exec = k.function == abi.ExecFunction; g.exec && !goOn {
		if err := t.c.lowerCell(k); err != nil {
			return nil, err
		}
		t.cells = k.session.cells
	}
	if t.function == "" {
		g.left, g.fuel, g.calls, g.host.left = t.limits.CallTime, t.limits.Fuel, t.limits.HostCalls, t.limits.HostTime
	}
	g.ctx, g.jump = k.ctx, goOn && len(g.host.replies) == 0
	g.console = console{ctx: k.ctx, log: k.console, name: t.c.meta.Name, left: t.limits.Console, max: t.limits.Console}
	d := t.c.engine.newDispatcher(k, t.c.meta.Name)
	defer d.close()
	g.host.giveUp = d.giveUp
	g.host.start = func(id uint32, blocking bool, name string, frame []byte) ([]byte, bool, error) {
		reply, answered := d.start(id, blocking, name, bytes.Clone(frame), g.host.push)
		return reply, answered, nil
	}
	var status abi.Status
	var data []byte
	var err error
	if goOn {
		status, data, err = g.proceed(t.lease, t.function != "")
	} else {
		status, data, err = g.call(t.lease, k.function, abi.AppendFrame(nil, k.arg))
	}
	status, data, err = g.finish(t.lease, status, data, err)
	err = also(err, t.lease.release())
	g.console.flush()
	switch {
	case err == errSuspend:
		t.function = k.function
		return nil, ErrSuspended
	case err != nil:
		return nil, g.failure(err)
	}
	t.function = ""
	if status == abi.StatusError {
		return nil, g.thrown(data, (&stateRest{Cells: t.cells}).positions(t.c.positions))
	}
	return k.result(status, data)
}

// A Captured is all that an instance is between calls, but for its identity.
type Captured struct {
	Lines   []byte // what its memory differs in from the image: equal memories have equal lines
	Globals []uint64
	LastID  uint32
	Rest    string // as JSON, without keys and what remains of time
}

// State returns what t is.
func (t *Twin) State() (*Captured, error) {
	st, err := t.g.save(t.function)
	if err != nil {
		return nil, err
	}
	st.Cells = t.cells
	lines, err := t.mem.AppendDelta(nil)
	if err != nil {
		return nil, err
	}
	return captured(st, lines)
}

// StateOf returns what in is, of which at least one call has been.
func StateOf(ctx context.Context, in *Instance) (*Captured, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	st, lines, err := in.load(ctx)
	if err != nil {
		return nil, err
	}
	return captured(st, lines)
}

func captured(st *state, lines []byte) (*Captured, error) {
	rest := st.stateRest
	rest.Pending = slices.Clone(rest.Pending)
	for i := range rest.Pending {
		p := &rest.Pending[i]
		// A call that was suspended while its function ran is, for a twin, one that is answered later.
		p.Key, p.Later = "", false
	}
	if rest.Call != nil {
		c := *rest.Call
		c.Time, c.HostTime, c.budgets = 0, 0, budgets{}
		rest.Call = &c
	}
	text, err := json.Marshal(rest)
	return &Captured{lines, slices.Clone(st.globals), st.lastID, string(text)}, err
}

// Tidy compresses the states of all idle instances of e, and stores them if there is a store.
func Tidy(e *Engine) { e.parking.tidy(0, 0) }
