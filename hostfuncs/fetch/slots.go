package fetch

import (
	"context"
	"sync"
)

// slots bounds how many requests run at once, in all and of each tenant. Who finds no slot waits
// in line. It is safe for concurrent use.
type slots struct {
	all       chan struct{}
	perTenant int

	mu      sync.Mutex
	tenants map[string]*tenant // that have requests; guarded by mu
}

type tenant struct {
	requests int // running or waiting; guarded by slots.mu
	running  chan struct{}
}

func newSlots(all, perTenant int) *slots {
	return &slots{all: make(chan struct{}, all), perTenant: perTenant, tenants: map[string]*tenant{}}
}

// acquire waits for a slot, which release gives back. It returns the error of ctx if that ends first.
//
// The tenant's own comes first, so that of all who wait for a common one no tenant has more than it may run.
func (s *slots) acquire(ctx context.Context, name string) (release func(), err error) {
	s.mu.Lock()
	t := s.tenants[name]
	if t == nil {
		t = &tenant{running: make(chan struct{}, s.perTenant)}
		s.tenants[name] = t
	}
	t.requests++
	s.mu.Unlock()
	leave := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.requests--; t.requests == 0 {
			delete(s.tenants, name)
		}
	}
	select {
	case t.running <- struct{}{}:
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
	select {
	case s.all <- struct{}{}:
	case <-ctx.Done():
		<-t.running
		leave()
		return nil, ctx.Err()
	}
	return func() {
		<-s.all
		<-t.running
		leave()
	}, nil
}
