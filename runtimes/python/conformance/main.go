// Command conformance runs modules of CPython's own test suite in the Python
// runtime, and prints for each how many of its tests pass.
//
//	go run ./runtimes/python/conformance [-run regexp] [-v] [-lib FOLDER]
//
// The tests are not part of this repository: they come from the source that the
// runtime is built from, which is fetched into the user's cache as build.sh
// fetches it, unless -lib names the Lib folder of an unpacked source. Every
// module runs in a guest of its own.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/python"
)

//go:embed driver.py
var driver []byte

//go:embed modules.txt
var modules string

func main() {
	log.SetFlags(0)
	lib := flag.String("lib", "", "Lib folder of CPython's source (default: fetched)")
	build := flag.String("build", "runtimes/python/build", "folder of fetch.sh")
	match := flag.String("run", "", "regular expression: modules to run")
	verbose := flag.Bool("v", false, "show the tests that fail")
	atLeast := flag.Int("atleast", 0, "fail if fewer tests pass")
	patience := flag.Int("patience", 1, "factor of the time limits, for slow machines and wazero's interpreter")
	flag.Parse()
	which, err := regexp.Compile(*match)
	if err != nil {
		log.Fatal(err)
	}
	if *lib == "" {
		if *lib, err = fetch(*build); err != nil {
			log.Fatal(err)
		}
	}
	passed, err := run(os.Stdout, *lib, which, *verbose, time.Duration(*patience))
	if err != nil {
		log.Fatal(err)
	}
	if passed < *atLeast {
		log.Fatalf("%d tests pass, want at least %d", passed, *atLeast)
	}
}

// fetch unpacks CPython's source in the user's cache, if it is not there, and
// returns its Lib folder.
func fetch(build string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	name := "cpython-" + python.Runtime().Version
	folder := filepath.Join(cache, "spore", name)
	lib := filepath.Join(folder, "Lib")
	if _, err := os.Stat(lib); err == nil {
		return lib, nil
	}
	inputs := folder + ".inputs"
	unpacked := folder + ".new"
	for _, args := range [][]string{
		{"bash", filepath.Join(build, "fetch.sh"), inputs, "python3.13"},
		{"mkdir", "-p", unpacked},
		{"sh", "-c", `tar xf "$1"/python3.13_*.orig.tar.xz -C "$2" --strip-components=1`, "sh", inputs, unpacked},
		{"rm", "-rf", folder, inputs},
		{"mv", unpacked, folder},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("%s: %w", strings.Join(args, " "), err)
		}
	}
	return lib, nil
}

type outcome struct {
	Skip    string
	Run     int
	Skipped int         // by the tests themselves
	Absent  int         // they want files, threads, processes
	Bad     [][2]string // test and reason
}

func (o *outcome) of() int     { return o.Run - o.Skipped - o.Absent }
func (o *outcome) passed() int { return o.of() - len(o.Bad) }

// run runs the modules and returns how many of their tests pass.
func run(out *os.File, lib string, which *regexp.Regexp, verbose bool, patience time.Duration) (passed int, err error) {
	limits := engine.Limits{
		Memory: 1 << 30, CallTime: patience * 10 * time.Minute, CompileTime: patience * time.Minute,
		Output: 64 << 20, Console: 1 << 30, Fuel: 1 << 60,
	}
	eng, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{python.Runtime()}, Limits: limits})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	ctx := context.Background()
	comp, err := eng.Compile(ctx, engine.Source{Name: "driver.py", Code: driver})
	if err != nil {
		return 0, err
	}

	fmt.Fprintln(out, "| module | pass | of | not for here | note |\n|---|---|---|---|---|")
	var total outcome
	for _, m := range list() {
		if !which.MatchString(m.name) {
			continue
		}
		files, err := sources(lib, m.name)
		if err != nil {
			return 0, err
		}
		data, err := dataOf(lib, m.name)
		if err != nil {
			return 0, err
		}
		var o outcome
		res, err := comp.Render(ctx, map[string]any{
			"module": "test." + m.name, "files": files, "without": m.without, "stubs": m.stubs, "data": data,
		}, nil)
		if err == nil {
			err = res.Decode(&o)
		}
		switch {
		case err != nil:
			fmt.Fprintf(out, "| %s | | | | ends with %s |\n", m.name, firstLine(err.Error()))
			continue
		case o.Skip != "":
			fmt.Fprintf(out, "| %s | | | | %s |\n", m.name, o.Skip)
			continue
		}
		note := ""
		if len(m.without) > 0 {
			note = "without " + strings.Join(m.without, ", ")
		}
		fmt.Fprintf(out, "| %s | %d | %d | %d | %s |\n", m.name, o.passed(), o.of(), o.Skipped+o.Absent, note)
		total.Run += o.Run
		total.Skipped += o.Skipped
		total.Absent += o.Absent
		total.Bad = append(total.Bad, o.Bad...)
		if verbose {
			for _, b := range o.Bad {
				fmt.Fprintf(os.Stderr, "%s\n\t%s\n", b[0], b[1])
			}
		}
	}
	fmt.Fprintf(out, "| all | %d | %d | %d | |\n", total.passed(), total.of(), total.Skipped+total.Absent)
	return total.passed(), nil
}

