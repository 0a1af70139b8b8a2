package shm

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/sporeengine/spore/gpu/internal/wire"
)

// A PipeHost sends calls as frames of the control channel. Whoever reads the channel gives it the
// replies.
type PipeHost struct {
	w       *wire.Writer
	max     int // bytes of a call
	control Control
	free    chan struct{} // holds one for each call in progress
	fail    sync.Once
	dead    chan struct{}
	why     error        // set before dead is closed
	running sync.RWMutex // held for reading by calls

	mu    sync.Mutex
	last  uint64                // guarded by mu
	calls map[uint64]*pipedCall // guarded by mu
}

var _ Host = (*PipeHost)(nil)

type pipedCall struct {
	out    [][]byte
	open   bool
	max    int           // bytes of its result, and of each part
	parts  chan []byte   // nil if there are none; its capacity is the credit
	answer Answer        // set before done is closed
	result []byte        // of an open call; likewise
	done   chan struct{} // closed when there is an answer
}

// NewPipeHost returns a host that writes to w, with at most slots calls in progress beside those in parts, each of at most maxBytes with its result, or with each part.
func NewPipeHost(w *wire.Writer, slots int, maxBytes int64, control Control) *PipeHost {
	return &PipeHost{w: w, max: int(maxBytes), control: control, free: make(chan struct{}, slots), dead: make(chan struct{}), calls: map[uint64]*pipedCall{}}
}

// Do implements [Host].
func (h *PipeHost) Do(ctx context.Context, c *Call) (Answer, error) {
	in, out := total(c.In), total(c.Out)
	if in > h.max || out > h.max-in {
		return Answer{}, ErrTooLarge
	}
	if c.Open != nil {
		out = h.max - in // at most, and each part
	}
	h.running.RLock()
	defer h.running.RUnlock()
	var late <-chan time.Time
	var left time.Duration
	if !c.Deadline.IsZero() {
		left = time.Until(c.Deadline)
		t := time.NewTimer(left)
		defer t.Stop()
		late = t.C
		left = max(left, 1)
	}
	select {
	case <-h.dead: // first, so that a dead worker gets no call
		return Answer{}, h.lost()
	default:
	}
	if c.Open == nil || c.Open.Part == nil { // those in parts wait for who takes them, for long perhaps, and would hold up all others
		select {
		case h.free <- struct{}{}:
			defer func() { <-h.free }()
		case <-ctx.Done():
			return Answer{}, ctx.Err()
		case <-late:
			return Answer{}, context.DeadlineExceeded
		case <-h.dead:
			return Answer{}, h.lost()
		}
	}
	id, p := h.register(c, out)
	defer h.forget(id)
	if p.parts != nil {
		var cancel context.CancelFunc // so that Part does not outlast the deadline
		if !c.Deadline.IsZero() {
			ctx, cancel = context.WithDeadline(ctx, c.Deadline)
			defer cancel()
		}
	}

	sent := make(chan error, 1)
	go func() {
		sent <- h.w.Send(&wire.Call{ID: id, Op: c.Op, Left: uint64(left), Out: uint64(out), Tail: padded(c.In)})
	}()
	writing := true
	defer func() {
		if writing {
			<-sent // the parts are the caller's; the pipe of a worker that was killed is broken
		}
	}()
	var canceled error
	done, parts, owed := ctx.Done(), p.parts, uint32(0)
	for {
		var failed error // of Open.Part
		select {
		case b := <-parts:
			if failed = c.Open.Part(ctx, b); failed == nil {
				if owed++; int(owed) > c.Open.Credit/2 { // half of them at once, to send less
					go h.w.Send(&wire.Credit{ID: id, N: owed}) // who does not read it is killed when the call is late, which ends the goroutine
					owed = 0
				}
				continue
			}
		case err := <-sent:
			writing, sent = false, nil
			if err != nil {
				h.control.Kill(err)
			} else if canceled != nil {
				h.control.Cancel(id)
			}
			continue
		case <-p.done:
			for canceled == nil && len(parts) > 0 { // there will be no more
				if canceled = c.Open.Part(ctx, <-parts); canceled != nil {
					return Answer{}, canceled
				}
			}
			if canceled != nil && (p.answer.Code != 0 || p.parts != nil) {
				return Answer{}, canceled
			}
			if p.open {
				c.Open.Result = p.result
			}
			return p.answer, nil
		case <-h.dead:
			if canceled != nil {
				return Answer{}, canceled
			}
			return Answer{}, h.lost()
		case <-done:
		case <-late:
		}
		if canceled != nil {
			h.control.Kill(errLate)
			return Answer{}, canceled
		}
		if canceled = failed; canceled == nil {
			canceled = ended(ctx)
		}
		parts = nil   // those that are on their way are of no use
		if !writing { // or else the worker would hear of it before it knows the call
			h.control.Cancel(id)
		}
		grace := time.NewTimer(h.control.Grace)
		defer grace.Stop()
		done, late = nil, grace.C
	}
}

