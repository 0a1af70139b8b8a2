package javascript

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/sporeengine/spore/runtimes"
)

// modules are what a component can import. The interpreter has them loaded;
// see build/guest/component.js.
var modules = []string{"react", "react/jsx-runtime", "react-dom", "react-dom/server", "spore"}

const (
	// maxSource bounds the work and above all the recursion of the parser: a
	// byte of source can cost it 4 KiB of stack, and a Go program whose stack
	// reaches 1 GiB dies. Generated components have a few KiB.
	maxSource = 128 << 10

	// What the parser takes long for, and no component has.
	maxDepth  = 500   // of brackets
	maxCommas = 10000 // between two brackets
	maxNots   = 500   // exclamation marks in a row

	maxDiagnostics = 50
	maxLineText    = 1 << 10
)

// Lowered code is one expression, a function that the interpreter calls with
// what CommonJS code expects. It is strict, as every ES module is.
const (
	wrapperHead = `(function (exports, require, module) { "use strict";`
	wrapperTail = `})`
)

// Lower turns a component into the form that the interpreter loads. The
// extension of name selects the dialect; JavaScript may hold JSX under each of
// its extensions.
//
// Lower reads no files and keeps nothing. A component imports only what the
// runtime has loaded; any other import is a problem of the source.
func Lower(name string, code []byte) (runtimes.Lowered, []runtimes.Diagnostic) {
	return lower(name, code, &offer{})
}

// lower is Lower with what can be imported beside modules.
func lower(name string, code []byte, o *offer) (runtimes.Lowered, []runtimes.Diagnostic) {
	if d := check(code); d != nil {
		d.File = name
		return runtimes.Lowered{}, []runtimes.Diagnostic{*d}
	}
	loader := api.LoaderJSX
	switch strings.ToLower(path.Ext(name)) {
	case ".ts":
		loader = api.LoaderTS
	case ".tsx":
		loader = api.LoaderTSX
	}
	result := build(code, loader, o)
	if len(result.Errors) > 0 {
		list := diagnostics(name, result.Errors)
		if loader == api.LoaderTS && len(build(code, api.LoaderTSX, o).Errors) == 0 {
			list[0].Text += ` (JSX needs a file name that ends in ".tsx")`
		}
		return runtimes.Lowered{}, list
	}
	return output(result, name), nil
}

// output returns the code of a build, and its source map with the name of the source.
func output(result api.BuildResult, name string) (lowered runtimes.Lowered) {
	for _, f := range result.OutputFiles {
		if strings.HasSuffix(f.Path, ".map") {
			lowered.SourceMap = renameSource(f.Contents, name)
		} else {
			lowered.Code = f.Contents
		}
	}
	return lowered
}

// sourceName stands for the component's name, which may hold anything and is
// kept out of esbuild.
const sourceName = "component"

func build(code []byte, loader api.Loader, o *offer) api.BuildResult {
	if bytes.HasPrefix(code, []byte("#!")) { // would stand before the wrapper
		code = append([]byte("//"), code[2:]...)
	}
	if messages := slow(string(code), loader); messages != nil {
		return api.BuildResult{Errors: messages}
	}
	hides := take(code).renaming() > maxRenaming
	return api.Build(api.BuildOptions{
		Stdin: &api.StdinOptions{Contents: string(code), Sourcefile: sourceName, Loader: loader},
		// Bundling shows every import to the plugin, with its position.
		Bundle:  true,
		Plugins: []api.Plugin{{Name: "spore", Setup: func(b api.PluginBuild) { b.OnResolve(api.OnResolveOptions{Filter: ".*"}, o.resolve) }}},

		Format:      api.FormatCommonJS,
		Platform:    api.PlatformNeutral,
		Target:      api.ES2023,
		Supported:   map[string]bool{"dynamic-import": false}, // becomes require
		JSX:         api.JSXAutomatic,
		Define:      map[string]string{"process.env.NODE_ENV": `"production"`},
		TsconfigRaw: "{}",

		// Short names are found in no time; functions keep the names that they
		// show.
		MinifyIdentifiers: hides,
		KeepNames:         hides,

		// In ASCII a column counts bytes and characters alike. Only regular
		// expressions are left as they are.
		Charset:       api.CharsetASCII,
		LegalComments: api.LegalCommentsNone,
		// Without it, nested statements make output of quadratic size.
		MinifyWhitespace: !o.inModule,
		Banner:           map[string]string{"js": wrapperHead},
		Footer:           map[string]string{"js": wrapperTail},
		Sourcemap:        api.SourceMapExternal,
		SourcesContent:   api.SourcesContentExclude,
		Outfile:          "out.js",
		AbsWorkingDir:    "/",
		LogLevel:         api.LogLevelSilent,
		LogLimit:         maxDiagnostics,
	})
}

