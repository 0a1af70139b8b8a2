package gpu

import (
	"container/list"
	"crypto/rand"
	"sync"

	"github.com/sporeengine/spore/gpu/tensor"
)

// constants are what tenants have put, each kept once however many have it. Their contents stay in the host, so that
// every worker can get them. It is safe for concurrent use.
//
// A constant is named by its contents, but the name alone is no right: a tenant can use what it has put
// itself, and what the embedder shares. What it used least recently goes first when its quota is full. When all is full, those give way
// who would have no less than the one that wants more.
type constants struct {
	max       int64 // bytes of all
	perTenant int64 // bytes of each
	dropped   func(ConstantID)

	mu      sync.Mutex
	bytes   int64                    // guarded by mu
	all     map[ConstantID]*constant // guarded by mu
	tenants map[string]*holder       // guarded by mu
}

// minConstant is what a constant counts at least, in bytes: an empty one is not free.
const minConstant = 512

// A constant has the contents of one. id, t and data do not change.
type constant struct {
	id     ConstantID
	t      tensor.Type
	data   []byte
	size   int64 // that counts
	owners int   // tenants; guarded by constants.mu
	pins   int   // calls that use it; guarded by constants.mu
}

// A holder is a tenant that has constants. Its fields are guarded by constants.mu.
type holder struct {
	bytes int64
	used  list.List // of *constant, that used last first
	has   map[ConstantID]*list.Element
}

// sharedHolder is the name of the embedder among the holders. No tenant has it, as it is another one in each process.
var sharedHolder = "shared " + rand.Text()

func newConstants(max, perTenant int64, dropped func(ConstantID)) *constants {
	return &constants{max: max, perTenant: perTenant, dropped: dropped, all: map[ConstantID]*constant{}, tenants: map[string]*holder{}}
}

// put gives a constant to a tenant. data is copied if nobody has it yet.
func (s *constants) put(tenant string, id ConstantID, t tensor.Type, data []byte) error {
	s.mu.Lock()
	var gone []ConstantID
	err := s.add(tenant, id, t, data, &gone)
	s.mu.Unlock()
	for _, id := range gone {
		s.dropped(id)
	}
	return err
}

func (s *constants) add(tenant string, id ConstantID, t tensor.Type, data []byte, gone *[]ConstantID) error {
	h := s.tenants[tenant]
	if h == nil {
		h = &holder{has: map[ConstantID]*list.Element{}}
	}
	if e := h.has[id]; e != nil {
		h.used.MoveToFront(e)
		return nil
	}
	n := max(int64(len(data)), minConstant)
	quota := s.perTenant
	if tenant == sharedHolder {
		quota = s.max
	}
	if n > quota {
		return ErrQuota
	}
	for h.bytes+n > quota {
		if tenant == sharedHolder {
			return ErrQuota // what the embedder shares stays until it drops it
		}
		s.take(tenant, h, h.used.Back(), gone)
	}
	c := s.all[id]
	if c == nil {
		least := h.bytes + n
		if tenant == sharedHolder {
			least = 0
		}
		for s.bytes+n > s.max {
			if !s.makeRoom(least, gone) {
				return ErrMemory
			}
		}
		c = &constant{id: id, t: t, data: append(make([]byte, 0, len(data)), data...), size: n}
		c.t.Shape = append(tensor.Shape{}, t.Shape...)
		s.all[id] = c
		s.bytes += n
	}
	c.owners++
	h.bytes += n
	h.has[id] = h.used.PushFront(c)
	s.tenants[tenant] = h
	return nil
}

// makeRoom drops a constant of a tenant that has so many bytes at least, of the one that has most if it can.
func (s *constants) makeRoom(least int64, gone *[]ConstantID) bool {
	var from *holder
	var name string
	var which *list.Element
	for n, h := range s.tenants {
		if n == sharedHolder || h.bytes < least || from != nil && h.bytes <= from.bytes {
			continue
		}
		for e := h.used.Back(); e != nil; e = e.Prev() {
			if c := e.Value.(*constant); c.owners == 1 && c.pins == 0 {
				from, name, which = h, n, e
				break
			}
		}
	}
	if from == nil {
		return false
	}
	s.take(name, from, which, gone)
	return true
}

// take takes a constant from a tenant. s.mu is held, here and below.
func (s *constants) take(tenant string, h *holder, e *list.Element, gone *[]ConstantID) {
	c := h.used.Remove(e).(*constant)
	delete(h.has, c.id)
	h.bytes -= c.size
	if len(h.has) == 0 {
		delete(s.tenants, tenant)
	}
	c.owners--
	s.forget(c, gone)
}

// forget drops a constant that nobody has and nobody uses.
func (s *constants) forget(c *constant, gone *[]ConstantID) {
	if c.owners == 0 && c.pins == 0 && s.all[c.id] == c {
		delete(s.all, c.id)
		s.bytes -= c.size
		*gone = append(*gone, c.id)
	}
}

// drop takes a constant from a tenant, if it has it.
func (s *constants) drop(tenant string, id ConstantID) {
	s.mu.Lock()
	var gone []ConstantID
	if h := s.tenants[tenant]; h != nil && h.has[id] != nil {
		s.take(tenant, h, h.has[id], &gone)
	}
	s.mu.Unlock()
	for _, id := range gone {
		s.dropped(id)
	}
}

// has reports whether a tenant may use a constant.
func (s *constants) has(tenant string, id ConstantID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(tenant, id) != nil
}

// find returns a constant that the tenant may use, or nil.
func (s *constants) find(tenant string, id ConstantID) *constant {
	for _, name := range [...]string{tenant, sharedHolder} {
		if h := s.tenants[name]; h != nil {
			if e := h.has[id]; e != nil {
				h.used.MoveToFront(e)
				return e.Value.(*constant)
			}
		}
	}
	return nil
}

// pin returns the constants of a program for a call of the tenant, as many as it has, which stay until unpin. It is all or
// none: ErrConstant.
func (s *constants) pin(tenant string, ids []ConstantID, p *tensor.Program) ([]*constant, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	types := p.Constants()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*constant, len(ids))
	for i, id := range ids {
		c := s.find(tenant, id)
		if c == nil || !c.t.Equal(types[i]) {
			return nil, ErrConstant
		}
		all[i] = c
	}
	for _, c := range all {
		c.pins++
	}
	return all, nil
}

func (s *constants) unpin(all []*constant) {
	if len(all) == 0 {
		return
	}
	s.mu.Lock()
	var gone []ConstantID
	for _, c := range all {
		c.pins--
		s.forget(c, &gone)
	}
	s.mu.Unlock()
	for _, id := range gone {
		s.dropped(id)
	}
}

// count returns how many constants there are and their bytes.
func (s *constants) count() (n int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all), s.bytes
}
