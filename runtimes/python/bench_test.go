package python

import (
	"encoding/json"
	"testing"
	"time"
)

// BenchmarkPendingCall measures what the guest does for one awaited host call that
// does not return at once: from the settling of one to the next.
func BenchmarkPendingCall(b *testing.B) {
	g := newGuest(b, "import spore\nasync def render(p):\n    while True: await spore.call('app.ask', {})\n")
	g.answer = never
	g.call("render", 0)
	best := time.Hour
	for b.Loop() {
		begin := time.Now()
		for range 100 {
			g.settle(g.find("app.ask {}"), json.RawMessage("null"))
		}
		best = min(best, time.Since(begin))
	}
	b.ReportMetric(float64(best)/100/1e3, "µs/call")
}
