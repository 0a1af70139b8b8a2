package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cudaworker/cuda"
	"github.com/sporeengine/spore/gpu/tensor"
)

//go:embed peers.py
var peersScript string

// A peer is a measurement of another library.
type peer struct {
	Name    string
	Seconds *float64 // the middle of its times
	P99     *float64
	Why     string
	What    string
}

// peers runs the script, once. What it did not measure is not in the result; why says for what reason nothing was.
func (c *config) peers() (found map[string]peer, why string) {
	if c.found == nil {
		c.found, c.why = measurePeers(c)
	}
	return c.found, c.why
}

func measurePeers(c *config) (found map[string]peer, why string) {
	size := "full"
	if c.quick {
		size = "quick"
	}
	out, err := exec.Command(c.python, "-c", peersScript, size).Output()
	found = map[string]peer{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var p peer
		if json.Unmarshal(lines.Bytes(), &p) == nil {
			found[p.Name] = p
		}
	}
	if err != nil {
		why = oneLine(err)
	}
	return found, why
}

// copies measures how fast data get to the device.
func copies(c *config, b *cuda.Backend, t *table) {
	memory, free, err := sharedMemory(c.size(64<<20, 1<<20))
	if err != nil {
		t.fail("c", "shared memory", err)
		return
	}
	defer free()
	r, err := b.CopyRates(memory)
	if err != nil {
		t.fail("c", "copies", err)
		return
	}
	t.pass("c", "pinned memory to the device, and back", gigabytes(r.Pinned)+" "+gigabytes(r.PinnedBack))
	t.peer(c, "P5", fmt.Sprintf("%d MiB of pinned memory to the device", len(memory)>>20), float64(len(memory))/r.Pinned, 0.9)
	t.ratio("d", "P5 any memory, through staging, against pinned", gigabytes(r.Staged), gigabytes(r.Pinned), r.Staged/r.Pinned, 0.4, c.quick)
	if r.RegisterError != nil {
		t.skip("c", "registering a memory file", oneLine(r.RegisterError))
		return
	}
	t.pass("c", fmt.Sprintf("registering a memory file of %d MiB", len(memory)>>20), r.Register.Round(time.Microsecond).String())
	t.ratio("d", "P5 registered memory against pinned", gigabytes(r.Registered), gigabytes(r.Pinned), r.Registered/r.Pinned, 0.9, c.quick)
}

// A task is a program with its data.
type task struct {
	p         *tensor.Program
	in        [][]byte
	constants [][]byte
}

// newTask builds a program. Inputs and constants are filled with numbers between 0 and 1.
func newTask(f func(b *tensor.Builder) []tensor.Value) (*task, error) {
	b := tensor.NewBuilder(tensor.Limits{Elements: 1 << 31, Peak: 1 << 36, Work: 1 << 62})
	p, err := b.Build(f(b)...)
	if err != nil {
		return nil, err
	}
	k := &task{p: p}
	for _, typ := range p.Inputs() {
		k.in = append(k.in, fractions(typ))
	}
	for _, typ := range p.Constants() {
		k.constants = append(k.constants, fractions(typ))
	}
	return k, nil
}

// fractions are numbers that are neither all equal nor such that sums overflow.
func fractions(typ tensor.Type) []byte {
	// The bits of a few numbers, over and over: 1/4, 1/2, 3/4, 1.
	pattern := map[tensor.DType][]byte{
		tensor.Float32:  {0, 0, 0x80, 0x3e, 0, 0, 0, 0x3f, 0, 0, 0x40, 0x3f, 0, 0, 0x80, 0x3f},
		tensor.Float16:  {0, 0x34, 0, 0x38, 0, 0x3a, 0, 0x3c},
		tensor.Uint8:    {1, 2, 3},
		tensor.BFloat16: {0x80, 0x3e, 0, 0x3f, 0x40, 0x3f, 0x80, 0x3f},
	}[typ.DType]
	n := int(typ.Bytes())
	return bytes.Repeat(pattern, n/len(pattern)+1)[:n]
}

