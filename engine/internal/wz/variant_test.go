package wz

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/snapshot/rewrite"
)

// TestVariant: a program and a test binary have one variant exactly if wazero takes the code of one for that of the other.
func TestVariant(t *testing.T) {
	dir := t.TempDir()
	compile := func() {
		code, err := Compile(t.Context(), &rewrite.Module{Wasm: []byte("\x00asm\x01\x00\x00\x00")}, dir, false)
		require.NoError(t, err)
		require.NoError(t, code.Close())
	}
	count := func() (n int) {
		require.NoError(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				n++
			}
			return err
		}))
		return n
	}
	program := func() string {
		out, err := exec.Command("go", "run", "./testdata/variant", dir).CombinedOutput()
		require.NoError(t, err, "%s", out)
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return lines[len(lines)-1] // behind what go says of downloads
	}
	compile()
	require.Equal(t, 1, count())
	compile()
	require.Equal(t, 1, count(), "wazero takes its own")
	others := program()
	files := count()
	require.Equal(t, files == 1, others == Variant(), "%d files; program %q, test %q", files, others, Variant())
	require.Equal(t, others, program())
	require.Equal(t, files, count())
}
