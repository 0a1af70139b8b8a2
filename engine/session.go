package engine

import (
	"encoding/binary"
	"fmt"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/snapshot"
)

// maxStateRest bounds what a state has beside memory and globals, as JSON, of which the arguments
// of pending calls are the most. With the rest of instanceMeta it fits into a snapshot.
const maxStateRest = snapshot.MaxMetaBytes - 4<<20

// A session is what a call finds of an instance, and what it leaves. What it finds it
// does not change, so that a call that fails leaves the instance as it was.
type session struct {
	instance *Instance       // nil in a worker process
	keys     string          // idempotency keys of its host calls begin like this
	from     *state          // without globals: that of the component's image
	lines    []byte          // of from's memory; empty: it is the image's
	goOn     bool            // with the call in progress, or if there is none with what is due
	suspend  <-chan struct{} // see guest
	blocked  *blocked        // see working; nil in a worker process
	maxBytes int64           // of what it leaves

	ledger    *ledger     // of its host calls, if it runs in a worker process
	cells     []cellState // of from, and the one that was run
	modules   []string    // of from, and those that the one that was run has brought along
	next      []byte      // what it leaves, encoded; nil if the call failed
	suspended bool        // the call waits for answers from outside
}

// key returns the idempotency key of a host call.
func (s *session) key(id uint32) string {
	for i := range s.from.Pending {
		if p := &s.from.Pending[i]; p.ID == id {
			return p.Key
		}
	}
	return fmt.Sprintf("%s.%d", s.keys, id)
}

// encoded returns the encoding of what the call finds, empty for the component's image.
func (s *session) encoded() ([]byte, error) {
	if len(s.lines) == 0 && s.from.plain() && !s.from.fresh {
		return nil, nil
	}
	b, err := s.from.append(nil)
	return append(b, s.lines...), err
}

// wake takes mem, which equals the image img, to the state of s, and makes g what it was.
func (s *session) wake(g *guest, mem *snapshot.Memory, img *image) error {
	g.session, g.suspend, s.cells, s.modules = true, s.suspend, s.from.Cells, s.from.Modules
	from := *s.from
	if len(s.lines) == 0 {
		from.globals = img.globals
	}
	if len(from.globals) != len(img.globals) {
		return fmt.Errorf("%w: it has %d globals, the module has %d", ErrMismatch, len(from.globals), len(img.globals))
	}
	from.globals = append(make([]uint64, 0, 4), from.globals...)
	if err := g.restore(&from); err != nil {
		return err
	}
	// A fixed clock moves on while answers from outside are pending if the host has come back
	// without one.
	g.jump = s.goOn && len(g.host.replies) == 0
	fresh := from.fresh && g.fixed == nil // replay must not depend on how often it was suspended
	mem.Enter()
	defer mem.Leave()
	if len(s.lines) > 0 {
		if err := mem.ApplyDelta(s.lines); err != nil {
			return fmt.Errorf("engine: state of an instance: %w", err)
		}
	}
	if int64(len(mem.Bytes())) > g.limits.Memory {
		return &LimitError{Limit: limitMemory, Max: g.limits.Memory}
	}
	if fresh {
		b, ok := abi.Fresh(mem.Bytes(), g.control)
		if !ok {
			return abiError(fmt.Errorf("%w: no control block", abi.ErrABI))
		}
		binary.LittleEndian.PutUint32(b, 1)
	}
	if len(s.lines) > 0 {
		return nil // it was said in the first call
	}
	return g.keepMemory(mem.Bytes())
}

// keepMemory tells the guest, whose memory is mem, that it will be kept.
func (g *guest) keepMemory(mem []byte) error {
	b, ok := abi.Kept(mem, g.control)
	if !ok {
		return abiError(fmt.Errorf("%w: no control block", abi.ErrABI))
	}
	binary.LittleEndian.PutUint32(b, 1)
	return nil
}

// keep notes what g and its memory have become. spent are the budgets of functions
// used by the call function, which is empty if it is over.
func (s *session) keep(g *guest, mem *snapshot.Memory, function string, spent budgets) error {
	st, err := g.save(function)
	if err != nil {
		return err
	}
	st.Cells, st.Modules = s.cells, s.modules
	if s.next, err = s.encode(st, spent); err != nil {
		return err
	}
	if s.next, err = mem.AppendDelta(s.next); err != nil {
		s.next = nil
		return err
	}
	return s.bounded()
}

