package javascript_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/sporeengine/spore/runtimes/javascript"
)

// A host is a small host of the guest ABI, which does what a test wants and
// looks at everything. It has a clock of its own and no engine under it.
type host struct {
	t      *testing.T
	module api.Module
	ctx    context.Context
	wall   time.Time
	mono   time.Duration

	control uint32
	calls   []hostCall // all that were made
	open    map[uint32]hostCall
	answer  func(c hostCall) (reply []byte, ok bool) // nil, or not ok: the call is pending
	reply   []byte
}

type hostCall struct {
	id       uint32
	blocking bool
	name     string
	arg      string // JSON
	buffers  [][]byte
}

// An outcome is what an export returned.
type outcome struct {
	status  int32
	text    string // the text, the JSON of the value or that of the error
	buffers [][]byte
}

const (
	statusJSON = iota
	statusText
	statusPending
	statusError
)

// machine is the interpreter, compiled once for all tests of the package.
var machine = sync.OnceValues(func() (wazero.CompiledModule, error) {
	dec, err := zstd.NewReader(nil)
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	wasm, err := dec.DecodeAll(javascript.Runtime().Module, nil)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(cacheDir, "abi"))
	if err != nil {
		return nil, err
	}
	machineRuntime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(cache))
	b := machineRuntime.NewHostModuleBuilder("spore")
	h := func(ctx context.Context) *host { return ctx.Value(hostKey{}).(*host) }
	b.NewFunctionBuilder().WithFunc(func(ctx context.Context) int32 { return 1 << 20 }).Export("tick")
	b.NewFunctionBuilder().WithFunc(func(ctx context.Context, id, flags, name, nameLen, frame, frameLen uint32) int32 {
		return h(ctx).call(id, flags, name, nameLen, frame, frameLen)
	}).Export("call")
	b.NewFunctionBuilder().WithFunc(func(ctx context.Context, ptr uint32) { h(ctx).module.Memory().Write(ptr, h(ctx).reply) }).Export("take")
	b.NewFunctionBuilder().WithFunc(func(ctx context.Context, level int32, ptr, n uint32) {
		if text, _ := h(ctx).module.Memory().Read(ptr, n); testing.Verbose() {
			fmt.Fprintf(os.Stderr, "console %d: %s\n", level, text)
		}
	}).Export("log")
	if _, err := b.Instantiate(ctx); err != nil {
		return nil, err
	}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, machineRuntime); err != nil {
		return nil, err
	}
	return machineRuntime.CompileModule(ctx, wasm)
})

var machineRuntime wazero.Runtime

type hostKey struct{}

// newHost returns a guest that was neither booted nor restored, at the time at
// which components are compiled.
func newHost(t *testing.T) *host {
	t.Helper()
	code, err := machine()
	require.NoError(t, err)
	h := &host{t: t, wall: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), open: map[uint32]hostCall{}}
	h.ctx = context.WithValue(context.Background(), hostKey{}, h)
	h.module, err = machineRuntime.InstantiateModule(h.ctx, code, wazero.NewModuleConfig().WithName("").WithStartFunctions().
		WithRandSource(zeros{}).
		WithWalltime(func() (int64, int32) { return h.wall.Unix(), int32(h.wall.Nanosecond()) }, 1).
		WithNanotime(func() int64 { return int64(h.mono) }, 1))
	require.NoError(t, err)
	t.Cleanup(func() { h.module.Close(h.ctx) })
	return h
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// images are the memories of components that were loaded and sealed.
var images sync.Map // source → memory

// start returns a guest in which the component was loaded, at its first start.
func start(t *testing.T, component string) *host {
	t.Helper()
	h := newHost(t)
	if m, ok := images.Load(component); ok {
		h.restore(m.([]byte))
	} else {
		h.export("_initialize")
		h.control = uint32(h.export("spore_control"))
		h.setUp("spore_boot")
		h.setUp("spore_seal")
		l, diagnostics := javascript.Lower("component.tsx", []byte(component))
		require.Empty(t, diagnostics)
		h.input("component.tsx", l.Code)
		h.setUp("spore_load", uint64(len("component.tsx")), uint64(len(l.Code)))
		h.setUp("spore_seal")
		images.Store(component, h.memory())
		h.open = map[uint32]hostCall{}
		h.calls = nil
	}
	h.advance(time.Hour)
	return h
}

// resume returns a guest that goes on where h stands, in another process.
func (h *host) resume(mono time.Duration, later time.Duration) *host {
	h.t.Helper()
	r := newHost(h.t)
	r.restore(h.memory())
	r.wall, r.mono, r.answer = h.wall.Add(later), mono, h.answer
	for id, c := range h.open {
		r.open[id] = c
	}
	r.module.Memory().WriteUint32Le(r.control+24, 1) // fresh
	return r
}

func (h *host) restore(memory []byte) {
	h.t.Helper()
	if n := uint32(len(memory)) - h.module.Memory().Size(); n > 0 {
		_, ok := h.module.Memory().Grow(n / 65536)
		require.True(h.t, ok)
	}
	h.module.Memory().Write(0, memory)
	h.control = uint32(h.export("spore_control"))
}

func (h *host) memory() []byte {
	m := h.module.Memory()
	b, _ := m.Read(0, m.Size())
	return append([]byte(nil), b...)
}

// advance lets time pass.
func (h *host) advance(d time.Duration) { h.wall, h.mono = h.wall.Add(d), h.mono+d }

