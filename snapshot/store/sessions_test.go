package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/snapshot"
	"github.com/sporeengine/spore/snapshot/store"
)

// A clock is one that tests set.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func key(id uint32) store.Key {
	k := store.Key{ID: id}
	for i := range k.Secret {
		k.Secret[i] = byte(int(id) + i*7 + 1)
	}
	return k
}

func newSessions(t testing.TB, s store.Store, c *clock, keys ...store.Key) *store.Sessions {
	t.Helper()
	if keys == nil {
		keys = []store.Key{key(1)}
	}
	ss, err := store.NewSessions(store.SessionsConfig{Store: s, Keys: keys, Now: c.now})
	require.NoError(t, err)
	return ss
}

func session(id string, c *clock) store.Record {
	return store.Record{
		Tenant: "acme", ID: id, Component: snapshot.Digest{1, 2, 3},
		Expires: c.now().Add(time.Hour).Truncate(time.Millisecond), Payload: []byte("state of " + id),
	}
}

var acme = store.Want{Tenant: "acme"}

// TestSessionLife takes a session once around the state machine.
func TestSessionLife(t *testing.T) {
	ctx, c := t.Context(), newClock()
	ss := newSessions(t, store.NewMem(1<<20), c)
	r := session("one", c)
	t1, err := ss.Save(ctx, r)
	require.NoError(t, err)
	_, err = ss.Save(ctx, r)
	require.ErrorIs(t, err, store.ErrExists)

	l, err := ss.Take(ctx, t1, store.Want{Tenant: "acme", Component: r.Component})
	require.NoError(t, err)
	got := l.Record()
	require.True(t, got.Expires.Equal(r.Expires))
	got.Expires = r.Expires
	require.Equal(t, r, got)
	require.EqualValues(t, 1, l.Generation())
	require.Equal(t, c.now().Add(store.DefaultLease), l.Until())

	// It runs: nobody else can have it.
	_, err = ss.Take(ctx, t1, acme)
	var taken *store.TakenError
	require.ErrorAs(t, err, &taken)
	require.ErrorIs(t, err, store.ErrTaken)
	require.Equal(t, "one", taken.ID)
	require.WithinDuration(t, l.Until(), taken.Until, 2*time.Millisecond)
	_, err = ss.Recover(ctx, "acme", "one")
	require.ErrorIs(t, err, store.ErrTaken)
	_, err = ss.Save(ctx, r)
	require.ErrorIs(t, err, store.ErrExists)

	c.add(50 * time.Second)
	require.NoError(t, l.Renew(ctx))
	require.Equal(t, c.now().Add(store.DefaultLease), l.Until())
	c.add(50 * time.Second)
	_, err = ss.Recover(ctx, "acme", "one")
	require.ErrorIs(t, err, store.ErrTaken)

	next := store.Record{Component: snapshot.Digest{9}, Expires: r.Expires.Add(time.Hour), Payload: []byte("second state")}
	t2, err := l.Save(ctx, next)
	require.NoError(t, err)
	require.NotEqual(t, t1, t2)
	require.True(t, l.Until().IsZero())
	for name, f := range map[string]func() error{
		"renew":      func() error { return l.Renew(ctx) },
		"checkpoint": func() error { return l.Checkpoint(ctx, nil) },
		"save":       func() error { _, err := l.Save(ctx, next); return err },
		"release":    func() error { _, err := l.Release(ctx); return err },
		"delete":     func() error { return l.Delete(ctx) },
	} {
		require.ErrorIs(t, f(), store.ErrLost, name)
	}

	_, err = ss.Take(ctx, t1, acme)
	require.ErrorIs(t, err, store.ErrTaken)
	l, err = ss.Take(ctx, t2, acme)
	require.NoError(t, err)
	require.EqualValues(t, 2, l.Generation())
	require.Equal(t, []byte("second state"), l.Record().Payload)
	require.Equal(t, snapshot.Digest{9}, l.Record().Component)
	t3, err := l.Release(ctx)
	require.NoError(t, err)

	l, err = ss.Take(ctx, t3, acme)
	require.NoError(t, err)
	require.Equal(t, []byte("second state"), l.Record().Payload)
	require.NoError(t, l.Delete(ctx))
	_, err = ss.Take(ctx, t3, acme)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.ErrorIs(t, ss.Delete(ctx, "acme", "one"), store.ErrNotFound)
}

