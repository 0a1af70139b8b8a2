package guest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/guest"
)

// pieces are the files of the module in each language, which are one when it is offered, in their order.
var pieces = [...]string{"tables", "types", "arrays", "evaluate", "values", "functions", "host", "module"}

// TestPacked keeps what is embedded as the files are. It comes after the tests that make some of these.
func TestPacked(t *testing.T) {
	read := func(path string) string {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(b)
	}
	joined := func(ext, between string) string {
		entries, err := os.ReadDir(ext)
		require.NoError(t, err)
		require.Len(t, entries, len(pieces), ext)
		var all strings.Builder
		for _, name := range pieces {
			all.WriteString(read(ext + "/" + name + "." + ext))
			all.WriteString(between)
		}
		return all.String()
	}
	sources := map[string]string{"javascript": joined("js", "\n"), "python": joined("py", "\n\n")}
	typings := map[string]string{"javascript": read("gpu.d.ts"), "python": read("gpu.pyi")}
	if *update {
		var b bytes.Buffer
		w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		require.NoError(t, err)
		require.NoError(t, json.NewEncoder(w).Encode(map[string]any{"sources": sources, "typings": typings}))
		require.NoError(t, w.Close())
		require.NoError(t, os.WriteFile("modules.json.gz", b.Bytes(), 0o644))
		t.Skip("written; what is embedded is as it was when the test was built")
	}
	const stale = "go test ./gpu/guest -update packs it anew"
	require.Equal(t, sources, guest.Sources(), stale)
	require.Equal(t, typings, guest.Typings(), stale)
}
