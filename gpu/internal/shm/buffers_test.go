package shm

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// bothKinds runs a test with memory that is shared, where it can be, and with common memory.
func bothKinds(t *testing.T, size int64, test func(t *testing.T, b *Buffers)) {
	for name, share := range map[string]bool{"shared": true, "common": false} {
		t.Run(name, func(t *testing.T) {
			b, err := NewBuffers(size, share)
			require.NoError(t, err)
			require.Equal(t, share && runtime.GOOS == "linux", b.File() != nil)
			test(t, b)
			require.NoError(t, b.Close())
			require.NoError(t, b.Close())
			require.Empty(t, b.live)
			require.Nil(t, b.mem, "it is unmapped")
		})
	}
}

func TestBuffers(t *testing.T) {
	bothKinds(t, 10*granule+1, func(t *testing.T, b *Buffers) {
		require.Equal(t, 11*granule, b.arena.size)
		x, err := b.New(granule + 1)
		require.NoError(t, err)
		y, err := b.New(0)
		require.NoError(t, err)
		require.Len(t, x.Bytes(), granule+1)
		require.Equal(t, granule+1, cap(x.Bytes()))
		require.Empty(t, y.Bytes())
		_, err = b.New(8*granule + 1)
		require.ErrorIs(t, err, ErrTooLarge)
		z, err := b.New(8 * granule)
		require.NoError(t, err)
		_, err = b.New(0)
		require.ErrorIs(t, err, ErrTooLarge)
		for _, u := range []*Buffer{x, y, z} {
			require.True(t, u.Free())
			require.False(t, u.Free())
		}
		z, err = b.New(11 * granule)
		require.NoError(t, err)
		z.Free()
	})
}

// TestBuffersAreZero has each buffer hold what must not be seen in the next.
func TestBuffersAreZero(t *testing.T) {
	const size = keepTouched + 4*granule // so that both ways of freeing are taken
	bothKinds(t, size, func(t *testing.T, b *Buffers) {
		for _, n := range []int{1, 100, granule, 3*granule + 5, keepTouched, keepTouched + 1, size, 2 * granule, size} {
			u, err := b.New(n)
			require.NoError(t, err)
			require.Equal(t, -1, bytes.IndexFunc(u.Bytes(), func(r rune) bool { return r != 0 }), "%d bytes", n)
			for i := range u.Bytes() {
				u.Bytes()[i] = 0xa5
			}
			u.Free()
		}
	})
}

func TestPin(t *testing.T) {
	bothKinds(t, 8*granule, func(t *testing.T, b *Buffers) {
		x, err := b.New(2 * granule)
		require.NoError(t, err)
		y, err := b.New(1000)
		require.NoError(t, err)
		m, n := x.Bytes(), y.Bytes()
		own := make([]byte, 64)
		at, unpin, err := b.Pin([][]byte{own, m, m[64:100], m[1:], n[:0], n[960:], nil})
		require.NoError(t, err)
		if b.File() == nil {
			require.Nil(t, at)
		} else {
			require.Equal(t, []int64{-1, 0, 64, -1, -1, 2*granule + 960, -1}, at)
		}
		before := bytes.Clone(m)
		for i := range m {
			m[i], before[i] = 7, 7
		}
		x.Free()
		if b.File() != nil { // it is in use still
			other, err := b.New(1)
			require.NoError(t, err)
			require.NotSame(t, &m[0], &other.Bytes()[0])
			require.Equal(t, before, m)
			other.Free()
			_, _, err = b.Pin([][]byte{n, m})
			require.ErrorIs(t, err, ErrFreed)
		}
		unpin()
		if b.File() != nil {
			_, _, err = b.Pin([][]byte{n, m[64:128]})
			require.ErrorIs(t, err, ErrFreed, "nothing is there")
			z, err := b.New(1)
			require.NoError(t, err)
			require.Same(t, &m[0], &z.Bytes()[0])
			require.Zero(t, m[0])
			require.Zero(t, y.users, "what failed has pinned nothing")
			z.Free()
		}
		at, unpin, err = b.Pin([][]byte{own})
		require.NoError(t, err)
		require.Nil(t, at)
		unpin()
		y.Free()
	})
}

// TestBuffersOutliveClose has buffers used after Close: their memory stays until they are freed.
func TestBuffersOutliveClose(t *testing.T) {
	bothKinds(t, 8*granule, func(t *testing.T, b *Buffers) {
		x, err := b.New(1000)
		require.NoError(t, err)
		_, unpin, err := b.Pin([][]byte{x.Bytes()})
		require.NoError(t, err)
		require.NoError(t, b.Close())
		_, err = b.New(1)
		require.ErrorIs(t, err, ErrLost)
		x.Bytes()[999] = 1
		x.Free()
		if b.File() != nil {
			x.Bytes()[999] = 2 // as who pinned it may
		}
		unpin()
	})
}

func TestBuffersHammer(t *testing.T) {
	bothKinds(t, 64*granule, func(t *testing.T, b *Buffers) {
		var wg sync.WaitGroup
		for k := range uint64(8) {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(10, k))
				for range 500 {
					n := r.IntN(10 * granule)
					u, err := b.New(n)
					if errors.Is(err, ErrTooLarge) {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					m := u.Bytes()
					if i := bytes.IndexFunc(m, func(r rune) bool { return r != 0 }); i >= 0 {
						t.Errorf("byte %d is %d", i, m[i])
					}
					for i := range m {
						m[i] = byte(k + 1)
					}
					_, unpin, err := b.Pin([][]byte{m})
					if err != nil {
						t.Error(err)
						return
					}
					u.Free()
					if b.File() != nil && bytes.IndexFunc(m, func(r rune) bool { return r != rune(k+1) }) >= 0 {
						t.Error("somebody else has it")
					}
					unpin()
				}
			})
		}
		wg.Wait()
		require.Len(t, b.arena.free, 1)
	})
}
