package gpu

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sporeengine/spore/gpu/internal/fair"
	"github.com/sporeengine/spore/gpu/internal/shm"
	"github.com/sporeengine/spore/gpu/internal/wire"
	"github.com/sporeengine/spore/gpu/tensor"
)

// A Pool evaluates programs in worker processes, for many tenants. It is safe for concurrent use.
//
// A worker that dies, hangs or breaks the protocol fails the calls that it had, with [WorkerError], and is replaced at
// once. The new one has to compute a known answer before it serves. A start that fails is tried again after a delay that
// doubles; after three in a row the pool is in quarantine for 5 seconds, at the next for twice that, and so
// on: until then calls fail at once with [ErrUnavailable], or are served by Config.Fallback. Nothing else is ever served by it.
//
// A call that takes too long is canceled, and if that does not end it, its worker is killed: no work goes on that
// nobody waits for. Between tenants the pool is fair by what programs cost; see package tensor.
//
// Nothing is started before the first call.
type Pool struct {
	cfg       Config
	queue     *fair.Queue
	constants *constants
	stats     counters

	mu       sync.Mutex
	started  bool          // there was a call; guarded by mu
	closed   bool          // guarded by mu
	serving  []*process    // guarded by mu
	standby  *process      // guarded by mu
	starting int           // guarded by mu
	launched []*process    // that do not serve yet; guarded by mu
	failures int           // of starts in a row, and of workers that died before an answer; guarded by mu
	rejected int           // of these, starts; guarded by mu
	after    time.Time     // until when nothing is started; guarded by mu
	bad      error         // why the pool is in quarantine, or nil; guarded by mu
	timer    *time.Timer   // for the next start; guarded by mu
	changed  chan struct{} // closed when any of this changes; guarded by mu
	running  sync.WaitGroup
	tenants  tenants

	streams   map[*stream]bool // that are in progress or held; guarded by mu
	streamsOf map[string]int   // how many, by tenant; guarded by mu

	adopted      bool        // what follows is that of the first worker; guarded by mu
	models       []Model     // guarded by mu
	functions    []*Function // guarded by mu
	modelStreams []*Stream   // guarded by mu

	requests requests
	fallback residence
	buffers  buffers
}

// NewPool returns a pool. It starts nothing yet.
func NewPool(c Config) (*Pool, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Pool{cfg: c, queue: fair.New(c.Workers*c.InFlight, c.quota()), changed: make(chan struct{})}
	p.requests.max = c.Quota.Bytes
	p.constants = newConstants(c.ConstantBytes, c.Quota.Constants, p.dropConstant)
	p.fallback.init(func(id ConstantID) { p.cfg.Fallback.DropConstant(id) })
	return p, nil
}

// For returns a [Backend] for one tenant. Its Close does nothing; all others fail as those of any backend, or with
// [ErrUnavailable], [ErrQuota] or an error of package tensor. It has no state of its own.
func (p *Pool) For(tenant string) Backend { return &view{p, tenant} }

// A view is a pool as one tenant sees it.
type view struct {
	pool   *Pool
	tenant string
}

func (v *view) Info() Info {
	ctx, cancel := context.WithTimeout(context.Background(), v.pool.cfg.Timeout)
	defer cancel()
	info, err := v.pool.Info(ctx)
	if err != nil {
		return Info{Name: "unavailable"}
	}
	return info
}

func (v *view) Eval(ctx context.Context, p *tensor.Program, inputs [][]byte, constants []ConstantID, outputs [][]byte) error {
	_, err := v.pool.eval(ctx, v.tenant, p, inputs, constants, func() [][]byte { return outputs })
	return err
}

func (v *view) PutConstant(ctx context.Context, id ConstantID, t tensor.Type, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return v.pool.put(v.tenant, id, t, data)
}

func (v *view) DropConstant(id ConstantID) { v.pool.constants.drop(v.tenant, id) }

func (v *view) Close() error { return nil }

// ShareConstant puts a constant that all tenants may use, until [Pool.DropShared].
func (p *Pool) ShareConstant(t tensor.Type, data []byte) (ConstantID, error) {
	id := IDOf(t, data)
	return id, p.put(sharedHolder, id, t, data)
}

// DropShared takes a constant back that was shared.
func (p *Pool) DropShared(id ConstantID) { p.constants.drop(sharedHolder, id) }

func (p *Pool) put(tenant string, id ConstantID, t tensor.Type, data []byte) error {
	if int64(len(data)) != t.Bytes() || id != IDOf(t, data) {
		return ErrArgument
	}
	return p.putTrusted(tenant, id, t, data)
}

