package engine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sporeengine/spore/engine"
	. "github.com/sporeengine/spore/engine/internal/wasmtest"
)

// TestLiarsInResults: frames, texts and errors that are not what they say.
func TestLiarsInResults(t *testing.T) {
	var cases []liar
	says := func(status int, name, result, want, says string) *liar {
		// Results that are too long for a data segment there go behind the rest.
		at := Text
		if len(result) > 20<<10 {
			at = Free
		}
		l := liar{name: name, want: want, says: says, attack: inCall(Say(status, Const(at), Const(len(result))))}
		l.change = func(m *Module) { m.Data = append(m.Data, Data{At: uint32(at), Bytes: result}) }
		cases = append(cases, l)
		return &cases[len(cases)-1]
	}
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	cases = make([]liar, 0, 200) // says returns pointers into it

	for name, text := range map[string]string{
		"a lone continuation byte": "\x80", "an overlong NUL": "a\xc0\x80", "a surrogate": "\xed\xa0\x80", "a character cut off": "ok\xe2\x82",
		"beyond Unicode": "\xf4\x90\x80\x80", "UTF-16": "\xff\xfeo\x00",
	} {
		says(TEXT, "text with "+name, text, "trap ABI", "UTF-8")
	}
	says(TEXT, "text with a NUL", "a\x00b", "text a\x00b", "")
	says(TEXT, "text with controls and a mark", "\ufeff\x1b[31m", "text \ufeff\x1b[31m", "")
	says(TEXT, "text of nothing", "", "text ", "")

	for _, c := range []struct{ name, frame, want, says string }{
		{"no bytes", "", "trap ABI", "header"},
		{"seven bytes", "\x00\x00\x00\x00\x00\x00\x00", "trap ABI", "header"},
		{"no value", U32(0, 0), "json null", ""},
		{"no value but a buffer", U32(0, 1, 2) + "ab", "trap ABI", "refer to its buffer 0"},
		{"a text that is not there", U32(100, 0) + "null", "trap ABI", "inside its JSON"},
		{"a text of 4 GiB", U32(0xffffffff, 0) + "null", "trap ABI", "inside its JSON"},
		{"buffers of 4 GiB", U32(4, 1, 0xffffffff) + "null", "trap ABI", "inside buffer 0"},
		{"buffers that wrap", U32(4, 2, 0xffffffff, 5) + "nullabcd", "trap ABI", "inside buffer 0"},
		{"2³²−1 buffers", U32(4, 0xffffffff) + "null", "trap ABI", "buffers"},
		{"2³⁰ buffers, whose lengths wrap", U32(4, 1<<30) + "null", "trap ABI", "buffers"},
		{"65,537 empty buffers", U32(4, 1<<16+1) + strings.Repeat("\x00", 4<<16+4) + "null", "trap ABI", "buffers"},
		{"65,536 empty buffers that nobody wants", U32(4, 1<<16) + strings.Repeat("\x00", 4<<16) + "null", "trap ABI", "refer to its buffer 0"},
		{"a buffer", framed(`[{"$bytes":0}]`, "ab"), `json [{"$bytes":0}]`, ""},
		{"two buffers", framed(`[{"$bytes":1},{"$bytes" : 0}]`, "a", "bb"), `json [{"$bytes":1},{"$bytes" : 0}]`, ""},
		{"a buffer that is not there", Frame(`{"$bytes":0}`), "trap ABI", "reference"},
		{"a buffer that is not there, escaped", Frame(`{"\u0024bytes":0}`), "trap ABI", "reference"},
		{"the same buffer twice", framed(`[{"$bytes":0},{"$bytes":0}]`, "a"), "trap ABI", "reference"},
		{"a buffer and more", framed(`{"$bytes":0,"a":1}`, "a"), "trap ABI", "reference"},
		{"a buffer that is no number", framed(`{"$bytes":"0"}`, "a"), "trap ABI", "reference"},
		{"buffer −1", framed(`{"$bytes":-1}`, "a"), "trap ABI", "reference"},
		{"buffer 2⁶⁴", framed(`{"$bytes":18446744073709551616}`, "a"), "trap ABI", "reference"},
		{"two buffers, one wanted", framed(`{"$bytes":0}`, "a", "b"), "trap ABI", "refer to its buffer 1"},
		{"a value that looks like a buffer", Frame(`["$bytes",":"]`), `json ["$bytes",":"]`, ""},
		{"a byte too many", Frame("null") + "x", "trap ABI", "behind its last buffer"},
		{"text that is not JSON", Frame("nul"), "trap ABI", "not JSON"},
		{"two values", Frame("1 2"), "trap ABI", "not JSON"},
		{"white space", Frame("  "), "trap ABI", "not JSON"},
		{"a comma too many", Frame("[1,]"), "trap ABI", "not JSON"},
		{"NaN", Frame("NaN"), "trap ABI", "not JSON"},
		{"a NUL", Frame("null\x00"), "trap ABI", "not JSON"},
		{"a control character in a string", Frame("\"\x01\""), "trap ABI", "not JSON"},
		{"bytes that are not UTF-8", Frame("\"\xff\""), "trap ABI", "not JSON"},
		{"half a surrogate", Frame(`"\ud800"`), `text "\ud800"`, ""},
		{"a number that no float holds", Frame("1e99999"), "json 1e99999", ""},
		{"a number of 10,000 digits", Frame(strings.Repeat("9", 10_000)), "json *", ""},
		{"keys that are there twice", Frame(`{"a":1,"a":2}`), `json {"a":1,"a":2}`, ""},
		{"a key that is dangerous elsewhere", Frame(`{"__proto__":{"x":1}}`), `json {"__proto__":{"x":1}}`, ""},
		{"1,000 levels", Frame(deep(1000)), "json *", ""},
		{"1,001 levels", Frame(deep(1001)), "limit Depth", ""},
		{"100,000 levels that do not end", Frame(strings.Repeat("[", 100_000)), "limit Depth", ""},
		{"50,000 levels of objects", Frame(strings.Repeat(`{"":`, 50_000)), "limit Depth", ""},
		{"brackets that close only", Frame(strings.Repeat("]", 100_000)), "trap ABI", "not JSON"},
		{"brackets in a string that does not end", Frame(`"` + strings.Repeat("[", 100_000)), "trap ABI", "not JSON"},
	} {
		says(JSON, "frame with "+c.name, c.frame, c.want, c.says)
	}
	million := says(JSON, "frame with 1,000,000 levels", Frame(deep(1_000_000)), "limit Depth", "")
	million.change = nil
	million.limits = engine.Limits{Output: 3 << 20}
	million.attack = inCall(Drop(Grow(Const(40))), Fill(Const(Free), Const('['), Const(1_000_000)), Fill(Const(Free+1_000_000), Const(']'), Const(1_000_000)),
		Store(Const(Free-8), Const(2_000_000)), Store(Const(Free-4), Const(0)), Say(JSON, Const(Free-8), Const(2_000_008)))

	fails := func(name, e, want, text string) { says(ERROR, "error with "+name, e, want, text) }
	fails("no bytes", "", "trap ABI", "not JSON")
	fails("another kind", `{"kind":"fine"}`, "trap ABI", "unknown kind")
	fails("no kind", `{"message":"m"}`, "trap ABI", "unknown kind")
	fails("a kind of 10,000 bytes", `{"kind":"`+strings.Repeat("k", 10_000)+`"}`, "trap ABI", "unknown kind")
	fails("text that is not JSON", `{"kind":"error"`, "trap ABI", "not JSON")
	for _, e := range []string{"null", "[]", "1", `"error"`} {
		want := "trap ABI"
		fails("the value "+e, e, want, "")
	}
	for field, value := range map[string]string{
		"kind": "1", "name": "{}", "message": "[1]", "stack": "{}", "trace": "7", "diagnostics": `"x"`, "host": "-1",
	} {
		e := fmt.Sprintf(`{"kind":"error",%q:%s}`, field, value)
		fails("a wrong type of "+field, e, "trap ABI", "not JSON")
	}
	fails("a line that is a text", `{"kind":"error","stack":[{"line":"1"}]}`, "trap ABI", "")
	fails("a line beyond any number", `{"kind":"error","stack":[{"line":1e40}]}`, "trap ABI", "")
	fails("a line with a fraction", `{"kind":"error","stack":[{"line":1.5}]}`, "trap ABI", "")
	fails("an exponent that explodes", `{"kind":"error","stack":[{"line":1e999999999}]}`, "trap ABI", "")
	fails("30,000 levels", `{"kind":"error","x":`+strings.Repeat("[", 30_000)+strings.Repeat("]", 30_000)+`}`, "trap ABI", "")
	fails("65,537 bytes", `{"kind":"error","message":"`+strings.Repeat("m", 65_537)+`"}`, "trap ABI", "")
	fails("bytes that are not UTF-8", "{\"kind\":\"error\",\"message\":\"\xff\xfe\"}", "error", "\ufffd")
	fails("half a surrogate", `{"kind":"error","message":"\ud800"}`, "error", "\ufffd")
	fails("a NUL", `{"kind":"error","name":"E\u0000","message":"a\u0000b"}`, "error E\x00", "a\x00b")
	fails("everything twice", `{"kind":"syntax","kind":"error","message":"1","message":"2"}`, "error", "2")
	fails("keys in capitals", `{"KIND":"error","MESSAGE":"m"}`, "error", "m")
	fails("kind syntax", `{"kind":"syntax","message":"m"}`, "trap ABI", "syntax")
	fails("kind memory", `{"kind":"memory"}`, "limit Memory", "")
	fails("kind exit", `{"kind":"exit","message":"m"}`, "exit", "m")
	fails("kind abi", `{"kind":"abi","message":"m"}`, "trap ABI", "m")
	fails("the host's number", `{"kind":"error","host":4294967295,"message":"m"}`, "error", "m")
	runLiars(t, cases)
}

