// Command devicecheck tests and measures a machine with a device of NVIDIA, with PyTorch and CuPy beside it in the same run, and prints a table. What
// cannot be done on the machine it counts and prints as skipped; without a device that is everything.
//
//	CGO_ENABLED=0 go build -o devicecheck . && ./devicecheck
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cudaworker/cuda"
)

// config is what the flags say.
type config struct {
	cuda    cuda.Options
	only    string
	quick   bool
	rounds  int
	kills   int
	soak    time.Duration
	python  string
	command []string // that starts a worker
	fault   bool     // for a worker: have a kernel that ends it

	found map[string]peer // what the script of the peers has measured, once it has run
	why   string
}

// A check is a part of the whole, by the letter that the list of checks has for it.
type check struct {
	name, letter string
	run          func(c *config, b *cuda.Backend, t *table)
}

var checks = []check{
	{"open", "a", opening},
	{"ops", "b", operations},
	{"copies", "c", copies},
	{"zeroing", "g", zeroing},
	{"speed", "d", speeds},
	{"kills", "e", kills},
	{"illegal", "e", illegal},
	{"sanitizer", "f", sanitizer},
	{"spinning", "h", func(_ *config, _ *cuda.Backend, t *table) {
		t.skip("h", "spinning against sleeping", "the transport has no spinning to compare with")
	}},
	{"soak", "i", soak},
}

func main() {
	c, err := parse(os.Args[1:])
	if err != nil {
		os.Exit(2)
	}
	gpu.ServeWorker(func() (gpu.Backend, error) {
		b, err := cuda.New(c.cuda)
		if c.fault && err == nil {
			return faulty{b}, nil
		}
		return b, err
	})
	if !run(c, &table{w: os.Stdout}) {
		os.Exit(1)
	}
}

func parse(args []string) (*config, error) {
	c := &config{}
	var dirs string
	f := flag.NewFlagSet("devicecheck", flag.ContinueOnError)
	f.StringVar(&c.only, "only", "", "names of checks, separated by commas: open ops copies zeroing speed kills illegal sanitizer soak")
	f.BoolVar(&c.quick, "quick", false, "small sizes: to see whether the checks themselves work. Figures mean nothing")
	f.IntVar(&c.rounds, "rounds", 24, "random cases of each operation and type")
	f.IntVar(&c.kills, "kills", 50, "workers that are killed")
	f.DurationVar(&c.soak, "soak", 2*time.Minute, "how long 64 tenants work")
	f.StringVar(&c.python, "python", "python3", "the Python that has PyTorch and CuPy")
	f.IntVar(&c.cuda.Device, "device", 0, "number of the device")
	f.BoolVar(&c.fault, "fault", false, "for workers of the check called illegal")
	f.StringVar(&dirs, "lib-dirs", "", "directories of CUDA's libraries, separated by colons")
	f.StringVar(&c.cuda.Libraries.CUDA, "libcuda", "", "path of the driver's library")
	f.StringVar(&c.cuda.Libraries.NVRTC, "libnvrtc", "", "path of the compiler's library")
	f.StringVar(&c.cuda.Libraries.CUBLAS, "libcublas", "", "path of the library of linear algebra")
	f.StringVar(&c.cuda.Cache, "cache", "", "directory of compiled kernels; a new one if it is empty")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if dirs != "" {
		c.cuda.Libraries.Dirs = strings.Split(dirs, ":")
	}
	return c, nil
}

// run makes the checks and tells whether none has failed.
func run(c *config, t *table) bool {
	if c.cuda.Cache == "" {
		dir, err := os.MkdirTemp("", "devicecheck-")
		if err != nil {
			return t.fail("", "a directory", err)
		}
		defer os.RemoveAll(dir)
		c.cuda.Cache = filepath.Join(dir, "kernels")
	}
	self, err := os.Executable()
	if err != nil {
		return t.fail("", "own path", err)
	}
	c.command = []string{self, "-device", fmt.Sprint(c.cuda.Device), "-lib-dirs", strings.Join(c.cuda.Libraries.Dirs, ":"), "-cache", c.cuda.Cache,
		"-libcuda", c.cuda.Libraries.CUDA, "-libnvrtc", c.cuda.Libraries.NVRTC, "-libcublas", c.cuda.Libraries.CUBLAS}
	start := time.Now()
	b, err := cuda.New(c.cuda)
	t.opened = time.Since(start)
	if err == nil {
		defer func() {
			if err := b.Close(); err != nil {
				t.fail("", "giving all back", err)
			}
		}()
		fmt.Fprintf(t.w, "device: %s\n", b.Describe())
		if c.quick {
			fmt.Fprintln(t.w, "QUICK: sizes are small, figures mean nothing")
		}
	}
	t.head()
	for _, k := range checks {
		switch {
		case c.only != "" && !slices.Contains(strings.Split(c.only, ","), k.name):
		case err != nil:
			t.skip(k.letter, k.name, "no device: "+oneLine(err))
		default:
			k.run(c, b, t)
		}
	}
	return t.end()
}

// newPool starts a pool of one worker, which is this program with some more flags.
func (c *config) newPool(flags ...string) (*gpu.Pool, error) {
	return gpu.NewPool(gpu.Config{Command: slices.Concat(c.command, flags), Env: []string{"PATH=" + os.Getenv("PATH")}, Timeout: 2 * time.Minute, StartTimeout: time.Minute})
}

// size is n, or small if the check is quick.
func (c *config) size(n, small int) int {
	if c.quick {
		return small
	}
	return n
}

func oneLine(err error) string {
	s := strings.ReplaceAll(err.Error(), "\n", "; ")
	if len(s) > 160 {
		s = s[:160] + "…"
	}
	return s
}

var errStop = errors.New("stopped")
