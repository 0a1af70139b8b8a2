package gpu_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

func TestPool(t *testing.T) {
	bothTransports(t, func(t *testing.T, c gpu.Config) {
		p := newPool(t, c)
		require.Zero(t, p.Stats().Starts, "nothing is started before the first call")
		b := p.For("a")
		for _, n := range []int{0, 1, 16, 1000, 300_000} {
			require.NoError(t, try(t.Context(), b, counting(n, -3)), "%d elements", n)
		}
		require.Equal(t, "toy", b.Info().Name)
		s := p.Stats()
		require.Equal(t, int64(5), s.Calls)
		require.Equal(t, int64(1), s.Starts)
		require.Equal(t, 1, s.Workers)
		require.NoError(t, b.Close())
		require.NoError(t, p.Close())
		require.ErrorIs(t, try(t.Context(), b, counting(1, 0)), gpu.ErrClosed)
		_, err := p.Info(t.Context())
		require.ErrorIs(t, err, gpu.ErrClosed)
	})
}

func TestArguments(t *testing.T) {
	p := newPool(t, gpu.Config{Limits: tensor.Limits{Elements: 1000}, Arena: 1 << 20})
	b := p.For("a")
	one := [][]byte{make([]byte, 4), make([]byte, 16)}
	require.ErrorIs(t, b.Eval(t.Context(), square(1), one[:1], nil, [][]byte{make([]byte, 4)}), gpu.ErrArgument)
	require.ErrorIs(t, b.Eval(t.Context(), square(1), one, nil, nil), gpu.ErrArgument)
	require.ErrorIs(t, b.Eval(t.Context(), square(2), one, nil, [][]byte{make([]byte, 8)}), gpu.ErrArgument)
	require.ErrorIs(t, b.Eval(t.Context(), square(1), one, []gpu.ConstantID{{}}, [][]byte{make([]byte, 4)}), gpu.ErrArgument)
	require.ErrorIs(t, try(t.Context(), b, counting(1001, 0)), tensor.ErrLimit)
	require.Zero(t, p.Stats().Starts)

	p = newPool(t, gpu.Config{Arena: 1 << 20})
	require.ErrorIs(t, try(t.Context(), p.For("a"), counting(1<<18, 0)), gpu.ErrMemory, "more than the arena")
	require.NoError(t, try(t.Context(), p.For("a"), counting(1<<16, 0)))
}

// TestErrors has workers fail in ways that are no fault of theirs. What they say does not reach anybody.
func TestErrors(t *testing.T) {
	bothTransports(t, func(t *testing.T, c gpu.Config) {
		p := newPool(t, c)
		err := try(t.Context(), p.For("a"), counting(1, 0), doRefuse)
		var node *tensor.NodeError
		require.ErrorAs(t, err, &node)
		require.Equal(t, 1, node.Node)
		require.NotContains(t, err.Error(), "secret")
		err = try(t.Context(), p.For("a"), counting(1, 0), doMemory)
		require.ErrorIs(t, err, gpu.ErrMemory)
		require.NotContains(t, err.Error(), "secret")
		require.Equal(t, int64(1), p.Stats().Starts)
	})
}

func TestDeadlines(t *testing.T) {
	bothTransports(t, func(t *testing.T, c gpu.Config) {
		c.Timeout, c.Grace = time.Second, 10*time.Second
		p := newPool(t, c)
		require.NoError(t, try(t.Context(), p.For("a"), counting(4, 0)))
		require.ErrorIs(t, try(t.Context(), p.For("a"), counting(4, 0), doWait), context.DeadlineExceeded)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, try(ctx, p.For("a"), counting(4, 0), doWait), context.DeadlineExceeded)
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		require.ErrorIs(t, try(ctx, p.For("a"), counting(4, 0), doWait), context.Canceled)
		require.NoError(t, try(t.Context(), p.For("a"), counting(4, 0)))
		s := p.Stats()
		require.Equal(t, int64(1), s.Starts, "a worker that ends its work in time is not killed")
		require.Equal(t, int64(3), s.Late)
	})
}

