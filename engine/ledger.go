package engine

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"

	"github.com/sporeengine/spore/engine/internal/abi"
)

// A ledger has the host calls of an instance whose guest runs in a worker process, as this
// process has seen them. A process that was taken over cannot invent any: what the embedder
// finds in [Instance.Pending] was asked for and allowed, and what it does not find there
// under way was not. It is safe for concurrent use.
type ledger struct {
	from *state // what the call has found

	mu    sync.Mutex
	calls map[uint32]*ledgerCall // of this call, but for those that block; guarded by mu
}

// A ledgerCall is a host call. A digest stands for its argument, which may be long.
type ledgerCall struct {
	name  string
	frame [sha256.Size]byte
	later bool
	reply []byte // if it was answered at once and that is short; the process may not have read it
}

// keptReply is the length in bytes of the longest reply that a ledger keeps. Of errors it keeps all,
// because a call that was refused is none that could be shown to anybody.
const keptReply = 1 << 10

func newLedger(from *state) *ledger {
	return &ledger{from: from, calls: map[uint32]*ledgerCall{}}
}

// begin notes a call that may become pending.
func (l *ledger) begin(id uint32, name string, frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[id] = &ledgerCall{name: name, frame: sha256.Sum256(frame)}
}

// answered notes a reply, nil if that comes later, from outside.
func (l *ledger) answered(id uint32, reply []byte, atOnce bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.calls[id]
	switch {
	case c == nil:
	case len(reply) == 0:
		c.later = true
	case atOnce && (reply[0] == 0 || len(reply) <= keptReply):
		c.reply = reply
	}
}

// retried reports whether a call is one from before that is made again.
func (l *ledger) retried(id uint32, name string, frame []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.old(id)
	return p != nil && p.Again && l.calls[id] == nil && p.Name == name && bytes.Equal(p.Frame, frame)
}

// old returns a call that was pending before.
func (l *ledger) old(id uint32) *pendingState {
	if i := slices.IndexFunc(l.from.Pending, func(p pendingState) bool { return p.ID == id }); i >= 0 {
		return &l.from.Pending[i]
	}
	return nil
}

// check makes sure that what st says of host calls is so, and replaces what the process
// cannot know.
func (l *ledger) check(st *state) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if st.lastID < l.from.lastID {
		return fmt.Errorf("%w: host call %d comes after %d", errState, st.lastID, l.from.lastID)
	}
	for i := range st.Pending {
		p := &st.Pending[i]
		c, old := l.calls[p.ID], l.old(p.ID)
		var reply []byte
		switch {
		case c != nil && c.frame == sha256.Sum256(p.Frame):
			p.Name, p.Later, reply = c.name, c.later, c.reply
		case c == nil && old != nil && bytes.Equal(p.Frame, old.Frame):
			p.Name, p.Later, reply = old.Name, old.Later, old.Reply
		case c == nil && p.ID > l.from.lastID && len(p.Reply) > 0 && p.Reply[0] == 0:
			// The process has refused it itself, because of its length, and the guest has yet to learn that.
			p.Frame, p.Later = abi.AppendFrame(nil, nil), false
		default:
			return fmt.Errorf("%w: host call %d was not made so", errState, p.ID)
		}
		if reply != nil {
			p.Reply = reply
		}
		p.Again = false
	}
	return nil
}
