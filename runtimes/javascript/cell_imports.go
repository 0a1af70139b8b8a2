package javascript

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sporeengine/spore/runtimes"
)

// cellModules are what a cell can import: the component that the interpreter
// has loaded, and what that can import.
var cellModules = append([]string{"component"}, modules...)

// takeImports overwrites the import declarations at the top of a cell with
// blanks, so that all else stays in its place, and returns statements that
// declare the same names. They go before the cell.
//
// What it does not understand it leaves alone: the parser says what is wrong
// with it.
func takeImports(code []byte, offered []runtimes.Module) (statements string, d *runtimes.Diagnostic) {
	known := slices.Clone(cellModules)
	for _, m := range offered {
		known = append(known, m.Name)
	}
	var b strings.Builder
	l := lexer{code: code}
	for {
		start := l.skip()
		i, ok := l.importDeclaration()
		if !ok {
			return b.String(), nil
		}
		if !slices.Contains(known, i.module) {
			line := bytes.LastIndexByte(code[:i.at], '\n') + 1
			text, _, _ := bytes.Cut(code[line:], []byte("\n"))
			return "", &runtimes.Diagnostic{
				Line:     bytes.Count(code[:i.at], []byte("\n")) + 1,
				Column:   i.at - line + 1,
				Text:     unknownModule(i.module, "a cell", known),
				LineText: lineText(string(text)),
			}
		}
		b.WriteString(i.statements())
		for at := start; at < l.at; at++ {
			if code[at] != '\n' && code[at] != '\r' {
				code[at] = ' '
			}
		}
	}
}

// An importDeclaration is what one declares.
type importDeclaration struct {
	module    string
	at        int    // offset of the module's name
	isType    bool   // of TypeScript: nothing is left of it
	whole     string // name for the default export, or ""
	namespace string // name for all of the module, or ""
	names     []importName
}

// An importName is a name of the module, quoted if it is no identifier, and the
// name by which the cell has it.
type importName struct{ exported, local string }

// statements returns code that declares the names of i.
func (i *importDeclaration) statements() string {
	if i.isType {
		return ""
	}
	from := fmt.Sprintf("require(%q)", i.module)
	var b strings.Builder
	if i.whole == "" && i.namespace == "" && len(i.names) == 0 {
		b.WriteString(from + ";")
	}
	if i.whole != "" {
		// What was not a module before it was lowered exports itself.
		fmt.Fprintf(&b, "const %s=(m=>m.__esModule?m.default:m)(%s);", i.whole, from)
	}
	if i.namespace != "" {
		fmt.Fprintf(&b, "const %s=%s;", i.namespace, from)
	}
	var plain []string
	for _, n := range i.names {
		if n.exported == "default" {
			fmt.Fprintf(&b, "const %s=(m=>m.__esModule?m.default:m)(%s);", n.local, from)
			continue
		}
		plain = append(plain, n.exported+":"+n.local)
	}
	if len(plain) > 0 {
		fmt.Fprintf(&b, "const {%s}=%s;", strings.Join(plain, ","), from)
	}
	return b.String()
}

// A lexer reads the tokens of import declarations.
type lexer struct {
	code []byte
	at   int
}

// skip goes on to the next token and returns its offset.
func (l *lexer) skip() int {
	for l.at < len(l.code) {
		rest := l.code[l.at:]
		switch {
		case bytes.IndexByte([]byte(" \t\r\n\v\f"), rest[0]) >= 0:
			l.at++
		case bytes.HasPrefix(rest, []byte("\uFEFF")):
			l.at += len("\uFEFF")
		case bytes.HasPrefix(rest, []byte("//")):
			if n := bytes.IndexByte(rest, '\n'); n >= 0 {
				l.at += n
			} else {
				l.at = len(l.code)
			}
		case bytes.HasPrefix(rest, []byte("/*")):
			n := bytes.Index(rest, []byte("*/"))
			if n < 0 {
				return l.at
			}
			l.at += n + 2
		default:
			return l.at
		}
	}
	return l.at
}

