package pyworker_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
)

// newMad returns a pool whose workers break the protocol.
func newMad(t *testing.T, how string) *gpu.Pool {
	path, err := interpreter()
	if err != nil {
		t.Skip("no Python, so nothing of this worker is tested:", err)
	}
	dir, err := filepath.Abs(".")
	require.NoError(t, err)
	p, err := gpu.NewPool(gpu.Config{Name: path, Pipes: true, Timeout: time.Second,
		Command: []string{path, "-B", filepath.Join(dir, "testdata/mad.py"), filepath.Join(dir, "worker.py"), how}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// TestMad has workers answer what none should. The host ends them and tells the guest nothing of it.
func TestMad(t *testing.T) {
	number := gpu.Tensor{Name: "x", Datatype: "FP32", Shape: []int{}, Data: make([]byte, 4)}
	for _, how := range []string{"nothing", "no JSON", "no outputs", "long header", "enormous", "shape", "datatype", "deep", "twice", "other id", "code",
		"part of a call", "frame", "length", "garbage"} {
		t.Run(how, func(t *testing.T) {
			p := newMad(t, how)
			call := newGuest(t, p)
			a := call(t.Context(), "a", "f", number)
			if how != "twice" { // whose first answer is good
				requireShown(t, a, gpu.CodeUnavailable)
			}
			require.Eventually(t, func() bool { return p.Stats().Mad == 1 }, 5*time.Second, time.Millisecond, "%+v", p.Stats())
		})
	}
	for _, how := range []string{"nothing", "no JSON", "enormous", "shape", "deep", "many parts"} {
		t.Run("stream "+how, func(t *testing.T) {
			p := newMad(t, how)
			c := newConsumer(t, p)
			v, err := c.call(t.Context(), "gpu.stream", `{"function": "s", "inputs": [{"name": "x", "datatype": "FP32", "shape": [], "data": {"$bytes": 0}}]}`, make([]byte, 4))
			require.NoError(t, err)
			require.Eventually(t, func() bool { return p.Stats().Mad == 1 }, 5*time.Second, time.Millisecond, "%+v", p.Stats())
			for err == nil {
				_, err = c.call(t.Context(), "gpu.next", string(v.JSON))
			}
			require.Equal(t, gpu.CodeUnavailable, hostfuncs.ForGuest(err).Code, err)
		})
	}
	t.Run("text", func(t *testing.T) {
		a := newGuest(t, newMad(t, "text"))(t.Context(), "a", "f", number)
		requireShown(t, a, hostfuncs.CodeInternal)
		require.Less(t, len(a.err.Error()), 2000)
	})
	t.Run("silence", func(t *testing.T) {
		p := newMad(t, "silence")
		requireShown(t, newGuest(t, p)(t.Context(), "a", "f", number), hostfuncs.CodeTimeout)
		require.Eventually(t, func() bool { return p.Stats().Killed == 1 }, 5*time.Second, time.Millisecond)
	})
	for how, reason := range map[string]string{
		"wrong echo": "gave a wrong answer to the trial", "info": "description of models", "no info": "invalid character", "many models": "there are 5000",
		"version": "speaks version 2 of the protocol, not 1", "old host": "the host speaks version 3 of the protocol, this worker 1",
	} {
		t.Run(how, func(t *testing.T) {
			_, _, err := newMad(t, how).Models(t.Context())
			require.ErrorIs(t, err, gpu.ErrUnavailable)
			require.ErrorContains(t, err, reason)
		})
	}
}
