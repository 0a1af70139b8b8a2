package engine

import (
	"context"
	"fmt"
	"testing"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/engine/internal/wz"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
	"github.com/sporeengine/spore/snapshot/rewrite"
)

// Components of the benchmarks: next to nothing, a small page, and pure
// computation.
var benchSources = map[string]map[string]string{
	"javascript": {
		"noop.js": `export function render(p) { return "" }`,
		"small.tsx": `export default function Stat({ title, rows }: { title: string; rows: number[] }) {
			return <div className="card" id="a"><h2>{title}</h2><ul>{rows.map(r => <li key={r}>{r}</li>)}</ul></div> }`,
		"fib.js": `const fib = n => n < 2 ? n : fib(n - 1) + fib(n - 2); export function render(p) { return String(fib(20)) }`,
		"sort.js": `export function render(p) { const a = []; let x = 1; for (let i = 0; i < 3000; i++) a.push(x = x * 16807 % 2147483647);
			return a.sort((a, b) => a - b).map(String).join() }`,
		"json.js": `const v = { a: Array.from({ length: 300 }, (_, i) => ({ id: i, name: "n" + i, on: i % 2 == 0 })) };
			export function render(p) { return JSON.stringify(JSON.parse(JSON.stringify(v))) }`,
	},
	"python": {
		"noop.py": "def render(p): return ''",
		"small.py": `
def render(p):
    rows = "".join(f"<tr><td>{i}</td><td>{p['title']}</td><td>{i * 1.5:.2f}</td></tr>" for i in p["rows"])
    return f"<table>{rows}</table>"
`,
		"fib.py":  "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\ndef render(p): return str(fib(16))",
		"sort.py": "def render(p):\n    a = []; x = 1\n    for i in range(3000):\n        x = x * 16807 % 2147483647; a.append(x)\n    return ','.join(map(str, sorted(a)))",
		"json.py": "import json\nv = {'a': [{'id': i, 'name': 'n%d' % i, 'on': i % 2 == 0} for i in range(300)]}\ndef render(p): return json.dumps(json.loads(json.dumps(v)))",
	},
}

var benchProps = []byte(`{"title":"Revenue","rows":[1,2,3,4,5,6,7,8]}`)

// BenchmarkRestore measures what surrounds guest code. "bind" makes a memory in
// the image's state runnable and takes it back, with nothing to restore; "noop"
// adds the smallest call and the restoring of the pages that it wrote.
func BenchmarkRestore(b *testing.B) {
	for _, rt := range []runtimes.Runtime{javascript.Runtime(), python.Runtime()} {
		e, l, p := benchLanguage(b, rt, true)
		c := benchComponent(b, e, l, p, "noop")
		mem, img, err := e.images.acquire(c.image)
		if err != nil {
			b.Fatal(err)
		}
		lease := &lease{language: l, prepared: p}
		if err := lease.acquire(b.Context()); err != nil {
			b.Fatal(err)
		}
		g := e.newGuest(p, e.cfg.Limits, limitCallTime)
		g.ctx, g.memory = context.Background(), mem
		b.Run(rt.Language+"/bind", func(b *testing.B) {
			for b.Loop() {
				g.globals = append(g.globals[:0], img.globals...)
				if err := g.attach(lease.worker); err != nil {
					b.Fatal(err)
				}
				g.detach(lease.worker)
				if err := mem.Reset(); err != nil {
					b.Fatal(err)
				}
			}
		})
		frame := abi.AppendFrame(nil, []byte("{}"))
		b.Run(rt.Language+"/noop", func(b *testing.B) {
			for b.Loop() {
				g.globals = append(g.globals[:0], img.globals...)
				g.left = g.limits.CallTime
				if _, _, err := g.call(lease, "render", frame); err != nil {
					b.Fatal(err)
				}
				if err := mem.Reset(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(mem.Private()), "pages")
		})
		lease.release()
		e.images.release(c.image, mem, true)
	}
}

// BenchmarkMetering compares a runtime whose loops count down a budget with the
// same runtime without.
func BenchmarkMetering(b *testing.B) {
	for _, rt := range []runtimes.Runtime{javascript.Runtime(), python.Runtime()} {
		for _, metered := range []bool{false, true} {
			e, l, p := benchLanguage(b, rt, metered)
			for _, name := range []string{"small", "fib", "sort", "json"} {
				c := benchComponent(b, e, l, p, name)
				b.Run(fmt.Sprintf("%s/%s/metered=%t", rt.Language, name, metered), func(b *testing.B) {
					for b.Loop() {
						if _, err := c.Render(context.Background(), rawJSON(benchProps), nil); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

type rawJSON []byte

func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// benchLanguage boots a runtime of its own.
func benchLanguage(b *testing.B, rt runtimes.Runtime, metered bool) (*Engine, *language, *prepared) {
	b.Helper()
	e, err := New(Config{Runtimes: []runtimes.Runtime{rt}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	l := e.languages[rt.Language]
	wasm, err := l.decompress()
	if err != nil {
		b.Fatal(err)
	}
	var opt rewrite.Options
	if metered {
		opt = rewrite.Options{TickModule: abi.ImportModule, TickName: abi.ImportTick}
	}
	m, err := rewrite.Rewrite(wasm, opt)
	if err != nil {
		b.Fatal(err)
	}
	p := &prepared{}
	if p.code, err = wz.Compile(context.Background(), m, ""); err != nil {
		b.Fatal(err)
	}
	w, err := p.code.NewWorker()
	if err != nil {
		b.Fatal(err)
	}
	if err := l.boot(p, w, m, ""); err != nil {
		b.Fatal(err)
	}
	l.idle = append(l.idle, w)
	l.ready.Store(p)
	return e, l, p
}

func benchComponent(b *testing.B, e *Engine, l *language, p *prepared, name string) *Component {
	b.Helper()
	for file, code := range benchSources[l.runtime.Language] {
		if file[:len(name)] != name {
			continue
		}
		c, err := e.Compile(context.Background(), Source{Name: file, Code: []byte(code)})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		return c
	}
	b.Fatalf("no component %q", name)
	return nil
}
