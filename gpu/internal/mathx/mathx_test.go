package mathx

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEnds compares with values that were computed with 60 digits.
func TestEnds(t *testing.T) {
	for _, c := range []struct{ got, want float64 }{
		{Exp(709.7), 1.65498402768026440e308},
		{Exp(709.78), 1.79282279439451562e308},
		{Exp(1), math.E},
		{Log(0x1p-1074), -744.440071921381262},
		{Log(0x1.8p-1030), -713.536130868635504},
		{Log(math.E), 1},
		{Pow(0x1p-1060, 1e-3), 0.479632059662632216},
		{Pow(-0x1p-1060, -1), math.Inf(-1)},
		{Pow(3, 4), 81},
	} {
		if c.want != c.got {
			require.InEpsilon(t, c.want, c.got, 1e-14)
		}
	}
	require.Equal(t, math.Inf(1), Exp(710))
	require.Equal(t, 0.0, Exp(-800))
	require.Equal(t, math.Inf(-1), Log(0))
	require.True(t, math.IsNaN(Log(-0x1p-1050)) && math.IsNaN(Exp(math.NaN())))
}
