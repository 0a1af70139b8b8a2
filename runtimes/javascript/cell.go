package javascript

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/sporeengine/spore/runtimes"
)

// What JSX in a cell becomes; see build/guest/cells.js. A cell has no imports of
// its own that could bring the names along.
const (
	cellJSX      = "__jsx"
	cellFragment = "__Fragment"
)

// LowerCell turns a cell, source that runs in a live interpreter, into the form
// that the interpreter evaluates. It is a script and not a module: its
// declarations stay for the cells after it, its last expression is its value,
// and it may await. The extension of name selects the dialect, TSX if there is
// none.
//
// Imports at the top of the cell become constants that stay as well.
func LowerCell(name string, code []byte) (runtimes.Lowered, []runtimes.Diagnostic) {
	return lowerCell(name, code, nil)
}

// lowerCell is LowerCell with modules that can be imported beside cellModules.
func lowerCell(name string, code []byte, offered []runtimes.Module) (runtimes.Lowered, []runtimes.Diagnostic) {
	if d := check(code); d != nil {
		d.File = name
		return runtimes.Lowered{}, []runtimes.Diagnostic{*d}
	}
	loader := api.LoaderTSX
	switch strings.ToLower(path.Ext(name)) {
	case ".ts":
		loader = api.LoaderTS
	case ".js", ".mjs", ".jsx":
		loader = api.LoaderJSX
	}
	code = bytes.Clone(code)
	if bytes.HasPrefix(code, []byte("#!")) {
		copy(code, "//")
	}
	banner, d := takeImports(code, offered)
	if d != nil {
		d.File = name
		return runtimes.Lowered{}, []runtimes.Diagnostic{*d}
	}
	// What begins with a brace is an object if it can be one, as people expect who
	// type it at a prompt.
	if bytes.HasPrefix(bytes.TrimSpace(code), []byte("{")) {
		wrapped := append(append([]byte("(\n"), code...), "\n)"...)
		if r := transform(wrapped, banner, loader); len(r.Errors) == 0 {
			return runtimes.Lowered{Code: r.Code, SourceMap: upOneLine(renameSource(r.Map, name))}, nil
		}
	}
	r := transform(code, banner, loader)
	if len(r.Errors) > 0 {
		return runtimes.Lowered{}, diagnostics(name, r.Errors)
	}
	return runtimes.Lowered{Code: append(r.Code, lostValue(code, banner, loader, r.Code)...), SourceMap: renameSource(r.Map, name)}, nil
}

// lostValue returns an expression with the value of a cell's last line if the
// lowered code has none for it: esbuild leaves out statements that are constants
// in its eyes, such as -1 and undefined.
func lostValue(code []byte, banner string, loader api.Loader, lowered []byte) []byte {
	end := bytes.TrimRight(code, "; \t\r\n")
	start := bytes.LastIndexAny(end, ";\n") + 1
	last := bytes.TrimSpace(end[start:])
	if len(last) == 0 {
		return nil
	}
	if r := transform(code[:start], banner, loader); len(r.Errors) > 0 || !bytes.Equal(r.Code, lowered) {
		return nil // the line is not a statement, or left something
	}
	r := transform(append(append([]byte("[("), last...), "\n)][0]"...), "", loader)
	if len(r.Errors) > 0 {
		return nil // a declaration of a type, a comment
	}
	return r.Code
}

// indentation bounds the white space that code would get by being printed in lines. Cells
// are, unless that is far more than the code, because the interpreter is wrong by one column in what it
// says of a statement of a script that does not begin a line, and so points to the one before.
func indentation(code []byte) (n int) {
	depth := 0
	for _, c := range code {
		switch c {
		case '(', '[', '{':
			depth++
			n += 2 * depth
		case ')', ']', '}':
			depth = max(depth-1, 0)
			n += 2 * depth
		case ';', ',', '\n':
			n += 2 * depth
		}
	}
	return n
}

func transform(code []byte, banner string, loader api.Loader) api.TransformResult {
	if messages := slow(string(code), loader); messages != nil {
		return api.TransformResult{Errors: messages}
	}
	hides := take(code).renaming() > maxRenaming
	return api.Transform(string(code), api.TransformOptions{
		Loader:      loader,
		Sourcefile:  sourceName,
		Target:      api.ES2023,
		Supported:   map[string]bool{"dynamic-import": false}, // becomes require
		JSX:         api.JSXTransform,
		JSXFactory:  cellJSX,
		JSXFragment: cellFragment,
		Define:      map[string]string{"process.env.NODE_ENV": `"production"`},
		// An import that was not taken is not to be left out, but a mistake.
		TsconfigRaw: `{"compilerOptions": {"verbatimModuleSyntax": true}}`,

		// For the reasons, see build. The cell's own names stay, as those of any script.
		MinifyIdentifiers: hides,
		Charset:           api.CharsetASCII,
		LegalComments:     api.LegalCommentsNone,
		MinifyWhitespace:  indentation(code) > len(code)+64<<10,
		Banner:            banner,
		Sourcemap:         api.SourceMapExternal,
		SourcesContent:    api.SourcesContentExclude,
		LogLevel:          api.LogLevelSilent,
		LogLimit:          maxDiagnostics,
	})
}

// upOneLine moves all positions of a source map to the line before. Each segment
// counts from the one before it, so that this is a matter of the first.
func upOneLine(m []byte) []byte {
	var v struct {
		Version  int      `json:"version"`
		Sources  []string `json:"sources"`
		Mappings string   `json:"mappings"`
		Names    []string `json:"names"`
	}
	if json.Unmarshal(m, &v) != nil {
		return m
	}
	start := len(v.Mappings) - len(strings.TrimLeft(v.Mappings, ";"))
	at := start
	for range 2 { // the column and the source
		at += vlqLength(v.Mappings[at:])
	}
	n := vlqLength(v.Mappings[at:])
	if n == 0 {
		return m
	}
	v.Mappings = v.Mappings[:at] + vlqDecrement(v.Mappings[at:at+n]) + v.Mappings[at+n:]
	b, err := json.Marshal(v)
	if err != nil {
		return m
	}
	return b
}

// Numbers in source maps are in base 64, the least digit first, with 32 added to
// all digits but the last. The lowest bit of the number is its sign.
const vlqDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// vlqLength is the number of digits of the number that s begins with, 0 if it
// begins with none.
func vlqLength(s string) int {
	for i := range len(s) {
		switch d := strings.IndexByte(vlqDigits, s[i]); {
		case d < 0:
			return 0
		case d < 32:
			return i + 1
		}
	}
	return 0
}

// vlqDecrement subtracts one from a number of digits that is greater than zero.
func vlqDecrement(digits string) string {
	n := 0
	for i := len(digits) - 1; i >= 0; i-- {
		n = n<<5 | strings.IndexByte(vlqDigits, digits[i])&31
	}
	n -= 2
	var b strings.Builder
	for {
		d := n & 31
		if n >>= 5; n > 0 {
			d |= 32
		}
		b.WriteByte(vlqDigits[d])
		if n == 0 {
			return b.String()
		}
	}
}
