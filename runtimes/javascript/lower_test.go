package javascript_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
)

func TestLowerDiagnostics(t *testing.T) {
	tests := []struct {
		what, name, code string
		want             runtimes.Diagnostic // Text: a part of it
	}{
		{"syntax error", "a.tsx", "export default () => <p>\n  {1 +}\n</p>",
			runtimes.Diagnostic{Line: 2, Column: 7, Text: `Unexpected "}"`, LineText: "  {1 +}"}},
		{"column in bytes", "a.tsx", "const s = 'äöü'; foo(;",
			runtimes.Diagnostic{Line: 1, Column: 25, Text: `Unexpected ";"`, LineText: "const s = 'äöü'; foo(;"}},
		{"line ends of Windows", "a.js", "let a = 1;\r\nlet a = 2;\r\n",
			runtimes.Diagnostic{Line: 2, Column: 5, Text: `"a" has already been declared`, LineText: "let a = 2;"}},
		{"unclosed element", "a.jsx", "export default () => <div><p></div>",
			runtimes.Diagnostic{Line: 1, Column: 32, Text: `closing "div" tag does not match opening "p"`, LineText: "export default () => <div><p></div>"}},
		{"JSX in .ts", "a.ts", "export default () => <p>hi</p>",
			runtimes.Diagnostic{Line: 1, Column: 31, Text: `ends in ".tsx"`, LineText: "export default () => <p>hi</p>"}},
		{"unknown package", "a.tsx", "import { map } from 'lodash';\nexport const f = map;",
			runtimes.Diagnostic{Line: 1, Column: 21, Text: `cannot import "lodash"; a component can import react,`, LineText: "import { map } from 'lodash';"}},
		{"other file", "a.tsx", "import B from './B';\nexport default () => <B />;",
			runtimes.Diagnostic{Line: 1, Column: 15, Text: "a component is one file", LineText: "import B from './B';"}},
		{"style sheet", "a.tsx", "import 'app.css';",
			runtimes.Diagnostic{Line: 1, Column: 8, Text: "styles come from", LineText: "import 'app.css';"}},
		{"Node.js", "a.js", "const fs = require('node:fs');\nexport default fs;",
			runtimes.Diagnostic{Line: 1, Column: 20, Text: "there is no Node.js here", LineText: "const fs = require('node:fs');"}},
		{"client", "a.js", "import { createRoot } from 'react-dom/client'; createRoot();",
			runtimes.Diagnostic{Line: 1, Column: 28, Text: "export it as default", LineText: "import { createRoot } from 'react-dom/client'; createRoot();"}},
		{"dynamic import", "a.js", "export const f = () => import('https://example.com/x.js');",
			runtimes.Diagnostic{Line: 1, Column: 31, Text: "nothing is loaded from the network", LineText: "export const f = () => import('https://example.com/x.js');"}},
		{"export from", "a.js", "export * from 'vue';",
			runtimes.Diagnostic{Line: 1, Column: 15, Text: `cannot import "vue"`, LineText: "export * from 'vue';"}},
		{"top-level await", "a.js", "const x = await 1;\nexport default x;",
			runtimes.Diagnostic{Line: 1, Column: 11, Text: "top-level await is not supported", LineText: "const x = await 1;"}},
		{"NUL", "a.js", "let a;\nlet \x00b;",
			runtimes.Diagnostic{Line: 2, Column: 5, Text: "NUL byte at offset 11", LineText: "let \uFFFDb;"}},
		{"not UTF-8", "a.js", "let s = '\xC3';\n",
			runtimes.Diagnostic{Line: 1, Column: 10, Text: "0xC3", LineText: "let s = '\uFFFD';"}},
		{"too deep", "a.js", "x =\n" + strings.Repeat("(", 501),
			runtimes.Diagnostic{Line: 2, Column: 501, Text: "nested more than 500 deep", LineText: strings.Repeat("(", 501)}},
		{"too long", "a.js", strings.Repeat(" ", 128<<10+1),
			runtimes.Diagnostic{Text: "131073 bytes"}},
		{"too many commas", "a.js", "x=[" + strings.Repeat("1,", 10001) + "]",
			runtimes.Diagnostic{Line: 1, Column: 20005, Text: "commas", LineText: ("x=[" + strings.Repeat("1,", 10001))[:1024]}},
		{"too many exclamation marks", "a.js", strings.Repeat("! ", 501) + "1",
			runtimes.Diagnostic{Line: 1, Column: 1001, Text: "exclamation marks", LineText: strings.Repeat("! ", 501) + "1"}},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			_, got := javascript.Lower(test.name, []byte(test.code))
			if len(got) == 0 {
				t.Fatal("no diagnostic")
			}
			d := got[0]
			if !strings.Contains(d.Text, test.want.Text) {
				t.Errorf("text %q, want one with %q", d.Text, test.want.Text)
			}
			d.Text, test.want.Text, test.want.File = "", "", test.name
			if d != test.want {
				t.Errorf("got  %+v\nwant %+v", d, test.want)
			}
		})
	}
}

