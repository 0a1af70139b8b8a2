package engine

import (
	"testing"

	"github.com/sporeengine/spore/runtimes/javascript"
)

// FuzzPositions maps positions through any source map, and through that of any
// source: esbuild makes the maps of what a model wrote, and snapshots bring theirs along.
func FuzzPositions(f *testing.F) {
	for _, code := range []string{"export default ({ a }: any) => <p title=\"x\">{a}</p>", "\n\nconst a = `\n`;\nexport const render = () => a"} {
		lowered, diagnostics := javascript.Lower("a.tsx", []byte(code))
		if len(diagnostics) > 0 {
			f.Fatal(diagnostics)
		}
		f.Add(lowered.SourceMap, code, 1, 1)
	}
	for _, m := range []string{
		`{"version":3,"sources":["a"],"names":[],"mappings":"AAAA;AACA"}`,
		`{"version":3,"sources":[],"names":[],"mappings":"AAAAA,CACEC"}`,
		`{"version":3,"sections":[{"offset":{"line":-1,"column":9},"map":{"version":3,"sources":["a"],"mappings":"ggggggggggggggE"}}]}`,
		`{"version":3,"sources":["a"],"mappings":"ADDD,DDDD;;;;AADD"}`,
	} {
		f.Add([]byte(m), "", 1, 2)
	}
	f.Fuzz(func(t *testing.T, sourceMap []byte, code string, line, column int) {
		maps := [][]byte{sourceMap}
		if lowered, diagnostics := javascript.Lower("a.tsx", []byte(code)); len(diagnostics) == 0 {
			maps = append(maps, lowered.SourceMap)
		}
		for _, m := range maps {
			p := newPositions("a.tsx", m)
			for _, at := range [][2]int{{line, column}, {1, 1}, {2, 1 << 30}} {
				got := p.frame(Frame{Func: "f", File: "a.tsx", Line: at[0], Column: at[1]})
				if p == nil {
					continue
				}
				if got.Line < 0 || got.Column < 0 || (got.Line == 0) != (got.Column == 0) {
					t.Fatalf("%v is mapped to %+v", at, got)
				}
			}
			if other := (Frame{File: "b.tsx", Line: line, Column: column}); p.frame(other) != other {
				t.Fatal("a frame of another file was mapped")
			}
		}
	})
}
