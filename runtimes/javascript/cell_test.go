package javascript_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-sourcemap/sourcemap"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/runtimes/javascript"
)

func TestLowerCell(t *testing.T) {
	for _, test := range []struct{ name, code, want string }{
		{"cell", "let a: number = 1; a", "let a=1;a;\n"},
		{"a.js", "let f = a<b>(c)", "let f=a<b>c;\n"},
		{"a.ts", "let a = <any>b", "let a=b;\n"},
		{"a.tsx", "<b>{x}</b>", "__jsx(\"b\",null,x);\n"},
		{"", "<></>", "__jsx(__Fragment,null);\n"},
		{"", "#!/usr/bin/env node\n1", "1;\n"},
		{"", "", ""},
		{"", "{ a: 1, b }", "({a:1,b});\n"},
		{"", "\n {a: 1}\n", "({a:1});\n"},
		{"", "{ let a = 1; a }", "{let a=1;a;}\n"},

		// Imports become constants.
		{"", "import React from 'react'", "const React=(m=>m.__esModule?m.default:m)(require(\"react\"));\n"},
		{"", "import * as R from \"react\";R", "const R=require(\"react\");\nR;\n"},
		{"", "import { useState as s, memo, 'a-b' as c } from 'react';\nimport 'spore'", "const {useState:s,memo:memo,\"a-b\":c}=require(\"react\");require(\"spore\");\n"},
		{"", "// é\n/* x */ import A, { default as B, } from 'component'\n\n1", "const A=(m=>m.__esModule?m.default:m)(require(\"component\"));const B=(m=>m.__esModule?m.default:m)(require(\"component\"));\n1;\n"},
		{"", "import R, * as S from 'react'; 1", "const R=(m=>m.__esModule?m.default:m)(require(\"react\"));const S=require(\"react\");\n1;\n"},
		{"", "import type { FC } from 'react'; import { type FC as F, memo } from 'react'; import type, { type } from 'react'", "const {memo:memo}=require(\"react\");const type=(m=>m.__esModule?m.default:m)(require(\"react\"));const {type:type}=require(\"react\");\n"},
		{"", "import type from from 'react'; import type from 'react'", "const type=(m=>m.__esModule?m.default:m)(require(\"react\"));\n"},

		// Constants are a value, too.
		{"", "-1", "[-1][0];\n"},
		{"", "f()\nundefined;\n", "f();\n[void 0][0];\n"},
		{"", "f(); // -1", "f();\n"},
		{"", "let x = y\n-1", "let x=y-1;\n"},
		{"", "f() /*\n-1 */", "f();\n"},
		{"", "type A = 1", ""},
	} {
		l, diagnostics := javascript.LowerCell(test.name, []byte(test.code))
		require.Empty(t, diagnostics, "%q", test.code)
		tight := strings.NewReplacer(" ", "", "\n", "", "/* @__PURE__ */", "")
		require.Equal(t, tight.Replace(test.want), tight.Replace(string(l.Code)), "%q", test.code)
		require.True(t, json.Valid(l.SourceMap), "%q", test.code)
	}
}

func TestLowerCellRefuses(t *testing.T) {
	for _, test := range []struct {
		code         string
		line, column int
		text         string
	}{
		{"let a = ;", 1, 9, "Unexpected"},
		{"\nimport { a } from 'react'; import x from 'fs'", 2, 42, `cannot import "fs" (there is no Node.js here`},
		{"import('react'", 1, 15, `Expected ")"`},
		{"await x; return 1", 1, 10, "Top-level return"},
		{"a\x00", 1, 2, "NUL"},
		{strings.Repeat("(", 600), 1, 501, "nested"},
		{"import { a b } from 'react'", 1, 12, "Expected"},
		{"const a = 1; const a = 2", 1, 20, "already been declared"},
	} {
		_, diagnostics := javascript.LowerCell("c", []byte(test.code))
		require.NotEmpty(t, diagnostics, "%q", test.code)
		d := diagnostics[0]
		require.Contains(t, d.Text, test.text)
		require.Equal(t, []any{"c", test.line, test.column}, []any{d.File, d.Line, d.Column}, "%.40q: %s", test.code, d.Text)
	}
}

// TestLowerCellPositions finds a word of the source in the lowered code, and the
// way back.
func TestLowerCellPositions(t *testing.T) {
	for _, code := range []string{
		"here()", "import { a } from 'react'\nimport b from 'spore'; here()", "\n\n  let x: number = 1\n  here()",
		"{ a: here() }", "\n\n{ a: 1,\n  b: here() }", "   {a:\n'e',b: 'e', c: here()}", "\n" + strings.Repeat("\n", 40) + "{a: here()}",
	} {
		l, diagnostics := javascript.LowerCell("my cell", []byte(code))
		require.Empty(t, diagnostics)
		m, err := sourcemap.Parse("", l.SourceMap)
		require.NoError(t, err)
		line, column := position(string(l.Code), "here")
		file, _, gotLine, gotColumn, ok := m.Source(line, column)
		require.True(t, ok)
		wantLine, wantColumn := position(code, "here")
		require.Equal(t, []any{"my cell", wantLine, wantColumn}, []any{file, gotLine, gotColumn}, "%q", code)
	}
}

// position returns the line, from 1, and the column, from 0, of a word.
func position(code, word string) (line, column int) {
	at := strings.Index(code, word)
	return strings.Count(code[:at], "\n") + 1, at - strings.LastIndex(code[:at], "\n") - 1
}

func FuzzLowerCell(f *testing.F) {
	f.Add("c", []byte("import React, { useState as s } from 'react'\nlet a: any = <p>{s}</p>\na"))
	f.Add("a.js", []byte("{ a: 1 }"))
	f.Add("", []byte("import * as C from \"component\"; -1"))
	f.Fuzz(func(t *testing.T, name string, code []byte) {
		before := string(code)
		l, diagnostics := javascript.LowerCell(name, code)
		if string(code) != before {
			t.Error("the source was changed")
		}
		if len(diagnostics) == 0 && !json.Valid(l.SourceMap) {
			t.Errorf("source map %q", l.SourceMap)
		}
		for _, d := range diagnostics {
			if d.File != name || d.Text == "" || d.Line < 0 || d.Column < 0 {
				t.Errorf("diagnostic %+v", d)
			}
		}
	})
}
