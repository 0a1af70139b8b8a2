package pyworker_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
)

// A consumer is a guest that takes parts of streams.
type consumer struct {
	funcs   map[string]hostfuncs.Func
	handles hostfuncs.Handles
}

func newConsumer(t *testing.T, p *gpu.Pool) *consumer {
	_, streams, err := p.Models(t.Context())
	require.NoError(t, err)
	c := &consumer{funcs: map[string]hostfuncs.Func{}}
	for _, f := range gpu.Functions(p, gpu.Options{Streams: streams}) {
		c.funcs[f.Name] = f
	}
	return c
}

func (c *consumer) call(ctx context.Context, name, arg string, buffers ...[]byte) (hostfuncs.Value, error) {
	ctx = hostfuncs.WithHandles(hostfuncs.WithCaller(ctx, hostfuncs.Caller{Tenant: "a"}), &c.handles)
	return c.funcs[name].Call(ctx, hostfuncs.Value{JSON: json.RawMessage(arg), Buffers: buffers})
}

// begin begins to count to n and returns the argument that names the stream.
func (c *consumer) begin(t *testing.T, n uint64, parameters string) string {
	v, err := c.call(t.Context(), "gpu.stream", fmt.Sprintf(`{"function": "count", "parameters": %s,
		"inputs": [{"name": "n", "datatype": "INT64", "shape": [], "data": {"$bytes": 0}}]}`, parameters), binary.LittleEndian.AppendUint64(nil, n))
	require.NoError(t, err)
	return string(v.JSON)
}

// next returns the next number, or -1 at the end.
func (c *consumer) next(ctx context.Context, stream string) (int, error) {
	v, err := c.call(ctx, "gpu.next", stream)
	if err != nil {
		return 0, err
	}
	if len(v.Buffers) == 0 {
		return -1, nil
	}
	return int(binary.LittleEndian.Uint64(v.Buffers[0])), nil
}

// take takes numbers until one is not what comes next, or there is an error.
func (c *consumer) take(t *testing.T, stream string) (n int, err error) {
	for {
		i, err := c.next(t.Context(), stream)
		if err != nil || i < 0 {
			return n, err
		}
		require.Equal(t, n, i)
		n++
	}
}

func TestStreams(t *testing.T) {
	p := newPool(t, "testdata/models.py", gpu.Config{})
	c := newConsumer(t, p)
	for _, n := range []uint64{0, 1, 500} {
		got, err := c.take(t, c.begin(t, n, "{}"))
		require.NoError(t, err)
		require.EqualValues(t, n, got)
	}
	got, err := c.take(t, c.begin(t, 500, `{"fail": 100}`))
	require.Equal(t, hostfuncs.CodeInternal, hostfuncs.ForGuest(err).Code)
	require.Equal(t, 100, got, "the parts before come")
	var e *gpu.ModelError
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Text, "ValueError: /secret: it cannot go on")

	_, err = c.take(t, c.begin(t, 500, `{"die": 100}`))
	require.Equal(t, gpu.CodeUnavailable, hostfuncs.ForGuest(err).Code)
	got, err = c.take(t, c.begin(t, 20, "{}"))
	require.NoError(t, err)
	require.Equal(t, 20, got)
	require.Zero(t, p.Stats().Mad+p.Stats().Killed)

	// It is no function, and has to have its input.
	_, err = c.call(t.Context(), "gpu.stream", `{"function": "count"}`)
	require.Equal(t, hostfuncs.CodeInvalid, hostfuncs.ForGuest(err).Code)
}

// noted waits until the model has written to a file that it has ended.
func noted(t *testing.T, file string) {
	require.Eventually(t, func() bool { _, err := os.Stat(file); return err == nil }, 10*time.Second, 5*time.Millisecond)
}

// TestStreamEnds has guests take no more parts, in ways that models have to notice.
func TestStreamEnds(t *testing.T) {
	p := newPool(t, "testdata/models.py", gpu.Config{})
	c := newConsumer(t, p)
	file := filepath.Join(t.TempDir(), "note")
	begin := func() string {
		_ = os.Remove(file)
		s := c.begin(t, 1<<40, fmt.Sprintf(`{"note": %q}`, file))
		for want := range 30 {
			i, err := c.next(t.Context(), s)
			require.NoError(t, err)
			require.Equal(t, want, i)
		}
		return s
	}
	s := begin()
	_, err := c.call(t.Context(), "gpu.close", s)
	require.NoError(t, err)
	noted(t, file)

	// What is taken by nobody makes the model wait: 16 parts wait for the guest, and some for the host.
	s = begin()
	time.Sleep(200 * time.Millisecond)
	parts := p.Stats().Parts
	time.Sleep(200 * time.Millisecond)
	require.Equal(t, parts, p.Stats().Parts)
	require.NoFileExists(t, file)
	for want := 30; want < 200; want++ {
		i, err := c.next(t.Context(), s)
		require.NoError(t, err)
		require.Equal(t, want, i, "and then nothing is missing")
	}
	require.NoError(t, c.handles.Close()) // as when the instance is closed
	noted(t, file)
	require.Zero(t, p.Stats().Killed+p.Stats().Mad)
	require.Eventually(t, func() bool { return p.Stats().Streaming == 0 }, 5*time.Second, time.Millisecond)

	// The pool does not wait for one that goes on.
	c = newConsumer(t, p)
	begin()
	require.NoError(t, p.Close())
}

// TestStreamsInTurn has streams and calls go on while nobody takes the parts of others, although the model works on one at a time.
func TestStreamsInTurn(t *testing.T) {
	p := newPool(t, "testdata/models.py", gpu.Config{})
	c := newConsumer(t, p)
	var all []string
	for range 8 { // as many as a tenant may have
		all = append(all, c.begin(t, 100, "{}"))
	}
	require.Eventually(t, func() bool { return p.Stats().Parts == 8*16 }, 10*time.Second, time.Millisecond, "all that wait for the guest")
	in := rows(1, 3, 1)
	requireDoubled(t, in, newGuest(t, p)(t.Context(), "b", "double", in))
	for i := range all {
		got, err := c.take(t, all[len(all)-1-i])
		require.NoError(t, err)
		require.Equal(t, 100, got)
	}
}
