package engine

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/sporeengine/spore/snapshot"
	"github.com/sporeengine/spore/snapshot/store"
)

// Parking says where the state of instances is kept while nothing of them runs. First it is in
// memory as it is, outside Go's heap where the system has a way to; then compressed, which makes the next
// call some ten microseconds slower; then in a store, if there is one.
type Parking struct {
	// Memory bounds the bytes of all idle instances in memory: default 1 GiB. When three quarters
	// are used, those that were idle for longest are compressed, and then stored, however short that was. A call for
	// whose state there is no room fails with a [*LimitError] naming ParkingMemory, and is taken back.
	Memory int64

	// CompressAfter is how long an instance is idle before its state is compressed: default 30 s.
	CompressAfter time.Duration

	// Store, if not nil, takes states that were idle for StoreAfter: default 10 minutes. They
	// are encrypted by a key that only this engine has, under keys that begin with "parked/", and are of no use to
	// anybody once the engine is closed, which deletes them: an instance that is to outlive the process is a matter for
	// [Instance.Snapshot]. A process that is killed leaves them behind, so the store should be one for this
	// engine alone. If it fails, states stay in memory, and calls of instances whose states it has fail with its error and change nothing.
	Store      store.Store
	StoreAfter time.Duration
}

// Values of fields of [Parking] that are zero.
const (
	DefaultParkingMemory = 1 << 30
	DefaultCompressAfter = 30 * time.Second
	DefaultStoreAfter    = 10 * time.Minute
)

// parked names a state that is kept. The zero value stands for none.
type parked struct{ number uint32 }

func (p parked) some() bool { return p.number != 0 }

// A parking keeps the states of idle instances. It has no pointer for each, so that Go's
// garbage collector does not see them. It is safe for concurrent use.
type parking struct {
	cfg  Parking
	slab *snapshot.Slab
	enc  *zstd.Encoder
	dec  *zstd.Decoder

	log  *slog.Logger
	seal cipher.AEAD // of what is stored
	name string      // of this engine, in the store

	mu      sync.RWMutex
	entries []entry  // guarded by mu; the first is not used
	unused  []uint32 // entries that are free; guarded by mu
	packed  int      // entries that are compressed; guarded by mu
	stored  int      // entries that are in the store; guarded by mu
	last    uint64   // number of the last object in the store; guarded by mu
	garbage []uint64 // objects that are not needed any more; guarded by mu

	ctx    context.Context // of what is stored in time, or to make room
	cancel func()          // ends it, when the engine is being closed

	tracer   Tracer        // may be nil
	end      func(Outcome) // tells it that states have been moved; guarded by tidying
	again    time.Time     // when the store is used again that has failed; guarded by tidying
	tidying  sync.Mutex    // held while states are compressed and stored
	start    sync.Once     // of the goroutine that does it in time
	stop     chan struct{} // ends it
	stopped  chan struct{} // closed when it has ended; nil if it was never started
	pressure chan struct{} // wakes it
}

// An entry is a state that is kept.
type entry struct {
	handle snapshot.Handle
	object uint64 // in the store, if it is there
	used   int64  // when it was put there, in nanoseconds since 1970
	refs   int32  // instances that have it; 0: the entry is free
	size   uint32 // of the state in bytes
	form   form
}

// A form is how a state is kept.
type form uint8

const (
	formRaw    form = iota
	formPacked      // with Zstandard
	formDense       // raw, because compressing it does not pay
	formStored
)

// packFrom is the size in bytes from which a state is worth compressing.
const packFrom = 512

func newParking(cfg Parking, log *slog.Logger) (*parking, error) {
	p := &parking{cfg: cfg, log: log, name: strings.ToLower(rand.Text()), entries: make([]entry, 1), stop: make(chan struct{}), pressure: make(chan struct{}, 1)}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	var err error
	if p.enc, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false)); err != nil {
		return nil, err
	}
	if p.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0)); err != nil {
		return nil, err
	}
	if p.seal, err = newSeal(); err != nil {
		return nil, err
	}
	if p.slab, err = snapshot.NewSlab(cfg.Memory); err != nil {
		return nil, err
	}
	return p, nil
}

