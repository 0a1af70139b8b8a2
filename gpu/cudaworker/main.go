// Command cudaworker is a worker of a pool of GPU workers that evaluates on a device of NVIDIA. A host gives its path in
// gpu.Config.Command, with flags:
//
//	gpu.Config{Command: []string{"/usr/lib/spore/cudaworker", "-cache", "/var/cache/spore-cuda"}}
//
// Run by hand with -check it opens the device, computes a known sum, and says what it found.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cudaworker/cuda"
	"github.com/sporeengine/spore/gpu/tensor"
)

func main() {
	o, check, err := parse(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(2)
	}
	gpu.ServeWorker(func() (gpu.Backend, error) { return cuda.New(o) })
	if !check {
		fmt.Fprintln(os.Stderr, "cudaworker is started by a pool, see gpu.Config.Command. With -check it looks for a device.")
		os.Exit(2)
	}
	if err := checkDevice(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cudaworker:", err)
		os.Exit(1)
	}
}

// parse reads the flags.
func parse(args []string, out io.Writer) (o cuda.Options, check bool, err error) {
	f := flag.NewFlagSet("cudaworker", flag.ContinueOnError)
	f.SetOutput(out)
	var dirs string
	f.IntVar(&o.Device, "device", 0, "number of the device")
	f.Int64Var(&o.Memory, "memory", 0, "bytes of device memory for evaluations and constants (80 % of the device's)")
	f.IntVar(&o.Streams, "streams", 0, "evaluations at the same time (4)")
	f.DurationVar(&o.Grace, "grace", 0, "how long the device may go on with work that was canceled, until the worker ends (5s)")
	f.StringVar(&o.Cache, "cache", "", "directory of compiled kernels, which nobody else can write to; none are kept without")
	f.Int64Var(&o.CacheBytes, "cache-bytes", 0, "bound of that directory (256 MiB)")
	f.StringVar(&dirs, "lib-dirs", "", "directories of CUDA's libraries, separated by colons, before the usual ones")
	f.StringVar(&o.Libraries.CUDA, "libcuda", "", "path of the driver's library")
	f.StringVar(&o.Libraries.NVRTC, "libnvrtc", "", "path of the compiler's library")
	f.StringVar(&o.Libraries.CUBLAS, "libcublas", "", "path of the library of linear algebra")
	f.BoolVar(&check, "check", false, "look for a device, compute on it, and say what was found")
	if err := f.Parse(args); err != nil {
		return o, false, err
	}
	if f.NArg() > 0 {
		fmt.Fprintf(out, "cudaworker: unexpected %q\n", f.Arg(0))
		return o, false, flag.ErrHelp
	}
	if dirs != "" {
		o.Libraries.Dirs = strings.Split(dirs, ":")
	}
	return o, check, nil
}

// checkDevice opens the device and sums up some numbers twice: with a kernel that has to be compiled, and with the same again.
func checkDevice(o cuda.Options, w io.Writer) error {
	start := time.Now()
	b, err := cuda.New(o)
	if err != nil {
		return err
	}
	defer b.Close()
	fmt.Fprintf(w, "device       %s\nopened in    %s\noperations   %d of %d\n", b.Describe(), time.Since(start).Round(time.Microsecond),
		len(b.Info().Ops), len(tensor.Ops()))
	builder := tensor.NewBuilder(tensor.Limits{})
	x := builder.Input(tensor.Float32, 1000)
	p, err := builder.Build(builder.Apply(tensor.Sum, tensor.Attrs{"axes": []int{0}}, builder.Apply(tensor.Multiply, nil, x, x)))
	if err != nil {
		return err
	}
	var in, want []byte
	sum := float32(0)
	for i := range 1000 {
		v := float32(i % 7)
		in = binary.LittleEndian.AppendUint32(in, math.Float32bits(v))
		sum += v * v
	}
	want = binary.LittleEndian.AppendUint32(want, math.Float32bits(sum))
	for _, what := range []string{"first call", "second call"} {
		start = time.Now()
		out := []byte{0xff, 0xff, 0xff, 0xff}
		if err := b.Eval(context.Background(), p, [][]byte{in}, nil, [][]byte{out}); err != nil {
			return err
		}
		if !bytes.Equal(out, want) {
			return fmt.Errorf("the device computed %x, not %x", out, want)
		}
		fmt.Fprintf(w, "%-12s %s\n", what, time.Since(start).Round(time.Microsecond))
	}
	return b.Close()
}
