package cuda

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/internal/conformance"
	"github.com/sporeengine/spore/gpu/tensor"
)

// checkPlan holds that buffers that are used at the same time do not overlap, that addresses are inside of their
// buffers, that what is read was written, and that parameters fit a launch.
func checkPlan(t *testing.T, p *tensor.Program, pl *plan) {
	t.Helper()
	for i := range pl.buffers {
		a := &pl.buffers[i]
		if a.constant >= 0 || a.first > a.last {
			continue
		}
		require.LessOrEqual(t, a.offset+a.bytes, pl.bytes)
		require.Zero(t, a.offset%256)
		for j := range i {
			b := &pl.buffers[j]
			if b.constant < 0 && b.first <= b.last && a.first <= b.last && b.first <= a.last {
				require.True(t, a.offset+a.bytes <= b.offset || b.offset+b.bytes <= a.offset, "buffers %d and %d overlap", i, j)
			}
		}
	}
	inside := func(at int, f fixup) {
		b := &pl.buffers[f.buf]
		require.True(t, f.offset >= 0 && f.offset < max(b.bytes, 1), "step %d: byte %d of buffer %d, which has %d", at, f.offset, f.buf, b.bytes)
		require.True(t, b.constant >= 0 || b.first <= at && at <= b.last)
	}
	for i := range pl.steps {
		s := &pl.steps[i]
		require.LessOrEqual(t, len(s.words), maxLaunchWordsOfPlan)
		require.GreaterOrEqual(t, s.micros, 0.0)
		switch {
		case s.gemm != nil:
			inside(i, s.a)
			inside(i, s.b)
			inside(i, s.c)
		case s.kernel >= 0:
			require.Positive(t, s.items)
			require.True(t, s.threads > 0 && s.threads <= threads && s.threads&(s.threads-1) == 0)
			for _, f := range s.fixes {
				inside(i, f)
			}
		}
	}
	require.Len(t, pl.inputs, len(p.Inputs()))
	for i, o := range pl.outputs {
		require.Equal(t, p.Outputs()[i].Bytes(), o.bytes)
		if o.bytes > 0 {
			require.LessOrEqual(t, o.offset+o.bytes, pl.buffers[o.buf].bytes)
		}
	}
}

// maxLaunchWordsOfPlan is what a launch has room for.
const maxLaunchWordsOfPlan = 512

// TestPlans makes plans of many random programs.
func TestPlans(t *testing.T) {
	planned := 0
	for i := range 3000 {
		m := conformance.NewMaker(rand.New(rand.NewPCG(21, uint64(i))))
		m.Large = i%2 == 0
		p, err := conformance.RandomProgram(m, 4+m.R.IntN(60))
		if err != nil {
			continue
		}
		checkPlan(t, p, newPlan(p, i%5 != 0))
		planned++
	}
	require.Greater(t, planned, 2000)
}

// FuzzPlan plans whatever program comes out of bytes.
func FuzzPlan(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 60 {
		m := conformance.NewMaker(r)
		if p, err := conformance.RandomProgram(m, 12); err == nil {
			f.Add(p.Encode())
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := tensor.Decode(data, tensor.Limits{Rank: 32, Elements: 1 << 40, Work: 1 << 62, Peak: 1 << 42})
		if err != nil {
			return
		}
		checkPlan(t, p, newPlan(p, true))
	})
}

// FuzzEntry reads whatever is in the directory of compiled kernels.
func FuzzEntry(f *testing.F) {
	key := keyOf("source", "sm_90", "compiler")
	dir := f.TempDir()
	c := diskCache{dir, 1 << 20}
	require.NoError(f, c.open())
	c.put(key, []byte("code"))
	require.Equal(f, []byte("code"), c.get(key))
	f.Add([]byte(cacheMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if code, ok := parseEntry(key, b); ok {
			require.NotEmpty(t, code)
		}
	})
}

// TestPrune holds that the files that were not used for the longest time go first.
func TestPrune(t *testing.T) {
	c := diskCache{t.TempDir(), 1 << 20}
	var keys []cacheKey
	for i := range 5 {
		keys = append(keys, keyOf(string(rune('a'+i)), "", ""))
		c.put(keys[i], make([]byte, 1000))
	}
	for i := range 5 { // in this order
		require.NotNil(t, c.get(keys[4-i]))
	}
	c.limit = 3500
	c.prune()
	kept := 0
	for _, k := range keys {
		if c.get(k) != nil {
			kept++
		}
	}
	require.Equal(t, 3, kept)
	require.NotNil(t, c.get(keys[0]))
	c.limit = 0
	c.prune()
	require.Nil(t, c.get(keys[0]))
	(&diskCache{}).put(keys[0], []byte("x"))
	require.Nil(t, (&diskCache{}).get(keys[0]))
}
