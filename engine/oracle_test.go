package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/engine/internal/gate"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
	"github.com/sporeengine/spore/snapshot"
)

// oracleSources do a bit of everything that leaves traces in a heap, steered by
// their props: allocation of many sizes, growth, sorting, hashing, regular
// expressions, exceptions, closures, timers, randomness.
var oracleSources = map[string]string{
	"oracle.tsx": `
import { useMemo, useState } from "react";
let calls = 0;
const cache = new Map<string, number>();
function Row({ k, v }: { k: string; v: number }) {
	const [open] = useState(v % 2 == 0);
	const label = useMemo(() => k.toUpperCase() + v.toFixed(3), [k, v]);
	return <li key={k} data-open={open} style={{ width: v }}>{label}</li>;
}
export async function render(p: { n: number; text: string; grow: number; nap: number; fail: boolean }) {
	calls++;
	const words = p.text.split(/[^a-z]+/).filter(Boolean);
	for (const w of words) cache.set(w, (cache.get(w) ?? 0) + w.length);
	const big = new Uint8Array(p.grow).fill(7);
	const tree = (d: number): any => d ? { l: tree(d - 1), r: [d, String(d)] } : null;
	if (p.nap) await new Promise(r => setTimeout(r, p.nap));
	try { if (p.fail) throw new RangeError("no" + calls) } catch (e: any) { cache.set(e.message, 1) }
	const nums = Array.from({ length: p.n }, () => Math.random()).sort((a, b) => a - b);
	return <ul title={JSON.stringify(tree(p.n % 7))}>
		{[...cache].map(([k, v]) => <Row key={k} k={k} v={v} />)}
		{nums.map(x => <li key={x}>{x.toFixed(6)}</li>)}{big.length}{calls}{Date.now()}</ul>;
}`,
	"oracle.py": `
import asyncio, collections, dataclasses, html, json, random, re, time
calls = 0
cache = collections.OrderedDict()

@dataclasses.dataclass
class Node:
    value: int
    children: list = dataclasses.field(default_factory=list)

def tree(d):
    return Node(d, [tree(d - 1), tree(d - 2)] if d > 1 else [])

async def render(p):
    global calls
    calls += 1
    for w in re.findall("[a-z]+", p["text"]):
        cache[w] = cache.get(w, 0) + len(w)
    big = bytearray(b"\x07" * p["grow"])
    if p["nap"]:
        await asyncio.sleep(p["nap"] / 1000)
    try:
        if p["fail"]:
            raise KeyError("no", calls)
    except KeyError as e:
        cache[str(e)] = 1
    nums = sorted(random.random() for _ in range(p["n"]))
    rows = "".join(f"<li title={html.escape(k)!r}>{v:05d}</li>" for k, v in cache.items())
    return rows + json.dumps([dataclasses.asdict(tree(p["n"] % 7)), [f"{x:.6f}" for x in nums], len(big), calls, time.time()])
`,
}

type oracleProps struct {
	N    int    `json:"n"`
	Text string `json:"text"`
	Grow int    `json:"grow"`
	Nap  int    `json:"nap"`
	Fail bool   `json:"fail"`
}

