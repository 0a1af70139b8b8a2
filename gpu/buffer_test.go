package gpu_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

// everyWay runs a test with buffers that workers see, with pipes, and with a fallback in this process.
func everyWay(t *testing.T, test func(t *testing.T, p *gpu.Pool)) {
	t.Run("memory", func(t *testing.T) { test(t, newPool(t, gpu.Config{BufferBytes: 1 << 20})) })
	t.Run("pipes", func(t *testing.T) { test(t, newPool(t, gpu.Config{BufferBytes: 1 << 20, Pipes: true})) })
	t.Run("fallback", func(t *testing.T) {
		b := &toy{constants: map[gpu.ConstantID]constant{}}
		test(t, newPool(t, gpu.Config{BufferBytes: 1 << 20, Fallback: b, Command: []string{"/does/not/exist"}}))
	})
}

// tryIn is try with the input in memory that is given.
func tryIn(ctx context.Context, b gpu.Backend, m []byte, x []float32, how ...byte) error {
	copy(m, raw(x))
	out := bytes.Repeat([]byte{0xee}, 4*len(x))
	told := append(append([]byte{}, how...), make([]byte, 16-len(how))...)
	if err := b.Eval(ctx, square(len(x)), [][]byte{m[:4*len(x)], told}, nil, [][]byte{out}); err != nil {
		return err
	}
	return checkSquare(x, floats(out))
}

func TestBuffer(t *testing.T) {
	everyWay(t, func(t *testing.T, p *gpu.Pool) {
		b := p.For("a")
		x, err := p.NewBuffer("a", 40_000)
		require.NoError(t, err)
		require.Len(t, x.Bytes(), 40_000)
		for _, at := range []int{0, 64, 1, 4} { // the last two are copied
			for _, n := range []int{0, 1, 16, 5000} {
				require.NoError(t, tryIn(t.Context(), b, x.Bytes()[at:], counting(n, float32(at))), "%d elements at %d", n, at)
			}
		}
		s := p.Stats()
		require.Equal(t, 1, s.Buffers)
		require.Equal(t, int64(40_960), s.BufferBytes)
		x.Free()
		x.Free()
		s = p.Stats()
		require.Zero(t, s.Buffers+int(s.BufferBytes))
		y, err := p.NewBuffer("b", 40_000)
		require.NoError(t, err)
		require.Equal(t, make([]byte, 40_000), y.Bytes())
		require.NoError(t, p.Close())
		_, err = p.NewBuffer("a", 1)
		require.ErrorIs(t, err, gpu.ErrClosed)
		y.Bytes()[39_999] = 1 // it is there until it is freed
		require.ErrorIs(t, tryIn(t.Context(), b, y.Bytes(), counting(8, 0)), gpu.ErrClosed)
		y.Free()
	})
}

// TestBufferIsNotCopied has inputs that would have no room in the arena, and a worker die that has seen them.
func TestBufferIsNotCopied(t *testing.T) {
	if !sharesMemory {
		t.Skip("no memory is shared here")
	}
	const n = 1 << 20
	prog := func() *tensor.Program {
		b := tensor.NewBuilder(tensor.Limits{})
		x, y := b.Input(tensor.Float32, n), b.Input(tensor.Float32, n)
		b.Input(tensor.Uint8, 16)
		p, err := b.Build(b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{0}}, x), b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{0}}, y))
		require.NoError(t, err)
		return p
	}()
	p := newPool(t, gpu.Config{Arena: 1 << 20, Workers: 2})
	buffer, err := p.NewBuffer("a", 8*n)
	require.NoError(t, err)
	defer buffer.Free()
	b, m, out := p.For("a"), buffer.Bytes(), [][]byte{make([]byte, 4), make([]byte, 4)}
	copy(m, raw([]float32{3, 4}))
	copy(m[4*n:], raw([]float32{5, 6}))
	how := make([]byte, 16)
	for range 4 {
		require.NoError(t, b.Eval(t.Context(), prog, [][]byte{m[:4*n], m[4*n:], how}, nil, out))
		require.Equal(t, [][]byte{raw([]float32{7}), raw([]float32{11})}, out)
		how[0] = doPanic
		require.ErrorIs(t, b.Eval(t.Context(), prog, [][]byte{m[:4*n], m[4*n:], how}, nil, out), gpu.ErrUnavailable)
		how[0] = 0
	}
	require.ErrorIs(t, b.Eval(t.Context(), prog, [][]byte{m[:4*n], make([]byte, 4*n), how}, nil, out), gpu.ErrMemory, "one of them is copied")
}

