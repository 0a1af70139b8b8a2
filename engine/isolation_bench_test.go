package engine_test

import (
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
)

// BenchmarkIsolation renders a small component in this process and in a worker
// process, in turns, and reports the median of each and their difference. The
// floor is what two processes need that only exchange a few bytes over pipes, the
// other one busy in between for as long as a render in this process takes: what
// it takes beyond that time.
func BenchmarkIsolation(b *testing.B) {
	for _, source := range []struct{ name, code string }{
		{"small.js", "export const render = p => `<b>${p.title}</b><ul>${p.rows.map(r => `<li>${r}</li>`).join('')}</ul>`"},
		{"small.py", "def render(p):\n    return f\"<b>{p['title']}</b><ul>{''.join(f'<li>{r}</li>' for r in p['rows'])}</ul>\""},
	} {
		b.Run(source.name, func(b *testing.B) {
			here := compile(b, newEngine(b, engine.Config{}), source.name, source.code)
			there := compile(b, newEngine(b, engine.Config{Isolation: engine.Subprocess, Workers: 2}), source.name, source.code)
			props := map[string]any{"title": "Revenue", "rows": []int{1, 2, 3, 4, 5, 6, 7, 8}}
			const busy = 60 * time.Microsecond
			echo := startEcho(b, busy)
			var took [3][]time.Duration
			for b.Loop() {
				begin := time.Now()
				echo()
				took[2] = append(took[2], time.Since(begin)-busy)
				for i, c := range []*engine.Component{here, there} {
					begin := time.Now()
					render(b, c, props, nil)
					took[i] = append(took[i], time.Since(begin))
				}
			}
			median := func(d []time.Duration) float64 {
				slices.Sort(d)
				return float64(d[len(d)/2]) / 1e3
			}
			b.ReportMetric(median(took[0]), "in-process-µs")
			b.ReportMetric(median(took[1]), "subprocess-µs")
			b.ReportMetric(median(took[1])-median(took[0]), "more-µs")
			b.ReportMetric(median(took[2]), "floor-µs")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// echoWorker is the name by which the test's program knows that it is the other
// end of startEcho.
const echoWorker = "spore-echo"

// runEcho answers every few bytes after it was busy for a while.
func runEcho(busy string) int {
	d, err := time.ParseDuration(busy)
	if err != nil {
		return 1
	}
	for b := make([]byte, 64); ; {
		n, err := os.Stdin.Read(b)
		if err != nil {
			return 0
		}
		for begin := time.Now(); time.Since(begin) < d; {
		}
		os.Stdout.Write(b[:n])
	}
}

// startEcho starts a process and returns a function that exchanges a few bytes
// with it.
func startEcho(b *testing.B, busy time.Duration) (exchange func()) {
	cmd := exec.Command(os.Args[0], busy.String())
	cmd.Args[0] = echoWorker
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	buf := make([]byte, 64)
	return func() {
		if _, err := in.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(out, buf); err != nil {
			b.Fatal(err)
		}
	}
}
