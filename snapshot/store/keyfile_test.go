package store_test

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/snapshot/store"
)

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	var all [8]store.Key
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			var err error
			if all[i], err = store.KeyFile(path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range all {
		require.Equal(t, all[0].Secret, k.Secret, "all have the key of the first")
	}
	other, err := store.KeyFile(filepath.Join(dir, "other"))
	require.NoError(t, err)
	require.NotEqual(t, all[0].Secret, other.Secret)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "nothing else is left")
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
}

func TestKeyFileRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	for _, n := range []int{0, store.KeyBytes - 1, store.KeyBytes + 1} {
		require.NoError(t, os.WriteFile(path, make([]byte, n), 0o600))
		_, err := store.KeyFile(path)
		require.ErrorContains(t, err, "bytes, want 32")
	}
	_, err := store.KeyFile(filepath.Join(dir, "nowhere", "key"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = store.KeyFile(dir)
	require.Error(t, err)
}
