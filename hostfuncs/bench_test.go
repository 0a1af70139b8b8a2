package hostfuncs_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/sporeengine/spore/hostfuncs"
)

// BenchmarkCall is what a typed function costs on the host's side: with and without a table
// of handles, and with a megabyte as a buffer, there and back, or in base64, there.
func BenchmarkCall(b *testing.B) {
	type query struct {
		N int `json:"n"`
	}
	small := hostfuncs.New("a.small", "", func(_ context.Context, q query) (query, error) { return q, nil })
	binary := hostfuncs.New("a.binary", "", func(_ context.Context, in struct{ B hostfuncs.Bytes }) (struct{ B hostfuncs.Bytes }, error) {
		return in, nil
	})
	text := hostfuncs.New("a.text", "", func(_ context.Context, in struct{ B string }) (int, error) {
		data, err := base64.StdEncoding.DecodeString(in.B)
		return len(data), err
	})
	for _, f := range []*hostfuncs.Func{&small, &binary, &text} {
		f.Quick, f.MaxArg = true, 4<<20
	}
	megabyte := make([]byte, 1<<20)
	inText, _ := json.Marshal(map[string]any{"B": megabyte})
	ctx := context.Background()
	for _, c := range []struct {
		name string
		f    hostfuncs.Func
		ctx  context.Context
		arg  hostfuncs.Value
	}{
		{"small", small, ctx, hostfuncs.Value{JSON: json.RawMessage(`{"n":5}`)}},
		{"small-holding", small, hostfuncs.WithHandles(ctx, &hostfuncs.Handles{}), hostfuncs.Value{JSON: json.RawMessage(`{"n":5}`)}},
		{"buffer-1MB", binary, ctx, hostfuncs.Value{JSON: json.RawMessage(`{"B":{"$bytes":0}}`), Buffers: [][]byte{megabyte}}},
		{"base64-1MB", text, ctx, hostfuncs.Value{JSON: inText}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.f.Call(c.ctx, c.arg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
