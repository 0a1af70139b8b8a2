package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/sporeengine/spore/snapshot"
)

// Errors of [Sessions], besides those of sealed records and of the store.
var (
	// ErrExists means that there is a session of this tenant and ID.
	ErrExists = errors.New("store: session exists")

	// ErrTaken means that a token is not that of the session any more: it was
	// used, or replaced by Save or Recover. (Or it never was: forged ones cannot
	// be told from old ones.) While the session runs the error is a
	// [*TakenError].
	ErrTaken = errors.New("store: session was taken")

	// ErrLost means that a lease is over: it was saved, released or deleted, or
	// it ended and someone else has recovered or deleted the session, whose state
	// is now theirs.
	ErrLost = errors.New("store: lease is over")
)

// A TakenError says that a session runs, and until when its lease goes if it is
// not renewed. It matches [ErrTaken].
type TakenError struct {
	Tenant, ID string
	Until      time.Time // Recover succeeds after this and SessionsConfig.MaxSkew
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("store: session runs elsewhere, until %s unless its lease is renewed", e.Until.UTC().Format(time.RFC3339))
}

// Is reports whether target is ErrTaken.
func (e *TakenError) Is(target error) bool { return target == ErrTaken }

// SessionsConfig configures [NewSessions].
type SessionsConfig struct {
	// Store is where sessions are kept. It stays the caller's to close.
	Store Store

	// Keys seal and open records: the first seals, all open. To change the key,
	// put a new one first, and drop the old one when every record that it has
	// sealed was saved again or has expired.
	Keys []Key

	// Lease is how long a session that was taken stays so without being renewed.
	// 0 means one minute.
	Lease time.Duration

	// MaxSkew is by how much the clocks of two machines that use the store can
	// differ, and how long a process may need to notice that its lease has
	// ended. 0 means five seconds.
	MaxSkew time.Duration

	// MaxPayload is the length in bytes of the longest payload. 0 means 64 MiB.
	MaxPayload int

	// Now is the clock. nil means time.Now.
	Now func() time.Time
}

// Defaults of SessionsConfig.
const (
	DefaultLease      = time.Minute
	DefaultMaxSkew    = 5 * time.Second
	DefaultMaxPayload = 64 << 20
)

// Sessions keeps sessions in a store, sealed, and sees to it that each runs in
// one place at a time. The package comment has the rules. It is safe for
// concurrent use.
type Sessions struct {
	cfg  SessionsConfig
	keys keyring
}

