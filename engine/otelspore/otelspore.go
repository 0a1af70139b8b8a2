// Package otelspore reports what a Spore engine does to OpenTelemetry, as spans and as metrics. It is a module
// of its own, so that nobody else needs OpenTelemetry.
//
//	tracer, err := otelspore.New(otelspore.Options{})
//	...
//	eng, err := engine.New(engine.Config{Tracer: tracer, Runtimes: ...})
//
// # Spans
//
// Every operation ([engine.OpKind]) is a span: "spore.compile", "spore.render", "spore.call", "spore.host_call
// users.get". It is a child of the span in the context that the engine was given; host calls are children of the
// component's call, and what a host function begins with its context is a child of the host call.
//
// An operation that fails has the status Error, the attribute error.type with what
// [engine.ErrorClass] says, and an event "exception". The text of that can be a
// component's: it is untrusted. A call that is suspended has the attribute spore.suspended instead.
//
// # Metrics
//
//	spore.operation.duration  histogram, s            by spore.operation, spore.language, error.type
//	spore.host_call.duration  histogram, s            by spore.function, error.type
//	spore.guest.duration      counter, s              by spore.language: time of guests, sleeps included
//	spore.guest.fuel          counter, {instruction}  by spore.language
//	spore.output.size         counter, By             by spore.language: results
//
// With [Options].TenantMetrics all have spore.tenant too.
package otelspore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/snapshot"
)

// scope is the name of the instrumentation.
const scope = "github.com/sporeengine/spore/engine/otelspore"

// Options say where to report to.
type Options struct {
	TracerProvider trace.TracerProvider // nil: the global one
	MeterProvider  metric.MeterProvider // nil: the global one

	// TenantMetrics distinguishes tenants in metrics. It is for engines with few:
	// each makes series of its own.
	TenantMetrics bool
}

// bounds are those of the histograms' buckets, in seconds: a render takes microseconds,
// a host call that waits for a model takes minutes.
var bounds = []float64{16e-6, 64e-6, 256e-6, 1e-3, 4e-3, 16e-3, 64e-3, 256e-3, 1, 4, 16, 64, 256}

// A tracer is an [engine.Tracer].
type tracer struct {
	spans   trace.Tracer
	tenants bool
	labels  sync.Map // of series to *labels

	duration, hostCall metric.Float64Histogram
	guest              metric.Float64Counter
	fuel, output       metric.Int64Counter
}

