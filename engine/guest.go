package engine

import (
	"cmp"
	"container/heap"
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sort"
	"time"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/engine/internal/wz"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/snapshot"
)

// bootTime is the clock of a guest until its image is captured, and bootSeed
// the seed of its random source: equal source gives equal images.
var bootTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const bootSeed = 0

// loopBudget is the work that a guest does between two ticks, in the unit of
// [Limits.Fuel]. No machine takes much more than a millisecond for it, and as the
// count is one of the longest ways, most code takes a fraction of that.
const loopBudget = 1 << 20

// turnTime is how long a guest computes before it lets others run. The Go runtime
// itself takes turns every 10 ms, which is long for those who wait.
const turnTime = time.Millisecond

// processStart is the origin of the guests' monotonic clocks.
var processStart = time.Now()

// A guest is one execution of a component: its memory and globals, and the
// host's answers to what it asks for while it runs. It implements [wz.Memory]
// and [wz.Host]. One goroutine at a time.
type guest struct {
	engine  *Engine
	memory  guestMemory
	globals []uint64
	control uint32 // address of the control block

	ctx    context.Context
	limits Limits
	fixed  *fixedEnv // nil: live clock and randomness

	timeLimit string        // name of the limit that bounds left
	left      time.Duration // guest time not yet used
	deadline  time.Time     // when left is used up, while the guest runs
	turn      time.Time     // when it last let other goroutines run

	fuel    int64 // not yet used, but for what the guest was granted
	granted int32 // the budget that it got last
	calls   int64 // host calls that it may still make

	broken  bool // a call ended with an error of the machine, or broke the ABI
	refused bool // the guest asked for more memory than it may have
	console console
	sleeps  sleepHeap // host calls that wait
	host    hostWaits // and those of functions that were granted
	made    uint64    // how many of them there have been
	lastID  uint32    // number of the last host call

	exec    bool            // the call runs more source, which may not parse
	session bool            // it belongs to an instance, which can be suspended
	suspend <-chan struct{} // closed when it should be, as soon as it waits
	jump    bool            // a fixed clock may move on although answers from outside are pending
}

// guestMemory is the linear memory of a guest: a [snapshot.Memory], or in tests
// a plain one to compare that with.
type guestMemory interface {
	wz.Memory
	Enter() // before the guest runs or its memory is written
	Leave()
}

// A sleep is a pending host call of name [abi.SleepCall].
type sleep struct {
	id   uint32
	due  int64 // on the guest's monotonic clock, in nanoseconds
	made uint64
}

// fixedEnv is a reproducible clock and random source. The clock stands still
// but for sleeps.
type fixedEnv struct {
	start   int64 // nanoseconds since 1970
	elapsed int64
	random  *rand.ChaCha8
}

// maxElapsed is where a fixed clock stops: a guest that sleeps for ages need not
// see it overflow. With the latest start it is still below 2⁶³.
const maxElapsed = 60 * 365 * 24 * int64(time.Hour)

func newFixedEnv(now time.Time, seed uint64) *fixedEnv {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return &fixedEnv{start: now.UnixNano(), random: rand.NewChaCha8(key)}
}

// Bytes implements [wz.Memory].
func (g *guest) Bytes() []byte { return g.memory.Bytes() }

// Grow implements [wz.Memory].
func (g *guest) Grow(size int64) ([]byte, bool) {
	if size > g.limits.Memory {
		g.refused = true
		return nil, false
	}
	b, ok := g.memory.Grow(size)
	g.refused = g.refused || !ok
	return b, ok
}

// begin starts the clock of the guest's time, and end stops it.
func (g *guest) begin() {
	g.turn = time.Now()
	g.deadline = g.turn.Add(g.left)
}

func (g *guest) end() { g.left = time.Until(g.deadline) }

// check reports why the guest must stop, if it must.
func (g *guest) check() error {
	if g.engine.closing.Load() {
		return ErrClosed
	}
	if g.ctx.Err() != nil {
		return interrupted(g.ctx)
	}
	if time.Now().After(g.deadline) {
		return g.outOfTime()
	}
	return nil
}

