package gpu_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
)

// counts emits 0, 1, 2 ... as INT64, as many as the parameter n says, and then does what the parameter mood says.
type counts struct {
	emitted atomic.Int64
	running atomic.Int64
	ended   chan error // gets the cause of the end, if it is not nil
}

func (c *counts) run(ctx context.Context, r *gpu.Request, emit func(gpu.Part) error) error {
	c.running.Add(1)
	defer c.running.Add(-1)
	if c.ended != nil {
		defer func() { c.ended <- context.Cause(ctx) }()
	}
	n, _ := r.Parameters["n"].(float64)
	for i := range uint64(n) {
		part := gpu.Part{Parameters: map[string]any{"i": i},
			Outputs: []gpu.Tensor{{Name: "x", Datatype: "INT64", Shape: []int{1}, Data: binary.LittleEndian.AppendUint64(nil, i)}}}
		if err := emit(part); err != nil {
			return err
		}
		c.emitted.Add(1)
	}
	switch r.Parameters["mood"] {
	case "fail":
		return errors.New("secret")
	case "sad":
		return hostfuncs.Errorf("sad", "no more")
	case "panic":
		panic("secret")
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	case "well": // says that all is well although it was ended
		<-ctx.Done()
		return nil
	case "nonsense":
		_ = emit(gpu.Part{Outputs: []gpu.Tensor{{Datatype: "INT64", Shape: []int{7}}}})
	case "large":
		_ = emit(gpu.Part{Outputs: []gpu.Tensor{{Datatype: "INT8", Shape: []int{2 << 20}, Data: make([]byte, 2<<20)}}})
	case "odd":
		_ = emit(gpu.Part{Parameters: map[string]any{"f": func() {}}})
	}
	return nil
}

// An instance is a guest with handles of its own.
type instance struct {
	*guest
	handles *hostfuncs.Handles
}

func newInstance(funcs []hostfuncs.Func, tenant string) *instance {
	return &instance{newGuest(funcs, tenant), &hostfuncs.Handles{}}
}

func (i *instance) call(ctx context.Context, name, arg string, buffers ...[]byte) (map[string]any, [][]byte, error) {
	return i.guest.call(hostfuncs.WithHandles(ctx, i.handles), name, arg, buffers...)
}

// begin begins a stream and returns the argument that names it.
func (i *instance) begin(ctx context.Context, n int, mood string) (string, error) {
	m, _, err := i.call(ctx, "gpu.stream", fmt.Sprintf(`{"function": "counts", "parameters": {"n": %d, "mood": %q}}`, n, mood))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`{"stream": %.0f}`, m["stream"]), nil
}

// take takes part i, if there is one.
func (i *instance) take(ctx context.Context, s string, want uint64) (done bool, err error) {
	m, out, err := i.call(ctx, "gpu.next", s)
	if err != nil {
		return false, err
	}
	if m["done"] == true {
		return true, nil
	}
	part := m["part"].(map[string]any)
	if len(out) != 1 || binary.LittleEndian.Uint64(out[0]) != want || part["parameters"].(map[string]any)["i"] != float64(want) {
		return false, fmt.Errorf("%w: %v %v, not %d", errWrong, m, out, want)
	}
	return false, nil
}

// drain takes all parts from the first and returns how many there were.
func (i *instance) drain(ctx context.Context, s string) (n uint64, err error) {
	for {
		done, err := i.take(ctx, s, n)
		if done || err != nil {
			return n, err
		}
		n++
	}
}

func streaming(p *gpu.Pool, c *counts, s gpu.Stream) []hostfuncs.Func {
	s.Name, s.Doc, s.Run = "counts", "Counts.", c.run
	return gpu.Functions(p, gpu.Options{MaxBytes: 1 << 20, Streams: []*gpu.Stream{&s}})
}

