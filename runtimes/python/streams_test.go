package python

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// null answers every call with null.
func null(hostCall) (any, bool) { return json.RawMessage("null"), true }

const streams = `
import asyncio, spore
from markupsafe import Markup

async def parts(p):
    for i in range(p): yield i
async def markup():
    yield Markup("<b>")
    yield {"raw": b"\x00\xff"}
    yield "text"
    yield None
def plain(p):
    for i in range(p): yield i
    return {"parts":p}
def delegating():
    n = yield from plain(2)
    yield n["parts"]
    return "end"
async def returns_generator(p): return parts(p)
async def returns_plain(p): return plain(p)
async def by_hand(p):
    for i in range(p): await spore.emit(i)
    return "end"
def by_hand_sync(p):
    for i in range(p): spore.emit_sync(i)
    return Markup("<i>end</i>")

closed = []
async def fails(p):
    try:
        yield 1
        raise ValueError("in the middle")
    finally:
        closed.append("async")
async def cleans_up():
    try:
        yield 1
        yield 2
    finally:
        await asyncio.sleep(0)
        closed.append("cleaned")
def fails_plain():
    try:
        yield 1
        yield object()
    finally:
        closed.append("plain")
def render(p): return closed
async def yields_strange(): yield object()
def endless():
    n = 0
    while True:
        yield n
        n += 1
class Iterable:
    def __iter__(self): return iter([1])
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return "awaited"
def awaitable(): return Iterable()
def swallows():
    for i in range(3):
        try:
            yield i
        except BaseException as e:
            closed.append(type(e).__name__)
            yield "more"
async def concurrent():
    async def some(name):
        for i in range(2): await spore.emit(f"{name}{i}")
    await asyncio.gather(some("a"), some("b"))
`

// drain answers what waits until the call ends, and returns the arguments of spore.emit.
func (g *guest) drain(e end) (emitted []string, last end) {
	g.t.Helper()
	for range 1000 {
		if e.status != statusPending {
			return emitted, e
		}
		require.NotEmpty(g.t, g.waiting())
		id := uint32(0)
		for n := range g.pending {
			if id == 0 || n < id {
				id = n
			}
		}
		if g.pending[id].name == "spore.emit" {
			emitted = append(emitted, g.pending[id].arg)
		}
		e = g.settle(id, json.RawMessage("null"))
	}
	require.Fail(g.t, "the call does not end")
	return nil, e
}

func TestStreams(t *testing.T) {
	g := newGuest(t, streams)
	for _, c := range []struct {
		function string
		arg      any
		parts    string
		status   uint32
		result   string
	}{
		{"parts", 3, `[0 1 2]`, statusJSON, "null"},
		{"parts", 0, `[]`, statusJSON, "null"},
		{"markup", nil, `["<b>" {"raw":{"$bytes":0}} "text" null]`, statusJSON, "null"},
		{"plain", 2, `[0 1]`, statusJSON, `{"parts":2}`},
		{"delegating", nil, `[0 1 2]`, statusText, "end"},
		{"returns_generator", 2, `[0 1]`, statusJSON, "null"},
		{"returns_plain", 1, `[0]`, statusJSON, `{"parts":1}`},
		{"by_hand", 2, `[0 1]`, statusText, "end"},
		{"concurrent", nil, `["a0" "b0" "a1" "b1"]`, statusJSON, "null"},
		{"awaitable", nil, `[]`, statusText, "awaited"},
		{"cleans_up", nil, `[1 2]`, statusJSON, "null"},
	} {
		g.answer = never
		parts, e := g.drain(g.call(c.function, c.arg))
		require.Equal(t, c.parts, fmt.Sprint(parts), c.function)
		require.Equal(t, c.status, e.status, "%s: %s", c.function, e.text)
		require.Equal(t, c.result, e.text, c.function)
	}
	var emitted []string
	g.answer = func(c hostCall) (any, bool) {
		require.True(t, c.blocking)
		emitted = append(emitted, c.arg)
		return null(c)
	}
	require.Equal(t, "<i>end</i>", g.call("by_hand_sync", 3).text)
	require.Equal(t, []string{"0", "1", "2"}, emitted)
}

// A host that answers at once is as good.
func TestStreamsToAHostThatDoesNotWait(t *testing.T) {
	g := newGuest(t, streams)
	g.answer = null
	require.Equal(t, "null", g.call("parts", 3).json(t))
	require.Equal(t, `{"parts":3}`, g.call("plain", 3).json(t))
	require.Equal(t, "end", g.call("by_hand", 3).text)
}

// Errors end a stream, and close its generator.
func TestStreamsThatFail(t *testing.T) {
	g := newGuest(t, streams)
	g.answer = never
	parts, e := g.drain(g.call("fails", 0))
	require.Equal(t, []string{"1"}, parts)
	require.Equal(t, "ValueError", e.failure(t).Name)
	parts, e = g.drain(g.call("fails_plain", nil))
	require.Equal(t, []string{"1"}, parts)
	require.Contains(t, e.failure(t).Message, "object")
	_, e = g.drain(g.call("yields_strange", nil))
	require.Contains(t, e.failure(t).Message, "object")
	require.Equal(t, `["async","plain"]`, g.call("render", 0).json(t))

	// A consumer that is gone.
	gone := hostError{"not_granted", "nobody listens"}
	g.call("cleans_up", nil)
	e = g.settle(g.find("spore.emit 1"), gone)
	_, e = g.drain(e)
	f := e.failure(t)
	require.Equal(t, []string{"HostError", "not_granted: nobody listens"}, []string{f.Name, f.Message})
	g.call("swallows", nil)
	e = g.settle(g.find("spore.emit 0"), gone)
	require.Equal(t, "generator ignored GeneratorExit", e.failure(t).Message)
	require.Contains(t, g.call("render", 0).json(t), `"cleaned","GeneratorExit"`)

	g.answer = func(hostCall) (any, bool) { return gone, true }
	for _, function := range []string{"endless", "by_hand_sync", "by_hand", "parts"} {
		require.Equal(t, "HostError", g.call(function, 5).failure(t).Name, function)
	}
	require.Empty(t, g.waiting())
}

// A stream goes on in another process.
func TestStreamIsResumed(t *testing.T) {
	g := newGuest(t, streams)
	g.answer = never
	e := g.call("endless", nil)
	for i := range 5 {
		require.Equal(t, uint32(statusPending), e.status)
		g = g.resume(clock{})
		e = g.settle(g.find(fmt.Sprint("spore.emit ", i)), json.RawMessage("null"))
	}
	require.Equal(t, []string{"spore.emit 5"}, g.waiting())
}
