package javascript

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/sporeengine/spore/runtimes"
)

// linkCode is an expression, a function that makes modules known. The interpreter has no way to be given one, so
// that its calls stand before the code of components and cells.
//
//go:embed link.js
var linkCode string

const linked = `globalThis[Symbol.for("spore.modules")].link`

// Link is [runtimes.Runtime.Link] of JavaScript: [Lower] for a component to which modules are offered. Before its code come
// those that it imports, lowered in the same way, on lines of their own.
func Link(name string, code []byte, offered []runtimes.Module) (runtimes.Lowered, []runtimes.Diagnostic) {
	o := &offer{modules: offered}
	lowered, list := lower(name, code, o)
	if len(list) > 0 || len(o.used) == 0 {
		return lowered, list
	}
	pieces, names, list := bringAlong(o.used, offered)
	if len(list) > 0 {
		return runtimes.Lowered{}, list
	}
	// The component's require is to know the modules. Its first line has nothing of the component.
	head := wrapperHead + "require=" + linked + "(require);"
	lowered.Code = append([]byte(head), lowered.Code[len(wrapperHead):]...)
	pieces = append([]piece{{code: "(("}}, pieces...)
	pieces = append(pieces, piece{code: ",\n"}, pieceOf(lowered), piece{code: ")"})
	return join(pieces, names), nil
}

// LinkCell is [runtimes.Runtime.LinkCell] of JavaScript. The function require of cells is global.
func LinkCell(name string, code []byte, offered []runtimes.Module) (runtimes.Lowered, []runtimes.Diagnostic) {
	lowered, list := lowerCell(name, code, offered)
	if len(list) > 0 {
		return lowered, list
	}
	used := map[string]bool{}
	for _, m := range offered {
		for _, quote := range []string{`"`, `'`, "`"} {
			used[m.Name] = used[m.Name] || bytes.Contains(code, []byte(quote+m.Name+quote))
		}
	}
	if !slices.ContainsFunc(offered, func(m runtimes.Module) bool { return used[m.Name] }) {
		return lowered, nil
	}
	pieces, names, list := bringAlong(used, offered)
	if len(list) > 0 {
		return runtimes.Lowered{}, list
	}
	// A declaration, or a cell without a value would have that of this.
	pieces = append([]piece{{code: "{let f=("}}, pieces...)
	pieces = append(pieces, piece{code: ",r=globalThis.require=" + linked + "(require)}\n"}, pieceOf(lowered))
	return join(pieces, names), nil
}

// bringAlong returns an expression that makes the modules known which are used, with those that they use, and their names.
func bringAlong(used map[string]bool, offered []runtimes.Module) (pieces []piece, names []string, _ []runtimes.Diagnostic) {
	var todo []string
	want := func(used map[string]bool) {
		for _, m := range offered { // in their order, so that equal source gives equal code
			if used[m.Name] && len(m.Code) > 0 && !slices.Contains(names, m.Name) {
				names, todo = append(names, m.Name), append(todo, m.Name)
			}
		}
	}
	pieces = append(pieces, piece{code: linkCode + ")({\n"})
	for want(used); len(todo) > 0; todo = todo[1:] {
		i := slices.IndexFunc(offered, func(m runtimes.Module) bool { return m.Name == todo[0] })
		m := lowerModule(&offered[i], offered)
		if len(m.problems) > 0 {
			return nil, nil, m.problems
		}
		pieces = append(pieces, piece{code: todo[0] + ":\n"}, m.piece, piece{code: ",\n"})
		want(m.used)
	}
	if len(names) == 0 {
		return []piece{{code: "0"}, {code: ")"}}, nil, nil
	}
	return append(pieces, piece{code: "})"}), names, nil
}

// A loweredModule is what lowerModule returns.
type loweredModule struct {
	piece    piece
	used     map[string]bool // modules that it imports
	problems []runtimes.Diagnostic
}

// lowerModules are modules that were lowered, by a digest of all that this depends on. They are few, as they are parts of
// the program.
var (
	loweredMu      sync.Mutex
	loweredModules = map[[32]byte]*loweredModule{} // guarded by loweredMu
)

const maxLoweredModules = 64

// lowerModule makes a function of exports, require and module of m, which can import those that are offered.
func lowerModule(m *runtimes.Module, offered []runtimes.Module) *loweredModule {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s\n%s", len(m.Code), m.Name, m.Code)
	for _, o := range offered {
		fmt.Fprintf(h, "%s\n", o.Name)
	}
	key := [32]byte(h.Sum(nil))
	loweredMu.Lock()
	l := loweredModules[key]
	loweredMu.Unlock()
	if l != nil {
		return l
	}
	// It is trusted, and none of the bounds of components holds for it.
	o := &offer{modules: offered, inModule: true}
	result := build(m.Code, api.LoaderJSX, o)
	if len(result.Errors) > 0 {
		return &loweredModule{problems: diagnostics(m.File(), result.Errors)}
	}
	out := output(result, m.File())
	l = &loweredModule{piece: piece{code: string(out.Code), sourceMap: out.SourceMap, linesOnly: true}, used: o.used}
	loweredMu.Lock()
	defer loweredMu.Unlock()
	if len(loweredModules) >= maxLoweredModules {
		clear(loweredModules)
	}
	loweredModules[key] = l
	return l
}

// join concatenates pieces of lowered code and their source maps. One that has a source map begins a line.
func join(pieces []piece, modules []string) runtimes.Lowered {
	var code strings.Builder
	var m mapWriter
	for _, p := range pieces {
		code.WriteString(p.code)
		m.add(p)
	}
	return runtimes.Lowered{Code: []byte(code.String()), SourceMap: m.json(), Modules: modules}
}

func pieceOf(l runtimes.Lowered) piece { return piece{code: string(l.Code), sourceMap: l.SourceMap} }