// TestHang has a worker that cannot be stopped but by killing it. Others' calls are lost with it.
func TestHang(t *testing.T) {
	bothTransports(t, func(t *testing.T, c gpu.Config) {
		c.Grace = 10 * time.Millisecond
		p := newPool(t, c)
		require.NoError(t, try(t.Context(), p.For("a"), counting(4, 0)))
		other := make(chan error)
		go func() { other <- try(context.Background(), p.For("b"), counting(4, 0), doHang) }()
		require.Eventually(t, func() bool { return p.Stats().Running == 1 }, 10*time.Second, time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, try(ctx, p.For("a"), counting(4, 0), doHang), context.DeadlineExceeded)
		err := <-other
		require.ErrorIs(t, err, gpu.ErrUnavailable)
		require.ErrorContains(t, err, "did not end a call")
		require.NoError(t, try(t.Context(), p.For("a"), counting(4, 0)))
		require.Equal(t, int64(1), p.Stats().Killed)
	})
}

func TestDeath(t *testing.T) {
	bothTransports(t, func(t *testing.T, c gpu.Config) {
		for _, standby := range []bool{false, true} {
			c.Standby = standby
			p := newPool(t, c)
			for _, how := range []byte{doPanic, doExit} {
				require.NoError(t, try(t.Context(), p.For("a"), counting(4, 0)))
				err := try(t.Context(), p.For("a"), counting(4, 0), how)
				require.ErrorIs(t, err, gpu.ErrUnavailable)
				var w *gpu.WorkerError
				require.ErrorAs(t, err, &w)
				if how == doPanic {
					require.Contains(t, w.Reason, "a bug in the backend")
				}
			}
			require.NoError(t, try(t.Context(), p.For("a"), counting(4, 0)))
			require.Equal(t, int64(2), p.Stats().Died)
			require.NoError(t, p.Close())
		}
	})
}

// TestQuarantine has workers that do not come to serve.
func TestQuarantine(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for name, says := range map[string]string{"refuse": "there is no device", "die": "exit status 3", "wrong": "wrong answer", "hang": "did not start"} {
		t.Run(name, func(t *testing.T) {
			toy, _ := openToyHere()
			fallback := gpu.Backend(nil)
			patience := time.Minute
			if name == "hang" {
				patience = 500 * time.Millisecond
			}
			for range 2 {
				p := newPool(t, gpu.Config{Command: []string{self, name}, StartTimeout: patience, Fallback: fallback})
				err := try(t.Context(), p.For("a"), counting(4, 0))
				if fallback != nil {
					require.NoError(t, err)
					require.Equal(t, "toy", p.For("a").Info().Name)
					testConstants(t, p)
					require.Positive(t, p.Stats().Fallbacks)
					continue
				}
				require.ErrorIs(t, err, gpu.ErrUnavailable)
				require.ErrorContains(t, err, says)
				s := p.Stats()
				require.True(t, s.Quarantine)
				require.Equal(t, int64(3), s.StartsFailed)
				begin := time.Now()
				for range 100 {
					require.ErrorIs(t, try(t.Context(), p.For("a"), counting(4, 0)), gpu.ErrUnavailable)
				}
				require.Equal(t, int64(3), p.Stats().Starts, "after %v", time.Since(begin))
				require.Equal(t, "unavailable", p.For("a").Info().Name)
				fallback = toy
			}
		})
	}
	_, err = gpu.NewPool(gpu.Config{Arena: 1 << 40})
	require.Error(t, err)
	p := newPool(t, gpu.Config{Command: []string{self + " is not there"}})
	require.ErrorIs(t, try(t.Context(), p.For("a"), counting(1, 0)), gpu.ErrUnavailable)
}

func openToyHere() (gpu.Backend, error) {
	return &toy{constants: map[gpu.ConstantID]constant{}}, nil
}

func testConstants(t *testing.T, p *gpu.Pool) {
	t.Helper()
	for _, n := range []int{1, 500_000} {
		b, c := p.For("a"), counting(n, 5)
		kind := tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{n}}
		id := gpu.IDOf(kind, raw(c))
		require.NoError(t, b.PutConstant(t.Context(), id, kind, raw(c)))
		require.NoError(t, b.PutConstant(t.Context(), id, kind, raw(c)))
		for range 2 {
			require.NoError(t, scale(t.Context(), b, id, c, counting(n, 7)))
		}
	}
}

