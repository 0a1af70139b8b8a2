// Command hello renders the same data with two generated components, one in
// TSX and one in Python, and says what that took.
package main

import (
	"context"
	"embed"
	"encoding/json"
	"flag"
	"fmt"
	"html/template"
	"io"
	"log"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

//go:embed dashboard.tsx dashboard.py
var components embed.FS

//go:embed data/seattle-2015.json
var weather []byte

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"short": short}).Parse(pageHTML))

// start is as close to the start of the process as a Go program can get
// without asking the operating system.
var start = time.Now()

func main() {
	out := flag.String("o", "out.html", "write the page to `file`")
	n := flag.Int("n", 100, "render each component `count` more times")
	flag.Parse()
	if err := run(context.Background(), *out, *n, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out string, n int, w io.Writer) error {
	cacheDir, err := engine.DefaultCacheDir()
	if err != nil {
		return err
	}
	eng, err := engine.New(engine.Config{
		Runtimes: []runtimes.Runtime{javascript.Runtime(), python.Runtime()},
		CacheDir: cacheDir,
	})
	if err != nil {
		return err
	}
	defer eng.Close()

	var reports []report
	for _, name := range []string{"dashboard.tsx", "dashboard.py"} {
		r, err := measure(ctx, eng, name, n)
		if err != nil {
			return err
		}
		reports = append(reports, r)
	}
	if err := writePage(out, reports); err != nil {
		return err
	}
	return printReports(w, out, reports)
}

// props are what both components are given. Any value that encoding/json
// accepts will do.
func props() any {
	return map[string]any{"place": "Seattle", "year": 2015, "days": json.RawMessage(weather)}
}

// A report is a rendered component and what it took.
type report struct {
	Name         string
	HTML         template.HTML
	FirstCompile time.Duration // makes the interpreter ready, too
	NextCompile  time.Duration
	FirstHTML    time.Duration // since the start of the process
	FirstRender  time.Duration
	Render       time.Duration // median of those that follow
	Start        time.Duration // the part of Render before the component runs, median
}

func measure(ctx context.Context, eng *engine.Engine, name string, n int) (report, error) {
	r := report{Name: name}
	code, err := components.ReadFile(name)
	if err != nil {
		return r, err
	}
	src := engine.Source{Name: name, Code: code}

	begin := time.Now()
	dashboard, err := eng.Compile(ctx, src)
	if err != nil {
		return r, err
	}
	defer dashboard.Close()
	r.FirstCompile = time.Since(begin)

	begin = time.Now()
	res, err := dashboard.Render(ctx, props(), nil)
	if err != nil {
		return r, err
	}
	r.FirstRender, r.FirstHTML = time.Since(begin), time.Since(start)

	// This page trusts its two components. Generated HTML that it does not
	// trust belongs behind a Content-Security-Policy or in a sandboxed frame.
	r.HTML = template.HTML(res.Text())

	begin = time.Now()
	again, err := eng.Compile(ctx, src)
	if err != nil {
		return r, err
	}
	r.NextCompile = time.Since(begin)
	if err := again.Close(); err != nil {
		return r, err
	}

	renders, starts := []time.Duration{r.FirstRender}, []time.Duration{res.Usage.Start}
	for i := range n {
		begin := time.Now()
		res, err := dashboard.Render(ctx, props(), nil)
		if err != nil {
			return r, fmt.Errorf("render %d: %w", i+2, err)
		}
		renders = append(renders, time.Since(begin))
		starts = append(starts, res.Usage.Start)
	}
	r.Render, r.Start = median(renders), median(starts)
	return r, nil
}

func median(ds []time.Duration) time.Duration {
	slices.Sort(ds)
	return ds[len(ds)/2]
}

func writePage(path string, reports []report) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	return page.Execute(f, reports)
}

func printReports(w io.Writer, out string, reports []report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "component\tfirst compile\tnext compile\tfirst render\tmedian render\tits start\tHTML\t")
	for _, r := range reports {
		fmt.Fprintf(t, "%s\t%v\t%v\t%v\t%v\t%v\t%d bytes\t\n", r.Name, short(r.FirstCompile), short(r.NextCompile),
			short(r.FirstRender), short(r.Render), short(r.Start), len(r.HTML))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nFirst HTML %v after the start of the process. Open %s to see both.\n", short(reports[0].FirstHTML), out)
	return err
}

// short rounds d to three digits.
func short(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d >= 1000*unit {
		unit *= 10
	}
	return d.Round(unit)
}
