package javascript

import "fmt"

// excess returns the offset where the source is too much for the parser, or −1.
// It takes no notice of strings and comments: text in them could hide brackets
// only at the cost of several bytes each, which maxSource bounds as well.
func excess(code []byte) (at int, what string) {
	commas := []int{0} // one for each bracket that is open
	nots := 0
	for i, c := range code {
		switch c {
		case '(', '[', '{':
			if len(commas) > maxDepth {
				return i, fmt.Sprintf("brackets are nested more than %d deep", maxDepth)
			}
			commas = append(commas, 0)
		case ')', ']', '}':
			if len(commas) > 1 {
				commas = commas[:len(commas)-1]
			}
		case ',':
			n := &commas[len(commas)-1]
			if *n++; *n > maxCommas {
				return i, fmt.Sprintf("more than %d commas in a row", maxCommas)
			}
		case ';':
			commas[len(commas)-1] = 0
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
