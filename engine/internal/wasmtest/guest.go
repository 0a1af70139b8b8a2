package wasmtest

import (
	"crypto/sha256"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/sporeengine/spore/runtimes"
)

// Where a guest has what. What lies between is free.
const (
	Control = 1024     // control block
	Flag    = 1056     // a u32: the guest is in the mood to attack
	NextID  = 1060     // a u32: number of the next host call
	Scratch = 2048     // 256 bytes
	Frames  = 4096     // frames of host calls, see sleepFrames
	Text    = 8192     // what the guest says, 24 KiB
	Room    = 32 << 10 // 32 KiB that a test may use
	Input   = 64 << 10 // input area at first
	Program = 128 << 10
	Free    = 192 << 10 // up to the end of the memory

	initialPages = 8
)

// Offsets in the control block.
const (
	CtlABI, CtlInput, CtlInputCap, CtlResult, CtlResultLen, CtlPending, CtlFresh = 0, 4, 8, 12, 16, 20, 24
)

// Statuses, as in runtimes/ABI.md.
const (
	JSON, TEXT, PENDING, ERROR = 0, 1, 2, 3
)

var (
	i, l    = I32, I64 // for the table below
	errno   = []byte{I32}
	imports = []Import{
		{"spore", "tick", Type{nil, []byte{i}}},
		{"spore", "call", Type{[]byte{i, i, i, i, i, i}, []byte{i}}},
		{"spore", "take", Type{[]byte{i}, nil}},
		{"spore", "log", Type{[]byte{i, i, i}, nil}},
		{"wasi_snapshot_preview1", "fd_write", Type{[]byte{i, i, i, i}, errno}},
		{"wasi_snapshot_preview1", "random_get", Type{[]byte{i, i}, errno}},
		{"wasi_snapshot_preview1", "clock_time_get", Type{[]byte{i, l, i}, errno}},
		{"wasi_snapshot_preview1", "poll_oneoff", Type{[]byte{i, i, i, i}, errno}},
		{"wasi_snapshot_preview1", "proc_exit", Type{[]byte{i}, nil}},
		{"wasi_snapshot_preview1", "fd_read", Type{[]byte{i, i, i, i}, errno}},
		{"wasi_snapshot_preview1", "fd_seek", Type{[]byte{i, l, i, i}, errno}},
		{"wasi_snapshot_preview1", "args_sizes_get", Type{[]byte{i, i}, errno}},
		{"wasi_snapshot_preview1", "environ_get", Type{[]byte{i, i}, errno}},
		{"wasi_snapshot_preview1", "fd_fdstat_get", Type{[]byte{i, i}, errno}},
		{"wasi_snapshot_preview1", "path_open", Type{[]byte{i, i, i, i, i, l, l, i, i}, errno}},
	}
)

// Functions that a guest imports.
const (
	FnTick uint32 = iota
	FnCall
	FnTake
	FnLog
	FnWrite
	FnRandom
	FnClock
	FnPoll
	FnExit
	FnRead
	FnSeek
	FnArgsSizes
	FnEnviron
	FnFdstat
	FnOpen
	firstExport
)

// Functions that a guest exports, and some that it keeps.
const (
	FnInitialize = firstExport + iota
	FnControl
	FnBoot
	FnLoad
	FnSeal
	FnSpore // spore_call
	FnSettle
	FnReserve
	FnTidy
	FnRun     // runs the program, see vm.go
	FnRecurse // calls itself (n) → i32, n times
	// FnOwn is the first function that a test adds.
	FnOwn
)

// A Guest is a runtime that consists of a hand-written module. It is
// well-behaved but for what the fields change.
//
// A component that its source makes is one that attacks from its load on if the
// source begins with an exclamation mark. Otherwise it is in the mood to do so
// if the props of a render are a JSON string. For an array it runs a program
// (see [Prog]), and other props it returns as they came, as text.
type Guest struct {
	Language string // "raw" if empty

	// Attack is code that an export runs first, by the export's name, if the
	// guest is in the mood; before there can be a mood, up to the first
	// spore_seal, always. In spore_load and the exports with input, locals 0
	// and up are the arguments; those from [Own] on are free.
	Attack map[string]Code

	// Change edits the finished module.
	Change func(m *Module)

	// Data are segments for the attack.
	Data []Data
}

// Own is the first local that an attack may use.
const Own = 6

// Result sets the result, and Say returns it with a status.
func Result(ptr, n Code) Code {
	return Seq(Store(Const(Control+CtlResult), ptr), Store(Const(Control+CtlResultLen), n))
}
func Say(status int, ptr, n Code) Code { return Seq(Result(ptr, n), Return(Const(status))) }

// Done ends an export without a result.
func Done() Code { return Say(JSON, Const(0), Const(0)) }

// sleepFrames are frames with the argument of a sleep: i milliseconds at
// Frames + 32·i.
const sleepFrames = 100

func sleepFrame(ms int) string {
	text := `{"ms":` + string(rune('0'+ms/10)) + string(rune('0'+ms%10)) + `}`
	if ms < 10 {
		text = `{"ms":` + string(rune('0'+ms)) + ` }`
	}
	return Frame(text)
}

// sleepFrameLen is the length of each of them.
var sleepFrameLen = len(sleepFrame(0))

// sleepName is where the name of the call lies.
const sleepName = Frames - 16

// Sleep makes the host call spore.sleep with the given number and flags, for ms
// milliseconds below 100, and is what the call returns.
func Sleep(id, flags, ms Code) Code {
	return Call(FnCall, id, flags, Const(sleepName), Const(len("spore.sleep")),
		Add(Const(Frames), Mul(ms, Const(32))), Const(sleepFrameLen))
}

