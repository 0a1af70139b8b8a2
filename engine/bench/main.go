// Command bench measures Spore beside its peers, in one run, and prints a page
// of Markdown. README.md tells how to run it and what it needs.
//
// It asserts nothing about time. Every output is compared with what it must be
// before its time counts, and a wrong one ends the program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	quick := flag.Bool("quick", false, "run everything, but so few times that the figures mean nothing")
	sessions := flag.Int("sessions", 0, "measure instances instead, with this `many` of each language")
	out := flag.String("o", "", "write the page to this `file` and not to standard output")
	flag.Parse()
	if err := run(ctx, *quick, *sessions, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A bench is one run of all measurements.
type bench struct {
	quick    bool
	dir      string // for everything that is installed, built and cached
	report   *report
	subjects []*subject
}

func run(ctx context.Context, quick bool, sessions int, out string) (err error) {
	dir, err := os.MkdirTemp("", "spore-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{quick: quick, dir: dir, report: newReport(ctx, quick), subjects: subjects()}
	type part struct {
		name    string
		measure func(context.Context) error
	}
	parts := []part{
		{"start from a snapshot", b.restore},
		{"component to HTML", b.components},
		{"size of the image", b.imageSizes},
		{"start of a process", b.starts},
		{"two goroutines", b.throughput},
		{"sizes", b.sizes},
		{"many renders", b.soak},
		{"hostile guests", b.hostile},
	}
	if sessions > 0 {
		b.report.title, b.report.method = sessionsTitle, sessionsMethod
		parts = []part{
			{"host calls", b.hostCalls},
			{"one instance", b.oneInstance},
			{"parked instances", func(ctx context.Context) error { return b.parked(ctx, sessions) }},
			// Last, because Go's runtime keeps a record of every goroutine that there was, which each collection looks at.
			{"calls that wait", b.waiting},
		}
	} else {
		eng, err := b.open(ctx)
		if err != nil {
			return err
		}
		defer eng.Close()
	}
	for _, part := range parts {
		begin := time.Now()
		fmt.Fprintf(os.Stderr, "bench: %s ... ", part.name)
		if err := part.measure(ctx); err != nil {
			fmt.Fprintln(os.Stderr)
			return fmt.Errorf("%s: %w", part.name, err)
		}
		fmt.Fprintf(os.Stderr, "%.1f s\n", time.Since(begin).Seconds())
	}
	b.report.finish()
	if out == "" {
		return b.report.write(os.Stdout)
	}
	return writeFile(out, b.report.write)
}

// count returns how often something is done.
func (b *bench) count(full, quick int) int {
	if b.quick {
		return quick
	}
	return full
}

// writeFile replaces a file at once, so that a failed run leaves the old page.
func writeFile(path string, fill func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".bench-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if err := errors.Join(fill(f), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
