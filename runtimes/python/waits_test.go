package python

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const waits = `
import asyncio, contextlib, spore, time

log = []
def render(p):
    found = list(log)
    log.clear()
    return found

async def ask(q): return await spore.call("app.ask", q)

async def gathers(p):
    return await asyncio.gather(ask("a"), ask("b"), asyncio.sleep(1, "slept"))
async def gathers_errors(p):
    done = await asyncio.gather(ask("a"), ask("b"), return_exceptions=True)
    return [d if isinstance(d, str) else d.code for d in done]
async def waits_for(p):
    try:
        return await asyncio.wait_for(ask("a"), 2)
    except TimeoutError:
        return "late"
async def times_out(p):
    try:
        async with asyncio.timeout(2) as cm:
            await ask("a")
            cm.reschedule(asyncio.get_running_loop().time() + 5)
            return await ask("b")
    except TimeoutError:
        return "late"
async def first(p):
    done, rest = await asyncio.wait([asyncio.ensure_future(ask(q)) for q in "abc"], return_when=asyncio.FIRST_COMPLETED)
    for r in rest: r.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    return done.pop().result()
async def groups(p):
    async with asyncio.TaskGroup() as g:
        tasks = [g.create_task(ask(q)) for q in "abc"]
    return [t.result() for t in tasks]
async def as_completed(p):
    return [await f for f in asyncio.as_completed([ask("a"), ask("b"), ask("c")])]
async def as_completed_late(p):
    got = []
    try:
        for f in asyncio.as_completed([ask("a"), ask("b")], timeout=3): got.append(await f)
    except TimeoutError:
        got.append("late")
    return got
async def queues(p):
    q = asyncio.Queue(1)
    async def produce():
        for n in "ab": await q.put(await ask(n))
        await q.put(None)
    asyncio.ensure_future(produce())
    got = []
    while (item := await q.get()) is not None: got.append(item)
    return got
async def events(p):
    e = asyncio.Event()
    async def setter():
        await ask("a")
        e.set()
    asyncio.ensure_future(setter())
    await e.wait()
    return "set"
async def semaphores(p):
    s = asyncio.Semaphore(1)
    async def one(q):
        async with s: return await ask(q)
    return await asyncio.gather(one("a"), one("b"))
async def shields(p):
    inner = asyncio.ensure_future(ask("a"))
    try:
        await asyncio.wait_for(asyncio.shield(inner), 1)
    except TimeoutError:
        log.append("timeout")
    return await inner
async def agen():
    try:
        for q in "abc": yield await ask(q)
    finally:
        log.append(await ask("closing"))
async def generators(p):
    got = []
    async with contextlib.aclosing(agen()) as g:
        async for v in g:
            got.append(v)
            if len(got) == 2: break
    return got
async def swallows(p):
    t = asyncio.ensure_future(stubborn())
    await asyncio.sleep(0)
    t.cancel()
    return await t
async def stubborn():
    try:
        return await ask("a")
    except BaseException as e:
        log.append(type(e).__name__)
    return await ask("b")
async def background(p):
    asyncio.get_running_loop().kept = asyncio.ensure_future(ask("later"))
    await asyncio.sleep(0)
    return "now"
async def collects(p): return await asyncio.get_running_loop().kept
async def cancels_background(p):
    asyncio.get_running_loop().kept.cancel()
async def sleeps(p):
    begin = asyncio.get_running_loop().time()
    await asyncio.sleep(p)
    return asyncio.get_running_loop().time() - begin
async def sleeps_twice(p):
    return await asyncio.gather(sleeps(p), sleeps(2 * p))
async def race(p):
    short, long = asyncio.ensure_future(asyncio.sleep(1)), asyncio.ensure_future(asyncio.sleep(10))
    await asyncio.sleep(0)
    short.cancel()
    await asyncio.sleep(2)
    long.cancel()
    return "done"
def runs(p):
    return asyncio.run(gathers(p))
async def cancel_by_hand(id):
    return await asyncio.sleep(0, spore.call_sync("spore.cancel", {"id": id}))
`

