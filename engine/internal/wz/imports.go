package wz

import (
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero/api"
)

type hostFunc func(w *Worker, stack []uint64)

type signature struct {
	params, results []api.ValueType
	fn              hostFunc
}

const (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

// sporeImports are the functions of module "spore", see runtimes/ABI.md.
var sporeImports = map[string]signature{
	"tick": {nil, []api.ValueType{i32}, func(w *Worker, s []uint64) {
		budget, err := w.host.Tick(w.left())
		if err != nil {
			halt(err)
		}
		s[0] = uint64(uint32(budget))
	}},
	"call": {[]api.ValueType{i32, i32, i32, i32, i32, i32}, []api.ValueType{i32}, func(w *Worker, s []uint64) {
		name := w.must("spore.call", s[2], s[3])
		frame := w.must("spore.call", s[4], s[5])
		w.charge(1000)
		reply, err := w.host.Call(uint32(s[0]), uint32(s[1]), name, frame)
		if err != nil {
			halt(err)
		}
		w.reply = reply
		s[0] = uint64(^uint32(0))
		if reply != nil {
			s[0] = uint64(uint32(len(reply)))
		}
	}},
	"take": {[]api.ValueType{i32}, nil, func(w *Worker, s []uint64) {
		w.charge(len(w.reply))
		copy(w.must("spore.take", s[0], uint64(len(w.reply))), w.reply)
		w.reply = nil
	}},
	"log": {[]api.ValueType{i32, i32, i32}, nil, func(w *Worker, s []uint64) {
		text := w.must("spore.log", s[1], s[2])
		w.charge(500 + len(text))
		if err := w.host.Log(int32(uint32(s[0])), text); err != nil {
			halt(err)
		}
	}},
}

// hostFunction finds the implementation of an import. Functions of WASI that
// Spore does not offer exist and answer ENOSYS.
func hostFunction(module, name string, params, results []api.ValueType) (hostFunc, error) {
	var table map[string]signature
	switch module {
	case "spore":
		table = sporeImports
	case "wasi_snapshot_preview1":
		table = wasiImports
	default:
		return nil, fmt.Errorf("import %s.%s: unknown module", module, name)
	}
	sig, ok := table[name]
	if !ok && module != "spore" && slices.Equal(results, []api.ValueType{i32}) {
		return func(_ *Worker, s []uint64) { s[0] = enosys }, nil
	}
	if !ok {
		return nil, fmt.Errorf("import %s.%s: no such function", module, name)
	}
	if !slices.Equal(sig.params, params) || !slices.Equal(sig.results, results) {
		return nil, fmt.Errorf("import %s.%s: has another signature", module, name)
	}
	return sig.fn, nil
}

// view returns n bytes of guest memory at ptr, if they exist.
func (w *Worker) view(ptr, n uint64) ([]byte, bool) {
	m := w.linear.cur
	ptr, n = uint64(uint32(ptr)), uint64(uint32(n))
	if ptr+n > uint64(len(m)) {
		return nil, false
	}
	return m[ptr : ptr+n : ptr+n], true
}

// must is view for functions that have no way to report a bad pointer: it ends
// the call.
func (w *Worker) must(fn string, ptr, n uint64) []byte {
	b, ok := w.view(ptr, n)
	if !ok {
		halt(&Trap{fmt.Sprintf("%s: [%d, +%d) lies outside memory of %d bytes", fn, uint32(ptr), uint32(n), len(w.linear.cur))})
	}
	return b
}
