package promspore

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sporeengine/spore/engine"
)

// A Tracer is an [engine.Tracer], for [engine.Config], and a [prometheus.Collector] of what it sees:
//
//	spore_operation_duration_seconds   histogram  by operation, language
//	spore_operation_errors_total       counter    by operation, language, class: see [engine.ErrorClass]
//	spore_host_call_duration_seconds   histogram  by function
//	spore_host_call_errors_total       counter    by function, class
//	spore_guest_seconds_total          counter    by language
//	spore_host_wait_seconds_total      counter    by language
//	spore_fuel_total                   counter    by language
//	spore_output_bytes_total           counter    by language
//
// The histograms are native ones where the server asks for that. A host call that is refused because there is no such function has an
// empty function. What is suspended is no error. It is safe for concurrent use.
type Tracer struct {
	duration, hostCall        *prometheus.HistogramVec
	errors, hostErrors        *prometheus.CounterVec
	guest, wait, fuel, output *prometheus.CounterVec
}

// NewTracer returns a tracer that has seen nothing yet.
func NewTracer() *Tracer {
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help,
			// A render takes microseconds, a host call that waits for a model takes minutes.
			Buckets:                     prometheus.ExponentialBuckets(16e-6, 4, 13),
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
		}, labels)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	return &Tracer{
		duration:   histogram("spore_operation_duration_seconds", "Time that operations of the engine took.", "operation", "language"),
		errors:     counter("spore_operation_errors_total", "Operations that failed.", "operation", "language", "class"),
		hostCall:   histogram("spore_host_call_duration_seconds", "Time that host functions took, waiting for their turn included.", "function"),
		hostErrors: counter("spore_host_call_errors_total", "Host calls that failed or were refused.", "function", "class"),
		guest:      counter("spore_guest_seconds_total", "Time of guests, sleeps included.", "language"),
		wait:       counter("spore_host_wait_seconds_total", "Time that guests waited for host functions.", "language"),
		fuel:       counter("spore_fuel_total", "Instructions of guests.", "language"),
		output:     counter("spore_output_bytes_total", "Size of results.", "language"),
	}
}

// Begin implements [engine.Tracer].
func (t *Tracer) Begin(ctx context.Context, op engine.Op) (context.Context, func(engine.Outcome)) {
	begin := time.Now()
	return ctx, func(out engine.Outcome) {
		took := time.Since(begin).Seconds()
		if op.Kind == engine.OpHostCall {
			t.hostCall.WithLabelValues(op.Name).Observe(took)
			if out.Failed() {
				t.hostErrors.WithLabelValues(op.Name, engine.ErrorClass(out.Err)).Inc()
			}
			return // its usage is part of the call's
		}
		kind := op.Kind.String()
		t.duration.WithLabelValues(kind, op.Language).Observe(took)
		if out.Failed() {
			t.errors.WithLabelValues(kind, op.Language, engine.ErrorClass(out.Err)).Inc()
		}
		if u := &out.Usage; u.Guest != 0 || u.Fuel != 0 {
			t.guest.WithLabelValues(op.Language).Add(u.Guest.Seconds())
			t.wait.WithLabelValues(op.Language).Add(u.Host.Seconds())
			t.fuel.WithLabelValues(op.Language).Add(float64(u.Fuel))
			t.output.WithLabelValues(op.Language).Add(float64(u.Output))
		}
	}
}

func (t *Tracer) all() []prometheus.Collector {
	return []prometheus.Collector{t.duration, t.errors, t.hostCall, t.hostErrors, t.guest, t.wait, t.fuel, t.output}
}

// Describe implements [prometheus.Collector].
func (t *Tracer) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range t.all() {
		c.Describe(ch)
	}
}

// Collect implements [prometheus.Collector].
func (t *Tracer) Collect(ch chan<- prometheus.Metric) {
	for _, c := range t.all() {
		c.Collect(ch)
	}
}

var (
	_ engine.Tracer        = (*Tracer)(nil)
	_ prometheus.Collector = (*Tracer)(nil)
	_ prometheus.Collector = (*Collector)(nil)
)