func TestStream(t *testing.T) {
	p := newPool(t, gpu.Config{})
	c := &counts{}
	i := newInstance(streaming(p, c, gpu.Stream{}), "a")
	for _, n := range []int{0, 1, 100} {
		s, err := i.begin(t.Context(), n, "")
		require.NoError(t, err)
		require.Equal(t, 1, i.handles.Len(), "what keeps an instance from being captured")
		got, err := i.drain(t.Context(), s)
		require.NoError(t, err)
		require.Equal(t, uint64(n), got)
		require.Zero(t, i.handles.Len(), "it has ended")
		_, _, err = i.call(t.Context(), "gpu.next", s)
		requireCode(t, err, hostfuncs.CodeBadHandle)
		_, _, err = i.call(t.Context(), "gpu.close", s)
		require.NoError(t, err)
	}
	st := p.Stats()
	require.Equal(t, int64(3), st.Streams)
	require.Equal(t, int64(101), st.Parts)
	require.Zero(t, st.Streaming)
	require.Zero(t, st.Starts, "nothing of this needs a worker")
	m, _, err := i.call(t.Context(), "gpu.info", `{}`)
	require.NoError(t, err)
	require.Equal(t, []any{map[string]any{"name": "counts", "doc": "Counts.", "stream": true}}, m["functions"])
}

func TestStreamErrors(t *testing.T) {
	p := newPool(t, gpu.Config{})
	i := newInstance(streaming(p, &counts{}, gpu.Stream{Timeout: 100 * time.Millisecond, Check: func(r *gpu.Request) error {
		if r.Parameters["mood"] == "refused" {
			return hostfuncs.Errorf("refused", "no")
		}
		return nil
	}}), "a")
	for mood, code := range map[string]string{
		"fail": hostfuncs.CodeInternal, "panic": hostfuncs.CodeInternal, "nonsense": hostfuncs.CodeInternal, "odd": hostfuncs.CodeInternal,
		"sad": "sad", "wait": hostfuncs.CodeTimeout, "well": hostfuncs.CodeTimeout, "large": hostfuncs.CodeTooLarge,
	} {
		s, err := i.begin(t.Context(), 3, mood)
		require.NoError(t, err)
		n, err := i.drain(t.Context(), s)
		requireCode(t, err, code)
		require.Equal(t, uint64(3), n, "the parts before come first: %s", mood)
		require.Zero(t, i.handles.Len())
	}
	_, err := i.begin(t.Context(), 1, "refused")
	requireCode(t, err, "refused")
	for arg, code := range map[string]string{
		`{"function": "unknown"}`: hostfuncs.CodeNotGranted,
		`{"function": "counts", "inputs": [{"name": "x", "datatype": "FP32", "shape": [2], "data": %b}]}`: hostfuncs.CodeInvalid,
	} {
		var buffers [][]byte
		if strings.Contains(arg, "%b") {
			buffers = [][]byte{{1}}
		}
		_, _, err := i.call(t.Context(), "gpu.stream", arg, buffers...)
		requireCode(t, err, code)
	}
	// A call that can hold nothing has no streams.
	_, _, err = i.guest.call(t.Context(), "gpu.stream", `{"function": "counts"}`)
	requireCode(t, err, hostfuncs.CodeTooManyHandles)
	require.Eventually(t, func() bool { return p.Stats().Streaming == 0 }, 10*time.Second, time.Millisecond)
}

// TestStreamOrCall has guests take the one for the other.
func TestStreamOrCall(t *testing.T) {
	p := newPool(t, gpu.Config{})
	f := &gpu.Function{Name: "double", Run: (&double{}).run}
	s := &gpu.Stream{Name: "counts", Run: (&counts{}).run}
	i := newInstance(gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{f}, Streams: []*gpu.Stream{s}}), "a")
	_, _, err := i.call(t.Context(), "gpu.stream", `{"function": "double"}`)
	requireCode(t, err, hostfuncs.CodeInvalid)
	_, _, err = i.call(t.Context(), "gpu.call", `{"function": "counts"}`)
	requireCode(t, err, hostfuncs.CodeInvalid)
	require.Panics(t, func() {
		gpu.Functions(p, gpu.Options{Functions: []*gpu.Function{f}, Streams: []*gpu.Stream{{Name: "double", Run: s.Run}}})
	})
}

