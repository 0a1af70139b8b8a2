package python

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// A guest is the module with a component, without an engine: the test is the host of
// runtimes/ABI.md, answers host calls when it wants to, and sets the clock.
type guest struct {
	t       testing.TB
	module  api.Module
	control uint32
	clock   *clock
	console []string

	// answer is asked about every host call. Without an answer a call stays
	// pending, which a blocking one must not.
	answer  func(hostCall) (value any, ok bool)
	pending map[uint32]hostCall
	reply   []byte // waits for spore.take
}

// A hostCall is a call as the guest made it.
type hostCall struct {
	id       uint32
	blocking bool
	name     string
	arg      string // JSON
	buffers  [][]byte
}

// A hostError is an answer that is an error.
type hostError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// A clock is what a guest sees of time.
type clock struct{ wall, mono time.Duration }

const (
	statusJSON = iota
	statusText
	statusPending
	statusError
)

type guestKey struct{}

func current(ctx context.Context) *guest { return ctx.Value(guestKey{}).(*guest) }

// machine is what all guests of the process share: the compiled module and the memory
// of a guest that has booted.
type machine struct {
	runtime wazero.Runtime
	code    wazero.CompiledModule
	booted  []byte
}

var theMachine = sync.OnceValues(func() (*machine, error) {
	ctx := context.Background()
	m := &machine{runtime: wazero.NewRuntime(ctx)}
	dec, err := zstd.NewReader(bytes.NewReader(module))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	var wasm bytes.Buffer
	if _, err := dec.WriteTo(&wasm); err != nil {
		return nil, err
	}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, m.runtime); err != nil {
		return nil, err
	}
	spore := m.runtime.NewHostModuleBuilder("spore")
	spore.NewFunctionBuilder().WithFunc(func() uint32 { return 1 << 20 }).Export("tick")
	spore.NewFunctionBuilder().WithFunc(func(ctx context.Context, mod api.Module, id, flags, name, nameLen, frame, frameLen uint32) int32 {
		n, _ := mod.Memory().Read(name, nameLen)
		f, _ := mod.Memory().Read(frame, frameLen)
		return current(ctx).hostCall(id, flags, string(n), bytes.Clone(f))
	}).Export("call")
	spore.NewFunctionBuilder().WithFunc(func(ctx context.Context, mod api.Module, p uint32) {
		mod.Memory().Write(p, current(ctx).reply)
	}).Export("take")
	spore.NewFunctionBuilder().WithFunc(func(ctx context.Context, mod api.Module, level int32, p, n uint32) {
		text, _ := mod.Memory().Read(p, n)
		g := current(ctx)
		g.console = append(g.console, string(text))
	}).Export("log")
	if _, err := spore.Instantiate(ctx); err != nil {
		return nil, err
	}
	m.code, err = m.runtime.CompileModule(ctx, wasm.Bytes())
	return m, err
})

var bootOnce sync.Once

// newGuest returns a guest that has loaded a component.
func newGuest(t testing.TB, source string) *guest {
	t.Helper()
	m, err := theMachine()
	require.NoError(t, err)
	bootOnce.Do(func() {
		g := m.instance(t, nil)
		g.export("_initialize")
		g.control = g.export("spore_control")
		g.setup("spore_boot")
		g.setup("spore_seal")
		m.booted = g.memory()
	})
	g := m.instance(t, m.booted)
	g.write([]byte("app.py"), []byte(source))
	g.setup("spore_load", 6, uint32(len(source)))
	g.setup("spore_seal")
	return g
}

// instance returns a new instance of the module, with this memory if it is not nil.
func (m *machine) instance(t testing.TB, memory []byte) *guest {
	t.Helper()
	g := &guest{t: t, clock: &clock{wall: 1.8e9 * time.Second, mono: time.Hour}, pending: map[uint32]hostCall{}}
	g.answer = func(hostCall) (any, bool) { return hostError{"not_granted", "nothing is granted"}, true }
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions().
		WithWalltime(func() (int64, int32) {
			return int64(g.clock.wall / time.Second), int32(g.clock.wall % time.Second)
		}, 1).
		WithNanotime(func() int64 { return int64(g.clock.mono) }, 1).
		WithNanosleep(func(ns int64) { g.pass(time.Duration(ns)) })
	mod, err := m.runtime.InstantiateModule(g.context(), m.code, config)
	require.NoError(t, err)
	t.Cleanup(func() { mod.Close(context.Background()) })
	g.module = mod
	if memory != nil {
		if more := len(memory) - int(mod.Memory().Size()); more > 0 {
			_, ok := mod.Memory().Grow(uint32(more) / (64 << 10))
			require.True(t, ok)
		}
		mod.Memory().Write(0, memory)
		g.control = g.export("spore_control")
	}
	return g
}

// resume returns a guest that goes on from where g is, with another clock.
func (g *guest) resume(c clock) *guest {
	g.t.Helper()
	m, err := theMachine()
	require.NoError(g.t, err)
	r := m.instance(g.t, g.memory())
	r.clock, r.answer, r.pending = &c, g.answer, maps.Clone(g.pending)
	r.module.Memory().WriteUint32Le(r.control+24, 1) // fresh
	return r
}

func (g *guest) context() context.Context {
	return context.WithValue(context.Background(), guestKey{}, g)
}

func (g *guest) pass(d time.Duration) { g.clock.wall, g.clock.mono = g.clock.wall+d, g.clock.mono+d }

func (g *guest) memory() []byte {
	b, _ := g.module.Memory().Read(0, g.module.Memory().Size())
	return bytes.Clone(b)
}

