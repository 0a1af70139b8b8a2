package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/cudaworker/cuda"
	"github.com/sporeengine/spore/gpu/internal/conformance"
	"github.com/sporeengine/spore/gpu/tensor"
)

// workers returns the processes that are workers of this one.
func workers() ([]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || stats == nil {
		return nil, errors.New("there is no /proc")
	}
	var found []int
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(b), ") ") // behind the name, which may hold anything
		fields := strings.Fields(rest)
		if len(fields) < 2 || fields[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		name, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if pid, e := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && e == nil && bytes.HasPrefix(name, []byte("spore-gpu-worker\x00")) {
			found = append(found, pid)
		}
	}
	return found, nil
}

// kills kills workers in the middle of their work. The next call must be right, and the memory of the device must come back.
func kills(c *config, b *cuda.Backend, t *table) {
	what := fmt.Sprintf("%d workers killed at work", c.kills)
	pool, err := c.newPool()
	if err != nil {
		t.fail("e", what, err)
		return
	}
	defer pool.Close()
	n := c.size(4096, 32)
	long, err := newTask(func(b *tensor.Builder) []tensor.Value {
		x := b.Input(tensor.Float32, n, n)
		for range 20 {
			x = b.Apply(tensor.MatMul, nil, x, b.Apply(tensor.Exp, nil, b.Apply(tensor.Negative, nil, x)))
		}
		return []tensor.Value{b.Apply(tensor.Max, tensor.Attrs{"axes": []int{0, 1}}, x)}
	})
	if err != nil {
		t.fail("e", what, err)
		return
	}
	short, err := newTask(func(b *tensor.Builder) []tensor.Value {
		return []tensor.Value{b.Apply(tensor.Exp, nil, b.Input(tensor.Float32, 100))}
	})
	if err != nil {
		t.fail("e", what, err)
		return
	}
	view := pool.For("a")
	result := [][]byte{make([]byte, 400)}
	eval := func() error { return view.Eval(context.Background(), short.p, short.in, nil, result) }
	if err := eval(); err != nil {
		t.fail("e", what, err)
		return
	}
	want := bytes.Clone(result[0])
	before, _, err := b.DeviceMemory()
	if err != nil {
		t.fail("e", what, err)
		return
	}
	var recovery []time.Duration
	for range c.kills {
		pids, err := workers()
		if err != nil || len(pids) == 0 {
			t.skip("e", what, "the worker was not found")
			return
		}
		done := make(chan error, 1)
		go func() {
			done <- view.Eval(context.Background(), long.p, long.in, nil, [][]byte{make([]byte, 4)})
		}()
		time.Sleep(time.Duration(rand.IntN(30)) * time.Millisecond)
		p, err := os.FindProcess(pids[0])
		if err == nil {
			err = p.Kill()
		}
		if err != nil {
			t.fail("e", what, err)
			return
		}
		start := time.Now()
		if err := <-done; err != nil && !errors.Is(err, gpu.ErrUnavailable) {
			t.fail("e", what, err)
			return
		}
		for {
			err := eval()
			if err == nil {
				break
			}
			if !errors.Is(err, gpu.ErrUnavailable) || time.Since(start) > time.Minute {
				t.fail("e", what, err)
				return
			}
		}
		if !bytes.Equal(want, result[0]) {
			t.fail("e", what, errors.New("a wrong result after a worker was killed"))
			return
		}
		recovery = append(recovery, time.Since(start))
	}
	slices.Sort(recovery)
	t.pass("e", what+": from death to a right answer, p50, max", fmt.Sprint(recovery[len(recovery)/2].Round(time.Millisecond), " ", recovery[len(recovery)-1].Round(time.Millisecond)))
	memoryIsBack(b, t, before, "e", "memory of the device after that")
}

// faultLength is the length of an input for which a worker with the flag -fault runs a kernel that writes where no memory is.
const faultLength = 13

// A faulty backend has that kernel. No other worker has it.
type faulty struct{ *cuda.Backend }

func (b faulty) Eval(ctx context.Context, p *tensor.Program, inputs [][]byte, constants []gpu.ConstantID, outputs [][]byte) error {
	if len(inputs) == 1 && len(inputs[0]) == faultLength {
		return b.Fault(ctx)
	}
	return b.Backend.Eval(ctx, p, inputs, constants, outputs)
}

