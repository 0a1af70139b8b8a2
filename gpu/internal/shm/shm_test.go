package shm

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/internal/wire"
)

// Operations of the worker of these tests.
const (
	opEcho  = iota // the result is the request
	opFill         // the result is 0x77
	opFail         // code 5, detail 6
	opWait         // until it is canceled
	opHang         // until the test ends
	opLeave        // answers and leaves the result as it is
)

// A pair is a host and a worker in one process.
type pair struct {
	Host
	killed  atomic.Pointer[error] // why Control.Kill was called first
	fatal   atomic.Pointer[error] // why the worker's fatal was called first
	started chan uint32           // gets the operation of each job
	unhang  chan struct{}
	worker  Worker
}

func (p *pair) handle(ctx context.Context, j *Job) Answer {
	select {
	case p.started <- j.Op:
	default:
	}
	switch j.Op {
	case opEcho:
		copy(j.Out, j.In)
	case opFill:
		for i := range j.Out {
			j.Out[i] = 0x77
		}
	case opFail:
		return Answer{5, 6}
	case opWait:
		<-ctx.Done()
		return Answer{Code: 9}
	case opHang:
		<-p.unhang
	}
	return Answer{}
}

// eachTransport runs a test with shared memory, where there is some, and with pipes.
func eachTransport(t *testing.T, arenaBytes int64, grace time.Duration, test func(*testing.T, *pair)) {
	t.Run("pipes", func(t *testing.T) { test(t, pipes(t, grace)) })
	if runtime.GOOS == "linux" {
		t.Run("memory", func(t *testing.T) { test(t, shared(t, arenaBytes, grace)) })
	}
}

func newPair() *pair {
	return &pair{started: make(chan uint32, 100), unhang: make(chan struct{})}
}

func (p *pair) control(grace time.Duration, cancel func(uint64)) Control {
	return Control{Grace: grace, Cancel: cancel, Kill: func(why error) {
		p.killed.CompareAndSwap(nil, &why)
		p.Fail(why)
	}}
}

func (p *pair) onFatal(err error) { p.fatal.CompareAndSwap(nil, &err) }

func pipes(t *testing.T, grace time.Duration) *pair {
	p := newPair()
	workerIn, hostOut := io.Pipe()
	hostIn, workerOut := io.Pipe()
	hostWriter := wire.NewWriter(hostOut)
	worker := NewPipeWorker(wire.NewWriter(workerOut), p.handle, p.onFatal)
	host := NewPipeHost(hostWriter, 8, 4<<20, p.control(grace, func(id uint64) { go hostWriter.Send(&wire.Cancel{ID: id}) }))
	p.Host, p.worker = host, worker
	var readers sync.WaitGroup
	readers.Go(func() {
		for r := wire.NewReader(workerIn); ; {
			m, err := r.Receive(wire.MaxFrame)
			switch m := m.(type) {
			case *wire.Call:
				worker.Call(m)
			case *wire.Cancel:
				worker.Cancel(m.ID)
			default:
				if err != io.EOF {
					t.Error(m, err)
				}
				return
			}
		}
	})
	readers.Go(func() {
		for r := wire.NewReader(hostIn); ; {
			m, err := r.Receive(wire.MaxFrame)
			if err != nil {
				host.Fail(err)
				return
			}
			if err := host.Reply(m.(*wire.Reply)); err != nil {
				select {
				case <-host.dead: // so that its calls have returned
				default:
					t.Error(err)
				}
			}
		}
	})
	t.Cleanup(func() {
		require.NoError(t, p.Close())
		close(p.unhang)
		hostOut.Close()
		require.NoError(t, worker.Close())
		workerOut.Close()
		readers.Wait()
	})
	return p
}

// do calls an operation with a request and a result of out bytes.
func (p *pair) do(ctx context.Context, op uint32, deadline time.Duration, in []byte, out int) ([]byte, Answer, error) {
	c := &Call{Op: op, In: [][]byte{in}, Out: [][]byte{make([]byte, out)}}
	if deadline > 0 {
		c.Deadline = time.Now().Add(deadline)
	}
	a, err := p.Do(ctx, c)
	return c.Out[0], a, err
}

