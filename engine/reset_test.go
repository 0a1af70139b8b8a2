package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/engine/internal/wasmtest"
)

// resetSources write random patterns into the heaps of the interpreters, end in
// the way that the props ask for, and say what state they found.
var resetSources = map[string]string{
	"reset.js": `
import { callSync } from "spore";
const state = Array.from({ length: 20000 }, (_, i) => i * 7), objects = new Map(), bytes = new Uint8Array(300000);
for (let i = 0; i < 2000; i++) objects.set("k" + i, { i, next: [i] });
let calls = 0;
function check() {
	let sum = calls;
	for (let i = 0; i < state.length; i++) sum = (sum * 31 + state[i]) >>> 0;
	for (const [k, v] of objects) sum = (sum * 31 + k.length + v.i + v.next.length) >>> 0;
	for (let i = 0; i < bytes.length; i += 97) sum = (sum * 31 + bytes[i]) >>> 0;
	return "state " + sum;
}
export async function render({ seed, steps, end }) {
	let kept = [];
	const rnd = n => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return (seed >>> 8) % n };
	if (!steps) return check();
	calls++;
	for (let s = 0; s < steps; s++) switch (rnd(7)) {
		case 0: for (let i = 0; i < 300; i++) state[rnd(state.length)] = i; break;
		case 1: { const k = 1 + rnd(5000); for (let i = rnd(k); i < bytes.length; i += k) bytes[i]++; break }
		case 2: for (let i = 0; i < 100; i++) objects.delete("k" + rnd(2000)); break;
		case 3: kept.push(new Uint8Array(rnd(1 << 20)).fill(s)); break;
		case 4: for (let i = 0; i < 100; i++) objects.set("k" + rnd(9999), { i, next: kept }); break;
		case 5: kept = []; state.sort((a, b) => b - a); break;
		case 6: bytes.fill(rnd(256), rnd(bytes.length), rnd(bytes.length)); break;
	}
	switch (end) {
		case "return": return "done";
		case "throw": throw new Error("x" + calls);
		case "spin": for (;;) state[rnd(state.length)]++;
		case "memory": for (;;) kept.push(new Uint8Array(1 << 20).fill(1));
		case "host": callSync("no.such", {}); return;
		case "sleep": await new Promise(r => setTimeout(r, 1)); state[rnd(state.length)]++; return "done";
		case "nap": callSync("spore.sleep", { ms: 1 }); bytes[rnd(bytes.length)]++; return "done";
		case "sleep for ever": await new Promise(r => setTimeout(r, 1e9));
		case "stuck": await new Promise(() => {});
		case "trap": { const f = n => [n].map(f); f(1) }
	}
}`,
	"reset.py": `
import asyncio, spore
state = [i * 7 for i in range(20000)]
objects = {f"k{i}": [i, (i,)] for i in range(2000)}
data = bytearray(300000)
calls = 0

def check():
    s = calls
    for x in state: s = (s * 31 + x) & 0xffffffff
    for k, v in objects.items(): s = (s * 31 + len(k) + v[0] + len(v[1])) & 0xffffffff
    for x in data[::97]: s = (s * 31 + x) & 0xffffffff
    return f"state {s}"

async def render(p):
    global calls
    if not p["steps"]: return check()
    seed = p["seed"]
    def rnd(n):
        nonlocal seed
        seed = (seed * 1103515245 + 12345) & 0xffffffff
        return (seed >> 8) % n
    calls += 1
    kept = []
    for s in range(p["steps"]):
        match rnd(7):
            case 0:
                for i in range(300): state[rnd(len(state))] = i
            case 1:
                k = 1 + rnd(5000)
                for i in range(rnd(k), len(data), k): data[i] = (data[i] + 1) & 255
            case 2:
                for i in range(100): objects.pop(f"k{rnd(2000)}", None)
            case 3: kept.append(bytearray(b"%d" % (s % 10)) * rnd(1 << 20))
            case 4:
                for i in range(100): objects[f"k{rnd(9999)}"] = [i, kept]
            case 5: kept = []; state.sort(reverse=True)
            case 6: i = rnd(len(data)); data[i:] = bytes([rnd(256)]) * (len(data) - i)
    match p["end"]:
        case "return": return "done"
        case "throw": raise ValueError(f"x{calls}")
        case "spin":
            while True: state[rnd(len(state))] += 1
        case "memory":
            while True: kept.append(bytearray(b"x") * (1 << 20))
        case "host": spore.call_sync("no.such", {})
        case "sleep": await asyncio.sleep(0.001); state[rnd(len(state))] += 1; return "done"
        case "nap": spore.call_sync("spore.sleep", {"ms": 1}); data[rnd(len(data))] ^= 1; return "done"
        case "sleep for ever": await asyncio.sleep(1e6)
        case "stuck": await asyncio.get_running_loop().create_future()
        case "trap":
            def f(n): return f(n + 1)
            f(1)
`,
}

