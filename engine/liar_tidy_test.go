package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	. "github.com/sporeengine/spore/engine/internal/wasmtest"
)

// TestLiarsThatDoNotTidy: what a guest does when it is to forget what nobody needs is bounded as its calls are. If it goes
// wrong the call is taken back, and the instance is what it was.
func TestLiarsThatDoNotTidy(t *testing.T) {
	attack := func(code ...Code) map[string]Code { return on("spore_tidy", code...) }
	short := engine.Limits{CallTime: 50 * time.Millisecond}
	ctl := func(offset, v int) Code { return Store(Const(Control+offset), Const(v)) }
	for _, l := range []liar{
		{name: "trap", attack: attack(Unreachable()), want: "trap Trap*"},
		{name: "never ends", limits: short, attack: attack(Forever(nil)), want: "limit CallTime"},
		{name: "uses up the fuel", limits: engine.Limits{Fuel: 1 << 22}, attack: attack(Forever(nil)), want: "limit Fuel"},
		{name: "recursion", attack: attack(Drop(Call(FnRecurse, Const(1<<30)))), want: "limit Stack", allocates: 300 << 20},
		{name: "text", text: "text", attack: attack(answer(TEXT, "text")), want: "trap ABI"},
		{name: "a result", text: "1234", attack: attack(answer(JSON, "1234")), want: "trap ABI"},
		{name: "pending", attack: attack(Say(PENDING, Const(0), Const(0))), want: "trap ABI"},
		{name: "no status", attack: attack(Return(Const(99))), want: "trap ABI"},
		{name: "result outside", attack: attack(Say(JSON, Const(0), Const(-1))), want: "trap ABI"},
		{name: "control block broken", attack: attack(ctl(CtlInputCap, -1), Done()), want: "trap ABI"},
		{name: "starts a call", attack: attack(Drop(Sleep(NewID(), Const(0), Const(1))), Done()), want: "trap ABI"},
		{name: "sleeps", attack: attack(Drop(Sleep(NewID(), Const(1), Const(1))), Done()), want: "trap ABI"},
	} {
		t.Run(l.name, func(t *testing.T) {
			e := l.engine(t)
			c, err := e.Compile(t.Context(), engine.Source{Language: "raw", Name: "liar", Code: []byte("calm")})
			require.NoError(t, err)
			defer c.Close()
			in, err := c.Open(t.Context(), nil)
			require.NoError(t, err)
			defer in.Close()
			require.Equal(t, `{"n":7}`, text(t, in, "render", props{"n": 7}))
			before := captured(t, in)
			for range 2 {
				l.judge(t, e, func(ctx context.Context) (*engine.Result, error) { return in.Call(ctx, "render", "attack") })
				require.Equal(t, before, captured(t, in), "taken back")
			}
			require.Equal(t, `{"n":8}`, text(t, in, "render", props{"n": 8}))
			require.Zero(t, e.Stats().BadResets)
		})
	}
}
