package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// A report is the page that this program prints.
type report struct {
	quick    bool
	title    string // and how the page is made, in Markdown
	method   string
	machine  [][2]string
	versions [][2]string
	skipped  [][2]string // what, why
	goals    *section
	sections []*section

	begin             time.Time
	beginLoad         string
	beginSteal, ticks int64
	noise             string
}

// A section is a table with a heading.
type section struct {
	title, text string
	columns     []string
	rows        [][]string
}

// row adds a row. The strings are Markdown, but may hold any text.
func (s *section) row(cells ...string) { s.rows = append(s.rows, cells) }

func newReport(ctx context.Context, quick bool) *report {
	r := &report{quick: quick, title: title, method: method, begin: time.Now(), machine: machine(ctx), versions: modules(), beginLoad: loadAverage()}
	r.beginSteal, r.ticks = stolen()
	r.goals = &section{
		title: "Goals",
		text: "What the project set out to reach on a machine of two cores, beside what this run measured. " +
			"All figures come from the sections below.",
		columns: []string{"", "language", "measured", "goal", "met"},
	}
	r.sections = []*section{r.goals}
	return r
}

// section adds a section to the end of the page.
func (r *report) section(title, text string, columns ...string) *section {
	s := &section{title: title, text: text, columns: columns}
	r.sections = append(r.sections, s)
	return s
}

func (r *report) version(name, version string) {
	r.versions = append(r.versions, [2]string{name, version})
}

// skip notes that something was not measured.
func (r *report) skip(what, why string) {
	r.skipped = append(r.skipped, [2]string{what, why})
}

func (r *report) goal(what, language, measured, goal string, met bool) {
	verdict := "no"
	switch {
	case r.quick:
		verdict = "(quick run)"
	case met:
		verdict = "yes"
	}
	r.goals.row(what, language, measured, goal, verdict)
}

func (r *report) atMost(what, language string, measured, goal time.Duration) {
	r.goal(what, language, format(measured), "≤ "+format(goal), measured <= goal)
}

func (r *report) atLeast(what, language string, measured, goal float64) {
	r.goal(what, language, significant(measured)+"×", fmt.Sprintf("≥ %g×", goal), measured >= goal)
}

// finish notes how busy the machine was meanwhile.
func (r *report) finish() {
	if r.beginLoad == "" {
		r.noise = "unknown: this system does not tell"
		return
	}
	steal, ticks := stolen()
	r.noise = fmt.Sprintf("load average %s at the beginning and %s at the end", r.beginLoad, loadAverage())
	if ticks > r.ticks {
		r.noise += fmt.Sprintf("; %.1f %% of the CPU time taken by other virtual machines", 100*float64(steal-r.beginSteal)/float64(ticks-r.ticks))
	}
}

const title = "# Benchmarks\n\nWritten by `make bench` (`cd engine/bench && go run . -o ../BENCHMARKS.md`); do not edit. "

const method = `One program made all of this in one run, with Go's default settings of the garbage collector.

- Spore and its peers take turns in rounds, so that a slow moment of the machine hits all of them. A first round warms up
  and does not count. Garbage is collected between turns, outside the time taken: nobody pays for another's.
- Times are wall clock unless a row says CPU. p50 and p99 are nearest ranks: values that were measured. With fewer than
  100 samples p99 is the largest.
- Every output is compared with the HTML that node and CPython produce, byte for byte, before its time counts; the times
  taken inside a long-lived process are the exception, whose output is compared when it is asked over the pipe.
- Props reach every contender as JSON text, and it is in its time to parse them, except for the times taken inside a process.
- A process of its own is timed until its last byte of HTML has come, its end is not. Interpreters of processes are the
  real binaries, not the shims of version managers. Files are in the page cache.
- The control row is fixed work in Go: how far its p99 is from its p50 is the noise of the machine.
- Nothing here is an upper bound of what an attacker can make a component cost: that is what limits are for.
`

func (r *report) write(w io.Writer) error {
	p := &printer{w: w}
	p.print("%s", r.title)
	p.print("Figures are of one machine and one run: read ratios before absolute times.\n\n")
	if r.quick {
		p.print("**This is a quick run: it shows that the program works, its figures mean nothing.**\n\n")
	}
	p.table([]string{"", ""}, append(append(r.machine, r.versions...),
		[2]string{"date", r.begin.UTC().Format("2006-01-02 15:04 MST") + fmt.Sprintf(", %.0f s", time.Since(r.begin).Seconds())},
		[2]string{"other load", r.noise}))
	for i, s := range r.sections {
		p.print("\n## %s\n\n%s\n\n", s.title, s.text)
		printRows(p, s.columns, s.rows)
		if i > 0 {
			continue
		}
		p.print("\n## Method\n\n%s", r.method)
		p.print("\n## Not measured\n\n")
		if len(r.skipped) == 0 {
			p.print("Nothing was left out.\n")
			continue
		}
		p.table([]string{"skipped", "reason"}, r.skipped)
	}
	return p.err
}

// A printer keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) print(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) table(columns []string, rows [][2]string) {
	var cells [][]string
	for _, r := range rows {
		cells = append(cells, r[:])
	}
	printRows(p, columns, cells)
}

func printRows(p *printer, columns []string, rows [][]string) {
	line := func(cells []string) {
		var b strings.Builder
		for _, c := range cells {
			// A reason may come from another program and be long.
			c = strings.Join(strings.Fields(strings.ReplaceAll(c, "|", `\|`)), " ")
			b.WriteString("| " + c + " ")
		}
		p.print("%s|\n", b.String())
	}
	line(columns)
	p.print("|%s\n", strings.Repeat(" --- |", len(columns)))
	for _, r := range rows {
		line(r)
	}
}
