package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/sporeengine/spore/engine"
)

// costs are what renders of one component took. CPU time has a sample for each
// round, the mean of its renders.
type costs struct {
	whole, start, around, cpu samples
	memory                    int64 // bytes of the guest's memory, the largest seen
}

// measure renders each of the components perRound times a round.
func measure(ctx context.Context, rounds, perRound int, components []*loaded) ([]costs, error) {
	all := make([]costs, len(components))
	for range rounds {
		for i, l := range components {
			runtime.GC() // what other components left behind is not their cost
			c := &all[i]
			before, ok := cpuTime()
			for range perRound {
				r, err := l.render(ctx)
				if err != nil {
					return nil, err
				}
				c.whole = append(c.whole, r.whole)
				c.start = append(c.start, r.start)
				c.around = append(c.around, r.around)
				c.memory = max(c.memory, r.memory)
			}
			if after, _ := cpuTime(); ok {
				c.cpu = append(c.cpu, (after-before)/time.Duration(perRound))
			}
		}
	}
	return all, nil
}

func (b *bench) restore(ctx context.Context) error {
	var components []*loaded
	for _, s := range b.subjects {
		components = append(components, &s.small, &s.component)
	}
	all, err := measure(ctx, b.count(100, 2), b.count(200, 10), components)
	if err != nil {
		return err
	}
	sec := b.report.section("Start from a snapshot",
		"What it takes to get a guest in the state of its snapshot, ready to run, and to put that state back when it is done: "+
			"all of `Component.Render` except the time of the guest itself, which `Usage.Guest` tells. "+
			"Props and result are copied and checked within that time. *Small call* is a component that counts its calls, which must "+
			"always be one, and returns at once; "+
			"the others are the components of the next section. CPU time is that of the whole process, all threads and the garbage "+
			"collector included, by getrusage, as the mean of each batch of calls.",
		"language", "guest", "quantity", "samples", "p50", "p99")
	for i, s := range b.subjects {
		small, component := all[2*i], all[2*i+1]
		row := func(guest, quantity string, took samples) {
			if len(took) == 0 {
				b.report.skip(s.name+", "+guest+": "+quantity, "this system does not tell CPU time")
				return
			}
			sec.row(s.name, guest, quantity, fmt.Sprint(len(took)), format(took.p(50)), format(took.p(99)))
		}
		row("small call", "restore and reset", small.around)
		row("small call", "of it until the guest can run", small.start)
		row("small call", "restore, call and reset", small.whole)
		row("small call", "restore, call and reset: CPU", small.cpu)
		row(s.source.Name, "restore and reset", component.around)
		row(s.source.Name, "of it until the guest can run", component.start)
		row(s.source.Name, "restore, render and reset: CPU", component.cpu)
		b.report.atMost("restore to a runnable guest, and reset, after a small call, p50", s.name, small.around.p(50), s.goals.restoreP50)
		b.report.atMost("restore to a runnable guest, and reset, after a small call, p99", s.name, small.around.p(99), s.goals.restoreP99)
		if len(small.cpu) > 0 {
			b.report.atMost("restore + small call + reset, CPU, p50", s.name, small.cpu.p(50), s.goals.smallCPU)
		}
	}
	return nil
}

// imageSizes compares components with little and with much state.
func (b *bench) imageSizes(ctx context.Context) (err error) {
	eng, err := b.engine(engine.Limits{Memory: 256 << 20, CompileTime: time.Minute})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	var components []*loaded
	for _, s := range b.subjects {
		// The first component of an engine has to wait for the interpreter.
		first, err := load(ctx, eng, s.smallSource, nil, "ok")
		if err != nil {
			return err
		}
		if err := first.component.Close(); err != nil {
			return err
		}
		for _, source := range []engine.Source{s.smallSource, s.largeSource} {
			l, err := load(ctx, eng, source, nil, "ok")
			if err != nil {
				return err
			}
			components = append(components, &l)
		}
	}
	all, err := measure(ctx, b.count(50, 2), b.count(200, 10), components)
	if err != nil {
		return err
	}
	sec := b.report.section("Size of the image",
		"Two components that return at once, as in the section above: one has no other state, the other made a list of objects at "+
			"module level. A restore copies back the pages that a call has written to, so its cost should not depend on how large the image is.",
		"language", "guest memory", "to compile", "samples", "restore and reset p50", "p99", "with call p50", "p99", "p50 ratio")
	for i, c := range all {
		small := all[i-i%2]
		sec.row(b.subjects[i/2].name, mebibytes(c.memory), format(components[i].compiled), fmt.Sprint(len(c.whole)),
			format(c.around.p(50)), format(c.around.p(99)), format(c.whole.p(50)), format(c.whole.p(99)),
			ratio(c.whole.p(50), small.whole.p(50)))
	}
	return nil
}