// median runs a task on a backend so often, after three times that do not count, and returns the middle time and the 99th of a hundred, in seconds.
func (k *task) median(b gpu.Backend, n int) (p50, p99 float64, err error) {
	ctx := context.Background()
	ids := make([]gpu.ConstantID, len(k.constants))
	for i, typ := range k.p.Constants() {
		ids[i] = gpu.IDOf(typ, k.constants[i])
		if err := b.PutConstant(ctx, ids[i], typ, k.constants[i]); err != nil {
			return 0, 0, err
		}
		defer b.DropConstant(ids[i])
	}
	var out [][]byte
	for _, typ := range k.p.Outputs() {
		out = append(out, make([]byte, typ.Bytes()))
	}
	var times []float64
	for i := range n + 3 {
		start := time.Now()
		if err := b.Eval(ctx, k.p, k.in, ids, out); err != nil {
			return 0, 0, err
		}
		if i >= 3 {
			times = append(times, time.Since(start).Seconds())
		}
	}
	slices.Sort(times)
	return times[len(times)/2], times[len(times)*99/100], nil
}

// speeds measures the goals P1 to P9 that are not measured elsewhere.
func speeds(c *config, b *cuda.Backend, t *table) {
	against := func(name, what string, b gpu.Backend, n int, goal float64, f func(b *tensor.Builder) []tensor.Value) {
		k, err := newTask(f)
		var ours, p99 float64
		if err == nil {
			ours, p99, err = k.median(b, n)
		}
		if err != nil {
			t.fail("d", name+" "+what, err)
			return
		}
		t.peer(c, name, what, ours, goal)
		found, _ := c.peers()
		if p := found[name]; name == "P1" && p.P99 != nil {
			t.ratio("d", "P1 99th of a hundred", short(p99), short(*p.P99)+" "+p.What, *p.P99/p99, 0.25, c.quick)
		} else if name == "P1" {
			t.pass("d", "P1 99th of a hundred", short(p99))
		}
	}
	pool, err := c.newPool()
	if err != nil {
		t.fail("d", "a pool", err)
		return
	}
	defer pool.Close()

	against("P1", "64 KiB, 8 elementwise operations, through a worker", pool.For("a"), 300, 0.5, func(b *tensor.Builder) []tensor.Value {
		x := b.Input(tensor.Float32, 16384)
		for range 4 {
			x = b.Apply(tensor.Add, nil, b.Apply(tensor.Multiply, nil, x, b.Full(tensor.Float32, 1.5)), b.Full(tensor.Float32, 0.25))
		}
		return []tensor.Value{x}
	})
	sum := func(b *tensor.Builder, x tensor.Value) tensor.Value {
		axes := make([]int, len(b.Type(x).Shape))
		for i := range axes {
			axes[i] = i
		}
		return b.Apply(tensor.Sum, tensor.Attrs{"axes": axes}, x)
	}
	against("P2", "10 elementwise operations on 256 MiB, and the sum", b, 15, 4, func(b *tensor.Builder) []tensor.Value {
		x := b.Constant(tensor.Float32, c.size(1<<26, 1<<16))
		for range 5 {
			x = b.Apply(tensor.Add, nil, b.Apply(tensor.Multiply, nil, x, b.Full(tensor.Float32, 1.0001)), b.Full(tensor.Float32, 0.5))
		}
		return []tensor.Value{sum(b, x)}
	})
	n := c.size(8192, 64)
	against("P3", "product of bfloat16 matrices of 8192², and the sum", b, 15, 0.95, func(b *tensor.Builder) []tensor.Value {
		return []tensor.Value{sum(b, b.Apply(tensor.MatMul, nil, b.Constant(tensor.BFloat16, n, n), b.Constant(tensor.BFloat16, n, n)))}
	})
	windows(c, pool, t)
	t.skip("d", "P6 transport against gRPC", "gpu/bench measures it, and needs no device")
	batches(c, pool, t)
	against("P8", "topk of 10 over 1,000,000 × 768 float16", b, 15, 1/1.5, func(b *tensor.Builder) []tensor.Value {
		db := b.Constant(tensor.Float16, c.size(1_000_000, 2000), c.size(768, 64))
		v := b.Apply(tensor.TopK, tensor.Attrs{"axis": 0, "k": 10}, b.Apply(tensor.MatMul, nil, db, b.Input(tensor.Float16, c.size(768, 64))))
		return []tensor.Value{v, v + 1}
	})
	clones(c, b, pool, t)
	firsts(c, t)
}

