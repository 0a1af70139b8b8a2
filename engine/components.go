package engine

import (
	"slices"
	"sync"

	"github.com/sporeengine/spore/snapshot"
)

// components are the open components of an engine, by their digests.
type components struct {
	fetching sync.Mutex // held while one is fetched

	mu   sync.Mutex
	open map[snapshot.Digest][]*Component // guarded by mu
}

func (s *components) add(c *Component) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[snapshot.Digest][]*Component{}
	}
	s.open[c.Digest()] = append(s.open[c.Digest()], c)
}

func (s *components) remove(c *Component) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := c.Digest()
	s.open[d] = slices.DeleteFunc(s.open[d], func(o *Component) bool { return o == c })
	if len(s.open[d]) == 0 {
		delete(s.open, d)
	}
}

func (s *components) find(d snapshot.Digest) *Component {
	s.mu.Lock()
	defer s.mu.Unlock()
	if list := s.open[d]; len(list) > 0 {
		return list[0]
	}
	return nil
}
