package kv

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sporeengine/spore/hostfuncs"
)

func TestRecords(t *testing.T) {
	for _, it := range []item{
		{version: 1, value: hostfuncs.Value{JSON: json.RawMessage(`1`)}},
		{version: math.MaxUint64, expires: 1 << 60, value: hostfuncs.Value{JSON: json.RawMessage(`[{"$bytes":0},{"$bytes":1}]`), Buffers: [][]byte{[]byte("a"), {}}}},
	} {
		got, err := decodeItem(it.encode())
		assert.NoError(t, err)
		assert.Equal(t, it, got)
	}
	expires, key, ok := parseEndKey(endKey(1<<60, "a\x00"))
	assert.Equal(t, []any{uint64(1 << 60), "a\x00", true}, []any{expires, key, ok})
	assert.Less(t, endKey(255, "z"), endKey(256, "a"), "in the order of time")
	_, _, ok = parseEndKey("e123")
	assert.False(t, ok)
	assert.Equal(t, ringKey(1), ringKey(1+rememberedWrites))
	assert.NotEqual(t, ringKey(1), ringKey(rememberedWrites))
}

func FuzzDecodeItem(f *testing.F) {
	f.Add(item{version: 1, value: hostfuncs.Value{JSON: json.RawMessage(`1`)}}.encode())
	f.Add(item{version: 300, expires: 1 << 40, value: hostfuncs.Value{JSON: json.RawMessage(`{"$bytes":0}`), Buffers: [][]byte{[]byte("a")}}}.encode())
	f.Add([]byte{1, 0, 1, '1', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		it, err := decodeItem(b)
		if err != nil {
			return
		}
		again, err := decodeItem(it.encode())
		if err != nil || !bytes.Equal(again.encode(), it.encode()) || it.value.Size() > int64(len(b)) {
			t.Fatalf("%q: %+v, then %+v, %v", b, it, again, err)
		}
	})
}
