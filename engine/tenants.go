package engine

import (
	"cmp"
	"container/list"
	"errors"
	"iter"
	"sync"
	"time"
)

// DefaultTenants is the value of [Config].Tenants if that is zero.
const DefaultTenants = 10_000

// TenantStats are what the work for one tenant has come to since the engine began to count it, and
// what the tenant holds now. What a call has used counts when it ends, also if it failed.
type TenantStats struct {
	Compiles  uint64        // components compiled, or not: [Engine.Compile]
	Calls     uint64        // calls that have ended; one that was suspended counts again when it goes on
	Errors    uint64        // of both, those that failed
	Limits    uint64        // of them, those ended by a limit
	Guest     time.Duration // time of its guests, sleeps included
	Host      time.Duration // time that they waited for host functions
	Fuel      int64         // work of its guests, in the unit of Limits.Fuel
	HostCalls int64         // sleeps included
	Output    int64         // bytes of results

	Instances int   // open
	State     int64 // bytes of what they are, before compression; forks count what they share
}

// Tenants returns the totals of tenants: of the [Config].Tenants that were active last, these first.
// Those of others are forgotten, and begin at zero when they come back; a [Tracer] sees
// everything. The name is [Options.Tenant] or [Source.Tenant].
//
// It looks at every open instance, some fifty nanoseconds for each, and delays no call meanwhile.
func (e *Engine) Tenants() iter.Seq2[string, TenantStats] {
	return func(yield func(string, TenantStats) bool) {
		names, stats := e.tenants.all()
		e.instances.each(func(in *Instance) {
			if s := stats[in.tenant()]; s != nil {
				s.Instances++
				s.State += in.stateSize()
			}
		})
		for _, name := range names {
			if !yield(name, *stats[name]) {
				return
			}
		}
	}
}

// tenants are the totals of those that were active last. It is safe for concurrent use.
//
// One lock for all is held some hundred nanoseconds a call, and less than that of a gate.
type tenants struct {
	max int

	mu     sync.Mutex
	byName map[string]*list.Element // of recent; guarded by mu
	recent list.List                // of *tenantTotals, last active first; guarded by mu
}

type tenantTotals struct {
	name string
	TenantStats
}

// get returns the totals of a tenant that is active. s.mu is held.
func (s *tenants) get(name string) *TenantStats {
	el := s.byName[name]
	if el != nil {
		s.recent.MoveToFront(el)
		return &el.Value.(*tenantTotals).TenantStats
	}
	if s.byName == nil {
		s.byName = map[string]*list.Element{}
	}
	if s.recent.Len() >= s.max {
		delete(s.byName, s.recent.Remove(s.recent.Back()).(*tenantTotals).name)
	}
	t := &tenantTotals{name: name}
	s.byName[name] = s.recent.PushFront(t)
	return &t.TenantStats
}

// called adds a call that has ended with err.
func (s *tenants) called(name string, u *Usage, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.get(name)
	t.Calls++
	t.add(u, err)
}

// compiled adds a compilation that has ended with err.
func (s *tenants) compiled(name string, u *Usage, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.get(name)
	t.Compiles++
	t.add(u, err)
}

func (t *TenantStats) add(u *Usage, err error) {
	t.Guest += u.Guest
	t.Host += u.Host
	t.Fuel += u.Fuel
	t.HostCalls += u.HostCalls
	t.Output += u.Output
	if failed(err) {
		t.Errors++
		if _, ok := errors.AsType[*LimitError](err); ok {
			t.Limits++
		}
	}
}

// all returns the tenants' names, those that were active last first, and copies of their totals.
func (s *tenants) all() ([]string, map[string]*TenantStats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names, stats := make([]string, 0, s.recent.Len()), make(map[string]*TenantStats, s.recent.Len())
	for el := s.recent.Front(); el != nil; el = el.Next() {
		t := el.Value.(*tenantTotals)
		c := t.TenantStats
		names, stats[t.name] = append(names, t.name), &c
	}
	return names, stats
}

// tenant returns for whom the instance's calls are.
func (in *Instance) tenant() string { return cmp.Or(in.options().Tenant, in.Component().tenant) }

// stateSize returns the bytes of the instance's state.
func (in *Instance) stateSize() int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.Component().engine.parking.size(in.state)
}
