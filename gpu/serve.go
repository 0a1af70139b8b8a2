package gpu

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sporeengine/spore/gpu/internal/shm"
	"github.com/sporeengine/spore/gpu/internal/wire"
	"github.com/sporeengine/spore/gpu/tensor"
)

// workerName is the name by which a program knows that it is a worker process: os.Args[0].
const workerName = "spore-gpu-worker"

// Numbers of files in a worker, if there is shared memory.
const (
	sharedFile  = 3
	buffersFile = 4 // the null device if there are no buffers
)

// readyInfo is what a worker says of itself.
type readyInfo struct {
	*Info
	Buffers int64 `json:",omitempty"` // bytes of file 4, if the worker has mapped it
}

// served reports whether ServeWorker was called: this program can be its own worker.
var served atomic.Bool

// ServeWorker makes the program a worker process if a [Pool] has started it as one, and then does not return. In any
// other process it returns at once. open makes the backend that the worker serves.
//
// A program whose pools have no Config.Command calls it first thing in main:
//
//	func main() {
//		gpu.ServeWorker(func() (gpu.Backend, error) { return cpu.New(cpu.Options{}) })
//		...
//
// A test does so in TestMain. Variables and init functions of the program's packages are
// initialized before, in every worker too: they should neither start anything nor hold secrets.
func ServeWorker(open func() (Backend, error)) {
	served.Store(true)
	if len(os.Args) > 0 && os.Args[0] == workerName {
		os.Exit(serveWorker(os.Stdin, os.Stdout, open))
	}
}

// A server is a worker process, whose host is at the other end of in and out.
type server struct {
	in       *wire.Reader
	out      *wire.Writer
	backend  Backend
	programs programs
	worker   shm.Worker
	piped    *shm.PipeWorker // the same, if there is no shared memory
	partial  *partial        // the constant that is arriving
	buffers  []byte          // of the host, which may change at any time
}

// A partial is a constant of which some parts are there.
type partial struct {
	id   ConstantID
	t    tensor.Type
	data []byte
	n    uint64 // bytes that are there
}

// serveWorker is the main function of a worker. It returns the exit status.
func serveWorker(in, out *os.File, open func() (Backend, error)) int {
	// The host decides when to stop: the end of in ends this process.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	os.Clearenv()
	harden()
	os.Stdout = os.Stderr // nobody else writes to the host
	if _, err := out.WriteString(wire.Greeting); err != nil {
		return 1
	}
	s := &server{in: wire.NewReader(in), out: wire.NewWriter(out)}
	ready := &wire.Ready{Version: wire.Version}
	err := s.prepare(open, ready)
	if err != nil {
		text := []byte(err.Error())
		ready.Error = text[:min(len(text), wire.MaxError)]
	}
	if s.out.Send(ready) != nil || err != nil {
		return 1
	}
	for {
		m, err := s.in.Receive(wire.MaxFrame)
		if err != nil {
			return 0 // the host is gone, or has closed the channel
		}
		if _, ok := m.(*wire.Goodbye); ok {
			if s.worker.Close() != nil || s.backend.Close() != nil {
				return 1
			}
			return 0
		}
		if err := s.do(m); err != nil {
			s.fatal(err)
		}
	}
}

// fatal ends the process: what it shares with the host cannot be relied on any more.
func (s *server) fatal(err error) {
	fmt.Fprintln(os.Stderr, "spore: gpu worker:", err)
	os.Exit(1)
}

// prepare opens the backend and the transport.
func (s *server) prepare(open func() (Backend, error), ready *wire.Ready) error {
	m, err := s.in.Receive(wire.MaxHead)
	if err != nil {
		return err
	}
	hello, ok := m.(*wire.Hello)
	if !ok {
		return fmt.Errorf("%w: %T comes first", wire.ErrProtocol, m)
	}
	if hello.Version != wire.Version {
		return fmt.Errorf("the host speaks version %d of the protocol, this worker %d", hello.Version, wire.Version)
	}
	if s.backend, err = open(); err != nil {
		return err
	}
	if hello.Shared > 0 {
		s.buffers, _ = shm.MapBuffers(buffersFile) // or else there are none
	}
	info := s.backend.Info()
	if ready.Info, err = json.Marshal(readyInfo{&info, int64(len(s.buffers))}); err != nil {
		return err
	}
	if hello.Shared == 0 {
		s.piped = shm.NewPipeWorker(s.out, s.handle, s.fatal)
		s.worker = s.piped
		return nil
	}
	f := os.NewFile(sharedFile, "shared")
	defer f.Close()
	s.worker, err = shm.NewWorker(f, int64(hello.Shared), int(hello.Slots), s.handle, s.fatal)
	return err
}