// framed is a frame of text and buffers.
func framed(text string, buffers ...string) string {
	words := []uint32{uint32(len(text)), uint32(len(buffers))}
	for _, b := range buffers {
		words = append(words, uint32(len(b)))
	}
	return U32(words...) + text + strings.Join(buffers, "")
}

// TestErrorsAreTidied: what a guest says of an error keeps within the bounds of
// the ABI, and positions are positions.
func TestErrorsAreTidied(t *testing.T) {
	frames := strings.Repeat(`{"func":"f","file":"g","line":-5,"column":-9223372036854775808},`, 900)
	for _, when := range []string{"call", "load"} {
		kind := map[string]string{"call": "error", "load": "syntax"}[when]
		list := map[string]string{"call": "stack", "load": "diagnostics"}[when]
		text := fmt.Sprintf(`{"kind":%q,"message":"m",%q:[%s{}]}`, kind, list, frames)
		if !json.Valid([]byte(text)) || len(text) > 64<<10 {
			t.Fatalf("error of %d bytes", len(text))
		}
		e := newRaw(t, Guest{
			Attack: on("spore_"+when, Say(ERROR, Const(Free), Const(len(text)))),
			Data:   []Data{{At: Free, Bytes: text}},
		}, engine.Config{})
		var err error
		if when == "load" {
			_, err = e.Compile(t.Context(), engine.Source{Language: "raw", Code: []byte("!")})
		} else {
			_, err = compileRaw(t, e, "calm").Render(t.Context(), "attack", nil)
		}
		switch err := err.(type) {
		case *engine.GuestError:
			if when != "call" || len(err.Stack) != 64 || err.Stack[0] != (engine.Frame{Func: "f", File: "g"}) {
				t.Errorf("%s: %d frames, the first %+v", when, len(err.Stack), err.Stack[0])
			}
		case *engine.SourceError:
			if d := err.Diagnostics[0]; when != "load" || len(err.Diagnostics) != 64 || d.Line != 0 || d.Column != 0 {
				t.Errorf("%s: %d diagnostics, the first %+v", when, len(err.Diagnostics), d)
			}
		default:
			t.Errorf("%s: %v", when, err)
		}
	}
}