// field returns a field of the control block.
func (g *guest) field(offset uint32) uint32 {
	v, _ := g.module.Memory().ReadUint32Le(g.control + offset)
	return v
}

func (g *guest) export(name string, args ...uint32) uint32 {
	g.t.Helper()
	wide := make([]uint64, len(args))
	for i, a := range args {
		wide[i] = uint64(a)
	}
	r, err := g.module.ExportedFunction(name).Call(g.context(), wide...)
	require.NoError(g.t, err)
	if len(r) == 0 {
		return 0
	}
	return uint32(r[0])
}

func (g *guest) setup(name string, args ...uint32) {
	g.t.Helper()
	status := g.export(name, args...)
	require.Zero(g.t, status, "%s: %s", name, g.result())
}

func (g *guest) write(parts ...[]byte) {
	g.t.Helper()
	in := append(slices.Concat(parts...), 0)
	if uint32(len(in)) > g.field(8) {
		require.Zero(g.t, g.export("spore_reserve", uint32(len(in))))
	}
	g.module.Memory().Write(g.field(4), in)
}

func (g *guest) result() []byte {
	b, _ := g.module.Memory().Read(g.field(12), g.field(16))
	return bytes.Clone(b)
}

// frame encodes a value without buffers; nil stands for no value.
func frame(v any) []byte {
	if v == nil {
		return make([]byte, 8)
	}
	text, _ := json.Marshal(v)
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), append(make([]byte, 4), text...)...)
}

// parse takes a frame apart.
func parse(b []byte) (text string, buffers [][]byte) {
	n, count := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	rest := b[8+4*count:]
	text, rest = string(rest[:n]), rest[n:]
	for i := range count {
		n := binary.LittleEndian.Uint32(b[8+4*i:])
		buffers, rest = append(buffers, rest[:n]), rest[n:]
	}
	return text, buffers
}

func (g *guest) hostCall(id, flags uint32, name string, f []byte) int32 {
	c := hostCall{id: id, blocking: flags&1 != 0, name: name}
	c.arg, c.buffers = parse(f)
	value, ok := g.answer(c)
	if !ok {
		g.pending[id] = c
		return -1
	}
	g.reply = append([]byte{1}, frame(value)...)
	if _, failed := value.(hostError); failed {
		g.reply[0] = 0
	}
	return int32(len(g.reply))
}

// An end is how a call or a part of it ended.
type end struct {
	status  uint32
	text    string // text, JSON or the JSON of an error
	buffers [][]byte
}

func (g *guest) end(status uint32) end {
	e := end{status: status, text: string(g.result())}
	if status == statusJSON {
		e.text, e.buffers = parse(g.result())
	}
	return e
}

// call calls a function of the component.
func (g *guest) call(name string, arg any) end {
	g.t.Helper()
	f := frame(arg)
	g.write([]byte(name), f)
	return g.end(g.export("spore_call", uint32(len(name)), uint32(len(f))))
}

// settle settles a pending call and says how the guest goes on.
func (g *guest) settle(id uint32, value any) end {
	g.t.Helper()
	require.Contains(g.t, g.pending, id)
	delete(g.pending, id)
	ok := uint32(1)
	if _, failed := value.(hostError); failed {
		ok = 0
	}
	f := frame(value)
	g.write(f)
	return g.end(g.export("spore_settle", id, ok, uint32(len(f))))
}

// waiting returns the pending calls in order, as "name argument", and checks that the
// guest counts as many.
func (g *guest) waiting() (list []string) {
	g.t.Helper()
	require.Equal(g.t, len(g.pending), int(g.field(20)), "pending calls")
	for _, id := range slices.Sorted(maps.Keys(g.pending)) {
		list = append(list, g.pending[id].name+" "+g.pending[id].arg)
	}
	return list
}

// find returns the number of the pending call with this name and argument.
func (g *guest) find(call string) uint32 {
	g.t.Helper()
	for id, c := range g.pending {
		if c.name+" "+c.arg == call {
			return id
		}
	}
	require.Fail(g.t, "no such call", "%s: %v", call, g.waiting())
	return 0
}

// failure is the JSON error of a call.
type failure struct {
	Kind, Name, Message, Trace string
	Stack                      []struct {
		Func, File   string
		Line, Column int
	}
	Diagnostics []struct {
		File, Text, LineText string
		Line, Column         int
	}
}

func (e end) failure(t *testing.T) (f failure) {
	t.Helper()
	require.Equal(t, uint32(statusError), e.status, e.text)
	require.NoError(t, json.Unmarshal([]byte(e.text), &f))
	return f
}

// json asserts that a call ended with a value and returns its JSON.
func (e end) json(t *testing.T) string {
	t.Helper()
	require.Equal(t, uint32(statusJSON), e.status, e.text)
	return e.text
}

// reserved answers spore.cancel and spore.sleep as an engine does, all else by other.
func (g *guest) reserved(other func(hostCall) (any, bool)) {
	g.answer = func(c hostCall) (any, bool) {
		switch c.name {
		case "spore.sleep":
			return nil, false
		case "spore.cancel":
			require.True(g.t, c.blocking)
			var arg struct{ ID uint32 }
			require.NoError(g.t, json.Unmarshal([]byte(c.arg), &arg))
			delete(g.pending, arg.ID)
			return json.RawMessage("null"), true
		}
		return other(c)
	}
}

// never leaves all calls pending.
func never(hostCall) (any, bool) { return nil, false }

// lines joins lines of source.
func lines(l ...string) string { return strings.Join(l, "\n") + "\n" }
