package engine

import (
	"context"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestBlocksAreSmall keeps what a million instances cost the garbage collector.
func TestBlocksAreSmall(t *testing.T) {
	const most = 512 // of an object that is scanned beside its neighbours
	require.LessOrEqual(t, unsafe.Sizeof(block{}), uintptr(most))
	require.Greater(t, unsafe.Sizeof(block{})+unsafe.Sizeof(Instance{}), uintptr(most), "another instance would fit")
}

// TestBlocks opens and closes instances in all orders of some blocks.
func TestBlocks(t *testing.T) {
	e := &Engine{}
	s := &e.instances
	s.max = 1000
	c := &Component{engine: e}
	var open []*Instance
	for round := range 50 {
		for range round {
			in := c.newSlot(&noOptions)
			require.NoError(t, s.add(in))
			open = append(open, in)
		}
		c.newSlot(nil) // was refused, say
		kept := open[:0]
		for i, in := range open {
			if (i*7+round)%3 == 0 {
				s.remove(in)
				s.remove(in)
				continue
			}
			kept = append(kept, in)
		}
		open = kept
		require.Equal(t, len(open), s.len())
		require.ElementsMatch(t, open, s.all())
		var each []*Instance
		s.each(func(in *Instance) { each = append(each, in) })
		require.ElementsMatch(t, open, each)
	}
	for _, in := range open {
		s.remove(in)
	}
	require.Empty(t, s.blocks)
	require.Zero(t, s.len())

	s.max = 0
	var limit *LimitError
	require.ErrorAs(t, s.add(c.newSlot(nil)), &limit)
	s.shut = true
	require.ErrorIs(t, s.add(c.newSlot(nil)), ErrClosed)
	require.Empty(t, s.all())
}

// TestClosedInstanceKeepsNothing: what is closed does not keep what the embedder gave it, although its block may stay.
func TestClosedInstanceKeepsNothing(t *testing.T) {
	c := &Component{engine: &Engine{}}
	c.engine.instances.max = 1
	c.engine.parking = &parking{}
	in := c.newSlot(&Options{})
	require.NoError(t, c.engine.instances.add(in))
	require.NoError(t, in.Close())
	require.Nil(t, in.opt.Load())
	_, _, err := in.begin(context.Background())
	require.ErrorIs(t, err, ErrClosed)
}
