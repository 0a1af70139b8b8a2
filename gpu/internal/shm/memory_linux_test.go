package shm

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sporeengine/spore/gpu/internal/wire"
)

func shared(t *testing.T, arenaBytes int64, grace time.Duration) *pair {
	p := newPair()
	var err error
	host, f, err := NewHost(8, arenaBytes, p.control(grace, func(id uint64) { p.worker.Cancel(id) }))
	require.NoError(t, err)
	defer f.Close()
	p.Host = host
	p.worker, err = NewWorker(f, SharedBytes(arenaBytes), 8, p.handle, p.onFatal)
	require.NoError(t, err)
	mem := p.worker.(*sharedWorker).mem
	t.Cleanup(func() {
		require.NoError(t, p.Close())
		close(p.unhang)
		require.NoError(t, p.worker.Close())
		require.NoError(t, unix.Munmap(mem))
	})
	return p
}

// TestSealed tries to change the length of the memory, which would kill who reads behind its end.
func TestSealed(t *testing.T) {
	h, f, err := NewHost(8, 1<<20, Control{})
	require.NoError(t, err)
	defer h.Close()
	defer f.Close()
	require.ErrorIs(t, f.Truncate(4096), unix.EPERM)
	require.ErrorIs(t, f.Truncate(1<<30), unix.EPERM)
}

// TestStale has a worker that answers and writes nothing: what is read must not be of the call before.
func TestStale(t *testing.T) {
	p := shared(t, 1<<20, time.Second)
	for _, n := range []int{100, 4096, 50_000} {
		for range 10 { // so that every slot is used
			_, _, err := p.do(t.Context(), opFill, 0, nil, n)
			require.NoError(t, err)
		}
		for range 10 {
			out, _, err := p.do(t.Context(), opLeave, 0, nil, n)
			require.NoError(t, err)
			require.Equal(t, make([]byte, n), out)
		}
	}
}

// TestTooLarge asks for more than the memory.
func TestTooLarge(t *testing.T) {
	p := shared(t, 1<<20, time.Second)
	_, _, err := p.do(t.Context(), opEcho, 0, make([]byte, 1<<20+1), 0)
	require.ErrorIs(t, err, ErrTooLarge)
	_, _, err = p.do(t.Context(), opEcho, 0, make([]byte, 1<<20), 0)
	require.NoError(t, err)
}

// TestScribble writes over what is shared while a call is in progress: all of it, the states of the slots, or one word.
func TestScribble(t *testing.T) {
	for name, scribble := range map[string]func(memory){
		"everything": func(m memory) {
			for i := range m {
				m[i] = 0xa5
			}
		},
		"another call is done": func(m memory) { store(m.slot(7, slotState), 99<<2|phaseDone) },
		"random slots": func(m memory) {
			for i := slotsAt; i < smallAt; i++ {
				m[i] = byte(rand.Uint32() | 1)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := shared(t, 1<<20, time.Minute)
			for range 7 { // slots come in turn, so that the call has the last
				_, _, err := p.do(t.Context(), opEcho, 0, nil, 0)
				require.NoError(t, err)
				<-p.started
			}
			failed := make(chan error)
			go func() {
				_, _, err := p.do(context.Background(), opHang, 0, []byte("x"), 0)
				failed <- err
			}()
			<-p.started
			m := p.worker.(*sharedWorker).mem
			scribble(m)
			futexWake(m.slot(7, slotState), 1)
			require.ErrorIs(t, <-failed, ErrLost)
			require.ErrorIs(t, *p.killed.Load(), wire.ErrProtocol)
		})
	}
}

// TestGuards writes over the memory in a way that leaves the call's slot alone: a worker gone mad that had passed it before the call was
// made.
func TestGuards(t *testing.T) {
	for name, scribble := range map[string]func(memory){
		"from the start": func(m memory) { m[guardAt] ^= 0xa5 },
		"from the end":   func(m memory) { m[len(m)-guardBytes+3] ^= 0xa5 },
		"a field":        func(m memory) { *m.u64(slotsAt + slotOutLen)++ },
	} {
		t.Run(name, func(t *testing.T) {
			p := shared(t, 1<<20, time.Minute)
			scribbled := make(chan error)
			go func() {
				_, _, err := p.do(context.Background(), opHang, 0, []byte("x"), 1)
				scribbled <- err
			}()
			<-p.started
			scribble(p.worker.(*sharedWorker).mem)
			p.unhang <- struct{}{}
			require.ErrorIs(t, <-scribbled, ErrLost)
			require.ErrorIs(t, *p.killed.Load(), wire.ErrProtocol)
		})
	}
}

// TestDuplicate has a worker that answers a call a second time when its slot belongs to the next.
func TestDuplicate(t *testing.T) {
	p := shared(t, 1<<20, time.Minute)
	m := p.worker.(*sharedWorker).mem
	for range 8 {
		_, _, err := p.do(t.Context(), opEcho, 0, nil, 0)
		require.NoError(t, err)
		<-p.started
	}
	before := load(m.slot(0, slotState))
	require.Equal(t, uint32(phaseDone), before&phaseMask)
	failed := make(chan error)
	go func() {
		_, _, err := p.do(context.Background(), opHang, 0, nil, 0)
		failed <- err
	}()
	<-p.started
	store(m.slot(0, slotState), before)
	futexWake(m.slot(0, slotState), 1)
	require.ErrorIs(t, <-failed, ErrLost)
	require.ErrorIs(t, *p.killed.Load(), wire.ErrProtocol)
}

// TestRing shows a worker a ring that no host writes.
func TestRing(t *testing.T) {
	for _, c := range []struct{ head, slot uint32 }{{MaxSlots + 1, 0}, {1, MaxSlots}, {1, 0}} {
		p := shared(t, 1<<20, time.Minute)
		w := p.worker.(*sharedWorker)
		store(w.mem.u32(ringAt), c.slot)
		store(w.mem.u32(headAt), c.head)
		futexWake(w.mem.u32(headAt), 1)
		require.Eventually(t, func() bool { return p.fatal.Load() != nil }, 10*time.Second, time.Millisecond)
		require.ErrorIs(t, *p.fatal.Load(), wire.ErrProtocol)
		store(w.mem.u32(headAt), w.tail)
	}
}

// FuzzSlot gives a worker a slot with any numbers in it.
func FuzzSlot(f *testing.F) {
	f.Add(uint32(5), uint32(0), uint64(smallAt), uint64(10), uint64(smallAt), uint64(10))
	f.Add(uint32(7), uint32(0), uint64(1<<63), uint64(1<<63), uint64(0), uint64(1<<64-1))
	f.Add(uint32(2), uint32(0), uint64(0), uint64(0), uint64(0), uint64(0))
	f.Fuzz(func(t *testing.T, state, op uint32, in, inLen, out, outLen uint64) {
		w := &sharedWorker{mem: make(memory, smallAt+1<<16), fatal: func(error) {},
			handle: func(_ context.Context, j *Job) Answer {
				for _, b := range [][]byte{j.In, j.Out} {
					if len(b) > 0 {
						_ = b[0] + b[len(b)-1]
					}
				}
				return Answer{}
			}}
		*w.mem.slot(3, slotState) = state
		w.mem.setFields(3, [5]uint64{uint64(op), in, inLen, out, outLen})
		w.work(3)
	})
}