// NewSessions returns the sessions in cfg.Store, which the caller may share with
// other uses: their keys begin with "sessions/".
func NewSessions(cfg SessionsConfig) (*Sessions, error) {
	keys, err := newKeyring(cfg.Keys)
	if err != nil {
		return nil, err
	}
	if cfg.Store == nil {
		return nil, errors.New("store: no store")
	}
	if cfg.Lease < 0 || cfg.MaxSkew < 0 || cfg.MaxPayload < 0 || cfg.MaxPayload > MaxValueBytes/2 {
		return nil, fmt.Errorf("store: lease %v, skew %v, payload of %d bytes (at most %d)", cfg.Lease, cfg.MaxSkew, cfg.MaxPayload, MaxValueBytes/2)
	}
	if cfg.Lease == 0 {
		cfg.Lease = DefaultLease
	}
	if cfg.MaxSkew == 0 {
		cfg.MaxSkew = DefaultMaxSkew
	}
	if cfg.MaxPayload == 0 {
		cfg.MaxPayload = DefaultMaxPayload
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Keys = nil
	return &Sessions{cfg, keys}, nil
}

// Save makes a session, parked, and returns the token that takes it. It does not
// keep r.Payload. Errors: ErrExists, ErrExpired, ErrTooLarge, those of the store,
// and those of opening a record if there is one in the way. If the store leaves
// open whether it has written, so does Save, and Recover gives a token if it has.
func (s *Sessions) Save(ctx context.Context, r Record) (Token, error) {
	now := s.cfg.Now()
	if err := r.check(s.cfg.MaxPayload, now); err != nil {
		return "", err
	}
	p := placeOf(r.Tenant, r.ID)
	c := &cell{store: s.cfg.Store, key: p.key()}
	token, hash := newToken(p)
	next := &record{Record: r, state: parked, token: hash}
	err := s.write(ctx, c, next)
	if errors.Is(err, ErrConflict) {
		// A session that has expired is in nobody's way.
		old, v, readErr := s.read(ctx, p)
		switch {
		case errors.Is(readErr, ErrNotFound): // deleted since
		case readErr != nil:
			return "", readErr
		case old.expired(now) && !old.runs(now, s.cfg.MaxSkew):
			c.version = v
			err = s.write(ctx, c, next)
		}
	}
	if errors.Is(err, ErrConflict) {
		return "", fmt.Errorf("%w: %w", ErrExists, err)
	}
	if err != nil {
		return "", err
	}
	return token, nil
}

// write seals r and swaps it in.
func (s *Sessions) write(ctx context.Context, c *cell, r *record) error {
	b, err := s.keys.seal(r)
	if err != nil {
		return err
	}
	return c.swap(ctx, b)
}

// read returns the record at p and its version. It checks that it is one of this
// place, and neither the clock nor the state.
func (s *Sessions) read(ctx context.Context, p place) (*record, Version, error) {
	b, v, err := s.cfg.Store.Get(ctx, p.key())
	if err != nil {
		return nil, v, err
	}
	r, err := s.keys.open(b)
	if err != nil {
		return nil, v, fmt.Errorf("%s: %w", p.key(), err)
	}
	switch is := placeOf(r.Tenant, r.ID); {
	case is == p:
		return r, v, nil
	case is.tenantPrefix() != p.tenantPrefix():
		return nil, v, &ForeignError{"tenant"}
	}
	return nil, v, &ForeignError{"session"}
}

// runs reports whether someone may be running the session.
func (r *record) runs(now time.Time, skew time.Duration) bool {
	return r.state == running && now.Before(time.UnixMilli(r.until).Add(skew))
}

func (r *record) taken() error {
	return &TakenError{Tenant: r.Tenant, ID: r.ID, Until: time.UnixMilli(r.until)}
}

// A Want is what the session must be that a token takes.
type Want struct {
	// Tenant is the tenant on whose behalf it is taken.
	Tenant string

	// Component, unless it is zero, is the component that is to continue it.
	Component snapshot.Digest
}

// Take takes the session of a token: nobody else can until the lease ends, or is
// saved or released. The token is used up, unless there is an error. Errors:
// ErrToken, ErrNotFound, ErrTaken, ErrForeign, ErrExpired, ErrAuth, ErrFormat,
// those of the store. If the store leaves open whether it has written, the
// session may be taken for the time of a lease, and Recover then gives a token.
func (s *Sessions) Take(ctx context.Context, token Token, want Want) (*Lease, error) {
	p, secret, err := token.parse()
	if err != nil {
		return nil, err
	}
	r, v, err := s.read(ctx, p)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	switch {
	case !sameSecret(r.token, secret):
		return nil, ErrTaken
	case r.Tenant != want.Tenant:
		return nil, &ForeignError{"tenant"}
	case r.state == running:
		return nil, r.taken()
	case r.expired(now):
		return nil, ErrExpired
	case want.Component != snapshot.Digest{} && want.Component != r.Component:
		return nil, &ForeignError{"component"}
	}
	r.state = running
	r.generation++
	l := &Lease{s: s, place: p, cell: cell{store: s.cfg.Store, key: p.key(), version: v}, record: r}
	if err := l.extend(ctx, now, r.Record); err != nil {
		if errors.Is(err, ErrConflict) {
			return nil, fmt.Errorf("%w: %w", ErrTaken, err)
		}
		return nil, err
	}
	return l, nil
}

// Recover makes a new token for a session whose token is lost: who took it has
// died, or who saved it died before anybody got the token. The state is the last
// that was saved, and an old token is void. It is for the embedder, who knows
// tenants and IDs, and not for who holds a token. Errors: ErrNotFound; a
// *TakenError while a lease may still go; ErrExpired, ErrAuth, ErrFormat,
// ErrForeign; ErrConflict if someone else was faster; those of the store.
func (s *Sessions) Recover(ctx context.Context, tenant, id string) (Token, error) {
	p := placeOf(tenant, id)
	r, v, err := s.read(ctx, p)
	if err != nil {
		return "", err
	}
	now := s.cfg.Now()
	if r.runs(now, s.cfg.MaxSkew) {
		return "", r.taken()
	}
	if r.expired(now) {
		return "", ErrExpired
	}
	return s.park(ctx, p, &cell{store: s.cfg.Store, key: p.key(), version: v}, r)
}

// park writes r as parked and returns its token.
func (s *Sessions) park(ctx context.Context, p place, c *cell, r *record) (Token, error) {
	token, hash := newToken(p)
	r.state, r.until, r.token = parked, 0, hash
	if err := s.write(ctx, c, r); err != nil {
		return "", err
	}
	return token, nil
}

// Delete removes a session, parked or running, in whatever condition its record
// is. A lease on it is lost, which its holder notices at the next write: before
// its end, do not save another session under the same ID. Errors: ErrNotFound;
// ErrConflict if someone changed it at the same time; those of the store.
func (s *Sessions) Delete(ctx context.Context, tenant, id string) error {
	key := placeOf(tenant, id).key()
	_, v, err := s.cfg.Store.Get(ctx, key)
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return err
	}
	return s.cfg.Store.Delete(ctx, key, v)
}

