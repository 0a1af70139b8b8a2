package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/snapshot/store"
)

// faulty is a store that fails as it is told: before or after what it should do.
type faulty struct {
	store.Store
	before, after error
	failed        bool // Put has
}

func (f *faulty) Put(ctx context.Context, key string, data []byte, v store.Version) (store.Version, error) {
	if f.failed = f.before != nil; f.failed {
		return store.Absent, f.before
	}
	is, err := f.Store.Put(ctx, key, data, v)
	if f.failed = f.after != nil; f.failed {
		return store.Absent, f.after
	}
	return is, err
}

func (f *faulty) Get(ctx context.Context, key string) ([]byte, store.Version, error) {
	if f.failed && ctx.Value(blind{}) != nil {
		return nil, store.Absent, errors.New("no connection")
	}
	return f.Store.Get(ctx, key)
}

func (f *faulty) Delete(ctx context.Context, key string, v store.Version) error {
	err := f.Store.Delete(ctx, key, v)
	return errors.Join(f.after, err)
}

// blind marks a context with which nothing can be read after a Put that failed.
type blind struct{}

// TestSessionDoubt has a store that fails although it has written. As long as it
// can be asked, nothing is wrong; if it cannot, methods can be called again.
func TestSessionDoubt(t *testing.T) {
	ctx, c := t.Context(), newClock()
	dark := context.WithValue(ctx, blind{}, true)
	broken := errors.New("connection reset")
	f := &faulty{Store: store.NewMem(1 << 20)}
	ss := newSessions(t, f, c)

	for _, after := range []error{broken, store.ErrConflict} { // a client that asks again conflicts with itself
		f.after = after
		token, err := ss.Save(ctx, session("seen", c))
		require.NoError(t, err)
		l, err := ss.Take(ctx, token, acme)
		require.NoError(t, err)
		require.NoError(t, l.Checkpoint(ctx, []byte("next")))
		token, err = l.Release(ctx)
		require.NoError(t, err)
		f.after = nil
		l, err = ss.Take(ctx, token, acme)
		require.NoError(t, err)
		require.Equal(t, []byte("next"), l.Record().Payload)
		require.NoError(t, l.Delete(ctx))
	}

	f.after = broken
	_, err := ss.Save(dark, session("one", c))
	require.ErrorIs(t, err, broken)
	f.after = nil
	_, err = ss.Save(ctx, session("one", c))
	require.ErrorIs(t, err, store.ErrExists)
	token, err := ss.Recover(ctx, "acme", "one")
	require.NoError(t, err)
	l, err := ss.Take(ctx, token, acme)
	require.NoError(t, err)

	// Attempt after attempt is in doubt, and the last one counts.
	for _, f1 := range []struct{ before, after error }{{nil, broken}, {broken, nil}, {nil, broken}, {broken, broken}} {
		f.before, f.after = f1.before, f1.after
		require.ErrorIs(t, l.Checkpoint(dark, []byte("doubt")), broken)
		require.Error(t, l.Renew(dark))
		_, err = l.Save(dark, store.Record{Payload: []byte("saved in doubt")})
		require.ErrorIs(t, err, broken)
		require.True(t, l.Until().IsZero(), "it may be parked, so it must not run")
	}
	f.before, f.after = nil, nil
	require.NoError(t, l.Renew(ctx))
	require.False(t, l.Until().IsZero())
	token, err = l.Save(ctx, store.Record{Payload: []byte("last")})
	require.NoError(t, err)
	l, err = ss.Take(ctx, token, acme)
	require.NoError(t, err)
	require.Equal(t, []byte("last"), l.Record().Payload)

	// What was parked in doubt can be taken by others; then the lease is lost.
	f.after = broken
	_, err = l.Release(dark)
	require.ErrorIs(t, err, broken)
	f.after = nil
	_, err = ss.Recover(ctx, "acme", "one")
	require.NoError(t, err)
	_, err = l.Release(ctx)
	require.ErrorIs(t, err, store.ErrLost)

	// Take in doubt: the session is taken for the time of a lease.
	token, err = ss.Recover(ctx, "acme", "one")
	require.NoError(t, err)
	f.after = broken
	_, err = ss.Take(dark, token, acme)
	require.ErrorIs(t, err, broken)
	f.after = nil
	_, err = ss.Take(ctx, token, acme)
	require.ErrorIs(t, err, store.ErrTaken)
	c.add(store.DefaultLease + store.DefaultMaxSkew + time.Millisecond)
	token, err = ss.Recover(ctx, "acme", "one")
	require.NoError(t, err)

	// A full store changes nothing, and the lease stays.
	l, err = ss.Take(ctx, token, acme)
	require.NoError(t, err)
	f.before = store.ErrFull
	_, err = l.Save(ctx, store.Record{})
	require.ErrorIs(t, err, store.ErrFull)
	require.False(t, l.Until().IsZero())
	f.before = nil

	// Deletions in doubt.
	f.after = broken
	require.ErrorIs(t, l.Checkpoint(dark, nil), broken)
	require.ErrorIs(t, l.Delete(ctx), broken)
	f.after = nil
	require.NoError(t, l.Delete(ctx))
	_, err = ss.Recover(ctx, "acme", "one")
	require.ErrorIs(t, err, store.ErrNotFound)
}
