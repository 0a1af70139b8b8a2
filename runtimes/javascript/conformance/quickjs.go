package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sporeengine/spore/engine"
)

// Where the tests come from.
const (
	parserPackage = "test262-parser-tests@0.0.5"
	quickjsModule = "modernc.org/libquickjs@v0.14.0"
)

func fetchParserTests(dir string) (string, error) {
	cmd := exec.Command("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", dir, parserPackage)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("npm install %s: %w", parserPackage, err)
	}
	name, _, _ := strings.Cut(parserPackage, "@")
	return filepath.Join(dir, "node_modules", name), nil
}

func fetchQuickJSTests() (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", quickjsModule)
	cmd.Stderr = os.Stderr
	b, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w", quickjsModule, err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(b, &module); err != nil {
		return "", err
	}
	return filepath.Join(module.Dir, "testdata", "tests"), nil
}

// quickjsFiles are the files that test the language and its built-ins. The
// others test the modules std and os, workers and bytecode files of QuickJS's
// own program.
var quickjsFiles = []string{"test_language.js", "test_closure.js", "test_loop.js", "test_bigint.js", "test_builtin.js"}

// ownProgram matches what only QuickJS's own program has.
var ownProgram = regexp.MustCompile(`\b(std|os)\.[a-zA-Z]+\(`)

// evaluate runs a script in the sloppy mode in which the tests are written.
const evaluate = `export function render({ code }) { (0, eval)(code); return "done"; }`

// runQuickJSTests calls each test function of each file in a guest of its own,
// and returns how many come to their end.
func runQuickJSTests(out io.Writer, eng *engine.Engine, dir string, verbose bool) (int, error) {
	c, err := eng.Compile(context.Background(), engine.Source{Name: "evaluate.js", Code: []byte(evaluate)})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	limits := engine.Limits{CallTime: patiently(time.Second)}
	all, passed := 0, 0
	for _, file := range quickjsFiles {
		source, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return 0, err
		}
		tests := splitTests(string(source))
		n, ok, foreign := 0, 0, 0
		for _, t := range tests.names {
			if ownProgram.MatchString(tests.bodies[t]) {
				foreign++
				continue
			}
			n++
			_, err := c.Render(context.Background(), map[string]string{"code": tests.script(t)}, &engine.Options{Limits: limits})
			var guest *engine.GuestError
			var limit *engine.LimitError
			switch {
			case err == nil:
				ok++
			case !errors.As(err, &guest) && !errors.As(err, &limit):
				return 0, err
			case verbose:
				fmt.Fprintf(out, "FAIL %s %s: %v\n", file, t, err)
			}
		}
		if n == 0 {
			return 0, fmt.Errorf("%s has no tests", file)
		}
		fmt.Fprintf(out, "%-16s %3d of %3d pass, %d need QuickJS's own program\n", file, ok, n, foreign)
		all, passed = all+n, passed+ok
	}
	fmt.Fprintf(out, "%-16s %3d of %3d pass\n", "quickjs", passed, all)
	return passed, nil
}

// suite is a file of tests.
type suite struct {
	source string            // without the calls at its end
	names  []string          // the tests, in order
	bodies map[string]string // the text of each function
	orphan []string          // of the names, those that nothing calls: it is enough that they compile
}

var (
	callLine = regexp.MustCompile(`(?m)^(test\w*)\(\);$`)
	function = regexp.MustCompile(`(?m)^function (test\w*)\(`)
)

func splitTests(source string) suite {
	s := suite{source: callLine.ReplaceAllString(source, ""), bodies: map[string]string{}}
	for _, m := range callLine.FindAllStringSubmatch(source, -1) {
		s.names = append(s.names, m[1])
	}
	starts := function.FindAllStringSubmatchIndex(s.source, -1)
	for i, m := range starts {
		end := len(s.source)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		name := s.source[m[2]:m[3]]
		s.bodies[name] = s.source[m[0]:end]
		if len(regexp.MustCompile(`\b`+name+`\b`).FindAllString(source, -1)) == 1 {
			s.orphan = append(s.orphan, name)
		}
	}
	s.names = append(s.names, s.orphan...)
	return s
}

// script returns what to evaluate for a test: the whole file, for its functions
// call each other, but without the orphans, which must not fail the others.
func (s *suite) script(name string) string {
	code := s.source
	for _, o := range s.orphan {
		if o != name {
			code = strings.Replace(code, s.bodies[o], "", 1)
		}
	}
	if slices.Contains(s.orphan, name) {
		return code
	}
	return code + "\n" + name + "();\n"
}
