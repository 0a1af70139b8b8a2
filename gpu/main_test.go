package gpu_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

// What the worker of these tests does, by the first byte of an input of 16 bytes. See also faults_linux_test.go.
const (
	doWork   = iota // computes
	doWait          // until the call is canceled
	doHang          // for ever
	doPanic         //
	doExit          // with status 0
	doSleep         // as many microseconds as the second byte says, then works
	doRefuse        // fails as an operation whose data are bad
	doMemory        // fails for want of memory
	firstFault
)

func TestMain(m *testing.M) {
	gpu.ServeWorker(openToy)
	os.Exit(m.Run())
}

// openToy opens the backend of these tests, which fails in as many ways as its arguments say.
func openToy() (gpu.Backend, error) {
	if len(os.Environ()) > 0 {
		return nil, fmt.Errorf("the environment has %d variables", len(os.Environ()))
	}
	t := &toy{constants: map[gpu.ConstantID]constant{}}
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "refuse":
			return nil, errors.New("there is no device")
		case "hang":
			select {}
		case "die":
			os.Exit(3)
		case "cpu":
			return cpu.New(cpu.Options{})
		case "wrong":
			t.wrong = true
		case "deaf":
			t.deaf = true
		case "boast":
			t.device = strings.Repeat("so fast ", 1000)
		case "forget":
			t.forget = len(os.Args[2])
		case "fault":
			return t, faultyStart()
		}
	}
	return t, nil
}

// A toy is a backend that can add, multiply and sum float32.
type toy struct {
	wrong  bool
	deaf   bool   // it never has a constant
	device string // its name
	mu     sync.Mutex
	forget int // so many times it does not keep what it says it has stored; guarded by mu

	constants map[gpu.ConstantID]constant // guarded by mu
}

type constant struct {
	t    tensor.Type
	data []byte
}

func (b *toy) Info() gpu.Info {
	return gpu.Info{Name: "toy", Device: "test" + b.device, MemoryBytes: 1 << 30, Ops: []tensor.Op{tensor.Add, tensor.Multiply, tensor.Sum}}
}

func (b *toy) PutConstant(_ context.Context, id gpu.ConstantID, t tensor.Type, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.deaf {
		select {}
	}
	if b.forget--; b.forget >= 0 {
		return nil
	}
	b.constants[id] = constant{t, bytes.Clone(data)}
	return nil
}

func (b *toy) DropConstant(id gpu.ConstantID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.constants, id)
}

func (b *toy) Close() error { return nil }

func (b *toy) Eval(ctx context.Context, p *tensor.Program, inputs [][]byte, constants []gpu.ConstantID, outputs [][]byte) error {
	for i, in := range inputs {
		if len(in) == 16 && p.Inputs()[i].DType == tensor.Uint8 {
			if err := misbehave(ctx, in); err != nil {
				return err
			}
		}
	}
	values := make([][]float32, p.NumValues())
	for i, v := range p.InputValues() {
		if p.Type(v).DType == tensor.Float32 {
			values[v] = floats(inputs[i])
		}
	}
	for i, v := range p.ConstantValues() {
		b.mu.Lock()
		c, ok := b.constants[constants[i]]
		b.mu.Unlock()
		if !ok {
			return gpu.ErrConstant
		}
		values[v] = floats(c.data)
	}
	for _, n := range p.Nodes() {
		switch n.Op {
		case tensor.Add, tensor.Multiply:
			x, y := values[n.In[0]], values[n.In[1]]
			z := make([]float32, len(x))
			for i := range z {
				if n.Op == tensor.Add {
					z[i] = x[i] + y[i]
				} else {
					z[i] = x[i] * y[i]
				}
			}
			values[n.Out] = z
		case tensor.Sum:
			sum := float32(0)
			for _, x := range values[n.In[0]] {
				sum += x
			}
			values[n.Out] = []float32{sum}
		}
	}
	for i, v := range p.OutputValues() {
		if b.wrong {
			values[v][0]++
		}
		copy(outputs[i], raw(values[v]))
	}
	return nil
}

func misbehave(ctx context.Context, how []byte) error {
	switch how[0] {
	case doWait:
		<-ctx.Done()
		return ctx.Err()
	case doHang:
		select {}
	case doPanic:
		panic("a bug in the backend")
	case doExit:
		os.Exit(0)
	case doSleep:
		time.Sleep(time.Duration(how[1]) * time.Microsecond)
	case doRefuse:
		return &tensor.NodeError{Node: 1, Op: tensor.Take, Err: errors.New("/secret/path 0xdeadbeef")}
	case doMemory:
		return fmt.Errorf("no more of /dev/secret: %w", gpu.ErrMemory)
	default:
		fault(how)
	}
	return nil
}

func floats(b []byte) []float32 {
	x := make([]float32, len(b)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return x
}

func raw(x []float32) (b []byte) {
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// square is x·x + x for n elements. With a second input of 16 bytes its worker can be told to misbehave.
var squares sync.Map

func square(n int) *tensor.Program {
	if p, ok := squares.Load(n); ok {
		return p.(*tensor.Program)
	}
	b := tensor.NewBuilder(tensor.Limits{})
	x := b.Input(tensor.Float32, n)
	b.Input(tensor.Uint8, 16)
	p, err := b.Build(b.Apply(tensor.Add, nil, b.Apply(tensor.Multiply, nil, x, x), x))
	if err != nil {
		panic(err)
	}
	squares.Store(n, p)
	return p
}

// scaled is c·x for a constant c.
func scaled(n int) *tensor.Program {
	b := tensor.NewBuilder(tensor.Limits{})
	x, c := b.Input(tensor.Float32, n), b.Constant(tensor.Float32, n)
	p, err := b.Build(b.Apply(tensor.Multiply, nil, c, x))
	if err != nil {
		panic(err)
	}
	return p
}

// try evaluates square of x and compares the result, unless there is an error.
func try(ctx context.Context, b gpu.Backend, x []float32, how ...byte) error {
	out := bytes.Repeat([]byte{0xee}, 4*len(x))
	told := append(append([]byte{}, how...), make([]byte, 16-len(how))...)
	if err := b.Eval(ctx, square(len(x)), [][]byte{raw(x), told}, nil, [][]byte{out}); err != nil {
		return err
	}
	return checkSquare(x, floats(out))
}

func checkSquare(x, out []float32) error {
	for i, got := range out {
		if want := x[i]*x[i] + x[i]; got != want {
			return fmt.Errorf("%w: element %d is %v, not %v", errWrong, i, got, want)
		}
	}
	return nil
}

var errWrong = errors.New("WRONG ANSWER")

func counting(n int, from float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = from + float32(i)
	}
	return x
}

func newPool(t testing.TB, c gpu.Config) *gpu.Pool {
	t.Helper()
	if c.Arena == 0 {
		c.Arena = 16 << 20
	}
	p, err := gpu.NewPool(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// cpuWorker is the command of a worker with the CPU backend.
func cpuWorker(t testing.TB) []string {
	self, err := os.Executable()
	require.NoError(t, err)
	return []string{self, "cpu"}
}

// bothTransports runs a test with shared memory, where there is some, and with pipes.
func bothTransports(t *testing.T, test func(t *testing.T, c gpu.Config)) {
	t.Run("memory", func(t *testing.T) { test(t, gpu.Config{}) })
	t.Run("pipes", func(t *testing.T) { test(t, gpu.Config{Pipes: true}) })
}
