// Command conformance runs tests that others wrote in the JavaScript runtime,
// and prints how many pass: the test cases for parsers of the ECMAScript test
// suite, and the tests of QuickJS itself.
//
//	go run ./runtimes/javascript/conformance [-v] [-atleast N] [-parser FOLDER] [-quickjs FOLDER]
//
// The tests are not part of this repository. Unless the flags name folders that
// have them, they are fetched: with npm the package test262-parser-tests, and
// with the go command the module modernc.org/libquickjs, which ships the tests
// of the QuickJS that it is made from.
//
// Every parser case is evaluated as a script in a guest of its own. The cases of
// the folders pass and pass-explicit must parse, those of fail and early must be
// a SyntaxError. Cases for modules are left out: modules do not reach the
// interpreter, because Lower makes scripts of them.
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

var patience = flag.Int("patience", 1, "factor of the time limits, for slow machines and wazero's interpreter")

func patiently(d time.Duration) time.Duration { return d * time.Duration(*patience) }

func main() {
	log.SetFlags(0)
	verbose := flag.Bool("v", false, "name the cases that fail")
	atLeast := flag.Int("atleast", 0, "fail if fewer cases pass")
	parser := flag.String("parser", "", "folder of test262-parser-tests (default: fetched)")
	quickjs := flag.String("quickjs", "", "folder of QuickJS's tests (default: fetched)")
	flag.Parse()
	passed, err := runAll(os.Stdout, *parser, *quickjs, *verbose)
	if err != nil {
		log.Fatal(err)
	}
	if passed < *atLeast {
		log.Fatalf("%d cases pass, want at least %d", passed, *atLeast)
	}
}

func runAll(out io.Writer, parser, quickjs string, verbose bool) (passed int, err error) {
	cache, err := engine.DefaultCacheDir()
	if err != nil {
		return 0, err
	}
	eng, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{javascript.Runtime()}, CacheDir: cache,
		Limits: engine.Limits{CallTime: patiently(time.Second), CompileTime: patiently(5 * time.Second)}})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	if parser == "" {
		dir, err := os.MkdirTemp("", "spore-conformance-")
		if err != nil {
			return 0, err
		}
		defer os.RemoveAll(dir)
		if parser, err = fetchParserTests(dir); err != nil {
			return 0, err
		}
	}
	if quickjs == "" {
		if quickjs, err = fetchQuickJSTests(); err != nil {
			return 0, err
		}
	}
	n, err := runParserTests(out, eng, parser, verbose)
	if err != nil {
		return 0, err
	}
	m, err := runQuickJSTests(out, eng, quickjs, verbose)
	return n + m, err
}

// runParserTests returns how many cases in dir pass.
func runParserTests(out io.Writer, eng *engine.Engine, dir string, verbose bool) (int, error) {
	c, err := eng.Compile(context.Background(), engine.Source{Name: "parse.js", Code: []byte(component)})
	if err != nil {
		return 0, err
	}
	all, passed := 0, 0
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(dir, folder.name, "*.js"))
		if err != nil {
			return 0, err
		}
		n, ok, modules := 0, 0, 0
		for _, file := range files {
			if strings.HasSuffix(file, ".module.js") {
				modules++
				continue
			}
			code, err := os.ReadFile(file)
			if err != nil {
				return 0, err
			}
			parsed, err := parses(c, string(code))
			if err != nil {
				return 0, fmt.Errorf("%s: %w", file, err)
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
		return 0, fmt.Errorf("%s has no tests", dir)
	}
	fmt.Fprintf(out, "%-14s %4d of %4d pass\n", "parser", passed, all)
	return passed, nil
}

func parses(c *engine.Component, code string) (bool, error) {
	r, err := c.Render(context.Background(), map[string]string{"code": code}, &engine.Options{
		Limits: engine.Limits{CallTime: patiently(200 * time.Millisecond)},
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
