// Command durable takes an order through a workflow that lasts longer than any
// process: kill it whenever you like, and start it again.
package main

import (
	"bufio"
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
	"github.com/sporeengine/spore/snapshot/store"
)

//go:embed order.py order.ts
var sources embed.FS

// A config is what the flags say.
type config struct {
	dir, workflow  string
	delivery, bank time.Duration
}

func main() {
	var c config
	flag.StringVar(&c.workflow, "workflow", "order.py", "the workflow: order.py or order.ts")
	flag.StringVar(&c.dir, "dir", "", "keep the order and its payments in `directory`; empty means one in the user's cache")
	flag.DurationVar(&c.delivery, "delivery", 20*time.Second, "how long the delivery takes")
	flag.DurationVar(&c.bank, "bank", 3*time.Second, "how long the bank takes to answer")
	flag.Parse()
	// There is nothing to do at Ctrl-C.
	if err := run(context.Background(), c, os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run goes on with the order that is stored, or makes one.
func run(ctx context.Context, c config, in io.Reader, out io.Writer) (err error) {
	cacheDir, err := engine.DefaultCacheDir()
	if err != nil {
		return err
	}
	c.dir = cmp.Or(c.dir, filepath.Join(filepath.Dir(cacheDir), "spore-durable"))
	st, err := store.OpenDir(c.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	key, err := store.KeyFile(filepath.Join(c.dir, "key")) // a program that is not an example keeps it elsewhere
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
	defer func() { err = errors.Join(err, eng.Close()) }()
	code, err := sources.ReadFile(c.workflow)
	if err != nil {
		return err
	}
	w := &worker{eng: eng, out: out}
	if w.workflow, err = eng.Compile(ctx, engine.Source{Name: c.workflow, Code: code}); err != nil {
		return err
	}
	if w.options.Grants, err = grants(&world{store: st, bank: c.bank, out: out}); err != nil {
		return err
	}
	if w.sessions, err = store.NewSessions(store.SessionsConfig{Store: st, Keys: []store.Key{key}, Lease: lease, MaxSkew: lease / 5}); err != nil {
		return err
	}

	answers := bufio.NewScanner(in)
	s, err := w.goOn(ctx, 0, nil)
	if errors.Is(err, store.ErrNotFound) {
		s, err = w.start(ctx, map[string]any{"item": "chair", "count": 3, "delivery": c.delivery.Seconds()})
	}
	for err == nil && s.result == nil {
		var number uint32
		var answer any
		if number, answer, err = w.wait(s, answers); err == nil {
			s, err = w.goOn(ctx, number, answer)
		}
	}
	if errors.Is(err, io.EOF) {
		fmt.Fprintln(out, "Nobody is there to answer. The order waits.")
		return nil
	}
	return err
}

// wait waits until the workflow can go on: for a person, whose answer it returns,
// or for a time.
func (w *worker) wait(s step, answers *bufio.Scanner) (number uint32, answer any, err error) {
	for _, p := range s.pending {
		switch p.Name {
		case "person.ask":
			var arg question
			if err := json.Unmarshal(p.Argument.JSON, &arg); err != nil {
				return 0, nil, err
			}
			fmt.Fprintf(w.out, "%s [y/n]\n", arg.Question)
			if !answers.Scan() {
				return 0, nil, errors.Join(answers.Err(), io.EOF)
			}
			return p.Number, yesNo{answers.Text() == "y"}, nil
		case "spore.sleep":
			fmt.Fprintf(w.out, "The delivery comes at %s.\n", p.Due.Format(time.TimeOnly))
			time.Sleep(time.Until(p.Due))
		}
	}
	return 0, nil, nil
}
