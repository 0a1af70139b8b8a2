package engine_test

import (
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	. "github.com/sporeengine/spore/engine/internal/wasmtest"
)

// TestLiarsInTheControlBlock: pointers, lengths and statuses that are not true.
func TestLiarsInTheControlBlock(t *testing.T) {
	const end = 8 << 16 // of the memory
	ctl := func(field int, v int) Code { return Store(Const(Control+field), Const(v)) }
	calls := inCall
	// sealed changes the control block for good.
	sealed := func(code Code, reserve ...Code) map[string]Code {
		return map[string]Code{"spore_seal": code, "spore_reserve": Seq(reserve...)}
	}
	runLiars(t, []liar{
		{name: "control block behind the memory", when: "boot", attack: on("spore_control", Return(Const(-1))), want: "trap ABI", says: "control block"},
		{name: "control block across the end", when: "boot", attack: on("spore_control", Return(Const(end-4))), want: "trap ABI", says: "control block"},
		{name: "control block of zeros", when: "boot", attack: on("spore_control", Return(Const(0))), want: "trap ABI", says: "version 0"},
		{name: "another version", when: "boot", attack: on("spore_boot", ctl(CtlABI, 2), Return(Const(-1))), want: "trap ABI"},
		{name: "control block that was never filled", when: "boot", attack: on("spore_control", ctl(CtlABI, 7)), want: "trap ABI", says: "version 7"},
		{name: "boot is pending", when: "boot", attack: on("spore_boot", Return(Const(PENDING))), want: "trap ABI", says: "spore_boot"},
		{name: "boot returns text", when: "boot", attack: on("spore_boot", Return(Const(TEXT))), want: "trap ABI"},
		{name: "boot returns a value", when: "boot", attack: on("spore_boot", Say(JSON, Const(0), Const(8))), want: "trap ABI", says: "8 bytes"},
		{name: "load returns a value", when: "compile", attack: on("spore_load", Say(JSON, Const(Text), Const(100))), want: "trap ABI", says: "spore_load"},
		{name: "load is pending", when: "compile", attack: on("spore_load", pending()), want: "trap ABI"},
		{name: "seal is pending", when: "compile", attack: on("spore_seal", pending()), want: "trap ABI"},
		{name: "seal fails", when: "compile", attack: on("spore_seal", answer(ERROR, `{"kind":"error","message":"no seal"}`)), text: `{"kind":"error","message":"no seal"}`, want: "error", says: "no seal"},

		{name: "input outside memory", attack: calls(ctl(CtlInput, -1), Done()), want: "trap ABI", says: "input area"},
		{name: "input that wraps", attack: calls(ctl(CtlInput, 16), ctl(CtlInputCap, -1), Done()), want: "trap ABI", says: "input area"},
		{name: "input one byte too long", attack: calls(ctl(CtlInputCap, end-Input+1), Done()), want: "trap ABI", says: "input area"},
		{name: "input up to the end", attack: calls(ctl(CtlInputCap, end-Input), answer(TEXT, "")), want: "text "},
		{name: "result outside memory", attack: calls(Say(TEXT, Const(-16), Const(8))), want: "trap ABI", says: "result"},
		{name: "result that wraps", attack: calls(Say(TEXT, Const(-16), Const(32))), want: "trap ABI", says: "result"},
		{name: "result of 4 GiB", attack: calls(Say(TEXT, Const(0), Const(-1))), want: "trap ABI", says: "result"},
		{name: "result at the end, empty", attack: calls(Say(TEXT, Const(end), Const(0))), want: "text "},
		{name: "result behind the end, empty", attack: calls(Say(TEXT, Const(end+1), Const(0))), want: "trap ABI", says: "result"},
		{name: "result across the end", attack: calls(Say(TEXT, Const(end-7), Const(8))), want: "trap ABI", says: "result"},
		{name: "result is the whole memory", limits: engine.Limits{Output: 64 << 10}, attack: calls(Say(TEXT, Const(0), Const(end))), want: "limit Output"},
		{name: "result is the control block", attack: calls(Say(TEXT, Const(Control+CtlPending), Const(8))), want: "text \x00\x00\x00\x00\x00\x00\x00\x00"},
		{name: "error is the whole memory", attack: calls(Say(ERROR, Const(0), Const(end))), want: "trap ABI"},
		{name: "status 4", attack: calls(Say(4, Const(Text), Const(1))), want: "trap ABI", says: "status 4"},
		{name: "status −1", attack: calls(Say(-1, Const(Text), Const(1))), want: "trap ABI", says: "status -1"},
		{name: "status −2³¹", attack: calls(Say(-1<<31, Const(Text), Const(1))), want: "trap ABI", says: "status -2147483648"},
		{name: "pending calls that are none", attack: calls(ctl(CtlPending, -1), answer(TEXT, "")), want: "text "},
		{name: "always fresh", attack: calls(ctl(CtlFresh, -1), answer(TEXT, "")), want: "text "},
		{name: "control block wiped", attack: calls(Fill(Const(Control), Const(0xff), Const(28)), Return(Const(TEXT))), want: "trap ABI"},
		{name: "control block changes while asleep", attack: settling(ctl(CtlInput, -1), Return(Const(TEXT))), want: "trap ABI"},
		{name: "input gone when it is wanted next", attack: map[string]Code{"spore_call": Seq(ctl(CtlInputCap, 0), pending()), "spore_settle": answer(TEXT, "fine"), "spore_reserve": Return(Const(0))},
			text: "fine", want: "trap ABI", says: "reserved"},

		{name: "no room for input, made in time", when: "compile", attack: sealed(ctl(CtlInputCap, 0)), want: `text {"n":7}`},
		{name: "reserve does nothing", when: "compile", attack: sealed(ctl(CtlInputCap, 0), Return(Const(0))), want: "trap ABI", says: "reserved"},
		{name: "reserve has no memory", when: "compile", attack: sealed(ctl(CtlInputCap, 0), Return(Const(-1))), want: "limit Memory"},
		{name: "reserve returns a number", when: "compile", attack: sealed(ctl(CtlInputCap, 0), Return(Const(77))), want: "limit Memory"},
		{name: "reserve moves the input away", when: "compile", attack: sealed(ctl(CtlInputCap, 0), ctl(CtlInput, -1), ctl(CtlInputCap, 100), Return(Const(0))), want: "trap ABI", says: "input area"},
		{name: "input over the control block", when: "compile", attack: sealed(ctl(CtlInput, Control-4)), want: "any"},
		{name: "input over everything", when: "compile", attack: sealed(Seq(ctl(CtlInput, 0), ctl(CtlInputCap, end))), want: "any"},
		{name: "control block out of reach in the image", when: "compile", attack: sealed(Seq(ctl(CtlResult, -1), Return(Const(0)))), want: "trap ABI"},
	})
}

// TestLiarsThatNeverEnd: in each export a loop, an exit and a trap.
func TestLiarsThatNeverEnd(t *testing.T) {
	var cases []liar
	for _, l := range every("loop", "limit CompileTime", func() Code { return Forever() }) {
		l.limits = engine.Limits{CallTime: 100 * time.Millisecond, CompileTime: 100 * time.Millisecond}
		if l.when == "" || l.attack["spore_reserve"] != nil {
			l.want = "limit CallTime"
		}
		cases = append(cases, l)
	}
	cases = append(cases, every("exit", "exit Exit", func() Code { return Call(FnExit, Const(7)) })...)
	cases = append(cases, every("trap", "trap Trap", Unreachable)...)
	cases = append(cases, every("recursion", "limit Stack", func() Code { return Drop(Call(FnRecurse, Const(-1))) })...)
	for i := range cases {
		if cases[i].want == "limit Stack" {
			cases[i].allocates = 400 << 20 // wazero doubles and copies the stack
		}
	}
	runLiars(t, cases)
}