// illegal has kernels of two tenants' workers write where no memory is. The call must fail, the next one be right, and the memory of the device come back.
func illegal(c *config, b *cuda.Backend, t *table) {
	const what = "a kernel that writes where no memory is"
	before, _, err := b.DeviceMemory()
	if err != nil {
		t.fail("e", what, err)
		return
	}
	pool, err := c.newPool("-fault")
	if err != nil {
		t.fail("e", what, err)
		return
	}
	defer pool.Close()
	eval := func(tenant string, n int) (byte, error) {
		k, err := newTask(func(b *tensor.Builder) []tensor.Value {
			x := b.Input(tensor.Uint8, n)
			return []tensor.Value{b.Apply(tensor.Add, nil, x, x)}
		})
		if err != nil {
			return 0, err
		}
		in, out := bytes.Repeat([]byte{21}, n), make([]byte, n)
		err = pool.For(tenant).Eval(context.Background(), k.p, [][]byte{in}, nil, [][]byte{out})
		return out[n-1], err
	}
	for _, step := range []struct {
		tenant string
		n      int
	}{{"a", 100}, {"a", faultLength}, {"b", 100}, {"b", faultLength}, {"a", 100}} {
		got, err := eval(step.tenant, step.n)
		for start := time.Now(); step.n != faultLength && errors.Is(err, gpu.ErrUnavailable) && time.Since(start) < time.Minute; {
			got, err = eval(step.tenant, step.n) // until there is a worker again
		}
		switch {
		case step.n == faultLength && !errors.Is(err, gpu.ErrUnavailable):
			t.fail("e", what, fmt.Errorf("the call ended with %v", err))
			return
		case step.n != faultLength && (err != nil || got != 42):
			t.fail("e", what, fmt.Errorf("then 21 + 21 is %d, %v", got, err))
			return
		}
	}
	if died := pool.Stats().Died; died != 2 {
		t.fail("e", what, fmt.Errorf("%d workers have ended, not 2", died))
		return
	}
	t.pass("e", what, "ends its worker")
	memoryIsBack(b, t, before, "e", "memory of the device after that")
}

// memoryIsBack waits until as much memory of the device is free as was, but for a little.
func memoryIsBack(b *cuda.Backend, t *table, before int64, letter, what string) {
	const little = 64 << 20
	for start := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		free, _, err := b.DeviceMemory()
		switch {
		case err != nil:
			t.fail(letter, what, err)
		case free >= before-little:
			t.pass(letter, what, "is as before")
		case time.Since(start) > 20*time.Second:
			t.fail(letter, what, fmt.Errorf("%d MiB are missing", (before-free)>>20))
		default:
			continue
		}
		return
	}
}

// soak has 64 tenants work at the same time. Every answer is compared, and the memory of the device stays.
func soak(c *config, b *cuda.Backend, t *table) {
	what := fmt.Sprintf("64 tenants for %s", c.soak)
	pool, err := c.newPool()
	if err != nil {
		t.fail("i", what, err)
		return
	}
	defer pool.Close()
	type prepared struct {
		p               *tensor.Program
		data, constants [][]byte
		want            [][]byte
	}
	var programs []prepared
	for i := 0; len(programs) < 40; i++ {
		m := conformance.NewMaker(rand.New(rand.NewPCG(31, uint64(i))))
		op := []tensor.Op{tensor.Add, tensor.Maximum, tensor.Multiply, tensor.Where, tensor.Sort, tensor.Concat, tensor.Any, tensor.ArgMax}[i%8]
		p, err := m.Case(op, tensor.Float32)
		if err != nil || len(m.Constants) > 0 {
			continue
		}
		want, err := oracle.Eval(p, m.Data, nil)
		if err != nil {
			continue
		}
		programs = append(programs, prepared{p, m.Data, m.Constants, want})
	}
	each := func(view gpu.Backend, k *prepared) (err error) {
		out := make([][]byte, len(k.want))
		for i := range out {
			out[i] = bytes.Repeat([]byte{0xff}, len(k.want[i]))
		}
		if err := view.Eval(context.Background(), k.p, k.data, nil, out); err != nil {
			return err
		}
		var same caseT
		defer func() {
			if r := recover(); r != nil && r != any(errStop) {
				panic(r)
			}
			err = same.err
		}()
		for i, typ := range k.p.Outputs() {
			conformance.SameNaN(&same, typ, k.want[i], out[i])
		}
		return nil
	}
	for i := range programs { // once, so that all is compiled and memory is taken
		if err := each(pool.For("a"), &programs[i]); err != nil {
			t.fail("i", what, err)
			return
		}
	}
	before, _, err := b.DeviceMemory()
	if err != nil {
		t.fail("i", what, err)
		return
	}
	var calls atomic.Int64
	var wg sync.WaitGroup
	wrong := make(chan error, 64)
	end := time.Now().Add(c.soak)
	for g := range 64 {
		wg.Go(func() {
			view := pool.For(fmt.Sprint("tenant ", g))
			for i := g; time.Now().Before(end); i++ {
				if err := each(view, &programs[i%len(programs)]); err != nil {
					wrong <- err
					return
				}
				calls.Add(1)
			}
		})
	}
	wg.Wait()
	select {
	case err := <-wrong:
		t.fail("i", what, err)
		return
	default:
	}
	t.pass("i", what+", each answer compared", fmt.Sprintf("%.0f calls/s", float64(calls.Load())/c.soak.Seconds()))
	memoryIsBack(b, t, before, "i", "memory of the device after that")
}
