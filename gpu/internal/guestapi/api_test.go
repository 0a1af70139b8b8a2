package guestapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/internal/guestapi"
	"github.com/sporeengine/spore/gpu/tensor"
)

// TestFuncs holds what every function must have, and that no operation is out of reach.
func TestFuncs(t *testing.T) {
	names, ops := map[string]bool{}, map[tensor.Op]bool{}
	for _, f := range guestapi.Funcs() {
		require.False(t, names[f.Name], "two of %s", f.Name)
		names[f.Name], ops[f.Op] = true, true
		require.NotEmpty(t, f.Params, f.Name)
		info := f.Op.Info()
		require.True(t, f.Returns == guestapi.First || info.Results == 2, f.Name)
		if info.Arity > 0 && !f.Creates {
			require.GreaterOrEqual(t, len(f.Params), min(info.Arity, 1), f.Name)
		}
		optional := false
		for _, p := range f.Params {
			require.False(t, optional && p.Default == "", "%s: %s has to be given after one that has not", f.Name, p.Name)
			optional = p.Default != ""
		}
		for _, p := range f.Options {
			require.NotEmpty(t, p.Default, "%s: %s", f.Name, p.Name)
		}
	}
	require.Len(t, ops, len(tensor.Ops()))
	for alias, name := range guestapi.Aliases {
		require.True(t, names[name], alias)
		require.False(t, names[alias], alias)
	}
	for other, name := range guestapi.Nearest {
		require.True(t, names[name], other)
		require.False(t, names[other], other)
		require.Empty(t, guestapi.Aliases[other], other)
	}
}