func TestCalls(t *testing.T) {
	eachTransport(t, 4<<20, time.Second, func(t *testing.T, p *pair) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for _, n := range []int{0, 1, 63, 64, 65, 4096, 4097, 100_000, 1 << 20} {
			in := make([]byte, n)
			for i := range in {
				in[i] = byte(rand.Uint32())
			}
			out, a, err := p.do(ctx, opEcho, time.Minute, in, n)
			require.NoError(t, err)
			require.Zero(t, a)
			require.True(t, bytes.Equal(in, out), "%d bytes", n)
		}
		_, a, err := p.do(ctx, opFail, 0, nil, 10)
		require.NoError(t, err)
		require.Equal(t, Answer{5, 6}, a)
	})
}

// TestParts has requests and results of several parts, which are aligned.
func TestParts(t *testing.T) {
	eachTransport(t, 1<<20, time.Second, func(t *testing.T, p *pair) {
		for range 50 {
			c := &Call{Op: opEcho}
			var sizes []int
			for range rand.IntN(6) {
				in := make([]byte, rand.IntN(3000))
				for i := range in {
					in[i] = byte(rand.Uint32())
				}
				c.In, c.Out, sizes = append(c.In, in), append(c.Out, make([]byte, len(in))), append(sizes, len(in))
			}
			_, err := p.Do(t.Context(), c)
			require.NoError(t, err)
			for i := range c.In {
				require.True(t, bytes.Equal(c.In[i], c.Out[i]))
			}
			at, n := Offsets(sizes)
			require.Equal(t, n, total(c.In))
			for _, at := range at {
				require.Zero(t, at%Align)
			}
		}
	})
}

func TestDeadline(t *testing.T) {
	eachTransport(t, 1<<20, time.Minute, func(t *testing.T, p *pair) {
		_, _, err := p.do(t.Context(), opWait, 10*time.Millisecond, nil, 0)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-p.started; <-p.started; cancel() }()
		_, _, err = p.do(ctx, opWait, 0, nil, 0)
		require.ErrorIs(t, err, context.Canceled)
		_, _, err = p.do(ctx, opWait, 0, nil, 0)
		require.ErrorIs(t, err, context.Canceled)

		out, _, err := p.do(t.Context(), opEcho, time.Minute, []byte("goes on"), 7)
		require.NoError(t, err)
		require.Equal(t, "goes on", string(out))
		require.Nil(t, p.killed.Load())
	})
}

// TestHang has a worker that does not stop when it is told to.
func TestHang(t *testing.T) {
	eachTransport(t, 1<<20, 10*time.Millisecond, func(t *testing.T, p *pair) {
		other := make(chan error)
		go func() {
			_, _, err := p.do(t.Context(), opHang, 0, nil, 0)
			other <- err
		}()
		_, _, err := p.do(t.Context(), opHang, 10*time.Millisecond, nil, 0)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, <-other, ErrLost)
		require.ErrorIs(t, *p.killed.Load(), errLate)
		_, _, err = p.do(t.Context(), opEcho, 0, nil, 0)
		require.ErrorIs(t, err, ErrLost)
	})
}

// TestQueue has more calls than slots.
func TestQueue(t *testing.T) {
	eachTransport(t, 1<<20, time.Minute, func(t *testing.T, p *pair) {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				_, _, err := p.do(ctx, opWait, 0, nil, 0)
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		for range 8 {
			<-p.started
		}
		_, _, err := p.do(t.Context(), opEcho, 10*time.Millisecond, nil, 0)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		wg.Go(func() {
			if _, _, err := p.do(t.Context(), opEcho, 0, nil, 0); err != nil {
				t.Error(err)
			}
		})
		cancel()
		wg.Wait()
	})
}

func TestFail(t *testing.T) {
	eachTransport(t, 1<<20, time.Minute, func(t *testing.T, p *pair) {
		failed := make(chan error)
		for range 5 {
			go func() {
				_, _, err := p.do(context.Background(), opHang, 0, nil, 0)
				failed <- err
			}()
		}
		for range 5 {
			<-p.started
		}
		p.Fail(io.ErrClosedPipe)
		for range 5 {
			err := <-failed
			require.ErrorIs(t, err, ErrLost)
			require.ErrorIs(t, err, io.ErrClosedPipe)
		}
		require.NoError(t, p.Close())
		_, _, err := p.do(t.Context(), opEcho, 0, nil, 0)
		require.ErrorIs(t, err, ErrLost)
	})
}

