package engine

import (
	"context"
	"testing"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/engine/internal/wz"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
	"github.com/sporeengine/spore/snapshot/rewrite"
)

// benchSources are components of next to nothing.
var benchSources = map[string]string{
	"noop.js": `export function render(p) { return "" }`,
	"noop.py": "def render(p): return ''",
}

var benchProps = []byte(`{"title":"Revenue","rows":[1,2,3,4,5,6,7,8]}`)

// BenchmarkRestore measures what surrounds guest code. "bind" makes a memory in
// the image's state runnable and takes it back, with nothing to restore; "noop"
// adds the smallest call and the restoring of the pages that it wrote.
func BenchmarkRestore(b *testing.B) {
	for _, rt := range []runtimes.Runtime{javascript.Runtime(), python.Runtime()} {
		e, l, p := benchLanguage(b, rt, true, 0)
		c := benchComponent(b, e, benchSources, "noop"+rt.Extensions[0])
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

type rawJSON []byte

func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// benchLanguage boots a runtime of its own.
func benchLanguage(b *testing.B, rt runtimes.Runtime, metered bool, place int) (*Engine, *language, *prepared) {
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
	m.Wasm = moved(m.Wasm, place)
	p := &prepared{}
	if p.code, err = wz.Compile(context.Background(), m, "", false); err != nil {
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

func benchComponent(b *testing.B, e *Engine, sources map[string]string, name string) *Component {
	b.Helper()
	c, err := e.Compile(context.Background(), Source{Name: name, Code: []byte(sources[name])})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}
