package engine

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/go-sourcemap/sourcemap"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/runtimes"
)

// positions maps positions in the code that an interpreter loaded back to the
// component's source. The map is parsed when the first error needs it.
type positions struct {
	file string     // name of the component's file
	json []byte     // source map
	more *positions // of other files

	once     sync.Once
	consumer *sourcemap.Consumer // nil if json is damaged
}

// newPositions returns nil, which maps every position to itself, if there is no
// source map.
func newPositions(file string, sourceMap []byte) *positions {
	if len(sourceMap) == 0 {
		return nil
	}
	return &positions{file: file, json: sourceMap}
}

// frame maps a frame of the component's file. Other frames, such as those of
// libraries in the runtime, stay.
func (p *positions) frame(f Frame) Frame {
	if p = p.of(f.File); p != nil {
		f.File, f.Line, f.Column = p.position(f.Line, f.Column)
	}
	return f
}

// of returns the positions of a file, or nil.
func (p *positions) of(file string) *positions {
	for p != nil && p.file != file {
		p = p.more
	}
	return p
}

// position maps a line and column. Both are 0 if the place is not in the source. The file is p's, or that of a
// module that was brought along.
//
// A snapshot can bring any source map along, and the library panics for indices in
// it that lead nowhere.
func (p *positions) position(line, column int) (file string, l, c int) {
	if line <= 0 {
		return p.file, 0, 0
	}
	defer func() {
		if recover() != nil || l < 1 || c < 1 {
			file, l, c = p.file, 0, 0
		}
	}()
	p.once.Do(func() { p.consumer, _ = sourcemap.Parse("", p.json) })
	if p.consumer == nil {
		return p.file, 0, 0
	}
	// Source maps count columns from 0.
	source, _, l, c, ok := p.consumer.Source(line, max(column-1, 0))
	if !ok {
		return p.file, 0, 0
	}
	if moduleFile.MatchString(source) {
		return source, l, c + 1
	}
	return p.file, l, c + 1
}

// moduleFile is what runtimes.Module.File returns.
var moduleFile = regexp.MustCompile(`^<[a-z][a-z0-9_]{0,99}>$`)

// syntaxError builds the error for source in file that the guest refused.
func syntaxError(e *abi.Error, file string, pos *positions) *SourceError {
	se := &SourceError{}
	for _, d := range e.Diagnostics {
		if d.File == "" {
			d.File = file
		}
		if p := pos.of(d.File); p != nil {
			d.File, d.Line, d.Column = p.position(d.Line, d.Column)
		}
		se.Diagnostics = append(se.Diagnostics, runtimes.Diagnostic(d))
	}
	if len(se.Diagnostics) == 0 {
		se.Diagnostics = []runtimes.Diagnostic{{File: file, Text: e.Message}}
	}
	return se
}

// traceText prints an error and its stack the way JavaScript engines do.
func traceText(e *GuestError) string {
	var b strings.Builder
	b.WriteString(e.Name)
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	for _, f := range e.Stack {
		fn := f.Func
		if fn == "" {
			fn = "<anonymous>"
		}
		fmt.Fprintf(&b, "\n    at %s (%s:%d:%d)", fn, f.File, f.Line, f.Column)
	}
	return b.String()
}
