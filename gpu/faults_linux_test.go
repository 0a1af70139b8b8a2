package gpu_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sporeengine/spore/gpu"
)

// Faults of a worker.
const (
	doKill         = firstFault + iota // kill -9 in the middle of a call
	doStop                             // SIGSTOP: it looks alive
	doScribble                         // 0xa5 over all shared memory, then SIGSEGV
	doScribbleOn                       // the same, and goes on as if nothing were
	doScribbleLate                     // goes on, and writes over the states of all calls a little later
	doGarbage                          // random bytes on the control channel
	doStored                           // a frame that makes no sense
	doMute                             // closes its end of the control channel and hangs
	doShout                            // a lot on standard error, then dies
	doNoMemory                         // allocates more than it may (RLIMIT_AS)
	doAgain                            // answers the call a second time, later
	numFaults
)

// shared returns the memory that this worker shares with its host; nil with pipes.
func shared() []byte {
	maps, _ := os.ReadFile("/proc/self/maps")
	for line := range strings.Lines(string(maps)) {
		if !strings.Contains(line, "/memfd:spore-gpu") {
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
			for ctx.Err() == nil {
				n := 1 + r.IntN(3000)
				callCtx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
				err := try(callCtx, p.For(fmt.Sprint("tenant ", i)), counting(n, float32(r.IntN(50))), doSleep, byte(r.Uint32()))
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
	stop()
	others.Wait()
	s := p.Stats()
	t.Logf("%d faults by kind %v: good %d, failed %d; workers started %d (%d refused), died %d, killed %d, broke the protocol %d",
		faults, count, good.Load(), failed.Load(), s.Starts, s.StartsFailed, s.Died, s.Killed, s.Mad)
	t.Logf("until the next good call, all together: %v", took)
	require.Zero(t, s.Running+s.Waiting)
	require.Positive(t, good.Load())
	require.NoError(t, p.Close())
}

// TestNothingBeforeUse makes a pool and does not use it.
func TestNothingBeforeUse(t *testing.T) {
	before := measure()
	p, err := gpu.NewPool(gpu.Config{Standby: true})
	require.NoError(t, err)
	gpu.Functions(p, gpu.Options{})
	require.Equal(t, before, measure())
	require.NoError(t, p.Close())
	require.Equal(t, before, measure())
}
