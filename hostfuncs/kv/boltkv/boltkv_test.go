package boltkv_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/hostfuncs/kv"
	"github.com/sporeengine/spore/hostfuncs/kv/boltkv"
	"github.com/sporeengine/spore/hostfuncs/kv/kvtest"
)

func open(t testing.TB, path string) *boltkv.Backend {
	t.Helper()
	b, err := boltkv.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func TestBackend(t *testing.T) {
	kvtest.TestBackend(t, func(t *testing.T) kv.Backend { return open(t, filepath.Join(t.TempDir(), "kv")) })
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kv")
	b := open(t, path)
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	_, err := boltkv.Open(path)
	assert.ErrorIs(t, err, boltkv.ErrInUse)
	require.NoError(t, b.Update(context.Background(), "s/", func(tx kv.Tx) error { return tx.Put("k", []byte("v")) }))
	require.NoError(t, b.Close())
	require.Error(t, b.View(context.Background(), "s/", func(kv.Tx) error { return nil }))

	again := open(t, path)
	require.NoError(t, again.View(context.Background(), "s/", func(tx kv.Tx) error {
		v, err := tx.Get("k")
		assert.Equal(t, "v", string(v))
		return err
	}))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	unreachable := func(kv.Tx) error { panic("called") }
	assert.ErrorIs(t, again.View(ctx, "s/", unreachable), context.Canceled)
	assert.ErrorIs(t, again.Update(ctx, "s/", unreachable), context.Canceled)

	for name, content := range map[string][]byte{"short": []byte("not a database"), "zeros": make([]byte, 64<<10)} {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		_, err := boltkv.Open(path)
		assert.Error(t, err, name)
	}
	_, err = boltkv.Open(t.TempDir())
	assert.Error(t, err)
}

// BenchmarkPut is one durable write of a guest, without the guest.
func BenchmarkPut(b *testing.B) {
	put := kv.Functions(kv.Options{Backend: open(b, filepath.Join(b.TempDir(), "kv"))})[1]
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := put.Call(context.Background(), hostfuncs.Value{JSON: []byte(`{"key":"k","value":1}`)}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "kv")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	backend, err := boltkv.Open(filepath.Join(dir, "kv.bolt"))
	if err != nil {
		log.Fatal(err)
	}
	defer backend.Close()
	grants, err := hostfuncs.NewSet(kv.Functions(kv.Options{Backend: backend})...)
	if err != nil {
		log.Fatal(err)
	}
	for f := range grants.All() {
		fmt.Println(f.Name)
	}
	// Output:
	// kv.delete
	// kv.get
	// kv.list
	// kv.put
}
