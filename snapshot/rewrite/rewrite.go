// Package rewrite prepares a WebAssembly module for capture and restore.
//
// An engine that restores a guest by mapping an image of its linear memory
// needs a module that leaves this memory alone: without data segments, which
// an instantiation would write into the image, and without a start function.
// It must reach everything else that a guest can change, which is its mutable
// globals, so they are exported. And it must be able to interrupt a guest that
// computes for ever, so that it is metered: on every cycle of branches or calls
// it counts down a budget, and whoever finds it used up calls an imported
// function. [Rewrite] makes
// such a module out of an ordinary one.
//
// The state of a rewritten guest between two calls is its linear memory and
// the globals in [Module.Globals], and nothing else. Modules of which this is
// not true (those that change tables, or drop or copy data segments while they
// run) are refused with an [*Error] which says what and where.
//
// The package is pure: bytes in, bytes out. It checks what it has to know
// (structure, indices of globals, memory and data) and leaves the full
// validation of the result, types above all, to the engine that compiles it. A
// module that is invalid stays invalid: nothing that Rewrite adds can be
// reached by code that was there before.
//
// The method is that of Wizer (https://github.com/bytecodealliance/wizer)
// turned round: Wizer puts the memory into the module, this package takes it
// out.
package rewrite

import (
	"fmt"
)

// MaxMemory is the largest initial memory, in bytes, of a module that
// [Rewrite] and [ParseModule] accept. A module of a few bytes can declare
// 4 GiB, which they would have to allocate.
const MaxMemory = 1 << 30

// pageSize is the size of a WebAssembly page.
const pageSize = 65536

// maxPages is the most pages that a 32-bit memory can have.
const maxPages = 65536

// Names of the exports that [Rewrite] adds. A module that uses them itself is
// refused.
const (
	globalPrefix = "spore_global_"
	budgetName   = "spore_budget"
)

// Options configure [Rewrite]. The zero value is valid.
type Options struct {
	// TickModule and TickName name an imported function of type () → i32 that
	// is called when the budget runs out; see [Module.Budget]. Its result is the
	// next budget, at least 1: with less, it is called again before the guest gets on. The
	// module must import it. Both empty: nothing is metered.
	TickModule, TickName string
}

// A Module is the result of [Rewrite]. It shares no memory with the input.
type Module struct {
	// Wasm is the module without data segments, start function and custom
	// sections. The limits of its memory are 1 and 65536 pages, so that the
	// engine, which provides the memory, decides how long it is and how far it
	// grows.
	Wasm []byte

	// Memory is the initial linear memory: as long as the minimum that the
	// module declared, with its active data segments applied.
	Memory []byte

	// MaxMemory is the size in bytes up to which the module itself allowed its
	// memory to grow, 4 GiB if it did not say. Wasm no longer enforces it.
	MaxMemory int64

	// Globals are the mutable globals in the order of their indices, without
	// the budget.
	Globals []Global

	// Budget is the name under which the mutable i32 global with the loop
	// budget is exported, empty if loops are not metered.
	//
	// It counts instructions, or rather how many a guest may have executed: meters in the code
	// charge it in advance for the longest way that leads from there to the
	// next meter, so that the count is the same on every machine, and an upper bound. A call of an
	// imported function counts 32, and memory.copy and memory.fill count one
	// for each 4 bytes and are done in parts of 64 KiB. There is a meter on
	// every cycle that a guest can go round, be it of branches or of calls, which calls the tick
	// function if the budget is zero or less. So between two ticks a guest
	// executes no more than the budget and [Census.MaxUnchecked]
	// instructions, but for the unwinding of calls, which is paid for when they
	// are made. The budget starts at zero: a guest whose host has not set one
	// ticks at its first check.
	Budget string

	// Imports are the imported functions in the order of their indices. A
	// module that imports anything but functions is refused.
	Imports []Func

	// Exports are the exported functions in the order of the export section.
	Exports []Func

	// Census counts what the original module consists of.
	Census Census
}

// A Global is a mutable global.
type Global struct {
	Name string    // under which it is exported
	Type ValueType // I32, I64, F32 or F64
	Init uint64    // initial value: the bits, an I32 zero-extended
}

// A Func is an imported or exported function.
type Func struct {
	Module  string // where it is imported from, empty for an export
	Name    string
	Params  []ValueType
	Results []ValueType
}

// A ValueType is the type of a WebAssembly value in its binary encoding.
type ValueType byte

// The value types of WebAssembly 2.0.
const (
	I32       ValueType = 0x7f
	I64       ValueType = 0x7e
	F32       ValueType = 0x7d
	F64       ValueType = 0x7c
	V128      ValueType = 0x7b
	FuncRef   ValueType = 0x70
	ExternRef ValueType = 0x6f
)

// String returns the name of t in the text format.
func (t ValueType) String() string {
	switch t {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32:
		return "f32"
	case F64:
		return "f64"
	case V128:
		return "v128"
	case FuncRef:
		return "funcref"
	case ExternRef:
		return "externref"
	}
	return fmt.Sprintf("%#02x", byte(t))
}

// A Census counts the constructs of a module that matter for capture.
type Census struct {
	Functions    int // with a body
	Instructions int
	Loops        int
	Calls        int // direct
	CallIndirect int

	MemoryGrow int
	MemoryCopy int
	MemoryFill int

	Tables         int
	TableElements  int // sum of the initial sizes: what an instantiation has to fill in
	Elements       int // segments
	Globals        int
	MutableGlobals int

	// What [Rewrite] has put in; [Inspect] leaves it zero.
	Meters         int // places that charge the budget
	Checks         int // of them, those that call the tick function if it is used up
	MeteredEntries int // of them, those at the entry of a function
	MaxCharge      int // the most that a meter takes at once
	MaxUnchecked   int // the most instructions that lie between two checks

	ActiveData  int // segments
	PassiveData int
	DataBytes   int // of the active segments

	// What makes a module unfit for capture. [Rewrite] refuses modules in
	// which one of these is not zero; [Inspect] counts them.
	TableWrites int // table.set, grow, init, copy, fill and elem.drop
	MemoryInit  int
	DataDrop    int
}

// An Error says why a module was refused, and where.
type Error struct {
	Section string // name of the section, "module" outside any
	Offset  int    // in bytes from the start of the module
	Reason  string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("rewrite: %s section, offset %#x: %s", e.Section, e.Offset, e.Reason)
}

// Rewrite rewrites a module for capture and restore. Every error is an
// [*Error]: the module is malformed, or it has state that is neither memory
// nor a global, or it uses a proposal beyond WebAssembly 2.0.
//
// Refused are: a start function; table.set, grow, init, copy, fill and
// elem.drop; memory.init and data.drop; no memory or more than one; shared and
// 64-bit memories and an initial memory above [MaxMemory]; imports of anything
// but functions; mutable globals of vector or reference type; data segments
// that do not fit the memory; and exports with the names that Rewrite adds.
func Rewrite(wasm []byte, opt Options) (*Module, error) {
	p, err := parse(wasm, false)
	if err != nil {
		return nil, err
	}
	return p.rewrite(opt)
}

// Inspect counts what a module consists of, also that which would make
// [Rewrite] refuse it. The error, an [*Error], is for modules that are malformed
// or outside WebAssembly 2.0.
func Inspect(wasm []byte) (Census, error) {
	p, err := parse(wasm, true)
	if err != nil {
		return Census{}, err
	}
	return p.census, nil
}
