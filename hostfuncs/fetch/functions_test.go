package fetch

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
)

// TestFunction has the function as guests see it.
func TestFunction(t *testing.T) {
	w := newWorld(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/binary":
			w.Write([]byte{0xff, '<', 0})
		case "/empty":
			w.WriteHeader(http.StatusTeapot)
		default:
			w.Header().Set("X-Raw", "\xff")
			echo(w, r)
		}
	}))
	c := w.client(t, Options{Rules: []Rule{{Host: "api.example.com", Methods: anyMethod}}, MaxRequest: 100})
	fs, err := hostfuncs.NewSet(c.functions(0)...)
	require.NoError(t, err)
	f, ok := fs.Lookup("fetch.request")
	require.True(t, ok)
	call := func(arg string, buffers ...[]byte) (r response, out hostfuncs.Value, err error) {
		out, err = f.Call(context.Background(), hostfuncs.Value{JSON: json.RawMessage(arg), Buffers: buffers})
		if err == nil {
			plain := map[string]json.RawMessage{}
			require.NoError(t, json.Unmarshal(out.JSON, &plain))
			delete(plain, "bytes")
			b, err := json.Marshal(plain)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(b, &r))
		}
		return r, out, err
	}
	r, out, err := call(`{"url":"https://api.example.com/a","method":"post","headers":{"a":"b"},"body":"é<"}`)
	require.NoError(t, err)
	assert.Equal(t, 200, r.Status)
	assert.Contains(t, r.Body, "A: [b]")
	assert.Contains(t, r.Body, "length=3")
	assert.Equal(t, "\ufffd", r.Headers["x-raw"])
	assert.Empty(t, out.Buffers)

	r, _, err = call(`{"url":"https://api.example.com/a","method":"PUT","bytes":{"$bytes":0}}`, []byte{1, 2})
	require.NoError(t, err)
	assert.Contains(t, r.Body, "length=2")

	r, out, err = call(`{"url":"https://api.example.com/binary","binary":true}`)
	require.NoError(t, err)
	assert.Empty(t, r.Body)
	assert.Equal(t, [][]byte{{0xff, '<', 0}}, out.Buffers)
	assert.Contains(t, string(out.JSON), `"bytes":{"$bytes":0}`)
	r, out, err = call(`{"url":"https://api.example.com/binary"}`)
	require.NoError(t, err)
	assert.Equal(t, "\ufffd<\x00", r.Body)
	assert.NotContains(t, string(out.JSON), `"bytes"`)
	r, out, err = call(`{"url":"https://api.example.com/empty","binary":true}`)
	require.NoError(t, err)
	assert.Equal(t, 418, r.Status)
	assert.Len(t, out.Buffers, 1)

	for arg, want := range map[string]string{
		`{}`: hostfuncs.CodeInvalid,
		`{"url":"https://api.example.com/","body":"a","bytes":{"$bytes":0}}`: hostfuncs.CodeInvalid,
		`{"url":"https://api.example.com/","headers":{"a":["b"]}}`:           hostfuncs.CodeInvalid,
		`{"url":"https://api.example.com/","redirect":"follow"}`:             hostfuncs.CodeInvalid,
		`{"url":"https://api.example.org/"}`:                                 hostfuncs.CodeDenied,
	} {
		var buffers [][]byte
		if strings.Contains(arg, "$bytes") {
			buffers = [][]byte{{1}}
		}
		_, _, err := call(arg, buffers...)
		assert.Equal(t, want, code(err), arg)
	}
	assert.Contains(t, f.Doc, "\nGET HEAD POST PUT DELETE OPTIONS https://api.example.com")
	several, err := Functions(Options{Rules: []Rule{{Host: "*.a.b", HTTP: true, Ports: []uint16{80, 8080}, Paths: []string{"/v1", "/v2"}, Headers: map[string]string{"X-Key": "secret"}}}})
	require.NoError(t, err)
	assert.Contains(t, several[0].Doc, "\nGET HEAD http://*.a.b on ports 80 8080 at /v1 /v2")
	assert.NotContains(t, several[0].Doc, "secret")
	nothing, err := Functions(Options{})
	require.NoError(t, err)
	_, err = nothing[0].Call(context.Background(), hostfuncs.Value{JSON: json.RawMessage(`{"url":"https://example.com/"}`)})
	assert.Equal(t, hostfuncs.CodeDenied, code(err), "the zero value allows nothing")
}
