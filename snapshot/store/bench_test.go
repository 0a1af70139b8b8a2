package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/sporeengine/spore/snapshot/store"
)

// BenchmarkDir writes and reads values of 8 KiB, one at a time and as many at
// once as there are slots.
func BenchmarkDir(b *testing.B) {
	data := make([]byte, 8<<10)
	b.Run("put", func(b *testing.B) {
		d := openDir(b, b.TempDir())
		v := store.Absent
		for b.Loop() {
			var err error
			if v, err = d.Put(b.Context(), "a", data, v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("put-64", func(b *testing.B) {
		d := openDir(b, b.TempDir())
		var n atomic.Int64
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := d.Put(b.Context(), fmt.Sprintf("a/%d", n.Add(1)), data, store.Absent); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("get", func(b *testing.B) {
		d := openDir(b, b.TempDir())
		if _, err := d.Put(b.Context(), "a", data, store.Absent); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, _, err := d.Get(b.Context(), "a"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSessions takes a session of 8 KiB and saves it, in memory, so that
// sealing and opening is what costs.
func BenchmarkSessions(b *testing.B) {
	ss := newSessions(b, store.NewMem(1<<20), newClock())
	r := store.Record{Tenant: "acme", ID: "a", Payload: make([]byte, 8<<10)}
	token, err := ss.Save(b.Context(), r)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		l, err := ss.Take(b.Context(), token, acme)
		if err != nil {
			b.Fatal(err)
		}
		if token, err = l.Save(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}