// takeTurns lets others run if it is time for that. The guest is in its memory.
func (g *guest) takeTurns() {
	if time.Since(g.turn) < turnTime {
		return
	}
	// A goroutine that is bound to its thread costs two switches of threads.
	g.memory.Leave()
	runtime.Gosched()
	g.memory.Enter()
	g.turn = time.Now()
}

// interrupted is the error of a call whose context has ended.
func interrupted(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), ErrClosed) {
		return ErrClosed // the instance was closed meanwhile
	}
	return fmt.Errorf("engine: component interrupted: %w", ctx.Err())
}

func (g *guest) outOfTime() error {
	limit := g.limits.CallTime
	if g.timeLimit == limitCompileTime {
		limit = g.limits.CompileTime
	}
	return &LimitError{Limit: g.timeLimit, Max: int64(limit)}
}

// Tick implements [wz.Host].
func (g *guest) Tick(left int32) (int32, error) {
	g.settleFuel(left)
	if g.fuel <= 0 {
		return 0, &LimitError{Limit: limitFuel, Max: g.limits.Fuel}
	}
	if err := g.check(); err != nil {
		return 0, err
	}
	g.takeTurns()
	return g.grant(), nil
}

// grant hands out the next budget. settleFuel, its counterpart, counts what was
// used of it.
func (g *guest) grant() int32 {
	g.granted = int32(min(g.fuel, loopBudget))
	return g.granted
}

func (g *guest) settleFuel(left int32) {
	g.fuel -= int64(g.granted) - int64(left)
	g.granted = 0
}

// Bounds of what host calls may cost the host.
const (
	maxCallName = 200      // bytes of a name that an error repeats
	maxSleepArg = 64 << 10 // bytes of the argument of a sleep
	maxPending  = 10_000   // host calls that wait
)

// Call implements [wz.Host].
func (g *guest) Call(id, flags uint32, name, frame []byte) ([]byte, error) {
	if g.calls--; g.calls < 0 {
		return nil, &LimitError{Limit: limitHostCalls, Max: g.limits.HostCalls}
	}
	// What the host does for the guest takes longer than a few loops.
	if err := g.check(); err != nil {
		return nil, err
	}
	// Numbers count up, so that none can be used twice.
	if id <= g.lastID {
		return nil, fmt.Errorf("%w: host call %d comes after %d", abi.ErrABI, id, g.lastID)
	}
	g.lastID = id
	if string(name) == abi.CancelCall && flags&abi.FlagBlocking != 0 {
		return g.cancelCall(frame)
	}
	if string(name) != abi.SleepCall {
		if g.host.start != nil {
			return g.hostCall(id, flags&abi.FlagBlocking != 0, string(name), frame)
		}
		return notGranted(string(name[:min(len(name), maxCallName)])), nil
	}
	if len(frame) > maxSleepArg {
		return errorReply("bad_argument", fmt.Sprintf(abi.SleepCall+" takes no argument of %d bytes", len(frame))), nil
	}
	text, _, err := abi.ParseFrame(frame)
	if err != nil {
		return nil, err
	}
	var arg struct{ MS float64 }
	if json.Unmarshal(text, &arg) != nil || math.IsNaN(arg.MS) {
		return errorReply("bad_argument", abi.SleepCall+` takes {"ms": number}`), nil
	}
	// A year is longer than any limit and far from an overflow.
	ns := int64(min(max(arg.MS, 0), 365*24*3600*1000) * float64(time.Millisecond))
	if flags&abi.FlagBlocking != 0 {
		if err := g.Sleep(ns); err != nil {
			return nil, err
		}
		return abi.Reply(true, []byte("null")), nil
	}
	if len(g.sleeps) == maxPending {
		return errorReply("too_many_calls", fmt.Sprintf("more than %d host calls are pending", maxPending)), nil
	}
	g.made++
	g.sleeps.add(sleep{id, g.Clock(false) + ns, g.made})
	return nil, nil
}

