package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/sporeengine/spore/engine"
)

// corpus holds the hostile programs of the engine's tests, as seen from the
// folder that this program is run in.
const corpus = "../testdata/hostile"

// hostile measures how soon guests are stopped that do not stop by themselves,
// and how long others wait for a processor meanwhile.
func (b *bench) hostile(ctx context.Context) (err error) {
	// The limits that the corpus is written for.
	eng, err := b.engine(engine.Limits{Memory: 60 << 20, Output: 1 << 20, Console: 16 << 10})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	programs, err := endless(ctx, eng)
	if err != nil {
		return err
	}
	if err := b.stops(ctx, programs); err != nil {
		return err
	}
	return b.heartbeat(ctx, programs)
}

// expecting returns the programs of the corpus that state this outcome.
func expecting(outcome string) ([]engine.Source, error) {
	paths, err := filepath.Glob(corpus + "/*/*")
	if err != nil {
		return nil, err
	}
	var programs []engine.Source
	for _, path := range paths {
		code, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		head := code[:min(len(code), 1000)]
		// Those that need a clock of their own are for the tests.
		if bytes.Contains(head, []byte(" expect: "+outcome)) && !bytes.Contains(head, []byte(" fixed:")) {
			programs = append(programs, engine.Source{Name: filepath.Base(path), Code: code})
		}
	}
	if len(programs) == 0 {
		return nil, fmt.Errorf("no programs in %s that end with %s", corpus, outcome)
	}
	return programs, nil
}

// endless compiles the programs of the corpus that end by CallTime.
func endless(ctx context.Context, eng *engine.Engine) ([]*engine.Component, error) {
	sources, err := expecting("limit CallTime within ")
	if err != nil {
		return nil, err
	}
	var programs []*engine.Component
	for _, src := range sources {
		c, err := eng.Compile(ctx, src)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", src.Name, err)
		}
		programs = append(programs, c)
	}
	return programs, nil
}

// attack renders a program until its deadline.
func attack(ctx context.Context, c *engine.Component, limit time.Duration) error {
	opt := &engine.Options{Limits: engine.Limits{CallTime: limit}}
	_, err := c.Render(ctx, map[string]any{"attack": true, "n": 1}, opt)
	if le, ok := errors.AsType[*engine.LimitError](err); !ok || le.Limit != "CallTime" {
		return fmt.Errorf("%s: %w, want the limit CallTime", c.Name(), err)
	}
	return nil
}

// overruns are how long guests went on beyond their limit.
type overruns struct {
	samples
	worst time.Duration
	by    string // the program that did
}

func (o *overruns) add(program string, d time.Duration) {
	o.samples = append(o.samples, d)
	if d > o.worst {
		o.worst, o.by = d, program
	}
}

func (o *overruns) row(sec *section, what string) {
	sec.row(what, fmt.Sprint(len(o.samples)), format(o.p(50)), format(o.p(99)), format(o.worst), o.by)
}

func (b *bench) stops(ctx context.Context, programs []*engine.Component) error {
	const limit = 50 * time.Millisecond
	rounds := b.count(5, 1)
	var late overruns
	for range rounds {
		for _, c := range programs {
			// Its image is mapped, whatever ran before.
			if _, err := c.Render(ctx, map[string]any{"attack": false, "n": 1}, nil); err != nil {
				return err
			}
			begin := time.Now()
			if err := attack(ctx, c, limit); err != nil {
				return err
			}
			late.add(c.Name(), time.Since(begin)-limit)
		}
	}
	sec := b.report.section("Stopping a guest",
		fmt.Sprintf("The %d programs of the hostile corpus that would run for ever, each stopped by a CallTime of %v, %d times, "+
			"with nothing else running, and those that would compile for ever, stopped by a CompileTime of 500 ms. The time is that of "+
			"the whole Render or Compile, clean-up included, beyond the limit.", len(programs), limit, rounds),
		"", "samples", "p50", "p99", "worst", "by")
	late.row(sec, "call")
	if err := b.compileStops(ctx, sec); err != nil {
		return err
	}
	b.report.atMost("overrun of a deadline, p99", "both", late.p(99), 5*time.Millisecond)
	b.report.atMost("overrun of a deadline, worst", "both", late.worst, 25*time.Millisecond)
	return nil
}