// adopt is keep for the state that a worker process sent.
func (s *session) adopt(encoded []byte, spent budgets) error {
	st, lines, err := parseState(encoded)
	if err != nil {
		return err
	}
	if err := s.ledger.check(st); err != nil {
		return err
	}
	if s.next, err = s.encode(st, spent); err != nil {
		return err
	}
	s.next = append(s.next, lines...)
	return s.bounded()
}

// encode completes a state by what only the embedder's process knows.
func (s *session) encode(st *state, spent budgets) ([]byte, error) {
	for i := range st.Pending {
		p := &st.Pending[i]
		p.Key = s.key(p.ID)
	}
	if st.Call != nil {
		st.Call.budgets = spent
		if c := s.from.Call; c != nil && spent.Made == nil && spent.Used == nil {
			st.Call.budgets = c.budgets // nothing was granted, or used, since
		}
	}
	s.suspended = st.Call != nil
	return st.append(make([]byte, 0, 16<<10))
}

func (s *session) bounded() error {
	if int64(len(s.next)) > s.maxBytes {
		s.next = nil
		return &LimitError{Limit: limitState, Max: s.maxBytes}
	}
	return nil
}

// proceed drives what was resumed: the call in progress, or, if there is none, what has
// been answered or has come due.
func (g *guest) proceed(lease *lease, inCall bool) (abi.Status, []byte, error) {
	if inCall {
		return g.drive(lease, abi.StatusPending, nil, nil)
	}
	err := g.drain(lease, true)
	return abi.StatusJSON, abi.AppendFrame(nil, nil), err
}

// drain settles, while no call is in progress, all that the host still owes: nothing of
// the host's runs for an instance between its calls. If due is set, it also settles sleeps that
// have come due.
func (g *guest) drain(lease *lease, due bool) error {
	for g.host.owed > 0 || due && len(g.sleeps) > 0 && (g.fixed != nil || g.sleeps[0].due <= g.Clock(false)) {
		if g.host.owed == 0 && g.fixed != nil && !g.jump {
			return nil // a fixed clock jumps once, or a timer that starts itself again would never end
		}
		status, result, err := g.settleNext(lease)
		g.jump = false
		switch {
		case err == errSuspend:
			return nil
		case err != nil:
			return err
		case status == abi.StatusError:
			return g.thrown(result, nil)
		}
	}
	return nil
}

// finish drains what the host owes when a call of an instance is over, and makes the guest ready to be kept.
func (g *guest) finish(lease *lease, status abi.Status, result []byte, err error) (abi.Status, []byte, error) {
	if err == nil && g.session {
		if err = g.drain(lease, false); err == nil {
			err = g.tidy(lease)
		}
	}
	return status, result, err
}

// tidy makes the guest forget the result of the call that is over and whatever else nobody needs, so that it is in
// nothing that is kept. The guest may be hostile: this is bounded as the call is, and takes it back if it fails.
func (g *guest) tidy(lease *lease) error {
	id := g.lastID
	status, result, err := g.step(lease, abi.Tidy, nil)
	switch {
	case err != nil:
		return err
	case status != abi.StatusJSON || len(result) > 0:
		return fmt.Errorf("%w: %s returned status %d and %d bytes", abi.ErrABI, abi.Tidy, status, len(result))
	case g.lastID != id:
		return fmt.Errorf("%w: %s made a host call", abi.ErrABI, abi.Tidy)
	}
	return nil
}

// again starts the functions of calls that were under way when the instance was suspended
// and that the embedder wants to be called again.
func (s *session) again(g *guest) error {
	for _, p := range s.from.Pending {
		if !p.Again {
			continue
		}
		if g.host.start == nil {
			g.host.push(p.ID, notGranted(p.Name), nothing)
			continue
		}
		reply, answered, err := g.host.start(p.ID, false, p.Name, p.Frame)
		if err != nil {
			return err
		}
		if answered {
			g.host.push(p.ID, reply, nothing)
		}
	}
	return nil
}

// calling returns the name of the function whose call is in progress, if one is.
func (s *session) calling(k *call) string {
	if s.goOn && s.from.Call != nil {
		return s.from.Call.Function
	}
	return k.function
}
