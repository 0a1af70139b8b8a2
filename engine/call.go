package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/engine/internal/wz"
)

// attach makes w run g, and detach ends that. Between them the goroutine keeps
// its thread, because the memory counts the thread's page faults.
func (g *guest) attach(w *wz.Worker) error {
	g.memory.Enter()
	if err := w.Bind(g, g.globals, g.grant(), g); err != nil {
		g.memory.Leave()
		return err
	}
	return nil
}

func (g *guest) detach(w *wz.Worker) {
	g.settleFuel(w.Unbind(g.globals))
	g.memory.Leave()
}

// put writes the concatenation of parts into the guest's input area.
func (g *guest) put(w *wz.Worker, parts ...[]byte) error {
	need := 1 // the guest's parsers like a zero byte behind their input
	for _, p := range parts {
		need += len(p)
	}
	ctl, err := abi.ReadControl(w.Mem(), g.control)
	if err != nil {
		return err
	}
	if int64(need) > g.limits.Memory {
		return &LimitError{Limit: limitMemory, Max: g.limits.Memory}
	}
	if need > int(ctl.InputCap) {
		r, err := w.Call(abi.Reserve, uint32(need))
		if err != nil {
			return err
		}
		if r != 0 {
			return &LimitError{Limit: limitMemory, Max: g.limits.Memory}
		}
		if ctl, err = abi.ReadControl(w.Mem(), g.control); err != nil {
			return err
		}
		if need > int(ctl.InputCap) {
			return fmt.Errorf("%w: reserved %d bytes of input, got %d", abi.ErrABI, need, ctl.InputCap)
		}
	}
	in, _ := abi.Slice(w.Mem(), ctl.Input, uint32(need)) // checked by ReadControl
	for _, p := range parts {
		in = in[copy(in, p):]
	}
	in[0] = 0
	return nil
}

// invoke calls an export that returns a status. The result, which shares the
// guest's memory, is valid until guest code runs again. After an error the guest
// and its worker are in an unknown state.
func (g *guest) invoke(w *wz.Worker, export string, parts [][]byte, args ...uint32) (_ abi.Status, _ []byte, err error) {
	g.begin()
	defer func() {
		g.end()
		g.broken = g.broken || err != nil
	}()
	if err := g.put(w, parts...); err != nil {
		return 0, nil, err
	}
	r, err := w.Call(export, args...)
	if err != nil {
		return 0, nil, err
	}
	ctl, err := abi.ReadControl(w.Mem(), g.control)
	if err != nil {
		return 0, nil, err
	}
	status := abi.Status(r)
	if status < abi.StatusJSON || status > abi.StatusError {
		return 0, nil, fmt.Errorf("%w: %s returned status %d", abi.ErrABI, export, r)
	}
	result, _ := abi.Slice(w.Mem(), ctl.Result, ctl.ResultLen)
	switch {
	case status == abi.StatusError && len(result) > abi.MaxErrorBytes:
		return 0, nil, fmt.Errorf("%w: %s returned an error of %d bytes, more than %d", abi.ErrABI, export, len(result), abi.MaxErrorBytes)
	case status != abi.StatusError && int64(len(result)) > g.limits.Output:
		return 0, nil, &LimitError{Limit: limitOutput, Max: g.limits.Output}
	}
	return status, result, nil
}

// setup calls an export that prepares the guest and has no result. Positions in
// its errors go through pos, if it is not nil.
func (g *guest) setup(w *wz.Worker, pos *positions, export string, parts [][]byte, args ...uint32) error {
	status, result, err := g.invoke(w, export, parts, args...)
	if err != nil {
		return g.failure(err)
	}
	switch {
	case status == abi.StatusError:
		return g.thrown(result, pos)
	case status != abi.StatusJSON || len(result) > 0:
		return g.failure(fmt.Errorf("%w: %s returned status %d and %d bytes", abi.ErrABI, export, status, len(result)))
	}
	return nil
}

// call calls a function of the component and drives it to its end. lease holds
// the worker, which is given back while the guest sleeps. The result is a copy.
func (g *guest) call(lease *lease, name string, frame []byte) (abi.Status, []byte, error) {
	status, result, err := g.step(lease, abi.Call, [][]byte{[]byte(name), frame}, uint32(len(name)), uint32(len(frame)))
	return g.drive(lease, status, result, err)
}

