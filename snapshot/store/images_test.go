package store_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/snapshot"
	"github.com/sporeengine/spore/snapshot/store"
)

func TestImages(t *testing.T) {
	ctx := context.Background()
	st := store.NewMem(1 << 20)
	images := make([]*snapshot.Snapshot, 2)
	for i := range images {
		memory := make([]byte, snapshot.WasmPageSize)
		memory[7] = byte(i + 1)
		s, err := snapshot.New(snapshot.Params{Memory: memory})
		require.NoError(t, err)
		defer s.Close()
		images[i] = s
	}
	a, b := images[0], images[1]

	_, err := store.GetImage(ctx, st, a.Digest())
	require.ErrorIs(t, err, store.ErrNotFound)
	for range 2 {
		require.NoError(t, store.PutImage(ctx, st, a))
		s, err := store.GetImage(ctx, st, a.Digest())
		require.NoError(t, err)
		require.Equal(t, a.Digest(), s.Digest())
		require.NoError(t, s.Close())
	}

	data, _, err := st.Get(ctx, store.ImageKey(a.Digest()))
	require.NoError(t, err)
	key := store.ImageKey(b.Digest())
	v, err := st.Put(ctx, key, data, store.Absent)
	require.NoError(t, err)
	_, err = store.GetImage(ctx, st, b.Digest())
	require.ErrorIs(t, err, store.ErrCorrupt, "another image in its place")
	for _, n := range []int{0, 10, len(data) - 1} {
		v, err = st.Put(ctx, key, data[:n], v)
		require.NoError(t, err)
		_, err = store.GetImage(ctx, st, b.Digest())
		require.ErrorIs(t, err, store.ErrCorrupt, "%d bytes of it", n)
	}

	ended, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, store.PutImage(ended, st, b), context.Canceled)
}
