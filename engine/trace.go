package engine

import (
	"context"
	"errors"

	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/snapshot"
)

// A Tracer observes an engine: see [Config].Tracer, [Tracers], and the modules otelspore and promspore
// in directories of this package. It must be safe for concurrent use and fast, as it runs on the
// goroutine that does the work. It must not panic: only at the end of a host call that is logged and nothing else.
type Tracer interface {
	// Begin is called before an operation. The returned context, which must be derived from
	// ctx, replaces it within the operation, for host functions too, whose operations are
	// so inside that of the call. end must not be nil. It is called once, after the operation; that of a
	// host call may end after that of the component's call, if its function does not heed its context.
	Begin(ctx context.Context, op Op) (_ context.Context, end func(Outcome))
}

// An Op is an operation of an engine. What is unknown or does not apply is empty.
//
// Nothing in it is chosen by a component, so that all of it is fit for the labels of a metric, as far as
// the embedder's own names are.
type Op struct {
	Kind      OpKind
	Tenant    string
	Language  string
	Component string          // name of its source
	Digest    snapshot.Digest // of the component
	Instance  string          // [Instance.ID]

	// Name is that of the function that is called; of a cell "spore.exec". It is empty if a call goes
	// on, and for a host call that is refused because there is no such function.
	Name string

	// Number and Key are those of a host call: see [hostfuncs.Caller].
	Number uint32
	Key    string
}

// An OpKind is the kind of an [Op].
type OpKind uint8

// Kinds of operations. What is refused at once, because the engine or instance is closed or
// an instance is busy, is none.
const (
	OpCompile  OpKind = iota + 1 // [Engine.Compile]
	OpLoad                       // [Engine.Load], also by [Config].Fetch
	OpRender                     // [Component.Render]
	OpOpen                       // [Component.Open]
	OpCall                       // [Instance.Call]
	OpExec                       // [Instance.Exec]
	OpStream                     // [Instance.Stream], the time of its consumer included
	OpContinue                   // [Instance.Continue]
	OpHostCall                   // of a host function, or refused; waiting for its turn included
	OpFork                       // [Instance.Fork]
	OpSnapshot                   // [Instance.Snapshot]
	OpResume                     // [Engine.Resume], [Component.Resume]
	OpPark                       // [Instance.Park]
	OpTidy                       // states of idle instances are compressed or stored, in the background
)

var opNames = [...]string{
	OpCompile: "compile", OpLoad: "load", OpRender: "render", OpOpen: "open", OpCall: "call", OpExec: "exec", OpStream: "stream",
	OpContinue: "continue", OpHostCall: "host_call", OpFork: "fork", OpSnapshot: "snapshot", OpResume: "resume", OpPark: "park", OpTidy: "tidy",
}

// String returns the name of the kind in lower case, such as "render" or "host_call".
func (k OpKind) String() string {
	if int(k) < len(opNames) && opNames[k] != "" {
		return opNames[k]
	}
	return "unknown"
}

// An Outcome is how an operation ended.
type Outcome struct {
	// Err is nil if all went well. It is ErrSuspended or [hostfuncs.ErrLater] if there is no result yet, which is
	// no failure: see Failed. Its text can be that of a component, which is untrusted.
	Err error

	// Usage is what the operation has used, also if it failed: of a call that was
	// suspended, only what was used since. If a worker process failed, Guest is the time since it was
	// asked. Of a host call it has only Output, the bytes of the reply.
	Usage Usage

	Component *Component // that was compiled or loaded
	Instance  *Instance  // that was opened, forked or resumed
	Moved     int        // states that were compressed or stored
}

// Failed reports whether the operation has failed.
func (o *Outcome) Failed() bool { return failed(o.Err) }

func failed(err error) bool {
	return err != nil && !errors.Is(err, ErrSuspended) && !errors.Is(err, hostfuncs.ErrLater)
}

