package kv

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
)

// TestTotalsStayTrue makes random calls while time goes on, and compares what the space says of itself
// with what is in it.
func TestTotalsStayTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		memory := NewMemory(0)
		fs := Functions(Options{Backend: memory, MaxKeys: 12, MaxBytes: 400})
		codes := map[string]int{}
		for i := range 3000 {
			key := fmt.Sprintf("k%d", rng.IntN(20))
			arg := map[string]any{"key": key}
			f := fs[1]
			if rng.IntN(4) == 0 {
				f = fs[2]
			} else {
				arg["value"] = strings.Repeat("x", rng.IntN(60))
				if rng.IntN(2) == 0 {
					arg["ttl_ms"] = 1 + rng.IntN(300)
				}
			}
			if rng.IntN(3) == 0 {
				arg["if_version"] = max(0, i-rng.IntN(20))
				if rng.IntN(2) == 0 {
					arg["if_version"] = 0
				}
			}
			text, err := json.Marshal(arg)
			require.NoError(t, err)
			caller := hostfuncs.Caller{}
			if rng.IntN(2) == 0 {
				caller.Key = fmt.Sprint(i - rng.IntN(2)) // some come twice
			}
			_, err = f.Call(hostfuncs.WithCaller(context.Background(), caller), hostfuncs.Value{JSON: text})
			if err != nil {
				codes[hostfuncs.ForGuest(err).Code]++
			}
			checkTotals(t, memory)
			time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
		}
		require.Len(t, codes, 2, "%v", codes)
		require.Greater(t, codes[CodeConflict], 100)
		require.Greater(t, codes[hostfuncs.CodeQuota], 100)
	})
}

func checkTotals(t *testing.T, b Backend) {
	t.Helper()
	require.NoError(t, b.View(context.Background(), Space("", ""), func(tx Tx) error {
		pairs, err := tx.Scan("", 1<<20)
		require.NoError(t, err)
		var have, want totals
		ends, done, ring := 0, 0, 0
		for _, p := range pairs {
			switch p.Key[:1] {
			case totalsKey:
				have, err = decodeTotals(p.Value)
				require.NoError(t, err)
			case itemPrefix:
				it, err := decodeItem(p.Value)
				require.NoError(t, err)
				want.keys++
				want.bytes += it.bytes(p.Key[1:])
				if it.expires != 0 {
					ends++
					b, err := tx.Get(endKey(it.expires, p.Key[1:]))
					require.NoError(t, err)
					require.NotNil(t, b)
				}
			case endPrefix:
				ends--
			case donePrefix:
				done++
			case ringPrefix:
				ring++
			default:
				t.Fatalf("key %q", p.Key)
			}
		}
		require.Equal(t, want.keys, have.keys)
		require.Equal(t, want.bytes, have.bytes)
		require.LessOrEqual(t, have.keys, uint64(12))
		require.LessOrEqual(t, have.bytes, uint64(400))
		require.Zero(t, ends, "each end belongs to an item")
		require.Equal(t, ring, done)
		require.LessOrEqual(t, ring, rememberedWrites)
		return nil
	}))
	b.(*Memory).mu.RLock()
	defer b.(*Memory).mu.RUnlock()
	var n int64
	for _, s := range b.(*Memory).spaces {
		require.Len(t, s.keys, len(s.items))
		for k, v := range s.items {
			n += size(k, v)
		}
	}
	require.Equal(t, n, b.(*Memory).bytes)
}
