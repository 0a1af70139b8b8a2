package javascript

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/runtimes"
)

// nested puts a level into itself n times, with core inside of all.
func nested(n int, l level, core string) string {
	return strings.Repeat(l.open, n) + core + strings.Repeat(l.end, n)
}

// A level is what stands before and behind the next one.
type level struct{ open, end string }

// conditionals double the parser's work with each level. Among them stands what
// might hide them from whoever looks without reading as the parser does.
var conditionals = map[string]level{
	"plain":               {"x ? (b) : c => ", " : e"},
	"brackets":            {"x ? (b) : c => (", ") : e"},
	"array":               {"x ? (b) : c => [", "] : e"},
	"body":                {"x ? (b) : c => { return ", "; } : e"},
	"lines":               {"x ?\n(b) :\nc =>\n", "\n: e"},
	"lines of statements": {"x ? (b) : c => {\nconst q = ", "\nreturn q\n} : e"},
	"type parameters":     {"x ? (b) : <T, U>(c) => ", " : e"},
	"type of a function":  {"x ? (b) : (c: d) => e => ", " : f"},
	"object type":         {"x ? (b) : { m(): c } => ", " : e"},
	"async":               {"x ? async (b) : c => ", " : e"},
	"pattern":             {"x ? ({ b, ...[q] }, [r = 1] = []) : c => ", " : e"},
	"typed parameter":     {"x ? (b: number, q?: string) : c => ", " : e"},
	"call and JSX":        {"f(x ? (b) : c => <A b={", "}/>) : e"},
	"asked first":         {"x ? y ? (b) : c => 1 : (d) : e => ", " : f"},
	"in the other branch": {"x ? y ? z : (d) : e => ", " : f"},
	"in parentheses":      {"(x ? (b) : c => ", " : e)"},
	"assigned":            {"x ? q = (b) : c => ", " : e"},
	"number":              {"x?.5?(b):c=>", ":e:f"},
	"template":            {"`${x ? (b) : c => ", " : e}`"},
	"as":                  {"x ? (b) : c => (", " as any) satisfies d : e"},
	"class":               {"x ? (b) : c => class { static m = ", " } : e"},
	"decorator":           {"x ? (b) : c => @(", ") class {} : e"},

	"semicolon in a comment":  {"x ? (b) : c => /*;*/ ", " : e"},
	"statement in a comment":  {"x ? (b) : c => /*\nconst q = 1\n*/ ", " : e"},
	"brackets in comments":    {"x ? /*(*/ (b) /*)*/ : c => /*}*/", " : e"},
	"comments between tokens": {"x/*?.*/?/**/(b)/*=>*/:/*;*/c/*)*/=>", "/*'*/:e"},
	"line comments":           {"x ? (b) // '; =>\n : c => // ` ;\n", " : e"},
	"HTML comments":           {"x ? (b) <!-- ;\n : c =>\n", " : e"},
	"blanks":                  {"x ?\u00a0(b)\v\f\u2003\u3000\ufeff: c =>", " : e"},
	"strings":                 {"x ? (b) : c => ';' + ", " : e"},
	"templates":               {"x ? (b) : c => `;\nconst q ${1}` + ", " : e"},
	"regular expressions":     {"x ? (b) : c => /[/;'\"`}]/ && ", " : e"},
	"JSX text":                {"x ? (b) : c => <A>; it's {", "}</A> : e"},
	"arrow in a comment":      {"x ? /*) : =>*/ (b) /*=>*/ : c => ", " : e"},
}

// constraints do so in types.
var constraints = map[string]level{
	"infer":                {"[infer T extends ", " ? 1 : 2]"},
	"infer, comments":      {"[infer/*;*/T/**/extends//'\n", "/*}*/? 1 : 2]"},
	"infer, escaped":       {`[inf\u0065r T extends `, " ? 1 : 2]"},
	"infer in an object":   {"{ a: infer T extends ", " ? 1 : 2 }"},
	"infer in a template":  {"`${infer T extends ", " ? 1 : 2}`"},
	"infer in a function":  {"(a: infer T extends ", " ? 1 : 2) => b"},
	"infer in a type list": {"A<infer T extends ", " ? 1 : 2>"},
	"infer in both":        {"[infer T extends ", " ? infer U extends 1 ? 2 : 3 : 4]"},
}