// New returns a tracer for [engine.Config], to be combined with others by [engine.Tracers]. An error is one of
// the meter.
func New(opt Options) (engine.Tracer, error) {
	if opt.TracerProvider == nil {
		opt.TracerProvider = otel.GetTracerProvider()
	}
	if opt.MeterProvider == nil {
		opt.MeterProvider = otel.GetMeterProvider()
	}
	m := opt.MeterProvider.Meter(scope)
	t := &tracer{spans: opt.TracerProvider.Tracer(scope), tenants: opt.TenantMetrics}
	var errs [5]error
	t.duration, errs[0] = m.Float64Histogram("spore.operation.duration", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(bounds...),
		metric.WithDescription("Time that operations of the engine took."))
	t.hostCall, errs[1] = m.Float64Histogram("spore.host_call.duration", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(bounds...),
		metric.WithDescription("Time that calls of host functions took, waiting for their turn included."))
	t.guest, errs[2] = m.Float64Counter("spore.guest.duration", metric.WithUnit("s"),
		metric.WithDescription("Time of guests, sleeps included."))
	t.fuel, errs[3] = m.Int64Counter("spore.guest.fuel", metric.WithUnit("{instruction}"),
		metric.WithDescription("Work of guests."))
	t.output, errs[4] = m.Int64Counter("spore.output.size", metric.WithUnit("By"),
		metric.WithDescription("Size of results."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("otelspore: %w", err)
	}
	return t, nil
}

// Begin implements [engine.Tracer].
func (t *tracer) Begin(ctx context.Context, op engine.Op) (context.Context, func(engine.Outcome)) {
	name := "spore." + op.Kind.String()
	if op.Kind == engine.OpHostCall && op.Name != "" {
		name += " " + op.Name
	}
	begin := time.Now()
	ctx, span := t.spans.Start(ctx, name, trace.WithTimestamp(begin), trace.WithAttributes(describe(op)...))
	return ctx, func(out engine.Outcome) {
		end := time.Now()
		t.measure(ctx, op, &out, end.Sub(begin))
		if span.IsRecording() {
			finish(span, &out)
		}
		span.End(trace.WithTimestamp(end))
	}
}

// describe returns the attributes that are known when an operation begins, so that
// samplers see them.
func describe(op engine.Op) []attribute.KeyValue {
	list := make([]attribute.KeyValue, 0, 8)
	for _, a := range [...]struct{ key, value string }{
		{"spore.tenant", op.Tenant},
		{"spore.language", op.Language},
		{"spore.component.name", op.Component},
		{"spore.instance.id", op.Instance},
		{"spore.function", op.Name},
		{"spore.host_call.key", op.Key},
	} {
		if a.value != "" {
			list = append(list, attribute.String(a.key, a.value))
		}
	}
	if op.Digest != (snapshot.Digest{}) {
		list = append(list, attribute.String("spore.component.digest", op.Digest.String()))
	}
	if op.Number != 0 {
		list = append(list, attribute.Int64("spore.host_call.number", int64(op.Number)))
	}
	return list
}

// finish sets what is known when an operation ends.
func finish(span trace.Span, out *engine.Outcome) {
	u := &out.Usage
	for _, a := range [...]struct {
		key   string
		value time.Duration
	}{
		{"spore.usage.start", u.Start}, {"spore.usage.guest", u.Guest}, {"spore.usage.host", u.Host},
	} {
		if a.value != 0 {
			span.SetAttributes(attribute.Float64(a.key, a.value.Seconds()))
		}
	}
	for _, a := range [...]struct {
		key   string
		value int64
	}{
		{"spore.usage.memory", u.Memory}, {"spore.usage.output", u.Output}, {"spore.usage.fuel", u.Fuel},
		{"spore.usage.host_calls", u.HostCalls}, {"spore.usage.state", u.State}, {"spore.moved", int64(out.Moved)},
	} {
		if a.value != 0 {
			span.SetAttributes(attribute.Int64(a.key, a.value))
		}
	}
	if c := out.Component; c != nil {
		span.SetAttributes(attribute.String("spore.component.digest", c.Digest().String()))
	}
	if in := out.Instance; in != nil {
		span.SetAttributes(attribute.String("spore.new_instance.id", in.ID()))
	}
	switch {
	case out.Failed():
		class := engine.ErrorClass(out.Err)
		span.SetStatus(codes.Error, class)
		span.SetAttributes(attribute.String("error.type", class))
		event := []attribute.KeyValue{attribute.String("exception.type", class), attribute.String("exception.message", clip(out.Err.Error()))}
		if e, ok := errors.AsType[*engine.GuestError](out.Err); ok && e.Trace != "" {
			event = append(event, attribute.String("exception.stacktrace", clip(e.Trace)))
		}
		span.AddEvent("exception", trace.WithAttributes(event...))
	case out.Err != nil:
		span.SetAttributes(attribute.Bool("spore.suspended", true))
	}
}

// maxText bounds the texts of components, in bytes: each may have 64 KiB.
const maxText = 4 << 10

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxText)], "\uFFFD") }

// A series is what distinguishes a measurement.
type series struct{ kind, tenant, language, function, class string }

// A labels is a series as the instruments take it.
type labels struct {
	duration []metric.RecordOption
	usage    []metric.AddOption
}

func (s series) labels() *labels {
	own := make([]attribute.KeyValue, 0, 4)
	add := func(key, value string) {
		if value != "" {
			own = append(own, attribute.String(key, value))
		}
	}
	add("spore.tenant", s.tenant)
	add("spore.language", s.language)
	usage := attribute.NewSet(own...)
	add("error.type", s.class)
	add("spore.operation", s.kind)
	add("spore.function", s.function)
	return &labels{
		duration: []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(own...))},
		usage:    []metric.AddOption{metric.WithAttributeSet(usage)},
	}
}

// measure counts an operation.
func (t *tracer) measure(ctx context.Context, op engine.Op, out *engine.Outcome, took time.Duration) {
	s := series{language: op.Language}
	if t.tenants {
		s.tenant = op.Tenant
	}
	if out.Failed() {
		s.class = engine.ErrorClass(out.Err)
	}
	histogram := t.duration
	if op.Kind == engine.OpHostCall {
		s.function, histogram = op.Name, t.hostCall
	} else {
		s.kind = op.Kind.String()
	}
	known, ok := t.labels.Load(s)
	if !ok {
		known = s.labels()
		if !t.tenants { // of which there may be many
			t.labels.Store(s, known)
		}
	}
	l := known.(*labels)
	histogram.Record(ctx, took.Seconds(), l.duration...)
	if u := &out.Usage; op.Kind != engine.OpHostCall && (u.Guest != 0 || u.Fuel != 0) { // that of a host call is part of the call's
		t.guest.Add(ctx, u.Guest.Seconds(), l.usage...)
		t.fuel.Add(ctx, u.Fuel, l.usage...)
		t.output.Add(ctx, u.Output, l.usage...)
	}
}
