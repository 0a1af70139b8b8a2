// Command bench compares the way to a GPU worker with gRPC, and measures what a pool does about faults and
// batches. All figures are of one run, in which what is compared takes turns, so that proportions mean something on
// a busy machine too.
//
//	cd gpu/bench && go run .
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

func main() {
	gpu.ServeWorker(open)
	if len(os.Args) > 1 && os.Args[1] == grpcName {
		serveGRPC()
		return
	}
	quick := flag.Bool("quick", false, "few rounds, to see that it works")
	flag.Parse()
	rounds := 40
	if *quick {
		rounds = 2
	}
	if err := run(rounds); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(rounds int) error {
	fmt.Printf("%s, %s/%s, %d processors, %s\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	for _, measure := range []func(int) error{transport, recovery, batches} {
		if err := measure(rounds); err != nil {
			return err
		}
		fmt.Println()
	}
	return nil
}

// newPool returns a pool whose worker is ready.
func newPool(c gpu.Config) (*gpu.Pool, error) {
	p, err := gpu.NewPool(c)
	if err != nil {
		return nil, err
	}
	_, err = p.Info(context.Background())
	return p, err
}

// times are how long something took, again and again.
type times []time.Duration

// add calls f n times.
func (t *times) add(n int, f func() error) error {
	for range n {
		begin := time.Now()
		if err := f(); err != nil {
			return err
		}
		*t = append(*t, time.Since(begin))
	}
	return nil
}

// quantile returns the time that a share of all is below.
func (t times) quantile(share float64) time.Duration {
	s := slices.Sorted(slices.Values(t))
	return s[int(float64(len(s)-1)*share)]
}

func (t times) String() string {
	return fmt.Sprintf("p50 %8.1f µs  p99 %8.1f µs", micros(t.quantile(.5)), micros(t.quantile(.99)))
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// A backend is that of the CPU, but that the smallest program only copies, so that the way there and back is what is
// measured, and that one program kills the process.
type backend struct{ gpu.Backend }

func open() (gpu.Backend, error) {
	b, err := cpu.New(cpu.Options{})
	return backend{b}, err
}

// Eval implements [gpu.Backend].
func (b backend) Eval(ctx context.Context, p *tensor.Program, in [][]byte, constants []gpu.ConstantID, out [][]byte) error {
	switch len(in[0]) {
	case small:
		copy(out[0], in[0])
		return nil
	case deadlyBytes:
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			return err
		}
		return self.Kill()
	}
	return b.Backend.Eval(ctx, p, in, constants, out)
}
