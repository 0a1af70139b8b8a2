package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
)

// timings are what a request took. Those of the device are sums over its evaluations.
type timings struct {
	Backend string // that answered
	Guest   time.Duration
	Queue   time.Duration // until it was the request's turn
	Copy    time.Duration // to the worker and back
	Device  time.Duration // by the word of the worker
	Supply  time.Duration // until there were a worker and the constants
	Total   time.Duration

	mu    sync.Mutex
	evals int // guarded by mu, as are the fields above while the component runs
}

type timingsKey struct{}

// observe is what the pool tells of evaluations: it finds the request by the context.
func observe(ctx context.Context, o gpu.Observation) {
	t, ok := ctx.Value(timingsKey{}).(*timings)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.evals++
	t.Backend = o.Backend
	t.Queue += o.Queue
	t.Device += o.Device
	t.Copy += o.Worker - o.Device
	t.Supply += o.Total - o.Queue - o.Worker
}

// timed runs f and returns what it took.
func timed(ctx context.Context, f func(context.Context) (*engine.Result, error)) (*engine.Result, *timings, error) {
	t := &timings{}
	begin := time.Now()
	r, err := f(context.WithValue(ctx, timingsKey{}, t))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Total = time.Since(begin)
	if r != nil {
		t.Guest = r.Usage.Guest
	}
	return r, t, err
}

// A row is a line of the table on the page.
type row struct{ Name, Value string }

// Rows are what the page shows.
func (t *timings) Rows() []row {
	return []row{{"queue", ms(t.Queue)}, {"copies and the way", ms(t.Copy)}, {"device", ms(t.Device)}, {"worker and constants", ms(t.Supply)},
		{"component", ms(t.Guest)}, {"total", ms(t.Total)}}
}

// header is the value of Server-Timing.
func (t *timings) header() string {
	n := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return fmt.Sprintf("queue;dur=%.3f, copy;dur=%.3f, device;dur=%.3f, supply;dur=%.3f, guest;dur=%.3f, total;dur=%.3f",
		n(t.Queue), n(t.Copy), n(t.Device), n(t.Supply), n(t.Guest), n(t.Total))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }
