package snapshot_test

import (
	"fmt"
	"testing"

	"github.com/sporeengine/spore/snapshot"
)

// benchDeltas are of the sizes of what one small call leaves behind in Python and
// in JavaScript, and of a state of some megabytes, and compress about as well.
func benchDeltas(b *testing.B) map[string]*snapshot.Delta {
	made := make(map[string]*snapshot.Delta)
	for name, c := range map[string]struct{ pages, lines int }{"python": {23, 2}, "javascript": {17, 19}, "large": {900, 60}} {
		state := uint32(1)
		pages := make([]uint32, c.pages)
		for i := range pages {
			pages[i] = uint32(i * 3)
		}
		lines := deltaLines(256, pages, 1<<c.lines-1, func(i int) byte {
			// Half of the words are pointers, a quarter small numbers.
			if i%4 == 0 {
				state = state*1664525 + 1013904223
			}
			switch {
			case state>>30 == 0:
				return byte(state >> (i % 4 * 8))
			case state>>31 == 0 && i%4 == 0:
				return byte(state >> 24)
			case state>>31 == 1:
				return byte((state&0xfff0 + 0x410000) >> (i % 4 * 8))
			}
			return 0
		})
		d, err := snapshot.NewDelta(snapshot.DeltaParams{Base: snapshot.Digest{1}, Lines: lines, Globals: []uint64{1, 2}, Meta: []byte(`{"instance":"0123456789abcdef","epoch":1}`)})
		if err != nil {
			b.Fatal(err)
		}
		made[name] = d
	}
	return made
}

func BenchmarkDeltaBytes(b *testing.B) {
	for name, d := range benchDeltas(b) {
		data := marshal(b, d)
		name := fmt.Sprintf("%s/%dto%dbytes", name, d.Info().StoredBytes, len(data))
		b.Run("New/"+name, func(b *testing.B) {
			info := d.Info()
			p := snapshot.DeltaParams{Base: info.Base, Lines: d.Lines(), Globals: d.Globals(), Meta: d.Meta()}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := snapshot.NewDelta(p); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("Marshal/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				marshal(b, d)
			}
		})
		b.Run("Parse/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := snapshot.ParseDelta(data, 16<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
