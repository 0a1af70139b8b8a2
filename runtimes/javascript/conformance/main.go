// Command conformance runs the test cases for parsers of the ECMAScript test
// suite in the JavaScript runtime, and prints how many pass.
//
//	npm install --ignore-scripts --prefix DIR test262-parser-tests@0.0.5
//	go run ./runtimes/javascript/conformance [-v] DIR/node_modules/test262-parser-tests
//
// The tests are not part of this repository. Every case is evaluated as a script
// in a guest of its own. The cases of the folders pass and pass-explicit must
// parse, those of fail and early must be a SyntaxError. Cases for modules are
// left out: modules do not reach the interpreter, because Lower makes scripts
// of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
)

// component says whether code parses. What else goes wrong does not matter.
const component = `export function render({ code }) {
  try {
    (0, eval)(code);
  } catch (e) {
    return !(e instanceof SyntaxError);
  }
  return true;
}`

var folders = []struct {
	name  string
	parse bool
}{{"pass", true}, {"pass-explicit", true}, {"fail", false}, {"early", false}}

func main() {
	log.SetFlags(0)
	verbose := flag.Bool("v", false, "name the cases that fail")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: conformance [-v] folder-of-test262-parser-tests")
	}
	if err := run(os.Stdout, flag.Arg(0), *verbose); err != nil {
		log.Fatal(err)
	}
}

func run(out io.Writer, dir string, verbose bool) error {
	cache, err := engine.DefaultCacheDir()
	if err != nil {
		return err
	}
	eng, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{javascript.Runtime()}, CacheDir: cache})
	if err != nil {
		return err
	}
	defer eng.Close()
	c, err := eng.Compile(context.Background(), engine.Source{Name: "parse.js", Code: []byte(component)})
	if err != nil {
		return err
	}
	all, passed := 0, 0
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(dir, folder.name, "*.js"))
		if err != nil {
			return err
		}
		n, ok, modules := 0, 0, 0
		for _, file := range files {
			if strings.HasSuffix(file, ".module.js") {
				modules++
				continue
			}
			code, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			parsed, err := parses(c, string(code))
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			n++
			if parsed == folder.parse {
				ok++
			} else if verbose {
				fmt.Fprintf(out, "FAIL %s/%s: %q\n", folder.name, filepath.Base(file), code)
			}
		}
		fmt.Fprintf(out, "%-14s %4d of %4d pass, %d modules left out\n", folder.name, ok, n, modules)
		all, passed = all+n, passed+ok
	}
	if all == 0 {
		return fmt.Errorf("%s has no tests", dir)
	}
	fmt.Fprintf(out, "%-14s %4d of %4d pass\n", "all", passed, all)
	return nil
}

func parses(c *engine.Component, code string) (bool, error) {
	r, err := c.Render(context.Background(), map[string]string{"code": code}, &engine.Options{
		Limits: engine.Limits{CallTime: 200 * time.Millisecond},
	})
	var limit *engine.LimitError
	if errors.As(err, &limit) { // an endless loop has been parsed
		return true, nil
	}
	if err != nil {
		return false, err
	}
	var ok bool
	err = r.Decode(&ok)
	return ok, err
}