// scale evaluates c·x and compares the result.
func scale(ctx context.Context, b gpu.Backend, id gpu.ConstantID, c, x []float32) error {
	out := make([]byte, 4*len(x))
	if err := b.Eval(ctx, scaled(len(x)), [][]byte{raw(x)}, []gpu.ConstantID{id}, [][]byte{out}); err != nil {
		return err
	}
	want := make([]float32, len(x))
	for i := range want {
		want[i] = c[i] * x[i]
	}
	if !bytes.Equal(out, raw(want)) {
		return errWrong
	}
	return nil
}

func TestConstants(t *testing.T) {
	bothTransports(t, func(t *testing.T, c gpu.Config) {
		p := newPool(t, c)
		testConstants(t, p)
		require.Equal(t, 2, p.Stats().Constants)
		require.ErrorIs(t, try(t.Context(), p.For("a"), counting(1, 0), doExit), gpu.ErrUnavailable)
		testConstants(t, p) // which the new worker has to get
		require.Equal(t, 2, p.Stats().Constants)
		require.Equal(t, int64(2), p.Stats().Starts)
	})
}

// TestForgottenConstant has workers that say that they have a constant, and have not. A guest that has it cannot do more than put it again.
func TestForgottenConstant(t *testing.T) {
	c := counting(8, 100)
	kind := tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{8}}
	id := gpu.IDOf(kind, raw(c))
	for times, want := range map[string]error{"xx": nil, "for ever and ever": gpu.ErrUnavailable} {
		p := newPool(t, gpu.Config{Command: append(cpuWorker(t)[:1], "forget", times)})
		require.NoError(t, p.For("a").PutConstant(t.Context(), id, kind, raw(c)))
		err := scale(t.Context(), p.For("a"), id, c, counting(8, 1))
		if want == nil {
			require.NoError(t, err)
			require.Zero(t, p.Stats().Mad)
			continue
		}
		require.ErrorIs(t, err, want)
		require.EqualValues(t, 1, p.Stats().Mad)
	}
	forgetful := &toy{constants: map[gpu.ConstantID]constant{}, forget: 1}
	p := newPool(t, gpu.Config{Command: append(cpuWorker(t)[:1], "refuse"), Fallback: forgetful})
	require.NoError(t, p.For("a").PutConstant(t.Context(), id, kind, raw(c)))
	require.NoError(t, scale(t.Context(), p.For("a"), id, c, counting(8, 1)))
}

// TestDeaf has a worker that takes no constants, and else works. It must not stay.
func TestDeaf(t *testing.T) {
	bothTransports(t, func(t *testing.T, c gpu.Config) {
		c.Command, c.StartTimeout = append(cpuWorker(t)[:1], "deaf"), 2*time.Second
		p := newPool(t, c)
		x := counting(8, 100)
		kind := tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{8}}
		id := gpu.IDOf(kind, raw(x))
		require.NoError(t, p.For("a").PutConstant(t.Context(), id, kind, raw(x)))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		require.NoError(t, try(t.Context(), p.For("a"), counting(4, 0)))
		require.ErrorIs(t, scale(ctx, p.For("a"), id, x, counting(8, 1)), context.DeadlineExceeded, "one that is in a hurry ends no worker")
		require.Zero(t, p.Stats().Killed)
		require.ErrorIs(t, scale(t.Context(), p.For("a"), id, x, counting(8, 1)), gpu.ErrUnavailable)
		require.EqualValues(t, 1, p.Stats().Killed)
	})
}

// TestBoast has a worker with more to say of itself than guests should have to hear.
func TestBoast(t *testing.T) {
	p := newPool(t, gpu.Config{Command: append(cpuWorker(t)[:1], "boast")})
	require.ErrorIs(t, try(t.Context(), p.For("a"), counting(4, 0)), gpu.ErrUnavailable)
	require.Contains(t, p.Stats().QuarantineMessage, "its description is too long")
}

