package kv_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/hostfuncs/kv"
)

// A store calls the functions as guests of one tenant do.
type store struct {
	set    hostfuncs.Set
	caller hostfuncs.Caller
	ctx    context.Context
}

func open(t *testing.T, opts kv.Options) store {
	t.Helper()
	set, err := hostfuncs.NewSet(kv.Functions(opts)...)
	require.NoError(t, err)
	return store{set: set, ctx: context.Background()}
}

// call returns the result's JSON, or the code of the error.
func (s store) call(name, arg string, buffers ...[]byte) string {
	v, err := s.value(name, hostfuncs.Value{JSON: json.RawMessage(arg), Buffers: buffers})
	if err != nil {
		return hostfuncs.ForGuest(err).Code
	}
	return string(v.JSON)
}

func (s store) value(name string, arg hostfuncs.Value) (hostfuncs.Value, error) {
	f, _ := s.set.Lookup(name)
	return f.Call(hostfuncs.WithCaller(s.ctx, s.caller), arg)
}

func (s store) as(c hostfuncs.Caller) store {
	s.caller = c
	return s
}

func TestGetPutDelete(t *testing.T) {
	s := open(t, kv.Options{})
	for _, step := range []struct{ name, arg, want string }{
		{"kv.get", `{"key":"a"}`, `null`},
		{"kv.put", `{"key":"a","value":{"n": 1.50, "s": "é"}}`, `{"version":1}`},
		{"kv.get", `{"key":"a"}`, `{"value":{"n": 1.50, "s": "é"},"version":1}`},
		{"kv.put", `{"key":"a","value":null}`, `{"version":2}`},
		{"kv.get", `{"key":"a"}`, `{"value":null,"version":2}`},
		{"kv.put", `{"key":"b","value":1,"if_version":0}`, `{"version":3}`},
		{"kv.put", `{"key":"b","value":2,"if_version":0}`, kv.CodeConflict},
		{"kv.put", `{"key":"b","value":2,"if_version":2}`, kv.CodeConflict},
		{"kv.put", `{"key":"b","value":2,"if_version":3}`, `{"version":4}`},
		{"kv.delete", `{"key":"b","if_version":3}`, kv.CodeConflict},
		{"kv.delete", `{"key":"b","if_version":4}`, `{"deleted":true}`},
		{"kv.delete", `{"key":"b","if_version":4}`, kv.CodeConflict},
		{"kv.delete", `{"key":"b"}`, `{"deleted":false}`},
		{"kv.put", `{"key":"b","value":3,"if_version":4}`, kv.CodeConflict},
		{"kv.put", `{"key":"b","value":3,"if_version":0}`, `{"version":5}`}, // none comes twice
		{"kv.put", `{"key":"","value":1}`, hostfuncs.CodeInvalid},
		{"kv.put", `{"key":"` + strings.Repeat("k", kv.MaxKey+1) + `","value":1}`, hostfuncs.CodeInvalid},
		{"kv.put", `{"key":"a"}`, hostfuncs.CodeInvalid},
		{"kv.put", `{"key":"a","value":1,"ttl":5}`, hostfuncs.CodeInvalid},
		{"kv.put", `{"key":"a","value":1,"ttl_ms":-5}`, hostfuncs.CodeInvalid},
		{"kv.get", `{"key":""}`, hostfuncs.CodeInvalid},
		{"kv.delete", `{"key":""}`, hostfuncs.CodeInvalid},
	} {
		assert.Equal(t, step.want, s.call(step.name, step.arg), "%s %s", step.name, step.arg)
	}
}

func TestBinaryValues(t *testing.T) {
	s := open(t, kv.Options{})
	for _, v := range []hostfuncs.Value{
		{JSON: json.RawMessage(`{"$bytes":0}`), Buffers: [][]byte{[]byte("a\x00b")}},
		{JSON: json.RawMessage(`{"$bytes":0}`), Buffers: [][]byte{{}}},
		{JSON: json.RawMessage(`[{"image":{"$bytes":0}},"$bytes",{"thumb":{"$bytes":1}}]`), Buffers: [][]byte{[]byte("image"), []byte("thumb")}},
	} {
		require.Equal(t, "version", s.call("kv.put", `{"key":"a","value":`+string(v.JSON)+`}`, v.Buffers...)[2:9])
		clear(v.Buffers[0]) // the store has a copy
		got, err := s.value("kv.get", hostfuncs.Value{JSON: json.RawMessage(`{"key":"a"}`)})
		require.NoError(t, err)
		assert.Contains(t, string(got.JSON), string(v.JSON))
		assert.Len(t, got.Buffers, len(v.Buffers))
		assert.NotContains(t, got.Buffers, make([]byte, 5))
		for _, b := range got.Buffers {
			clear(b) // the guest's is another
		}
		again, err := s.value("kv.get", hostfuncs.Value{JSON: json.RawMessage(`{"key":"a"}`)})
		require.NoError(t, err)
		if len(again.Buffers) == 2 {
			assert.Equal(t, "image", string(again.Buffers[0]))
			assert.Equal(t, "thumb", string(again.Buffers[1]))
		}
	}
}

