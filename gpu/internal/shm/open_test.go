package shm

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/internal/wire"
)

// A puppet is a worker whose frames a test writes itself.
type puppet struct {
	*PipeHost
	frames chan wire.Message // what it gets
	killed chan error
}

func newPuppet(t *testing.T, grace time.Duration) *puppet {
	r, w := io.Pipe()
	p := &puppet{frames: make(chan wire.Message, 100), killed: make(chan error, 10)}
	sender := wire.NewWriter(w)
	p.PipeHost = NewPipeHost(sender, 4, 1<<20, Control{Grace: grace, Cancel: func(id uint64) { go sender.Send(&wire.Cancel{ID: id}) }, Kill: func(why error) {
		p.killed <- why
		p.Fail(why)
	}})
	go func() {
		for frames := wire.NewReader(r); ; {
			m, err := frames.Receive(wire.MaxFrame)
			if err != nil {
				close(p.frames)
				return
			}
			if c, ok := m.(*wire.Call); ok {
				m = &wire.Call{ID: c.ID, Op: c.Op, Left: c.Left, Out: c.Out, In: bytes.Clone(c.In)}
			}
			p.frames <- m
		}
	}()
	t.Cleanup(func() {
		require.NoError(t, p.Close())
		w.Close()
	})
	return p
}

// begin begins a call whose parts go to part, and returns its id and what Do has returned.
func (p *puppet) begin(ctx context.Context, c *Call) (uint64, <-chan error) {
	done := make(chan error, 1)
	go func() {
		a, err := p.Do(ctx, c)
		if err == nil && a.Code != 0 {
			err = errors.New(string(c.Open.Result))
		}
		done <- err
	}()
	return (<-p.frames).(*wire.Call).ID, done
}

func TestOpenResult(t *testing.T) {
	p := newPuppet(t, time.Second)
	for _, result := range []string{"", "of any length"} {
		c := &Call{Op: 7, In: [][]byte{[]byte("in")}, Open: &Open{}}
		id, done := p.begin(t.Context(), c)
		require.NoError(t, p.Reply(&wire.Reply{ID: id, Out: []byte(result)}))
		require.NoError(t, <-done)
		require.Equal(t, result, string(c.Open.Result))
	}
	id, done := p.begin(t.Context(), &Call{Open: &Open{}})
	require.NoError(t, p.Reply(&wire.Reply{ID: id, Code: 7, Out: []byte("a text")}))
	require.EqualError(t, <-done, "a text")

	id, _ = p.begin(t.Context(), &Call{Open: &Open{}})
	require.ErrorIs(t, p.Part(&wire.Part{ID: id}), wire.ErrProtocol, "it is not in parts")
	require.ErrorIs(t, p.Part(&wire.Part{ID: 99}), wire.ErrProtocol)
}

func TestOpenNeedsPipes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no shared memory here, so nothing that could refuse")
	}
	_, err := shared(t, 1<<20, time.Second).Do(t.Context(), &Call{Open: &Open{}})
	require.ErrorIs(t, err, errors.ErrUnsupported)
}

// TestOpenParts has a worker send parts and one wait for credit.
func TestOpenParts(t *testing.T) {
	p := newPuppet(t, time.Second)
	got := make(chan string)
	c := &Call{Open: &Open{Credit: 4, Part: func(_ context.Context, b []byte) error {
		got <- string(b)
		return nil
	}}}
	id, done := p.begin(t.Context(), c)
	buf := []byte("0")
	for range 4 {
		require.NoError(t, p.Part(&wire.Part{ID: id, Out: buf}))
		buf[0]++ // the memory of a frame is used again
	}
	for i := range 3 {
		require.Equal(t, string(byte('0'+i)), <-got)
	}
	require.Equal(t, &wire.Credit{ID: id, N: 3}, <-p.frames)
	require.NoError(t, p.Part(&wire.Part{ID: id, Out: []byte("last")}))
	require.NoError(t, p.Reply(&wire.Reply{ID: id}))
	require.Equal(t, "3", <-got)
	require.Equal(t, "last", <-got, "the answer does not overtake it")
	require.NoError(t, <-done)
	require.ErrorIs(t, p.Part(&wire.Part{ID: id}), wire.ErrProtocol, "it has ended")

	// One that takes no account of the credit.
	hold := make(chan struct{})
	defer close(hold)
	id, _ = p.begin(t.Context(), &Call{Open: &Open{Credit: 2, Part: func(context.Context, []byte) error { <-hold; return nil }}})
	var err error
	for i := 0; i < 4 && err == nil; i++ { // one is being taken at most
		err = p.Part(&wire.Part{ID: id})
	}
	require.ErrorIs(t, err, wire.ErrProtocol)
}

