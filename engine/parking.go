package engine

import (
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/sporeengine/spore/snapshot"
)

// Parking says where the state of instances is kept while nothing of them runs. First it is in
// memory as it is, outside Go's heap where the system has a way to; then compressed, which makes the next
// call some ten microseconds slower.
type Parking struct {
	// Memory bounds the bytes of all idle instances: default 1 GiB. When three quarters
	// are used, those that were idle for longest are compressed, however short that was. A call for
	// whose state there is no room fails with a [*LimitError] naming ParkingMemory, and is taken back.
	Memory int64

	// CompressAfter is how long an instance is idle before its state is compressed: default 30 s.
	CompressAfter time.Duration
}

// Values of fields of [Parking] that are zero.
const (
	DefaultParkingMemory = 1 << 30
	DefaultCompressAfter = 30 * time.Second
)

// parked names a state that is kept. The zero value stands for none.
type parked struct{ number uint32 }

func (p parked) some() bool { return p.number != 0 }

// A parking keeps the states of idle instances. It has no pointer for each, so that Go's
// garbage collector does not see them. It is safe for concurrent use.
type parking struct {
	cfg Parking
	lot *snapshot.Lot
	enc *zstd.Encoder
	dec *zstd.Decoder

	mu      sync.RWMutex
	entries []entry  // guarded by mu; the first is not used
	unused  []uint32 // entries that are free; guarded by mu
	packed  int      // entries that are compressed; guarded by mu

	tidying  sync.Mutex    // held while states are compressed
	start    sync.Once     // of the goroutine that does it in time
	stop     chan struct{} // ends it
	stopped  chan struct{} // closed when it has ended; nil if it was never started
	pressure chan struct{} // wakes it
}

// An entry is a state that is kept.
type entry struct {
	handle snapshot.LotHandle
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
)

// packFrom is the size in bytes from which a state is worth compressing.
const packFrom = 512

func newParking(cfg Parking) (*parking, error) {
	p := &parking{cfg: cfg, entries: make([]entry, 1), stop: make(chan struct{}), pressure: make(chan struct{}, 1)}
	var err error
	if p.enc, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false)); err != nil {
		return nil, err
	}
	if p.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0)); err != nil {
		return nil, err
	}
	p.lot = snapshot.NewLot(cfg.Memory)
	return p, nil
}

// park keeps a state, of which it makes a copy. The caller frees it.
func (p *parking) park(state []byte) (parked, error) {
	h, err := p.lot.Put(state)
	if err != nil && p.tidy(0) > 0 {
		h, err = p.lot.Put(state)
	}
	if err != nil {
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

// get appends a state to dst.
func (p *parking) get(at parked, dst []byte) ([]byte, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	e := &p.entries[at.number]
	if e.form != formPacked {
		return p.lot.Get(e.handle, dst)
	}
	b, err := p.lot.Get(e.handle, nil)
	if err != nil {
		return nil, err
	}
	return p.dec.DecodeAll(b, dst)
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
	p.lot.Free(e.handle)
	if e.form == formPacked {
		p.packed--
	}
	*e = entry{}
	p.unused = append(p.unused, at.number)
}

// full reports whether memory gets short.
func (p *parking) full() bool { return p.lot.Used() > p.cfg.Memory/4*3 }

// run compresses states in time until the engine is closed.
func (p *parking) run(stopped chan<- struct{}) {
	defer close(stopped)
	t := time.NewTicker(max(p.cfg.CompressAfter/4, time.Millisecond))
	defer t.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-t.C:
			p.tidy(p.cfg.CompressAfter)
		case <-p.pressure:
			// The longest idle first: the time is halved until there is room.
			for d := p.cfg.CompressAfter; p.full() && d > time.Millisecond; d /= 2 {
				p.tidy(d)
			}
		}
	}
}

// tidy compresses states that have been idle for a time, and returns how many it has.
func (p *parking) tidy(idle time.Duration) (n int) {
	p.tidying.Lock()
	defer p.tidying.Unlock()
	before := time.Now().Add(-idle).UnixNano()
	const batch = 1024
	for i, more := 1, true; more; i += batch {
		select {
		case <-p.stop:
			return n
		default:
		}
		var numbers [batch]uint32
		found := numbers[:0]
		p.mu.RLock()
		for j := i; j < min(i+batch, len(p.entries)); j++ {
			e := &p.entries[j]
			if e.refs > 0 && e.form == formRaw && e.used <= before {
				found = append(found, uint32(j))
			}
		}
		more = i+batch < len(p.entries)
		p.mu.RUnlock()
		for _, number := range found {
			if p.pack(number) {
				n++
			}
		}
	}
	return n
}

// pack compresses a state, if it is still there and that pays.
func (p *parking) pack(number uint32) bool {
	p.mu.RLock()
	e := p.entries[number]
	raw, err := []byte(nil), error(nil)
	if e.refs > 0 && e.form == formRaw {
		raw, err = p.lot.Get(e.handle, nil)
	}
	p.mu.RUnlock()
	if raw == nil || err != nil {
		return false
	}
	next := e
	next.form = formDense
	if len(raw) >= packFrom {
		if b := p.enc.EncodeAll(raw, make([]byte, 0, len(raw))); len(b) < len(raw)/8*7 {
			if next.handle, err = p.lot.Put(b); err != nil {
				return false
			}
			next.form = formPacked
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := &p.entries[number]
	if now.refs == 0 || now.handle != e.handle {
		if next.form == formPacked {
			p.lot.Free(next.handle)
		}
		return false
	}
	next.refs = now.refs
	*now = next
	if next.form != formPacked {
		return false
	}
	p.packed++
	p.lot.Free(e.handle)
	return true
}

func (p *parking) stats(s *Stats) {
	s.ParkedBytes = p.lot.Used()
	p.mu.RLock()
	defer p.mu.RUnlock()
	s.Parked, s.Packed = len(p.entries)-1-len(p.unused), p.packed
}

// close releases everything. No state is in use any more.
func (p *parking) close() error {
	p.mu.Lock()
	close(p.stop)
	stopped := p.stopped
	p.mu.Unlock()
	if stopped != nil {
		<-stopped
	}
	p.dec.Close()
	if err := p.lot.Close(); err != nil {
		return fmt.Errorf("engine: parked instances: %w", err)
	}
	return nil
}