func TestHammer(t *testing.T) {
	eachTransport(t, 256<<10, time.Minute, func(t *testing.T, p *pair) {
		rounds := 200
		if testing.Short() {
			rounds = 50
		}
		var wg sync.WaitGroup
		for i := range uint64(24) {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(1, i))
				for n := range rounds {
					in := make([]byte, 8+r.IntN(20_000))
					binary.LittleEndian.PutUint64(in, i<<32|uint64(n))
					in[len(in)-1] = byte(i)
					ctx, cancel := context.WithCancel(context.Background())
					op := uint32(opEcho)
					if r.IntN(10) == 0 {
						time.AfterFunc(time.Duration(r.IntN(100))*time.Microsecond, cancel)
					} else if r.IntN(20) == 0 {
						op = opWait
						time.AfterFunc(time.Millisecond, cancel)
					}
					out, a, err := p.do(ctx, op, time.Minute, in, len(in))
					cancel()
					if err != nil && !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					if err == nil && (a != Answer{} || !bytes.Equal(in, out)) {
						t.Errorf("a wrong answer: %+v", a)
					}
				}
			})
		}
		wg.Wait()
		require.Nil(t, p.killed.Load())
		require.Nil(t, p.fatal.Load())
	})
}

func TestReplies(t *testing.T) {
	h := NewPipeHost(wire.NewWriter(io.Discard), 8, 1000, Control{Kill: func(error) {}})
	defer h.Close()
	require.ErrorIs(t, h.Reply(&wire.Reply{ID: 1}), wire.ErrProtocol, "there is no such call")
	answer := make(chan Answer)
	go func() {
		a, _ := h.Do(t.Context(), &Call{Out: [][]byte{make([]byte, 10)}})
		answer <- a
	}()
	for h.Reply(&wire.Reply{ID: 1, Code: 3}) != nil {
		time.Sleep(time.Millisecond)
	}
	require.Equal(t, Answer{Code: 3}, <-answer)
	require.ErrorIs(t, h.Reply(&wire.Reply{ID: 1, Code: 3}), wire.ErrProtocol, "twice")
	go func() { _, _ = h.Do(context.Background(), &Call{Out: [][]byte{make([]byte, 10)}}) }()
	for {
		err := h.Reply(&wire.Reply{ID: 2, Out: make([]byte, 10)})
		if err != nil && err.Error() == protocol("sent a result of the wrong length").Error() {
			break
		}
		time.Sleep(time.Millisecond)
	}
}

func TestArena(t *testing.T) {
	trimmed := 0
	a := newArena(100*granule+5, 10*granule, func(from, to int) { trimmed += to - from })
	_, err := a.get(t.Context(), time.Time{}, nil, 101*granule)
	require.ErrorIs(t, err, ErrTooLarge)
	r := rand.New(rand.NewPCG(7, 7))
	var held []extent
	for range 5000 {
		if r.IntN(2) == 0 {
			if e, wait := a.try(granule * (1 + r.IntN(20))); wait == nil {
				for _, o := range held {
					require.True(t, e.at+e.n <= o.at || o.at+o.n <= e.at, "%v and %v", e, o)
				}
				require.LessOrEqual(t, e.at+e.n, a.size)
				held = append(held, e)
			}
		} else if len(held) > 0 {
			i := r.IntN(len(held))
			a.put(held[i])
			held = append(held[:i], held[i+1:]...)
		}
	}
	for _, e := range held {
		a.put(e)
	}
	require.Equal(t, []extent{{0, 100 * granule}}, a.free)
	require.Positive(t, trimmed)

	all, err := a.get(t.Context(), time.Time{}, nil, 100*granule)
	require.NoError(t, err)
	_, err = a.get(t.Context(), time.Now().Add(time.Millisecond), nil, 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	dead := make(chan struct{})
	close(dead)
	_, err = a.get(t.Context(), time.Time{}, dead, 1)
	require.ErrorIs(t, err, ErrLost)
	time.AfterFunc(time.Millisecond, func() { a.put(all) })
	_, err = a.get(t.Context(), time.Time{}, nil, 1)
	require.NoError(t, err)
}

func TestCopyLarge(t *testing.T) {
	r := rand.New(rand.NewPCG(16, 0))
	for _, n := range []int{0, 1, copyPiece - 1, copyPiece, copyPiece + 1, 2 * copyPiece, 5*copyPiece + 77} {
		src := make([]byte, n)
		for i := range src {
			src[i] = byte(r.Uint32())
		}
		dst := make([]byte, n+10)
		copyLarge(dst, src)
		if !bytes.Equal(src, dst[:n]) || !bytes.Equal(dst[n:], make([]byte, 10)) {
			t.Errorf("%d bytes, to more", n)
		}
		dst = make([]byte, n)
		copyLarge(dst, append(src, 1, 2, 3))
		if !bytes.Equal(src, dst) {
			t.Errorf("%d bytes, from more", n)
		}
	}
}