// park keeps a state, of which it makes a copy. The caller frees it.
func (p *parking) park(state []byte) (parked, error) {
	h, err := p.slab.Put(state)
	for more := true; more && errors.Is(err, snapshot.ErrSlabFull); {
		more = p.tidy(0, 0) > 0 // or waits until that is done
		h, err = p.slab.Put(state)
	}
	switch {
	case errors.Is(err, snapshot.ErrClosed):
		return parked{}, ErrClosed
	case err != nil:
		return parked{}, &LimitError{Limit: limitParking, Max: p.cfg.Memory}
	}
	p.start.Do(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		select {
		case <-p.stop:
		default:
			p.stopped = make(chan struct{})
			go p.run(p.stopped)
		}
	})
	if p.full() {
		select {
		case p.pressure <- struct{}{}:
		default:
		}
	}
	e := entry{handle: h, used: time.Now().UnixNano(), refs: 1, size: uint32(len(state))}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.unused); n > 0 {
		i := p.unused[n-1]
		p.unused = p.unused[:n-1]
		p.entries[i] = e
		return parked{i}, nil
	}
	p.entries = append(p.entries, e)
	return parked{uint32(len(p.entries) - 1)}, nil
}

// get appends a state to dst. The caller has the state, so that it does not go away.
func (p *parking) get(ctx context.Context, at parked, dst []byte) ([]byte, error) {
	p.mu.RLock()
	e := p.entries[at.number]
	var b []byte
	var err error
	switch e.form {
	case formPacked:
		b, err = p.slab.Get(nil, e.handle)
	case formRaw, formDense:
		b, err = p.slab.Get(dst, e.handle)
	}
	p.mu.RUnlock()
	if errors.Is(err, snapshot.ErrClosed) {
		return nil, ErrClosed
	}
	if err != nil {
		return nil, err
	}
	switch e.form {
	case formPacked:
		return p.dec.DecodeAll(b, dst)
	case formStored:
		return p.fetch(ctx, e.object, dst)
	}
	return b, nil
}

// size returns the bytes of a state, before compression.
func (p *parking) size(at parked) int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return int64(p.entries[at.number].size)
}

// load returns a state that the caller has.
func (p *parking) load(ctx context.Context, at parked) (*state, []byte, error) {
	if !at.some() {
		return &state{}, nil, nil
	}
	b, err := p.get(ctx, at, nil)
	if err != nil {
		return nil, nil, err
	}
	return parseState(b)
}

// share gives one more instance a state.
func (p *parking) share(at parked) parked {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.some() {
		p.entries[at.number].refs++
	}
	return at
}

// free gives up a state for one instance.
func (p *parking) free(at parked) {
	if !at.some() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e := &p.entries[at.number]
	if e.refs--; e.refs > 0 {
		return
	}
	p.forget(e)
	*e = entry{}
	p.unused = append(p.unused, at.number)
}

// forget gives up what is kept of a state. p.mu is held.
func (p *parking) forget(e *entry) {
	switch e.form {
	case formStored:
		p.stored--
		p.garbage = append(p.garbage, e.object)
		return
	case formPacked:
		p.packed--
	}
	p.slab.Free(e.handle)
}

// full reports whether memory gets short.
func (p *parking) full() bool {
	s := p.slab.Stats()
	return s.Mapped-s.Spare > p.cfg.Memory/4*3
}

func (p *parking) stats(s *Stats) {
	s.ParkedBytes = p.slab.Stats().Mapped
	p.mu.RLock()
	defer p.mu.RUnlock()
	s.Parked, s.Packed, s.Stored = len(p.entries)-1-len(p.unused), p.packed, p.stored
}

// close releases everything. No state is in use any more.
func (p *parking) close() error {
	p.cancel()
	p.mu.Lock()
	close(p.stop)
	stopped := p.stopped
	p.mu.Unlock()
	if stopped != nil {
		<-stopped
	}
	p.sweep(context.Background())
	p.dec.Close()
	if err := p.slab.Close(); err != nil {
		return fmt.Errorf("engine: parked instances: %w", err)
	}
	return nil
}
