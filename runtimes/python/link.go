package python

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sporeengine/spore/runtimes"
)

//go:embed link.py
var linkCode []byte

//go:embed taken.txt
var taken string

// Link is [runtimes.Runtime.Link] of Python. The interpreter has no way to be given a module, so that a component to
// which modules are offered, and which mentions one, is wrapped: what is loaded as the component is one expression, which makes the modules known
// and then loads the component as if it were not there. Lines, files and errors are those of the component.
func Link(name string, code []byte, modules []runtimes.Module) (runtimes.Lowered, []runtimes.Diagnostic) {
	return link("load", name, code, modules)
}

// LinkCell is [runtimes.Runtime.LinkCell] of Python.
func LinkCell(name string, code []byte, modules []runtimes.Module) (runtimes.Lowered, []runtimes.Diagnostic) {
	return link("execute", name, bytes.ToValidUTF8(code, []byte("\uFFFD")), modules)
}

func link(what, name string, code []byte, modules []runtimes.Module) (runtimes.Lowered, []runtimes.Diagnostic) {
	used := mentioned(code, modules)
	if len(used) == 0 {
		return runtimes.Lowered{Code: code}, nil
	}
	lowered := runtimes.Lowered{}
	var sources strings.Builder
	for _, m := range used {
		lowered.Modules = append(lowered.Modules, m.Name)
		if program := precompiled(&m); program != nil {
			fmt.Fprintf(&sources, "%q: __import__('binascii').a2b_base64('%s'), ", m.Name, base64.StdEncoding.EncodeToString(program))
		} else {
			fmt.Fprintf(&sources, "%q: %s.decode(), ", m.Name, literal(m.Code))
		}
	}
	// The names of a cell may hide any other.
	const builtin = `__import__("builtins").`
	lowered.Code = fmt.Appendf(nil, "%sexec(%[1]scompile(%s, '<frozen spore>', 'exec'), {'modules': {%s}, 'what': '%s', 'namespace': %[1]sglobals(), 'name': %[5]s.decode('utf-8', 'replace'), 'source': %[6]s})",
		builtin, literal(linkCode), sources.String(), what, literal([]byte(name)), literal(code))
	return lowered, nil
}

// Precompiled returns what hostfuncs.Module.Precompiled is for a source: program is what this package's interpreter made of it by
// zlib.compress(marshal.dumps(compile(source, "<name>", "exec", 0, True)), 9). It is taken for nothing else.
func Precompiled(source string, program []byte) []byte {
	of := sha256.Sum256([]byte(source))
	by := digest("python.wasm")
	return slices.Concat(of[:], by[:], program)
}

// precompiled returns the program of m, or nil if there is none of its code and this interpreter.
func precompiled(m *runtimes.Module) []byte {
	head := Precompiled(string(m.Code), nil)
	program, ok := bytes.CutPrefix(m.Precompiled, head)
	if !ok || len(program) == 0 {
		return nil
	}
	return program
}

// mentioned returns the modules with code whose names are words of code, and those that are words of their code.
func mentioned(code []byte, modules []runtimes.Module) (used []runtimes.Module) {
	texts := [][]byte{code}
	taken := make([]bool, len(modules))
	for len(texts) > 0 {
		text := texts[0]
		texts = texts[1:]
		for i, m := range modules {
			if !taken[i] && len(m.Code) > 0 && regexp.MustCompile(`\b`+regexp.QuoteMeta(m.Name)+`\b`).Match(text) {
				taken[i] = true
				texts = append(texts, m.Code)
			}
		}
	}
	for i, m := range modules {
		if taken[i] {
			used = append(used, m)
		}
	}
	return used
}

// literal returns an expression of Python for b, in one line and in ASCII.
func literal(b []byte) string {
	var out strings.Builder
	out.Grow(len(b) + len(b)/8 + 3)
	out.WriteString(`b"`)
	for _, c := range b {
		switch {
		case c == '\n':
			out.WriteString(`\n`)
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&out, `\x%02x`, c)
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}