// do serves a frame.
func (s *server) do(m wire.Message) error {
	switch m := m.(type) {
	case *wire.Call:
		if s.piped != nil {
			s.piped.Call(m)
			return nil
		}
	case *wire.Cancel:
		s.worker.Cancel(m.ID)
		return nil
	case *wire.Constant:
		return s.constant(m)
	case *wire.Drop:
		s.backend.DropConstant(m.ID)
		return nil
	}
	return fmt.Errorf("%w: the host sent %T", wire.ErrProtocol, m)
}

// constant takes a part of a constant.
func (s *server) constant(m *wire.Constant) error {
	if m.Offset == 0 {
		t, err := parseType(m.Head)
		if err != nil || t.Bytes() < 0 || uint64(t.Bytes()) != m.Size {
			return errors.Join(wire.ErrProtocol, err)
		}
		s.partial = &partial{id: m.ID, t: t, data: make([]byte, m.Size)}
	}
	p := s.partial
	if p == nil || p.id != m.ID || m.Offset != p.n || m.Size != uint64(len(p.data)) {
		return fmt.Errorf("%w: a part of a constant that does not fit", wire.ErrProtocol)
	}
	p.n += uint64(copy(p.data[p.n:], m.Data))
	if p.n < m.Size {
		return nil
	}
	s.partial = nil
	go func() { // so that calls can be canceled meanwhile
		err := guard(func() error { return s.backend.PutConstant(context.Background(), p.id, p.t, p.data) })
		if err := s.out.Send(&wire.Stored{ID: p.id, Code: encodeAnswer(err).Code}); err != nil {
			s.fatal(err)
		}
	}()
	return nil
}

// handle works on a request.
func (s *server) handle(ctx context.Context, j *shm.Job) shm.Answer {
	if j.Op != opEval && j.Op != opEvalPlaced {
		return shm.Answer{Code: codeUnsupported}
	}
	e, err := s.programs.decodeEval(j.In, j.Out, j.Op == opEvalPlaced, s.buffers)
	if err != nil {
		s.fatal(err) // the host has checked it, so the memory was written over
	}
	begin := time.Now()
	a := encodeAnswer(guard(func() error {
		return s.backend.Eval(WithTenant(ctx, e.tenant), e.program, e.inputs, e.constants, e.outputs)
	}))
	if a.Code == codeOK {
		a.Detail = uint32(min(time.Since(begin).Microseconds(), math.MaxUint32))
	}
	return a
}

// guard calls f. A panic ends the process: the state of the backend is unknown then.
func guard(f func() error) error {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "panic: %v\n%s", p, debug.Stack())
			os.Exit(2)
		}
	}()
	return f()
}

// appendType and parseType are the description of a constant on the wire.
func appendType(b []byte, t tensor.Type) []byte { return t.AppendBinary(b) }

func parseType(b []byte) (tensor.Type, error) {
	bad := fmt.Errorf("%w: type of a constant", wire.ErrProtocol)
	if len(b) < 2 {
		return tensor.Type{}, bad
	}
	t := tensor.Type{DType: tensor.DType(b[0]), Shape: tensor.Shape{}}
	rest := b[1:]
	number := func() int {
		v, n := binary.Uvarint(rest)
		if n <= 0 || v > math.MaxInt32 {
			return -1
		}
		rest = rest[n:]
		return int(v)
	}
	rank := number()
	if !t.DType.Valid() || rank < 0 || rank > len(rest) {
		return tensor.Type{}, bad
	}
	for range rank {
		n := number()
		if n < 0 {
			return tensor.Type{}, bad
		}
		t.Shape = append(t.Shape, n)
	}
	if !slices.Equal(appendType(nil, t), b) {
		return tensor.Type{}, bad
	}
	return t, nil
}
