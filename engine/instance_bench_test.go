package engine_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/snapshot"
)

// BenchmarkInstance measures what is done to an instance that is parked: a call, which wakes it and
// parks it again; a fork; and the way to bytes and back. Percentiles are those of single operations. The floor of a
// call is a render of the same component, which starts from the image and leaves nothing.
func BenchmarkInstance(b *testing.B) {
	for _, name := range []string{"counter.js", "counter.py"} {
		c, err := shared.Compile(b.Context(), engine.Source{Name: name, Code: []byte(counters[name])})
		require.NoError(b, err)
		defer c.Close()
		const many = 100
		var list []*engine.Instance
		for range many {
			in, err := c.Open(b.Context(), nil)
			require.NoError(b, err)
			defer in.Close()
			list = append(list, in)
		}
		run := func(what string, f func(i int)) {
			b.Run(fmt.Sprintf("%s/%s", name, what), func(b *testing.B) {
				var times []time.Duration
				i := 0
				for b.Loop() {
					begin := time.Now()
					f(i)
					times = append(times, time.Since(begin))
					i++
				}
				slices.Sort(times)
				b.ReportMetric(float64(times[len(times)/2])/1e3, "p50-µs")
				b.ReportMetric(float64(times[len(times)*99/100])/1e3, "p99-µs")
			})
		}
		arg := props{"by": 1}
		run("render", func(int) {
			_, err := c.Render(b.Context(), nil, nil)
			require.NoError(b, err)
		})
		calls := make([]int, many)
		run("call", func(i int) {
			r, err := list[i%many].Call(b.Context(), "add", arg)
			require.NoError(b, err)
			calls[i%many]++
			if r.Text() != fmt.Sprint(calls[i%many]) {
				b.Fatalf("instance %d is at %s instead of %d", i%many, r.Text(), calls[i%many])
			}
		})
		run("fork", func(i int) {
			in, err := list[i%many].Fork(b.Context())
			require.NoError(b, err)
			in.Close()
		})
		var encoded []byte
		run("suspend", func(i int) {
			d, err := list[i%many].Snapshot(b.Context())
			require.NoError(b, err)
			encoded, err = d.MarshalBinary()
			require.NoError(b, err)
		})
		b.Logf("%s: %d bytes", name, len(encoded))
		run("resume", func(int) {
			d, err := snapshot.ReadDelta(bytes.NewReader(encoded), 1<<20)
			require.NoError(b, err)
			in, err := shared.Resume(b.Context(), d, nil)
			require.NoError(b, err)
			in.Close()
		})
	}
}
