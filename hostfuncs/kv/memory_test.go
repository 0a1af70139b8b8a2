package kv_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs/kv"
	"github.com/sporeengine/spore/hostfuncs/kv/kvtest"
)

func TestMemory(t *testing.T) {
	kvtest.TestBackend(t, func(*testing.T) kv.Backend { return kv.NewMemory(0) })
}

func TestMemoryIsBounded(t *testing.T) {
	m := kv.NewMemory(10_000)
	ctx := context.Background()
	put := func(space, key string, n int) error {
		return m.Update(ctx, space, func(tx kv.Tx) error { return tx.Put(key, make([]byte, n)) })
	}
	require.NoError(t, put("a/", "k", 4000))
	require.NoError(t, put("b/", "k", 4000))
	assert.ErrorIs(t, put("c/", "k", 4000), kv.ErrFull)
	assert.ErrorIs(t, put("a/", "k", 8000), kv.ErrFull)
	require.NoError(t, put("a/", "k", 5000), "the old value does not count")
	require.NoError(t, put("a/", "k", 10))
	require.NoError(t, put("c/", "k", 4000))
	for range 100 { // what is taken back does not count
		require.Error(t, m.Update(ctx, "a/", func(tx kv.Tx) error {
			require.NoError(t, tx.Put("k2", make([]byte, 1000)))
			return assert.AnError
		}))
	}
	require.NoError(t, put("a/", "k", 1000))
	require.NoError(t, m.Update(ctx, "c/", func(tx kv.Tx) error { return tx.Delete("k") }))
	require.NoError(t, put("d/", "k", 4000))
}
