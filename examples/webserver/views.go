package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/sporeengine/spore/engine"
)

//go:embed components
var sources embed.FS

var (
	//go:embed data/iowa-electricity.json
	electricity []byte
	//go:embed data/us-jobs.json
	jobs []byte
)

// A view is a page that one component renders.
type view struct {
	Path, Title string
	File        string                        // of the component
	props       func(url.Values) (any, error) // an error is the client's fault
	limits      engine.Limits                 // zero: those of the engine
	component   component
}

// views returns the pages in the order of the menu.
func views() []*view {
	return []*view{
		{Path: "/{$}", Title: "Card", File: "card.tsx", props: cardProps},
		{Path: "/energy", Title: "Energy", File: "energy.tsx", props: energyProps},
		{Path: "/jobs", Title: "Jobs", File: "jobs.py", props: jobsProps},
		{Path: "/typo", Title: "Typo", File: "typo.tsx", props: constant("")},
		{Path: "/error", Title: "Error", File: "basket.tsx", props: constant("")},
		// A component may get less than the engine allows, never more.
		{Path: "/loop", Title: "Loop", File: "greedy.py", props: constant("time"), limits: engine.Limits{CallTime: 100 * time.Millisecond}},
		{Path: "/memory", Title: "Memory", File: "greedy.py", props: constant("memory")},
		{Path: "/output", Title: "Output", File: "greedy.py", props: constant("output"), limits: engine.Limits{Output: 1 << 20}},
		{Path: "/hostile", Title: "Hostile", File: "hostile.py", props: constant("")},
	}
}

// A component is compiled source, or the reason why it did not compile.
type component struct {
	code     []byte
	compiled *engine.Component
	err      error
}

// compileAll compiles the component of each view once, before any request
// needs it. Trouble with a source is kept, to be shown on its pages.
func compileAll(ctx context.Context, eng *engine.Engine, views []*view) error {
	done := map[string]component{}
	for _, v := range views {
		c, ok := done[v.File]
		if !ok {
			var err error
			if c.code, err = sources.ReadFile("components/" + v.File); err != nil {
				return err
			}
			c.compiled, c.err = eng.Compile(ctx, engine.Source{Name: v.File, Code: c.code})
			if c.err != nil && !isComponentError(c.err) {
				return c.err
			}
			done[v.File] = c
		}
		v.component = c
	}
	return nil
}

// isComponentError reports whether err is the fault of a component.
func isComponentError(err error) bool {
	_, source := errors.AsType[*engine.SourceError](err)
	_, guest := errors.AsType[*engine.GuestError](err)
	_, limit := errors.AsType[*engine.LimitError](err)
	return source || guest || limit
}

func cardProps(q url.Values) (any, error) {
	visitor := q.Get("name")
	if visitor == "" {
		visitor = "visitor"
	}
	return map[string]string{"visitor": visitor}, nil
}

func energyProps(q url.Values) (any, error) {
	from, to, err := period(q, 2001, 2017)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"years": json.RawMessage(electricity),
		"from":  from,
		"to":    to,
		"share": q.Get("share") == "1",
	}, nil
}

func jobsProps(q url.Values) (any, error) {
	from, to, err := period(q, 2006, 2015)
	if err != nil {
		return nil, err
	}
	return map[string]any{"months": json.RawMessage(jobs), "from": from, "to": to}, nil
}

func constant(what string) func(url.Values) (any, error) {
	return func(url.Values) (any, error) { return map[string]string{"what": what}, nil }
}

// period reads the parameters from and to, which are years between first and
// last, and those if missing.
func period(q url.Values, first, last int) (from, to int, err error) {
	from, to = first, last
	for _, p := range []struct {
		name string
		year *int
	}{{"from", &from}, {"to", &to}} {
		if s := q.Get(p.name); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil || n < first || n > last {
				return 0, 0, fmt.Errorf("%q is not a year from %d to %d", p.name, first, last)
			}
			*p.year = n
		}
	}
	if from > to {
		return 0, 0, errors.New(`"from" is later than "to"`)
	}
	return from, to, nil
}
