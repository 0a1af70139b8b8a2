// Package storetest tests implementations of store.Store.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sporeengine/spore/snapshot/store"
)

// Test tests the guarantees of a store. open returns an empty one, which Test
// closes.
func Test(t *testing.T, open func(t *testing.T) store.Store) {
	for name, f := range map[string]func(*testing.T, store.Store){
		"values": testValues, "swap": testSwap, "versions": testVersions,
		"keys": testKeys, "list": testList, "context": testContext, "close": testClose,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			defer s.Close()
			f(t, s)
		})
	}
}

// Hammer lets goroutines, which share the stores, count under a few keys. All
// stores must be of the same data. Nothing that was acknowledged may be lost. It
// returns how many Puts left open whether they had written.
func Hammer(t *testing.T, stores ...store.Store) (open int) {
	const keys, workers = 3, 8
	each := 30
	if testing.Short() {
		each = 8
	}
	var wg sync.WaitGroup
	var acknowledged, maybe [keys]atomic.Int64
	for w := range workers {
		wg.Go(func() {
			s := stores[w%len(stores)]
			for range each {
				k := rand.IntN(keys)
				if err := increment(t.Context(), s, fmt.Sprintf("hammer/%d", k)); err == nil {
					acknowledged[k].Add(1)
				} else {
					t.Logf("increment: %v", err)
					maybe[k].Add(1)
				}
			}
		})
	}
	wg.Wait()
	for k := range keys {
		b, _, err := stores[0].Get(t.Context(), fmt.Sprintf("hammer/%d", k))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("get: %v", err)
		}
		n, acked := int64(len(b)), acknowledged[k].Load()
		if n < acked || n > acked+maybe[k].Load() {
			t.Errorf("counter %d is %d, acknowledged %d, open %d", k, n, acked, maybe[k].Load())
		}
		open += int(maybe[k].Load())
	}
	return open
}

// increment makes the value one byte longer.
func increment(ctx context.Context, s store.Store, key string) error {
	for {
		b, v, err := s.Get(ctx, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if _, err := s.Put(ctx, key, append(b, 'x'), v); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// put writes and get reads what must succeed.
func put(t *testing.T, s store.Store, key string, data []byte, v store.Version) store.Version {
	t.Helper()
	v, err := s.Put(t.Context(), key, data, v)
	if err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
	if v == store.Absent || len(v) > 64 {
		t.Fatalf("put %s: version %q", key, v)
	}
	return v
}

func get(t *testing.T, s store.Store, key string, want []byte) store.Version {
	t.Helper()
	b, v, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	if !bytes.Equal(b, want) {
		t.Fatalf("get %s: %d bytes, other than were put", key, len(b))
	}
	return v
}

// refuse checks an error that leaves the value of key as it is.
func refuse(t *testing.T, s store.Store, err, want error, key string, data []byte) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
	if data != nil {
		get(t, s, key, data)
	} else if _, _, err := s.Get(t.Context(), key); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("get %s: %v, want %v", key, err, store.ErrNotFound)
	}
}

func testValues(t *testing.T, s store.Store) {
	for i, n := range []int{0, 1, 4095, 4096, 4097, 300_000} {
		key := fmt.Sprintf("v/%d", i)
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(rand.Int())
		}
		want := bytes.Clone(data)
		v := put(t, s, key, data, store.Absent)
		for i := range data {
			data[i] = 0 // it must have been copied
		}
		if got := get(t, s, key, want); got != v {
			t.Errorf("Get has the version %q, Put %q", got, v)
		}
	}
	big := make([]byte, store.MaxValueBytes+1)
	_, err := s.Put(t.Context(), "big", big, store.Absent)
	refuse(t, s, err, store.ErrTooLarge, "big", nil)
}

func testSwap(t *testing.T, s store.Store) {
	ctx, key := t.Context(), "a/b"
	one, two := []byte("one"), []byte("two")
	_, _, err := s.Get(ctx, key)
	refuse(t, s, err, store.ErrNotFound, key, nil)
	refuse(t, s, s.Delete(ctx, key, store.Absent), store.ErrNotFound, key, nil)

	v1 := put(t, s, key, one, store.Absent)
	_, err = s.Put(ctx, key, two, store.Absent)
	refuse(t, s, err, store.ErrConflict, key, one)
	refuse(t, s, s.Delete(ctx, key, store.Absent), store.ErrConflict, key, one)

	v2 := put(t, s, key, two, v1)
	_, err = s.Put(ctx, key, one, v1)
	refuse(t, s, err, store.ErrConflict, key, two)
	refuse(t, s, s.Delete(ctx, key, v1), store.ErrConflict, key, two)
	_, err = s.Put(ctx, key, one, "unheard-of")
	refuse(t, s, err, store.ErrConflict, key, two)

	if err := s.Delete(ctx, key, v2); err != nil {
		t.Fatal(err)
	}
	refuse(t, s, s.Delete(ctx, key, v2), store.ErrNotFound, key, nil)
	_, err = s.Put(ctx, key, one, v2)
	refuse(t, s, err, store.ErrConflict, key, nil)
	put(t, s, key, one, store.Absent)
	refuse(t, s, s.Delete(ctx, key, v1), store.ErrConflict, key, one) // the same bytes, another life
	_, err = s.Put(ctx, key, two, v1)
	refuse(t, s, err, store.ErrConflict, key, one)
}

