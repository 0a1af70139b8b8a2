package engine

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sporeengine/spore/snapshot/store"
)

// storeTime bounds one operation of the store when nobody waits for it, and storers how many
// there are at once.
const (
	storeTime = 30 * time.Second
	storers   = 16
	storeRest = time.Second // for a store that has failed

	pressureRest = 100 * time.Millisecond // between two attempts to make room in advance
)

// run compresses and stores states in time, until the engine is closed.
func (p *parking) run(stopped chan<- struct{}) {
	defer close(stopped)
	every := p.cfg.CompressAfter
	if p.cfg.Store != nil {
		every = min(every, p.cfg.StoreAfter)
	}
	t := time.NewTicker(max(every/4, time.Millisecond))
	defer t.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-t.C:
			p.tidy(p.cfg.CompressAfter, p.cfg.StoreAfter)
			p.sweep(p.ctx)
		case <-p.pressure:
			// The longest idle first: the time is halved until there is room.
			for d := p.cfg.CompressAfter; p.full() && d > time.Millisecond; d /= 2 {
				p.tidy(d, p.cfg.StoreAfter)
			}
			for d := p.cfg.StoreAfter; p.full() && p.cfg.Store != nil && d > time.Millisecond; d /= 2 {
				p.tidy(0, d)
			}
			// What cannot be helped must not keep a processor busy.
			select {
			case <-p.stop:
				return
			case <-time.After(pressureRest):
			}
		}
	}
}

// tidy compresses and stores states that have been idle for these times, and returns how many.
func (p *parking) tidy(compress, put time.Duration) (n int) {
	p.tidying.Lock()
	defer p.tidying.Unlock()
	var storeErr error
	defer func() { p.tidied(n, storeErr) }()
	now := time.Now()
	n = p.each(func(e *entry) bool { return e.form == formRaw && e.used <= now.Add(-compress).UnixNano() }, p.pack)
	if p.cfg.Store == nil || now.Before(p.again) {
		return n
	}
	var work sync.WaitGroup
	free := make(chan struct{}, storers)
	var failed atomic.Pointer[error]
	n += p.each(func(e *entry) bool {
		return (e.form == formPacked || e.form == formDense) && e.used <= now.Add(-put).UnixNano()
	}, func(number uint32) bool {
		if failed.Load() != nil {
			return false
		}
		free <- struct{}{}
		work.Go(func() {
			defer func() { <-free }()
			ctx, cancel := context.WithTimeout(p.ctx, storeTime)
			defer cancel()
			if err := p.put(ctx, number); err != nil {
				failed.Store(&err)
			}
		})
		return true
	})
	work.Wait()
	if err := failed.Load(); err != nil && p.ctx.Err() == nil {
		p.again, storeErr = now.Add(storeRest), *err
		p.log.Warn("spore: the store of parked instances failed", slog.Any("error", *err))
	}
	return n
}

// each calls do with the numbers of the states that are wanted, and returns how often that did something.
func (p *parking) each(want func(*entry) bool, do func(number uint32) bool) (n int) {
	const batch = 1024
	var numbers [batch]uint32
	for i, more := 1, true; more; i += batch {
		found := numbers[:0]
		p.mu.RLock()
		for j := i; j < min(i+batch, len(p.entries)); j++ {
			if e := &p.entries[j]; e.refs > 0 && want(e) {
				found = append(found, uint32(j))
			}
		}
		more = i+batch < len(p.entries)
		p.mu.RUnlock()
		for _, number := range found {
			select {
			case <-p.stop:
				return n
			default:
			}
			p.begin()
			if do(number) {
				n++
			}
		}
	}
	return n
}

// begin tells the tracer that states are about to be moved, once a pass, and tidied that n
// have been. p.tidying is held.
func (p *parking) begin() {
	if p.tracer != nil && p.end == nil {
		_, p.end = p.tracer.Begin(context.Background(), Op{Kind: OpTidy})
	}
}

func (p *parking) tidied(n int, err error) {
	if p.end != nil {
		p.end(Outcome{Err: err, Moved: n})
		p.end = nil
	}
}

