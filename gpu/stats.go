package gpu

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/sporeengine/spore/gpu/internal/wire"
)

// Stats are what a [Pool] has done since it was made, and what it does. Counts only grow.
type Stats struct {
	Calls, Failed     int64         // evaluations, and those of them that returned an error
	Queued, Total     time.Duration // sums over all evaluations: until their turn, and altogether
	Refused           int64         // of the failed: over a quota
	Late              int64         // of the failed: not done in time, or canceled
	Lost              int64         // of the failed: their worker was lost or there was none
	Fallbacks         int64         // evaluations by Config.Fallback
	Starts            int64         // of workers
	StartsFailed      int64         // of these, those that did not come to serve
	Died              int64         // workers that ended by themselves
	Killed            int64         // workers that did not end a call in time
	Mad               int64         // workers that broke the protocol
	Batches, Batched  int64         // of registered functions: runs, and the calls in them
	Streams, Parts    int64         // that were begun, and what they have given to guests
	Running, Waiting  int           // evaluations now
	Streaming         int           // streams now
	Workers, Standby  int           // now
	Constants         int           // now
	ConstantBytes     int64         // now
	Buffers           int           // now
	BufferBytes       int64         // now
	Quarantine        bool          // whether it is known that no worker can be started
	QuarantineMessage string        // why
}

// counters are the parts of Stats that only grow.
type counters struct {
	calls, failedCalls, queued, total, refused, late, lost, fallbacks atomic.Int64
	starts, startsFailed, died, tooLate, mad                          atomic.Int64
	batches, batched, streams, parts                                  atomic.Int64
}

// ended counts an evaluation.
func (c *counters) ended(err error, took time.Duration) {
	c.total.Add(int64(took))
	if err == nil {
		return
	}
	c.failedCalls.Add(1)
	switch {
	case errors.Is(err, ErrQuota):
		c.refused.Add(1)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		c.late.Add(1)
	case errors.Is(err, ErrUnavailable):
		c.lost.Add(1)
	}
}

// killed counts a worker that is gone.
func (c *counters) killed(why error) {
	switch {
	case errors.Is(why, wire.ErrProtocol):
		c.mad.Add(1)
	case errors.Is(why, errEnded):
		c.died.Add(1)
	default:
		c.tooLate.Add(1)
	}
}

// Stats returns numbers about the pool.
func (p *Pool) Stats() Stats {
	c := &p.stats
	s := Stats{Calls: c.calls.Load(), Failed: c.failedCalls.Load(), Queued: time.Duration(c.queued.Load()), Total: time.Duration(c.total.Load()),
		Refused: c.refused.Load(), Late: c.late.Load(), Lost: c.lost.Load(), Fallbacks: c.fallbacks.Load(),
		Starts: c.starts.Load(), StartsFailed: c.startsFailed.Load(), Died: c.died.Load(), Killed: c.tooLate.Load(), Mad: c.mad.Load(),
		Batches: c.batches.Load(), Batched: c.batched.Load(), Streams: c.streams.Load(), Parts: c.parts.Load()}
	s.Running, s.Waiting = p.queue.Used()
	s.Constants, s.ConstantBytes = p.constants.count()
	s.Buffers, s.BufferBytes = p.buffers.used()
	p.mu.Lock()
	defer p.mu.Unlock()
	s.Workers, s.Streaming = len(p.serving), len(p.streams)
	if p.standby != nil {
		s.Standby = 1
	}
	if p.bad != nil {
		s.Quarantine, s.QuarantineMessage = true, p.bad.Error()
	}
	return s
}
