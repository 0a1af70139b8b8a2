package pyworker_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
)

// TestReadme runs the file of models in README.md, where there is PyTorch: for the Python of SPORE_PYTHON or else of PATH, in the environment of the
// test.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, source, ok := strings.Cut(string(text), "```python\n")
	require.True(t, ok)
	source, _, ok = strings.Cut(source, "```")
	require.True(t, ok)
	path := filepath.Join(t.TempDir(), "models.py")
	require.NoError(t, os.WriteFile(path, []byte(source), 0o600))
	config := gpu.Config{Env: os.Environ()}
	if path := os.Getenv("SPORE_PYTHON"); path != "" {
		config.Command = []string{path}
	}
	p := newPool(t, path, config)
	functions, streams, err := p.Models(t.Context())
	if err != nil && strings.Contains(err.Error(), "No module named 'torch'") {
		t.Skip("no PyTorch: the example in README.md was not run")
	}
	require.NoError(t, err)
	require.Len(t, functions, 1)
	info, err := p.Info(t.Context())
	require.NoError(t, err)
	t.Log(info.Device)

	call := newGuest(t, p)
	x := rows(5, 16, 0)
	a := call(t.Context(), "a", "classify", x)
	require.NoError(t, a.err)
	require.Equal(t, []int{5, 4}, a.Outputs[0].Shape)
	require.Len(t, a.Outputs[0].data, 5*4*4)
	x.Shape, x.Name, x.Data = []int{16}, "start", x.Data[:64]
	r := &gpu.Request{Inputs: []gpu.Tensor{x}, Parameters: map[string]any{"steps": 20}}
	var classes []byte
	count := func(part gpu.Part) error {
		classes = append(classes, part.Outputs[0].Data[0])
		return nil
	}
	require.NoError(t, streams[0].Run(t.Context(), r, count))
	require.Len(t, classes, 20)
	t.Log(classes)
	r.Parameters["steps"] = 0
	err = streams[0].Run(context.Background(), r, count)
	require.Equal(t, hostfuncs.CodeInvalid, hostfuncs.ForGuest(err).Code)
}
