package boltkv_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/hostfuncs/kv"
	"github.com/sporeengine/spore/hostfuncs/kv/boltkv"
)

// crashFile names the file to a child that writes until it is killed.
const crashFile = "SPORE_BOLTKV_CRASH"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashFile); path != "" {
		if err := writeForEver(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

const writers = 4

const get, put = 0, 1 // as kv.Functions returns them

func functions(b kv.Backend) []hostfuncs.Func {
	return kv.Functions(kv.Options{Backend: b, MaxKeys: 1 << 20})
}

func call(f hostfuncs.Func, writer int, arg string) (hostfuncs.Value, error) {
	ctx := hostfuncs.WithCaller(context.Background(), hostfuncs.Caller{Tenant: fmt.Sprint(writer % 2), Key: arg})
	return f.Call(ctx, hostfuncs.Value{JSON: json.RawMessage(arg)})
}

// writeForEver says on standard output what it has written, once it is. Each writer writes
// n under its own name and beside it, with the version by which it must be the next.
func writeForEver(path string) error {
	b, err := boltkv.Open(path)
	if err != nil {
		return err
	}
	fs := functions(b)
	errs := make(chan error)
	for w := range writers {
		go func() {
			n, version := 0, 0
			if last, err := read(fs, w, fmt.Sprintf("last/%d", w)); err != nil {
				errs <- err
			} else if last != nil {
				n, version = last.Value+1, last.Version
			}
			for ; ; n++ {
				_, err := call(fs[put], w, fmt.Sprintf(`{"key":"%d/%d","value":%d}`, w, n, n))
				if err == nil {
					var v hostfuncs.Value
					v, err = call(fs[put], w, fmt.Sprintf(`{"key":"last/%d","value":%d,"if_version":%d}`, w, n, version))
					if err == nil {
						var stored struct{ Version int }
						err = json.Unmarshal(v.JSON, &stored)
						version = stored.Version
					}
				}
				if err != nil {
					errs <- fmt.Errorf("writer %d, %d: %w", w, n, err)
				}
				fmt.Fprintf(os.Stdout, "%d %d\n", w, n) // one write to a pipe
			}
		}()
	}
	return <-errs
}

type entry struct{ Value, Version int }

func read(fs []hostfuncs.Func, w int, key string) (*entry, error) {
	v, err := call(fs[get], w, fmt.Sprintf(`{"key":%q}`, key))
	if err != nil {
		return nil, err
	}
	var e *entry
	return e, json.Unmarshal(v.JSON, &e)
}

// TestKilled kills processes while they write, and finds everything that they have said to have
// written; SPORE_KILLS says how many. (What a disk loses with its power is another question: this tests the order of writes, not the disk.)
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kv")
	last := map[int]int{}
	rounds := 20
	if testing.Short() {
		rounds = 5
	}
	if n, err := strconv.Atoi(os.Getenv("SPORE_KILLS")); err == nil {
		rounds = n
	}
	for range rounds {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), crashFile+"="+path)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		var kill sync.Once
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var w, n int
			_, err := fmt.Sscan(lines.Text(), &w, &n)
			require.NoError(t, err, lines.Text())
			last[w] = max(last[w], n)
			kill.Do(func() { // some time after the first write
				time.AfterFunc(time.Duration(rand.IntN(200_000))*time.Microsecond, func() { _ = child.Process.Kill() })
			})
		}
		require.Error(t, child.Wait(), "it was killed")
		verify(t, path, last)
	}
	t.Logf("acknowledged: %v", last)
}

func verify(t *testing.T, path string, last map[int]int) {
	t.Helper()
	b, err := boltkv.Open(path)
	require.NoError(t, err)
	fs := functions(b)
	for w, n := range last {
		got, err := read(fs, w, fmt.Sprintf("last/%d", w))
		require.NoError(t, err)
		require.NotNil(t, got)
		require.Contains(t, []int{n, n + 1}, got.Value, "the next may have been written and not said")
		for i := range n + 1 {
			one, err := read(fs, w, fmt.Sprintf("%d/%d", w, i))
			require.NoError(t, err)
			require.NotNil(t, one, "%d/%d", w, i)
			require.Equal(t, i, one.Value)
		}
		last[w] = got.Value // what has been read is as good as said
	}
	require.NoError(t, b.Close())

	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	require.NoError(t, err)
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Error(err)
		}
		return nil
	}))
	require.NoError(t, db.Close())
}
