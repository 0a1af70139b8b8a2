package gpu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"time"

	"github.com/sporeengine/spore/gpu/internal/fair"
	"github.com/sporeengine/spore/gpu/internal/shm"
	"github.com/sporeengine/spore/gpu/tensor"
)

// Config is what a [Pool] is made of. The zero value is one worker of this program with bounds that suit a
// small server.
type Config struct {
	// Command starts a worker: a program that calls [ServeWorker], and its arguments. It is not looked for in PATH.
	// Empty means this program, whose main has called ServeWorker.
	Command []string

	// Name is what a worker that is no Go program finds as its own name (argv[0]); empty means the one by which ServeWorker knows
	// that it runs in a worker.
	Name string

	// Env is the environment of workers while they load their libraries, as "NAME=value". It is empty unless said otherwise, and ServeWorker empties
	// it before a backend is opened.
	Env []string

	// Workers is how many workers serve; 1 if it is not positive. Standby says that one more is kept ready,
	// which takes the place of one that dies.
	Workers int
	Standby bool

	// InFlight is how many calls a worker has at the same time, at most 256; twice the number of processors if it is not positive. Further
	// calls wait for their tenant's turn.
	InFlight int

	// Arena is the memory that is shared with each worker for calls of more than 4 KiB, in bytes; 256 MiB if it is not
	// positive. It is taken from the system as it is used. A call cannot be larger, with its results.
	Arena int64

	// BufferBytes bounds the buffers of all tenants together, see [Pool.NewBuffer]; 256 MiB if it is not positive. It is taken from the system as
	// it is used.
	BufferBytes int64

	// Pipes makes calls travel through pipes where memory could be shared.
	Pipes bool

	// Timeout bounds a call, from when it is made; 10 s if it is not positive. Grace is how long after its end a
	// worker may go on with it until the worker is killed; 100 ms if it is not positive. StartTimeout bounds the start of a worker, and how long
	// it takes a constant; 30 s.
	Timeout, Grace, StartTimeout time.Duration

	// Limits bound each program.
	Limits tensor.Limits

	// Quota bounds each tenant.
	Quota Quota

	// ConstantBytes bounds the constants of all tenants together; 1 GiB if it is not positive. When they are so many, a tenant gets room for more
	// from those that have no less than it then has.
	ConstantBytes int64

	// FetchConstant, if not nil, returns a constant that a tenant names and the pool has not: after an instance was resumed in
	// another process. It has to check whether the tenant may have it. Contents that do not fit the id are not used.
	FetchConstant func(ctx context.Context, tenant string, id ConstantID) (tensor.Type, []byte, error)

	// Fallback, if not nil, serves while no worker can be started. Without it calls fail with [ErrUnavailable]
	// then. It belongs to the caller.
	Fallback Backend

	// Observe, if not nil, is told of each evaluation when it has ended, on its goroutine and with its context: in a guest's call that is derived from
	// the one of the component's call. It must be safe for concurrent use.
	Observe func(context.Context, Observation)

	// Log gets what happens to workers. Nil: nothing is logged.
	Log *slog.Logger
}

// A Quota bounds what a tenant has at the same time. Fields that are not positive mean their defaults.
type Quota struct {
	Calls     int   // that run; 8
	Queue     int   // calls that wait; 64
	Bytes     int64 // of inputs and outputs of all these, and again of requests to functions and streams; 256 MiB
	Constants int64 // bytes, each at least 512; 256 MiB
	Buffers   int64 // bytes; 64 MiB
	Streams   int   // in progress, or ended with parts that were not taken; 8
}

// Delays of starts, see [Pool].
const (
	firstDelay    = 10 * time.Millisecond // after a start that failed; twice that after the next
	maxDelay      = time.Second
	maxFailures   = 3 // starts that fail in a row until a pool is in quarantine
	quarantine    = 5 * time.Second
	maxQuarantine = 5 * time.Minute // it doubles each time
)

// maxBufferBytes bounds Config.BufferBytes.
const maxBufferBytes = min(1<<40, math.MaxInt)

// withDefaults returns c with its defaults put in.
func (c Config) withDefaults() (Config, error) {
	positive(&c.Workers, 1)
	positive(&c.InFlight, 2*runtime.GOMAXPROCS(0))
	c.InFlight = min(c.InFlight, shm.MaxSlots)
	positive(&c.Arena, 256<<20)
	positive(&c.Timeout, 10*time.Second)
	positive(&c.BufferBytes, 256<<20)
	positive(&c.Grace, 100*time.Millisecond)
	positive(&c.StartTimeout, 30*time.Second)
	positive(&c.Quota.Calls, 8)
	positive(&c.Quota.Queue, 64)
	positive(&c.Quota.Bytes, 256<<20)
	positive(&c.Quota.Constants, 256<<20)
	positive(&c.Quota.Buffers, 64<<20)
	positive(&c.Quota.Streams, 8)
	positive(&c.ConstantBytes, 1<<30)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if len(c.Command) == 0 && !served.Load() {
		return c, errors.New("gpu: main does not begin with gpu.ServeWorker, and there is no Config.Command")
	}
	if c.Arena > shm.MaxCall {
		return c, fmt.Errorf("gpu: an arena of %d bytes: at most %d", c.Arena, shm.MaxCall)
	}
	if c.BufferBytes > maxBufferBytes {
		return c, fmt.Errorf("gpu: buffers of %d bytes: at most %d", c.BufferBytes, int64(maxBufferBytes))
	}
	return c, nil
}

func positive[N int | int64 | time.Duration](n *N, otherwise N) {
	if *n <= 0 {
		*n = otherwise
	}
}

func (c *Config) quota() fair.Quota {
	return fair.Quota{Slots: c.Quota.Calls, Queue: c.Quota.Queue, Bytes: c.Quota.Bytes}
}

// command returns the program of a worker and its arguments, with its name as the first.
func (c *Config) command() (path string, args []string, err error) {
	if len(c.Command) > 0 {
		name := c.Name
		if name == "" {
			name = workerName
		}
		return c.Command[0], append([]string{name}, c.Command[1:]...), nil
	}
	path, err = selfPath()
	return path, []string{workerName}, err
}

// env is never nil, which would mean that of this process.
func (c *Config) env() []string { return append([]string{}, c.Env...) }