func TestLowerReportsEveryImport(t *testing.T) {
	code := "import a from 'a';\nimport b from 'b';\nimport React from 'react';\nexport default [a, b, React];"
	_, got := javascript.Lower("a.js", []byte(code))
	var lines []int
	for _, d := range got {
		lines = append(lines, d.Line)
	}
	slices.Sort(lines)
	if !slices.Equal(lines, []int{1, 2}) {
		t.Errorf("diagnostics at lines %v, want 1 and 2: %+v", lines, got)
	}
}

func TestLowerDialects(t *testing.T) {
	tests := []struct{ name, code string }{
		{"a.js", "export default () => <p>{1}</p>"},
		{"a.mjs", "export default () => <p>{1}</p>"},
		{"a.jsx", "export default () => <p>{1}</p>"},
		{"a.ts", "export const f = (x: number): x is 1 => <any>x === 1; enum E { A }"},
		{"a.tsx", "const f = <T,>(x: T) => x; export default () => <p>{f<number>(1)}</p>"},
		{"A.TSX", "export default (p: {}) => <p />"},
		{"noext", "export default () => <p />"},
		{"a.js", "module.exports = function () { return 1 }"},
		{"a.js", "\uFEFF// with a byte order mark\nexport default 1"},
		{"a.js", "#!/usr/bin/env node\nexport default 1"},
		{"a.ts", "function d(v: any, c: any) {} export class A { @d m() {} accessor x = 1 }"},
		{"a.js", ""},
	}
	for _, test := range tests {
		if lowered, d := javascript.Lower(test.name, []byte(test.code)); d != nil {
			t.Errorf("%s %q: %+v", test.name, test.code, d)
		} else if code := string(lowered.Code); !strings.HasPrefix(code, "(function") || !strings.HasSuffix(strings.TrimSpace(code), "})") {
			t.Errorf("%s %q: not a function expression: %s", test.name, test.code, code)
		}
	}
}

func TestLowerSourceMap(t *testing.T) {
	name := "dir/\"odd\"\nname.tsx"
	lowered, d := javascript.Lower(name, []byte("export default () => <p>hi</p>;\n"))
	if d != nil {
		t.Fatal(d)
	}
	var m struct {
		Version  int
		Sources  []string
		Mappings string
		Content  []string `json:"sourcesContent"`
	}
	if err := json.Unmarshal(lowered.SourceMap, &m); err != nil {
		t.Fatal(err)
	}
	if m.Version != 3 || !slices.Equal(m.Sources, []string{name}) || m.Mappings == "" || m.Content != nil {
		t.Errorf("source map %s", lowered.SourceMap)
	}
	if strings.Contains(string(lowered.Code), "odd") {
		t.Errorf("the file name is in the code: %s", lowered.Code)
	}
}

// A column of the lowered code counts bytes only if it has nothing but ASCII.
func TestLowerIsASCII(t *testing.T) {
	lowered, d := javascript.Lower("a.tsx", []byte("const ä = RegExp('ö'); const t = `日${ä}`; /* 😀 */ export default () => <p title='é'>é{ä.test(t)}</p>"))
	if d != nil {
		t.Fatal(d)
	}
	for i, c := range lowered.Code {
		if c >= 0x80 {
			t.Fatalf("byte %#x at %d in %s", c, i, lowered.Code)
		}
	}
}

func TestLowerIsPure(t *testing.T) {
	code := []byte("import { useState } from 'react';\nexport default function A() { const [n] = useState(1); return <p>{n}</p>; }\n")
	want, d := javascript.Lower("a.tsx", code)
	if d != nil {
		t.Fatal(d)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			got, d := javascript.Lower("a.tsx", code)
			if d != nil || string(got.Code) != string(want.Code) || string(got.SourceMap) != string(want.SourceMap) {
				t.Error("equal source was lowered to something else")
			}
		})
	}
	wg.Wait()
}

func FuzzLower(f *testing.F) {
	f.Add("a.tsx", []byte("export default ({ a }: any) => <p title=\"x\">{a}</p>"))
	f.Fuzz(func(t *testing.T, name string, code []byte) {
		lowered, diagnostics := javascript.Lower(name, code)
		if len(diagnostics) == 0 {
			if len(lowered.Code) == 0 || !json.Valid(lowered.SourceMap) {
				t.Errorf("code %q, source map %q", lowered.Code, lowered.SourceMap)
			}
			return
		}
		lines := strings.Count(string(code), "\n") + 1
		for _, d := range diagnostics {
			if d.File != name || d.Text == "" || d.Line < 0 || d.Line > lines+strings.Count(string(code), "\r")+strings.Count(string(code), "\u2028")+strings.Count(string(code), "\u2029") ||
				d.Column < 0 || d.Column > len(code)+1 || strings.ContainsAny(d.LineText, "\n") {
				t.Errorf("diagnostic %+v", d)
			}
		}
	})
}