func notGranted(name string) []byte {
	return errorReply(hostfuncs.CodeNotGranted, fmt.Sprintf("host function %q is not granted", name[:min(len(name), maxCallName)]))
}

func errorReply(code, message string) []byte {
	text, _ := json.Marshal(struct { // strings always marshal
		Code    string `json:"code"`
		Message string `json:"message"`
	}{code, message})
	return abi.Reply(false, text)
}

// Log implements [wz.Host].
func (g *guest) Log(level int32, text []byte) error {
	return g.console.message(min(max(slog.Level(level), slog.LevelDebug), slog.LevelError), text)
}

// Write implements [wz.Host].
func (g *guest) Write(fd int32, p []byte) error { return g.console.write(fd, p) }

// Clock implements [wz.Host].
func (g *guest) Clock(wall bool) int64 {
	switch {
	case g.fixed != nil && wall:
		return g.fixed.start + g.fixed.elapsed
	case g.fixed != nil:
		return g.fixed.elapsed
	case wall:
		return time.Now().UnixNano()
	}
	return int64(time.Since(processStart))
}

// Random implements [wz.Host]. A guest may ask for as much as it has memory, and
// again in the next moment, so that this has to look at the time itself.
func (g *guest) Random(p []byte) error {
	const step = 4 << 10
	for {
		part := p[:min(len(p), step)]
		if g.fixed != nil {
			g.fixed.random.Read(part) // never fails
		} else {
			crand.Read(part) // never fails
		}
		if p = p[len(part):]; len(part) < step {
			return nil
		}
		if err := g.check(); err != nil {
			return err
		}
	}
}

// Sleep implements [wz.Host]. Sleeping uses up guest time, so that a component
// cannot outstay its welcome by waiting; a fixed clock jumps instead.
func (g *guest) Sleep(ns int64) error { return g.sleep(ns, nil) }

// sleep is Sleep, but returns early once early is closed.
func (g *guest) sleep(ns int64, early <-chan struct{}) error {
	if g.fixed != nil {
		g.fixed.elapsed = min(g.fixed.elapsed+min(ns, maxElapsed), maxElapsed)
		return g.check()
	}
	t := time.NewTimer(min(time.Duration(ns), time.Until(g.deadline)+time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
	case <-g.ctx.Done():
	case <-g.engine.closed:
	case <-early:
	}
	return g.check()
}

// settleSleep waits for the sleep that is due first and returns its number. The error is
// errSuspend if the guest is to be suspended meanwhile.
func (g *guest) settleSleep() (id uint32, err error) {
	s := g.sleeps[0]
	g.begin()
	defer g.end()
	if wait := s.due - g.Clock(false); wait > 0 {
		if err := g.sleep(wait, g.suspend); err != nil {
			return 0, err
		}
		if g.fixed == nil && s.due > g.Clock(false) {
			return 0, errSuspend
		}
	}
	heap.Pop(&g.sleeps)
	return s.id, g.check()
}

// sleepHeap implements [heap.Interface]: first what is due first, and of what is
// due at the same time, what was called first.
type sleepHeap []sleep

func (h sleepHeap) Len() int { return len(h) }
func (h sleepHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].due, h[j].due), cmp.Compare(h[i].made, h[j].made)) < 0
}
func (h sleepHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *sleepHeap) Push(x any)   { *h = append(*h, x.(sleep)) }
func (h *sleepHeap) Pop() any {
	old := *h
	s := old[len(old)-1]
	*h = old[:len(old)-1]
	return s
}

func (h *sleepHeap) add(s sleep) { heap.Push(h, s) }

// sorted returns the sleeps in the order in which they are due.
func (h sleepHeap) sorted() []sleep {
	h = slices.Clone(h)
	sort.Sort(h)
	return h
}

// remove takes the sleep with this number out of h, if it is there.
func (h *sleepHeap) remove(id uint32) {
	for i, s := range *h {
		if s.id == id {
			heap.Remove(h, i)
			return
		}
	}
}

var (
	_ wz.Memory = (*guest)(nil)
	_ wz.Host   = (*guest)(nil)

	_ guestMemory = (*snapshot.Memory)(nil)
)
