package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine/internal/abi"
)

// TestLedger: a worker process that was taken over says things of host calls that are not so.
func TestLedger(t *testing.T) {
	frame, other := abi.AppendFrame(nil, []byte(`{"pay":1}`)), abi.AppendFrame(nil, []byte(`{"pay":1000}`))
	refused := errorReply("not_granted", "no")
	l := newLedger(&state{lastID: 9, stateRest: stateRest{Pending: []pendingState{
		{ID: 3, Name: "app.old", Frame: frame, Later: true},
		{ID: 4, Name: "app.answered", Frame: frame, Reply: nullReply},
		{ID: 5, Name: "app.again", Frame: frame, Again: true},
	}}})
	require.False(t, l.retried(3, "app.old", frame), "nobody wants it again")
	require.False(t, l.retried(5, "app.other", frame))
	require.False(t, l.retried(5, "app.again", other))
	require.True(t, l.retried(5, "app.again", frame))
	l.begin(5, "app.again", frame)
	require.False(t, l.retried(5, "app.again", frame), "twice")
	l.begin(10, "app.later", frame)
	l.answered(10, nil, true)
	l.begin(11, "admin.delete", frame)
	l.answered(11, refused, true)
	l.begin(12, "app.slow", frame)
	l.answered(12, nullReply, false) // which the process may not have seen

	for name, c := range map[string]struct {
		says, want pendingState
	}{
		"old":           {pendingState{ID: 3, Name: "app.old", Frame: frame}, pendingState{ID: 3, Name: "app.old", Frame: frame, Later: true}},
		"answered":      {pendingState{ID: 4, Frame: frame}, pendingState{ID: 4, Name: "app.answered", Frame: frame, Reply: nullReply}},
		"again":         {pendingState{ID: 5, Frame: frame, Later: true, Again: true}, pendingState{ID: 5, Name: "app.again", Frame: frame}},
		"name":          {pendingState{ID: 10, Name: "admin.delete", Frame: frame}, pendingState{ID: 10, Name: "app.later", Frame: frame, Later: true}},
		"refused":       {pendingState{ID: 11, Name: "admin.delete", Frame: frame}, pendingState{ID: 11, Name: "admin.delete", Frame: frame, Reply: refused}},
		"under way":     {pendingState{ID: 12, Name: "app.slow", Frame: frame, Later: true}, pendingState{ID: 12, Name: "app.slow", Frame: frame}},
		"argument":      {pendingState{ID: 10, Name: "app.later", Frame: other}, pendingState{}},
		"old argument":  {pendingState{ID: 3, Name: "app.old", Frame: other}, pendingState{}},
		"never made":    {pendingState{ID: 13, Name: "admin.delete", Frame: frame}, pendingState{}},
		"refused there": {pendingState{ID: 13, Name: "app.big", Frame: other, Reply: refused}, pendingState{ID: 13, Name: "app.big", Frame: abi.AppendFrame(nil, nil), Reply: refused}},
		"never pending": {pendingState{ID: 2, Name: "admin.delete", Frame: frame}, pendingState{}},
	} {
		st := &state{lastID: 13, stateRest: stateRest{Pending: []pendingState{c.says}}}
		err := l.check(st)
		if c.want.ID == 0 {
			require.ErrorIs(t, err, errState, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.want, st.Pending[0], name)
	}
	require.ErrorIs(t, l.check(&state{lastID: 8}), errState, "numbers that come again")
}
