package blobstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcerrors"

	"github.com/sporeengine/spore/snapshot/store"
	"github.com/sporeengine/spore/snapshot/store/blobstore"
	"github.com/sporeengine/spore/snapshot/store/storetest"
)

func closeBucket(t *testing.T, b *blob.Bucket) *blob.Bucket {
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestMemblob(t *testing.T) {
	open := func(t *testing.T) store.Store { return blobstore.New(closeBucket(t, memblob.OpenBucket(nil))) }
	storetest.Test(t, open)
	t.Run("hammer", func(t *testing.T) { storetest.Hammer(t, open(t)) })
}

// TestFileblob has no hammer: IfNotExist is not atomic there.
func TestFileblob(t *testing.T) {
	storetest.Test(t, func(t *testing.T) store.Store {
		b, err := fileblob.OpenBucket(t.TempDir(), &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
		if err != nil {
			t.Fatal(err)
		}
		return blobstore.New(closeBucket(t, b))
	})
}

// TestSlow has a bucket whose lists come in pages, and whose requests take as
// long as they like.
func TestSlow(t *testing.T) {
	storetest.Test(t, func(t *testing.T) store.Store {
		_, b := newFaultBucket()
		return blobstore.New(closeBucket(t, b))
	})
	t.Run("hammer", func(t *testing.T) {
		f, b := newFaultBucket()
		f.set(0, 0, time.Millisecond)
		closeBucket(t, b)
		storetest.Hammer(t, blobstore.New(b), blobstore.New(b))
	})
	t.Run("timeout", func(t *testing.T) {
		f, b := newFaultBucket()
		s := blobstore.New(closeBucket(t, b))
		v, err := s.Put(t.Context(), "k", []byte("v"), store.Absent)
		if err != nil {
			t.Fatal(err)
		}
		f.set(0, 0, time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, _, err := s.Get(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("get: %v", err)
		}
		if _, err := s.Put(ctx, "k", nil, v); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("put: %v", err)
		}
	})
}

// TestFailing counts in a bucket half of whose requests fail, many of them after
// the fact. The counter is at least what was acknowledged, and at most what was
// tried.
func TestFailing(t *testing.T) {
	f, b := newFaultBucket()
	s := blobstore.New(closeBucket(t, b))
	var mu sync.Mutex
	acked, tried := 0, 0
	f.set(0.1, 0.2, 100*time.Microsecond)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				data, v, err := s.Get(t.Context(), "k")
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					if !errors.Is(err, errBroken) {
						t.Errorf("get: %v", err)
					}
					continue
				}
				_, err = s.Put(t.Context(), "k", append(data, 'x'), v)
				mu.Lock()
				switch {
				case err == nil:
					acked++
					tried++
				case errors.Is(err, store.ErrConflict):
				default:
					tried++ // it may have been written
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	f.set(0, 0, 0)
	data, _, err := s.Get(t.Context(), "k")
	if err != nil || len(data) < acked || len(data) > tried || acked == 0 {
		t.Errorf("counter %d, acknowledged %d, tried %d: %v", len(data), acked, tried, err)
	}
}

// objects returns the names of all objects.
func objects(t *testing.T, f *faultBucket) (names []string) {
	t.Helper()
	it := f.mem.List(nil)
	for {
		o, err := it.Next(t.Context())
		if err != nil {
			return names
		}
		names = append(names, o.Key)
	}
}

// TestLateWriter stops a writer between its look and its write, while others
// replace the value several times and remove what they replaced. Its object comes
// too late, and it must not be told that it won; nobody may see it.
func TestLateWriter(t *testing.T) {
	ctx := t.Context()
	f, b := newFaultBucket()
	s := blobstore.New(closeBucket(t, b))
	put := func(data string, v store.Version) store.Version {
		t.Helper()
		v, err := s.Put(ctx, "k", []byte(data), v)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v1 := put("one", store.Absent)
	var last store.Version
	once := true
	f.setHook(func(op, key string) error {
		if op == "write" && once {
			once = false
			v := put("two", v1)
			v = put("three", v)
			last = put("four", v)
		}
		return nil
	})
	_, err := s.Put(ctx, "k", []byte("late"), v1)
	if err == nil || errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), "newer") {
		t.Fatalf("late writer: %v", err)
	}
	if data, v, err := s.Get(ctx, "k"); err != nil || string(data) != "four" || v != last {
		t.Errorf("%q, %v", data, err)
	}
	if got := objects(t, f); len(got) != 2 {
		t.Errorf("objects: %q", got)
	}
	put("five", last)
	if got := objects(t, f); len(got) != 1 {
		t.Errorf("objects: %q", got)
	}
}

// TestClean leaves garbage behind, by deletions that fail, and deleted keys.
func TestClean(t *testing.T) {
	ctx := t.Context()
	f, b := newFaultBucket()
	s := blobstore.New(closeBucket(t, b))
	f.setHook(func(op, key string) error {
		if op == "delete" {
			return errBroken
		}
		return nil
	})
	for i := range 10 {
		key := fmt.Sprintf("k/%d", i)
		v, err := s.Put(ctx, key, []byte("one"), store.Absent)
		if err != nil {
			t.Fatal(err)
		}
		if v, err = s.Put(ctx, key, []byte("two"), v); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if err := s.Delete(ctx, key, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n, err := s.Clean(ctx, time.Now()); n != 0 || !errors.Is(err, errBroken) {
		t.Errorf("%d removed, %v", n, err)
	}
	f.setHook(nil)
	if err := b.WriteAll(ctx, "k/foreign", nil, nil); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Clean(ctx, time.Now().Add(-time.Hour)); n != 5+10 || err != nil {
		t.Errorf("%d removed, want the old objects: %v", n, err)
	}
	if n, err := s.Clean(ctx, time.Now().Add(time.Minute)); n != 5 || err != nil {
		t.Errorf("%d removed, want the marks of deletion: %v", n, err)
	}
	if got := objects(t, f); len(got) != 5+1 {
		t.Errorf("objects: %q", got)
	}
	for i := range 10 {
		data, _, err := s.Get(ctx, fmt.Sprintf("k/%d", i))
		if i%2 == 0 && !errors.Is(err, store.ErrNotFound) || i%2 == 1 && string(data) != "two" {
			t.Errorf("%d: %q, %v", i, data, err)
		}
	}
}

// TestCorrupt has objects that this package did not write.
func TestCorrupt(t *testing.T) {
	ctx := t.Context()
	f, b := newFaultBucket()
	s := blobstore.New(closeBucket(t, b))
	for i, bad := range []string{"", "x", strings.Repeat("x", 1000)} {
		key := fmt.Sprintf("k/%d", i)
		if err := f.mem.WriteAll(ctx, key+"/_0000000000000007", []byte(bad), nil); err != nil {
			t.Fatal(err)
		}
		_, v, err := s.Get(ctx, key)
		if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), key) {
			t.Errorf("%d: %v", i, err)
		}
		if v, err = s.Put(ctx, key, []byte("new"), v); err != nil {
			t.Errorf("%d: replace: %v", i, err)
		}
		if err := s.Delete(ctx, key, v); err != nil {
			t.Errorf("%d: delete: %v", i, err)
		}
	}
	if err := f.mem.WriteAll(ctx, "last/_ffffffffffffffff", []byte("x"), nil); err != nil {
		t.Fatal(err)
	}
	_, v, err := s.Get(ctx, "last")
	if !errors.Is(err, store.ErrCorrupt) {
		t.Error(err)
	}
	if _, err := s.Put(ctx, "last", nil, v); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("after the last number: %v", err)
	}
}