// TestSessionRecover lets takers die, and those that only seemed dead come back.
func TestSessionRecover(t *testing.T) {
	ctx, c := t.Context(), newClock()
	ss := newSessions(t, store.NewMem(1<<20), c)
	t1, err := ss.Save(ctx, session("one", c))
	require.NoError(t, err)
	dead, err := ss.Take(ctx, t1, acme)
	require.NoError(t, err)
	require.NoError(t, dead.Checkpoint(ctx, []byte("checkpoint")))

	// Not before the lease has ended on the slowest clock.
	c.add(store.DefaultLease + store.DefaultMaxSkew - time.Millisecond)
	_, err = ss.Recover(ctx, "acme", "one")
	require.ErrorIs(t, err, store.ErrTaken)
	c.add(2 * time.Millisecond)
	// The token that was used stays used.
	_, err = ss.Take(ctx, t1, acme)
	require.ErrorIs(t, err, store.ErrTaken)
	t2, err := ss.Recover(ctx, "acme", "one")
	require.NoError(t, err)

	require.ErrorIs(t, dead.Renew(ctx), store.ErrLost)
	_, err = dead.Save(ctx, session("one", c))
	require.ErrorIs(t, err, store.ErrLost)
	require.True(t, dead.Until().IsZero())

	l, err := ss.Take(ctx, t2, acme)
	require.NoError(t, err)
	require.Equal(t, []byte("checkpoint"), l.Record().Payload)
	require.EqualValues(t, 2, l.Generation())

	// A lease that has ended can still be saved if nobody has recovered.
	c.add(time.Hour / 2)
	t3, err := l.Release(ctx)
	require.NoError(t, err)

	// A token that got lost on its way is replaced by a new one.
	t4, err := ss.Recover(ctx, "acme", "one")
	require.NoError(t, err)
	_, err = ss.Take(ctx, t3, acme)
	require.ErrorIs(t, err, store.ErrTaken)
	_, err = ss.Take(ctx, t4, acme)
	require.NoError(t, err)

	_, err = ss.Recover(ctx, "acme", "two")
	require.ErrorIs(t, err, store.ErrNotFound)
}

// TestSessionExpiry waits until sessions have expired.
func TestSessionExpiry(t *testing.T) {
	ctx, c := t.Context(), newClock()
	mem := store.NewMem(1 << 20)
	ss := newSessions(t, mem, c)
	tokens := map[string]store.Token{}
	for _, id := range []string{"parked", "running", "replaced", "forever"} {
		r := session(id, c)
		if id == "forever" {
			r.Expires = time.Time{}
		}
		var err error
		tokens[id], err = ss.Save(ctx, r)
		require.NoError(t, err)
	}
	late := session("late", c)
	late.Expires = c.now()
	_, err := ss.Save(ctx, late)
	require.ErrorIs(t, err, store.ErrExpired)

	c.add(time.Hour - time.Second)
	l, err := ss.Take(ctx, tokens["running"], acme)
	require.NoError(t, err)
	c.add(time.Second)
	_, err = ss.Take(ctx, tokens["parked"], acme)
	require.ErrorIs(t, err, store.ErrExpired)
	_, err = ss.Recover(ctx, "acme", "parked")
	require.ErrorIs(t, err, store.ErrExpired)
	_, err = ss.Save(ctx, session("replaced", c))
	require.NoError(t, err)
	_, err = ss.Save(ctx, session("running", c))
	require.ErrorIs(t, err, store.ErrExists, "it runs")

	n, err := ss.Sweep(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, n, "parked")
	// Who runs it can prolong its life.
	r := l.Record()
	r.Expires = c.now().Add(time.Hour)
	_, err = l.Save(ctx, r)
	require.NoError(t, err)

	var left []string
	for st, err := range ss.List(ctx) {
		require.NoError(t, err)
		left = append(left, st.ID)
	}
	require.ElementsMatch(t, []string{"running", "replaced", "forever"}, left)

	c.add(1000 * 24 * time.Hour)
	n, err = ss.Sweep(ctx)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	_, err = ss.Take(ctx, tokens["forever"], acme)
	require.NoError(t, err)
}

