package javascript

import (
	"bytes"
	"time"
	"unsafe"

	"github.com/evanw/esbuild/pkg/api"
)

// maxParse is the longest that the parser may take, wall time. The longest
// honest source takes it a fiftieth of that.
const maxParse = 2 * time.Second

// endOfCopy ends what is parsed to be stopped. No token begins with the second
// byte, so the parser fails there at the latest, and what comes after it does
// not begin.
const endOfCopy = "\n\x01"

// slow returns what to say of a source over which the parser takes longer than
// maxParse, or nil.
func slow(code string, loader api.Loader) []api.Message {
	// The parser of JavaScript goes through its source once.
	if loader == api.LoaderJSX || tries(code) <= maxTries {
		return nil
	}
	at := stopped(code, loader, maxParse)
	if at < 0 {
		return nil
	}
	d := diagnosticAt([]byte(code), at, "the parser takes too long from here on: write it with fewer functions, conditionals or types inside of each other")
	return []api.Message{{Text: d.Text, Location: &api.Location{Line: d.Line, Column: d.Column - 1, LineText: d.LineText}}}
}

// stopped lets the parser read code for limit and returns the offset where it
// was stopped, or -1 if it was done before. It returns soon after limit.
//
// The parser of TypeScript tries readings and goes back. In
// "x ? (b) : c => d" it reads d twice, to learn whether "(b) : c =>" begins a
// function, and in types so the d of "[infer T extends d ? e : f]". Each of them
// inside of another doubles the work. In "a<b<c<d" it reads on to the end at
// each sign. To foresee this would take a lexer that agrees with the parser's on
// every comment, regular expression and JSX text, and the parser takes no
// context. But while it works it reads the source again and again. So a copy is
// parsed first, which is overwritten when time is up with what no reading has a
// use for: each try fails at once, and the parser ends.
func stopped(code string, loader api.Loader, limit time.Duration) (at int) {
	b := append(append(make([]byte, 0, len(code)+len(endOfCopy)), code...), endOfCopy...)
	wiped := make(chan struct{})
	timer := time.AfterFunc(limit, func() {
		wipe(b)
		close(wiped)
	})
	// Strings are not to change: compilers may rely on it, and maps do that have
	// them for keys. This one may, because its length stays, any byte that is read
	// was there or is there, a panic of the parser is an error of the build, and
	// no result is taken but a position. What would not survive it, the printer,
	// is not reached, since the copy has a syntax error in any case.
	result := api.Transform(unsafe.String(unsafe.SliceData(b), len(b)), api.TransformOptions{
		Loader: loader, Sourcefile: sourceName, TsconfigRaw: "{}", LogLevel: api.LogLevelSilent, LogLimit: maxDiagnostics,
	})
	if timer.Stop() {
		return -1
	}
	<-wiped
	for _, m := range result.Errors { // the last is of the outermost try
		if l := m.Location; l != nil {
			at = 0
			for range l.Line - 1 {
				at += bytes.IndexByte(b[at:], '\n') + 1
			}
			at += l.Column
		}
	}
	return min(at, len(code))
}

// wipe overwrites b but for the ends of lines, by which positions are counted.
// It races with the parser, and is meant to.
//
//go:norace
func wipe(b []byte) {
	for i, c := range b {
		if c != '\n' {
			b[i] = endOfCopy[1]
		}
	}
}