// Status is what List says of a session.
type Status struct {
	Tenant, ID string
	Component  snapshot.Digest
	Expires    time.Time // zero: never
	Generation uint64    // how often it was taken
	Running    bool      // it was taken and not saved
	Until      time.Time // end of the lease if it is running
}

// List yields all sessions, or those of one tenant, in no particular order, the
// expired ones too. It reads each record. One that cannot be opened comes as an
// error, and List goes on; with an error of the store it ends.
func (s *Sessions) List(ctx context.Context, tenant ...string) iter.Seq2[Status, error] {
	return func(yield func(Status, error) bool) {
		for e, err := range s.all(ctx, tenant...) {
			st := Status{}
			if err == nil {
				r := e.record
				st = Status{r.Tenant, r.ID, r.Component, r.Expires, r.generation, r.state == running, fromMillis(r.until)}
			}
			if !yield(st, err) {
				return
			}
		}
	}
}

// listed is a record with what deletes it.
type listed struct {
	record  *record
	key     string
	version Version
}

func (s *Sessions) all(ctx context.Context, tenant ...string) iter.Seq2[listed, error] {
	prefixes := []string{sessionsPrefix}
	if len(tenant) > 0 {
		prefixes = nil
	}
	for _, t := range tenant {
		prefixes = append(prefixes, placeOf(t, "").tenantPrefix())
	}
	return func(yield func(listed, error) bool) {
		for _, prefix := range prefixes {
			for info, err := range s.cfg.Store.List(ctx, prefix) {
				if err != nil {
					yield(listed{}, err)
					return
				}
				b, v, err := s.cfg.Store.Get(ctx, info.Key)
				var r *record
				switch {
				case errors.Is(err, ErrNotFound):
					continue // deleted meanwhile
				case errors.Is(err, ErrCorrupt):
				case err != nil:
					yield(listed{}, err)
					return
				default:
					r, err = s.keys.open(b)
					if err == nil && placeOf(r.Tenant, r.ID).key() != info.Key {
						err = &ForeignError{"session"}
					}
				}
				if err != nil {
					err = fmt.Errorf("%s: %w", info.Key, err)
				}
				if !yield(listed{r, info.Key, v}, err) {
					return
				}
			}
		}
	}
}

// Sweep deletes the sessions that have expired and do not run, and returns how
// many. It reads each record. Records that cannot be opened are left alone; the
// first error is returned when all have been looked at.
func (s *Sessions) Sweep(ctx context.Context) (deleted int, first error) {
	for e, err := range s.all(ctx) {
		now := s.cfg.Now()
		if err == nil && e.record.expired(now) && !e.record.runs(now, s.cfg.MaxSkew) {
			err = s.cfg.Store.Delete(ctx, e.key, e.version)
			if errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
				continue // someone else has changed it
			}
			if err == nil {
				deleted++
			}
		}
		if err != nil && first == nil {
			first = err
		}
	}
	return deleted, first
}