// TestSessionForeign moves records to where they do not belong, and asks for them
// as someone else.
func TestSessionForeign(t *testing.T) {
	ctx, c := t.Context(), newClock()
	mem := store.NewMem(1 << 20)
	ss := newSessions(t, mem, c)
	foreign := func(err error, what string) {
		t.Helper()
		var f *store.ForeignError
		require.ErrorAs(t, err, &f)
		require.ErrorIs(t, err, store.ErrForeign)
		require.Equal(t, what, f.What)
	}
	token, err := ss.Save(ctx, session("one", c))
	require.NoError(t, err)
	_, err = ss.Take(ctx, token, store.Want{Tenant: "evil"})
	foreign(err, "tenant")
	_, err = ss.Take(ctx, token, store.Want{Tenant: "acme", Component: snapshot.Digest{7}})
	foreign(err, "component")

	// None of this has used the token up.
	l, err := ss.Take(ctx, token, acme)
	require.NoError(t, err)
	_, err = l.Save(ctx, store.Record{Tenant: "evil"})
	foreign(err, "tenant")
	_, err = l.Save(ctx, store.Record{ID: "two"})
	foreign(err, "session")
	_, err = l.Release(ctx)
	require.NoError(t, err)

	// Whoever can write to the store copies the record over others.
	r := session("one", c)
	r.Tenant = "other"
	_, err = ss.Save(ctx, r)
	require.NoError(t, err)
	_, err = ss.Save(ctx, session("two", c))
	require.NoError(t, err)
	b, _, err := mem.Get(ctx, store.SessionKey("acme", "one"))
	require.NoError(t, err)
	for _, name := range [][2]string{{"other", "one"}, {"acme", "two"}} {
		at := store.SessionKey(name[0], name[1])
		_, v, err := mem.Get(ctx, at)
		require.NoError(t, err)
		_, err = mem.Put(ctx, at, b, v)
		require.NoError(t, err)
	}
	_, err = ss.Recover(ctx, "other", "one")
	foreign(err, "tenant")
	_, err = ss.Recover(ctx, "acme", "two")
	foreign(err, "session")
	good, bad := 0, 0
	for _, err := range ss.List(ctx) {
		if err != nil {
			require.ErrorIs(t, err, store.ErrForeign)
			bad++
		} else {
			good++
		}
	}
	require.Equal(t, [2]int{1, 2}, [2]int{good, bad})
	require.NoError(t, ss.Delete(ctx, "acme", "two"), "the embedder can get rid of it")
}

// TestSessionTampered changes every byte of a record and cuts it everywhere.
func TestSessionTampered(t *testing.T) {
	ctx, c := t.Context(), newClock()
	mem := store.NewMem(1 << 20)
	ss := newSessions(t, mem, c)
	token, err := ss.Save(ctx, session("one", c))
	require.NoError(t, err)
	at := store.SessionKey("acme", "one")
	whole, v, err := mem.Get(ctx, at)
	require.NoError(t, err)
	require.NotContains(t, string(whole), "acme")
	require.NotContains(t, string(whole), "state")
	try := func(name string, b []byte, want ...error) {
		t.Helper()
		v, err = mem.Put(ctx, at, b, v)
		require.NoError(t, err)
		_, err := ss.Take(ctx, token, acme)
		for _, w := range want {
			if errors.Is(err, w) {
				return
			}
		}
		t.Fatalf("%s: %v", name, err)
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		want := store.ErrAuth
		if i < 12 { // magic and version
			want = store.ErrFormat
		}
		try(fmt.Sprintf("byte %d", i), b, want)
		try(fmt.Sprintf("cut at %d", i), whole[:i], store.ErrFormat, store.ErrAuth)
	}
	try("longer", append(bytes.Clone(whole), 0), store.ErrAuth)
	for _, err := range ss.List(ctx) {
		require.ErrorIs(t, err, store.ErrAuth)
	}
	n, err := ss.Sweep(ctx)
	require.ErrorIs(t, err, store.ErrAuth)
	require.Zero(t, n)

	_, err = mem.Put(ctx, at, whole, v)
	require.NoError(t, err)
	_, err = ss.Take(ctx, token, acme)
	require.NoError(t, err)
}

