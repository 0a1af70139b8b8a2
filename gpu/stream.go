package gpu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/sporeengine/spore/hostfuncs"
)

// A Stream is something of the embedder's that answers in parts, such as a model that writes token after token. Guests begin one by
// gpu.stream and take its parts by gpu.next, one after the other.
//
// The fields must not change once it is in [Options]. It may be in the options of several sets.
type Stream struct {
	Name string // by which guests call it, and not that of a [Function]
	Doc  string // what it takes and returns, for whoever writes components

	// Run works on one request, on a goroutine of its own, and calls emit with each part. Outputs and Err of the request mean nothing
	// here. The stream ends when Run returns: with its error, which the guest sees if it is a [*hostfuncs.Error], after all parts.
	//
	// The context ends, with a cause, when nobody takes parts any more: after Timeout; when the guest closes the stream; when the call of the
	// component that began it ends, but for a call of an instance that succeeds; when the instance or the pool is closed. Run has to return
	// then: until it does the stream counts in Quota.Streams, and [Pool.Close] waits for it. The context carries [hostfuncs.CallerOf].
	//
	// emit waits while the guest has as much to take as Buffer and BufferBytes allow. Its error says that the part is not valid or too large
	// or that the context has ended. The part is the guest's then and must not change. emit is safe for concurrent use.
	Run func(ctx context.Context, r *Request, emit func(Part) error) error

	// Check, if not nil, refuses requests. An error that is a [*hostfuncs.Error] is shown to the guest.
	Check func(*Request) error

	Buffer      int           // parts that wait for the guest; 16 if it is not positive
	BufferBytes int64         // bytes of these, but for one part that is larger; 16 MiB if it is not positive
	Timeout     time.Duration // of a stream, from its begin to its end; 1 minute if it is not positive
}

// A Part is what a guest takes from a [Stream] at a time.
type Part struct {
	Parameters map[string]any `json:"parameters,omitempty" jsonschema:"what there is to say beside tensors"`
	Outputs    []Tensor       `json:"outputs"`
}

// A stream is a [Stream] in progress, which an instance holds.
type stream struct {
	of     *Stream
	pool   *Pool
	tenant string
	max    int64 // bytes of a part
	weight int64 // of the request
	ctx    context.Context
	cancel context.CancelCauseFunc // after which no part is taken; the cause is what the guest is told
	timer  context.CancelFunc      // frees the timer of ctx

	mu      sync.Mutex
	parts   []Part        // that wait; guarded by mu
	sizes   []int64       // of these; guarded by mu
	bytes   int64         // sum of sizes; guarded by mu
	running bool          // Run has not returned; guarded by mu
	err     error         // why the stream fails after its parts; guarded by mu
	closed  bool          // the instance does not hold it any more; guarded by mu
	changed chan struct{} // closed when any of this changes; guarded by mu
}

// partSlack is what a part has beside what is counted, in bytes.
const partSlack = 256

var errStreamClosed = fmt.Errorf("gpu: the guest closed the stream: %w", context.Canceled)

// withDefaults returns a copy of f with its defaults put in.
func (f *Stream) withDefaults() *Stream {
	c := *f
	positive(&c.Buffer, 16)
	positive(&c.BufferBytes, 16<<20)
	positive(&c.Timeout, time.Minute)
	return &c
}

// newStream counts a stream that begins. Its run has to be called.
func (p *Pool) newStream(f *Stream, caller hostfuncs.Caller, maxPart, weight int64) (*stream, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	if p.streamsOf[caller.Tenant] >= p.cfg.Quota.Streams {
		return nil, ErrQuota
	}
	if err := p.requests.hold(caller.Tenant, weight); err != nil {
		return nil, err
	}
	s := &stream{of: f, pool: p, tenant: caller.Tenant, max: maxPart, weight: weight, running: true, changed: make(chan struct{})}
	timed, timer := context.WithTimeout(hostfuncs.WithCaller(context.Background(), caller), f.Timeout)
	s.timer = timer
	s.ctx, s.cancel = context.WithCancelCause(timed)
	if p.streams == nil {
		p.streams, p.streamsOf = map[*stream]bool{}, map[string]int{}
	}
	p.streams[s] = true
	p.streamsOf[s.tenant]++
	p.stats.streams.Add(1)
	p.running.Add(1)
	return s, nil
}

