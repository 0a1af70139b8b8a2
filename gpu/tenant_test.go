package gpu

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTenantNumbers holds that no two tenants have the same number, whatever was forgotten, and that none is used again.
func TestTenantNumbers(t *testing.T) {
	var all tenants
	names := map[uint32]string{}
	for i := range maxTenants + 100 {
		name := fmt.Sprint(i)
		n := all.number(name)
		require.Equal(t, n, all.number(name))
		require.NotContains(t, names, n)
		names[n] = name
	}
	require.LessOrEqual(t, len(all.known), maxTenants)
	require.NotContains(t, names, all.number("0"), "it was forgotten")
	all.last = math.MaxUint32
	require.Zero(t, all.number("another"))
	require.Zero(t, TenantOf(context.Background()))
	require.EqualValues(t, 7, TenantOf(WithTenant(context.Background(), 7)))
}
