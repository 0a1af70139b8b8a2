// Package promspore offers what a Spore engine counts to Prometheus. It is a module of its own, so that
// nobody else needs the client of Prometheus.
//
//	tracer := promspore.NewTracer()
//	eng, err := engine.New(engine.Config{Tracer: tracer, Runtimes: ...})
//	...
//	prometheus.MustRegister(tracer, promspore.NewCollector(eng, promspore.Options{Tenants: 100}))
//
// The two are independent: a [Collector] reads the engine's own counters when it is scraped and costs nothing
// until then, a [Tracer] keeps histograms and counters of errors. Register those of several engines with
// [prometheus.WrapRegistererWith] and a label that tells them apart.
//
// Labels have only values that no component can make up.
package promspore

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sporeengine/spore/engine"
)

// Options say what a [Collector] collects.
type Options struct {
	// Tenants is for how many tenants there are series, those that were active last.
	// Zero means none. Each has eleven, and a scrape then looks at every open instance, as [engine.Engine.Tenants] says.
	Tenants int
}

// A Collector is a [prometheus.Collector] of the counters of an engine. It is safe for concurrent use.
type Collector struct {
	engine *engine.Engine
	opt    Options
}

// NewCollector returns a collector of what e counts.
func NewCollector(e *engine.Engine, opt Options) *Collector { return &Collector{e, opt} }

// A metric is one that is read from T.
type metric[T any] struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*T) float64
}

func counter[T any](name, help string, value func(*T) float64, labels ...string) metric[T] {
	return metric[T]{prometheus.NewDesc(name, help, labels, nil), prometheus.CounterValue, value}
}

func gauge[T any](name, help string, value func(*T) float64, labels ...string) metric[T] {
	return metric[T]{prometheus.NewDesc(name, help, labels, nil), prometheus.GaugeValue, value}
}

type stats = engine.Stats

var engineMetrics = []metric[stats]{
	gauge("spore_components", "Components compiled or loaded, and not closed.", func(s *stats) float64 { return float64(s.Components) }),
	counter("spore_compiles_total", "Components compiled or loaded.", func(s *stats) float64 { return float64(s.Compiles) }),
	counter("spore_calls_total", "Renders and calls begun.", func(s *stats) float64 { return float64(s.Renders) }),
	counter("spore_call_errors_total", "Renders and calls that failed.", func(s *stats) float64 { return float64(s.Errors) }),
	counter("spore_call_limits_total", "Renders and calls ended by a limit.", func(s *stats) float64 { return float64(s.Limits) }),
	counter("spore_waits_total", "Calls that waited for room or for a worker.", func(s *stats) float64 { return float64(s.Waits) }),
	gauge("spore_guests", "Calls and compilations in progress.", func(s *stats) float64 { return float64(s.Guests) }),
	gauge("spore_guest_memory_bytes", "Memory that they may use.", func(s *stats) float64 { return float64(s.GuestMemory) }),
	gauge("spore_waiting_calls", "Calls that wait for room.", func(s *stats) float64 { return float64(s.Waiting) }),
	counter("spore_bad_resets_total", "Calls after which the memory could not be reset.", func(s *stats) float64 { return float64(s.BadResets) }),
	gauge("spore_images", "Component images mapped.", func(s *stats) float64 { return float64(s.Images) }),
	gauge("spore_image_bytes", "Bytes of component images mapped.", func(s *stats) float64 { return float64(s.ImageBytes) }),
	counter("spore_image_builds_total", "Images mapped again after they had been dropped.", func(s *stats) float64 { return float64(s.ImageBuilds) }),
	gauge("spore_idle_memories", "Guest memories ready for a render.", func(s *stats) float64 { return float64(s.Memories) }),
	gauge("spore_instances", "Instances open.", func(s *stats) float64 { return float64(s.Instances) }),
	gauge("spore_parked_states", "States kept for idle instances.", func(s *stats) float64 { return float64(s.Parked) }),
	gauge("spore_parked_bytes", "Memory that they take.", func(s *stats) float64 { return float64(s.ParkedBytes) }),
	gauge("spore_packed_states", "States kept that are compressed.", func(s *stats) float64 { return float64(s.Packed) }),
	gauge("spore_stored_states", "States kept that are in the store.", func(s *stats) float64 { return float64(s.Stored) }),
	gauge("spore_processes", "Worker processes.", func(s *stats) float64 { return float64(s.Processes) }),
	counter("spore_process_starts_total", "Worker processes started.", func(s *stats) float64 { return float64(s.ProcessStarts) }),
	counter("spore_process_ends_total", "Worker processes that have ended.", func(s *stats) float64 { return float64(s.ProcessEnds) }),
}

type tenant = engine.TenantStats

var tenantMetrics = []metric[tenant]{
	counter("spore_tenant_compiles_total", "Components that the tenant wanted compiled.", func(s *tenant) float64 { return float64(s.Compiles) }, "tenant"),
	counter("spore_tenant_calls_total", "Renders and calls for the tenant that have ended.", func(s *tenant) float64 { return float64(s.Calls) }, "tenant"),
	counter("spore_tenant_errors_total", "Compilations and calls that failed.", func(s *tenant) float64 { return float64(s.Errors) }, "tenant"),
	counter("spore_tenant_limits_total", "Compilations and calls ended by a limit.", func(s *tenant) float64 { return float64(s.Limits) }, "tenant"),
	counter("spore_tenant_guest_seconds_total", "Time of the tenant's guests, sleeps included.", func(s *tenant) float64 { return s.Guest.Seconds() }, "tenant"),
	counter("spore_tenant_host_seconds_total", "Time that they waited for host functions.", func(s *tenant) float64 { return s.Host.Seconds() }, "tenant"),
	counter("spore_tenant_fuel_total", "Instructions of the tenant's guests.", func(s *tenant) float64 { return float64(s.Fuel) }, "tenant"),
	counter("spore_tenant_host_calls_total", "Host calls of the tenant's guests.", func(s *tenant) float64 { return float64(s.HostCalls) }, "tenant"),
	counter("spore_tenant_output_bytes_total", "Size of results.", func(s *tenant) float64 { return float64(s.Output) }, "tenant"),
	gauge("spore_tenant_instances", "Instances open.", func(s *tenant) float64 { return float64(s.Instances) }, "tenant"),
	gauge("spore_tenant_state_bytes", "Size of their states before compression.", func(s *tenant) float64 { return float64(s.State) }, "tenant"),
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range engineMetrics {
		ch <- m.desc
	}
	if c.opt.Tenants > 0 {
		for _, m := range tenantMetrics {
			ch <- m.desc
		}
	}
}

// Collect implements [prometheus.Collector].
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	s := c.engine.Stats()
	for _, m := range engineMetrics {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(&s))
	}
	if c.opt.Tenants <= 0 {
		return
	}
	left := c.opt.Tenants
	for name, s := range c.engine.Tenants() {
		if left--; left < 0 {
			return
		}
		for _, m := range tenantMetrics {
			metric, err := prometheus.NewConstMetric(m.desc, m.kind, m.value(&s), name)
			if err != nil { // the name is not UTF-8
				metric = prometheus.NewInvalidMetric(m.desc, err)
			}
			ch <- metric
		}
	}
}