// TestStreamWaits has a guest that takes nothing.
func TestStreamWaits(t *testing.T) {
	for name, c := range map[string]struct {
		stream gpu.Stream
		most   int64
	}{
		"parts": {gpu.Stream{}, 16},
		"few":   {gpu.Stream{Buffer: 2}, 2},
		"bytes": {gpu.Stream{BufferBytes: 500}, 2}, // 7 for parameters, 8 for contents, and a tensor's own
		"one":   {gpu.Stream{BufferBytes: 1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, gpu.Config{})
			n := &counts{}
			i := newInstance(streaming(p, n, c.stream), "a")
			s, err := i.begin(t.Context(), 1000, "")
			require.NoError(t, err)
			require.Eventually(t, func() bool { return n.emitted.Load() == c.most }, 10*time.Second, time.Millisecond)
			time.Sleep(20 * time.Millisecond)
			require.Equal(t, c.most, n.emitted.Load())
			for k := range uint64(5) {
				_, err = i.take(t.Context(), s, k)
				require.NoError(t, err)
			}
			require.Eventually(t, func() bool { return n.emitted.Load() == c.most+5 }, 10*time.Second, time.Millisecond)
			time.Sleep(20 * time.Millisecond)
			require.Equal(t, c.most+5, n.emitted.Load())
		})
	}
}

// TestStreamEnds ends streams in each way there is. Run learns of it, and the place of the stream is free then.
func TestStreamEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(t *testing.T, p *gpu.Pool, i *instance, s string)
		want error
	}{
		"closed by the guest": {func(t *testing.T, _ *gpu.Pool, i *instance, s string) {
			_, _, err := i.call(t.Context(), "gpu.close", s)
			require.NoError(t, err)
		}, context.Canceled},
		"instance closed": {func(t *testing.T, _ *gpu.Pool, i *instance, s string) {
			require.NoError(t, i.handles.Close())
		}, context.Canceled},
		"call taken back": {func(t *testing.T, _ *gpu.Pool, i *instance, s string) {
			require.NoError(t, i.handles.CloseAfter(0))
		}, context.Canceled},
		"call for a part given up": {func(t *testing.T, p *gpu.Pool, i *instance, s string) {
			for k := range uint64(3) {
				_, err := i.take(t.Context(), s, k)
				require.NoError(t, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			_, _, err := i.call(ctx, "gpu.next", s)
			require.Error(t, err)
		}, context.DeadlineExceeded},
		"pool closed": {func(t *testing.T, p *gpu.Pool, i *instance, s string) {
			go p.Close()
		}, gpu.ErrClosed},
		"timeout": {func(*testing.T, *gpu.Pool, *instance, string) {}, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			timeout := time.Minute
			if name == "timeout" {
				timeout = 20 * time.Millisecond
			}
			p := newPool(t, gpu.Config{})
			n := &counts{ended: make(chan error)}
			i := newInstance(streaming(p, n, gpu.Stream{Timeout: timeout}), "a")
			s, err := i.begin(t.Context(), 3, "wait")
			require.NoError(t, err)
			require.Eventually(t, func() bool { return n.emitted.Load() == 3 }, 10*time.Second, time.Millisecond)
			c.end(t, p, i, s)
			require.ErrorIs(t, <-n.ended, c.want)
			if name == "timeout" || name == "pool closed" { // the parts that are there can be had
				code := hostfuncs.CodeTimeout
				if name == "pool closed" {
					code = gpu.CodeUnavailable
				}
				got, err := i.drain(t.Context(), s)
				requireCode(t, err, code)
				require.Equal(t, uint64(3), got)
			} else {
				_, _, err = i.call(t.Context(), "gpu.next", s)
				requireCode(t, err, hostfuncs.CodeBadHandle)
			}
			require.Zero(t, i.handles.Len())
			require.Eventually(t, func() bool { return p.Stats().Streaming == 0 && n.running.Load() == 0 }, 10*time.Second, time.Millisecond)
		})
	}
}

