package gpu

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/sporeengine/spore/hostfuncs"
)

// A Function is something of the embedder's that guests call by gpu.call: a model, or a program that they do not write
// themselves. Calls of many guests are run together if it allows that, as most devices take as long for one as for a few.
//
// The fields must not change once it is in [Options]. A Function may be in the options of several sets, which
// share its batches; the pool of the first counts them.
type Function struct {
	Name string // by which guests call it
	Doc  string // what it takes and returns, for whoever writes components

	// Run works on a batch. It sets Outputs and Parameters, or Err, of each request. If it returns an error or
	// panics, and there is more than one request, it is called again for each alone, so that one guest's bad data do not spoil the calls of others:
	// what it does must bear repetition. Its context ends when nobody waits for any of them, or after Timeout.
	Run func(ctx context.Context, batch []*Request) error

	// Check, if not nil, refuses requests before they are in a batch. An error that is a [*hostfuncs.Error] is shown to the guest.
	Check func(*Request) error

	// Key, if not nil, says which requests go together: those of the same key. Shapes are a usual one.
	Key func(*Request) string

	MaxBatch int           // requests of a batch; 1 if it is not positive
	MaxDelay time.Duration // that the first request of a batch waits for others; 0: it does not, but calls that come while another batch runs are batched
	Parallel int           // batches at the same time; 1 if it is not positive
	Timeout  time.Duration // of a batch; 10 s if it is not positive

	once  sync.Once
	quota int // calls of a tenant that wait
	stats *counters
	held  *requests

	mu      sync.Mutex
	waiting []*batched     // guarded by mu
	of      map[string]int // calls that wait, by tenant; guarded by mu
	running int            // batches; guarded by mu
	timer   *time.Timer    // for the first that waits; guarded by mu
}

// A Request is one call of a [Function]. It belongs to the function while that runs.
type Request struct {
	Tenant     string         // who calls
	Parameters map[string]any // of the call as JSON has them; Run may set those of the answer, nil if there are none
	Inputs     []Tensor
	Outputs    []Tensor // set by Run
	Err        error    // set by Run: why this request failed. A [*hostfuncs.Error] is shown to the guest.

	weight int64 // bytes that count in the tenant's quota
}

// A batched call waits for its turn or runs.
type batched struct {
	request *Request
	key     string
	turn    int // how many of the same tenant waited already when it came
	begin   time.Time
	done    chan struct{} // closed when the request is the caller's again
	gone    bool          // nobody waits for it any more; guarded by Function.mu
	batch   *batch        // nil while it waits; guarded by Function.mu
}

// A batch is calls that run together.
type batch struct {
	calls  []*batched
	left   int // that somebody waits for; guarded by Function.mu
	cancel context.CancelFunc
}

func (f *Function) prepare(p *Pool) {
	f.once.Do(func() {
		positive(&f.MaxBatch, 1)
		positive(&f.Parallel, 1)
		positive(&f.Timeout, 10*time.Second)
		f.quota, f.stats, f.held, f.of = p.cfg.Quota.Queue, &p.stats, &p.requests, map[string]int{}
	})
}

// do runs a request, in a batch. If ctx ends it returns, and the request may still be in use.
func (f *Function) do(ctx context.Context, r *Request) error {
	if f.Check != nil {
		if err := f.Check(r); err != nil {
			return err
		}
	}
	if err := f.held.hold(r.Tenant, r.weight); err != nil {
		return err
	}
	c := &batched{request: r, begin: time.Now(), done: make(chan struct{})}
	if f.Key != nil {
		c.key = f.Key(r)
	}
	f.mu.Lock()
	if c.turn = f.of[r.Tenant]; c.turn >= f.quota {
		f.mu.Unlock()
		f.held.free(r.Tenant, r.weight)
		return ErrQuota
	}
	f.of[r.Tenant]++
	f.waiting = append(f.waiting, c)
	f.start()
	f.mu.Unlock()
	select {
	case <-c.done:
		return r.Err
	case <-ctx.Done():
		f.leave(c)
		return ctx.Err()
	}
}

// leave gives a call up.
func (f *Function) leave(c *batched) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.gone = true
	if c.batch != nil {
		if c.batch.left--; c.batch.left == 0 {
			c.batch.cancel()
		}
		return
	}
	f.take(c)
	f.held.free(c.request.Tenant, c.request.weight)
}

