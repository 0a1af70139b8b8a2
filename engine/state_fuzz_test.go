package engine

import (
	"bytes"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine/internal/abi"
)

// FuzzState: whatever a worker process sends as a state is refused, or means the same when it
// is written again.
func FuzzState(f *testing.F) {
	frame := abi.AppendFrame(nil, []byte(`{"a":[1]}`))
	g := newFixedEnv(time.Unix(1.8e9, 0), 3)
	random, err := g.random.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []state{
		{},
		{lastID: 7, fresh: true, globals: []uint64{1, 1 << 63}},
		{lastID: 9, globals: []uint64{5}, stateRest: stateRest{
			Fixed:   &fixedState{Start: 5, Elapsed: 6, Random: random},
			Sleeps:  []sleepState{{ID: 3, Due: 99}},
			Pending: []pendingState{{ID: 4, Name: "app.ask", Frame: frame, Key: "k", Later: true}, {ID: 9, Name: "b", Frame: frame, Reply: nullReply}, {ID: 1, Name: "c", Frame: frame, Again: true}},
			Call:    &callState{Function: "render", Time: 1, HostTime: 2, Fuel: 3, HostCalls: 4, budgets: budgets{Made: map[string]int64{"app.ask": 1}}},
			Cells:   []cellState{{Name: "a", Map: []byte("{}")}},
			Modules: []string{"gpu"},
		}},
	} {
		b, err := s.append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(b, "lines"...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, lines, err := parseState(b)
		if err != nil {
			return
		}
		again, err := s.append(nil)
		if err != nil {
			t.Fatal(err)
		}
		s2, rest, err := parseState(append(again, lines...))
		if err != nil {
			t.Fatalf("its own encoding is malformed: %v", err)
		}
		if !bytes.Equal(rest, lines) {
			t.Fatal("the lines are others")
		}
		third, err := s2.append(nil)
		if err != nil || !bytes.Equal(third, again) {
			t.Fatalf("the encoding is not stable: %v\n%q\n%q", err, again, third)
		}
		newLedger(s).check(s2)
	})
}