func TestBufferQuotas(t *testing.T) {
	for _, pipes := range []bool{false, true} {
		p := newPool(t, gpu.Config{BufferBytes: 16 << 10, Quota: gpu.Quota{Buffers: 8 << 10}, Pipes: pipes})
		_, err := p.NewBuffer("a", -1)
		require.ErrorIs(t, err, gpu.ErrArgument)
		_, err = p.NewBuffer("a", 8<<10+1)
		require.ErrorIs(t, err, gpu.ErrQuota)
		_, err = p.NewBuffer("a", math.MaxInt)
		require.ErrorIs(t, err, gpu.ErrQuota)
		a, err := p.NewBuffer("a", 4097)
		require.NoError(t, err)
		_, err = p.NewBuffer("a", 0)
		require.ErrorIs(t, err, gpu.ErrQuota)
		b, err := p.NewBuffer("b", 8<<10)
		require.NoError(t, err)
		_, err = p.NewBuffer("c", 0)
		require.ErrorIs(t, err, gpu.ErrMemory)
		a.Free()
		a, err = p.NewBuffer("a", 0)
		require.NoError(t, err)
		require.Empty(t, a.Bytes())
		a.Free()
		b.Free()
		require.Zero(t, p.Stats().BufferBytes)
		require.Zero(t, p.Stats().Starts)
	}
}

// TestBufferFreed has a buffer freed while a worker reads it, and used after that.
func TestBufferFreed(t *testing.T) {
	if !sharesMemory {
		t.Skip("no memory is shared here")
	}
	p := newPool(t, gpu.Config{BufferBytes: 8192})
	b := p.For("a")
	require.NoError(t, try(t.Context(), b, counting(4, 1)))
	x, err := p.NewBuffer("a", 4096)
	require.NoError(t, err)
	done := make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- tryIn(ctx, b, x.Bytes(), counting(1000, 1), doWait) }()
	require.Eventually(t, func() bool { return p.Stats().Running == 1 }, 10*time.Second, 100*time.Microsecond)
	stale := x.Bytes()
	x.Free()
	other, err := p.NewBuffer("b", 4096)
	require.NoError(t, err)
	require.NotSame(t, &stale[0], &other.Bytes()[0], "a worker reads it")
	_, err = p.NewBuffer("b", 1)
	require.ErrorIs(t, err, gpu.ErrMemory)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	again, err := p.NewBuffer("b", 4096)
	require.NoError(t, err)
	require.Same(t, &stale[0], &again.Bytes()[0])
	require.Equal(t, make([]byte, 4096), again.Bytes(), "what another tenant had")
	again.Free()
	require.ErrorIs(t, tryIn(t.Context(), b, stale, counting(1000, 1)), gpu.ErrArgument)
	other.Free()
}

// TestBufferOfBools has a buffer whose contents are checked before they are used.
func TestBufferOfBools(t *testing.T) {
	p := newPool(t, gpu.Config{Command: cpuWorker(t)})
	build := tensor.NewBuilder(tensor.Limits{})
	in := build.Input(tensor.Bool, 64)
	prog, err := build.Build(build.Apply(tensor.LogicalNot, nil, in))
	require.NoError(t, err)
	x, err := p.NewBuffer("a", 64)
	require.NoError(t, err)
	defer x.Free()
	out := make([]byte, 64)
	x.Bytes()[3] = 1
	require.NoError(t, p.For("a").Eval(t.Context(), prog, [][]byte{x.Bytes()}, nil, [][]byte{out}))
	require.Equal(t, []byte{1, 1, 1, 0, 1}, out[:5])
	x.Bytes()[3] = 2
	require.ErrorIs(t, p.For("a").Eval(t.Context(), prog, [][]byte{x.Bytes()}, nil, [][]byte{out}), gpu.ErrArgument)
}