func (h *PipeHost) register(c *Call, max int) (uint64, *pipedCall) {
	p := &pipedCall{out: c.Out, open: c.Open != nil, max: max, done: make(chan struct{})}
	if p.open && c.Open.Part != nil {
		p.parts = make(chan []byte, c.Open.Credit)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	h.calls[h.last] = p
	return h.last, p
}

// forget takes a call out. After that nobody writes to its result.
func (h *PipeHost) forget(id uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.calls, id)
}

// Reply takes the answer to a call. An error is one of the worker, which is to be killed.
func (h *PipeHost) Reply(m *wire.Reply) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.calls[m.ID]
	if p == nil {
		return protocol("answered a call that it does not have")
	}
	delete(h.calls, m.ID)
	if p.open {
		if len(m.Out) > p.max && (m.Code == 0 || len(m.Out) > wire.MaxError) {
			return protocol("sent a result that is too long")
		}
		p.result = bytes.Clone(m.Out)
	} else if m.Code == 0 {
		if len(m.Out) != total(p.out) {
			return protocol("sent a result of the wrong length")
		}
		scatter(p.out, m.Out)
	}
	p.answer = Answer{m.Code, m.Detail}
	close(p.done)
	return nil
}

// Part takes a part of a result. An error is one of the worker, likewise.
func (h *PipeHost) Part(m *wire.Part) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.calls[m.ID]
	if p == nil || p.parts == nil {
		return protocol("sent a part of what is not in parts")
	}
	if len(m.Out) > p.max {
		return protocol("sent a part that is too long")
	}
	select {
	case p.parts <- bytes.Clone(m.Out):
		return nil
	default:
		return protocol("sent more parts than it may")
	}
}

// Fail implements [Host].
func (h *PipeHost) Fail(why error) {
	h.fail.Do(func() {
		h.why = why
		close(h.dead)
	})
}

func (h *PipeHost) lost() error { return &lostError{h.why} }

// Close implements [Host].
func (h *PipeHost) Close() error {
	h.Fail(ErrLost)
	h.running.Lock()
	defer h.running.Unlock()
	return nil
}

// padded returns the parts with what aligns them.
func padded(parts [][]byte) (all [][]byte) {
	var zeros [Align]byte
	for _, p := range parts {
		all = append(all, p, zeros[:aligned(len(p))-len(p)])
	}
	return all
}

// A PipeWorker works on calls that came as frames, each on a goroutine.
type PipeWorker struct {
	w      *wire.Writer
	handle Handler
	fatal  func(error)
	tasks  tasks
}

var _ Worker = (*PipeWorker)(nil)

// NewPipeWorker returns a worker that writes to w. If it cannot, or gets what no host sends, it calls
// fatal, which is to end the process.
func NewPipeWorker(w *wire.Writer, handle Handler, fatal func(error)) *PipeWorker {
	return &PipeWorker{w: w, handle: handle, fatal: fatal}
}

// Call starts to work on a call, which is valid until it returns.
func (w *PipeWorker) Call(m *wire.Call) {
	if m.Out > MaxCall {
		w.fatal(protocol("asked for too large a result"))
		return
	}
	j := &Job{ID: m.ID, Op: m.Op, In: bytes.Clone(m.In), Out: make([]byte, m.Out)}
	ctx := w.tasks.begin(j.ID)
	go func() {
		a := w.handle(ctx, j)
		w.tasks.end(j.ID)
		r := &wire.Reply{ID: j.ID, Code: a.Code, Detail: a.Detail, Out: j.Out}
		if a.Code != 0 {
			r.Out = nil
		}
		if err := w.w.Send(r); err != nil {
			w.fatal(err)
		}
	}()
}

// Cancel implements [Worker].
func (w *PipeWorker) Cancel(id uint64) { w.tasks.cancel(id) }

// Close implements [Worker].
func (w *PipeWorker) Close() error {
	w.tasks.wait()
	return nil
}

// tasks are the jobs in progress of a worker. The zero value has none.
type tasks struct {
	mu      sync.Mutex
	cancels map[uint64]context.CancelFunc // guarded by mu
	all     sync.WaitGroup
}

func (t *tasks) begin(id uint64) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	t.all.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cancels == nil {
		t.cancels = map[uint64]context.CancelFunc{}
	}
	t.cancels[id] = cancel
	return ctx
}

func (t *tasks) cancel(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if cancel := t.cancels[id]; cancel != nil {
		cancel()
	}
}

func (t *tasks) end(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cancels[id]()
	delete(t.cancels, id)
	t.all.Done()
}

func (t *tasks) wait() { t.all.Wait() }
