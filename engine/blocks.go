package engine

import (
	"errors"
	"math/bits"
	"sync"
)

// A block is room for some instances of a component.
//
// The garbage collector follows the embedder's pointer to each instance in any case. What the
// engine adds to that is little: it finds instances by their blocks, and what a block has is in one object. Blocks have
// at most 512 bytes, up to which Go's collector scans the objects of a span side by side; with 8 instances in each a cycle took
// nearly twice as long.
//
// A slot is used once, so that whoever keeps an instance that is closed cannot reach another. A block stays as long
// as anybody has an instance in it; those that are closed refer to nothing else meanwhile.
type block struct {
	component *Component
	used      uint8 // slots that were given away; guarded by instances.mu
	open      uint8 // bit i: slot i is open; guarded by instances.mu
	place     int   // in instances.blocks if one is open; guarded by instances.mu
	slots     [6]Instance
}

// instances are the open instances of an engine.
type instances struct {
	max int

	mu     sync.Mutex
	blocks []*block // with open instances; guarded by mu
	count  int      // of open instances; guarded by mu
	shut   bool     // guarded by mu
}

// newSlot returns an instance that is not open.
func (c *Component) newSlot(opt *Options) *Instance {
	s := &c.engine.instances
	s.mu.Lock()
	defer s.mu.Unlock()
	b := c.block
	if b == nil || int(b.used) == len(b.slots) {
		b = &block{component: c}
		c.block = b
	}
	in := &b.slots[b.used]
	in.block, in.slot = b, b.used
	in.opt.Store(opt)
	b.used++
	return in
}

// add makes in an open instance, or else one that is as good as closed.
func (s *instances) add(in *Instance) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.shut:
		in.opt.Store(nil)
		return ErrClosed
	case s.count >= s.max:
		in.opt.Store(nil)
		return &LimitError{Limit: limitInstances, Max: int64(s.max)}
	}
	b := in.block
	if b.open == 0 {
		b.place = len(s.blocks)
		s.blocks = append(s.blocks, b)
	}
	b.open |= 1 << in.slot
	s.count++
	return nil
}

// remove is the reverse of add. It may be called again, and for an instance that was not added.
func (s *instances) remove(in *Instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := in.block
	if b.open&(1<<in.slot) == 0 {
		return
	}
	b.open &^= 1 << in.slot
	s.count--
	if b.open == 0 {
		last := len(s.blocks) - 1
		s.blocks[b.place] = s.blocks[last]
		s.blocks[b.place].place = b.place
		s.blocks[last] = nil
		s.blocks = s.blocks[:last]
	}
}

func (s *instances) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// each calls f with the open instances. It holds no lock meanwhile: instances that
// are opened or closed may be left out.
func (s *instances) each(f func(*Instance)) {
	const batch = 128
	part := make([]*Instance, 0, batch*len(block{}.slots))
	for i := 0; ; i += batch {
		part = part[:0]
		s.mu.Lock()
		for _, b := range s.blocks[min(i, len(s.blocks)):min(i+batch, len(s.blocks))] {
			part = b.appendOpen(part)
		}
		s.mu.Unlock()
		if len(part) == 0 {
			return
		}
		for _, in := range part {
			f(in)
		}
	}
}

// appendOpen appends the open instances of b. instances.mu is held.
func (b *block) appendOpen(to []*Instance) []*Instance {
	for open := b.open; open != 0; open &= open - 1 {
		to = append(to, &b.slots[bits.TrailingZeros8(open)])
	}
	return to
}

// all returns the instances that are open now.
func (s *instances) all() []*Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Instance, 0, s.count)
	for _, b := range s.blocks {
		all = b.appendOpen(all)
	}
	return all
}

// cancel ends what is at work in instances, without waiting.
func (s *instances) cancel() {
	for _, in := range s.all() {
		in.mu.Lock()
		if in.work != nil {
			in.work.cancel(ErrClosed)
		}
		in.mu.Unlock()
	}
}

// close closes all instances and lets none be opened any more.
func (s *instances) close() error {
	s.mu.Lock()
	s.shut = true
	s.mu.Unlock()
	var errs []error
	for _, in := range s.all() {
		errs = append(errs, in.Close())
	}
	return errors.Join(errs...)
}
