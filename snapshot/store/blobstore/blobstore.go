package blobstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/sporeengine/spore/snapshot/store"
	"github.com/sporeengine/spore/snapshot/store/internal/entry"
)

// A Store is a store.Store in a bucket. It is safe for concurrent use.
type Store struct {
	bucket *blob.Bucket
	closed atomic.Bool
}

var _ store.Store = (*Store)(nil)

// New returns a store of all that is in the bucket; use blob.PrefixedBucket for a
// part of one. The bucket stays the caller's to close.
func New(bucket *blob.Bucket) *Store { return &Store{bucket: bucket} }

// numberDigits is the length of a number in the name of an object.
const numberDigits = 16

// tombBytes is the length of the object that says that a value was deleted: a
// nonce, so that who created it can recognize it. No entry is that short.
const tombBytes = 16

// mark comes before the number. No segment of a key begins with it.
const mark = "/_"

func objectName(key string, number uint64) string {
	return fmt.Sprintf("%s%s%0*x", key, mark, numberDigits, number)
}

// parseName is the reverse of objectName. It reports false for what is not ours.
func parseName(name string) (key string, number uint64, ok bool) {
	at := len(name) - numberDigits - len(mark)
	if at <= 0 || name[at:at+len(mark)] != mark {
		return "", 0, false
	}
	number, err := strconv.ParseUint(name[at+len(mark):], 16, 64)
	key = name[:at]
	return key, number, err == nil && number > 0 && objectName(key, number) == name && store.CheckKey(key) == nil
}

// version returns the version of the object that starts with b.
func version(number uint64, b []byte) store.Version {
	return store.Version(fmt.Sprintf("%x-%s", number, entry.Version(b)))
}

// parseVersion returns the number in a version, 0 for Absent and for what is none.
func parseVersion(v store.Version) uint64 {
	s, _, _ := strings.Cut(string(v), "-")
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		return 0
	}
	return n
}

func (s *Store) enter(ctx context.Context) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	return ctx.Err()
}

// bucketError is an error of the bucket, which leaves open what has happened. If
// the context has ended that is the error, whatever the driver makes of it.
func bucketError(ctx context.Context, key string, err error) error {
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	return fmt.Errorf("blobstore: %s: %w", key, err)
}

// A value is the newest object of a key, and the others.
type value struct {
	key      string
	number   uint64 // 0: there is none
	size     int64  // of the object; tombBytes: the value was deleted
	modified time.Time
	older    []uint64
}

func (v *value) exists() bool { return v.number != 0 && v.size != tombBytes }

// add takes in another object of the key.
func (v *value) add(number uint64, o *blob.ListObject) {
	if number < v.number {
		v.older = append(v.older, number)
		return
	}
	if v.number != 0 {
		v.older = append(v.older, v.number)
	}
	v.number, v.size, v.modified = number, o.Size, o.ModTime
}

// find lists the objects of a key.
func (s *Store) find(ctx context.Context, key string) (value, error) {
	v := value{key: key}
	it := s.bucket.List(&blob.ListOptions{Prefix: key + mark})
	for {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return v, nil
		}
		if err != nil {
			return v, bucketError(ctx, key, err)
		}
		if k, n, ok := parseName(o.Key); ok && k == key {
			v.add(n, o)
		}
	}
}

// read reads an object, or its first limit bytes if that is not negative.
func (s *Store) read(ctx context.Context, key string, number uint64, limit int64) ([]byte, error) {
	r, err := s.bucket.NewRangeReader(ctx, objectName(key, number), 0, limit, nil)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.Size() > entry.HeaderBytes+store.MaxValueBytes {
		return nil, fmt.Errorf("%w: object of %d bytes", store.ErrCorrupt, r.Size())
	}
	return io.ReadAll(r)
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key string) ([]byte, store.Version, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, store.Absent, err
	}
	if err := s.enter(ctx); err != nil {
		return nil, store.Absent, err
	}
	for {
		v, err := s.find(ctx, key)
		if err != nil {
			return nil, store.Absent, err
		}
		if !v.exists() {
			return nil, store.Absent, fmt.Errorf("%w: %s", store.ErrNotFound, key)
		}
		b, err := s.read(ctx, key, v.number, -1)
		if gcerrors.Code(err) == gcerrors.NotFound && ctx.Err() == nil {
			continue // there is a newer one meanwhile, so someone got on
		}
		if err != nil {
			return nil, store.Absent, bucketError(ctx, key, err)
		}
		data, err := entry.Decode(key, b)
		if err != nil {
			return nil, version(v.number, b), fmt.Errorf("%w: %s: %w", store.ErrCorrupt, key, err)
		}
		return data, version(v.number, b), nil
	}
}

// Put implements store.Store.
func (s *Store) Put(ctx context.Context, key string, data []byte, ifVersion store.Version) (store.Version, error) {
	if err := store.CheckKey(key); err != nil {
		return store.Absent, err
	}
	if len(data) > store.MaxValueBytes {
		return store.Absent, fmt.Errorf("%w: %s: %d bytes, the limit is %d", store.ErrTooLarge, key, len(data), store.MaxValueBytes)
	}
	if err := s.enter(ctx); err != nil {
		return store.Absent, err
	}
	conflict := fmt.Errorf("%w: %s", store.ErrConflict, key)
	var number uint64
	if ifVersion == store.Absent {
		v, err := s.find(ctx, key)
		if err != nil {
			return store.Absent, err
		}
		if v.exists() {
			return store.Absent, conflict
		}
		number = v.number + 1
	} else {
		is, err := s.current(ctx, key, ifVersion)
		if err != nil {
			return store.Absent, err
		}
		if !is {
			return store.Absent, conflict
		}
		number = parseVersion(ifVersion) + 1
	}
	head := entry.Header(key, data)
	if err := s.create(ctx, key, number, append(head, data...)); err != nil {
		return store.Absent, err
	}
	return version(number, head), nil
}