// resetEnds are the ends of a render, with the limit or the kind of error that
// it has for each language. An end in capitals is the embedder's.
var resetEnds = map[string]string{
	"return": "", "sleep": "", "nap": "",
	"throw": "error", "host": "error", "trap": "error", "stuck": "stuck",
	"memory": "Memory", "spin": "CallTime", "sleep for ever": "CallTime",
	"CANCEL": "canceled", "CANCEL ASLEEP": "canceled",
}

// TestResetAfterEveryEnd renders with random work and a random end on
// components of both interpreters and of a hand-written guest, on several
// goroutines at once. The engine compares every byte after every render; the
// guests themselves compare their state from time to time, and the images are
// compared with their snapshots at the end.
func TestResetAfterEveryEnd(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 12
	}
	seed := rand.Uint64()
	t.Logf("seed %#x", seed)
	e := newEngine(t, engine.Config{Workers: 2, Limits: engine.Limits{CallTime: 20 * time.Second, Memory: 40 << 20}})
	var components []*engine.Component
	want := map[*engine.Component]string{}
	for name, code := range resetSources {
		for range 2 {
			c := compile(t, e, name, code)
			components = append(components, c)
			want[c] = render(t, c, map[string]any{"seed": 1, "steps": 0, "end": ""}, nil)
		}
	}
	raw := rawResets(t)
	var ends []string
	for end := range resetEnds {
		ends = append(ends, end)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	ended := map[string]int{}
	for g := range 3 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			for range rounds {
				if r.IntN(3) == 0 {
					raw(t, r)
					continue
				}
				c := components[r.IntN(len(components))]
				end := ends[r.IntN(len(ends))]
				if err := resetRound(t.Context(), c, r, end); err != nil {
					t.Errorf("%s, %s: %v", c.Name(), end, err)
				}
				mu.Lock()
				ended[end]++
				mu.Unlock()
				if got := render(t, c, map[string]any{"seed": 1, "steps": 0, "end": ""}, nil); got != want[c] {
					t.Errorf("%s after %s: %s, at first %s", c.Name(), end, got, want[c])
				}
			}
		})
	}
	wg.Wait()
	for _, c := range components {
		if err := engine.VerifyIdle(c); err != nil {
			t.Errorf("%s: %v", c.Name(), err)
		}
	}
	s := e.Stats()
	if s.BadResets != 0 || s.Memories == 0 {
		t.Errorf("%d bad resets, %d memories", s.BadResets, s.Memories)
	}
	t.Log(ended)
}

// resetRound renders once and checks how that ends.
func resetRound(ctx context.Context, c *engine.Component, r *rand.Rand, end string) error {
	props := map[string]any{"seed": r.Uint32(), "steps": 1 + r.IntN(12), "end": end}
	opt := &engine.Options{}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	switch end {
	case "spin", "sleep for ever":
		opt.Limits.CallTime = time.Duration(5+r.IntN(60)) * time.Millisecond
	case "CANCEL", "CANCEL ASLEEP":
		props["end"] = map[string]string{"CANCEL": "spin", "CANCEL ASLEEP": "sleep for ever"}[end]
		time.AfterFunc(time.Duration(r.IntN(60))*time.Millisecond, cancel)
	}
	res, err := c.Render(ctx, props, opt)
	return judgeEnd(resetEnds[end], "done", res, err)
}