func randomProps(r *rand.Rand) []byte {
	p := oracleProps{N: r.IntN(60), Nap: r.IntN(3) * r.IntN(100), Fail: r.IntN(2) == 0}
	switch r.IntN(6) {
	case 0:
		p.Grow = r.IntN(8 << 20)
	case 1:
		p.Grow = r.IntN(200 << 10)
	}
	for range r.IntN(200) {
		p.Text += string(rune('a'+r.IntN(8))) + "bc "[r.IntN(3):]
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return b
}

// plainMemory is linear memory without copy-on-write, mapping or pooling.
type plainMemory struct {
	b   []byte
	max int64
}

func (m *plainMemory) Bytes() []byte { return m.b }
func (m *plainMemory) Enter()        {}
func (m *plainMemory) Leave()        {}
func (m *plainMemory) Grow(size int64) ([]byte, bool) {
	if size > m.max {
		return nil, false
	}
	m.b = append(m.b, make([]byte, size-int64(len(m.b)))...)
	return m.b, true
}

// outcome is everything that a render leaves behind.
type outcome struct {
	status  abi.Status
	result  string
	err     string
	memory  []byte
	globals []uint64
}

func (o *outcome) diff(p *outcome) string {
	switch {
	case o.err != p.err || o.status != p.status || o.result != p.result:
		return fmt.Sprintf("%d %q %q against %d %q %q", o.status, o.result, o.err, p.status, p.result, p.err)
	case !slices.Equal(o.globals, p.globals):
		return fmt.Sprintf("globals %v against %v", o.globals, p.globals)
	case len(o.memory) != len(p.memory):
		return fmt.Sprintf("memory of %d against %d bytes", len(o.memory), len(p.memory))
	case !bytes.Equal(o.memory, p.memory):
		n, first := 0, -1
		for i := range o.memory {
			if o.memory[i] != p.memory[i] {
				if n++; first < 0 {
					first = i
				}
			}
		}
		return fmt.Sprintf("memory in %d bytes, first at %#x", n, first)
	}
	return ""
}

// observe renders props on mem and looks at the guest before it is reset.
func observe(t *testing.T, c *Component, l *lease, mem guestMemory, globals []uint64, props []byte) *outcome {
	t.Helper()
	g := c.engine.newGuest(c.prepared, c.engine.cfg.Limits, limitCallTime)
	g.ctx, g.memory, g.globals = t.Context(), mem, slices.Clone(globals)
	g.fixed = newFixedEnv(time.Unix(1.8e9, 0), 42)
	o := &outcome{}
	status, result, err := g.call(l, "render", abi.AppendFrame(nil, props))
	o.status, o.result = status, string(result)
	if err != nil {
		o.err = err.Error()
	}
	o.memory, o.globals = bytes.Clone(mem.Bytes()), g.globals
	return o
}

// TestFreshEqualsRestored is the oracle: a render on a new instance of the
// module with a plain copy of the image, and one on a memory that was used and
// reset many times, end with the same result and the same bytes.
func TestFreshEqualsRestored(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 8
	}
	for _, rt := range []runtimes.Runtime{javascript.Runtime(), python.Runtime()} {
		t.Run(rt.Language, func(t *testing.T) {
			e, c := oracleComponent(t, rt, TestCacheDir)
			used := &lease{language: c.language, prepared: c.prepared}
			if err := used.acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer used.release()
			mem, img, err := e.images.acquire(c.image)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { e.images.release(c.image, mem, true) }()

			r := rand.New(rand.NewPCG(1, 2))
			grown := 0
			for i := range rounds {
				props := randomProps(r)
				restored := observe(t, c, used, mem, img.globals, props)
				if restored.status != abi.StatusText {
					t.Fatalf("round %d: %s: status %d %s %s", i, props, restored.status, restored.err, restored.result)
				}
				if len(restored.memory) > len(img.memory.Bytes()) {
					grown++
				}
				if err := mem.Reset(); err != nil {
					t.Fatal(err)
				}
				if err := mem.Verify(); err != nil {
					t.Fatalf("round %d: after reset: %v", i, err)
				}
				if i%4 != 0 {
					continue // a fresh instance is slow
				}
				w, err := c.prepared.code.NewWorker()
				if err != nil {
					t.Fatal(err)
				}
				plain := &plainMemory{bytes.Clone(img.memory.Bytes()), img.memory.Max()}
				// A lease of its own with room in the gate, so that it can sleep.
				lang := &language{engine: e, workers: gate.New(oneWorker)}
				if _, err := lang.workers.Acquire(t.Context(), "", oneWorker); err != nil {
					t.Fatal(err)
				}
				fresh := observe(t, c, &lease{language: lang, prepared: c.prepared, worker: w}, plain, img.globals, props)
				if d := fresh.diff(restored); d != "" {
					t.Fatalf("round %d: %s: fresh and restored differ: %s", i, props, d)
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if !testing.Short() && (grown == 0 || grown == rounds) {
				t.Errorf("%d of %d renders grew the memory: the test wants both", grown, rounds)
			}
		})
	}
}

// TestLoadedEqualsCompiled: an image that went through bytes, and one that was
// dropped and mapped again, are the image that was compiled.
func TestLoadedEqualsCompiled(t *testing.T) {
	for _, rt := range []runtimes.Runtime{javascript.Runtime(), python.Runtime()} {
		t.Run(rt.Language, func(t *testing.T) {
			e, c := oracleComponent(t, rt, TestCacheDir)
			var file bytes.Buffer
			if _, err := c.snapshot.WriteTo(&file); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s snapshot: %d bytes", rt.Language, file.Len())
			s, err := snapshot.Read(&file)
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := e.Load(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			defer loaded.Close()
			_, again := oracleComponent(t, rt, t.TempDir()) // another engine, another boot
			rebuilt, err := c.image.build()
			if err != nil {
				t.Fatal(err)
			}
			defer rebuilt.memory.Close()
			for name, other := range map[string]*image{"loaded": loaded.image.image, "compiled again": again.image.image, "rebuilt": rebuilt} {
				if !bytes.Equal(other.memory.Bytes(), c.image.image.memory.Bytes()) ||
					!slices.Equal(other.globals, c.image.image.globals) || other.digest != c.Digest() {
					t.Errorf("the %s image differs", name)
				}
			}
		})
	}
}

func oracleComponent(t *testing.T, rt runtimes.Runtime, cacheDir string) (*Engine, *Component) {
	t.Helper()
	e, err := New(Config{Runtimes: []runtimes.Runtime{rt}, Workers: 2, CacheDir: cacheDir, VerifyReset: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	name := "oracle" + map[string]string{"javascript": ".tsx", "python": ".py"}[rt.Language]
	c, err := e.Compile(t.Context(), Source{Name: name, Code: []byte(oracleSources[name])})
	if err != nil {
		t.Fatal(err)
	}
	return e, c
}