type module struct {
	name    string
	without []string // parts of names of tests that are left out
	stubs   []string // modules of CPython's own test suite for C that it imports
}

// list returns the modules of modules.txt.
func list() (ms []module) {
	for line := range strings.Lines(modules) {
		line, _, _ = strings.Cut(line, "#")
		if f := strings.Fields(line); len(f) > 0 {
			m := module{name: f[0], without: []string{}, stubs: []string{}}
			for _, word := range f[1:] {
				if stub, ok := strings.CutPrefix(word, "+"); ok {
					m.stubs = append(m.stubs, stub)
				} else {
					m.without = append(m.without, word)
				}
			}
			ms = append(ms, m)
		}
	}
	return ms
}

const tools = `
	bdb cmd doctest http/server mailbox pdb py_compile pydoc rlcompleter socketserver trace
	_pyio _pyrepl/__init__ _pyrepl/pager _pyrepl/types dbm/__init__ dbm/dumb
	sqlite3/__main__
	asyncio/base_events asyncio/base_subprocess asyncio/protocols asyncio/selector_events
	asyncio/sslproto asyncio/staggered asyncio/streams asyncio/transports asyncio/trsock
	wsgiref/__init__ wsgiref/handlers wsgiref/headers wsgiref/simple_server wsgiref/types wsgiref/util
`

// sources returns the Python files that a test module may import.
func sources(lib, name string) (map[string][2]any, error) {
	return sourcesOf(lib, name, strings.Fields(tools))
}

func sourcesOf(lib, name string, tools []string) (map[string][2]any, error) {
	files := map[string][2]any{}
	top, _, _ := strings.Cut(name, ".")
	for _, root := range []string{
		"test/__init__.py", "test/support", "test/typinganndata", "test/tokenizedata", "test/test_import/__init__.py", "test/test_tools/__init__.py",
		"test/" + top + ".py", "test/" + top,
	} {
		err := filepath.WalkDir(filepath.Join(lib, root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".py" {
				return err
			}
			return add(files, lib, path)
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	// Tools of the library that tests use, but no component does.
	for _, tool := range tools {
		if err := add(files, lib, filepath.Join(lib, tool+".py")); err != nil {
			return nil, err
		}
	}
	// Helpers that lie beside the tests.
	helpers, err := filepath.Glob(filepath.Join(lib, "test", "*.py"))
	if err != nil {
		return nil, err
	}
	for _, path := range helpers {
		if !strings.HasPrefix(filepath.Base(path), "test_") || uses(lib, name, path) {
			if err := add(files, lib, path); err != nil {
				return nil, err
			}
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no tests", lib)
	}
	return files, nil
}

// uses reports whether the test module mentions the module at path.
func uses(lib, name, path string) bool {
	source, err := os.ReadFile(filepath.Join(lib, "test", filepath.FromSlash(strings.ReplaceAll(name, ".", "/"))+".py"))
	stem := strings.TrimSuffix(filepath.Base(path), ".py")
	return err == nil && strings.Contains(string(source), stem)
}

// dataOf returns the data files of the folders that a test module mentions.
func dataOf(lib, name string) (map[string][]byte, error) {
	data := map[string][]byte{}
	for _, folder := range []string{"configdata", "decimaltestdata", "mathdata", "xmltestdata"} {
		if !uses(lib, name, folder) && !(folder == "mathdata" && strings.HasSuffix(name, "math")) {
			continue
		}
		entries, err := os.ReadDir(filepath.Join(lib, "test", folder))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir() {
				continue
			}
			b, err := os.ReadFile(filepath.Join(lib, "test", folder, e.Name()))
			if err != nil {
				return nil, err
			}
			data[folder+"/"+e.Name()] = b
		}
	}
	return data, nil
}

func add(files map[string][2]any, lib, path string) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(lib, strings.TrimSuffix(path, ".py"))
	if err != nil {
		return err
	}
	name := strings.ReplaceAll(filepath.ToSlash(rel), "/", ".")
	stem, pkg := strings.CutSuffix(name, ".__init__")
	files[stem] = [2]any{string(source), pkg}
	return nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > 120 {
		s = s[:120]
	}
	return s
}