// TestStreamWaiter has a call for a part wait while another call closes the stream.
func TestStreamWaiter(t *testing.T) {
	p := newPool(t, gpu.Config{})
	i := newInstance(streaming(p, &counts{}, gpu.Stream{}), "a")
	s, err := i.begin(t.Context(), 0, "wait")
	require.NoError(t, err)
	waits := make(chan error)
	for range 2 {
		go func() {
			_, _, err := i.call(context.Background(), "gpu.next", s)
			waits <- err
		}()
	}
	time.Sleep(20 * time.Millisecond)
	_, _, err = i.call(t.Context(), "gpu.close", s)
	require.NoError(t, err)
	for range 2 {
		requireCode(t, <-waits, hostfuncs.CodeCanceled)
	}
	require.Eventually(t, func() bool { return p.Stats().Streaming == 0 }, 10*time.Second, time.Millisecond)
}

func TestStreamHandles(t *testing.T) {
	p := newPool(t, gpu.Config{})
	funcs := streaming(p, &counts{}, gpu.Stream{})
	a, b := newInstance(funcs, "a"), newInstance(funcs, "a")
	s, err := a.begin(t.Context(), 5, "")
	require.NoError(t, err)
	file := &closes{}
	h, err := hostfuncs.Hold(hostfuncs.WithHandles(t.Context(), a.handles), file)
	require.NoError(t, err)
	other := fmt.Sprintf(`{"stream": %d}`, h)
	for _, arg := range []string{`{"stream": 0}`, `{"stream": 9007199254740991}`, other} {
		_, _, err := a.call(t.Context(), "gpu.next", arg)
		requireCode(t, err, hostfuncs.CodeBadHandle)
		_, _, err = a.call(t.Context(), "gpu.close", arg)
		require.NoError(t, err)
	}
	require.Zero(t, file.n, "gpu.close closes streams only")
	for _, arg := range []string{`{}`, `{"stream": -1}`, `{"stream": "1"}`, `{"stream": 1.5}`, `{"stream": null}`} {
		_, _, err := a.call(t.Context(), "gpu.next", arg)
		require.Equal(t, hostfuncs.CodeInvalid, hostfuncs.ForGuest(err).Code)
	}
	// What another instance was given means nothing here, be it of the same tenant.
	_, _, err = b.call(t.Context(), "gpu.next", s)
	requireCode(t, err, hostfuncs.CodeBadHandle)
	_, _, err = b.call(t.Context(), "gpu.close", s)
	require.NoError(t, err)
	n, err := a.drain(t.Context(), s)
	require.NoError(t, err)
	require.Equal(t, uint64(5), n)
}

type closes struct{ n int }

func (c *closes) Close() error { c.n++; return nil }

func TestStreamQuota(t *testing.T) {
	p := newPool(t, gpu.Config{Quota: gpu.Quota{Streams: 2}})
	n := &counts{}
	funcs := streaming(p, n, gpu.Stream{})
	a, again, b := newInstance(funcs, "a"), newInstance(funcs, "a"), newInstance(funcs, "b")
	first, err := a.begin(t.Context(), 3, "")
	require.NoError(t, err)
	_, err = again.begin(t.Context(), 0, "wait")
	require.NoError(t, err)
	_, err = a.begin(t.Context(), 0, "")
	requireCode(t, err, hostfuncs.CodeQuota)
	_, err = b.begin(t.Context(), 0, "wait")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return n.running.Load() == 2 }, 10*time.Second, time.Millisecond)
	_, err = a.begin(t.Context(), 0, "")
	requireCode(t, err, hostfuncs.CodeQuota) // the first has ended, but its parts are there still
	_, err = a.drain(t.Context(), first)
	require.NoError(t, err)
	_, err = a.begin(t.Context(), 0, "")
	require.NoError(t, err)
	require.NoError(t, again.handles.Close())
	require.Eventually(t, func() bool { _, err := a.begin(t.Context(), 0, ""); return err == nil }, 10*time.Second, time.Millisecond)
	require.NoError(t, p.Close())
	_, err = b.begin(t.Context(), 0, "")
	requireCode(t, err, gpu.CodeUnavailable)
}

