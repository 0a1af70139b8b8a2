package cuda

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestProbes has the fake device measured: that the measurements work, not what they say.
func TestProbes(t *testing.T) {
	b := newFake(t, func(o *Options) { o.Poison = false })
	free, total, err := b.DeviceMemory()
	require.NoError(t, err)
	require.True(t, free > 0 && free <= total)
	r, err := b.CopyRates(make([]byte, 9<<20))
	require.NoError(t, err)
	require.NoError(t, r.RegisterError)
	require.True(t, r.Pinned > 0 && r.PinnedBack > 0 && r.Registered > 0 && r.Staged > 0 && r.Register > 0)
	require.NoError(t, b.CheckZeroing(1<<20))
	require.Zero(t, fakeNumber(t, fakeRegistered, -1))
}

// TestZeroingIsChecked holds that CheckZeroing can fail.
func TestZeroingIsChecked(t *testing.T) {
	b := newFake(t, nil) // poisons in the place of zeroing
	require.ErrorContains(t, b.CheckZeroing(1<<20), "another tenant's memory")
}
