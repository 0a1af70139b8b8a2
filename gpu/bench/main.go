// Command bench compares the way to a GPU worker with gRPC, and measures the CPU backend and what a pool does about faults and
// batches. All figures are of one run, in which what is compared takes turns, so that proportions mean something on
// a busy machine too.
//
//	cd gpu/bench && go run .
//	cd gpu/bench && go run . -only transport
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
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
	only := flag.String("only", "", "what is measured, if not all: transport, chains, products, recovery or batches")
	quick := flag.Bool("quick", false, "few rounds, to see that it works")
	flag.Parse()
	rounds := 40
	if *quick {
		rounds = 2
	}
	if err := run(rounds, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(rounds int, only string) error {
	fmt.Printf("%s, %s/%s, %d processors, %s\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	done := false
	for _, m := range []struct {
		name string
		do   func(rounds int) error
	}{{"transport", transport}, {"chains", chains}, {"products", products}, {"recovery", recovery}, {"batches", batches}} {
		if only != "" && only != m.name {
			continue
		}
		if err := m.do(rounds); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		fmt.Println()
		done = true
	}
	if !done {
		return fmt.Errorf("nothing is called %q", only)
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