// TestBufferChanges has what a worker reads change all the time. Results may be wrong, and indices out of range are
// refused, but the worker lives.
func TestBufferChanges(t *testing.T) {
	if !sharesMemory {
		t.Skip("no memory is shared here")
	}
	p := newPool(t, gpu.Config{Command: cpuWorker(t)})
	const n, m = 4096, 64
	var programs []*tensor.Program
	for _, apply := range []func(b *tensor.Builder, x, i tensor.Value) tensor.Value{
		func(b *tensor.Builder, x, i tensor.Value) tensor.Value {
			return b.Apply(tensor.Take, tensor.Attrs{"axis": 0}, x, i)
		},
		func(b *tensor.Builder, _, i tensor.Value) tensor.Value { return b.Apply(tensor.Sort, nil, i) },
		func(b *tensor.Builder, x, _ tensor.Value) tensor.Value {
			return b.Apply(tensor.TopK, tensor.Attrs{"k": 10}, x)
		},
		func(b *tensor.Builder, x, _ tensor.Value) tensor.Value { return b.Apply(tensor.ArgMax, nil, x) },
	} {
		b := tensor.NewBuilder(tensor.Limits{})
		x, i := b.Input(tensor.Float32, m), b.Input(tensor.Int64, n)
		prog, err := b.Build(apply(b, x, i))
		require.NoError(t, err)
		programs = append(programs, prog)
	}
	x, err := p.NewBuffer("a", 4*m)
	require.NoError(t, err)
	i, err := p.NewBuffer("a", 8*n)
	require.NoError(t, err)
	refused := 0
	changing(i.Bytes(), m, func() {
		changing(x.Bytes(), 256, func() {
			for k := range 300 {
				prog := programs[k%len(programs)]
				out := make([]byte, prog.Outputs()[0].Bytes())
				err := p.For("a").Eval(t.Context(), prog, [][]byte{x.Bytes(), i.Bytes()}, nil, [][]byte{out})
				var node *tensor.NodeError
				if errors.As(err, &node) {
					refused++
				} else if err != nil {
					t.Error(err)
				}
			}
		})
	})
	require.Equal(t, int64(1), p.Stats().Starts)
	t.Logf("%d of 75 were refused for their indices", refused)
	i.Free()
	x.Free()
}

// changing writes bytes up to most to m as long as f runs: to the lowest of each eight now and then a small one, so that indices are
// valid at times.
func changing(m []byte, most int, f func()) {
	stop := make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		r := rand.New(rand.NewPCG(12, 0))
		for {
			select {
			case <-stop:
				return
			default:
			}
			clear(m)
			if r.IntN(2) == 0 {
				m[r.IntN(len(m))] = 255
			}
			for range 2000 {
				m[r.IntN(len(m))&^7] = byte(r.IntN(most))
			}
		}
	})
	defer wg.Wait()
	defer close(stop)
	f()
}

// TestBufferHammer has tenants make, use and free buffers, and their workers die.
func TestBufferHammer(t *testing.T) {
	everyWay(t, func(t *testing.T, p *gpu.Pool) {
		var wg sync.WaitGroup
		var good, refused atomic.Int64
		for k := range uint64(6) {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(11, k))
				tenant := fmt.Sprint(k % 3)
				for range 60 {
					n := 1 + r.IntN(60_000)
					x, err := p.NewBuffer(tenant, 4*n)
					if errors.Is(err, gpu.ErrMemory) || errors.Is(err, gpu.ErrQuota) {
						refused.Add(1)
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					for _, v := range x.Bytes() {
						if v != 0 {
							t.Error("what somebody else had")
							break
						}
					}
					how := []byte{doWork}
					if k == 0 && r.IntN(10) == 0 && p.Stats().Workers > 0 {
						how = []byte{doExit}
					}
					err = tryIn(context.Background(), p.For(tenant), x.Bytes(), counting(n, float32(k)), how...)
					switch {
					case err == nil:
						good.Add(1)
					case !errors.Is(err, gpu.ErrUnavailable):
						t.Error(err)
					}
					x.Free()
				}
			})
		}
		wg.Wait()
		require.Positive(t, good.Load())
		require.Zero(t, p.Stats().BufferBytes)
		t.Logf("%d good, %d refused", good.Load(), refused.Load())
	})
}