// NewID is the number of the next host call, which it counts up.
func NewID() Code {
	return Seq(Store(Const(NextID), Add(Load(Const(NextID)), Const(1))), Load(Const(NextID)))
}

// Frame returns a frame of text without buffers.
func Frame(text string) string { return U32(uint32(len(text)), 0) + text }

// U32 returns words as they lie in memory.
func U32(words ...uint32) string {
	var b []byte
	for _, w := range words {
		b = append(b, byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
	}
	return string(b)
}

// Runtime returns the runtime.
func (g Guest) Runtime() runtimes.Runtime {
	language := g.Language
	if language == "" {
		language = "raw"
	}
	wasm := g.Wasm()
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		panic(err) // the options are constant
	}
	defer enc.Close()
	return runtimes.Runtime{
		Language: language,
		Name:     language,
		Version:  "0",
		ABI:      runtimes.ABIVersion,
		Module:   enc.EncodeAll(wasm, nil),
		SHA256:   sha256.Sum256(wasm),
	}
}

// Wasm returns the module.
func (g Guest) Wasm() []byte {
	m := &Module{
		Imports: slices.Clone(imports),
		Memory:  Pages(initialPages, 65536),
		Exports: []Export{{"memory", 2, 0}},
		Globals: []Global{{I32, true, Const(7)}, {I64, true, Const64(1 << 40)}, {F64, true, ConstF64(2.5)}},
		Table:   []uint32{FnRecurse, FnInitialize},
		Data: []Data{
			{Control, U32(runtimes.ABIVersion, Input, 64<<10, 0, 0, 0, 0)},
			{sleepName, "spore.sleep"},
		},
	}
	for ms := range sleepFrames {
		m.Data = append(m.Data, Data{uint32(Frames + 32*ms), sleepFrame(ms)})
	}
	m.Data = append(m.Data, g.Data...)
	status := []byte{I32}
	always := func(export string, rest ...Code) Code { return Seq(g.Attack[export], Seq(rest...)) }
	mood := func(export string) Code { return If(Load(Const(Flag)), g.Attack[export]) }
	m.Funcs = []Func{
		{"_initialize", Type{}, always("_initialize")},
		{"spore_control", Type{nil, status}, always("spore_control", Const(Control))},
		{"spore_boot", Type{nil, status}, always("spore_boot", Done())},
		{"spore_load", Type{[]byte{I32, I32}, status}, Seq(
			If(Eq(Load8(Add(Load(Const(Control+CtlInput)), Get(0))), Const('!')), Store(Const(Flag), Const(1))),
			mood("spore_load"), Done())},
		{"spore_seal", Type{nil, status}, Seq(
			Store(Const(Control+CtlFresh), Const(1)), mood("spore_seal"), Done())},
		{"spore_call", Type{[]byte{I32, I32}, status}, g.call(mood("spore_call"))},
		{"spore_settle", Type{[]byte{I32, I32, I32}, status}, Seq(mood("spore_settle"), Return(Call(FnRun)))},
		{"spore_reserve", Type{[]byte{I32}, []byte{I32}}, Seq(mood("spore_reserve"), reserve())},
		{"spore_tidy", Type{nil, status}, Seq(mood("spore_tidy"), Done())},
		{"", Type{nil, status}, run()},
		{"", Type{[]byte{I32}, []byte{I32}}, Seq(If(Not(Get(0)), Return(Const(0))), Call(FnRecurse, Sub(Get(0), Const(1))))},
	}
	for k := range m.Funcs {
		// An export whose end is not reached still needs a value there.
		if len(m.Funcs[k].Type.Results) > 0 && m.Funcs[k].Name != "spore_control" && m.Funcs[k].Name != "" {
			m.Funcs[k].Body = append(m.Funcs[k].Body, Unreachable()...)
		}
	}
	if g.Change != nil {
		g.Change(m)
	}
	return m.Encode()
}

// call is spore_call(name_len, frame_len). Locals: 2 is the frame, 3 the JSON
// text, 4 its length, 5 its first character.
func (g Guest) call(attack Code) Code {
	return Seq(
		Set(2, Add(Load(Const(Control+CtlInput)), Get(0))),
		Set(3, Add(Add(Get(2), Const(8)), Mul(Const(4), Load(Add(Get(2), Const(4)))))),
		Set(4, Load(Get(2))),
		Set(5, Load8(Get(3))),
		If(Load(Const(Control+CtlFresh)),
			Store(Const(Control+CtlFresh), Const(0)),
			Drop(Call(FnRandom, Const(Scratch), Const(16)))),
		If(Eq(Get(5), Const('"')), Store(Const(Flag), Const(1))),
		attack,
		If(Eq(Get(5), Const('[')),
			parse(3, 4),
			Return(Call(FnRun))),
		Say(TEXT, Get(3), Get(4)),
	)
}

// reserve is spore_reserve(n): input that is too long for the first area goes
// behind what is the end of the memory now.
func reserve() Code {
	return Seq(
		If(Le(Get(0), Load(Const(Control+CtlInputCap))), Return(Const(0))),
		Set(1, Shr(Add(Get(0), Const(0xffff)), Const(16))),
		Set(2, Grow(Get(1))),
		If(Eq(Get(2), Const(-1)), Return(Const(-1))),
		Store(Const(Control+CtlInput), Shl(Get(2), Const(16))),
		Store(Const(Control+CtlInputCap), Shl(Get(1), Const(16))),
		Return(Const(0)),
	)
}
