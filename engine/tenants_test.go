package engine_test

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
)

// TestTenantTotals compares the totals of tenants with the sums of what a tracer sees.
func TestTenantTotals(t *testing.T) {
	traceModes(t, func(t *testing.T, e *engine.Engine, r *recorder) {
		ctx := t.Context()
		c, err := e.Compile(ctx, engine.Source{Name: "a.js", Code: []byte(tracedSource), Tenant: "author"})
		require.NoError(t, err)
		defer c.Close()
		const tenants, calls = 4, 8
		var wg sync.WaitGroup
		for i := range tenants {
			wg.Go(func() {
				opt := &engine.Options{Tenant: fmt.Sprint("tenant ", i), Limits: engine.Limits{CallTime: 20 * time.Millisecond}}
				in, err := c.Open(ctx, opt)
				if err != nil {
					t.Error(err)
					return
				}
				for j := range calls {
					in.Call(ctx, []string{"add", "fail", "spin"}[j%3], nil)
				}
				if i == 0 {
					in.Close()
				}
			})
		}
		wg.Wait()
		want := map[string]engine.TenantStats{}
		for _, op := range r.take(t) {
			if op.Kind == engine.OpOpen {
				continue
			}
			s := want[op.Tenant]
			if op.Kind == engine.OpCompile {
				s.Compiles++
			} else {
				s.Calls++
			}
			if op.Failed() {
				s.Errors++
			}
			if engine.ErrorClass(op.Err) == "limit.CallTime" {
				s.Limits++
			}
			s.Guest += op.Usage.Guest
			s.Host += op.Usage.Host
			s.Fuel += op.Usage.Fuel
			s.HostCalls += op.Usage.HostCalls
			s.Output += op.Usage.Output
			want[op.Tenant] = s
		}
		got := maps.Collect(e.Tenants())
		for name, s := range got {
			switch name {
			case "author", "tenant 0":
				require.Zero(t, s.Instances)
				require.Zero(t, s.State)
			default:
				require.Equal(t, 1, s.Instances)
				require.Positive(t, s.State)
			}
			s.Instances, s.State = 0, 0
			got[name] = s
		}
		require.Equal(t, want, got)
		require.Equal(t, engine.TenantStats{Calls: calls, Errors: 5, Limits: 2}, engine.TenantStats{
			Calls: got["tenant 1"].Calls, Errors: got["tenant 1"].Errors, Limits: got["tenant 1"].Limits})
		require.GreaterOrEqual(t, got["tenant 1"].Guest, 40*time.Millisecond, "the time of calls that failed counts")
	})
}

// TestTenantsAreBounded has more tenants than are kept.
func TestTenantsAreBounded(t *testing.T) {
	e := newEngine(t, engine.Config{Tenants: 3})
	c := compile(t, e, "a.js", "export const render = () => 1")
	for _, tenant := range []string{"a", "b", "a", "c", "d", "a"} {
		render(t, c, nil, &engine.Options{Tenant: tenant})
	}
	var names []string
	for name, s := range e.Tenants() {
		names = append(names, fmt.Sprint(name, " ", s.Calls))
	}
	require.Equal(t, []string{"a 3", "d 1", "c 1"}, names)
	for range e.Tenants() {
		break // leaving it early is fine
	}
	_, err := engine.New(engine.Config{Runtimes: allRuntimes(), Tenants: -1})
	require.ErrorIs(t, err, engine.ErrConfig)
}