// peer compares ours, in seconds, with a peer's measurement: the ratio is how many times as fast ours is.
func (t *table) peer(c *config, name, what string, ours, goal float64) {
	found, why := c.peers()
	p, ok := found[name]
	switch {
	case !ok || p.Seconds == nil:
		if p.Why != "" {
			why = p.Why
		}
		t.pass("d", name+" "+what, short(ours))
		t.skip("d", name+" its peer", "no measurement: "+why)
	default:
		t.ratio("d", name+" "+what, short(ours), short(*p.Seconds)+" "+p.What, *p.Seconds/ours, goal, c.quick)
	}
}

// clones has 1000 sandboxes use one constant: the device has it once.
func clones(c *config, b *cuda.Backend, pool *gpu.Pool, t *table) {
	const what = "P8 memory of a constant that 1000 sandboxes use"
	k, err := newTask(func(b *tensor.Builder) []tensor.Value {
		return []tensor.Value{b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{0}}, b.Constant(tensor.Float16, c.size(768_000_000, 1<<12)))}
	})
	var before, after int64
	var id gpu.ConstantID
	if err == nil {
		before, _, err = b.DeviceMemory()
	}
	if err == nil {
		id, err = pool.ShareConstant(k.p.Constants()[0], k.constants[0])
		defer pool.DropShared(id)
	}
	out := [][]byte{make([]byte, 2)}
	for i := 0; err == nil && i < 1000; i++ {
		err = pool.For(fmt.Sprint("sandbox ", i)).Eval(context.Background(), k.p, nil, []gpu.ConstantID{id}, out)
	}
	if err == nil {
		after, _, err = b.DeviceMemory()
	}
	if err != nil {
		t.fail("d", what, err)
		return
	}
	used, one := before-after, int64(len(k.constants[0]))
	t.ratio("d", what, fmt.Sprintf("%d MiB", used>>20), fmt.Sprintf("%d MiB", one>>20), float64(one)/float64(max(used, 1)), 1/1.01, c.quick)
}

// windows measures inputs that lie in a buffer of the pool, which the worker reads where they are, against others.
func windows(c *config, pool *gpu.Pool, t *table) {
	k, err := newTask(func(b *tensor.Builder) []tensor.Value {
		return []tensor.Value{b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{0}}, b.Input(tensor.Float32, c.size(1<<20, 1<<12)))}
	})
	var copied, window float64
	if err == nil {
		copied, _, err = k.median(pool.For("a"), 100)
	}
	var buffer *gpu.Buffer
	if err == nil {
		buffer, err = pool.NewBuffer("a", len(k.in[0]))
	}
	if err == nil {
		defer buffer.Free()
		copy(buffer.Bytes(), k.in[0])
		k.in[0] = buffer.Bytes()[:len(k.in[0])]
		window, _, err = k.median(pool.For("a"), 100)
	}
	if err != nil {
		t.fail("d", "P4 4 MiB in, the sum out", err)
		return
	}
	t.pass("d", "P4 4 MiB in, the sum out: copied, from a buffer", short(copied)+" "+short(window))
	t.skip("d", "P4 its peer, gRPC", "gpu/bench measures it on the processor")
}

// firsts measures the first use of a program: with a kernel that has to be compiled, and with one that a process before has left.
func firsts(c *config, t *table) {
	k, err := newTask(func(b *tensor.Builder) []tensor.Value {
		x, y := b.Input(tensor.Float32, 1000), b.Input(tensor.Float32, 1000)
		z := b.Apply(tensor.Sqrt, nil, b.Apply(tensor.Add, nil, b.Apply(tensor.Exp, nil, x), b.Apply(tensor.Multiply, nil, y, y)))
		return []tensor.Value{b.Apply(tensor.Subtract, nil, b.Apply(tensor.Multiply, nil, z, b.Full(tensor.Float32, 0.7310585)), x)}
	})
	if err != nil {
		t.fail("d", "P9 first use", err)
		return
	}
	o := c.cuda
	o.Cache += "-first"
	once := func() (float64, error) {
		b, err := cuda.New(o)
		if err != nil {
			return 0, err
		}
		defer b.Close()
		out := [][]byte{make([]byte, 4000)}
		start := time.Now()
		err = b.Eval(context.Background(), k.p, k.in, nil, out)
		return time.Since(start).Seconds(), err
	}
	first, err := once()
	var again float64
	if err == nil {
		again, err = once()
	}
	if err != nil {
		t.fail("d", "P9 first use", err)
		return
	}
	t.peer(c, "P9", "first use of a program", first, 1)
	t.ratio("d", "P9 first use by the next process, against 10 ms", short(again), "10ms", 0.01/again, 1, c.quick)
}
