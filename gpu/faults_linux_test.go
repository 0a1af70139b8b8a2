package gpu_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
	"github.com/sporeengine/spore/hostfuncs"
)

// sharesMemory says that workers share memory with their host on this system.
const sharesMemory = true

// Faults of a worker.
const (
	doKill            = firstFault + iota // kill -9 in the middle of a call
	doStop                                // SIGSTOP: it looks alive
	doScribble                            // 0xa5 over all shared memory, then SIGSEGV
	doScribbleOn                          // the same, and goes on as if nothing were
	doScribbleLate                        // goes on, and writes over the states of all calls a little later
	doGarbage                             // random bytes on the control channel
	doStored                              // a frame that makes no sense
	doMute                                // closes its end of the control channel and hangs
	doShout                               // a lot on standard error, then dies
	doNoMemory                            // allocates more than it may (RLIMIT_AS)
	doAgain                               // answers the call a second time, later
	doScribbleBuffers                     // 0xa5 over the buffers of the host, which it may not
	doLeave                               // leaves a process behind that keeps the channel open, and hangs
	numFaults
)

// shared returns the memory that this worker shares with its host; nil with pipes.
func shared() []byte { return mapped("spore-gpu") }

// mapped returns the mapping of a memory file.
func mapped(name string) []byte {
	maps, _ := os.ReadFile("/proc/self/maps")
	for line := range strings.Lines(string(maps)) {
		if !strings.Contains(line, "/memfd:"+name+" ") {
			continue
		}
		from, rest, _ := strings.Cut(line, "-")
		to, _, _ := strings.Cut(rest, " ")
		a, _ := strconv.ParseUint(from, 16, 64)
		z, _ := strconv.ParseUint(to, 16, 64)
		return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&a))), z-a)
	}
	return nil
}

func fault(how []byte) {
	r := rand.New(rand.NewPCG(uint64(how[1]), 1))
	self := os.Getpid()
	switch how[0] {
	case doKill:
		unix.Kill(self, unix.SIGKILL)
	case doStop:
		unix.Kill(self, unix.SIGSTOP)
		if how[1]%4 > 0 { // or else it may answer before it stops, and somebody else finds out
			select {}
		}
	case doScribble:
		scribble(shared(), func() byte { return 0xa5 })
		unix.Kill(self, unix.SIGSEGV)
	case doScribbleOn:
		scribble(shared(), func() byte { return 0xa5 })
	case doScribbleLate:
		go func() {
			time.Sleep(time.Duration(how[1]) * 4 * time.Microsecond)
			if m := shared(); m != nil {
				scribble(m[8192:24<<10], func() byte { return byte(r.Uint32()) })
			}
		}()
	case doGarbage:
		b := make([]byte, 1+r.IntN(5000))
		scribble(b, func() byte { return byte(r.Uint32()) })
		unix.Write(1, b)
		select {}
	case doStored:
		unix.Write(1, append([]byte{36, 0, 0, 0, 8}, make([]byte, 36)...))
	case doMute:
		unix.Close(1)
		select {}
	case doShout:
		for range 20_000 {
			fmt.Fprintln(os.Stderr, "something is wrong, something is wrong, something is wrong")
		}
		os.Exit(7)
	case doNoMemory:
		unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: 1 << 30, Max: 1 << 30})
		for hold := [][]byte{}; ; {
			hold = append(hold, make([]byte, 64<<20))
		}
	case doScribbleBuffers:
		m := mapped("spore-gpu-buffers")
		_ = unix.Mprotect(m, unix.PROT_READ|unix.PROT_WRITE) // or else the first byte ends it
		scribble(m, func() byte { return 0xa5 })
		select {} // there are none
	case doLeave:
		leaveProcess(how[1]%2 == 0)
		if how[1]%4 < 2 {
			unix.Kill(self, unix.SIGKILL)
		}
		select {}
	case doAgain:
		if m := shared(); m != nil { // the states of all slots as they will be when this call has its answer
			go func() {
				time.Sleep(time.Duration(how[1]) * 2 * time.Microsecond)
				before := append([]byte{}, m[8192:24<<10]...)
				time.Sleep(time.Duration(how[1]) * 4 * time.Microsecond)
				for at := 0; at < len(before); at += 64 {
					copy(m[8192+at:], before[at:at+4])
				}
			}()
		}
	}
}