// answer settles a pending app.ask with its argument in capitals.
func (g *guest) tell(q string) end {
	g.t.Helper()
	return g.settle(g.find(`app.ask "`+q+`"`), json.RawMessage(`"`+string(q[0]-32)+`"`))
}

// wake settles the pending sleep, when its time has come.
func (g *guest) wake(call string) end {
	g.t.Helper()
	id := g.find(call)
	var arg struct{ MS float64 }
	require.NoError(g.t, json.Unmarshal([]byte(g.pending[id].arg), &arg))
	g.pass(time.Duration(arg.MS * float64(time.Millisecond)))
	return g.settle(id, json.RawMessage("null"))
}

func TestWaiting(t *testing.T) {
	g := newGuest(t, waits)
	g.reserved(never)
	is := func(e end, want string) {
		t.Helper()
		require.Contains(t, []uint32{statusJSON, statusText}, e.status, e.text)
		require.Equal(t, want, e.text)
		require.Empty(t, g.waiting())
	}

	g.call("gathers", 0)
	require.Equal(t, []string{`app.ask "a"`, `app.ask "b"`, `spore.sleep {"ms":1000.0}`}, g.waiting())
	g.tell("b")
	g.wake(`spore.sleep {"ms":1000.0}`)
	is(g.tell("a"), `["A","B","slept"]`)

	g.call("gathers_errors", 0)
	g.tell("b")
	is(g.settle(g.find(`app.ask "a"`), hostError{"bad", "no"}), `["bad","B"]`)

	g.call("waits_for", 0)
	require.Len(t, g.waiting(), 2)
	is(g.tell("a"), "A") // the sleep has been taken back
	g.call("waits_for", 0)
	is(g.wake(`spore.sleep {"ms":2000.0}`), "late") // and so has the call

	g.call("times_out", 0)
	g.pass(time.Second)
	g.tell("a")
	require.Equal(t, []string{`app.ask "b"`, `spore.sleep {"ms":5000.0}`}, g.waiting(), "the first sleep is needed no more")
	is(g.wake(`spore.sleep {"ms":5000.0}`), "late")

	g.call("first", 0)
	require.Len(t, g.waiting(), 3)
	is(g.tell("b"), "B")

	g.call("groups", 0)
	g.tell("c")
	g.tell("a")
	is(g.tell("b"), `["A","B","C"]`)
	g.call("groups", 0)
	e := g.settle(g.find(`app.ask "b"`), hostError{"bad", "no"})
	require.Equal(t, "ExceptionGroup", e.failure(t).Name)
	require.Empty(t, g.waiting(), "the siblings are given up")

	g.call("as_completed", 0)
	g.tell("c")
	g.tell("a")
	is(g.tell("b"), `["C","A","B"]`)
	g.call("as_completed_late", 0)
	g.tell("b")
	e = g.wake(`spore.sleep {"ms":3000.0}`)
	require.Equal(t, `["B","late"]`, e.text)
	require.Equal(t, []string{`app.ask "a"`}, g.waiting(), "as CPython has it, the rest goes on")
	g.tell("a")

	g.call("queues", 0)
	g.tell("a")
	is(g.tell("b"), `["A","B"]`)
	g.call("events", 0)
	is(g.tell("a"), "set")
	g.call("semaphores", 0)
	require.Equal(t, []string{`app.ask "a"`}, g.waiting())
	g.tell("a")
	is(g.tell("b"), `["A","B"]`)

	g.call("shields", 0)
	g.wake(`spore.sleep {"ms":1000.0}`)
	require.Equal(t, []string{`app.ask "a"`}, g.waiting())
	is(g.tell("a"), "A")
	is(g.call("render", 0), `["timeout"]`)

	g.call("generators", 0)
	g.tell("a")
	g.tell("b")
	require.Equal(t, []string{`app.ask "closing"`}, g.waiting())
	is(g.tell("closing"), `["A","B"]`)
	is(g.call("render", 0), `["C"]`)

	g.call("swallows", 0)
	require.Equal(t, []string{`app.ask "b"`}, g.waiting())
	is(g.tell("b"), "B")
	is(g.call("render", 0), `["CancelledError"]`)

	g.call("race", 0)
	require.Equal(t, []string{`spore.sleep {"ms":2000.0}`}, g.waiting(), "only what comes first")
	is(g.wake(`spore.sleep {"ms":2000.0}`), "done")

	require.Equal(t, "now", g.call("background", 0).text)
	require.Equal(t, []string{`app.ask "later"`}, g.waiting())
	require.Equal(t, uint32(statusPending), g.call("collects", 0).status)
	is(g.tell("later"), "L")
	g.call("background", 0)
	is(g.call("cancels_background", 0), "null")
	require.Empty(t, g.console)
}

