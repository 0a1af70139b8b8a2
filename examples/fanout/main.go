// Command fanout builds a state in one instance and forks it into variants, which
// go on in parallel. The best one is forked again.
package main

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io"
	"log"
	"os"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/python"
)

//go:embed tour.py
var code []byte

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"short": short, "next": func(i int) int { return i + 1 }}).Parse(pageHTML))

func main() {
	out := flag.String("o", "out.html", "write the page to `file`")
	rounds := flag.Int("rounds", 3, "fork the best `count` times")
	variants := flag.Int("variants", 16, "into `count` variants")
	flag.Parse()
	if err := run(context.Background(), *out, *rounds, *variants, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// A variant is an instance and the tour that it has found.
type variant struct {
	in   *engine.Instance
	Tour tour
	Heat float64 // its parameter
	Best bool    // of its round, and better than what it came from
	fork time.Duration
}

type tour struct {
	Length float64
	Path   string // SVG
}

// A round is one generation of variants.
type round struct {
	Variants []*variant
	Fork     time.Duration // median
	All      time.Duration // until the last had ended
	Length   float64       // of the best tour so far
}

// A report is what page.html shows.
type report struct {
	First, Best tour
	Build       time.Duration // of the state that is forked
	Rounds      []round
}

func run(ctx context.Context, out string, rounds, variants int, w io.Writer) error {
	cacheDir, err := engine.DefaultCacheDir()
	if err != nil {
		return err
	}
	eng, err := engine.New(engine.Config{
		Runtimes: []runtimes.Runtime{python.Runtime()},
		CacheDir: cacheDir,
		Limits:   engine.Limits{CallTime: 10 * time.Second},
	})
	if err != nil {
		return err
	}
	defer eng.Close() // and with it all instances
	r, err := search(ctx, eng, rounds, variants)
	if err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := errors.Join(page.Execute(f, r), f.Close()); err != nil {
		return err
	}
	return r.print(w, out)
}

func search(ctx context.Context, eng *engine.Engine, rounds, variants int) (*report, error) {
	c, err := eng.Compile(ctx, engine.Source{Name: "tour.py", Code: code})
	if err != nil {
		return nil, err
	}
	best := &variant{}
	if best.in, err = c.Open(ctx, nil); err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := best.call(ctx, "load", map[string]any{"seed": 11, "places": 150}); err != nil {
		return nil, err
	}
	r := &report{First: best.Tour, Build: time.Since(begin)}
	for n := range rounds {
		var g round
		if g, best, err = generation(ctx, best, n, variants); err != nil {
			return nil, err
		}
		r.Rounds = append(r.Rounds, g)
	}
	r.Best = best.Tour
	return r, nil
}

// generation forks best, runs the variants in parallel, and returns the best of them
// all. The others are closed.
func generation(ctx context.Context, best *variant, n, variants int) (round, *variant, error) {
	g := round{Variants: make([]*variant, variants)}
	for i := range g.Variants {
		begin := time.Now()
		fork, err := best.in.Fork(ctx)
		if err != nil {
			return g, nil, err
		}
		// From cold to hot, and colder with each generation.
		g.Variants[i] = &variant{in: fork, Heat: 0.25 * float64(i) / float64(n+1), fork: time.Since(begin)}
	}

	begin := time.Now()
	errs := make([]error, variants)
	var wg sync.WaitGroup
	for i, v := range g.Variants {
		wg.Go(func() { errs[i] = v.call(ctx, "improve", map[string]any{"seed": i, "heat": v.Heat, "steps": 15000}) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return g, nil, err
	}
	g.All = time.Since(begin)

	winner := slices.MinFunc(g.Variants, func(a, b *variant) int { return cmp.Compare(a.Tour.Length, b.Tour.Length) })
	if winner.Best = winner.Tour.Length < best.Tour.Length; !winner.Best {
		winner = best
	}
	for _, v := range append(g.Variants, best) {
		if v != winner {
			v.in.Close()
		}
	}
	forks := slices.SortedFunc(slices.Values(g.Variants), func(a, b *variant) int { return cmp.Compare(a.fork, b.fork) })
	g.Fork, g.Length = forks[len(forks)/2].fork, winner.Tour.Length
	return g, winner, nil
}

func (v *variant) call(ctx context.Context, function string, arg any) error {
	res, err := v.in.Call(ctx, function, arg)
	if err != nil {
		return err
	}
	return res.Decode(&v.Tour)
}

func (r *report) print(w io.Writer, out string) error {
	fmt.Fprintf(w, "The state was built in %v; its tour is %.1f long.\n\n", short(r.Build), r.First.Length)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "round\tvariants\ta fork took\tall ran in\tbest tour\t")
	for i, g := range r.Rounds {
		fmt.Fprintf(t, "%d\t%d\t%v\t%v\t%.1f\t\n", i+1, len(g.Variants), short(g.Fork), short(g.All), g.Length)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nOpen %s to see them.\n", out)
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
