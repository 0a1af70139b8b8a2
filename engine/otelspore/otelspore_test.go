package otelspore_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/engine/otelspore"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
)

func TestMain(m *testing.M) {
	engine.ServeWorker(javascript.Runtime())
	os.Exit(m.Run())
}

const source = `import { call } from "spore";
export const render = async () => { await call("app.work", {}); return "done"; };
export const fail = () => { throw new TypeError("n".repeat(10000)); };
export const spin = () => { for (;;); };
export const ask = async () => call("app.ask", {});`

// A probe is an engine whose spans and metrics are kept.
type probe struct {
	*engine.Engine
	provider *sdktrace.TracerProvider
	spans    *tracetest.InMemoryExporter
	metrics  *sdkmetric.ManualReader
}

func newProbe(t *testing.T, mode engine.Isolation, tenants bool, opt ...sdktrace.TracerProviderOption) *probe {
	p := &probe{spans: tracetest.NewInMemoryExporter(), metrics: sdkmetric.NewManualReader()}
	p.provider = sdktrace.NewTracerProvider(append(opt, sdktrace.WithSyncer(p.spans))...)
	tracer, err := otelspore.New(otelspore.Options{
		TracerProvider: p.provider,
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(p.metrics)),
		TenantMetrics:  tenants,
	})
	require.NoError(t, err)
	p.Engine, err = engine.New(engine.Config{Runtimes: []runtimes.Runtime{javascript.Runtime()}, Isolation: mode, Tracer: tracer,
		Limits: engine.Limits{CallTime: time.Minute, CompileTime: time.Minute}, Progress: func(engine.Progress) {}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// take returns the spans by name.
func (p *probe) take() map[string]tracetest.SpanStub {
	spans := map[string]tracetest.SpanStub{}
	for _, s := range p.spans.GetSpans() {
		spans[s.Name] = s
	}
	p.spans.Reset()
	return spans
}

func value(list []attribute.KeyValue, key string) any {
	for _, a := range list {
		if string(a.Key) == key {
			return a.Value.AsInterface()
		}
	}
	return nil
}

func TestSpans(t *testing.T) {
	for _, mode := range []engine.Isolation{engine.InProcess, engine.Subprocess} {
		t.Run(mode.String(), func(t *testing.T) { testSpans(t, newProbe(t, mode, false)) })
	}
}

func testSpans(t *testing.T, p *probe) {
	grants, err := hostfuncs.NewSet(
		hostfuncs.New("app.work", "", func(ctx context.Context, _ struct{}) (struct{}, error) {
			_, span := p.provider.Tracer("app").Start(ctx, "work")
			span.End()
			return struct{}{}, nil
		}),
		hostfuncs.New("app.ask", "", func(context.Context, struct{}) (struct{}, error) { return struct{}{}, hostfuncs.ErrLater }))
	require.NoError(t, err)
	ctx, root := p.provider.Tracer("app").Start(t.Context(), "root")
	c, err := p.Compile(ctx, engine.Source{Name: "a.js", Code: []byte(source)})
	require.NoError(t, err)
	opt := &engine.Options{Tenant: "caller", Grants: grants}
	_, err = c.Render(ctx, nil, opt)
	require.NoError(t, err)
	root.End()
	spans := p.take()
	child := func(name, parent string) []attribute.KeyValue {
		t.Helper()
		require.Contains(t, spans, name)
		require.Equal(t, spans[parent].SpanContext.SpanID(), spans[name].Parent.SpanID(), "parent of %s", name)
		return spans[name].Attributes
	}
	attrs := child("spore.compile", "root")
	require.Equal(t, c.Digest().String(), value(attrs, "spore.component.digest"))
	attrs = child("spore.render", "root")
	require.Equal(t, c.Digest().String(), value(attrs, "spore.component.digest"))
	require.Equal(t, "a.js", value(attrs, "spore.component.name"))
	require.Equal(t, "caller", value(attrs, "spore.tenant"))
	require.Positive(t, value(attrs, "spore.usage.fuel"))
	require.Positive(t, value(attrs, "spore.usage.guest"))
	require.EqualValues(t, 1, value(attrs, "spore.usage.host_calls"))
	require.Equal(t, codes.Unset, spans["spore.render"].Status.Code)
	attrs = child("spore.host_call app.work", "spore.render")
	require.EqualValues(t, 1, value(attrs, "spore.host_call.number"))
	child("work", "spore.host_call app.work")

	for function, class := range map[string]string{"fail": "guest.error", "spin": "limit.CallTime", "ask": ""} {
		opt := *opt
		if function == "spin" {
			opt.Limits.CallTime = 50 * time.Millisecond
		}
		in, err := c.Open(t.Context(), &opt)
		require.NoError(t, err)
		_, err = in.Call(t.Context(), function, nil)
		require.Error(t, err)
		require.NoError(t, in.Close())
		spans = p.take()
		span := spans["spore.call"]
		require.Equal(t, function, value(span.Attributes, "spore.function"))
		require.Equal(t, in.ID(), value(span.Attributes, "spore.instance.id"))
		require.Equal(t, in.ID(), value(spans["spore.open"].Attributes, "spore.new_instance.id"))
		if class == "" {
			require.ErrorIs(t, err, engine.ErrSuspended)
			require.Equal(t, codes.Unset, span.Status.Code)
			require.Equal(t, true, value(span.Attributes, "spore.suspended"))
			require.Equal(t, true, value(spans["spore.host_call app.ask"].Attributes, "spore.suspended"))
			continue
		}
		require.Equal(t, sdktrace.Status{Code: codes.Error, Description: class}, span.Status)
		require.Equal(t, class, value(span.Attributes, "error.type"))
		require.Len(t, span.Events, 1)
		require.Equal(t, class, value(span.Events[0].Attributes, "exception.type"))
		require.LessOrEqual(t, len(value(span.Events[0].Attributes, "exception.message").(string)), 4<<10)
	}
}

// TestMetrics looks at series with and without tenants; no span is sampled.
func TestMetrics(t *testing.T) {
	for _, tenants := range []bool{false, true} {
		p := newProbe(t, engine.InProcess, tenants, sdktrace.WithSampler(sdktrace.NeverSample()))
		grants, err := hostfuncs.NewSet(hostfuncs.New("app.work", "", func(ctx context.Context, _ struct{}) (struct{}, error) {
			require.False(t, trace.SpanFromContext(ctx).IsRecording())
			return struct{}{}, nil
		}))
		require.NoError(t, err)
		c, err := p.Compile(t.Context(), engine.Source{Name: "a.js", Code: []byte(source)})
		require.NoError(t, err)
		const renders = 3
		var fuel int64
		for range renders {
			res, err := c.Render(t.Context(), nil, &engine.Options{Grants: grants, Tenant: "caller"})
			require.NoError(t, err)
			fuel += res.Usage.Fuel
		}
		_, err = c.Render(t.Context(), nil, &engine.Options{Tenant: "other"})
		require.Error(t, err)
		require.Empty(t, p.take())

		var all metricdata.ResourceMetrics
		require.NoError(t, p.metrics.Collect(t.Context(), &all))
		require.Len(t, all.ScopeMetrics, 1)
		byName := map[string]metricdata.Aggregation{}
		for _, m := range all.ScopeMetrics[0].Metrics {
			byName[m.Name] = m.Data
		}
		count := func(name string, attrs ...attribute.KeyValue) (n uint64) {
			for _, point := range byName[name].(metricdata.Histogram[float64]).DataPoints {
				if point.Attributes.Equals(new(attribute.NewSet(attrs...))) {
					n = point.Count
				}
			}
			return n
		}
		language := attribute.String("spore.language", "javascript")
		own := []attribute.KeyValue{language}
		if tenants {
			own = append(own, attribute.String("spore.tenant", "caller"))
		}
		require.EqualValues(t, renders, count("spore.operation.duration", append(own, attribute.String("spore.operation", "render"))...))
		require.EqualValues(t, 1, count("spore.operation.duration", language, attribute.String("spore.operation", "compile")))
		require.EqualValues(t, renders, count("spore.host_call.duration", append(own, attribute.String("spore.function", "app.work"))...))
		if !tenants {
			require.EqualValues(t, 1, count("spore.operation.duration", language, attribute.String("spore.operation", "render"), attribute.String("error.type", "guest.error")))
		}
		var total int64
		for _, point := range byName["spore.guest.fuel"].(metricdata.Sum[int64]).DataPoints {
			total += point.Value
		}
		require.Greater(t, total, fuel, "compiling has cost something too")
	}
}

// TestDefaults reports to the global providers, which do nothing here.
func TestDefaults(t *testing.T) {
	tracer, err := otelspore.New(otelspore.Options{})
	require.NoError(t, err)
	_, end := tracer.Begin(t.Context(), engine.Op{Kind: engine.OpHostCall})
	end(engine.Outcome{Err: hostfuncs.Errorf(hostfuncs.CodeDenied, "no")})
}

func BenchmarkRender(b *testing.B) {
	for _, sampled := range []bool{false, true} {
		name, sampler := "not sampled", sdktrace.NeverSample()
		if sampled {
			name, sampler = "sampled", sdktrace.AlwaysSample()
		}
		b.Run(name, func(b *testing.B) {
			tracer, err := otelspore.New(otelspore.Options{
				TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler)),
				MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())),
			})
			require.NoError(b, err)
			for b.Loop() {
				_, end := tracer.Begin(b.Context(), engine.Op{Kind: engine.OpRender, Language: "javascript", Component: "a.js", Name: "render"})
				end(engine.Outcome{Usage: engine.Usage{Guest: 1, Fuel: 1, Output: 1}})
			}
		})
	}
}