// Inside asyncio.run of an ordinary function all host calls block.
func TestWaitingInAsyncioRun(t *testing.T) {
	g := newGuest(t, waits)
	g.answer = func(c hostCall) (any, bool) {
		require.True(t, c.blocking)
		return "X", true
	}
	begin := g.clock.mono
	require.Equal(t, `["X","X","slept"]`, g.call("runs", 0).json(t))
	require.GreaterOrEqual(t, g.clock.mono-begin, time.Second)
}

// A guest goes on in another process, whose clocks show something else. A sleep that is
// settled there has come due, and others are told how long they still have.
func TestWaitingIsResumed(t *testing.T) {
	const hour = 3600
	for _, c := range []struct {
		name string
		wall time.Duration // that has passed
		mono time.Duration // which the new clock shows
	}{
		{"a moment later", time.Second, 0},
		{"a day later", 24 * time.Hour, time.Minute},
		{"on a machine that runs for long", time.Second, 1000 * time.Hour},
		{"the clock on the wall was put back", -48 * time.Hour, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(t, waits)
			g.reserved(never)
			require.Equal(t, uint32(statusPending), g.call("sleeps", hour).status)
			id := g.find(`spore.sleep {"ms":3600000.0}`)
			r := g.resume(clock{g.clock.wall + c.wall, c.mono})
			e := r.settle(id, json.RawMessage("null"))
			var slept float64
			require.NoError(t, json.Unmarshal([]byte(e.json(t)), &slept))
			require.GreaterOrEqual(t, slept, float64(hour))
		})
	}
}

func TestLaterTimersAfterAResume(t *testing.T) {
	g := newGuest(t, waits)
	g.reserved(never)
	g.call("sleeps_twice", 100)
	require.Equal(t, []string{`spore.sleep {"ms":100000.0}`}, g.waiting())
	r := g.resume(clock{g.clock.wall + 150*time.Second, time.Minute})
	e := r.settle(r.find(`spore.sleep {"ms":100000.0}`), json.RawMessage("null"))
	require.Equal(t, uint32(statusPending), e.status)
	require.Equal(t, []string{`spore.sleep {"ms":50000.0}`}, r.waiting(), "50 of the 200 seconds are left")
	require.Equal(t, uint32(statusJSON), r.wake(`spore.sleep {"ms":50000.0}`).status)

	// An answer that comes long after the timeout is still an answer, if it comes first.
	g = newGuest(t, waits)
	g.reserved(never)
	g.call("waits_for", 0)
	r = g.resume(clock{g.clock.wall + time.Hour, 0})
	require.Equal(t, "A", r.tell("a").text)
}

// Numbers that no pending call has are nothing to give up.
func TestCancelByHand(t *testing.T) {
	g := newGuest(t, waits)
	g.reserved(never)
	for _, id := range []int{0, 1, 1000, -5} {
		g.answer = null
		require.Equal(t, "null", g.call("cancel_by_hand", id).text)
	}
	require.Empty(t, g.waiting())
}