// testVersions writes equal bytes again and again: no version comes twice.
func testVersions(t *testing.T, s store.Store) {
	seen := map[store.Version]bool{store.Absent: true}
	for range 5 {
		v := store.Absent
		for range 5 {
			if v = put(t, s, "k", []byte("same"), v); seen[v] {
				t.Fatalf("version %q again", v)
			}
			seen[v] = true
		}
		if err := s.Delete(t.Context(), "k", v); err != nil {
			t.Fatal(err)
		}
	}
}

func testKeys(t *testing.T, s store.Store) {
	ctx := t.Context()
	for _, key := range []string{
		"", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/..", "a/../b", ".a", "a.", "-a", "_a", "A", "é", "a b", "a\x00",
		"a\\b", "c:", "nul", "a/con.txt", "com1", "lpt9.x", "a+b", "a%2fb", "a*", "~", strings.Repeat("a", store.MaxKeyBytes+1),
	} {
		if _, err := s.Put(ctx, key, nil, store.Absent); !errors.Is(err, store.ErrKey) {
			t.Errorf("put %q: %v", key, err)
		}
		if _, _, err := s.Get(ctx, key); !errors.Is(err, store.ErrKey) {
			t.Errorf("get %q: %v", key, err)
		}
		if err := s.Delete(ctx, key, store.Absent); !errors.Is(err, store.ErrKey) {
			t.Errorf("delete %q: %v", key, err)
		}
	}
	good := []string{
		"0", "a/0", "a/0000000000000001", "a", "a/b/c", "con0", "com", "com10", "x.con", "a.b-c_d",
		strings.Repeat("a", store.MaxKeyBytes), strings.Repeat("a/", store.MaxKeyBytes/2-1) + "b",
	}
	for _, key := range good {
		put(t, s, key, []byte(key), store.Absent)
	}
	for _, key := range good {
		get(t, s, key, []byte(key))
	}
	checkList(t, s, "", good)
}

// checkList compares what is listed with the keys, all of whose values are their
// own names.
func checkList(t *testing.T, s store.Store, prefix string, want []string) {
	t.Helper()
	var got []string
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("list %q: %v", prefix, err)
		}
		if info.Size < int64(len(info.Key)) || info.Modified.IsZero() {
			t.Errorf("%+v", info)
		}
		got = append(got, info.Key)
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Fatalf("list %q: got %q, want %q", prefix, got, want)
	}
}

func testList(t *testing.T, s store.Store) {
	checkList(t, s, "", nil)
	var all, some []string
	for i := range 40 {
		key := fmt.Sprintf("%c/%d", 'a'+i%3, i)
		v := put(t, s, key, []byte("first"), store.Absent)
		v = put(t, s, key, []byte(key), v)
		if i%5 == 0 {
			if err := s.Delete(t.Context(), key, v); err != nil {
				t.Fatal(err)
			}
			continue
		}
		all = append(all, key)
		if strings.HasPrefix(key, "b/") {
			some = append(some, key)
		}
	}
	checkList(t, s, "", all)
	checkList(t, s, "b/", some)
	checkList(t, s, "b", some)
	checkList(t, s, "b/1", slices.DeleteFunc(slices.Clone(some), func(k string) bool { return !strings.HasPrefix(k, "b/1") }))
	checkList(t, s, "B", nil)
	checkList(t, s, "a/../b", nil)

	// The body may use the store, and stop.
	n := 0
	for info, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		v := get(t, s, info.Key, []byte(info.Key))
		if err := s.Delete(t.Context(), info.Key, v); err != nil {
			t.Fatal(err)
		}
		if n++; n == 10 {
			break
		}
	}
	n = 0
	for range s.List(t.Context(), "") {
		n++
	}
	if n != len(all)-10 {
		t.Errorf("%d left of %d", n, len(all))
	}
}

func testContext(t *testing.T, s store.Store) {
	v := put(t, s, "k", []byte("v"), store.Absent)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Get(ctx, "k"); !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v", err)
	}
	if _, err := s.Put(ctx, "k", nil, v); !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v", err)
	}
	if err := s.Delete(ctx, "k", v); !errors.Is(err, context.Canceled) {
		t.Errorf("delete: %v", err)
	}
	for _, err := range s.List(ctx, "") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("list: %v", err)
		}
	}
	get(t, s, "k", []byte("v"))
}

func testClose(t *testing.T, s store.Store) {
	v := put(t, s, "k", []byte("v"), store.Absent)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	if _, _, err := s.Get(ctx, "k"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("get: %v", err)
	}
	if _, err := s.Put(ctx, "k", nil, v); !errors.Is(err, store.ErrClosed) {
		t.Errorf("put: %v", err)
	}
	if err := s.Delete(ctx, "k", v); !errors.Is(err, store.ErrClosed) {
		t.Errorf("delete: %v", err)
	}
	n := 0
	for _, err := range s.List(ctx, "") {
		if n++; !errors.Is(err, store.ErrClosed) {
			t.Errorf("list: %v", err)
		}
	}
	if n != 1 {
		t.Errorf("list yields %d times, want the error", n)
	}
}