// judgeEnd compares the end of a render with its limit, the kind of its error,
// or "canceled"; empty stands for a result.
func judgeEnd(want, text string, res *engine.Result, err error) error {
	got := ""
	ge, isGuest := errors.AsType[*engine.GuestError](err)
	le, isLimit := errors.AsType[*engine.LimitError](err)
	switch {
	case errors.Is(err, engine.ErrReset):
		return err
	case isGuest:
		got = ge.Kind
	case isLimit:
		got = le.Limit
	case errors.Is(err, context.Canceled):
		got = "canceled"
	case err != nil:
		return err
	case res.Text() != text:
		return fmt.Errorf("returned %q, want %q", res.Text(), text)
	}
	if got != want {
		return fmt.Errorf("ended with %q, want %q: %v", got, want, err)
	}
	return nil
}

// rawResets returns a function that does to a hand-written guest what
// TestResetAfterEveryEnd does to the others. This one reaches every byte of its
// memory and every global by itself.
func rawResets(t *testing.T) func(t *testing.T, r *rand.Rand) {
	const maxPages = 64
	e := newRaw(t, wasmtest.Guest{}, engine.Config{
		Workers: 2, VerifyReset: true, Limits: engine.Limits{Memory: maxPages << 16},
	})
	components := []*engine.Component{compileRaw(t, e, "a"), compileRaw(t, e, "b")}
	// What a guest finds: its globals, its length, and the sum of its words
	// behind what it uses itself, also where it has just grown.
	probe := func() *wasmtest.Prog {
		return new(wasmtest.Prog).Globals().Size().Sum(wasmtest.Free, 8<<16-wasmtest.Free).Grow(maxPages-8).
			Sum(8<<16, (maxPages-8)<<16).Globals().Size()
	}
	want := render(t, components[0], probe(), nil)
	t.Cleanup(func() {
		for _, c := range components {
			if err := engine.VerifyIdle(c); err != nil {
				t.Errorf("hand-written guest: %v", err)
			}
		}
		if n := e.Stats().BadResets; n != 0 {
			t.Errorf("hand-written guest: %d bad resets", n)
		}
	})
	return func(t *testing.T, r *rand.Rand) {
		c := components[r.IntN(len(components))]
		p, pages := new(wasmtest.Prog), uint32(8)
		at := func() uint32 { return wasmtest.Free + r.Uint32N(pages<<16-wasmtest.Free) }
		for range r.IntN(8) {
			switch r.IntN(8) {
			case 0:
				a := at()
				p.Fill(a, r.Uint32N(pages<<16-a+1), byte(r.Uint32()))
			case 1:
				p.Stride(at(), 1+r.Uint32N(3*4096), byte(r.Uint32()))
			case 2:
				for range r.IntN(100) {
					p.Store(at()&^3, r.Uint32())
				}
			case 3:
				n := r.Uint32N(min(20, maxPages-pages) + 1)
				p.Grow(n)
				pages += n
			case 4:
				p.SetGlobals(r.Uint32N(1 << 30))
			case 5:
				p.Sleep(r.Uint32N(3))
			case 6:
				p.Nap(r.Uint32N(3))
			case 7:
				a, b := at(), at()
				p.Copy(a, b, min(pages<<16-a, pages<<16-b))
			}
		}
		end := []string{"", "trap", "CallTime", "exit", "Stack", "canceled"}[r.IntN(6)]
		opt := &engine.Options{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		switch end {
		case "":
			p.Fill(wasmtest.Scratch, 64, 1)
		case "trap":
			p.Die([]uint32{wasmtest.DieUnreachable, wasmtest.DieDivide, wasmtest.DieOutOfBounds, wasmtest.DieBadPointer}[r.IntN(4)])
		case "CallTime":
			p.Die(wasmtest.DieLoop)
			opt.Limits.CallTime = time.Duration(1+r.IntN(20)) * time.Millisecond
		case "exit":
			p.Die(wasmtest.DieExit)
		case "Stack":
			p.Die(wasmtest.DieRecursion)
		case "canceled":
			p.Die(wasmtest.DieLoop)
			time.AfterFunc(time.Duration(r.IntN(20))*time.Millisecond, cancel)
		}
		res, err := c.Render(ctx, p, opt)
		text := ""
		if err == nil {
			text = res.Text() // whatever it says
		}
		if err := judgeEnd(end, text, res, err); err != nil {
			t.Errorf("hand-written guest: %v", err)
		}
		if got := render(t, c, probe(), nil); got != want {
			t.Errorf("hand-written guest after %q: finds %s, at first %s", end, got, want)
		}
	}
}
