package wasmtest

import "slices"

// A Type is the type of a function.
type Type struct{ Params, Results []byte }

// An Import is an imported function.
type Import struct {
	Module, Name string
	Type         Type
}

// Locals is the number of i32 locals that each function has besides its
// parameters.
const Locals = 12

// A Func is a function with a body, exported unless Name is empty.
type Func struct {
	Name string
	Type Type
	Body Code
}

// A Global is a global variable.
type Global struct {
	Type    byte
	Mutable bool
	Init    Code
}

// An Export is an export besides those of functions.
type Export struct {
	Name  string
	Kind  byte // 1 table, 2 memory, 3 global
	Index uint32
}

// A Data is an active data segment.
type Data struct {
	At    uint32
	Bytes string
}

// A Module is a WebAssembly module. Functions are numbered from the first
// import on.
type Module struct {
	Imports []Import
	Funcs   []Func
	Table   []uint32 // functions in the one table
	Memory  []byte   // its limits, encoded; see Pages
	Globals []Global
	Exports []Export
	Data    []Data
	Start   []uint32 // the start function, if any
}

// Pages returns limits of a memory.
func Pages(least, most uint32) []byte { return slices.Concat([]byte{1}, uleb(least), uleb(most)) }

func str(s string) []byte { return append(uleb(uint32(len(s))), s...) }

func vec(entries ...[]byte) []byte {
	return append(uleb(uint32(len(entries))), slices.Concat(entries...)...)
}

// Indices of function types, for CallIndirect.
const (
	TypeVoid   = 0 // () → ()
	TypeI32    = 1 // () → i32
	TypeI32I32 = 2 // (i32) → i32
)

// Encode returns the module.
func (m *Module) Encode() []byte {
	types := [][]byte{}
	typ := func(t Type) []byte {
		e := slices.Concat([]byte{0x60}, str(string(t.Params)), str(string(t.Results)))
		i := slices.IndexFunc(types, func(o []byte) bool { return slices.Equal(o, e) })
		if i < 0 {
			i, types = len(types), append(types, e)
		}
		return uleb(uint32(i))
	}
	// Those that tests name by their index.
	typ(Type{})
	typ(Type{nil, []byte{I32}})
	typ(Type{[]byte{I32}, []byte{I32}})

	var imports, funcs, globals, exports, bodies, data [][]byte
	for _, i := range m.Imports {
		imports = append(imports, slices.Concat(str(i.Module), str(i.Name), []byte{0}, typ(i.Type)))
	}
	for i, f := range m.Funcs {
		funcs = append(funcs, typ(f.Type))
		body := slices.Concat([]byte{1, Locals, I32}, f.Body, []byte{0x0b})
		bodies = append(bodies, str(string(body)))
		if f.Name != "" {
			exports = append(exports, slices.Concat(str(f.Name), []byte{0}, uleb(uint32(len(m.Imports)+i))))
		}
	}
	for _, g := range m.Globals {
		mutable := byte(0)
		if g.Mutable {
			mutable = 1
		}
		globals = append(globals, slices.Concat([]byte{g.Type, mutable}, g.Init, []byte{0x0b}))
	}
	for _, e := range m.Exports {
		exports = append(exports, slices.Concat(str(e.Name), []byte{e.Kind}, uleb(e.Index)))
	}
	for _, d := range m.Data {
		data = append(data, slices.Concat([]byte{0}, Const(d.At), []byte{0x0b}, str(d.Bytes)))
	}

	out := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, body []byte) { out = slices.Concat(out, []byte{id}, str(string(body))) }
	section(1, vec(types...))
	section(2, vec(imports...))
	section(3, vec(funcs...))
	if m.Table != nil {
		n := uleb(uint32(len(m.Table)))
		section(4, vec(slices.Concat([]byte{0x70, 0}, n)))
	}
	if m.Memory != nil {
		section(5, vec(m.Memory))
	}
	section(6, vec(globals...))
	section(7, vec(exports...))
	for _, f := range m.Start {
		section(8, uleb(f))
	}
	if m.Table != nil {
		var elements [][]byte
		for _, f := range m.Table {
			elements = append(elements, uleb(f))
		}
		section(9, vec(slices.Concat([]byte{0}, Const(0), []byte{0x0b}, vec(elements...))))
	}
	section(10, vec(bodies...))
	section(11, vec(data...))
	return out
}