func (h *host) export(name string, args ...uint64) uint64 {
	h.t.Helper()
	r, err := h.module.ExportedFunction(name).Call(h.ctx, args...)
	require.NoError(h.t, err, name)
	if len(r) == 0 {
		return 0
	}
	return r[0]
}

func (h *host) u32(offset uint32) uint32 {
	v, _ := h.module.Memory().ReadUint32Le(h.control + offset)
	return v
}

func (h *host) pending() int { return int(h.u32(20)) }

func (h *host) input(name string, rest []byte) {
	h.t.Helper()
	b := append(append([]byte(name), rest...), 0)
	require.Zero(h.t, h.export("spore_reserve", uint64(len(b))))
	require.True(h.t, h.module.Memory().Write(h.u32(4), b))
}

func (h *host) setUp(export string, args ...uint64) {
	h.t.Helper()
	require.Equal(h.t, outcome{}, h.run(export, args...), export)
}

// run calls an export that returns a status.
func (h *host) run(export string, args ...uint64) outcome {
	h.t.Helper()
	o := outcome{status: int32(h.export(export, args...))}
	b, ok := h.module.Memory().Read(h.u32(12), h.u32(16))
	require.True(h.t, ok)
	if o.status == statusJSON && len(b) > 0 {
		o.text, o.buffers = parseFrame(h.t, b)
	} else {
		o.text = string(b)
	}
	return o
}

func parseFrame(t *testing.T, b []byte) (text string, buffers [][]byte) {
	t.Helper()
	u := func(i int) int { return int(binary.LittleEndian.Uint32(b[i:])) }
	n, count := u(0), u(4)
	at := 8 + 4*count
	text = string(b[at : at+n])
	at += n
	for i := range count {
		buffers = append(buffers, append([]byte(nil), b[at:at+u(8+4*i)]...))
		at += u(8 + 4*i)
	}
	require.Equal(t, len(b), at)
	return text, buffers
}

func frame(text string, buffers ...[]byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(buffers)))
	for _, x := range buffers {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(x)))
	}
	b = append(b, text...)
	for _, x := range buffers {
		b = append(b, x...)
	}
	return b
}

func ok(text string) []byte { return append([]byte{1}, frame(text)...) }

func refused(code, message string) []byte {
	text, _ := json.Marshal(map[string]string{"code": code, "message": message})
	return append([]byte{0}, frame(string(text))...)
}

// call is spore.call: it asks answer, and knows how to cancel.
func (h *host) call(id, flags, namePtr, nameLen, framePtr, frameLen uint32) int32 {
	m := h.module.Memory()
	name, _ := m.Read(namePtr, nameLen)
	f, _ := m.Read(framePtr, frameLen)
	c := hostCall{id: id, blocking: flags&1 != 0, name: string(name)}
	c.arg, c.buffers = parseFrame(h.t, f)
	h.calls = append(h.calls, c)
	h.reply = nil
	if h.answer != nil {
		if reply, done := h.answer(c); done {
			h.reply = reply
			return int32(len(reply))
		}
	}
	switch {
	case c.name == "spore.cancel":
		var arg struct{ ID uint32 }
		require.NoError(h.t, json.Unmarshal([]byte(c.arg), &arg))
		delete(h.open, arg.ID)
		h.reply = ok("null")
	case c.blocking:
		h.reply = refused("not_granted", "no such function")
	default:
		h.open[id] = c
		return -1
	}
	return int32(len(h.reply))
}

// begin calls a function of the component with an argument in JSON.
func (h *host) begin(function, arg string) outcome {
	h.t.Helper()
	f := frame(arg)
	h.input(function, f)
	return h.run("spore_call", uint64(len(function)), uint64(len(f)))
}

// settle answers a pending call with what answers a call at once.
func (h *host) settle(id uint32, reply []byte) outcome {
	h.t.Helper()
	require.Contains(h.t, h.open, id)
	delete(h.open, id)
	h.input("", reply[1:])
	return h.run("spore_settle", uint64(id), uint64(reply[0]), uint64(len(reply)-1))
}

// finish settles the sleeps as time passes, the first due first, until the
// call is not pending.
func (h *host) finish(o outcome) outcome {
	h.t.Helper()
	for range 1000 {
		if o.status != statusPending {
			return o
		}
		var first uint32
		var least float64
		for id, c := range h.open {
			var arg struct{ MS float64 }
			require.Equal(h.t, "spore.sleep", c.name, "call %d has no answer", id)
			require.NoError(h.t, json.Unmarshal([]byte(c.arg), &arg))
			if first == 0 || arg.MS < least || arg.MS == least && id < first {
				first, least = id, arg.MS
			}
		}
		require.NotZero(h.t, first, "the guest waits for nothing")
		h.advance(time.Duration(least * float64(time.Millisecond)))
		o = h.settle(first, ok("null"))
	}
	h.t.Fatal("the call does not end")
	return o
}

// exec runs a cell to its end.
func (h *host) exec(code string) outcome {
	h.t.Helper()
	return h.finish(h.beginCell("cell.tsx", code))
}

func (h *host) beginCell(name, code string) outcome {
	h.t.Helper()
	l, diagnostics := javascript.LowerCell(name, []byte(code))
	require.Empty(h.t, diagnostics)
	arg, err := json.Marshal(map[string]string{"code": string(l.Code), "name": name})
	require.NoError(h.t, err)
	return h.begin("spore.exec", string(arg))
}

// names are the names of all host calls that were made.
func (h *host) names() string {
	var list []string
	for _, c := range h.calls {
		list = append(list, c.name)
	}
	return strings.Join(list, " ")
}
