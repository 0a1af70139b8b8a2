package javascript

import (
	"bytes"
	"fmt"
	"slices"
)

// excess returns the offset where the source is too much for the parser, or −1.
// It takes no notice of strings and comments: text in them could hide brackets
// only at the cost of several bytes each, which maxSource bounds as well. Only
// the bound on functions in conditionals can be got round with a semicolon in a
// comment; what then happens is bounded by the time that the engine waits.
func excess(code []byte) (at int, what string) {
	levels := []bracket{{}}
	nots := 0
	for i, c := range code {
		l := &levels[len(levels)-1]
		switch c {
		case '(', '[', '{':
			if len(levels) > maxDepth {
				return i, fmt.Sprintf("brackets are nested more than %d deep", maxDepth)
			}
			levels = append(levels, bracket{outer: l.arrows, arrows: l.arrows})
		case ')', ']', '}':
			if len(levels) > 1 {
				levels = levels[:len(levels)-1]
			}
		case ',':
			if l.commas++; l.commas > maxCommas {
				return i, fmt.Sprintf("more than %d commas in a row", maxCommas)
			}
		case ';':
			l.commas = 0
			l.end()
		case '\n':
			if startsStatement(code[i+1:]) {
				l.end()
			}
		case '?':
			if !bytes.ContainsAny(firstByte(code[i+1:]), ":?.") {
				l.asked = true
			}
		case '>':
			if l.asked && i > 0 && code[i-1] == '=' {
				l.asked = false
				if l.arrows++; l.arrows > maxArrows {
					return i, fmt.Sprintf("more than %d functions in the branches of conditionals in each other", maxArrows)
				}
			}
		}
		switch c {
		case '!':
			if nots++; nots > maxNots {
				return i, fmt.Sprintf("more than %d exclamation marks in a row", maxNots)
			}
		case ' ', '\t', '\r', '\n':
		default:
			nots = 0
		}
	}
	return -1, ""
}

// A bracket is what excess counts between a bracket and its partner.
//
// In "x ? (b) : c => d" the parser of TypeScript has to try whether "(b) : c =>"
// is the beginning of a function that returns a c. If d holds another such
// conditional the work doubles, in this bracket or in one inside of it.
type bracket struct {
	commas int
	arrows int  // functions behind a question mark, those of the brackets around included
	outer  int  // of them, those of the brackets around
	asked  bool // there was a question mark without a function yet
}

// end ends a statement.
func (b *bracket) end() { b.arrows, b.asked = b.outer, false }

// statements are words that begin a statement and cannot be in an expression.
var statements = []string{"const", "var", "return", "export", "if", "for", "while", "switch", "try", "throw"}

// startsStatement reports whether a line begins with one of them. Source that
// leaves out semicolons ends its statements so.
func startsStatement(line []byte) bool {
	line = bytes.TrimLeft(line[:min(len(line), 200)], " \t")
	n := 0
	for n < len(line) && 'a' <= line[n] && line[n] <= 'z' {
		n++
	}
	return n < len(line) && (line[n] == ' ' || line[n] == '(') && slices.Contains(statements, string(line[:n]))
}

// firstByte returns the first byte of code that is no blank, as a slice.
func firstByte(code []byte) []byte {
	for i, c := range code {
		if c != ' ' && c != '\t' {
			return code[i : i+1]
		}
	}
	return nil
}