// leaveProcess starts a process that has the ends of the control channel of this one, in a session of its own or not.
func leaveProcess(session bool) {
	c := exec.Command("/bin/sleep", "5")
	c.Stdin, c.Stdout = os.NewFile(0, ""), os.NewFile(1, "")
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: session}
	if err := c.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// TestLeftBehind has a worker start a process that keeps its ends of the channel open, and die or hang. The pool must not wait for that one.
func TestLeftBehind(t *testing.T) {
	for how := range byte(4) {
		before := measure()
		p, err := gpu.NewPool(gpu.Config{Grace: 5 * time.Millisecond, Timeout: time.Second})
		require.NoError(t, err)
		begin := time.Now()
		require.Error(t, try(t.Context(), p.For("a"), counting(1, 0), doLeave, how))
		require.NoError(t, try(t.Context(), p.For("a"), counting(1, 0)))
		require.NoError(t, p.Close())
		require.Less(t, time.Since(begin), 4*time.Second)
		checkLeaks(t, before)
	}
}

func scribble(m []byte, with func() byte) {
	for i := range m {
		m[i] = with()
	}
}

// faultyStart refuses to start now and then.
func faultyStart() error {
	if rand.IntN(25) == 0 {
		return errors.New("not today")
	}
	return nil
}

// resources are what a pool must not leave behind.
type resources struct{ goroutines, files, maps, children int }

func measure() (r resources) {
	r.goroutines = runtime.NumGoroutine()
	fds, _ := os.ReadDir("/proc/self/fd")
	r.files = len(fds)
	maps, _ := os.ReadFile("/proc/self/maps")
	r.maps = strings.Count(string(maps), "/memfd:spore-gpu")
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, t := range tasks {
		b, _ := os.ReadFile(t)
		r.children += len(strings.Fields(string(b)))
	}
	return r
}