func TestList(t *testing.T) {
	s := open(t, kv.Options{})
	for i := range 300 {
		require.Contains(t, s.call("kv.put", fmt.Sprintf(`{"key":"n/%03d","value":%d}`, i, i)), "version")
	}
	for _, k := range []string{"a", "n", "n0", "o", "n/"} {
		require.Contains(t, s.call("kv.put", fmt.Sprintf(`{"key":%q,"value":[]}`, k)), "version")
	}
	var keys []string
	after := ""
	for more := true; more; {
		var page struct {
			Keys []struct {
				Key            string
				Version, Bytes int
			}
			More bool
		}
		require.NoError(t, json.Unmarshal([]byte(s.call("kv.list", fmt.Sprintf(`{"prefix":"n/","after":%q}`, after))), &page))
		require.LessOrEqual(t, len(page.Keys), 100)
		for _, k := range page.Keys {
			keys = append(keys, k.Key)
			assert.NotZero(t, k.Bytes)
			assert.NotZero(t, k.Version)
			after = k.Key
		}
		more = page.More
	}
	require.Len(t, keys, 301)
	assert.Equal(t, "n/", keys[0])
	assert.Equal(t, "n/299", keys[300])
	assert.IsIncreasing(t, keys)
	for arg, want := range map[string]string{
		`{"prefix":"x"}`:                          `{"keys":[],"more":false}`,
		`{"prefix":"a"}`:                          `{"keys":[{"key":"a","version":301,"bytes":2}],"more":false}`,
		`{"prefix":"a","after":"a"}`:              `{"keys":[],"more":false}`,
		`{"limit":1}`:                             `{"keys":[{"key":"a","version":301,"bytes":2}],"more":true}`,
		`{"prefix":"n0","after":"b"}`:             `{"keys":[{"key":"n0","version":303,"bytes":2}],"more":false}`,
		`{"after":"n0"}`:                          `{"keys":[{"key":"o","version":304,"bytes":2}],"more":false}`,
		`{"limit":-1}`:                            hostfuncs.CodeInvalid,
		fmt.Sprintf(`{"limit":%d}`, kv.MaxList+1): hostfuncs.CodeInvalid,
	} {
		assert.Equal(t, want, s.call("kv.list", arg), arg)
	}
}

func TestSpaces(t *testing.T) {
	type userKey struct{}
	s := open(t, kv.Options{Scope: func(ctx context.Context) string {
		user, _ := ctx.Value(userKey{}).(string)
		return user
	}})
	callers := []store{}
	for _, tenant := range []string{"", "acme", "acme/a", "a\x00"} {
		for _, user := range []string{"", "a", "acme", "../x"} {
			c := s.as(hostfuncs.Caller{Tenant: tenant})
			c.ctx = context.WithValue(c.ctx, userKey{}, user)
			callers = append(callers, c)
		}
	}
	for i, c := range callers {
		assert.Equal(t, "null", c.call("kv.get", `{"key":"k"}`))
		assert.Equal(t, `{"version":1}`, c.call("kv.put", fmt.Sprintf(`{"key":"k","value":%d}`, i)))
	}
	for i, c := range callers {
		assert.Equal(t, fmt.Sprintf(`{"value":%d,"version":1}`, i), c.call("kv.get", `{"key":"k"}`))
	}
	shared := open(t, kv.Options{})
	a, b := shared.as(hostfuncs.Caller{Tenant: "t", Component: "a"}), shared.as(hostfuncs.Caller{Tenant: "t", Component: "b"})
	a.call("kv.put", `{"key":"k","value":1}`)
	assert.Equal(t, `{"value":1,"version":1}`, b.call("kv.get", `{"key":"k"}`), "components of a tenant share keys")
}

