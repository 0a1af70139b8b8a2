package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	. "github.com/sporeengine/spore/engine/internal/wasmtest"
)

// TestLiarsInHostCalls: host calls with bad pointers, numbers and frames, replies
// taken at the wrong time, and calls that are waited for but not made.
func TestLiarsInHostCalls(t *testing.T) {
	const end = 8 << 16
	fine := answer(TEXT, "fine")
	// call makes the host call of the name at Text with the frame at Text+100.
	call := func(id, flags, name, frame int) Code {
		return Call(FnCall, Const(id), Const(flags), Const(Text), Const(name), Const(Text+100), Const(frame))
	}
	// refused makes a blocking sleep with the frame, and returns the reply's.
	refused := func(frame string) (map[string]Code, string) {
		text := "spore.sleep" + strings.Repeat(" ", 100-len("spore.sleep")) + frame
		return inCall(
			Set(Own, call(1, 1, len("spore.sleep"), len(frame))),
			Call(FnTake, Const(Room)),
			Say(JSON, Const(Room+1), Sub(Get(Own), Const(1)))), text
	}
	var cases []liar
	for _, c := range []struct{ name, frame, want, says string }{
		{"frame of a number", Frame("1"), "json *", "bad_argument"},
		{"frame that is not JSON", Frame("{ms:1}"), "json *", "bad_argument"},
		{"frame without a value", Frame(""), "json *", "bad_argument"},
		{"milliseconds beyond any number", Frame(`{"ms":1e999}`), "json *", "bad_argument"},
		{"milliseconds below zero", Frame(`{"ms":-1e300}`), "json null", ""},
		{"milliseconds of another kind", Frame(`{"ms":[1]}`), "json *", "bad_argument"},
		{"argument nested 30,000 deep", Frame(strings.Repeat("[", 20000) + strings.Repeat("]", 2000)), "json *", "bad_argument"},
		{"frame of seven bytes", "1234567", "trap ABI", "shorter than its header"},
		{"empty frame", "", "trap ABI", "shorter than its header"},
		{"frame with 2³²−1 buffers", U32(0, 0xffffffff), "trap ABI", "buffers"},
		{"frame with 65,536 buffers that are not there", U32(0, 1<<16), "trap ABI", "no room"},
		{"frame whose text is too long", U32(9, 0) + "null", "trap ABI", "inside its JSON"},
		{"frame whose text has 4 GiB", U32(0xffffffff, 0) + "null", "trap ABI", "inside its JSON"},
		{"frame whose buffer is too long", U32(4, 1, 2) + "null" + "x", "trap ABI", "inside buffer 0"},
		{"frame whose lengths add up to 2³²", U32(4, 2, 0x80000000, 0x80000000) + "null", "trap ABI", "inside buffer 0"},
		{"frame with bytes behind its end", U32(4, 0) + "null" + "x", "trap ABI", "1 bytes behind"},
	} {
		attack, text := refused(c.frame)
		cases = append(cases, liar{name: c.name, attack: attack, text: text, want: c.want, says: c.says})
	}
	unknown := func(name string) liar {
		return liar{attack: inCall(
			Set(Own, Call(FnCall, Const(1), Const(1), Const(Text), Const(len(name)), Const(0), Const(0))),
			Call(FnTake, Const(Room)),
			Say(JSON, Const(Room+1), Sub(Get(Own), Const(1)))), text: name, want: "json *", says: "not_granted"}
	}
	add := func(name string, l liar) { l.name = name; cases = append(cases, l) }
	add("name of no bytes", unknown(""))
	add("name that is not UTF-8", unknown("\xff\xfe\x00\"\\"))
	add("name of 20,000 bytes", unknown(strings.Repeat("n", 20000)))
	add("name that looks like sleep", unknown("spore.sleep\x00"))
	add("name and frame are all memory", liar{attack: inCall(
		Set(Own, Call(FnCall, Const(1), Const(0), Const(0), Const(end), Const(0), Const(end))),
		Call(FnTake, Const(Room)), Say(JSON, Const(Room+1), Sub(Get(Own), Const(1)))), want: "json *", says: "not_granted"})
	add("frame of sleep is all memory", liar{text: "spore.sleep", attack: inCall(
		Set(Own, Call(FnCall, Const(1), Const(0), Const(Text), Const(11), Const(0), Const(end))),
		Call(FnTake, Const(Room)), Say(JSON, Const(Room+1), Sub(Get(Own), Const(1)))), want: "json *", says: "bad_argument"})
	for name, args := range map[string][4]int{
		"name outside memory": {-1, 1, 0, 0}, "name that wraps": {16, -1, 0, 0}, "name across the end": {end - 3, 4, 0, 0},
		"frame outside memory": {0, 0, -8, 8}, "frame that wraps": {0, 0, 16, -1}, "frame across the end": {0, 0, end - 7, 8},
		"both of 4 GiB": {0, -1, 0, -1},
	} {
		add(name, liar{attack: inCall(Drop(Call(FnCall, Const(1), Const(0), Const(args[0]), Const(args[1]), Const(args[2]), Const(args[3]))), fine),
			text: "fine", want: "trap Trap", says: "outside memory"})
	}

	sleep := func(id int) Code { return Drop(Sleep(Const(id), Const(0), Const(1))) }
	waiting := Say(PENDING, Const(0), Const(0))
	numbers := "trap ABI"
	add("number 0", liar{attack: inCall(sleep(0), waiting), want: numbers, says: "host call 0"})
	add("number used twice", liar{attack: inCall(sleep(5), sleep(5), waiting), want: numbers, says: "host call 5 comes after 5"})
	add("number used again after it was settled", liar{attack: map[string]Code{"spore_call": Seq(sleep(5), waiting), "spore_settle": Seq(sleep(5), waiting)}, want: numbers})
	add("numbers that count down", liar{attack: inCall(sleep(6), sleep(5), waiting), want: numbers})
	add("number 2³²−1", liar{attack: map[string]Code{"spore_call": Seq(sleep(-1), waiting), "spore_settle": Seq(check(Get(0), -1), check(Get(1), 1), fine)}, text: "fine", want: "text fine"})
	add("no number left", liar{attack: inCall(sleep(-1), sleep(1), waiting), want: numbers})
	add("all flags", liar{attack: inCall(check(Sleep(Const(1), Const(-1), Const(0)), 1+8+4), fine), text: "fine", want: "text fine"})
	add("unknown flags", liar{attack: map[string]Code{"spore_call": Seq(check(Sleep(Const(1), Const(-2), Const(0)), -1), waiting), "spore_settle": fine}, text: "fine", want: "text fine"})

	add("pending without a call", liar{attack: inCall(waiting), want: "trap ABI", says: "never made"})
	add("pending after a blocking call", liar{attack: inCall(Drop(Sleep(Const(1), Const(1), Const(0))), waiting), want: "trap ABI", says: "never made"})
	add("pending after a refused call", liar{attack: inCall(Drop(call(1, 0, 4, 0)), waiting), text: "nope", want: "trap ABI", says: "never made"})
	add("pending again for what is settled", liar{attack: settling(waiting), want: "trap ABI", says: "never made"})
	add("pending with a result", liar{attack: map[string]Code{"spore_call": Seq(sleep(1), Say(PENDING, Const(Text), Const(4))), "spore_settle": fine}, text: "fine", want: "text fine"})
	add("pending with a result of 4 GiB", liar{attack: map[string]Code{"spore_call": Seq(sleep(1), Say(PENDING, Const(8), Const(-1))), "spore_settle": fine}, text: "fine", want: "trap ABI"})
	add("pending for ever", liar{attack: settling(pending()), limits: engine.Limits{HostCalls: 30}, want: "limit HostCalls"})
	add("asleep for ever", liar{attack: map[string]Code{"spore_call": Seq(Drop(Sleep(NewID(), Const(0), Const(99))), waiting), "spore_settle": Seq(Drop(Sleep(NewID(), Const(0), Const(99))), waiting)},
		limits: engine.Limits{CallTime: 250 * time.Millisecond}, want: "limit CallTime"})
	add("done while calls are pending", liar{attack: inCall(sleep(1), sleep(2), fine), text: "fine", want: "text fine"})
	add("settled with an error status", liar{attack: settling(Return(Const(9))), want: "trap ABI", says: "status 9"})
	many := inCall(Times(Own, Const(10_001), Set(Own+1, Sleep(NewID(), Const(0), Const(90)))),
		// The last is refused: its reply is taken and returned.
		If(Eq(Get(Own+1), Const(-1)), Unreachable()),
		Call(FnTake, Const(Room)), Say(JSON, Const(Room+1), Sub(Get(Own+1), Const(1))))
	add("10,001 calls", liar{attack: many, want: "limit HostCalls"})
	add("10,001 calls that are allowed", liar{attack: many, limits: engine.Limits{HostCalls: 20_000}, want: "json *", says: "too_many_calls"})

	add("take before any call", liar{attack: inCall(Store8(Const(Text), Const('f')), Call(FnTake, Const(Text)), fine), text: "xine", want: "text fine"})
	add("take at the very end", liar{attack: inCall(Call(FnTake, Const(end)), fine), text: "fine", want: "text fine"})
	add("take behind the end", liar{attack: inCall(Call(FnTake, Const(end+1)), fine), text: "fine", want: "trap Trap", says: "spore.take"})
	add("take of a pending call", liar{attack: inCall(sleep(1), Call(FnTake, Const(Text)), fine), text: "fine", want: "text fine"})
	add("take twice", liar{attack: inCall(Drop(Sleep(Const(1), Const(1), Const(0))), Call(FnTake, Const(Room)), Call(FnTake, Const(Text)), fine), text: "fine", want: "text fine"})
	add("take with too little room", liar{attack: inCall(Drop(Sleep(Const(1), Const(1), Const(0))), Call(FnTake, Const(end-12)), fine), text: "fine", want: "trap Trap", says: "spore.take"})
	add("take of the call before the last", liar{attack: inCall(Drop(Sleep(Const(1), Const(1), Const(0))), sleep(2), Call(FnTake, Const(Text)), fine), text: "fine", want: "text fine"})
	add("reply kept over a sleep", liar{attack: map[string]Code{
		"spore_call": Seq(sleep(1), Drop(Sleep(Const(2), Const(1), Const(0))), waiting), "spore_settle": Seq(Call(FnTake, Const(Text)), fine)}, text: "fine", want: "text fine"})
	runLiars(t, cases)
}

