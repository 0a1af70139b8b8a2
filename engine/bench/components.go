package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sporeengine/spore/engine/bench/work"
)

// components races Spore against its peers on one component a language.
func (b *bench) components(ctx context.Context) error {
	js, py := b.subjects[0], b.subjects[1]
	dir, err := b.installReact(ctx)
	if err != nil {
		return err
	}
	var peers []*contender
	if dir != "" {
		node, err := b.nodePeers(ctx, dir)
		if err != nil {
			return err
		}
		embedded, err := b.scriptPeers(dir)
		if err != nil {
			return errors.Join(err, closeAll(node))
		}
		peers = append(node, embedded...)
	}
	err = b.component(ctx, js, peers, freshNode, fmt.Sprintf(
		"A React component of ten elements becomes %d bytes of static markup. Node, goja and modernc.org/quickjs run the same "+
			"component on the same version of React, server build included. The latter two get all of it as one script, parsed before "+
			"(goja) or compiled to bytecode (QuickJS). A new VM of theirs has fresh state, but shares the memory of the Go program: "+
			"nothing but the interpreter's own care keeps a script from the rest of it.", len(work.CardHTML)))
	if err != nil {
		return err
	}

	if peers, err = b.pythonPeers(ctx); err != nil {
		return err
	}
	starlark, err := b.starlarkPeers()
	if err != nil {
		return errors.Join(err, closeAll(peers))
	}
	return b.component(ctx, py, append(peers, starlark...), freshPython, fmt.Sprintf(
		"A table of twenty rows, made of f-strings, with text escaped by `html.escape`: %d bytes of HTML. CPython runs the same "+
			"file. Starlark is a smaller language, made for configuration files; it gets a translation, compiled before.", len(work.TableHTML)))
}

// component races Spore against peers on the component of s. The peer named
// process is the one that a goal speaks of.
func (b *bench) component(ctx context.Context, s *subject, peers []*contender, process, text string) (err error) {
	defer func() { err = errors.Join(err, closeAll(peers)) }()
	spore := b.contender(s)
	all := append([]*contender{spore}, peers...)
	all = append(all, control(b.count(100, 2)))
	if err := race(ctx, b.count(50, 1), all); err != nil {
		return err
	}
	sec := b.report.section("Component to HTML: "+s.name, text+
		fmt.Sprintf(" *Fresh* means that nothing of the render before is left, as isolation needs it; *kept* that state stays. "+
			"Ratios are of p50, to Spore. Spore compiles the component once, before all renders, which took %s.", format(s.component.compiled)),
		"contender", "state", "samples", "p50", "p99", "time, Spore = 1")
	base := spore.took.p(50)
	for _, c := range all {
		relative := ratio(c.took.p(50), base)
		if c.state == "" {
			relative = "" // does other work
		}
		sec.row(c.name, c.state, fmt.Sprint(len(c.took)), format(c.took.p(50)), format(c.took.p(99)), relative)
	}
	b.report.atMost("component, fresh state to HTML, p50", s.name, base, s.goals.render)
	for _, c := range peers {
		if c.name == process {
			b.report.atLeast("the same in a fresh process, slower by", s.name, float64(c.took.p(50))/float64(base), s.goals.process)
		}
	}
	return nil
}

// throughput compares two goroutines that render with one.
func (b *bench) throughput(ctx context.Context) error {
	const goroutines = 2
	sec := b.report.section("Two goroutines",
		"Renders per second of one goroutine and of two, by turns; the ratio is the median of the rounds, beside the smallest and the largest.",
		"language", "rounds", "1 goroutine", "2 goroutines", "ratio", "least", "most")
	period := time.Duration(b.count(500, 20)) * time.Millisecond
	for _, s := range b.subjects {
		var one, two, speedup []float64
		for range b.count(20, 1) {
			a, err := rate(ctx, &s.component, 1, period)
			if err != nil {
				return err
			}
			c, err := rate(ctx, &s.component, goroutines, period)
			if err != nil {
				return err
			}
			one, two, speedup = append(one, a), append(two, c), append(speedup, c/a)
		}
		sec.row(s.name, fmt.Sprint(len(one)), fmt.Sprintf("%.0f/s", percentile(one, 50)), fmt.Sprintf("%.0f/s", percentile(two, 50)),
			significant(percentile(speedup, 50))+"×", significant(percentile(speedup, 0))+"×", significant(percentile(speedup, 100))+"×")
		b.report.atLeast("throughput of 2 goroutines over 1", s.name, percentile(speedup, 50), s.goals.speedup)
	}
	return nil
}

// rate returns renders per second of some goroutines together.
func rate(ctx context.Context, l *loaded, goroutines int, period time.Duration) (float64, error) {
	type outcome struct {
		renders int
		err     error
	}
	outcomes := make(chan outcome)
	start := time.Now()
	for range goroutines {
		go func() {
			var o outcome
			for o.err == nil && time.Since(start) < period {
				_, o.err = l.render(ctx)
				o.renders++
			}
			outcomes <- o
		}()
	}
	renders := 0
	var errs []error
	for range goroutines {
		o := <-outcomes
		renders += o.renders
		errs = append(errs, o.err)
	}
	return float64(renders) / time.Since(start).Seconds(), errors.Join(errs...)
}