func TestQuotas(t *testing.T) {
	s := open(t, kv.Options{MaxKeys: 3, MaxValue: 20, MaxBytes: 50})
	put := func(key string, n int) string {
		return s.call("kv.put", fmt.Sprintf(`{"key":%q,"value":{"$bytes":0}}`, key), make([]byte, n))
	}
	assert.Equal(t, hostfuncs.CodeTooLarge, put("a", 9), "12 of JSON and 9")
	assert.Equal(t, `{"version":1}`, put("a", 8))
	assert.Equal(t, `{"version":2}`, put("b", 8))
	assert.Equal(t, hostfuncs.CodeQuota, put("c", 0), "21 + 21 + 13 bytes")
	assert.Equal(t, `{"version":3}`, put("b", 0), "the old value does not count")
	assert.Equal(t, `{"version":4}`, put("c", 0))
	assert.Equal(t, hostfuncs.CodeQuota, s.call("kv.put", `{"key":"d","value":1}`), "a fourth key")
	assert.Equal(t, `{"deleted":true}`, s.call("kv.delete", `{"key":"a"}`))
	assert.Equal(t, `{"version":5}`, s.call("kv.put", `{"key":"d","value":1}`))
	assert.Equal(t, `{"version":1}`, s.as(hostfuncs.Caller{Tenant: "other"}).call("kv.put", `{"key":"d","value":1}`))

	full := open(t, kv.Options{Backend: kv.NewMemory(1000)})
	_, err := full.value("kv.put", hostfuncs.Value{JSON: fmt.Appendf(nil, `{"key":"k","value":%q}`, strings.Repeat("x", 1000))})
	assert.ErrorIs(t, err, kv.ErrFull)
	assert.Equal(t, hostfuncs.CodeQuota, hostfuncs.ForGuest(err).Code)

	large := open(t, kv.Options{MaxValue: 8 << 20, MaxBytes: 64 << 20})
	const n = 8<<20 - 12
	require.Equal(t, `{"version":1}`, large.call("kv.put", `{"key":"k","value":{"$bytes":0}}`, make([]byte, n)), "MaxArg follows")
	v, err := large.value("kv.get", hostfuncs.Value{JSON: json.RawMessage(`{"key":"k"}`)})
	require.NoError(t, err, "MaxResult follows")
	assert.Len(t, v.Buffers[0], n)
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, kv.Options{MaxKeys: 40})
		start := time.Now().UnixMilli()
		for i := range 40 {
			require.Contains(t, s.call("kv.put", fmt.Sprintf(`{"key":"k%02d","value":0,"ttl_ms":1000}`, i)), "version")
		}
		assert.Equal(t, fmt.Sprintf(`{"value":0,"version":1,"expires_ms":%d}`, start+1000), s.call("kv.get", `{"key":"k00"}`))
		assert.Equal(t, hostfuncs.CodeQuota, s.call("kv.put", `{"key":"x","value":0}`))
		require.Contains(t, s.call("kv.put", `{"key":"k39","value":1}`), "version", "it does not expire any more")
		require.Contains(t, s.call("kv.put", `{"key":"k38","value":1,"ttl_ms":5000}`), "version")
		time.Sleep(time.Second)
		assert.Equal(t, "null", s.call("kv.get", `{"key":"k00"}`))
		assert.Equal(t, `{"keys":[{"key":"k38","version":42,"bytes":1},{"key":"k39","version":41,"bytes":1}],"more":false}`, s.call("kv.list", `{}`))
		assert.Equal(t, kv.CodeConflict, s.call("kv.put", `{"key":"k37","value":0,"if_version":38}`))
		assert.Equal(t, `{"deleted":false}`, s.call("kv.delete", `{"key":"k36"}`))
		for i := range 38 { // what has expired takes no room
			require.Contains(t, s.call("kv.put", fmt.Sprintf(`{"key":"n%02d","value":0,"if_version":0}`, i)), "version")
		}
		assert.Equal(t, hostfuncs.CodeQuota, s.call("kv.put", `{"key":"x","value":0}`))
		time.Sleep(4 * time.Second)
		assert.Contains(t, s.call("kv.put", `{"key":"x","value":0}`), "version")
		require.Contains(t, s.call("kv.put", `{"key":"x","value":0,"ttl_ms":18446744073709551615}`), "version")
		time.Sleep(24 * time.Hour)
		assert.NotEqual(t, "null", s.call("kv.get", `{"key":"x"}`))
	})
}