// TestOpenTooLong has a worker send more than the host has room for.
func TestOpenTooLong(t *testing.T) {
	p := newPuppet(t, time.Second)
	in := make([]byte, 1<<20-1000)
	most := 1<<20 - aligned(len(in))
	takes := &Open{Credit: 4, Part: func(context.Context, []byte) error { return nil }}
	id, _ := p.begin(t.Context(), &Call{In: [][]byte{in}, Open: takes})
	require.NoError(t, p.Part(&wire.Part{ID: id, Out: make([]byte, most)}))
	require.ErrorIs(t, p.Part(&wire.Part{ID: id, Out: make([]byte, most+1)}), wire.ErrProtocol)
	require.ErrorIs(t, p.Reply(&wire.Reply{ID: id, Out: make([]byte, most+1)}), wire.ErrProtocol)
	id, done := p.begin(t.Context(), &Call{In: [][]byte{in}, Open: &Open{}})
	require.NoError(t, p.Reply(&wire.Reply{ID: id, Code: 7, Out: []byte(strings.Repeat("x", wire.MaxError))}))
	require.Error(t, <-done)
	id, _ = p.begin(t.Context(), &Call{In: [][]byte{in}, Open: &Open{}})
	require.ErrorIs(t, p.Reply(&wire.Reply{ID: id, Code: 7, Out: make([]byte, wire.MaxError+1)}), wire.ErrProtocol)
}

// TestOpenHoldsUpNobody has more calls in parts than there are slots, whose parts nobody takes.
func TestOpenHoldsUpNobody(t *testing.T) {
	p := newPuppet(t, time.Second)
	hold := make(chan struct{})
	defer close(hold)
	for range 20 {
		id, _ := p.begin(t.Context(), &Call{Open: &Open{Credit: 1, Part: func(context.Context, []byte) error { <-hold; return nil }}})
		require.NoError(t, p.Part(&wire.Part{ID: id}))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	id, done := p.begin(ctx, &Call{})
	require.NoError(t, p.Reply(&wire.Reply{ID: id}))
	require.NoError(t, <-done)
}

// TestOpenEnds has calls end before their last part.
func TestOpenEnds(t *testing.T) {
	enough := errors.New("enough")
	refuse := func(context.Context, []byte) error { return enough }
	block := func(ctx context.Context, _ []byte) error { <-ctx.Done(); return ctx.Err() }
	for name, c := range map[string]struct {
		call Call
		want error
	}{
		"not wanted": {Call{Open: &Open{Credit: 2, Part: refuse}}, enough},
		"late":       {Call{Open: &Open{Credit: 2, Part: block}, Deadline: time.Now().Add(100 * time.Millisecond)}, context.DeadlineExceeded},
		"canceled":   {Call{Open: &Open{Credit: 2, Part: block}}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPuppet(t, 10*time.Second)
			ctx, cancel := context.WithCancel(t.Context())
			id, done := p.begin(ctx, &c.call)
			require.NoError(t, p.Part(&wire.Part{ID: id}))
			if name == "canceled" {
				cancel()
			}
			defer cancel()
			require.Equal(t, &wire.Cancel{ID: id}, <-p.frames)
			require.NoError(t, p.Part(&wire.Part{ID: id}), "one was on its way")
			select {
			case err := <-done:
				t.Fatal("it has returned before the worker was done:", err)
			case <-time.After(20 * time.Millisecond):
			}
			require.NoError(t, p.Reply(&wire.Reply{ID: id}))
			require.ErrorIs(t, <-done, c.want)
			require.Empty(t, p.killed)
		})
	}
	t.Run("never", func(t *testing.T) {
		p := newPuppet(t, 50*time.Millisecond)
		id, done := p.begin(t.Context(), &Call{Open: &Open{Credit: 2, Part: refuse}})
		require.NoError(t, p.Part(&wire.Part{ID: id}))
		require.ErrorIs(t, <-done, enough)
		require.ErrorIs(t, <-p.killed, errLate)
	})
	t.Run("dead", func(t *testing.T) {
		p := newPuppet(t, time.Second)
		_, done := p.begin(t.Context(), &Call{Open: &Open{Credit: 2, Part: refuse}})
		p.Fail(errors.New("gone"))
		require.ErrorIs(t, <-done, ErrLost)
	})
}