// TestSessions runs sessions in a bucket that is slow and fails, on several
// goroutines. No state that was acknowledged is lost, and none runs twice.
func TestSessions(t *testing.T) {
	f, b := newFaultBucket()
	s := blobstore.New(closeBucket(t, b))
	var offset time.Duration // of the clock, which jumps between rounds
	ss, err := store.NewSessions(store.SessionsConfig{
		Store: s,
		Keys:  []store.Key{{ID: 1, Secret: [store.KeyBytes]byte{1}}},
		Now:   func() time.Time { return time.Now().Add(offset) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ss.Save(t.Context(), store.Record{ID: "one"}); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	runs := false
	acked, saves := 0, 0
	step := func() error {
		token, err := ss.Recover(t.Context(), "", "one")
		if err != nil {
			return err
		}
		l, err := ss.Take(t.Context(), token, store.Want{})
		if err != nil {
			return err
		}
		mu.Lock()
		if runs {
			t.Error("runs twice")
		}
		runs = true
		n := len(l.Record().Payload)
		if n < acked {
			t.Errorf("counter %d, acknowledged %d", n, acked)
		}
		mu.Unlock()
		time.Sleep(rand.N(time.Millisecond))
		mu.Lock()
		runs = false
		mu.Unlock()
		for range 3 {
			_, err = l.Save(t.Context(), store.Record{Payload: make([]byte, n+1)})
			if err == nil {
				mu.Lock()
				acked = max(acked, n+1)
				saves++
				mu.Unlock()
			}
			if !errors.Is(err, errBroken) {
				break
			}
		}
		return err
	}
	for round := range 40 {
		f.set(0.02, 0.1, 200*time.Microsecond)
		offset = time.Duration(round) * time.Hour
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for range 5 {
					err := step()
					ok := err == nil
					for _, e := range []error{errBroken, store.ErrTaken, store.ErrConflict, store.ErrLost} {
						ok = ok || errors.Is(err, e)
					}
					// An object that was there, and gone when it was looked at.
					gone := gcerrors.Code(err) == gcerrors.FailedPrecondition
					if !ok && !gone && !strings.Contains(err.Error(), "newer") {
						t.Errorf("step: %v", err)
					}
				}
			})
		}
		wg.Wait()
	}
	f.set(0, 0, 0)
	offset += time.Hour
	token, err := ss.Recover(t.Context(), "", "one")
	if err != nil {
		t.Fatal(err)
	}
	l, err := ss.Take(t.Context(), token, store.Want{})
	if err != nil || len(l.Record().Payload) < acked || saves == 0 {
		t.Errorf("counter %d, acknowledged %d: %v", len(l.Record().Payload), acked, err)
	}
	t.Logf("%d saves acknowledged", saves)
}