// A write that was made is not made again for the same caller.
func TestWritesAreMadeOnce(t *testing.T) {
	s := open(t, kv.Options{})
	first := s.as(hostfuncs.Caller{Key: "i.0.1"})
	put := `{"key":"a","value":1,"if_version":0}`
	assert.Equal(t, `{"version":1}`, first.call("kv.put", put))
	assert.Equal(t, `{"version":1}`, first.call("kv.put", put), "no conflict with itself")
	assert.Equal(t, kv.CodeConflict, s.as(hostfuncs.Caller{Key: "i.1.1"}).call("kv.put", put))
	assert.Equal(t, kv.CodeConflict, s.call("kv.put", put), "in a render nothing is made again")
	assert.Equal(t, `{"version":2}`, s.call("kv.put", `{"key":"a","value":2}`))
	assert.Equal(t, `{"version":1}`, first.call("kv.put", put))
	assert.Equal(t, `{"value":2,"version":2}`, s.call("kv.get", `{"key":"a"}`), "what came later is not overwritten")

	second := s.as(hostfuncs.Caller{Key: "i.0.2"})
	for range 2 {
		assert.Equal(t, `{"deleted":true}`, second.call("kv.delete", `{"key":"a","if_version":2}`))
	}
	assert.Equal(t, "null", s.call("kv.get", `{"key":"a"}`))

	// What was refused may come again.
	third := s.as(hostfuncs.Caller{Key: "i.0.3"})
	assert.Equal(t, kv.CodeConflict, third.call("kv.put", `{"key":"a","value":3,"if_version":2}`))
	assert.Equal(t, `{"version":3}`, third.call("kv.put", `{"key":"a","value":3,"if_version":0}`))

	for i := range 600 { // the list of writes is bounded, and forgets the oldest
		s.as(hostfuncs.Caller{Key: fmt.Sprintf("j.0.%d", i)}).call("kv.put", `{"key":"b","value":0}`)
	}
	assert.Equal(t, `{"version":603}`, s.as(hostfuncs.Caller{Key: "j.0.599"}).call("kv.put", put))
	assert.Equal(t, `{"version":348}`, s.as(hostfuncs.Caller{Key: "j.0.344"}).call("kv.put", put))
	assert.Equal(t, kv.CodeConflict, s.as(hostfuncs.Caller{Key: "j.0.343"}).call("kv.put", put))
}

// TestHammerCompareAndSwap increments counters from many goroutines, and loses nothing.
func TestHammerCompareAndSwap(t *testing.T) {
	s := open(t, kv.Options{})
	const goroutines, rounds = 8, 50
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			s := s.as(hostfuncs.Caller{Tenant: fmt.Sprint(g % 2)})
			for done := 0; done < rounds; {
				var v *struct{ Value, Version int }
				if err := json.Unmarshal([]byte(s.call("kv.get", `{"key":"n"}`)), &v); err != nil {
					t.Error(err)
					return
				}
				if v == nil {
					v = &struct{ Value, Version int }{}
				}
				switch got := s.call("kv.put", fmt.Sprintf(`{"key":"n","value":%d,"if_version":%d}`, v.Value+1, v.Version)); {
				case strings.HasPrefix(got, `{"version":`):
					done++
				case got != kv.CodeConflict:
					t.Error(got)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, tenant := range []string{"0", "1"} {
		want := fmt.Sprintf(`{"value":%d,"version":%[1]d}`, goroutines/2*rounds)
		assert.Equal(t, want, s.as(hostfuncs.Caller{Tenant: tenant}).call("kv.get", `{"key":"n"}`))
	}
}

// A broken is a backend that fails, or returns what nobody has written.
type broken struct {
	kv.Backend
	err   error
	value []byte
}

type brokenTx struct {
	kv.Tx
	value []byte
}

func (b broken) View(ctx context.Context, space string, fn func(kv.Tx) error) error {
	return b.Backend.View(ctx, space, func(tx kv.Tx) error { return errors.Join(fn(brokenTx{tx, b.value}), b.err) })
}

func (b broken) Update(ctx context.Context, space string, fn func(kv.Tx) error) error {
	return b.Backend.Update(ctx, space, func(tx kv.Tx) error { return errors.Join(fn(brokenTx{tx, b.value}), b.err) })
}

func (t brokenTx) Get(string) ([]byte, error) { return t.value, nil }

func (t brokenTx) Scan(from string, _ int) ([]kv.Pair, error) {
	if t.value == nil {
		return nil, nil
	}
	return []kv.Pair{{Key: from + "x", Value: t.value}}, nil
}

func TestBrokenBackends(t *testing.T) {
	for name, b := range map[string]broken{
		"failing":   {err: errors.New("disk on fire at /dev/sda")},
		"truncated": {value: []byte{1, 2}},
		"garbage":   {value: []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")},
		"too long":  {value: []byte{1, 0, 1, '1', 0, 0}},
		"buffers":   {value: []byte{1, 0, 1, '1', 0xff, 0xff, 3}},
	} {
		b.Backend = kv.NewMemory(0)
		s := open(t, kv.Options{Backend: b})
		for f, arg := range map[string]string{"kv.get": `{"key":"a"}`, "kv.put": `{"key":"a","value":1}`, "kv.delete": `{"key":"a"}`, "kv.list": `{}`} {
			assert.Equal(t, hostfuncs.CodeInternal, s.call(f, arg), "%s: %s", name, f)
		}
	}
}
