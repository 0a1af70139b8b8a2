package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// program is where the small program for s is built.
func (b *bench) program(s *subject) string {
	return filepath.Join(b.dir, "first-"+s.runtime.Language)
}

// starts builds a small program for each language and runs it as a process.
func (b *bench) starts(ctx context.Context) error {
	sec := b.report.section("Start of a process",
		"A program that compiles the component, renders it once and ends (first/), from the start of its process to the last byte of "+
			"HTML. *No cache* gives it a new, empty cache directory each time, which it fills; *warm cache* the directory of such a run.",
		"language", "cache", "samples", "p50", "p99")
	for _, s := range b.subjects {
		build := exec.CommandContext(ctx, "go", "build", "-o", b.program(s), "./first/"+s.runtime.Language)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build ./first/%s: %w: %s", s.runtime.Language, err, out)
		}
		run := func(cache string, n int) (samples, error) {
			return processes(s.component.props, s.component.want, func(ctx context.Context) *exec.Cmd {
				return exec.CommandContext(ctx, b.program(s), "-cache", cache)
			})(ctx, n)
		}
		var cold samples
		var cache string
		for range b.count(7, 1) {
			var err error
			if cache, err = os.MkdirTemp(b.dir, "cache-"); err != nil {
				return err
			}
			took, err := run(cache, 1)
			if err != nil {
				return err
			}
			cold = append(cold, took...)
		}
		warm, err := run(cache, b.count(100, 2))
		if err != nil {
			return err
		}
		for _, r := range []struct {
			cache string
			took  samples
		}{{"none", cold}, {"warm", warm}} {
			sec.row(s.name, r.cache, fmt.Sprint(len(r.took)), format(r.took.p(50)), format(r.took.p(99)))
		}
		b.report.atMost("process start to first HTML, warm cache, p50", s.name, warm.p(50), s.goals.start)
		b.report.atMost("first start ever, no cache, p50", s.name, cold.p(50), s.goals.firstStart)
	}
	return nil
}

// sizes tells how much an embedder's program grows.
func (b *bench) sizes(context.Context) error {
	sec := b.report.section("Sizes", "What is linked into a program. The program is the one of the section above.",
		"language", "interpreter, compressed", "whole program")
	for _, s := range b.subjects {
		info, err := os.Stat(b.program(s))
		if err != nil {
			return err
		}
		blob := int64(len(s.runtime.Module))
		sec.row(s.name, megabytes(blob), megabytes(info.Size()))
		b.report.goal("embedded interpreter, compressed", s.name, megabytes(blob), "≤ "+megabytes(s.goals.blob), blob <= s.goals.blob)
	}
	return nil
}

func megabytes(bytes int64) string { return significant(float64(bytes)/1e6) + " MB" }