// streamEnded frees the place of a stream of which nothing is left.
func (p *Pool) streamEnded(s *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.streams, s)
	if p.streamsOf[s.tenant]--; p.streamsOf[s.tenant] == 0 {
		delete(p.streamsOf, s.tenant)
	}
}

// run works on the request until the stream has ended. A nil request was not accepted.
func (s *stream) run(r *Request) {
	defer s.pool.running.Done()
	var err error
	if r != nil {
		err = s.guarded(r)
		if s.ctx.Err() != nil {
			err = context.Cause(s.ctx) // even if it says that all is well: parts may be missing
		}
	}
	s.pool.requests.free(s.tenant, s.weight)
	s.mu.Lock()
	s.running = false
	if err != nil {
		s.err = err
	}
	s.notify()
	over := s.closed
	s.mu.Unlock()
	s.timer() // also ends the contexts of what Run has left behind; not before, or next would take it for the reason of the end
	if over {
		s.pool.streamEnded(s)
	}
}

// guarded calls Run, whose panic is an error.
func (s *stream) guarded(r *Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &hostfuncs.PanicError{Func: "gpu.stream " + s.of.Name, Value: p, Stack: debug.Stack()}
		}
	}()
	return s.of.Run(s.ctx, r, s.emit)
}

// notify wakes all who wait for a change. s.mu is held.
func (s *stream) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// emit is what Run gets. A part that cannot be given to the guest makes the stream fail, whatever Run says: it would be missing.
func (s *stream) emit(part Part) error {
	size, err := s.measure(part)
	if err != nil {
		err = fmt.Errorf("gpu: a part of %s: %w", s.of.Name, err)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err == nil {
			s.err = err
		}
		return err
	}
	if part.Outputs == nil {
		part.Outputs = []Tensor{}
	}
	for {
		s.mu.Lock()
		if s.ctx.Err() != nil || !s.running {
			s.mu.Unlock()
			return context.Cause(s.ctx)
		}
		if n := len(s.parts); n == 0 || n < s.of.Buffer && s.bytes+size <= s.of.BufferBytes {
			s.parts, s.sizes = append(s.parts, part), append(s.sizes, size)
			s.bytes += size
			s.notify()
			s.mu.Unlock()
			s.pool.stats.parts.Add(1)
			return nil
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-s.ctx.Done():
		}
	}
}

// measure returns at most how many bytes the guest gets of a part.
func (s *stream) measure(part Part) (size int64, err error) {
	for i := range part.Outputs {
		t := &part.Outputs[i]
		if err := t.check(); err != nil {
			return 0, fmt.Errorf("output %d: %w", i, err)
		}
		size += int64(len(t.Data) + 6*len(t.Name) + 24*len(t.Shape) + 128)
	}
	if len(part.Parameters) > 0 {
		text, err := json.Marshal(part.Parameters)
		if err != nil {
			return 0, err
		}
		size += int64(len(text))
	}
	if size > s.max-partSlack {
		return 0, hostfuncs.Errorf(hostfuncs.CodeTooLarge, "it has %d bytes, more than %d", size, s.max-partSlack)
	}
	return size, nil
}

// next returns the next part, or nil after the last. If ctx ends before, so does the stream: a part that was on its way to
// a guest that does not wait would be missing otherwise, and nobody would know.
func (s *stream) next(ctx context.Context) (*Part, error) {
	for {
		s.mu.Lock()
		switch {
		case s.closed:
			s.mu.Unlock()
			return nil, context.Cause(s.ctx)
		case len(s.parts) > 0:
			part := s.parts[0]
			s.bytes -= s.sizes[0]
			s.parts[0] = Part{}
			s.parts, s.sizes = s.parts[1:], s.sizes[1:]
			s.notify()
			s.mu.Unlock()
			return &part, nil
		case !s.running:
			err := s.err
			s.mu.Unlock()
			return nil, err
		case s.ctx.Err() != nil: // and Run has not noticed yet
			s.mu.Unlock()
			return nil, context.Cause(s.ctx)
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-s.ctx.Done():
		case <-ctx.Done():
			s.end(ctx.Err())
			return nil, ctx.Err()
		}
	}
}