// checkLeaks compares with what there was before. Goroutines that have done their work may need a moment to end.
func checkLeaks(t *testing.T, before resources) {
	t.Helper()
	var now resources
	for range 1000 {
		now = measure()
		if now.goroutines <= before.goroutines && now.files <= before.files && now.maps == before.maps && now.children == before.children {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("before %+v, now %+v", before, now)
}

// TestFaults breaks workers again and again while other tenants use them: SPORE_GPU_FAULTS times, 120 unless
// told. Whatever happens, an answer is the right one or an error, and the next call gets one.
func TestFaults(t *testing.T) {
	faults := 120
	if s := os.Getenv("SPORE_GPU_FAULTS"); s != "" {
		var err error
		faults, err = strconv.Atoi(s)
		require.NoError(t, err)
	} else if testing.Short() {
		faults = 30
	}
	self, err := os.Executable()
	require.NoError(t, err)
	before := measure()
	for i, c := range []gpu.Config{{}, {Standby: true, Workers: 2}, {Pipes: true}} {
		c.Command = []string{self, "fault"}
		c.Grace = 5 * time.Millisecond
		n := []int{faults / 2, faults / 4, faults - faults/2 - faults/4}[i]
		breakWorkers(t, c, n, uint64(i))
		checkLeaks(t, before)
	}
}

func breakWorkers(t *testing.T, c gpu.Config, faults int, seed uint64) {
	p := newPool(t, c)
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	var good, failed atomic.Int64
	for i := range 4 {
		others.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			tenant := fmt.Sprint("tenant ", i)
			kept, err := p.NewBuffer(tenant, 4*3000) // outlives many workers
			if err != nil {
				t.Error(err)
				return
			}
			defer kept.Free()
			for ctx.Err() == nil {
				n := 1 + r.IntN(3000)
				x := counting(n, float32(r.IntN(50)))
				callCtx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
				var err error
				switch r.IntN(5) {
				case 4: // one of a few constants that all have, and drop, at any moment
					c := counting(1+r.IntN(3), 7)
					kind := tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{len(c)}}
					id := gpu.IDOf(kind, raw(c))
					if err = p.For(tenant).PutConstant(callCtx, id, kind, raw(c)); err == nil {
						err = scale(callCtx, p.For(tenant), id, c, c)
					}
					if r.IntN(2) == 0 {
						p.For(tenant).DropConstant(id)
					}
				case 0:
					err = tryIn(callCtx, p.For(tenant), kept.Bytes(), x, doSleep, byte(r.Uint32()))
					if !bytes.Equal(kept.Bytes()[:4*n], raw(x)) {
						t.Error("somebody wrote to a buffer")
					}
				case 1:
					var b *gpu.Buffer
					if b, err = p.NewBuffer(tenant, 4*n); err == nil {
						if bytes.Count(b.Bytes(), []byte{0}) != 4*n {
							t.Error("a buffer that is not zero")
						}
						err = tryIn(callCtx, p.For(tenant), b.Bytes(), x, doSleep, byte(r.Uint32()))
						b.Free()
					}
				default:
					err = try(callCtx, p.For(tenant), x, doSleep, byte(r.Uint32()))
				}
				cancel()
				switch {
				case err == nil:
					good.Add(1)
				case errors.Is(err, gpu.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
					failed.Add(1)
				default:
					t.Errorf("a bystander: %v", err)
				}
			}
		})
	}
	streams := &streamer{pool: p, t: t}
	for i := range 2 {
		others.Go(func() { streams.guest(ctx, fmt.Sprint("tenant ", i), rand.New(rand.NewPCG(seed, uint64(50+i)))) })
	}
	r := rand.New(rand.NewPCG(seed, 99))
	count, took := map[byte]int{}, map[byte]time.Duration{}
	for range faults {
		kinds := []byte{doPanic, doExit, doHang, doWait}
		how := byte(firstFault + r.IntN(int(numFaults-firstFault+4)))
		if how >= numFaults {
			how = kinds[how-numFaults]
		}
		count[how]++
		callCtx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		err := try(callCtx, p.For("bad"), counting(4, 1), how, byte(r.Uint32()))
		cancel()
		if errors.Is(err, errWrong) {
			t.Errorf("fault %d: %v", how, err)
		}
		begin := time.Now()
		for {
			callCtx, cancel := context.WithTimeout(ctx, 10*time.Second)
			err := try(callCtx, p.For("good"), counting(4, 2))
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, gpu.ErrUnavailable) {
				t.Errorf("after fault %d: %v", how, err)
				break
			}
			if time.Since(begin) > time.Minute {
				t.Fatalf("after fault %d there is no good call: %v", how, err)
			}
			time.Sleep(time.Millisecond)
		}
		took[how] += time.Since(begin)
	}
	// Of few faults each may have broken all streams. Now none does.
	require.Eventually(t, func() bool { return streams.whole.Load() > 0 }, time.Minute, time.Millisecond)
	stop()
	others.Wait()
	require.Eventually(t, func() bool { return p.Stats().Streaming == 0 }, 10*time.Second, time.Millisecond) // streams that were left end, but not at once
	s := p.Stats()
	t.Logf("%d faults by kind %v: good %d, failed %d; workers started %d (%d refused), died %d, killed %d, broke the protocol %d",
		faults, count, good.Load(), failed.Load(), s.Starts, s.StartsFailed, s.Died, s.Killed, s.Mad)
	t.Logf("until the next good call, all together: %v", took)
	t.Logf("streams: %d to their end, %d broken by a fault, %d left", streams.whole.Load(), streams.broken.Load(), streams.left.Load())
	require.Zero(t, s.Running+s.Waiting+s.Buffers)
	require.Positive(t, good.Load())
	require.NoError(t, p.Close())
}

