package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/engine/bench/work"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

// A subject is one language of Spore and what is measured in it.
type subject struct {
	name    string
	runtime runtimes.Runtime
	goals   goals

	source, smallSource, largeSource engine.Source

	props []byte // of source
	html  string // what source must make of them

	component loaded // of source, which all contenders render
	small     loaded // of smallSource, which returns at once
}

// goals are what the project set out to reach on a machine of two cores.
type goals struct {
	restoreP50, restoreP99 time.Duration
	smallCPU               time.Duration // restore, small call and reset
	render                 time.Duration // component to HTML
	process                float64       // a process each is slower by this factor
	start, firstStart      time.Duration // of a program, with and without a cache
	speedup                float64       // of two goroutines
	blob                   int64         // bytes of the embedded interpreter
}

// Names of the contenders that goals speak of.
const (
	freshNode   = "`node`: a process each, packages of npm"
	freshPython = "`python3`: a process each"
)

func subjects() []*subject {
	return []*subject{
		{
			name: "JavaScript", runtime: javascript.Runtime(),
			goals: goals{
				restoreP50: 5 * time.Microsecond, restoreP99: 20 * time.Microsecond,
				smallCPU: 15 * time.Microsecond, render: 400 * time.Microsecond, process: 150,
				start: 60 * time.Millisecond, firstStart: 1500 * time.Millisecond,
				speedup: 1.8, blob: 2e6,
			},
			source: engine.Source{Name: "card.tsx", Code: work.CardTSX}, props: work.CardProps, html: work.CardHTML,
			smallSource: engine.Source{Name: "small.js", Code: work.SmallJS},
			largeSource: engine.Source{Name: "large.js", Code: work.LargeJS},
		},
		{
			name: "Python", runtime: python.Runtime(),
			goals: goals{
				restoreP50: 10 * time.Microsecond, restoreP99: 40 * time.Microsecond,
				smallCPU: 30 * time.Microsecond, render: 500 * time.Microsecond, process: 20,
				start: 200 * time.Millisecond, firstStart: 5 * time.Second,
				speedup: 1.8, blob: 4e6,
			},
			source: engine.Source{Name: "table.py", Code: work.TablePy}, props: work.TableProps, html: work.TableHTML,
			smallSource: engine.Source{Name: "small.py", Code: work.SmallPy},
			largeSource: engine.Source{Name: "large.py", Code: work.LargePy},
		},
	}
}

// A loaded component can be rendered, and what comes out is known.
type loaded struct {
	component *engine.Component
	props     json.RawMessage
	want      string
	compiled  time.Duration
}

// load compiles source and renders it once.
func load(ctx context.Context, eng *engine.Engine, source engine.Source, props []byte, want string) (loaded, error) {
	start := time.Now()
	c, err := eng.Compile(ctx, source)
	if err != nil {
		return loaded{}, fmt.Errorf("compile %s: %w", source.Name, err)
	}
	l := loaded{component: c, compiled: time.Since(start), want: want}
	if props != nil {
		l.props = json.RawMessage(compact(props))
	}
	_, err = l.render(ctx)
	return l, err
}

// A rendering is the cost of one render.
type rendering struct {
	whole  time.Duration // of Component.Render
	start  time.Duration // until the guest could run
	around time.Duration // whole less the guest's own time
	memory int64
}

func (l *loaded) render(ctx context.Context) (rendering, error) {
	start := time.Now()
	r, err := l.component.Render(ctx, l.props, nil)
	whole := time.Since(start)
	if err != nil {
		return rendering{}, fmt.Errorf("render %s: %w", l.component.Name(), err)
	}
	return rendering{whole, r.Usage.Start, whole - r.Usage.Guest, r.Usage.Memory}, compare(r.Text(), l.want)
}

// open makes an engine with both languages and loads what is measured in it.
func (b *bench) open(ctx context.Context) (*engine.Engine, error) {
	eng, err := b.engine(engine.Limits{})
	if err != nil {
		return nil, err
	}
	for _, s := range b.subjects {
		if s.small, err = load(ctx, eng, s.smallSource, nil, "ok"); err != nil {
			break
		}
		// Last, so that its time of compilation is not that of the interpreter.
		if s.component, err = load(ctx, eng, s.source, s.props, s.html); err != nil {
			break
		}
	}
	if err != nil {
		eng.Close()
		return nil, err
	}
	return eng, nil
}

// engine returns an engine with both languages. All engines of a run share a
// cache directory.
func (b *bench) engine(limits engine.Limits) (*engine.Engine, error) {
	var all []runtimes.Runtime
	for _, s := range b.subjects {
		all = append(all, s.runtime)
	}
	return engine.New(engine.Config{
		Runtimes: all,
		Limits:   limits,
		CacheDir: filepath.Join(b.dir, "cache"),
		Progress: func(engine.Progress) {},
	})
}

// contender returns Spore as one of those who render the component.
func (b *bench) contender(s *subject) *contender {
	return &contender{
		name: "**Spore**: `Component.Render`", state: fresh, batch: b.count(200, 5),
		run: each(s.component.want, func(ctx context.Context) (string, error) {
			r, err := s.component.component.Render(ctx, s.component.props, nil)
			if err != nil {
				return "", err
			}
			return r.Text(), nil
		}),
	}
}