// doubling returns sources of n levels.
func doubling(n int) map[string]string {
	sources := map[string]string{
		"infer in return types": "const a = " + nested(n, level{"x ? (b) : [infer T extends ", " ? 1 : 2] => d : e"}, "X") + ";",
	}
	for name, l := range conditionals {
		sources[name] = "const a = " + nested(n, l, "d") + ";"
	}
	for name, l := range constraints {
		sources[name] = "type A = " + nested(n, l, "X") + ";"
	}
	return sources
}

// The parser has no end with such source: 2⁴⁰ readings. That the test ends is
// what it shows. Some variants do not double, because the parser reads them
// otherwise than they look; then there is nothing to stop.
func TestParserIsStopped(t *testing.T) {
	for name, code := range doubling(40) {
		if tries(code) <= maxTries {
			t.Errorf("%s would not be watched", name)
		}
		for _, loader := range []api.Loader{api.LoaderTS, api.LoaderTSX} {
			if at := stopped(code, loader, 20*time.Millisecond); at < -1 || at > len(code) {
				t.Errorf("%s: stopped at %d of %d bytes", name, at, len(code))
			}
		}
	}
	if code := doubling(40)["plain"]; stopped(code, api.LoaderTS, 20*time.Millisecond) < 0 {
		t.Error("2⁴⁰ readings are done")
	}
}

// Also what costs no more than the square of its length.
func TestTypeArgumentsAreStopped(t *testing.T) {
	for name, code := range map[string]string{
		"less than": "a" + strings.Repeat("<b", 60000) + ";",
		"calls":     "a" + strings.Repeat("<b", 40000) + ">();",
	} {
		if tries(code) <= maxTries || stopped(code, api.LoaderTS, 20*time.Millisecond) < 0 {
			t.Errorf("%s: not stopped", name)
		}
	}
}

func TestStoppedAtItsPlace(t *testing.T) {
	code := "export const ok = 1;\n\n  const a = " + nested(40, level{"x ? (b) : c => /*;*/ ", " : e"}, "d") + ";"
	for name, lower := range map[string]func(string, []byte) (runtimes.Lowered, []runtimes.Diagnostic){"component": Lower, "cell": LowerCell} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, list := lower("a.tsx", []byte(code))
			require.Len(t, list, 1)
			require.Equal(t, "a.tsx", list[0].File)
			require.Equal(t, 3, list[0].Line)
			require.Greater(t, list[0].Column, len("  const a = x ? (b)"))
			require.Contains(t, list[0].Text, "the parser takes too long")
			require.Contains(t, list[0].LineText, "  const a = x ? (b) : c")
		})
	}
}

// Each level doubles what tries says, or the source is watched.
func TestTriesBoundLevels(t *testing.T) {
	for n := range 12 {
		for name, code := range doubling(n) {
			if got := tries(code); got < min(len(code)<<n, maxTries+1) {
				t.Errorf("%s: %d levels, %d tries", name, n, got)
			}
		}
	}
}

// Levels of all kinds inside of each other, in any order, with anything between
// them.
func TestTriesBoundMixtures(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	names := slices.Sorted(maps.Keys(conditionals))
	between := []string{"", " ", "/*;*/", "//;\n", "/*=>*/", "/*):*/", "/*?*/", "`;${y}`+", "';'+", "/[;]/.x,", "f(y), ", "y?.z ?? "}
	for range 2000 {
		n := 1 + random.IntN(10)
		code := "d"
		for range n {
			l := conditionals[names[random.IntN(len(names))]]
			code = l.open + between[random.IntN(len(between))] + code + l.end
		}
		if got := tries(code); got < min(len(code)<<n, maxTries+1) {
			t.Fatalf("%d levels, %d tries: %s", n, got, code)
		}
	}
}

