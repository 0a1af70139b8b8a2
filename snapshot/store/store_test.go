package store_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/sporeengine/spore/snapshot/store"
	"github.com/sporeengine/spore/snapshot/store/storetest"
)

func TestMem(t *testing.T) {
	open := func(*testing.T) store.Store { return store.NewMem(1 << 30) }
	storetest.Test(t, open)
	t.Run("hammer", func(t *testing.T) {
		if n := storetest.Hammer(t, open(t)); n != 0 {
			t.Errorf("%d writes left open", n)
		}
	})
}

// TestMemFull fills a store: what does not fit changes nothing, and room that is
// given back can be used.
func TestMemFull(t *testing.T) {
	s, ctx := store.NewMem(1000), t.Context()
	v, err := s.Put(ctx, "a", make([]byte, 500), store.Absent)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(ctx, "b", make([]byte, 500), store.Absent); !errors.Is(err, store.ErrFull) {
		t.Errorf("second: %v", err)
	}
	if _, err := s.Put(ctx, "a", make([]byte, 1000), v); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("longer than the store: %v", err)
	}
	if b, is, err := s.Get(ctx, "a"); err != nil || is != v || !bytes.Equal(b, make([]byte, 500)) {
		t.Errorf("old value: %d bytes, %v", len(b), err)
	}
	if v, err = s.Put(ctx, "a", make([]byte, 800), v); err != nil {
		t.Errorf("in its own place: %v", err)
	}
	if err := s.Delete(ctx, "a", v); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(ctx, "b", make([]byte, 800), store.Absent); err != nil {
		t.Errorf("after a deletion: %v", err)
	}
}