// ErrorClass returns a short name for what kind of error err is, for a label or an attribute: "" for nil,
// "limit." and the name of the limit, "guest." and the kind of a [GuestError], "source", "suspended",
// "interrupted", "closed", "busy", "holds", "config", "mismatch", "reset", "worker"; "host." and the code of the error of a
// host function; and "other". There are few, whatever components do.
func ErrorClass(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*LimitError](err); ok {
		if !knownLimit(e.Limit) { // of a worker process
			return "limit"
		}
		return "limit." + e.Limit
	}
	if e, ok := errors.AsType[*GuestError](err); ok {
		return "guest." + e.Kind // one of the constants: checked where it comes from
	}
	if _, ok := errors.AsType[*SourceError](err); ok {
		return "source"
	}
	if _, ok := errors.AsType[*WorkerError](err); ok {
		return "worker"
	}
	if e, ok := errors.AsType[*hostfuncs.Error](err); ok {
		return "host." + e.Code
	}
	for _, c := range []struct {
		err  error
		name string
	}{
		{ErrSuspended, "suspended"}, {hostfuncs.ErrLater, "suspended"}, {ErrReset, "reset"}, {ErrClosed, "closed"}, {ErrBusy, "busy"},
		{ErrHolds, "holds"}, {ErrConfig, "config"}, {ErrNoRuntime, "config"}, {ErrMismatch, "mismatch"}, {ErrInstance, "mismatch"},
		{context.Canceled, "interrupted"}, {context.DeadlineExceeded, "interrupted"},
	} {
		if errors.Is(err, c.err) {
			return c.name
		}
	}
	return "other"
}

// Tracers returns a tracer that passes everything on to list, in this order, and ends in the
// reverse one.
func Tracers(list ...Tracer) Tracer { return tracers(list) }

type tracers []Tracer

func (t tracers) Begin(ctx context.Context, op Op) (context.Context, func(Outcome)) {
	ends := make([]func(Outcome), len(t))
	for i, t := range t {
		ctx, ends[i] = t.Begin(ctx, op)
	}
	return ctx, func(o Outcome) {
		for i := len(ends) - 1; i >= 0; i-- {
			ends[i](o)
		}
	}
}

// trace begins an operation. end, which must be called, gets how it ended.
func (e *Engine) trace(ctx context.Context, op Op) (_ context.Context, end func(Outcome)) {
	if e.cfg.Tracer == nil {
		return ctx, untraced
	}
	return e.cfg.Tracer.Begin(ctx, op)
}

func untraced(Outcome) {}

// trace begins an operation with an instance.
func (in *Instance) trace(ctx context.Context, kind OpKind) (context.Context, func(Outcome)) {
	c := in.Component()
	if c.engine.cfg.Tracer == nil {
		return ctx, untraced
	}
	return c.engine.trace(ctx, Op{Kind: kind, Tenant: in.tenant(), Language: c.meta.Language, Component: c.meta.Name, Digest: c.Digest(), Instance: in.ID()})
}

// counted makes a call that is complete but for its limits, and tells everybody who counts.
func (c *Component) counted(k *call, do func() (*Result, error)) (*Result, error) {
	e := c.engine
	e.counters.renders.Add(1)
	var end func(Outcome)
	if t := e.cfg.Tracer; t != nil {
		k.op = &Op{Kind: k.kind, Tenant: k.tenant, Language: c.meta.Language, Component: c.meta.Name, Digest: c.Digest(), Name: k.function}
		if s := k.session; s != nil {
			k.op.Instance = s.instance.ID()
		}
		k.ctx, end = t.Begin(k.ctx, *k.op)
	}
	r, err := do()
	if failed(err) {
		e.counters.errors.Add(1)
		if _, ok := errors.AsType[*LimitError](err); ok {
			e.counters.limits.Add(1)
		}
	}
	e.tenants.called(k.tenant, &k.spent, err)
	if end != nil {
		end(Outcome{Err: err, Usage: k.spent})
	}
	return r, err
}

// before returns what a call in progress had used when k began, which goes on with it.
func (k *call) before() (u Usage) {
	if k.session == nil || !k.session.goOn || k.session.from.Call == nil {
		return u
	}
	was, l := k.session.from.Call, &k.limits
	return Usage{
		Guest: l.CallTime - min(was.Time, l.CallTime), Host: l.HostTime - min(was.HostTime, l.HostTime),
		Fuel: l.Fuel - min(was.Fuel, l.Fuel), HostCalls: l.HostCalls - min(was.HostCalls, l.HostCalls),
	}
}

// since returns what of u, the usage of a call, comes after before.
func (u Usage) since(before Usage) Usage {
	u.Guest = max(u.Guest-before.Guest, 0)
	u.Host = max(u.Host-before.Host, 0)
	u.Fuel = max(u.Fuel-before.Fuel, 0)
	u.HostCalls = max(u.HostCalls-before.HostCalls, 0)
	return u
}