func TestSessionKeys(t *testing.T) {
	ctx, c := t.Context(), newClock()
	mem := store.NewMem(1 << 20)
	old := newSessions(t, mem, c, key(1))
	token, err := old.Save(ctx, session("one", c))
	require.NoError(t, err)

	both := newSessions(t, mem, c, key(2), key(1))
	l, err := both.Take(ctx, token, acme)
	require.NoError(t, err)
	token, err = l.Release(ctx) // sealed with the new key
	require.NoError(t, err)
	_, err = old.Take(ctx, token, acme)
	require.ErrorIs(t, err, store.ErrAuth)
	wrong := key(3)
	wrong.ID = 2
	_, err = newSessions(t, mem, c, wrong).Take(ctx, token, acme)
	require.ErrorIs(t, err, store.ErrAuth)
	_, err = newSessions(t, mem, c, key(2)).Take(ctx, token, acme)
	require.NoError(t, err)

	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		require.Equal(t, "store.Key 2", fmt.Sprintf(verb, key(2)))
	}
	for name, cfg := range map[string]store.SessionsConfig{
		"no key":   {Store: mem},
		"zero key": {Store: mem, Keys: []store.Key{{ID: 1}}},
		"twice":    {Store: mem, Keys: []store.Key{key(1), key(1)}},
		"no store": {Keys: []store.Key{key(1)}},
		"negative": {Store: mem, Keys: []store.Key{key(1)}, Lease: -1},
		"too much": {Store: mem, Keys: []store.Key{key(1)}, MaxPayload: store.MaxValueBytes},
	} {
		_, err := store.NewSessions(cfg)
		require.Error(t, err, name)
	}
}

// TestSessionNames uses tenants and IDs that would be bad keys, and tells apart
// those that would be equal if they were only put together.
func TestSessionNames(t *testing.T) {
	ctx, c := t.Context(), newClock()
	ss := newSessions(t, store.NewMem(1<<20), c)
	names := [][2]string{
		{"", "a"}, {"a", "b"}, {"ab", "c"}, {"a", "bc"}, {"../..", "/etc/passwd"}, {"\x00", "\xff"},
		{strings.Repeat("ü", 127), strings.Repeat("x", store.MaxNameBytes)},
	}
	for _, n := range names {
		token, err := ss.Save(ctx, store.Record{Tenant: n[0], ID: n[1]})
		require.NoError(t, err)
		l, err := ss.Take(ctx, token, store.Want{Tenant: n[0]})
		require.NoError(t, err)
		require.Equal(t, n[1], l.Record().ID)
		_, err = l.Release(ctx)
		require.NoError(t, err)
	}
	n := 0
	for st, err := range ss.List(ctx, "a") {
		require.NoError(t, err)
		require.Equal(t, "a", st.Tenant)
		n++
	}
	require.Equal(t, 2, n)
	for _, r := range []store.Record{{}, {ID: strings.Repeat("x", 256)}, {Tenant: strings.Repeat("x", 256), ID: "a"}} {
		_, err := ss.Save(ctx, r)
		require.Error(t, err)
	}
	_, err := ss.Save(ctx, store.Record{ID: "big", Payload: make([]byte, store.DefaultMaxPayload+1)})
	require.ErrorIs(t, err, store.ErrTooLarge)
	for _, token := range []store.Token{"", "x", store.Token(strings.Repeat("A", 76)), store.Token(strings.Repeat("=", 76))} {
		_, err := ss.Take(ctx, token, acme)
		require.ErrorIs(t, err, store.ErrToken)
	}
}

// TestSessionTakers has goroutines take one token: one gets it.
func TestSessionTakers(t *testing.T) {
	ctx, c := t.Context(), newClock()
	for name, s := range map[string]store.Store{"mem": store.NewMem(1 << 20), "dir": openDir(t, t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			ss := newSessions(t, s, c)
			token, err := ss.Save(ctx, session("one", c))
			require.NoError(t, err)
			for range 20 {
				var mu sync.Mutex
				var wg sync.WaitGroup
				var got []*store.Lease
				for range 8 {
					wg.Go(func() {
						l, err := ss.Take(ctx, token, acme)
						mu.Lock()
						defer mu.Unlock()
						if err == nil {
							got = append(got, l)
						} else if !errors.Is(err, store.ErrTaken) {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				require.Len(t, got, 1)
				token, err = got[0].Release(ctx)
				require.NoError(t, err)
			}
		})
	}
}