// word reads an identifier or a keyword. It returns "" if there is none, or one with escapes.
func (l *lexer) word() string {
	start := l.skip()
	for l.at < len(l.code) {
		c := l.code[l.at]
		if !(c == '_' || c == '$' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || l.at > start && '0' <= c && c <= '9' || c >= utf8.RuneSelf) {
			break
		}
		l.at++
	}
	return string(l.code[start:l.at])
}

// is reads the punctuation character c, if it is the next token.
func (l *lexer) is(c byte) bool {
	if l.skip(); l.at < len(l.code) && l.code[l.at] == c {
		l.at++
		return true
	}
	return false
}

// text reads a string without escapes and returns what is between its quotes.
func (l *lexer) text() (s string, ok bool) {
	l.skip()
	for _, quote := range []byte(`"'`) {
		if !l.is(quote) {
			continue
		}
		n := bytes.IndexByte(l.code[l.at:], quote)
		if n < 0 || bytes.ContainsAny(l.code[l.at:l.at+n], "\\\n\"'") {
			return "", false
		}
		s = string(l.code[l.at : l.at+n])
		l.at += n + 1
		return s, true
	}
	return "", false
}

// importDeclaration reads one. If there is none, the lexer stays where it is.
func (l *lexer) importDeclaration() (i importDeclaration, ok bool) {
	start := l.skip()
	defer func() {
		if !ok {
			l.at = start
		}
	}()
	if l.word() != "import" {
		return i, false
	}
	l.skip()
	i.at = l.at
	if i.module, ok = l.text(); !ok {
		if !l.clause(&i) || l.word() != "from" {
			return i, false
		}
		i.at = l.skip()
		if i.module, ok = l.text(); !ok {
			return i, false
		}
	}
	// Without a semicolon the declaration ends with its line.
	end := l.at
	if !l.is(';') {
		if l.at < len(l.code) && bytes.IndexByte(l.code[end:l.at], '\n') < 0 {
			return i, false
		}
		l.at = end
	}
	return i, true
}

// clause reads what stands between "import" and "from".
func (l *lexer) clause(i *importDeclaration) bool {
	if l.is('*') {
		return l.all(i)
	}
	if l.is('{') {
		return l.list(i)
	}
	name := l.word()
	if name == "type" && l.typeFollows() {
		i.isType = true
		return l.clause(i)
	}
	if i.whole = name; name == "" {
		return false
	}
	if !l.is(',') {
		return true
	}
	switch {
	case l.is('*'):
		return l.all(i)
	case l.is('{'):
		return l.list(i)
	}
	return false
}

// typeFollows looks whether "type" was the word of TypeScript and not the name of
// a default export.
func (l *lexer) typeFollows() bool {
	at := l.at
	defer func() { l.at = at }()
	switch l.word() {
	case "":
		return l.is('{') || l.is('*')
	case "from":
		return l.word() == "from"
	}
	return true
}

// all reads "as name" of "* as name".
func (l *lexer) all(i *importDeclaration) bool {
	if l.word() != "as" {
		return false
	}
	i.namespace = l.word()
	return i.namespace != ""
}

// list reads the names behind an opening brace, and the closing one.
func (l *lexer) list(i *importDeclaration) bool {
	for !l.is('}') {
		n, isType, ok := l.name()
		if !ok {
			return false
		}
		if !isType {
			i.names = append(i.names, n)
		}
		if !l.is(',') {
			return l.is('}')
		}
	}
	return true
}

// name reads one of a list: a, a as b, "a" as b, and each with "type" before it.
func (l *lexer) name() (n importName, isType, ok bool) {
	if s, ok := l.text(); ok {
		n.exported = fmt.Sprintf("%q", s)
		if l.word() != "as" {
			return n, false, false
		}
		n.local = l.word()
		return n, false, n.local != ""
	}
	words := []string{}
	for w := l.word(); w != ""; w = l.word() {
		words = append(words, w)
	}
	// "type" may be a name: "type", "type as b" and "type as as b" are none of TypeScript.
	if len(words) > 1 && words[0] == "type" && (words[1] != "as" || len(words) == 2) {
		return n, true, true
	}
	switch {
	case len(words) == 1:
		n = importName{words[0], words[0]}
	case len(words) == 3 && words[1] == "as":
		n = importName{words[0], words[2]}
	default:
		return n, false, false
	}
	return n, false, true
}
