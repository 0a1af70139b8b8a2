package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/sporeengine/spore/snapshot"
	"github.com/sporeengine/spore/snapshot/store"
)

func TestImageKey(t *testing.T) {
	key := store.ImageKey(snapshot.Digest{0xab})
	if err := store.CheckKey(key); err != nil {
		t.Error(err)
	}
	if key == store.ImageKey(snapshot.Digest{0xac}) {
		t.Error("two images have one key")
	}
}

// FuzzKey tries any text as a key of a directory: what is refused is refused for
// being no key, and what is accepted comes back, also in a list.
func FuzzKey(f *testing.F) {
	for _, key := range []string{"a", "a/b.c", "../x", "con", "a//b", "a+b", "A", "0/1/2"} {
		f.Add(key)
	}
	d := openDir(f, f.TempDir())
	f.Fuzz(func(t *testing.T, key string) {
		ctx := context.Background()
		v, err := d.Put(ctx, key, []byte(key), store.Absent)
		if err != nil {
			if !errors.Is(err, store.ErrKey) {
				t.Fatal(err)
			}
			return
		}
		data, is, err := d.Get(ctx, key)
		if err != nil || is != v || string(data) != key {
			t.Fatalf("comes back as %q: %v", data, err)
		}
		found := 0
		for info, err := range d.List(ctx, key) {
			if err != nil {
				t.Fatal(err)
			}
			if info.Key == key {
				found++
			}
		}
		if found != 1 {
			t.Fatalf("listed %d times", found)
		}
		if err := d.Delete(ctx, key, v); err != nil {
			t.Fatal(err)
		}
	})
}
