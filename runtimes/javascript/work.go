package javascript

import (
	"bytes"
	"strings"
)

// Upper bounds of esbuild's work, made without a notion of what is code and what
// is a comment or a string, so that nothing can be hidden from them.

const (
	// maxTries is how many bytes the parser may read, those that it reads again
	// included, without being watched: 100 to 300 ms.
	maxTries = 1 << 20

	// maxRenaming bounds the look-ups for new names, of which there are at most
	// a sixth of what renaming says: about a second.
	maxRenaming = 1 << 28

	// maxLookups bounds the product of words and arrow functions: 2 s. In 1700 files
	// of libraries there was none with a tenth of it.
	maxLookups = 1 << 26
)

// tries returns an upper bound of the bytes that the parser of TypeScript reads,
// or more than maxTries if it may be more.
//
// "x ? (b) : c => d" doubles the reading of d. For that it takes, in this order,
// a question mark, a closing parenthesis before a colon, and an arrow; if d has
// another of the kind, its question mark is behind the arrow. So they can be
// inside of each other only as often as there are three of these in a row.
// "infer T extends d ?" takes the words. Behind the < of "a<b" all that follows
// may be read as types, which takes a quarter of the time.
func tries(code string) int {
	doubled, less := 0, 0
	asked, closed := false, false
	for i := range len(code) {
		switch c := code[i]; {
		case c == '<':
			less++
		case c == '?':
			asked = asked || asks(code[i+1:])
		case c == ')' && asked && !closed:
			rest := strings.TrimLeft(code[i+1:], " \t\r\n")
			closed = rest != "" && strings.IndexByte(beforeColon, rest[0]) >= 0
		case c == '>' && closed && code[i-1] == '=':
			doubled++
			asked, closed = false, false
		}
	}
	doubled += min(strings.Count(code, "extends"), strings.Count(code, "infer")+strings.Count(code, `\u`))
	if doubled > 20 {
		return maxTries + 1
	}
	return len(code)<<doubled + less*len(code)/4
}

// asks reports whether the question mark before rest may be that of a
// conditional, and not of "a?.b" or "a?: b".
func asks(rest string) bool {
	switch {
	case strings.HasPrefix(rest, ":"):
		return false
	case strings.HasPrefix(rest, "."):
		return len(rest) > 1 && '0' <= rest[1] && rest[1] <= '9'
	}
	return true
}

// beforeColon has the colon and the first bytes of what may stand before it and
// is no token: comments of all kinds, and the rarer blanks.
const beforeColon = ":/<-\v\f\xC2\xE1\xE2\xE3\xEF"

// A census is what work on names depends on.
type census struct {
	words  int
	arrows int
	scopes int // at most
	alike  int // Σ n² of the words that are alike up to digits at the end
}

// take counts what is in code.
func take(code []byte) (c census) {
	var counts [1 << 13]int // by a hash; words that share a place only raise the bound
	c.scopes = 1
	for i := 0; i < len(code); {
		start, end := i, i
		for ; i < len(code) && inWord(code[i]); i++ {
			if code[i] < '0' || code[i] > '9' {
				end = i + 1
			}
		}
		if i == start {
			switch {
			case code[i] == '{':
				c.scopes++
			case code[i] == '>' && i > 0 && code[i-1] == '=':
				c.arrows++
				c.scopes++
			}
			i++
			continue
		}
		c.words++
		var hash uint32
		for _, b := range code[start:end] {
			hash = (hash ^ uint32(b)) * 16777619 // FNV-1a
		}
		counts[hash>>19]++
		switch string(code[start:end]) {
		case "for", "catch", "class", "function", "enum", "namespace", "module":
			c.scopes++
		}
	}
	// Behind an escape may be any word.
	c.alike = 2 * c.words * bytes.Count(code, []byte(`\u`))
	for _, n := range counts {
		c.alike += n * n
	}
	return c
}

// lookups bounds those for the variables that words mean: each goes through all
// scopes around it. Only arrow functions are inside of each other without
// brackets, "a=>a=>a=>…", and that with three bytes each.
func (c census) lookups() int { return c.words * c.arrows }

// renaming bounds the look-ups for new names. A variable that hides another one
// gets one. In n scopes inside of each other that have the same name
// ("a=>a=>a=>…") a2, a3, … up to ak are tried for the k-th, each in all scopes
// around: n³/6 look-ups. How deep scopes are nested only a parser knows; here
// each is inside of all others.
func (c census) renaming() int { return c.alike * c.scopes }

// inWord reports whether identifiers have the byte.
func inWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '$' || c >= 0x80
}
