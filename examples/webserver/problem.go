package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sporeengine/spore/engine"
)

// A problem is an error in the form that a page shows. Its texts may come from
// a component: html/template escapes them.
type problem struct {
	Title  string
	Text   string
	Places []place
}

// A place is a position in source.
type place struct {
	File         string
	Line, Column int
	Text         string // what is wrong, or the function
	Source       string // the line, if it is known
	Caret        string // points at the column
}

// explain describes an error of Compile or Render. The three types of errors
// that a component can cause have what a developer, or the model that wrote
// the component, needs in order to repair it.
func explain(v *view, err error) *problem {
	if e, ok := errors.AsType[*engine.SourceError](err); ok {
		p := &problem{Title: "Source error", Text: "The component does not compile."}
		for _, d := range e.Diagnostics {
			p.Places = append(p.Places, newPlace(d.File, d.Line, d.Column, d.Text, d.LineText))
		}
		return p
	}
	if e, ok := errors.AsType[*engine.GuestError](err); ok {
		p := &problem{Title: "Component error", Text: e.Message}
		if e.Name != "" {
			p.Text = e.Name + ": " + e.Message
		}
		for _, f := range e.Stack {
			source := ""
			if f.File == v.File {
				source = line(v.component.code, f.Line)
			}
			p.Places = append(p.Places, newPlace(f.File, f.Line, f.Column, f.Func, source))
		}
		return p
	}
	if e, ok := errors.AsType[*engine.LimitError](err); ok {
		return &problem{Title: "Limit exceeded", Text: fmt.Sprintf(
			"The component was stopped because it ran into the limit %s. Others were not disturbed.", e.Limit)}
	}
	// Anything else is the server's own trouble, and none of the client's business.
	return &problem{Title: "Unavailable", Text: "The component could not be rendered now."}
}

func newPlace(file string, line, column int, text, source string) place {
	p := place{File: file, Line: line, Column: column, Text: text, Source: source}
	if column > 0 && column <= len(source)+1 {
		// Tabs stay, so that the caret stands below what it points at.
		p.Caret = strings.Map(func(r rune) rune {
			if r == '\t' {
				return r
			}
			return ' '
		}, source[:column-1]) + "^"
	}
	return p
}

// line returns the nth line of code, counting from 1, or "".
func line(code []byte, n int) string {
	lines := strings.Split(string(code), "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}
