package guest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
)

// TestPage runs the example of README.md.
func TestPage(t *testing.T) {
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(b), "```js\n")
	require.True(t, found)
	code, _, found := strings.Cut(rest, "```")
	require.True(t, found)
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	const vectors = "const vectors = Float32Array.from({ length: 384 * 20 }, (_, i) => (i % 385 === 0 ? 1 + i / 385 : 0));"
	c := w.compile(t, "page.js", vectors+code)
	in, err := c.Open(t.Context(), w.options())
	require.NoError(t, err)
	defer in.Close()

	// Row i of the vectors has i+1 at i.
	query := make([]float32, 384)
	for i := range query {
		query[i] = 1
	}
	r, err := in.Call(t.Context(), "search", map[string]any{"query": query})
	require.NoError(t, err)
	require.JSONEq(t, `{"score": [20, 19, 18, 17, 16, 15, 14, 13, 12, 11], "index": [19, 18, 17, 16, 15, 14, 13, 12, 11, 10]}`, r.Text())
	require.Equal(t, 1, w.count("gpu.eval"))

	pixels := make([]int, 8*8*3)
	for i := range pixels {
		pixels[i] = i
	}
	r, err = in.Call(t.Context(), "thumbnail", map[string]any{"pixels": pixels, "w": 8, "h": 8})
	require.NoError(t, err)
	require.Equal(t, [][]byte{{0, 1, 2, 12, 13, 14, 96, 97, 98, 108, 109, 110}}, r.Buffers)
}
