package hostfuncs_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/hostfuncs/clock"
	"github.com/sporeengine/spore/hostfuncs/fetch"
	"github.com/sporeengine/spore/hostfuncs/files"
	"github.com/sporeengine/spore/hostfuncs/kv"
	"github.com/sporeengine/spore/hostfuncs/log"
	"github.com/sporeengine/spore/hostfuncs/random"
)

// TestDescriptions compares what is generated for editors and models with
// testdata. SPORE_UPDATE=1 writes it anew.
func TestDescriptions(t *testing.T) {
	s, err := hostfuncs.NewSet(weather(),
		hostfuncs.New("kv.delete", `Ends */ a comment and a """ docstring.`, func(context.Context, struct {
			Key string `json:"key"`
		}) (none, error) {
			return none{}, nil
		}),
		hostfuncs.New("kv.keys", "", func(context.Context, none) ([]map[string]*int, error) { return nil, nil }),
		hostfuncs.New("image.scale", "An image of another size.", func(context.Context, struct {
			Image  hostfuncs.Bytes            `json:"image" jsonschema:"PNG or JPEG"`
			Mask   *hostfuncs.Bytes           `json:"mask,omitempty"`
			Layers map[string]hostfuncs.Bytes `json:"layers,omitempty"`
			Extra  hostfuncs.Value            `json:"extra,omitzero"`
			Raw    *json.RawMessage           `json:"raw,omitempty"`
		}) ([]hostfuncs.Bytes, error) {
			return nil, nil
		}),
		hostfuncs.New("query.next", "Rows.", func(context.Context, struct {
			Query hostfuncs.Handle `json:"query"`
		}) (hostfuncs.Value, error) {
			return hostfuncs.Value{}, nil
		}),
		hostfuncs.Raw("blob.copy", "Any value.", func(_ context.Context, v hostfuncs.Value) (hostfuncs.Value, error) { return v, nil }),
	)
	require.NoError(t, err)
	golden(t, s, "spore")
}

// TestDescriptionsOfReadyMadeFunctions does the same with the packages below this one.
func TestDescriptionsOfReadyMadeFunctions(t *testing.T) {
	requests, err := fetch.Functions(fetch.Options{Rules: []fetch.Rule{{Host: "api.example.com", Paths: []string{"/v1"}}}})
	require.NoError(t, err)
	s, err := hostfuncs.NewSet(slices.Concat(
		requests, files.New(nil, files.Quota{}).Functions(), clock.Functions(clock.Options{}), kv.Functions(kv.Options{}), log.Functions(log.Options{}), random.Functions(random.Options{}),
	)...)
	require.NoError(t, err)
	golden(t, s, "ready-made")
}

func golden(t *testing.T, s hostfuncs.Set, name string) {
	t.Helper()
	for ext, got := range map[string]string{".d.ts": s.TypeScript(), ".pyi": s.Python(), ".txt": s.Describe()} {
		path := filepath.Join("testdata", name+ext)
		if os.Getenv("SPORE_UPDATE") != "" {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), got, path)
	}
}