// putTrusted is put for a caller who has made the id of the contents.
func (p *Pool) putTrusted(tenant string, id ConstantID, t tensor.Type, data []byte) error {
	if err := CheckBools(t, data); err != nil {
		return err
	}
	return p.constants.put(tenant, id, t, data)
}

func (p *Pool) dropConstant(id ConstantID) {
	p.mu.Lock()
	workers := p.workers()
	p.mu.Unlock()
	for _, w := range workers {
		w.resident.drop(id)
	}
	p.fallback.drop(id)
}

// workers returns those that are there. p.mu is held.
func (p *Pool) workers() []*process {
	if p.standby == nil {
		return p.serving
	}
	return append(p.serving[:len(p.serving):len(p.serving)], p.standby)
}

// Info describes the backend of the workers, or the fallback while it serves. It starts a worker if there is none.
func (p *Pool) Info(ctx context.Context) (Info, error) {
	w, err := p.acquire(ctx, time.Now().Add(p.cfg.Timeout))
	if err != nil {
		if p.cfg.Fallback != nil && errors.Is(err, ErrUnavailable) {
			return p.cfg.Fallback.Info(), nil
		}
		return Info{}, err
	}
	return w.info, nil
}

// callCost is what a call costs beside its work, in the unit of tensor.Cost: about ten microseconds.
const callCost = 10_000

// eval evaluates a program. What it writes to is asked for when it is the call's turn, so that calls that wait hold
// no memory for results.
func (p *Pool) eval(ctx context.Context, tenant string, prog *tensor.Program, inputs [][]byte, ids []ConstantID, room func() [][]byte) (outputs [][]byte, err error) {
	begin := time.Now()
	p.stats.calls.Add(1)
	o := Observation{Tenant: tenant}
	defer func() {
		o.Total, o.Err = time.Since(begin), err
		p.stats.ended(err, o.Total)
		if p.cfg.Observe != nil {
			p.cfg.Observe(ctx, o)
		}
	}()
	if err := prog.Check(p.cfg.Limits); err != nil {
		return nil, err
	}
	deadline := begin.Add(p.cfg.Timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	at, unpin, err := p.pinInputs(prog, inputs)
	if err != nil {
		return nil, err
	}
	defer unpin()
	if len(ids) != len(prog.ConstantValues()) { // before anything is fetched for them
		return nil, CheckBuffers(prog, inputs, ids, nil)
	}
	if err := p.fetch(ctx, deadline, tenant, ids); err != nil {
		return nil, err
	}
	cost := prog.Cost()
	demand := fair.Demand{Cost: satAdd(cost.Work, satAdd(cost.Traffic, callCost)), Bytes: satAdd(cost.InputBytes, cost.OutputBytes), Deadline: deadline}
	if err := p.queue.Acquire(ctx, tenant, demand); err != nil {
		if errors.Is(err, fair.ErrClosed) {
			return nil, ErrClosed
		}
		return nil, err
	}
	defer p.queue.Release(tenant, demand)
	o.Queue, o.Input, o.Output = time.Since(begin), cost.InputBytes, cost.OutputBytes
	p.stats.queued.Add(int64(o.Queue))
	outputs = room()
	if err := CheckBuffers(prog, inputs, ids, outputs); err != nil {
		return nil, err
	}
	pinned, err := p.constants.pin(tenant, ids, prog)
	if err != nil {
		return nil, err
	}
	defer p.constants.unpin(pinned)
	return outputs, p.run(ctx, deadline, prog, inputs, at, ids, pinned, outputs, &o)
}

// pinInputs returns which inputs a worker can read in their buffers, nil if none, and keeps these from being freed.
func (p *Pool) pinInputs(prog *tensor.Program, inputs [][]byte) (at []int64, unpin func(), err error) {
	at, unpin, err = p.sharedBuffers().Pin(inputs)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrArgument, err)
	}
	for i, v := range prog.InputValues() {
		if i < len(at) && prog.Type(v).DType == tensor.Bool {
			at[i] = notPlaced // what was checked must be what is used
		}
	}
	return at, unpin, nil
}