// TestStreamHammer has many guests that take parts, from one stream or several, close streams, leave, and are
// closed. No part is lost, doubled or of another stream while nobody leaves, and nothing stays.
func TestStreamHammer(t *testing.T) {
	p := newPool(t, gpu.Config{Quota: gpu.Quota{Streams: 3}})
	before := runtime.NumGoroutine()
	n := &counts{}
	const timeout = 500 * time.Millisecond
	funcs := streaming(p, n, gpu.Stream{Buffer: 3, Timeout: timeout})
	var wg sync.WaitGroup
	var whole, refused atomic.Int64
	for k := range uint64(16) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(9, k))
			for range 20 {
				i := newInstance(funcs, fmt.Sprint(k%4))
				parts := r.IntN(30)
				mood := []string{"", "", "", "wait", "sad", "panic", "well"}[r.IntN(7)]
				begin := time.Now()
				s, err := i.begin(context.Background(), parts, mood)
				if err != nil {
					refused.Add(1)
					continue
				}
				inTime := func() bool { return time.Since(begin) < timeout } // or else, on a machine with much to do, parts may be missing
				switch r.IntN(5) {
				case 0, 1: // to the end
					got, err := i.drain(context.Background(), s)
					if (got != uint64(parts) || (err == nil) != (mood == "")) && (inTime() || mood != "wait" && err == nil) {
						t.Errorf("%q: %d parts of %d: %v", mood, got, parts, err)
					}
					whole.Add(1)
				case 2: // two at once
					var both sync.WaitGroup
					var seen atomic.Int64
					for range 2 {
						both.Go(func() {
							for {
								m, _, err := i.call(context.Background(), "gpu.next", s)
								if err != nil || m["done"] == true {
									return
								}
								seen.Add(1)
							}
						})
					}
					both.Wait()
					if seen.Load() != int64(parts) && inTime() {
						t.Errorf("%q: %d parts of %d", mood, seen.Load(), parts)
					}
				case 3: // in the middle
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.IntN(300))*time.Microsecond)
					_, _ = i.drain(ctx, s)
					cancel()
				case 4:
					go i.call(context.Background(), "gpu.close", s)
					_, _ = i.drain(context.Background(), s)
				}
				if err := i.handles.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Positive(t, whole.Load())
	require.Eventually(t, func() bool { return p.Stats().Streaming == 0 && n.running.Load() == 0 }, 10*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 10*time.Second, 10*time.Millisecond) // one is Eventually's
	t.Logf("%d to the end, %d refused", whole.Load(), refused.Load())
}

// TestStreamInputs has a stream get tensors and give some that are as large as they may be.
func TestStreamInputs(t *testing.T) {
	p := newPool(t, gpu.Config{})
	echo := &gpu.Stream{Name: "echo", Run: func(_ context.Context, r *gpu.Request, emit func(gpu.Part) error) error {
		for _, in := range r.Inputs {
			if err := emit(gpu.Part{Outputs: []gpu.Tensor{in, in}}); err != nil {
				return err
			}
		}
		return emit(gpu.Part{Parameters: map[string]any{"tenant": r.Tenant}})
	}}
	i := newInstance(gpu.Functions(p, gpu.Options{MaxBytes: 1 << 20, Streams: []*gpu.Stream{echo}}), "a")
	x := bytes.Repeat([]byte{7}, 500_000)
	m, _, err := i.call(t.Context(), "gpu.stream", `{"function": "echo", "inputs": [{"name": "x", "datatype": "UINT8", "shape": [500000], "data": %b}]}`, x)
	require.NoError(t, err)
	s := fmt.Sprintf(`{"stream": %.0f}`, m["stream"])
	_, out, err := i.call(t.Context(), "gpu.next", s)
	require.NoError(t, err)
	require.Equal(t, [][]byte{x, x}, out)
	m, _, err = i.call(t.Context(), "gpu.next", s)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"parameters": map[string]any{"tenant": "a"}, "outputs": []any{}}, m["part"])
	m, _, err = i.call(t.Context(), "gpu.next", s)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"done": true}, m)
}