// take takes a call out of those that wait. f.mu is held, here and in start.
func (f *Function) take(c *batched) {
	f.waiting = slices.DeleteFunc(f.waiting, func(o *batched) bool { return o == c })
	if f.of[c.request.Tenant]--; f.of[c.request.Tenant] == 0 {
		delete(f.of, c.request.Tenant)
	}
}

// start starts the batches that are due.
func (f *Function) start() {
	for f.running < f.Parallel && len(f.waiting) > 0 {
		first := f.waiting[0] // who has waited longest decides when, and for which key
		calls := f.choose(first.key)
		if left := f.MaxDelay - time.Since(first.begin); left > 0 && len(calls) < f.MaxBatch {
			if f.timer != nil {
				f.timer.Stop()
			}
			f.timer = time.AfterFunc(left, func() {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.start()
			})
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), f.Timeout)
		b := &batch{calls: calls, left: len(calls), cancel: cancel}
		for _, c := range calls {
			f.take(c)
			c.batch = b
		}
		f.running++
		go f.run(ctx, b)
	}
}

// choose returns the calls of a key whose turn it is: the first of each tenant before the second of any.
func (f *Function) choose(key string) []*batched {
	var calls []*batched
	for _, c := range f.waiting {
		if c.key == key {
			calls = append(calls, c)
		}
	}
	slices.SortStableFunc(calls, func(a, b *batched) int { return a.turn - b.turn })
	return calls[:min(len(calls), f.MaxBatch)]
}

// run runs a batch.
func (f *Function) run(ctx context.Context, b *batch) {
	requests := make([]*Request, len(b.calls))
	asked := make([]Request, len(b.calls)) // as they are before Run has set anything
	for i, c := range b.calls {
		requests[i], asked[i] = c.request, *c.request
	}
	f.stats.batches.Add(1)
	f.stats.batched.Add(int64(len(requests)))
	if err := f.guarded(ctx, requests); err != nil {
		for i, r := range requests {
			*r = asked[i]
			if len(requests) > 1 { // the error may be about another's request, and nobody gets to see it who was not alone
				if err = ctx.Err(); err == nil {
					err = f.guarded(ctx, []*Request{r})
				}
			}
			if err != nil {
				r.Outputs, r.Err = nil, err
			}
		}
	}
	b.cancel()
	for i, c := range b.calls {
		f.held.free(asked[i].Tenant, asked[i].weight)
		close(c.done)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running--
	f.start()
}

// guarded calls Run, whose panic is an error.
func (f *Function) guarded(ctx context.Context, requests []*Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &hostfuncs.PanicError{Func: "gpu.call " + f.Name, Value: p, Stack: debug.Stack()}
		}
	}()
	return f.Run(ctx, requests)
}

type callArg struct {
	Function   string         `json:"function" jsonschema:"its name"`
	Parameters map[string]any `json:"parameters,omitempty" jsonschema:"what the function wants to know beside tensors"`
	Inputs     []Tensor       `json:"inputs,omitempty"`
}

// request returns the request of a call, if its tensors are valid.
func (a *callArg) request(ctx context.Context) (*Request, error) {
	for i := range a.Inputs {
		if err := a.Inputs[i].check(); err != nil {
			return nil, hostfuncs.Errorf(hostfuncs.CodeInvalid, "input %d: %s", i, err)
		}
	}
	n, err := a.weigh()
	if err != nil {
		return nil, err
	}
	return &Request{Tenant: hostfuncs.CallerOf(ctx).Tenant, Parameters: a.Parameters, Inputs: a.Inputs, weight: n}, nil
}

func (g *guestFunctions) call(ctx context.Context, a callArg) (Part, error) {
	f := g.byName[a.Function]
	if f == nil && g.streams[a.Function] != nil {
		return Part{}, hostfuncs.Errorf(hostfuncs.CodeInvalid, "%q answers in parts: gpu.stream calls it", a.Function)
	}
	if f == nil {
		return Part{}, unknownFunction(a.Function)
	}
	r, err := a.request(ctx)
	if err != nil {
		return Part{}, err
	}
	if err := f.do(ctx, r); err != nil {
		return Part{}, shownOr(err)
	}
	for i := range r.Outputs {
		if err := r.Outputs[i].check(); err != nil {
			return Part{}, fmt.Errorf("gpu: output %d of %s: %w", i, f.Name, err)
		}
	}
	return Part{r.Parameters, append([]Tensor{}, r.Outputs...)}, nil
}
