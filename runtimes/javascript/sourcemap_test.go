package javascript

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVLQ(t *testing.T) {
	for _, want := range [][]int{{0}, {1, -1}, {15, 16, -16, 1 << 20, -1 << 20}, {1<<30 - 1}} {
		var b strings.Builder
		for _, n := range want {
			appendVLQ(&b, n)
		}
		got, ok := vlq(b.String())
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{"g", "!", "gggggggggggggA"} {
		_, ok := vlq(bad)
		require.False(t, ok, bad)
	}
}

// FuzzJoin joins pieces with any source map. All of it is a map again, whose lines are those of the code.
func FuzzJoin(f *testing.F) {
	f.Add(`{"version":3,"sources":["a"],"mappings":"AAAA,CACA;AACA"}`, "x;\ny", true)
	f.Add(`{"version":3,"sources":[],"mappings":"DDDDD;;;,,,AAAA,ggggggE"}`, "", false)
	f.Add(`{"mappings":5}`, "\n\n", false)
	f.Fuzz(func(t *testing.T, m, code string, linesOnly bool) {
		if len(m) > 1<<16 || len(code) > 1<<16 {
			return
		}
		l := join([]piece{{code: "a\n"}, {code: code + "\n", sourceMap: []byte(m), linesOnly: linesOnly}, {code: "b", sourceMap: []byte(m)}}, []string{"gpu"})
		var out sourceMap
		if err := json.Unmarshal(l.SourceMap, &out); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.Mappings, ";"); got < strings.Count(string(l.Code), "\n") {
			t.Errorf("%d lines of %d", got, strings.Count(string(l.Code), "\n"))
		}
		for line := range strings.SplitSeq(out.Mappings, ";") {
			for segment := range strings.SplitSeq(line, ",") {
				if n, ok := vlq(segment); !ok || !slices.Contains([]int{0, 4}, len(n)) {
					t.Fatalf("segment %q", segment)
				}
			}
		}
	})
}