// compileStops does to compilations what stops does to calls.
func (b *bench) compileStops(ctx context.Context, sec *section) (err error) {
	const limit = 500 * time.Millisecond
	sources, err := expecting("limit CompileTime within ")
	if err != nil {
		return err
	}
	eng, err := b.engine(engine.Limits{CompileTime: limit, Memory: 60 << 20})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	var late overruns
	for range b.count(5, 1) {
		for _, src := range sources {
			// Its language is ready, and no parser of TypeScript, which may go on for two seconds, is busy.
			if strings.HasSuffix(src.Name, ".ts") {
				time.Sleep(3 * time.Second)
			}
			fine := engine.Source{Name: "fine.js", Code: []byte("export const render = () => 1")}
			if strings.HasSuffix(src.Name, ".py") {
				fine = engine.Source{Name: "fine.py", Code: []byte("def render(p): return 1")}
			}
			c, err := eng.Compile(ctx, fine)
			if err != nil {
				return err
			}
			c.Close()
			begin := time.Now()
			_, err = eng.Compile(ctx, src)
			over := time.Since(begin) - limit
			if le, ok := errors.AsType[*engine.LimitError](err); !ok || le.Limit != "CompileTime" {
				return fmt.Errorf("%s: %w, want the limit CompileTime", src.Name, err)
			}
			late.add(src.Name, over)
		}
	}
	late.row(sec, "compilation")
	b.report.atMost("overrun of CompileTime, worst", "both", late.worst, 25*time.Millisecond)
	return nil
}

// heartbeat measures how late a goroutine wakes that sleeps for a millisecond at
// a time, beside two guests that compute and a garbage collector that runs all
// the time. Two goroutines of plain Go that compute are the floor.
func (b *bench) heartbeat(ctx context.Context, programs []*engine.Component) error {
	sec := b.report.section("Beside hostile guests",
		"How late a goroutine wakes that sleeps for a millisecond, again and again, while the garbage collector runs every 20 ms over "+
			"a heap of 8 MiB: alone, beside two goroutines of plain Go that compute (the floor, as Go itself takes turns every 10 ms), and "+
			"beside two hostile guests on the two workers of an engine, going through all programs of the corpus that do not end.",
		"beside", "samples", "p50", "p99", "worst")
	duration := time.Duration(b.count(20, 1)) * time.Second
	var guests samples
	for _, beside := range []struct {
		name string
		load func(ctx context.Context, i int) error
	}{
		{"nothing", func(ctx context.Context, _ int) error { <-ctx.Done(); return nil }},
		{"two goroutines of Go", func(ctx context.Context, _ int) error {
			for x := uint64(1); ; x = x*6364136223846793005 + 1442695040888963407 {
				if x>>40 == 0 && ctx.Err() != nil {
					return nil
				}
			}
		}},
		{"two hostile guests", func(ctx context.Context, i int) error {
			for ; ctx.Err() == nil; i += 2 {
				if err := attack(ctx, programs[i%len(programs)], 200*time.Millisecond); err != nil && ctx.Err() == nil {
					return err
				}
			}
			return nil
		}},
	} {
		late, err := beat(ctx, duration, beside.load)
		if err != nil {
			return fmt.Errorf("beside %s: %w", beside.name, err)
		}
		guests = late
		sec.row(beside.name, fmt.Sprint(len(late)), format(late.p(50)), format(late.p(99)), format(late.p(100)))
	}
	b.report.atMost("heartbeat beside 2 hostile guests and the collector, p99", "both", guests.p(99), 10*time.Millisecond)
	return nil
}

// beat returns how late the heartbeat was while two goroutines ran load.
func beat(ctx context.Context, duration time.Duration, load func(context.Context, int) error) (late samples, err error) {
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	var wg sync.WaitGroup
	failed := make(chan error, 2)
	for i := range 2 {
		wg.Go(func() {
			if err := load(ctx, i); err != nil {
				failed <- err
				cancel()
			}
		})
	}
	heap := liveHeap(8 << 20)
	wg.Go(func() {
		for ctx.Err() == nil {
			runtime.GC()
			time.Sleep(20 * time.Millisecond)
		}
	})
	for ctx.Err() == nil {
		begin := time.Now()
		time.Sleep(time.Millisecond)
		late = append(late, time.Since(begin)-time.Millisecond)
	}
	wg.Wait()
	runtime.KeepAlive(heap)
	select {
	case err = <-failed:
	default:
	}
	return late, err
}

// liveHeap returns about n bytes in objects with pointers, for a collector to
// follow.
func liveHeap(n int) []*[64]*string {
	word := strings.Clone("word")
	heap := make([]*[64]*string, n/512)
	for i := range heap {
		heap[i] = new([64]*string)
		heap[i][0] = &word
	}
	return heap
}