// drive goes on with a call that has come as far as the first results say. The error is
// errSuspend if that is until it waits for answers from outside.
func (g *guest) drive(lease *lease, status abi.Status, result []byte, err error) (abi.Status, []byte, error) {
	for err == nil && status == abi.StatusPending {
		if len(g.sleeps) == 0 && len(g.host.pending) == 0 {
			return 0, nil, fmt.Errorf("%w: waits for a host call that was never made", abi.ErrABI)
		}
		status, result, err = g.settleNext(lease)
	}
	if err == nil && g.fuel < 0 {
		// Spent since the last tick.
		err = &LimitError{Limit: limitFuel, Max: g.limits.Fuel}
	}
	return status, result, err
}

// settleNext waits for the next reply, without a worker, and tells it the guest.
func (g *guest) settleNext(lease *lease) (abi.Status, []byte, error) {
	if err := lease.release(); err != nil {
		return 0, nil, err
	}
	id, reply, err := g.settle()
	if err != nil {
		return 0, nil, err
	}
	return g.step(lease, abi.Settle, [][]byte{reply[1:]}, id, uint32(reply[0]), uint32(len(reply)-1))
}

// step runs the guest in one export that returns a status. The result is a copy.
func (g *guest) step(lease *lease, export string, parts [][]byte, args ...uint32) (abi.Status, []byte, error) {
	if lease.worker == nil {
		if err := lease.acquire(g.ctx); err != nil {
			return 0, nil, err
		}
	}
	if err := g.attach(lease.worker); err != nil {
		return 0, nil, err
	}
	status, result, err := g.invoke(lease.worker, export, parts, args...)
	if err == nil {
		result = append([]byte(nil), result...)
	}
	g.detach(lease.worker)
	lease.broken = g.broken
	return status, result, err
}

// failure turns an error of the machine into one for the embedder.
func (g *guest) failure(err error) error {
	trap, isTrap := errors.AsType[*wz.Trap](err)
	exit, isExit := errors.AsType[*wz.Exit](err)
	switch {
	case isTrap && g.refused:
		// The interpreter gave up because it could not get memory.
		return &LimitError{Limit: limitMemory, Max: g.limits.Memory}
	case isTrap && trap.Reason == wz.StackOverflow:
		return &LimitError{Limit: limitStack}
	case isTrap:
		return &GuestError{Kind: KindTrap, Name: "Trap", Message: trap.Reason}
	case isExit:
		return &GuestError{Kind: KindExit, Name: "Exit", Message: exit.Error()}
	case errors.Is(err, abi.ErrABI):
		return abiError(err)
	}
	return err
}

// abiError is the error of a guest that broke the ABI.
func abiError(err error) error {
	return &GuestError{Kind: KindTrap, Name: "ABI", Message: err.Error()}
}

// thrown turns an error that the guest reported into one for the embedder.
// Positions in generated code go through pos, if it is not nil.
func (g *guest) thrown(result []byte, pos *positions) error {
	e, err := abi.ParseError(result)
	if err != nil {
		return g.failure(err)
	}
	switch e.Kind {
	case abi.KindSyntax:
		if g.timeLimit != limitCompileTime && !g.exec {
			return g.failure(fmt.Errorf("%w: a call that ends with an error of kind %q", abi.ErrABI, e.Kind))
		}
		return syntaxError(e, g.console.name, pos)
	case abi.KindMemory:
		return &LimitError{Limit: limitMemory, Max: g.limits.Memory}
	case abi.KindABI:
		return &GuestError{Kind: KindTrap, Name: "ABI", Message: e.Message}
	}
	ge := &GuestError{Kind: e.Kind, Name: e.Name, Message: e.Message, Trace: e.Trace, HostCall: e.Host}
	for _, f := range e.Stack {
		ge.Stack = append(ge.Stack, pos.frame(Frame(f)))
	}
	if pos != nil {
		// The guest's text has the positions of generated code.
		ge.Trace = traceText(ge)
	}
	return ge
}

// newGuest returns a guest that still needs a context, memory and globals. Its
// clock and randomness are live until fixed is set.
func (e *Engine) newGuest(p *prepared, limits Limits, timeLimit string) *guest {
	g := &guest{engine: e, control: p.control, limits: limits, timeLimit: timeLimit,
		left: limits.CallTime, fuel: limits.Fuel, calls: limits.HostCalls}
	if timeLimit == limitCompileTime {
		g.left = limits.CompileTime
	}
	g.console.left, g.console.max = limits.Console, limits.Console
	return g
}

// waited is the time that g has waited for host functions.
func (g *guest) waited() time.Duration {
	if g.host.arrived == nil {
		return 0
	}
	return g.limits.HostTime - g.host.left
}

// used is the guest time that g has taken.
func (g *guest) used() time.Duration { return g.limits.CallTime - g.left }
