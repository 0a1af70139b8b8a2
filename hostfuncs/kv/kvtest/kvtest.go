// Package kvtest tests backends of package kv.
package kvtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sporeengine/spore/hostfuncs/kv"
)

// TestBackend tests a backend. open returns an empty one, and sees to it that it is closed when
// the test ends.
func TestBackend(t *testing.T, open func(t *testing.T) kv.Backend) {
	for name, test := range map[string]func(*testing.T, kv.Backend){
		"Model": testModel, "Errors": testErrors, "Spaces": testSpaces, "Hammer": testHammer, "Views": testViews,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// contents returns all items of a space.
func contents(t *testing.T, b kv.Backend, space string) map[string]string {
	t.Helper()
	m := map[string]string{}
	must(t, b.View(context.Background(), space, func(tx kv.Tx) error {
		clear(m)
		pairs, err := tx.Scan("", 1<<20)
		for _, p := range pairs {
			m[p.Key] = string(p.Value)
		}
		return err
	}))
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// testModel compares random transactions with a map.
func testModel(t *testing.T, b kv.Backend) {
	rng := rand.New(rand.NewPCG(1, 2))
	keys := []string{"a", "a\x00", "ab", "b", "\x00", "\xff", "\xff\xff", "é", "k/..", strings.Repeat("z", kv.MaxKey+16)}
	model := map[string]string{}
	for range 200 {
		want := map[string]string{}
		fails := rng.IntN(4) == 0
		seed := rng.Uint64()
		err := b.Update(context.Background(), "s/", func(tx kv.Tx) error {
			// The same each time, should it be called again.
			rng := rand.New(rand.NewPCG(seed, 0))
			clear(want)
			for k, v := range model {
				want[k] = v
			}
			for range rng.IntN(6) {
				k := keys[rng.IntN(len(keys))]
				switch rng.IntN(4) {
				case 0:
					if err := tx.Delete(k); err != nil {
						return err
					}
					delete(want, k)
				case 1:
					got, err := tx.Get(k)
					if err != nil {
						return err
					}
					if v, ok := want[k]; ok != (got != nil) || string(got) != v {
						t.Errorf("Get(%q) = %q, want %q", k, got, v)
					}
				case 2:
					v := fmt.Appendf(nil, "%d", rng.IntN(1000))
					if err := tx.Put(k, v); err != nil {
						return err
					}
					want[k] = string(v)
					clear(v) // Put does not keep it
				case 3:
					if err := checkScan(tx, want, k, 1+rng.IntN(4)); err != nil {
						t.Error(err)
					}
				}
			}
			if fails {
				return errChanged
			}
			return nil
		})
		switch {
		case fails && !errors.Is(err, errChanged):
			t.Fatalf("Update returned %v", err)
		case !fails:
			must(t, err)
			model = want
		}
		if got := contents(t, b, "s/"); !equal(got, model) {
			t.Fatalf("contents %q, want %q", got, model)
		}
	}
}

var errChanged = errors.New("changed my mind")

func equal(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			return false
		}
	}
	return true
}

func checkScan(tx kv.Tx, model map[string]string, from string, n int) error {
	var want []string
	for k := range model {
		if k >= from {
			want = append(want, k)
		}
	}
	slices.Sort(want)
	want = want[:min(n, len(want))]
	pairs, err := tx.Scan(from, n)
	if err != nil {
		return err
	}
	var got []string
	for _, p := range pairs {
		got = append(got, p.Key)
		if string(p.Value) != model[p.Key] {
			return fmt.Errorf("value of %q is %q", p.Key, p.Value)
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("scanning %d from %q: %q, want %q", n, from, got, want)
	}
	return nil
}

// testErrors makes sure that an error or a panic changes nothing, and comes back as it is.
func testErrors(t *testing.T, b kv.Backend) {
	ctx := context.Background()
	must(t, b.Update(ctx, "s/", func(tx kv.Tx) error { return tx.Put("a", []byte("1")) }))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was lost")
			}
		}()
		_ = b.Update(ctx, "s/", func(tx kv.Tx) error {
			must(t, tx.Put("a", []byte("2")))
			must(t, tx.Put("b", []byte("2")))
			panic("changed my mind")
		})
	}()
	if err := b.View(ctx, "s/", func(kv.Tx) error { return errChanged }); !errors.Is(err, errChanged) {
		t.Errorf("View returned %v", err)
	}
	if err := b.View(ctx, "s/", func(tx kv.Tx) error { return tx.Put("a", []byte("3")) }); err == nil {
		t.Error("a view can change something")
	}
	if got := contents(t, b, "s/"); !equal(got, map[string]string{"a": "1"}) {
		t.Errorf("contents %q", got)
	}
}

// testSpaces makes sure that spaces have nothing to do with each other, whatever they are called.
func testSpaces(t *testing.T, b kv.Backend) {
	spaces := []string{"/", "a/", "/a", "a/b", "a%2Fb/", "a/b%2Fc", "A/", strings.Repeat("x", 300) + "/"}
	for i, s := range spaces {
		if got := contents(t, b, s); len(got) != 0 {
			t.Errorf("%q has %q", s, got)
		}
		must(t, b.Update(context.Background(), s, func(tx kv.Tx) error { return tx.Put("k", fmt.Append(nil, i)) }))
	}
	for i, s := range spaces {
		if got := contents(t, b, s); !equal(got, map[string]string{"k": fmt.Sprint(i)}) {
			t.Errorf("%q has %q, want %d", s, got, i)
		}
	}
}

// testHammer counts from many goroutines, in two spaces, and loses nothing.
func testHammer(t *testing.T, b kv.Backend) {
	const goroutines, rounds = 8, 25
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for range rounds {
				err := b.Update(context.Background(), fmt.Sprintf("%d/", g%2), func(tx kv.Tx) error {
					v, err := tx.Get("n")
					if err != nil {
						return err
					}
					n := 0
					if v != nil {
						_, err = fmt.Sscan(string(v), &n)
					}
					if err != nil {
						return err
					}
					return tx.Put("n", fmt.Append(nil, n+1))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range []string{"0/", "1/"} {
		if got := contents(t, b, s); !equal(got, map[string]string{"n": fmt.Sprint(goroutines / 2 * rounds)}) {
			t.Errorf("%s: %q", s, got)
		}
	}
}

// testViews makes sure that a view sees no part of an update.
func testViews(t *testing.T, b kv.Backend) {
	ctx := context.Background()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := b.View(ctx, "s/", func(tx kv.Tx) error {
					a, err := tx.Get("a")
					if err != nil {
						return err
					}
					c, err := tx.Get("c")
					if string(a) != string(c) {
						t.Errorf("a is %q and c is %q", a, c)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 50 {
		must(t, b.Update(ctx, "s/", func(tx kv.Tx) error {
			if err := tx.Put("a", fmt.Append(nil, i)); err != nil {
				return err
			}
			return tx.Put("c", fmt.Append(nil, i))
		}))
	}
	close(stop)
	wg.Wait()
}
