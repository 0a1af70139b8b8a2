package kv

import (
	"context"
	"strings"
	"time"

	"github.com/sporeengine/spore/hostfuncs"
)

const (
	// rememberedWrites is how many writes of a space are remembered by their
	// idempotency keys, so that they are not made twice.
	rememberedWrites = 256
	// sweepStep is how many expired items an update removes, more than it can add.
	sweepStep = 16
	// scanStep is how many items are read at once.
	scanStep = 128
)

// A space is an update, or a view, of one space.
type space struct {
	tx     Tx
	limits *Options
	now    uint64 // unix time in milliseconds
	key    string // idempotency key of the caller, may be empty

	totals totals // only in updates
}

// update calls fn with the totals read and the first expired items removed, and stores
// the totals. An error of fn for guests does not undo what is done by then.
func (o *Options) update(ctx context.Context, fn func(*space) error) error {
	var shown error
	err := o.Backend.Update(ctx, o.space(ctx), func(tx Tx) error {
		shown = nil // of a call before this one
		s := space{tx: tx, limits: o, now: now(), key: hostfuncs.CallerOf(ctx).Key}
		b, err := tx.Get(totalsKey)
		if err != nil {
			return err
		}
		if s.totals, err = decodeTotals(b); err != nil {
			return err
		}
		before := s.totals
		if err := s.sweep(sweepStep); err != nil {
			return err
		}
		if err := fn(&s); err != nil {
			if _, ok := err.(*hostfuncs.Error); !ok {
				return err
			}
			shown = err
		}
		if s.totals == before {
			return nil
		}
		return tx.Put(totalsKey, s.totals.encode())
	})
	if err != nil {
		return err
	}
	return shown
}

func (o *Options) view(ctx context.Context, fn func(*space) error) error {
	return o.Backend.View(ctx, o.space(ctx), func(tx Tx) error { return fn(&space{tx: tx, limits: o, now: now()}) })
}

func now() uint64 { return uint64(time.Now().UnixMilli()) }

// item returns an item that has not expired. It shares memory with the transaction.
func (s *space) item(key string) (item, error) {
	b, err := s.tx.Get(itemPrefix + key)
	if err != nil {
		return item{}, err
	}
	it, err := decodeItem(b)
	if err != nil || s.expired(it) {
		return item{}, err
	}
	return it, nil
}

func (s *space) expired(it item) bool { return it.expires != 0 && it.expires <= s.now }

// remove removes an item, expired or not, and reports whether there was one.
func (s *space) remove(key string) (bool, error) {
	b, err := s.tx.Get(itemPrefix + key)
	if b == nil || err != nil {
		return false, err
	}
	it, err := decodeItem(b)
	if err != nil {
		return false, err
	}
	if it.expires != 0 {
		if err := s.tx.Delete(endKey(it.expires, key)); err != nil {
			return false, err
		}
	}
	s.totals.keys--
	s.totals.bytes -= it.bytes(key)
	return true, s.tx.Delete(itemPrefix + key)
}

// sweep removes up to n expired items.
func (s *space) sweep(n int) error {
	for n > 0 {
		ends, err := s.tx.Scan(endPrefix, min(n, scanStep))
		if err != nil || len(ends) == 0 {
			return err
		}
		for _, p := range ends {
			expires, key, ok := parseEndKey(p.Key)
			if !ok || expires > s.now {
				return nil
			}
			if _, err := s.remove(key); err != nil {
				return err
			}
			n--
		}
	}
	return nil
}

// put stores an item, in place of another, and returns its version.
func (s *space) put(key string, it item) (uint64, error) {
	if _, err := s.remove(key); err != nil {
		return 0, err
	}
	s.totals.keys++
	s.totals.bytes += it.bytes(key)
	s.totals.version++
	it.version = s.totals.version
	if err := s.tx.Put(itemPrefix+key, it.encode()); err != nil {
		return 0, err
	}
	if it.expires != 0 {
		return it.version, s.tx.Put(endKey(it.expires, key), []byte{1})
	}
	return it.version, nil
}

// current is like item, and removes an item that has expired.
func (s *space) current(key string) (item, error) {
	it, err := s.item(key)
	if err == nil && it.version == 0 {
		_, err = s.remove(key)
	}
	return it, err
}

// fits reports whether there is room for an item in place of another, the current one.
func (s *space) fits(key string, old, it item) bool {
	keys, bytes := s.totals.keys, s.totals.bytes
	if old.version != 0 {
		keys, bytes = keys-1, bytes-old.bytes(key)
	}
	return keys+1 <= uint64(s.limits.MaxKeys) && bytes+it.bytes(key) <= uint64(s.limits.MaxBytes)
}

// done returns the result of the caller's write if it has been made already.
func (s *space) done() (result uint64, ok bool, err error) {
	if s.key == "" {
		return 0, false, nil
	}
	b, err := s.tx.Get(donePrefix + s.key)
	if b == nil || err != nil {
		return 0, false, err
	}
	r := reader{rest: b}
	result = r.number()
	return result, true, r.end()
}

// remember notes the result of the caller's write, in place of an old one.
func (s *space) remember(result uint64) error {
	if s.key == "" {
		return nil
	}
	slot := ringKey(s.totals.writes)
	s.totals.writes++
	old, err := s.tx.Get(slot)
	if err != nil {
		return err
	}
	if old != nil {
		if err := s.tx.Delete(donePrefix + string(old)); err != nil {
			return err
		}
	}
	if err := s.tx.Put(slot, []byte(s.key)); err != nil {
		return err
	}
	return s.tx.Put(donePrefix+s.key, appendNumbers(nil, result))
}

// list returns up to n items whose keys begin with prefix and come behind after, and
// whether there are more.
func (s *space) list(prefix, after string, n int) (out []listed, more bool, err error) {
	out = []listed{}
	from := itemPrefix + max(prefix, after)
	if after >= prefix && after != "" {
		from += "\x00"
	}
	for {
		pairs, err := s.tx.Scan(from, scanStep)
		if err != nil {
			return nil, false, err
		}
		for _, p := range pairs {
			key, ok := strings.CutPrefix(p.Key, itemPrefix)
			if !ok || !strings.HasPrefix(key, prefix) {
				return out, false, nil
			}
			it, err := decodeItem(p.Value)
			if err != nil {
				return nil, false, err
			}
			if s.expired(it) {
				continue
			}
			if len(out) == n {
				return out, true, nil
			}
			out = append(out, listed{Key: key, Version: it.version, Bytes: uint64(it.value.Size())})
		}
		if len(pairs) < scanStep {
			return out, false, nil
		}
		from = pairs[len(pairs)-1].Key + "\x00"
	}
}
