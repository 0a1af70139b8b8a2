package pyworker_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
)

// TestFaults has workers misbehave at random while tenants call models and take streams. An answer is right, or an error of a kind that
// it may be; in the end all is well again and nothing is left.
func TestFaults(t *testing.T) {
	faults := 60
	if testing.Short() {
		faults = 15
	}
	before := runtime.NumGoroutine()
	p := newPool(t, "testdata/models.py", gpu.Config{Workers: 2, Standby: true, Timeout: 2 * time.Second, Grace: 100 * time.Millisecond, Quota: gpu.Quota{Streams: 100}})
	call := newGuest(t, p)
	allowed := func(err error) bool { // for a call that has done nothing wrong itself
		return err == nil || errors.Is(err, gpu.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
	}
	var stop atomic.Bool
	var good, streamed atomic.Int64
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 5))
			for !stop.Load() {
				in := rows(1+random.IntN(3), 3, float32(1000+random.IntN(1000)))
				a := call(t.Context(), fmt.Sprint("good", i%2), "double", in)
				if !allowed(a.err) {
					t.Error(a.err)
				}
				if a.err == nil {
					good.Add(1)
					requireSame(t, in, a)
				}
			}
		})
	}
	c := newConsumer(t, p)
	for range 2 {
		wg.Go(func() {
			for !stop.Load() {
				s := c.begin(t, 200, "{}")
				n, err := c.take(t, s)
				switch {
				case err == nil && n == 200:
					streamed.Add(1)
				case err == nil || !allowed(err) && hostfuncs.ForGuest(err).Code != gpu.CodeUnavailable:
					t.Error(n, err)
				}
			}
		})
	}
	random := rand.New(rand.NewPCG(6, 7))
	hows := []string{"kill", "exit", "poison", "raise", "memory", "invalid", "shape", "nan", "hang", "wait"}
	if runtime.GOOS != "windows" {
		hows = append(hows, "stop")
	}
	for range faults {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+random.IntN(200))*time.Millisecond)
		how := hows[random.IntN(len(hows))]
		a := call(ctx, "bad", fmt.Sprintf(`misbehave {"how": %q}`, how))
		cancel()
		if a.err == nil {
			t.Error("it says that all is well:", how)
		}
	}
	stop.Store(true)
	wg.Wait()
	require.Positive(t, good.Load())
	t.Logf("%d good calls, %d whole streams, %+v", good.Load(), streamed.Load(), p.Stats())
	require.Zero(t, p.Stats().Mad)
	require.Eventually(t, func() bool { return call(t.Context(), "good", "misbehave").err == nil }, 20*time.Second, 20*time.Millisecond)
	require.Eventually(t, func() bool { return p.Stats().Streaming == 0 }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, c.handles.Close())
	require.NoError(t, p.Close())
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b := make([]byte, 1<<20)
			t.Fatalf("goroutines are left, more than %d:\n%s", before, b[:runtime.Stack(b, true)])
		}
	}
}

// requireSame is requireDoubled for goroutines beside that of the test.
func requireSame(t *testing.T, in gpu.Tensor, a *answer) {
	var want []float32
	for i := range in.Shape[0] * in.Shape[1] {
		want = append(want, 2*number(in.Data, i))
	}
	if len(a.Outputs) != 1 || !slices.Equal(a.Outputs[0].Shape, in.Shape) || !slices.Equal(a.Outputs[0].data, floats(want...)) {
		t.Error("WRONG ANSWER", in, a)
	}
}
