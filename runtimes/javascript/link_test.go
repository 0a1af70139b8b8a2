package javascript_test

import (
	"strings"
	"testing"

	"github.com/go-sourcemap/sourcemap"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
)

// TestLinkPositions finds words of the component and of modules in linked code, and maps them back.
func TestLinkPositions(t *testing.T) {
	modules := []runtimes.Module{
		{Name: "first", Code: []byte("import { b } from 'second';\n\nexport function f() {\n  const t = `a\nb`;\n  return MARK_ONE(b) +\n    MARK_TWO;\n}\n")},
		{Name: "second", Code: []byte("// ä\nexport const b = () => MARK_THREE;\n")},
		{Name: "third", Code: []byte("export const unused = MARK_FOUR;")},
	}
	const code = "import { f } from 'first';\n\nexport default () =>\n  <p title={MARK_FIVE}>{f()}</p>;\n"
	for what, link := range map[string]func(string, []byte, []runtimes.Module) (runtimes.Lowered, []runtimes.Diagnostic){"component": javascript.Link, "cell": javascript.LinkCell} {
		source := code
		if what == "cell" {
			source = strings.Replace(code, "export default ", "var page = ", 1)
		}
		l, d := link("my page.tsx", []byte(source), modules)
		require.Empty(t, d)
		require.Equal(t, []string{"first", "second"}, l.Modules)
		require.NotContains(t, string(l.Code), "MARK_FOUR")
		m, err := sourcemap.Parse("", l.SourceMap)
		require.NoError(t, err)
		for word, want := range map[string]struct {
			file string
			line int
		}{"MARK_ONE": {"<first>", 6}, "MARK_THREE": {"<second>", 2}, "MARK_FIVE": {"my page.tsx", 4}} {
			at := strings.Index(string(l.Code), word)
			require.GreaterOrEqual(t, at, 0, word)
			before := string(l.Code[:at])
			file, _, line, column, ok := m.Source(strings.Count(before, "\n")+1, at-strings.LastIndexByte(before, '\n')-1)
			require.True(t, ok, word)
			require.Equal(t, want.file, file, "%s: %s", what, word)
			require.Equal(t, want.line, line, "%s: %s", what, word)
			if word == "MARK_FIVE" {
				require.Equal(t, strings.Index("  <p title={MARK_FIVE}", word), column)
			}
		}
	}
}

func TestLinkLeavesSource(t *testing.T) {
	modules := []runtimes.Module{{Name: "gpu", Code: []byte("export default 1")}, {Name: "known"}}
	for _, code := range []string{"export default () => <p>gpu</p>", "import React from 'react';\nexport const render = () => React.version"} {
		want, _ := javascript.Lower("a.tsx", []byte(code))
		got, d := javascript.Link("a.tsx", []byte(code), modules)
		require.Empty(t, d)
		require.Equal(t, want, got)
	}
	want, _ := javascript.LowerCell("a", []byte("1 + gpu"))
	got, _ := javascript.LinkCell("a", []byte("1 + gpu"), modules)
	require.Equal(t, want, got)
	got, _ = javascript.LinkCell("a", []byte("import 'known'"), modules)
	require.Empty(t, got.Modules)
}
