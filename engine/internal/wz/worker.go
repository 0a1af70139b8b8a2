package wz

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// PageSize is the size of a WebAssembly page in bytes.
const PageSize = 65536

// A Memory is the linear memory of a guest.
type Memory interface {
	// Bytes is the memory at its current length, a multiple of [PageSize].
	Bytes() []byte
	// Grow extends the memory to size bytes without moving it, or refuses.
	Grow(size int64) ([]byte, bool)
}

// A Host answers what a guest asks for while it runs. An error from any of its
// methods ends the call at once, without unwinding the guest, and is what
// [Worker.Call] returns.
type Host interface {
	// Tick is called when the budget has run out: left, zero or less, is what
	// remains of it. It returns the next one.
	Tick(left int32) (budget int32, err error)
	// Call starts a host call. The reply is nil if it comes later. name and
	// frame are guest memory, valid until Call returns.
	Call(id, flags uint32, name, frame []byte) (reply []byte, err error)
	// Log takes a console message and Write output to a file descriptor, 1 or
	// 2. Both are guest memory, valid until the method returns.
	Log(level int32, text []byte) error
	Write(fd int32, p []byte) error
	// Clock returns nanoseconds: since 1970 if wall, else since any moment.
	Clock(wall bool) int64
	// Random fills p.
	Random(p []byte) error
	// Sleep waits for ns nanoseconds.
	Sleep(ns int64) error
}

// A Trap is an error of the machine: the guest did what WebAssembly forbids.
type Trap struct {
	Reason string // for example "out of bounds memory access"
}

// StackOverflow is the Reason of a trap by recursion.
const StackOverflow = "stack overflow"

// Error implements error.
func (t *Trap) Error() string { return "wasm trap: " + t.Reason }

// Exit reports that the guest called proc_exit.
type Exit struct{ Code uint32 }

// Error implements error.
func (e *Exit) Error() string { return fmt.Sprintf("guest exited with code %d", e.Code) }

// A Worker runs guests, one at a time and on one goroutine at a time.
type Worker struct {
	module  api.Module
	memory  api.Memory
	linear  *linear
	globals []api.MutableGlobal
	budget  api.MutableGlobal
	ctx     *workerContext
	host    Host
	reply   []byte // waits for spore.take
	exports map[string]api.Function
	running api.Function // the export that runs, or ran last
	stack   [8]uint64    // its arguments and result

	hasStack bool // stackBytes can see it
}

// workerContext carries the worker through wazero to the host functions. Its
// own type saves them a walk through context values.
type workerContext struct {
	context.Context
	worker *Worker
}

// NewWorker returns an unbound worker. Close it when it is done.
func (c *Code) NewWorker() (*Worker, error) {
	w := &Worker{linear: &linear{idle: make([]byte, PageSize)}, exports: map[string]api.Function{}, hasStack: true}
	w.ctx = &workerContext{context.Background(), w}
	ctx := experimental.WithMemoryAllocator(w.ctx, experimental.MemoryAllocatorFunc(
		func(uint64, uint64) experimental.LinearMemory { return w.linear }))
	// An empty name lets any number of instances of the module exist.
	m, err := c.runtime.InstantiateModule(ctx, c.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return nil, fmt.Errorf("instantiate: %w", err)
	}
	w.module, w.memory = m, m.Memory()
	for _, g := range c.module.Globals {
		w.globals = append(w.globals, m.ExportedGlobal(g.Name).(api.MutableGlobal))
	}
	if c.module.Budget != "" {
		w.budget = m.ExportedGlobal(c.module.Budget).(api.MutableGlobal)
	}
	for _, e := range c.module.Exports {
		w.exports[e.Name] = m.ExportedFunction(e.Name)
		w.hasStack = w.hasStack && hasStack(w.exports[e.Name])
	}
	return w, nil
}

// Close releases the worker.
func (w *Worker) Close() error { return w.module.Close(context.Background()) }

