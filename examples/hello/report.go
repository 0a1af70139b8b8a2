package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"short": short}).Parse(pageHTML))

// A report is a rendered component and what it took.
type report struct {
	Name         string
	HTML         template.HTML
	FirstCompile time.Duration // makes the interpreter ready, too
	NextCompile  time.Duration
	FirstHTML    time.Duration // since the start of the process
	FirstRender  time.Duration
	Render       time.Duration // median of all renders
	Start        time.Duration // median of the part before the component runs
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
	for _, r := range reports {
		fmt.Fprintf(w, "\n%s begins %.150s …\n", r.Name, r.HTML)
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