// What people write is not watched, nor are its variables renamed.
func TestOrdinarySourceIsNotWatched(t *testing.T) {
	var b strings.Builder
	b.WriteString("interface P<T extends object = {}> {\n  onA?: (x: number) => void\n  onB?: () => T\n}\n")
	for i := range 40 {
		// With semicolons and without.
		fmt.Fprintf(&b, "const label%d = ok ? 'a' : 'b'\nconst click%d = () => label%d\n", i, i, i)
		fmt.Fprintf(&b, "const f%d = ok ? (x: number) => x : (y: number) => -y;\n", i)
		fmt.Fprintf(&b, "const o%d = { a: ok ? 1 : 2, f: (x: number) => x, g: () => 1 };\n", i)
	}
	b.WriteString("const ok = true;\nexport default (p: P) => <>{[1].map(i => i ? (<b>{[2].map(j => j ? (<i/>) : (<u/>))}</b>) : null)}</>\n")
	sources := map[string]string{"made": b.String()}
	files, err := filepath.Glob("testdata/react/*.[jt]sx")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range append(files, "testdata/stress.tsx") {
		code, err := os.ReadFile(file)
		require.NoError(t, err)
		sources[file] = string(code)
	}
	for name, code := range sources {
		if n := tries(code); n > maxTries {
			t.Errorf("%s: %d tries", name, n)
		}
		if n := take([]byte(code)).renaming(); n > maxRenaming {
			t.Errorf("%s: %d look-ups for new names", name, n)
		}
		if _, list := Lower("a.tsx", []byte(code)); len(list) > 0 {
			t.Errorf("%s: %+v", name, list)
		}
	}
}

// hiding are sources with variables that hide others, for which esbuild would
// look for new names up to 2³⁹ times.
var hiding = map[string]string{
	"arrows":           "export const f = " + strings.Repeat("b=>", 7000) + "b;",
	"arrows, escaped":  "export const f = " + strings.Repeat(`\u0062=>b=>`, 2000) + "b;",
	"numbers":          "var b,b2" + numbered(8000) + ";" + strings.Repeat("(b=>0)+", 3000) + "0;",
	"blocks":           strings.Repeat("{let b;", 400) + strings.Repeat("{let b}", 12000) + strings.Repeat("}", 400),
	"functions":        strings.Repeat("function b(b){", 400) + strings.Repeat("b=>0;", 4000) + strings.Repeat("}", 400),
	"catch":            strings.Repeat("try{}catch(b){", 400) + strings.Repeat("b=>0;", 4000) + strings.Repeat("}", 400),
	"brackets, hidden": strings.Repeat("{/*}*/let b;", 8000) + strings.Repeat("}", 8000),
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ",b%d", i+3)
	}
	return b.String()
}

func TestVariablesThatHideOthers(t *testing.T) {
	for name, code := range hiding {
		if n := take([]byte(code)).renaming(); n <= maxRenaming {
			t.Errorf("%s: %d look-ups", name, n)
			continue
		}
		for _, lower := range []func(string, []byte) (runtimes.Lowered, []runtimes.Diagnostic){Lower, LowerCell} {
			if _, list := lower("a.js", []byte(code)); len(list) > 0 {
				t.Errorf("%s: %+v", name, list)
			}
		}
	}
}

func TestTooManyArrowFunctions(t *testing.T) {
	_, list := Lower("a.js", []byte("q = "+strings.Repeat("a=>", 21000)+"z"+strings.Repeat("+z", 30000)))
	require.Len(t, list, 1)
	require.Contains(t, list[0].Text, "21000 arrow functions")
}

// FuzzStopped stops the parser at any moment.
func FuzzStopped(f *testing.F) {
	for _, code := range doubling(12) {
		f.Add(code, true, uint16(1000))
		f.Add(code, false, uint16(30))
	}
	f.Fuzz(func(t *testing.T, code string, jsx bool, microseconds uint16) {
		if len(code) > maxSource {
			t.Skip()
		}
		if at, _ := excess([]byte(code)); at >= 0 {
			t.Skip() // not parsed
		}
		loader := api.LoaderTS
		if jsx {
			loader = api.LoaderTSX
		}
		if at := stopped(code, loader, time.Duration(microseconds)*time.Microsecond); at < -1 || at > len(code) {
			t.Errorf("stopped at %d of %d bytes", at, len(code))
		}
	})
}
