package engine_test

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"runtime"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sporeengine/spore/engine"
	. "github.com/sporeengine/spore/engine/internal/wasmtest"
)

// Where the guest of FuzzGuestABI puts what the fuzzer says.
const (
	puppetStatus = Free       // of spore_call, and 4 behind it of spore_settle
	puppetCalls  = Free + 8   // number of host calls that spore_call makes
	puppetMask   = Free + 12  // which words of the control block are overwritten; 0x80: spore_settle makes the calls too
	puppetWords  = Free + 16  // with what
	puppetCall   = Free + 64  // the host calls, six words each
	puppetResult = Free + 960 // the result, up to the end of the memory
	maxPuppet    = 37         // host calls
)

// puppet is a guest that returns what the fuzzer says: its props are the bytes
// to put at Free, as a string of hexadecimal digits.
func puppet() Guest {
	const text, n, at, to, digit, k = 3, 4, Own, Own + 1, Own + 2, Own + 3
	nibble := func(off int) Code {
		return Seq(Set(digit, Sub(Load8(Add(Get(at), Const(off))), Const('0'))),
			If(Lt(Const(9), Get(digit)), Set(digit, Sub(Get(digit), Const('a'-'0'-10)))))
	}
	perform := func(status int) Code {
		return Seq(
			Set(at, Const(puppetCall)),
			Times(k, Load(Const(puppetCalls)),
				Set(to, Call(FnCall, Load(Get(at)), Load(Add(Get(at), Const(4))), Load(Add(Get(at), Const(8))),
					Load(Add(Get(at), Const(12))), Load(Add(Get(at), Const(16))), Load(Add(Get(at), Const(20))))),
				// Every other reply is taken, to where the frame was.
				If(And(Get(k), Const(1)), Call(FnTake, Load(Add(Get(at), Const(16))))),
				Set(at, Add(Get(at), Const(24)))),
			Set(k, Const(0)),
			While(Lt(Get(k), Const(7)),
				If(And(Shr(Load(Const(puppetMask)), Get(k)), Const(1)),
					Store(Add(Const(Control), Shl(Get(k), Const(2))), Load(Add(Const(puppetWords), Shl(Get(k), Const(2)))))),
				Set(k, Add(Get(k), Const(1)))),
			Return(Load(Const(status))))
	}
	return Guest{Attack: map[string]Code{
		"spore_call": Seq(
			Set(at, Add(Get(text), Const(1))), Set(to, Const(Free)),
			While(Lt(Get(at), Sub(Add(Get(text), Get(n)), Const(1))),
				nibble(0), Set(k, Shl(Get(digit), Const(4))),
				nibble(1), Store8(Get(to), Add(Get(k), Get(digit))),
				Set(at, Add(Get(at), Const(2))), Set(to, Add(Get(to), Const(1)))),
			perform(puppetStatus)),
		"spore_settle": Seq(
			If(Not(And(Load(Const(puppetMask)), Const(0x80))), Store(Const(puppetCalls), Const(0))),
			perform(puppetStatus+4)),
	}}
}

// FuzzGuestABI lets a guest return whatever the fuzzer says: control block,
// result, status and host calls. The engine returns a valid result or a typed
// error, in time and memory that are in proportion, and the next render is right.
func FuzzGuestABI(f *testing.F) {
	e := newRaw(f, puppet(), engine.Config{
		Workers: 1, VerifyReset: true, Log: slog.New(slog.DiscardHandler),
		Limits: engine.Limits{Memory: 2 << 20, CallTime: 10 * time.Second, Output: 256 << 10, HostCalls: 200},
	})
	// The name and the frames of sleeps, which every guest has.
	sleep := func(id, flags, ms uint32) string { return U32(id, flags, Frames-16, 11, Frames+32*ms, 17) }
	const trueResult = 0
	add := func(status, settled uint32, mask uint8, words, calls, result string) {
		f.Add(status, settled, mask, []byte(words), []byte(calls), []byte(result))
	}
	add(JSON, JSON, trueResult, "", "", Frame(`{"a":[1,2.5e3,"x"]}`))
	add(JSON, JSON, trueResult, "", "", framed(`[{"$bytes":1},{"$bytes":0}]`, "a", "bb"))
	add(TEXT, TEXT, trueResult, "", "", "<p>text</p>")
	add(ERROR, JSON, trueResult, "", "", `{"kind":"error","name":"E","message":"m","stack":[{"func":"f","file":"a.js","line":1,"column":2}],"trace":"t"}`)
	add(ERROR, JSON, trueResult, "", "", `{"kind":"syntax","diagnostics":[{"file":"a","line":3}]}`)
	add(PENDING, TEXT, trueResult, "", sleep(1, 0, 5)+sleep(2, 1, 1), "fine")
	add(PENDING, PENDING, 0x80, "", sleep(1, 0, 0), "")
	add(PENDING, PENDING, trueResult, "", sleep(1, 0, 0), "")
	add(PENDING, ERROR, trueResult, "", sleep(1, 0, 9)+sleep(7, 0, 3), `{"kind":"stuck","message":"m"}`)
	add(JSON, JSON, 0x7f, U32(1, Input, 64<<10, 8<<16-1, 2, 0, 0), "", "")
	add(JSON, JSON, 0x18, U32(0, 0, 0, 0xfffffff0, 0x20), "", "")
	add(TEXT, JSON, 0x06, U32(0, 0xffffffff, 0xffffffff), U32(1, 0, 0, 8<<16, 0, 8<<16), "")
	add(77, 0xffffffff, trueResult, "", U32(0, 0xffffffff, 8<<16, 1, 0xffffffff, 0xffffffff), "")

	f.Fuzz(func(t *testing.T, status, settled uint32, mask uint8, words, calls, result []byte) {
		calls = calls[:min(len(calls)/24, maxPuppet)*24]
		result = result[:min(len(result), 8<<16-puppetResult)]
		ctl := make([]byte, 28)
		copy(ctl, words)
		if mask == trueResult {
			mask = 1<<(CtlResult/4) | 1<<(CtlResultLen/4)
			binary.LittleEndian.PutUint32(ctl[CtlResult:], puppetResult)
			binary.LittleEndian.PutUint32(ctl[CtlResultLen:], uint32(len(result)))
		}
		data := make([]byte, puppetResult-Free, puppetResult-Free+len(result))
		copy(data, U32(status, settled, uint32(len(calls)/24), uint32(mask)))
		copy(data[puppetWords-Free:], ctl)
		copy(data[puppetCall-Free:], calls)
		props := hex.EncodeToString(append(data, result...))

		c, err := e.Compile(t.Context(), engine.Source{Language: "raw", Code: []byte("calm")})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		res, err := c.Render(t.Context(), props, &engine.Options{Fixed: &engine.Fixed{}})
		took := time.Since(begin)
		runtime.ReadMemStats(&after)
		o := outcomeOf(res, err)
		t.Logf("%.200q", o.long)
		if o.short == "untyped" || o.short == "source" {
			t.Fatalf("ended with %s", o.long)
		}
		if err := checkError(err); err != nil {
			t.Fatal(err)
		}
		if err == nil && (!json.Valid(res.JSON()) || !utf8.Valid(res.JSON()) || len(res.Text()) > 256<<10) {
			t.Fatalf("result is %q", clip(res.Text()))
		}
		if took > 20*time.Second {
			t.Fatalf("took %v", took)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > liarAlloc {
			t.Fatalf("allocated %d bytes for props of %d", n, len(props))
		}
		if got := render(t, c, map[string]int{"n": 7}, nil); got != `{"n":7}` {
			t.Fatalf("next render is %q", got)
		}
	})
}
