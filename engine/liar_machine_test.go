package engine_test

import (
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	. "github.com/sporeengine/spore/engine/internal/wasmtest"
)

// TestLiarsInTheMachine: traps of every kind, growth, and loops of expensive
// instructions.
func TestLiarsInTheMachine(t *testing.T) {
	const end = 8 << 16
	const most = 64 // pages that the limit of 4 MiB allows
	fine := answer(TEXT, "fine")
	short := engine.Limits{CallTime: 100 * time.Millisecond}
	cases := make([]liar, 0, 200) // add returns pointers into it
	add := func(name, want string, attack map[string]Code) *liar {
		cases = append(cases, liar{name: name, want: want, attack: attack, text: "fine"})
		return &cases[len(cases)-1]
	}
	loop := func(name, want string, code ...Code) { add(name, want, inCall(Forever(code...))).limits = short }

	for name, code := range map[string]Code{
		"unreachable":                   Unreachable(),
		"division by zero":              Drop(Div(Const(1), Const(0))),
		"division that overflows":       Drop(DivSigned(Const(-1<<31), Const(-1))),
		"truncation of infinity":        Drop(Truncate(ConstF64(1e300))),
		"load behind the end":           Drop(Load(Const(end))),
		"load across the end":           Drop(Load(Const(end - 3))),
		"load at 4 GiB":                 Drop(Load8(Const(-1))),
		"store behind the end":          Store8(Const(end), Const(1)),
		"store across the end":          Store(Const(end-1), Const(1)),
		"fill across the end":           Fill(Const(end-4), Const(1), Const(5)),
		"fill of 4 GiB":                 Fill(Const(0), Const(1), Const(-1)),
		"copy from behind the end":      Copy(Const(0), Const(end-4), Const(5)),
		"copy that wraps":               Copy(Const(-1), Const(0), Const(-1)),
		"indirect call behind table":    CallIndirect(TypeVoid, Const(2)),
		"indirect call far behind":      CallIndirect(TypeVoid, Const(-1)),
		"indirect call of another type": CallIndirect(TypeVoid, Const(0)),
	} {
		add(name, "trap Trap", inCall(code))
		add(name+" after a sleep", "trap Trap", settling(code))
	}
	add("indirect call of the right type", "text fine", inCall(CallIndirect(TypeVoid, Const(1)), fine))
	for _, l := range []*liar{
		add("recursion", "limit Stack", inCall(Drop(Call(FnRecurse, Const(-1))))),
		add("deep recursion and a trap", "trap Trap", inCall(Drop(Call(FnRecurse, Const(200_000))), Unreachable())),
		add("deep recursion and back", "text fine", inCall(Drop(Call(FnRecurse, Const(200_000))), fine)),
	} {
		l.allocates = 400 << 20 // wazero doubles and copies the stack
	}

	add("growth to the limit", "text fine", inCall(check(Grow(Const(most-8)), 8), check(Size(), most), fine))
	add("growth beyond the limit", "text fine", inCall(check(Grow(Const(most-7)), -1), check(Size(), 8), fine))
	add("growth by 4 GiB", "text fine", inCall(check(Grow(Const(65535)), -1), check(Grow(Const(-1)), -1), check(Grow(Const(1<<16-8)), -1), fine))
	add("growth by nothing", "text fine", inCall(check(Grow(Const(0)), 8), fine))
	add("growth beyond the limit, then a trap", "limit Memory", inCall(Drop(Grow(Const(most))), Unreachable()))
	add("growth page by page", "text fine", inCall(While(Not(Eq(Grow(Const(1)), Const(-1)))), check(Size(), most), fine))
	add("all of the grown memory dirty", "text fine", inCall(Drop(Grow(Const(most-8))), Fill(Const(Free), Const(0xee), Const(most<<16-Free)), fine))
	add("grown memory that is not zero", "text fine", inCall(Drop(Grow(Const(most-8))),
		Set(Own, Const(end)), While(Lt(Get(Own), Const(most<<16)), check(Load(Get(Own)), 0), Set(Own, Add(Get(Own), Const(4)))), fine))
	add("result in grown memory", "text fine", inCall(Drop(Grow(Const(2))), Copy(Const(end+65530), Const(Text), Const(4)), Say(TEXT, Const(end+65530), Const(4))))
	add("result where memory did not grow", "trap ABI", inCall(Drop(Grow(Const(2))), Say(TEXT, Const(end+2<<16-3), Const(4))))
	add("control block kept, memory grown while asleep", "text fine", map[string]Code{
		"spore_call": pending(), "spore_settle": Seq(Drop(Grow(Const(most-8))), Copy(Const(most<<16-4), Const(Text), Const(4)), Say(TEXT, Const(most<<16-4), Const(4)))})
	add("host calls in grown memory", "text fine", inCall(Drop(Grow(Const(1))), Copy(Const(end+100), Const(Frames-16), Const(11)), Copy(Const(end+200), Const(Frames), Const(32)),
		Drop(Call(FnCall, NewID(), Const(1), Const(end+100), Const(11), Const(end+200), Const(17))), Drop(Grow(Const(1))), Call(FnTake, Const(end+1<<16)),
		check(Load8(Const(end+1<<16)), 1), fine))
	grows := add("growth in each settle", "text fine", map[string]Code{
		"spore_call": pending(), "spore_settle": Seq(If(Eq(Grow(Const(4)), Const(-1)), check(Size(), most), fine), pending())})
	grows.limits = engine.Limits{CallTime: 20 * time.Second}
	add("growth before and after a reply is taken", "text fine", inCall(Drop(Sleep(NewID(), Const(1), Const(0))), Drop(Grow(Const(4))), Call(FnTake, Const(end)), check(Load8(Const(end)), 1), fine))

	loop("growth that is refused, for ever", "limit CallTime", Drop(Grow(Const(-1))))
	loop("growth by nothing, for ever", "limit CallTime", Drop(Grow(Const(0))))
	loop("fill of all memory, for ever", "limit CallTime", Fill(Const(Free), Const(0), Const(end-Free)))
	loop("copy of all memory, for ever", "limit CallTime", Copy(Const(Free), Const(Free+1), Const(end-Free-1)))
	loop("a page more and all of it filled", "limit CallTime", Drop(Grow(Const(1))), Fill(Const(Free), Const(1), Sub(Mul(Size(), Const(1<<16)), Const(Free))))
	add("no fuel", "limit Fuel", inCall(Forever())).limits = engine.Limits{Fuel: 300_000}
	add("ticks do not give fuel", "limit Fuel", inCall(Forever(Drop(Call(FnTick))))).limits = engine.Limits{Fuel: 300_000}

	// Calls without a loop: two of each, fifty deep.
	tree := add("a tree of calls", "limit CallTime", inCall(Drop(Call(FnOwn, Const(50)))))
	tree.limits = short
	tree.change = func(m *Module) {
		m.Funcs = append(m.Funcs, Func{Type: Type{Params: []byte{I32}, Results: []byte{I32}}, Body: Seq(
			If(Not(Get(0)), Return(Const(1))),
			Add(Call(FnOwn, Sub(Get(0), Const(1))), Call(FnOwn, Sub(Get(0), Const(1)))))})
	}
	runLiars(t, cases)
}