// A streamer has streams whose parts are computed by workers that break.
type streamer struct {
	pool                *gpu.Pool
	t                   *testing.T
	whole, broken, left atomic.Int64
}

// run emits the result of n evaluations, whose input lies in a buffer.
func (s *streamer) run(ctx context.Context, r *gpu.Request, emit func(gpu.Part) error) error {
	b, err := s.pool.NewBuffer(r.Tenant, 4*100)
	if err != nil {
		return err
	}
	defer b.Free()
	n, _ := r.Parameters["n"].(float64)
	for i := range int(n) {
		callCtx, cancel := context.WithTimeout(ctx, 400*time.Millisecond)
		x := counting(100, float32(i))
		copy(b.Bytes(), raw(x))
		out := make([]byte, 4*len(x))
		err := s.pool.For(r.Tenant).Eval(callCtx, square(len(x)), [][]byte{b.Bytes(), {doSleep, byte(20 * i), 15: 0}}, nil, [][]byte{out})
		cancel()
		if err != nil {
			return err
		}
		part := gpu.Part{Parameters: map[string]any{"i": i}, Outputs: []gpu.Tensor{{Name: "x", Datatype: "FP32", Shape: []int{len(x)}, Data: out}}}
		if err := emit(part); err != nil {
			return err
		}
	}
	return nil
}

// guest begins streams and takes their parts, not always all.
func (s *streamer) guest(ctx context.Context, tenant string, r *rand.Rand) {
	funcs := gpu.Functions(s.pool, gpu.Options{Streams: []*gpu.Stream{{Name: "squares", Run: s.run, Buffer: 2}}})
	for ctx.Err() == nil {
		i := newInstance(funcs, tenant)
		n, take := r.IntN(10), r.IntN(15)
		m, _, err := i.call(context.Background(), "gpu.stream", fmt.Sprintf(`{"function": "squares", "parameters": {"n": %d}}`, n))
		if err != nil {
			s.t.Error(err)
			return
		}
		h := fmt.Sprintf(`{"stream": %.0f}`, m["stream"])
		for k := 0; ; k++ {
			if k == take {
				s.left.Add(1)
				break
			}
			m, out, err := i.call(context.Background(), "gpu.next", h)
			if err != nil {
				if code := hostfuncs.ForGuest(err).Code; code != gpu.CodeUnavailable && code != hostfuncs.CodeTimeout {
					s.t.Errorf("a stream: %v", err)
				}
				s.broken.Add(1)
				break
			}
			if m["done"] == true {
				if k != n {
					s.t.Errorf("a stream has ended after %d of %d parts", k, n)
				}
				s.whole.Add(1)
				break
			}
			if err := checkSquare(counting(100, float32(k)), floats(out[0])); err != nil {
				s.t.Errorf("part %d of a stream: %v", k, err)
			}
		}
		if err := i.handles.Close(); err != nil {
			s.t.Error(err)
		}
		for s.pool.Stats().Streaming > 4 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
	}
}

// TestNothingBeforeUse makes a pool and does not use it.
func TestNothingBeforeUse(t *testing.T) {
	before := measure()
	p, err := gpu.NewPool(gpu.Config{Standby: true})
	require.NoError(t, err)
	gpu.Functions(p, gpu.Options{})
	after := measure() // at once; what other tests left may have ended meanwhile
	require.LessOrEqual(t, after.goroutines, before.goroutines)
	require.LessOrEqual(t, after.files, before.files)
	require.Equal(t, before.maps+before.children, after.maps+after.children)
	require.NoError(t, p.Close())
}