func TestCloseEndsCalls(t *testing.T) {
	bothTransports(t, func(t *testing.T, c gpu.Config) {
		c.InFlight = 2
		p := newPool(t, c)
		require.NoError(t, try(t.Context(), p.For("a"), counting(1, 0)))
		failed := make(chan error)
		for range 4 { // two run, two wait
			go func() { failed <- try(context.Background(), p.For("a"), counting(1, 0), doWait) }()
		}
		require.Eventually(t, func() bool { s := p.Stats(); return s.Running+s.Waiting == 4 }, 10*time.Second, time.Millisecond)
		time.Sleep(20 * time.Millisecond)
		require.NoError(t, p.Close())
		for range 4 {
			require.ErrorIs(t, <-failed, gpu.ErrClosed)
		}
		require.NoError(t, p.Close())
	})
}

// TestCloseWhileStarting does not wait for a worker that does not come.
func TestCloseWhileStarting(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	p := newPool(t, gpu.Config{Command: []string{self, "hang"}})
	failed := make(chan error)
	go func() { failed <- try(context.Background(), p.For("a"), counting(1, 0)) }()
	time.Sleep(100 * time.Millisecond)
	require.NoError(t, p.Close())
	require.ErrorIs(t, <-failed, gpu.ErrClosed)
}

// TestHammer has many tenants use everything at once, while workers die.
func TestHammer(t *testing.T) {
	p := newPool(t, gpu.Config{Workers: 2, Standby: true, InFlight: 3, Quota: gpu.Quota{Calls: 2, Queue: 4, Constants: 5000}})
	rounds := 150
	if testing.Short() {
		rounds = 30
	}
	var wg sync.WaitGroup
	var good atomic.Int64
	for i := range uint64(12) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(9, i))
			b := p.For(fmt.Sprint(i % 4))
			for range rounds {
				ctx, cancel := context.WithCancel(context.Background())
				if r.IntN(6) == 0 {
					time.AfterFunc(time.Duration(r.IntN(500))*time.Microsecond, cancel)
				}
				n := 1 + r.IntN(300)
				var err error
				switch r.IntN(8) {
				case 0:
					err = try(ctx, b, counting(n, 1), []byte{doExit, doPanic}[r.IntN(2)])
				case 1, 2, 3:
					c := counting(n, 2)
					kind := tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{n}}
					id := gpu.IDOf(kind, raw(c))
					if err = b.PutConstant(ctx, id, kind, raw(c)); err == nil {
						err = scale(ctx, b, id, c, counting(n, 3))
					}
					if r.IntN(3) == 0 {
						b.DropConstant(id)
					}
				case 4:
					p.Stats()
					b.Info()
				default:
					err = try(ctx, b, counting(n*20, 1))
				}
				cancel()
				switch {
				case err == nil:
					good.Add(1)
				case errors.Is(err, gpu.ErrUnavailable), errors.Is(err, context.Canceled), errors.Is(err, gpu.ErrQuota), errors.Is(err, gpu.ErrConstant):
				default:
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Positive(t, good.Load())
	s := p.Stats()
	require.Zero(t, s.Running+s.Waiting)
	require.Zero(t, s.Mad)
}

// TestObserve checks what the embedder learns of evaluations.
func TestObserve(t *testing.T) {
	type key struct{}
	seen := make(chan gpu.Observation, 1)
	bothTransports(t, func(t *testing.T, c gpu.Config) {
		c.Observe = func(ctx context.Context, o gpu.Observation) {
			if ctx.Value(key{}) != "mine" {
				t.Error("another context")
			}
			seen <- o
		}
		p := newPool(t, c)
		ctx := context.WithValue(t.Context(), key{}, "mine")
		require.NoError(t, try(ctx, p.For("a"), counting(4, 1), doSleep, 200))
		o := <-seen
		require.Equal(t, gpu.Observation{Tenant: "a", Backend: "toy", Input: 32, Output: 16, Queue: o.Queue, Worker: o.Worker, Device: o.Device, Total: o.Total}, o)
		require.GreaterOrEqual(t, o.Device, 200*time.Microsecond)
		require.GreaterOrEqual(t, o.Worker, o.Device)
		require.GreaterOrEqual(t, o.Total, o.Worker+o.Queue)

		err := try(ctx, p.For("b"), counting(4, 1), doRefuse)
		o = <-seen
		require.Equal(t, err, o.Err)
		require.Zero(t, o.Device)
		require.ErrorIs(t, p.For("b").Eval(ctx, square(4), nil, nil, nil), gpu.ErrArgument)
		require.Empty(t, (<-seen).Backend)
	})
}