// current reports whether there is an object of this version, which is then the
// newest unless someone has just created the next.
func (s *Store) current(ctx context.Context, key string, v store.Version) (bool, error) {
	number := parseVersion(v)
	if number == 0 {
		return false, nil
	}
	head, err := s.read(ctx, key, number, entry.HeaderBytes)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return false, nil
	}
	if err != nil {
		return false, bucketError(ctx, key, err)
	}
	return version(number, head) == v, nil
}

// errOvertaken says that an object was created, and that there is a newer one:
// it was replaced at once, or it came too late and never was the value.
var errOvertaken = errors.New("a newer object was there right after this one was created")

// create creates an object, makes sure that it is the newest, and removes the
// older ones. The error matches ErrConflict if it was someone else's.
func (s *Store) create(ctx context.Context, key string, number uint64, b []byte) error {
	if number == 0 {
		return fmt.Errorf("%w: %s has had too many versions", store.ErrTooLarge, key)
	}
	if err := s.write(ctx, objectName(key, number), b); err != nil {
		// It may be there all the same: the answer was lost, or a driver that tried
		// again has met its own object.
		is, readErr := s.read(ctx, key, number, entry.HeaderBytes)
		if readErr != nil {
			return bucketError(ctx, key, fmt.Errorf("%w; and whether it was written: %w", err, readErr))
		}
		if !bytes.Equal(is, b[:min(len(b), entry.HeaderBytes)]) {
			return fmt.Errorf("%w: %s", store.ErrConflict, key)
		}
	}
	v, err := s.find(ctx, key)
	if err != nil {
		return err
	}
	if v.number != number {
		return bucketError(ctx, key, errOvertaken)
	}
	for _, n := range v.older {
		s.bucket.Delete(ctx, objectName(key, n)) // if this fails, the next writer does it
	}
	return nil
}

// write writes an object that must not exist, whole or not at all.
func (s *Store) write(ctx context.Context, name string, b []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := s.bucket.NewWriter(ctx, name, &blob.WriterOptions{
		IfNotExist:  true,
		ContentType: "application/octet-stream",
	})
	if err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		cancel() // or else Close would write what there is
		w.Close()
		return err
	}
	return w.Close()
}

// Delete implements store.Store.
func (s *Store) Delete(ctx context.Context, key string, ifVersion store.Version) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	v, err := s.find(ctx, key)
	if err != nil {
		return err
	}
	if !v.exists() {
		return fmt.Errorf("%w: %s", store.ErrNotFound, key)
	}
	is, err := s.current(ctx, key, ifVersion)
	if err != nil {
		return err
	}
	if !is {
		return fmt.Errorf("%w: %s", store.ErrConflict, key)
	}
	tomb := make([]byte, tombBytes)
	rand.Read(tomb) // never fails
	return s.create(ctx, key, parseVersion(ifVersion)+1, tomb)
}

// values yields the keys with a prefix, deleted ones too. It relies on all
// objects of a key coming together, as they do in the order of buckets.
func (s *Store) values(ctx context.Context, prefix string) iter.Seq2[value, error] {
	return func(yield func(value, error) bool) {
		if err := s.enter(ctx); err != nil {
			yield(value{}, err)
			return
		}
		var v value
		it := s.bucket.List(&blob.ListOptions{Prefix: prefix})
		for {
			o, err := it.Next(ctx)
			if err != nil && !errors.Is(err, io.EOF) {
				yield(value{}, bucketError(ctx, prefix, err))
				return
			}
			if err == nil {
				key, number, ok := parseName(o.Key)
				if !ok || !strings.HasPrefix(key, prefix) {
					continue
				}
				if key == v.key {
					v.add(number, o)
					continue
				}
				next := value{key: key}
				next.add(number, o)
				v, next = next, v
				if next.key == "" || yield(next, nil) {
					continue
				}
				return
			}
			if v.key != "" {
				yield(v, nil)
			}
			return
		}
	}
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for v, err := range s.values(ctx, prefix) {
			if err == nil && !v.exists() {
				continue
			}
			if !yield(store.Info{Key: v.key, Size: v.size, Modified: v.modified}, err) || err != nil {
				return
			}
		}
	}
}

// Clean forgets the keys that were deleted before the given time, by the clock of
// the bucket, and removes objects that writers have not got to remove. Without it
// a small object stays of each key that was ever deleted.
//
// A key that is forgotten must not be written while Clean runs; so it suits
// sessions whose IDs are never used again. The time should be an hour ago or
// more, longer than any request can be under way.
//
// Clean lists the whole bucket. If an object cannot be removed it goes on, and
// returns the first error.
func (s *Store) Clean(ctx context.Context, before time.Time) (removed int, first error) {
	for v, err := range s.values(ctx, "") {
		if err != nil {
			return removed, err
		}
		// The newest last: as long as it is there it hides the others.
		old := v.older
		if !v.exists() && v.modified.Before(before) {
			old = append(old, v.number)
		}
		for _, n := range old {
			err := s.bucket.Delete(ctx, objectName(v.key, n))
			if err == nil {
				removed++
			} else if gcerrors.Code(err) != gcerrors.NotFound {
				if first == nil {
					first = bucketError(ctx, v.key, err)
				}
				break
			}
		}
	}
	return removed, first
}

// Close implements store.Store. It leaves the bucket open.
func (s *Store) Close() error {
	s.closed.Store(true)
	return nil
}