// end ends a stream whose parts nobody wants.
func (s *stream) end(why error) {
	s.cancel(why)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts, s.sizes, s.bytes = nil, nil, 0
	s.notify()
}

// Close implements [io.Closer], for the instance that holds s. It does not wait for Run.
func (s *stream) Close() error {
	s.end(errStreamClosed)
	s.mu.Lock()
	over := !s.running && !s.closed
	s.closed = true
	s.notify()
	s.mu.Unlock()
	if over {
		s.pool.streamEnded(s)
	}
	return nil
}

type streamResult struct {
	Stream hostfuncs.Handle `json:"stream" jsonschema:"for gpu.next and gpu.close"`
}

type streamArg struct {
	Stream hostfuncs.Handle `json:"stream" jsonschema:"that gpu.stream returned"`
}

type nextResult struct {
	Part *Part `json:"part,omitempty" jsonschema:"the next one"`
	Done bool  `json:"done,omitempty" jsonschema:"there is no further part, and the stream is closed"`
}

// stream begins a stream.
func (g *guestFunctions) stream(ctx context.Context, a callArg) (streamResult, error) {
	f := g.streams[a.Function]
	if f == nil && g.byName[a.Function] != nil {
		return streamResult{}, hostfuncs.Errorf(hostfuncs.CodeInvalid, "%q is no stream: gpu.call calls it", a.Function)
	}
	if f == nil {
		return streamResult{}, unknownFunction(a.Function)
	}
	r, err := a.request(ctx)
	if err != nil {
		return streamResult{}, err
	}
	if f.Check != nil {
		if err := f.Check(r); err != nil {
			return streamResult{}, shownOr(err)
		}
	}
	s, err := g.pool.newStream(f, hostfuncs.CallerOf(ctx), g.opts.MaxBytes, r.weight)
	if err != nil {
		return streamResult{}, forGuest(err)
	}
	h, err := hostfuncs.Hold(ctx, s)
	if err != nil { // which has closed s
		s.run(nil)
		return streamResult{}, err
	}
	go s.run(r)
	return streamResult{h}, nil
}

// next takes a part. A stream that has ended is not held any longer, so that its instance can be captured again.
func (g *guestFunctions) next(ctx context.Context, a streamArg) (nextResult, error) {
	s, err := hostfuncs.Held[*stream](ctx, a.Stream)
	if err != nil {
		return nextResult{}, err
	}
	part, err := s.next(ctx)
	if err == nil && part != nil {
		return nextResult{Part: part}, nil
	}
	_ = hostfuncs.Release(ctx, a.Stream) // unless a call beside this one has done so
	if err != nil {
		return nextResult{}, shownOr(err)
	}
	return nextResult{Done: true}, nil
}

// closeStream ends a stream. One that has ended is known no more, and to close it again is no error.
func (g *guestFunctions) closeStream(ctx context.Context, a streamArg) (struct{}, error) {
	s, err := hostfuncs.Held[*stream](ctx, a.Stream)
	if err != nil {
		return struct{}{}, nil
	}
	s.end(errStreamClosed) // at once, and not only when calls that wait for parts have returned
	_ = hostfuncs.Release(ctx, a.Stream)
	return struct{}{}, nil
}

func unknownFunction(name string) error {
	return hostfuncs.Errorf(hostfuncs.CodeNotGranted, "there is no function %.100q", name)
}

// shownOr returns the error of a function of the embedder's as a guest may have it.
func shownOr(err error) error {
	if _, ok := errors.AsType[*hostfuncs.Error](err); ok {
		return err
	}
	return forGuest(err)
}