// Bind makes w run the guest with the given memory, globals and budget until
// [Worker.Unbind].
func (w *Worker) Bind(mem Memory, globals []uint64, budget int32, host Host) error {
	if len(globals) != len(w.globals) {
		return fmt.Errorf("guest has %d globals, want %d", len(globals), len(w.globals))
	}
	if !w.linear.rebind(w.memory, mem) {
		return errors.New("memory cannot be bound")
	}
	for i, g := range w.globals {
		g.Set(globals[i])
	}
	if w.budget != nil {
		w.budget.Set(api.EncodeI32(budget))
	}
	w.host = host
	return nil
}

// left is what remains of the budget. A module that is not metered keeps it.
func (w *Worker) left() int32 {
	if w.budget == nil {
		return 0
	}
	return api.DecodeI32(w.budget.Get())
}

// importCost is what every call of an import takes from the budget: the way from
// the guest to Go and back is about 100 ns.
const importCost = 100

// charge takes what the host does for the guest from the budget, at about a unit
// for a nanosecond, so that the next tick is no later for it.
func (w *Worker) charge(units int) {
	if w.budget == nil || units == 0 {
		return
	}
	// Without a loop there is no tick; the budget must not wrap around.
	const lowest = -1 << 30
	w.budget.Set(api.EncodeI32(int32(max(int64(w.left())-int64(units), lowest))))
}

// Unbind ends the binding, stores the guest's globals in globals, unless that is
// nil, and returns what remains of the budget.
func (w *Worker) Unbind(globals []uint64) (left int32) {
	left = w.left()
	for i := range globals {
		globals[i] = w.globals[i].Get()
	}
	w.host, w.reply = nil, nil
	// Cannot fail: Reallocate answers with the idle page whatever was bound.
	w.linear.rebind(w.memory, nil)
	return left
}

// Mem is the memory of the bound guest at its current length. It is valid
// until guest code runs.
func (w *Worker) Mem() []byte { return w.linear.cur }

// Call calls an export that returns an i32. After an error the guest's memory
// and the worker are in an unknown state: restore the one, close the other.
func (w *Worker) Call(name string, args ...uint32) (int32, error) {
	f := w.exports[name]
	if f == nil {
		return 0, fmt.Errorf("module does not export %q", name)
	}
	for i, a := range args {
		w.stack[i] = uint64(a)
	}
	w.running = f
	err := f.CallWithStack(w.ctx, w.stack[:max(len(args), 1)])
	if w.stackBytes() > keepStack {
		w.exports[name] = w.module.ExportedFunction(name)
	}
	if err != nil {
		return 0, classify(err)
	}
	return int32(uint32(w.stack[0])), nil
}

// stop is what host functions panic with to end a call. wazero recovers the
// panic and returns it as an error.
type stop struct{ err error }

func (s *stop) Error() string { return s.err.Error() }

func halt(err error) { panic(&stop{err}) }

// classify turns what wazero returned into the host's error or a Trap.
func classify(err error) error {
	if s, ok := errors.AsType[*stop](err); ok {
		return s.err
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	if text == StackOverflow { // the one trap that wazero returns without its prefix, as a value that cannot be named from here
		return &Trap{text}
	}
	if reason, ok := strings.CutPrefix(text, "wasm error: "); ok {
		return &Trap{reason}
	}
	return err
}

// linear is the allocator's side of a worker's memory. wazero takes whatever
// slice Reallocate returns as the memory, also a shorter one at another
// address, which makes memory.grow of the public API a way to bind memories.
type linear struct {
	idle    []byte // bound while no guest is
	cur     []byte
	mem     Memory
	binding bool
}

func (l *linear) rebind(m api.Memory, mem Memory) bool {
	l.mem, l.binding = mem, true
	_, ok := m.Grow(1)
	l.binding = false
	return ok
}

// Reallocate implements [experimental.LinearMemory].
func (l *linear) Reallocate(size uint64) []byte {
	switch {
	case l.mem == nil:
		l.cur = l.idle
	case l.binding:
		l.cur = l.mem.Bytes()
	default:
		b, ok := l.mem.Grow(int64(size))
		if !ok {
			return nil
		}
		l.cur = b
	}
	return l.cur
}

// Free implements [experimental.LinearMemory]. Memories belong to guests.
func (l *linear) Free() {}
