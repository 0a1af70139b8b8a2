package promspore_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/engine/promspore"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
)

const source = `import { call } from "spore";
export const render = async () => { await call("app.work", {}); return "done"; };
export const fail = () => { throw new TypeError("no"); };
export const spin = () => { for (;;); };
export const ask = async () => call("app.ask", {});
export const guess = async () => call("made." + Math.random(), {});`

// work makes an engine do a bit of everything, for tenants of which "b" is the last.
func work(t *testing.T, cfg engine.Config) *engine.Engine {
	cfg.Runtimes = []runtimes.Runtime{javascript.Runtime()}
	cfg.Limits = engine.Limits{CallTime: time.Minute, CompileTime: time.Minute}
	cfg.Progress = func(engine.Progress) {}
	e, err := engine.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	grants, err := hostfuncs.NewSet(
		hostfuncs.New("app.work", "", func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil }),
		hostfuncs.New("app.ask", "", func(context.Context, struct{}) (struct{}, error) { return struct{}{}, hostfuncs.ErrLater }))
	require.NoError(t, err)
	c, err := e.Compile(t.Context(), engine.Source{Name: "a.js", Code: []byte(source), Tenant: "author"})
	require.NoError(t, err)
	for _, tenant := range []string{"a", "b"} {
		opt := &engine.Options{Tenant: tenant, Grants: grants}
		_, err = c.Render(t.Context(), nil, opt)
		require.NoError(t, err)
		for function, want := range map[string]string{"fail": "guest.error", "spin": "limit.CallTime", "guess": "guest.error", "ask": "suspended"} {
			opt := *opt
			if function == "spin" {
				opt.Limits.CallTime = 100 * time.Millisecond
			}
			in, err := c.Open(t.Context(), &opt)
			require.NoError(t, err)
			_, err = in.Call(t.Context(), function, nil)
			require.Equal(t, want, engine.ErrorClass(err))
		}
	}
	return e
}

func TestCollector(t *testing.T) {
	e := work(t, engine.Config{})
	plain := promspore.NewCollector(e, promspore.Options{})
	require.Equal(t, reflect.TypeFor[engine.Stats]().NumField(), testutil.CollectAndCount(plain), "a metric for each field of Stats")
	require.NoError(t, testutil.CollectAndCompare(plain, strings.NewReader(`
# HELP spore_calls_total Renders and calls begun.
# TYPE spore_calls_total counter
spore_calls_total 10
# HELP spore_call_errors_total Renders and calls that failed.
# TYPE spore_call_errors_total counter
spore_call_errors_total 6
# HELP spore_call_limits_total Renders and calls ended by a limit.
# TYPE spore_call_limits_total counter
spore_call_limits_total 2
# HELP spore_instances Instances open.
# TYPE spore_instances gauge
spore_instances 8
`), "spore_calls_total", "spore_call_errors_total", "spore_call_limits_total", "spore_instances"))

	for tenants, want := range map[int]int{1: 1, 2: 2, 100: 3} {
		c := promspore.NewCollector(e, promspore.Options{Tenants: tenants})
		require.Equal(t, want, testutil.CollectAndCount(c, "spore_tenant_calls_total"))
		require.Equal(t, reflect.TypeFor[engine.Stats]().NumField()+want*reflect.TypeFor[engine.TenantStats]().NumField(), testutil.CollectAndCount(c))
		problems, err := testutil.CollectAndLint(c)
		require.NoError(t, err)
		require.Empty(t, problems)
	}
	require.NoError(t, testutil.CollectAndCompare(promspore.NewCollector(e, promspore.Options{Tenants: 1}), strings.NewReader(`
# HELP spore_tenant_calls_total Renders and calls for the tenant that have ended.
# TYPE spore_tenant_calls_total counter
spore_tenant_calls_total{tenant="b"} 5
# HELP spore_tenant_errors_total Compilations and calls that failed.
# TYPE spore_tenant_errors_total counter
spore_tenant_errors_total{tenant="b"} 3
# HELP spore_tenant_instances Instances open.
# TYPE spore_tenant_instances gauge
spore_tenant_instances{tenant="b"} 4
`), "spore_tenant_calls_total", "spore_tenant_errors_total", "spore_tenant_instances"))
}

func TestTracer(t *testing.T) {
	tracer := promspore.NewTracer()
	e := work(t, engine.Config{Tracer: tracer})
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(tracer))
	require.NoError(t, registry.Register(promspore.NewCollector(e, promspore.Options{Tenants: 10})))
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	require.Empty(t, problems)
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP spore_operation_errors_total Operations that failed.
# TYPE spore_operation_errors_total counter
spore_operation_errors_total{class="guest.error",language="javascript",operation="call"} 4
spore_operation_errors_total{class="limit.CallTime",language="javascript",operation="call"} 2
# HELP spore_host_call_errors_total Host calls that failed or were refused.
# TYPE spore_host_call_errors_total counter
spore_host_call_errors_total{class="host.not_granted",function=""} 2
`), "spore_operation_errors_total", "spore_host_call_errors_total"))

	families, err := registry.Gather()
	require.NoError(t, err)
	counts := map[string]uint64{}
	for _, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetValue())
			}
			if h := m.Histogram; h != nil {
				counts[fmt.Sprint(f.GetName(), labels)] = h.GetSampleCount()
			}
		}
	}
	require.Equal(t, map[string]uint64{
		"spore_operation_duration_seconds[javascript call]":    8,
		"spore_operation_duration_seconds[javascript compile]": 1,
		"spore_operation_duration_seconds[javascript open]":    8,
		"spore_operation_duration_seconds[javascript render]":  2,
		"spore_host_call_duration_seconds[]":                   2,
		"spore_host_call_duration_seconds[app.ask]":            2,
		"spore_host_call_duration_seconds[app.work]":           2,
	}, counts)
}

func BenchmarkTracer(b *testing.B) {
	tracer := promspore.NewTracer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, end := tracer.Begin(b.Context(), engine.Op{Kind: engine.OpRender, Language: "javascript"})
			end(engine.Outcome{Usage: engine.Usage{Guest: 1, Fuel: 1, Output: 1}})
		}
	})
}
