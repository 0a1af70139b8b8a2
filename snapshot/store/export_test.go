package store

import "context"

// TryLock takes the lock of a shard as another process would.
func TryLock(d *Dir, shard string) (func(), error) { return d.tryLock(shard) }

// SessionKey returns the key of a session in its store.
func SessionKey(tenant, id string) string { return placeOf(tenant, id).key() }

// Peek returns the session as it was saved last, without taking it.
func Peek(ctx context.Context, s *Sessions, tenant, id string) (Record, error) {
	r, _, err := s.read(ctx, placeOf(tenant, id))
	if err != nil {
		return Record{}, err
	}
	return r.Record, nil
}