// raw returns what is kept of a state in memory, if it has the form.
func (p *parking) raw(number uint32, forms ...form) (e entry, b []byte) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	e = p.entries[number]
	for _, f := range forms {
		if e.refs > 0 && e.form == f {
			b, err := p.slab.Get(nil, e.handle)
			if err != nil {
				return e, nil
			}
			return e, b
		}
	}
	return e, nil
}

// replace makes next of the state that was e, unless that is gone meanwhile.
func (p *parking) replace(number uint32, e, next entry) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := &p.entries[number]
	if now.refs == 0 || now.handle != e.handle || now.form != e.form {
		return false
	}
	next.refs = now.refs
	if next.form != formDense {
		p.forget(now)
	}
	switch next.form {
	case formPacked:
		p.packed++
	case formStored:
		p.stored++
	}
	*now = next
	return true
}

// pack compresses a state, if it is still there and that pays.
func (p *parking) pack(number uint32) bool {
	e, raw := p.raw(number, formRaw)
	if raw == nil {
		return false
	}
	next := e
	next.form = formDense
	if len(raw) >= packFrom {
		if b := p.enc.EncodeAll(raw, make([]byte, 0, len(raw))); len(b) < len(raw)/8*7 {
			h, err := p.slab.Put(b)
			if err != nil {
				return false
			}
			next.handle, next.form = h, formPacked
		}
	}
	done := p.replace(number, e, next)
	if !done && next.form == formPacked {
		p.slab.Free(next.handle)
	}
	return done && next.form == formPacked
}

// newSeal returns a cipher with a key that nobody else has.
func newSeal() (cipher.AEAD, error) {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// nonce returns the nonce of an object, whose number is used once with a key.
func (p *parking) nonce(object uint64) []byte {
	return binary.LittleEndian.AppendUint64(make([]byte, p.seal.NonceSize()-8, p.seal.NonceSize()), object)
}

func (p *parking) key(object uint64) string { return fmt.Sprintf("parked/%s/%d", p.name, object) }

// put moves a state to the store.
func (p *parking) put(ctx context.Context, number uint32) error {
	e, b := p.raw(number, formPacked, formDense)
	if b == nil {
		return nil
	}
	p.mu.Lock()
	p.last++
	object := p.last
	p.mu.Unlock()
	b = p.seal.Seal(nil, p.nonce(object), append(b, byte(e.form)), nil)
	_, err := p.cfg.Store.Put(ctx, p.key(object), b, store.Absent)
	next := e
	next.form, next.object = formStored, object
	if err != nil || !p.replace(number, e, next) {
		p.mu.Lock() // it may be there in spite of the error
		p.garbage = append(p.garbage, object)
		p.mu.Unlock()
	}
	if err != nil {
		return fmt.Errorf("engine: park an instance: %w", err)
	}
	return nil
}

// fetch appends a state from the store to dst.
func (p *parking) fetch(ctx context.Context, object uint64, dst []byte) ([]byte, error) {
	sealed, _, err := p.cfg.Store.Get(ctx, p.key(object))
	if err != nil {
		return nil, fmt.Errorf("engine: parked instance: %w", err)
	}
	b, err := p.seal.Open(nil, p.nonce(object), sealed, nil)
	if err != nil || len(b) == 0 {
		return nil, fmt.Errorf("engine: parked instance: %w", store.ErrCorrupt)
	}
	b, was := b[:len(b)-1], form(b[len(b)-1])
	if was == formPacked {
		return p.dec.DecodeAll(b, dst)
	}
	return append(dst, b...), nil
}

// sweep deletes what is not needed any more from the store, as far as that can be done in storeTime.
func (p *parking) sweep(ctx context.Context) {
	p.mu.Lock()
	garbage := p.garbage
	p.garbage = nil
	p.mu.Unlock()
	if len(garbage) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	for i, object := range garbage {
		key := p.key(object)
		_, version, err := p.cfg.Store.Get(ctx, key)
		if err == nil || errors.Is(err, store.ErrCorrupt) {
			err = p.cfg.Store.Delete(ctx, key, version)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			if p.ctx.Err() == nil || ctx.Err() == nil {
				p.log.Warn("spore: the store of parked instances failed", slog.Any("error", err))
			}
			p.mu.Lock()
			p.garbage = append(append(p.garbage, garbage[i+1:]...), object) // for the next time
			p.mu.Unlock()
			return
		}
	}
}
