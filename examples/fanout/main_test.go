package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// durations match what differs from run to run, and blanks how the tables' columns are filled up.
var (
	durations = regexp.MustCompile(`\b\d+(\.\d+)?(ns|µs|ms|s)\b`)
	blanks    = regexp.MustCompile(` +`)
)

func normal(s string) string { return blanks.ReplaceAllString(durations.ReplaceAllString(s, "T"), " ") }

// TestRun checks everything but the timings: each variant draws its random numbers from a seed
// of its own, so the tours are the same however the variants ran.
func TestRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.html")
	var printed strings.Builder
	require.NoError(t, run(t.Context(), out, 2, 6, &printed))
	require.Equal(t, `The state was built in T; its tour is 977.0 long.

 round variants a fork took all ran in best tour
 1 6 T T 843.9
 2 6 T T 803.2

Open OUT to see them.
`, strings.ReplaceAll(normal(printed.String()), out, "OUT"))

	page, err := os.ReadFile(out)
	require.NoError(t, err)
	got := normal(string(page))
	golden := filepath.Join("testdata", "out.html")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "go test -update rewrites %s", golden)
}