// TestLiarsInImports: logs, output and WASI with hostile arguments, and floods.
func TestLiarsInImports(t *testing.T) {
	const end, efault, einval, ebadf, enosys = 8 << 16, 21, 28, 8, 52
	fine := answer(TEXT, "fine")
	long := engine.Limits{CallTime: 100 * time.Millisecond}
	var vectors string // 64 times the whole memory
	for range 64 {
		vectors += U32(0, end)
	}
	var nothing string // 64 empty ones
	for range 64 {
		nothing += U32(0, 0)
	}
	clockEvent := strings.Repeat("\x00", 24) + U32(0xffffffff, 0x7fffffff, 0, 0) + strings.Repeat("\x00", 8) // 2⁶³−1 ns
	cases := []liar{
		{name: "log outside memory", attack: inCall(Call(FnLog, Const(0), Const(-4), Const(8)), fine), want: "trap Trap", says: "spore.log"},
		{name: "log of 4 GiB", attack: inCall(Call(FnLog, Const(0), Const(0), Const(-1)), fine), want: "trap Trap", says: "spore.log"},
		{name: "log of all memory", attack: inCall(Call(FnLog, Const(0), Const(0), Const(end)), fine), want: "limit Console"},
		{name: "levels that are none", attack: inCall(Call(FnLog, Const(-1<<31), Const(Text), Const(2)), Call(FnLog, Const(1<<31-1), Const(Text), Const(2)), fine), text: "fine", want: "text fine"},
		{name: "log that is not UTF-8", attack: inCall(Call(FnLog, Const(0), Const(Text+4), Const(4)), fine), text: "fine\xff\xfe\x00\x80", want: "text fine"},
		{name: "flood of logs", attack: inCall(Forever(Call(FnLog, Const(0), Const(Text), Const(3)))), want: "limit Console"},
		{name: "flood of empty logs", attack: inCall(Forever(Call(FnLog, Const(0), Const(0), Const(0)))), want: "limit Console"},
		{name: "flood of output", attack: inCall(Forever(Drop(Call(FnWrite, Const(1), Const(Text), Const(64), Const(Room))))), text: vectors, want: "limit Console"},
		{name: "flood of output that is empty", limits: long, attack: inCall(Forever(Drop(Call(FnWrite, Const(2), Const(Text), Const(64), Const(Room))))), text: nothing, want: "limit CallTime"},
		{name: "output to other descriptors", attack: inCall(check(Call(FnWrite, Const(0), Const(Text), Const(1), Const(Room)), ebadf), check(Call(FnWrite, Const(-1), Const(Text), Const(1), Const(Room)), ebadf), fine), text: "fine", want: "text fine"},
		{name: "output with bad vectors", attack: inCall(
			check(Call(FnWrite, Const(1), Const(Text), Const(-1), Const(Room)), einval),
			check(Call(FnWrite, Const(1), Const(Text), Const(65), Const(Room)), einval),
			check(Call(FnWrite, Const(1), Const(end-8), Const(2), Const(Room)), efault),
			check(Call(FnWrite, Const(1), Const(Text+8), Const(1), Const(Room)), efault),
			check(Call(FnWrite, Const(1), Const(Text), Const(0), Const(end-3)), efault), fine), text: "fine----" + U32(end-1, 2), want: "text fine"},
		{name: "random bytes", attack: inCall(
			check(Call(FnRandom, Const(end-8), Const(9)), efault), check(Call(FnRandom, Const(0), Const(-1)), efault),
			check(Call(FnRandom, Const(-1), Const(1)), efault), check(Call(FnRandom, Const(Room), Const(end-Room)), 0), fine), text: "fine", want: "text fine"},
		{name: "flood of random bytes", limits: long, attack: inCall(Forever(Drop(Call(FnRandom, Const(Room), Const(end-Room))))), want: "limit CallTime"},
		{name: "flood of few random bytes", limits: long, attack: inCall(Forever(Drop(Call(FnRandom, Const(Room), Const(4095))))), want: "limit CallTime"},
		{name: "all memory random", attack: inCall(Drop(Call(FnRandom, Const(0), Const(end))), Return(Const(JSON))), want: "trap ABI"},
		{name: "clocks", attack: inCall(check(Call(FnClock, Const(-1), Const64(-1), Const(Room)), 0), check(Call(FnClock, Const(0), Const64(0), Const(end-7)), efault), fine), text: "fine", want: "text fine"},
		{name: "flood of clocks", limits: long, attack: inCall(Forever(Drop(Call(FnClock, Const(0), Const64(0), Const(Room))))), want: "limit CallTime"},
		{name: "poll of bad subscriptions", attack: inCall(
			check(Call(FnPoll, Const(Text), Const(Room), Const(0), Const(Room)), einval), check(Call(FnPoll, Const(Text), Const(Room), Const(-1), Const(Room)), einval),
			check(Call(FnPoll, Const(end-47), Const(Room), Const(1), Const(Room)), efault), check(Call(FnPoll, Const(Text), Const(end-31), Const(1), Const(Room)), efault), fine), text: "fine", want: "text fine"},
		{name: "poll for an age", limits: long, attack: inCall(Drop(Call(FnPoll, Const(Text), Const(Room), Const(1), Const(Room+100))), fine), text: clockEvent, want: "limit CallTime"},
		{name: "sleep for an age", limits: long, attack: inCall(Forever(Drop(Sleep(NewID(), Const(1), Const(99))))), want: "limit CallTime"},
		{name: "files", attack: inCall(
			check(Call(FnOpen, Const(3), Const(0), Const(Text), Const(4), Const(0), Const64(-1), Const64(-1), Const(0), Const(Room)), enosys),
			check(Call(FnRead, Const(3), Const(0), Const(1), Const(Room)), ebadf), check(Call(FnRead, Const(0), Const(-1), Const(-1), Const(Room)), 0),
			check(Call(FnSeek, Const(1), Const64(-1<<63), Const(2), Const(-1)), 70), check(Call(FnFdstat, Const(1), Const(end-23)), efault), fine), text: "fine", want: "text fine"},
		{name: "arguments and environment", attack: inCall(
			check(Call(FnArgsSizes, Const(-1), Const(Room)), efault), check(Call(FnArgsSizes, Const(Room), Const(-4)), efault),
			check(Call(FnArgsSizes, Const(Room), Const(Room+4)), 0), check(Load(Const(Room)), 0), check(Call(FnEnviron, Const(-1), Const(-1)), 0), fine), text: "fine", want: "text fine"},
		{name: "exit with any code", attack: inCall(Call(FnExit, Const(-1))), want: "exit Exit", says: "4294967295"},
		{name: "flood of ticks", limits: long, attack: inCall(Forever(Drop(Call(FnTick)))), want: "limit CallTime"},
		{name: "flood of refused calls", attack: inCall(Forever(Drop(Call(FnCall, NewID(), Const(0), Const(0), Const(end), Const(0), Const(end))))), want: "limit HostCalls", allocates: 100 << 20},
		{name: "flood of takes", limits: long, attack: inCall(Forever(Call(FnTake, Const(0)))), want: "limit CallTime"},
	}
	runLiars(t, cases)
}
