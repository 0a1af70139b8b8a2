package gpu_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
)

// TestUnusedPoolCostsNothing: a server has neither a goroutine nor a file nor a process for a pool before the first use.
func TestUnusedPoolCostsNothing(t *testing.T) {
	before := measure()
	p, err := gpu.NewPool(gpu.Config{Standby: true})
	require.NoError(t, err)
	_, err = hostfuncs.Set{}.WithModules(gpu.Module(p, gpu.Options{Functions: []*gpu.Function{{Name: "f", Run: func(context.Context, []*gpu.Request) error { return nil }}}}))
	require.NoError(t, err)
	p.Stats()
	checkLeaks(t, before) // there may be less now: what earlier tests have left ends
	require.NoError(t, p.Close())
	checkLeaks(t, before)
}
