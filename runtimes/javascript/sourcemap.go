package javascript

import (
	"encoding/json"
	"strings"
)

// A piece is a part of lowered code.
type piece struct {
	code      string
	sourceMap []byte // may be nil; else code begins a line
	linesOnly bool   // columns of its source are of no interest
}

// A sourceMap is what is needed of one (Source Map revision 3).
type sourceMap struct {
	Version  int      `json:"version"`
	Sources  []string `json:"sources"`
	Mappings string   `json:"mappings"`
	Names    []string `json:"names"`
}

// A mapWriter makes the source map of pieces.
type mapWriter struct {
	sources  []string
	mappings strings.Builder

	// What numbers count from: those of the last segment.
	column, source, sourceLine, sourceColumn int
	some                                     bool // segments in this line
}

// add goes on with the piece p.
func (w *mapWriter) add(p piece) {
	var m sourceMap
	if len(p.sourceMap) == 0 || json.Unmarshal(p.sourceMap, &m) != nil {
		w.lines(strings.Count(p.code, "\n"))
		return
	}
	base := len(w.sources)
	w.sources = append(w.sources, m.Sources...)
	var source, line, column int
	lines := strings.Split(m.Mappings, ";")
	for i, text := range lines {
		if i > 0 {
			w.lines(1)
		}
		generated, last := 0, -1
		for segment := range strings.SplitSeq(text, ",") {
			fields, ok := vlq(segment)
			if !ok || len(fields) == 0 {
				continue
			}
			generated += fields[0]
			if len(fields) < 4 {
				continue
			}
			source, line, column = source+fields[1], line+fields[2], column+fields[3]
			if p.linesOnly && line == last {
				continue
			}
			last = line
			w.segment(generated, base+source, line, column)
		}
	}
	w.lines(max(strings.Count(p.code, "\n")-(len(lines)-1), 0))
}

// lines ends n lines.
func (w *mapWriter) lines(n int) {
	w.mappings.WriteString(strings.Repeat(";", n))
	if n > 0 {
		w.column, w.some = 0, false
	}
}

func (w *mapWriter) segment(column, source, sourceLine, sourceColumn int) {
	if w.some {
		w.mappings.WriteByte(',')
	}
	w.some = true
	for _, n := range []int{column - w.column, source - w.source, sourceLine - w.sourceLine, sourceColumn - w.sourceColumn} {
		appendVLQ(&w.mappings, n)
	}
	w.column, w.source, w.sourceLine, w.sourceColumn = column, source, sourceLine, sourceColumn
}

func (w *mapWriter) json() []byte {
	b, err := json.Marshal(sourceMap{Version: 3, Sources: w.sources, Mappings: w.mappings.String(), Names: []string{}})
	if err != nil {
		return nil // strings always marshal
	}
	return b
}

// vlq returns the numbers of a segment. See vlqDigits.
func vlq(segment string) (numbers []int, ok bool) {
	n, shift := 0, 0
	for i := range len(segment) {
		d := strings.IndexByte(vlqDigits, segment[i])
		if d < 0 || shift > 30 {
			return nil, false
		}
		n |= d & 31 << shift
		shift += 5
		if d < 32 {
			if n&1 != 0 {
				n = -n
			}
			numbers = append(numbers, n/2)
			n, shift = 0, 0
		}
	}
	return numbers, shift == 0
}

func appendVLQ(b *strings.Builder, n int) {
	u := n << 1
	if n < 0 {
		u = -n<<1 | 1
	}
	for {
		d := u & 31
		if u >>= 5; u > 0 {
			d |= 32
		}
		b.WriteByte(vlqDigits[d])
		if u == 0 {
			return
		}
	}
}