// check finds what the parser would not report, or not at its place, or too
// late.
func check(code []byte) *runtimes.Diagnostic {
	if len(code) > maxSource {
		return &runtimes.Diagnostic{Text: fmt.Sprintf("the source has %d bytes; %d are allowed", len(code), maxSource)}
	}
	if c := take(code); c.lookups() > maxLookups {
		return &runtimes.Diagnostic{Text: fmt.Sprintf("the source has %d arrow functions and %d words, which is too much", c.arrows, c.words)}
	}
	at, what := badText(code)
	if at < 0 {
		at, what = excess(code)
	}
	if at < 0 {
		return nil
	}
	return diagnosticAt(code, at, what)
}

// diagnosticAt returns a problem at an offset of code.
func diagnosticAt(code []byte, at int, what string) *runtimes.Diagnostic {
	start := bytes.LastIndexByte(code[:at], '\n') + 1
	line, _, _ := bytes.Cut(code[start:], []byte("\n"))
	return &runtimes.Diagnostic{
		Line:     bytes.Count(code[:at], []byte("\n")) + 1,
		Column:   at - start + 1,
		Text:     what,
		LineText: lineText(strings.ToValidUTF8(strings.ReplaceAll(string(line), "\x00", "\uFFFD"), "\uFFFD")),
	}
}

// badText returns the offset of the first byte that no source text has, or −1.
func badText(code []byte) (at int, what string) {
	for i := 0; i < len(code); {
		if code[i] == 0 {
			return i, fmt.Sprintf("the source has a NUL byte at offset %d", i)
		}
		r, n := utf8.DecodeRune(code[i:])
		if r == utf8.RuneError && n == 1 {
			return i, fmt.Sprintf("the source has the byte 0x%02X, which is not UTF-8, at offset %d", code[i], i)
		}
		i += n
	}
	return -1, ""
}

// An offer is what can be imported beside modules, and what of it is.
type offer struct {
	modules  []runtimes.Module
	inModule bool // by one of them

	mu   sync.Mutex
	used map[string]bool // guarded by mu
}

func (o *offer) resolve(args api.OnResolveArgs) (api.OnResolveResult, error) {
	known := slices.Clone(modules)
	for _, m := range o.modules {
		known = append(known, m.Name)
	}
	if !slices.Contains(known, args.Path) {
		return api.OnResolveResult{Errors: []api.Message{{Text: unknownModule(args.Path, "a component", known)}}}, nil
	}
	if !slices.Contains(modules, args.Path) {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.used == nil {
			o.used = map[string]bool{}
		}
		o.used[args.Path] = true
	}
	return api.OnResolveResult{Path: args.Path, External: true}, nil
}

// unknownModule explains an import that who cannot have. Whoever wrote it is
// most often a model that can write it otherwise, if told how.
func unknownModule(name, who string, known []string) string {
	hint := ""
	switch {
	case strings.HasPrefix(name, "./"), strings.HasPrefix(name, "../"), strings.HasPrefix(name, "/"), strings.HasPrefix(name, "@/"):
		hint = "a component is one file: define it here"
	case strings.HasSuffix(name, ".css"):
		hint = "styles come from class names or style attributes"
	case name == "react-dom/client":
		hint = "the component is rendered for you: export it as default"
	case strings.HasPrefix(name, "http:"), strings.HasPrefix(name, "https:"):
		hint = "nothing is loaded from the network"
	case strings.HasPrefix(name, "node:"), slices.Contains([]string{"fs", "path", "os", "http", "https", "crypto", "child_process", "util"}, name):
		hint = "there is no Node.js here; what the host offers is reached with call(name, argument) from \"spore\""
	}
	if hint != "" {
		hint = " (" + hint + ")"
	}
	return fmt.Sprintf("cannot import %q%s; %s can import %s", clip(name, 100), hint, who, strings.Join(known, ", "))
}

func diagnostics(name string, messages []api.Message) []runtimes.Diagnostic {
	list := make([]runtimes.Diagnostic, 0, len(messages))
	for _, m := range messages {
		if len(list) == maxDiagnostics {
			break
		}
		d := runtimes.Diagnostic{File: name, Text: m.Text}
		if strings.HasPrefix(m.Text, "Top-level await") {
			d.Text = "top-level await is not supported: await inside an async function, for example an async default export"
		}
		for _, n := range m.Notes {
			if n.Location == nil { // a hint; the others point at further places
				d.Text += ". " + n.Text
			}
		}
		if l := m.Location; l != nil {
			d.Line, d.Column, d.LineText = l.Line, l.Column+1, lineText(l.LineText)
		}
		list = append(list, d)
	}
	return list
}

func lineText(s string) string { return clip(strings.TrimSuffix(s, "\r"), maxLineText) }

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// renameSource puts the component's name into a source map.
func renameSource(m []byte, name string) []byte {
	quoted, err := json.Marshal(name)
	if err != nil { // not for a string
		return m
	}
	return bytes.Replace(m, []byte(`"sources": ["`+sourceName+`"]`), []byte(`"sources": [`+string(quoted)+`]`), 1)
}
