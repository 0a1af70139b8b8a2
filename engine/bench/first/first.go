// Package first is a small program that uses Spore: it renders one component
// and ends. The benchmark starts it to learn what the first HTML of a program
// costs. There is a command for each language, so that each links only its own.
package first

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
)

// Main renders source with props from standard input and ends the program.
func Main(rt runtimes.Runtime, source engine.Source) {
	cache := flag.String("cache", "", "`directory` for Config.CacheDir")
	flag.Parse()
	if err := run(rt, source, *cache); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(rt runtimes.Runtime, source engine.Source, cache string) error {
	props, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	eng, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{rt}, CacheDir: cache})
	if err != nil {
		return err
	}
	defer eng.Close()
	ctx := context.Background()
	c, err := eng.Compile(ctx, source)
	if err != nil {
		return err
	}
	r, err := c.Render(ctx, json.RawMessage(props), nil)
	if err != nil {
		return err
	}
	_, err = io.WriteString(os.Stdout, r.Text())
	return err
}
