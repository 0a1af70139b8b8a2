package gpu

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/tensor"
)

// ofBytes returns a constant of n bytes, its type and contents.
func ofBytes(n int, first byte) (ConstantID, tensor.Type, []byte) {
	t := tensor.Type{DType: tensor.Uint8, Shape: tensor.Shape{n}}
	data := make([]byte, n)
	if n > 0 {
		data[0] = first
	}
	return IDOf(t, data), t, data
}

// TestConstantsAreNotFree has a tenant put constants without contents, of which there are any number.
func TestConstantsAreNotFree(t *testing.T) {
	s := newConstants(1<<20, 10*minConstant, func(ConstantID) {})
	for i := range 100 {
		kind := tensor.Type{DType: tensor.Uint8, Shape: tensor.Shape{0, i}}
		require.NoError(t, s.put("a", IDOf(kind, nil), kind, nil))
	}
	n, bytes := s.count()
	require.Equal(t, 10, n)
	require.EqualValues(t, 10*minConstant, bytes)
}

// TestConstantsGiveWay has tenants that were first, and may be gone, fill all the room.
func TestConstantsGiveWay(t *testing.T) {
	const kib = 1 << 10
	dropped := map[ConstantID]bool{}
	s := newConstants(80*kib, 40*kib, func(id ConstantID) { dropped[id] = true })
	var of [3][]ConstantID
	for i, tenant := range []string{"rich", "richer"} {
		for j := range 4 + 4*i { // 20 and 40 KiB
			id, kind, data := ofBytes(5*kib, byte(16*i+j))
			require.NoError(t, s.put(tenant, id, kind, data))
			of[i] = append(of[i], id)
		}
	}
	for i := range 4 {
		id, kind, data := ofBytes(5*kib, byte(100+i))
		require.NoError(t, s.put("third", id, kind, data))
		of[2] = append(of[2], id)
	}
	require.Empty(t, dropped, "so far there was room")

	id, kind, data := ofBytes(kib, 1)
	used, err := s.pin("richer", of[1][:1], constantProgram(t, 5*kib))
	require.NoError(t, err)
	s.find("richer", of[1][1])
	require.NoError(t, s.put("poor", id, kind, data))
	require.True(t, s.has("poor", id))
	require.True(t, dropped[of[1][2]], "it goes from who has most, and not what is in use, nor what was used last")
	require.Len(t, dropped, 1)
	s.unpin(used)

	// Whoever has as much as anybody cannot take from those who have less.
	large, kind, data := ofBytes(38*kib, 2)
	require.ErrorIs(t, s.put("greedy", large, kind, data), ErrMemory)
	require.Len(t, dropped, 1)
	for i := range 4 {
		require.True(t, s.has("rich", of[0][i]))
	}
	// The embedder can, and takes no more than it needs.
	require.NoError(t, s.put(sharedHolder, large, kind, data))
	n, bytes := s.count()
	require.LessOrEqual(t, bytes, int64(80*kib))
	require.Equal(t, 17+1-len(dropped), n)
	s.drop(sharedHolder, large)
	for _, tenant := range []string{"rich", "richer", "third", "poor"} {
		for _, ids := range of {
			for _, id := range ids {
				s.drop(tenant, id)
			}
		}
		s.drop(tenant, id)
	}
	n, bytes = s.count()
	require.Zero(t, n)
	require.Zero(t, bytes)
	require.Empty(t, s.tenants)
}

// constantProgram is a program that has one constant of n bytes.
func constantProgram(t *testing.T, n int) *tensor.Program {
	b := tensor.NewBuilder(tensor.Limits{})
	c := b.Constant(tensor.Uint8, n)
	p, err := b.Build(b.Apply(tensor.Add, nil, c, c))
	require.NoError(t, err)
	return p
}

// TestResidence has constants dropped while they are on their way: a tenant could fill a device with them.
func TestResidence(t *testing.T) {
	var r residence
	var discarded []ConstantID
	r.init(func(id ConstantID) { discarded = append(discarded, id) })
	id, kind, data := ofBytes(3, 3)
	c := &constant{id: id, t: kind, data: data}
	sent := 0
	sends := make(chan bool, 10)
	send := func() error { sent++; sends <- true; return nil }
	gone, cancel := context.WithCancel(t.Context())
	cancel()

	require.ErrorIs(t, r.ensure(gone, c, send), context.Canceled)
	<-sends
	r.drop(id)
	require.Empty(t, discarded, "the other side would not know it")
	require.True(t, r.finish(id, nil))
	require.Equal(t, []ConstantID{id}, discarded)
	require.False(t, r.finish(id, nil), "nobody asked for it")

	// Somebody wants it again before it is there.
	require.ErrorIs(t, r.ensure(gone, c, send), context.Canceled)
	<-sends
	r.drop(id)
	require.ErrorIs(t, r.ensure(gone, c, send), context.Canceled)
	require.True(t, r.finish(id, nil))
	require.NoError(t, r.ensure(t.Context(), c, send))
	require.Len(t, discarded, 1)
	require.Equal(t, 2, sent)

	r.drop(id)
	require.Len(t, discarded, 2)
	r.drop(id)
	require.Len(t, discarded, 2, "it is not there")

	// One that did not arrive need not be discarded.
	require.ErrorIs(t, r.ensure(gone, c, send), context.Canceled)
	<-sends
	r.drop(id)
	require.True(t, r.finish(id, errors.New("no")))
	require.Len(t, discarded, 2)

	// One that was lost is sent again.
	require.ErrorIs(t, r.ensure(gone, c, send), context.Canceled)
	<-sends
	r.lost([]ConstantID{id})
	require.True(t, r.finish(id, nil), "it is on its way")
	r.lost([]ConstantID{id})
	require.ErrorIs(t, r.ensure(gone, c, send), context.Canceled)
	<-sends
	require.Equal(t, 5, sent)
	r.fail(fmt.Errorf("it is gone"))
	require.Error(t, r.ensure(t.Context(), c, send))
}
