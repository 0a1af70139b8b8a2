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

	// Generated HTML may contain scripts: the Content-Security-Policy of
	// page.html keeps them from running.
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