// run has a worker evaluate what was checked. at says where inputs are in the buffers.
func (p *Pool) run(ctx context.Context, deadline time.Time, prog *tensor.Program, inputs [][]byte, at []int64, ids []ConstantID, pinned []*constant, outputs [][]byte, o *Observation) error {
	w, err := p.acquire(ctx, deadline)
	if err != nil {
		if p.cfg.Fallback != nil && errors.Is(err, ErrUnavailable) {
			o.Backend, o.Fallback = p.cfg.Fallback.Info().Name, true
			return p.evalFallback(ctx, deadline, prog, inputs, ids, pinned, outputs)
		}
		return err
	}
	o.Backend = w.info.Name
	if !w.buffers {
		at = nil
	}
	op, parts := encodeEval(prog, inputs, ids, at)
	setTenant(parts, p.tenants.number(o.Tenant))
	var a shm.Answer
	for try := 1; ; try++ {
		for _, c := range pinned {
			if err := p.store(ctx, deadline, w, c); err != nil {
				return err
			}
		}
		begin := time.Now()
		a, err = w.do(ctx, &shm.Call{Op: op, In: parts, Out: outputs, Deadline: deadline})
		o.Worker = time.Since(begin)
		if err != nil {
			return p.closedOr(err)
		}
		if a.Code != codeConstant || len(pinned) == 0 {
			break
		}
		// Somebody else may have dropped the constant just when the tenant put it again. Otherwise the worker lies.
		if try == maxTries {
			w.kill(fmt.Errorf("%w: it has not what it says it has stored", wire.ErrProtocol))
			return p.closedOr(w.lost())
		}
		w.resident.lost(ids)
	}
	if a.Code == codeOK {
		o.Device = min(time.Duration(a.Detail)*time.Microsecond, o.Worker)
	}
	if err := decodeAnswer(a, prog); err != nil {
		return err
	}
	if !w.answered.Load() {
		p.proved(w)
	}
	return nil
}

// maxTries is how often a worker gets the constants of a call.
const maxTries = 3

// store makes a worker have a constant before the deadline.
func (p *Pool) store(ctx context.Context, deadline time.Time, w *process, c *constant) error {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	return p.closedOr(w.store(ctx, c))
}

// fetch gets constants that the pool has not, if the embedder can.
func (p *Pool) fetch(ctx context.Context, deadline time.Time, tenant string, ids []ConstantID) error {
	if p.cfg.FetchConstant == nil || len(ids) == 0 {
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	for _, id := range ids {
		if p.constants.has(tenant, id) {
			continue
		}
		t, data, err := p.cfg.FetchConstant(ctx, tenant, id)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrConstant, err)
		}
		if err := p.put(tenant, id, t, data); errors.Is(err, ErrArgument) {
			return ErrConstant
		} else if err != nil {
			return err
		}
	}
	return nil
}

// evalFallback evaluates in the fallback, in this process.
func (p *Pool) evalFallback(ctx context.Context, deadline time.Time, prog *tensor.Program, inputs [][]byte, ids []ConstantID, pinned []*constant, outputs [][]byte) error {
	p.stats.fallbacks.Add(1)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	for try := 1; ; try++ {
		for _, c := range pinned {
			err := p.fallback.ensure(ctx, c, func() error {
				err := p.cfg.Fallback.PutConstant(context.WithoutCancel(ctx), c.id, c.t, c.data)
				p.fallback.finish(c.id, err)
				return nil
			})
			if err != nil {
				return err
			}
		}
		err := p.cfg.Fallback.Eval(ctx, prog, inputs, ids, outputs)
		if !errors.Is(err, ErrConstant) || try == maxTries {
			return err
		}
		p.fallback.lost(ids) // see run
	}
}

// closedOr returns err, or ErrClosed if that is why.
func (p *Pool) closedOr(err error) error {
	if err == nil || !errors.Is(err, ErrUnavailable) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	return err
}

// Close ends all calls and streams, with [ErrClosed], and all workers, and waits until nothing is left of them. A second Close does nothing.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		p.running.Wait()
		return nil
	}
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	workers := append(p.launched, p.workers()...)
	p.serving, p.standby, p.launched = nil, nil, nil
	for s := range p.streams {
		s.cancel(ErrClosed)
	}
	p.notify()
	p.mu.Unlock()
	p.queue.Close()
	for _, w := range workers {
		if w.calls.Load() > 0 || !w.admitted.Load() {
			w.closes.Store(true)
			w.kill(errClosing)
		} else {
			p.running.Go(func() { w.close(p.cfg.Grace) })
		}
	}
	p.running.Wait()
	return p.buffers.close()
}

func satAdd(a, b int64) int64 {
	if a > 1<<63-1-b {
		return 1<<63 - 1
	}
	return a + b
}
