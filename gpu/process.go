package gpu

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sporeengine/spore/gpu/internal/shm"
	"github.com/sporeengine/spore/gpu/internal/wire"
)

// Bounds of what a worker may send, in bytes.
const (
	maxGreeting = 64 << 10 // of noise before it
	maxReady    = wire.MaxInfo + wire.MaxError + 64
	maxFrame    = 64 // beside a result
	stderrTail  = 2 << 10
	maxInfoName = 1 << 10 // of the names of the backend and the device, which guests are told
	maxInfoOps  = 1 << 10 // operations
)

// A process is a worker, seen from its host. It is safe for concurrent use.
type process struct {
	cmd    *exec.Cmd
	in     *os.File // what the worker reads
	out    *os.File // what it writes
	frames *wire.Reader
	w      *wire.Writer
	host   shm.Host
	piped  *shm.PipeHost // the same, if there is no shared memory
	stderr *tail
	info   Info

	buffers bool // whether it sees the buffers of the pool

	maxFrame int // bytes of a frame of the worker's

	exited chan struct{} // closed when it is reaped and nothing of it is left
	why    atomic.Pointer[error]
	kills  killCounter
	closes atomic.Bool // the pool ends it, for no fault of its own

	admitted atomic.Bool // it has passed the trial

	calls    atomic.Int64 // in progress
	answered atomic.Bool  // it has answered a call of a tenant's
	resident residence
}

// A killCounter is told when a worker is killed or found dead. It is the pool.
type killCounter interface{ killed(w *process, why error) }

// launch starts a worker, which gets the buffers. It is not ready yet.
func launch(c *Config, kills killCounter, buffers *shm.Buffers) (*process, error) {
	path, args, err := c.command()
	if err != nil {
		return nil, err
	}
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, childIn.Close(), in.Close())
	}
	defer childIn.Close()
	defer childOut.Close()
	p := &process{in: in, out: out, frames: wire.NewReader(out), w: wire.NewWriter(in), stderr: &tail{},
		exited: make(chan struct{}), kills: kills, maxFrame: maxFrame}
	p.resident.init(func(id ConstantID) {
		go p.w.Send(&wire.Drop{ID: id}) // a worker that does not read is killed when a call of its is late
	})
	p.resident.limit, p.resident.late = c.StartTimeout, func() { p.kill(errStore) }
	control := shm.Control{Grace: c.Grace, Kill: p.kill, Cancel: func(id uint64) {
		go p.w.Send(&wire.Cancel{ID: id}) // who does not read it is killed after its grace, which ends the goroutine
	}}
	p.cmd = &exec.Cmd{Path: path, Args: args, Env: c.env(), Dir: workerDir, Stdin: childIn, Stdout: childOut,
		Stderr: p.stderr, SysProcAttr: workerAttr(), WaitDelay: time.Second}
	if !c.Pipes {
		host, f, err := shm.NewHost(c.InFlight, c.Arena, control)
		switch {
		case err == nil:
			defer f.Close()
			p.host = host
			second := buffers.File()
			if second == nil {
				if second, err = os.Open(os.DevNull); err != nil {
					return nil, errors.Join(err, in.Close(), out.Close(), host.Close())
				}
				defer second.Close()
			}
			p.cmd.ExtraFiles = []*os.File{f, second}
		case !errors.Is(err, errors.ErrUnsupported):
			return nil, errors.Join(err, in.Close(), out.Close())
		}
	}
	if p.host == nil {
		p.piped = shm.NewPipeHost(p.w, c.InFlight, c.Arena, control)
		p.maxFrame = int(c.Arena) + maxFrame
		p.host = p.piped
	}
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, in.Close(), out.Close(), p.host.Close())
	}
	return p, nil
}

// handshake makes a new worker ready. Its error says why it cannot serve.
func (p *process) handshake(c *Config, buffers *shm.Buffers) error {
	hello := &wire.Hello{Version: wire.Version, Slots: uint32(c.InFlight)}
	if p.piped == nil {
		hello.Shared = uint64(shm.SharedBytes(c.Arena))
	}
	if err := p.w.Send(hello); err != nil {
		return err
	}
	if err := p.frames.SkipGreeting(maxGreeting); err != nil {
		return fmt.Errorf("does not begin with gpu.ServeWorker: %w", err)
	}
	m, err := p.frames.Receive(maxReady)
	if err != nil {
		return err
	}
	ready, ok := m.(*wire.Ready)
	switch {
	case !ok:
		return fmt.Errorf("%w: %T comes first", wire.ErrProtocol, m)
	case ready.Version != wire.Version:
		return fmt.Errorf("speaks version %d of the protocol, not %d", ready.Version, wire.Version)
	case len(ready.Error) > 0:
		return errors.New(strings.ToValidUTF8(string(ready.Error), "\uFFFD"))
	}
	info := readyInfo{Info: &p.info}
	if err := json.Unmarshal(ready.Info, &info); err != nil {
		return err
	}
	if len(p.info.Name) > maxInfoName || len(p.info.Device) > maxInfoName || len(p.info.Ops) > maxInfoOps {
		return fmt.Errorf("%w: its description is too long", wire.ErrProtocol)
	}
	p.buffers = info.Buffers > 0 && info.Buffers == buffers.Size()
	return checkModels(p.info.Models)
}

// read takes what the worker sends until it ends, and then clears up.
func (p *process) read() {
	for {
		m, err := p.frames.Receive(p.maxFrame)
		if err == nil {
			switch m := m.(type) {
			case *wire.Stored:
				err = p.resident.stored(m)
			case *wire.Reply:
				if p.piped == nil {
					err = fmt.Errorf("%w: a reply to nothing", wire.ErrProtocol)
				} else {
					err = p.piped.Reply(m)
				}
			case *wire.Part:
				if p.piped == nil {
					err = fmt.Errorf("%w: a part of nothing", wire.ErrProtocol)
				} else {
					err = p.piped.Part(m)
				}
			default:
				err = fmt.Errorf("%w: %T", wire.ErrProtocol, m)
			}
		}
		if err != nil {
			p.reap(err)
			return
		}
	}
}

// reap ends the worker and frees all that it had. why is what its end was noticed by.
func (p *process) reap(why error) {
	_ = p.cmd.Process.Kill()
	killGroup(p.cmd.Process.Pid) // what it has started; the number is its own until it is waited for
	_ = p.cmd.Wait()             // its status is in ProcessState
	if !errors.Is(why, wire.ErrProtocol) {
		why = fmt.Errorf("%w: %v", errEnded, p.cmd.ProcessState)
		if line := p.stderr.last(); line != "" {
			why = fmt.Errorf("%w: %s", why, line)
		}
	}
	p.kill(why)
	p.in.Close()
	p.out.Close()
	_ = p.host.Close() // unmapping what was mapped does not fail
	close(p.exited)
}

// kill ends the worker and fails its calls. The first reason counts. It may be called at any time, by anybody.
func (p *process) kill(why error) {
	if !p.why.CompareAndSwap(nil, &why) {
		return
	}
	if !p.closes.Load() {
		p.kills.killed(p, why)
	}
	_ = p.cmd.Process.Kill() // or it is gone already
	// The worker may have started a process that keeps its end of the channel open.
	_ = p.out.SetReadDeadline(time.Unix(1, 0)) // there are systems that cannot
	p.host.Fail(why)
	p.resident.fail(p.lost())
}

// lost returns the error of a call whose worker was killed.
func (p *process) lost() error {
	if why := p.why.Load(); why != nil {
		return &WorkerError{Reason: (*why).Error()}
	}
	return &WorkerError{Reason: "is gone"}
}

// do sends a call and waits for its answer.
func (p *process) do(ctx context.Context, c *shm.Call) (shm.Answer, error) {
	p.calls.Add(1)
	defer p.calls.Add(-1)
	a, err := p.host.Do(ctx, c)
	switch {
	case err == nil && a.Code > codeInternal:
		p.kill(fmt.Errorf("%w: an answer of code %d", wire.ErrProtocol, a.Code))
		return a, p.lost()
	case err == nil:
		return a, nil
	case errors.Is(err, shm.ErrLost):
		return a, p.lost()
	case errors.Is(err, shm.ErrTooLarge):
		return a, ErrMemory
	}
	return a, err
}

// store makes sure that the worker has a constant.
func (p *process) store(ctx context.Context, c *constant) error {
	return p.resident.ensure(ctx, c, func() error {
		head := appendType(nil, c.t)
		for at := 0; ; {
			n := min(len(c.data)-at, wire.Chunk)
			err := p.w.Send(&wire.Constant{ID: c.id, Size: uint64(len(c.data)), Offset: uint64(at), Head: head, Data: c.data[at : at+n]})
			if err != nil {
				p.kill(err)
				return p.lost()
			}
			if at += n; at == len(c.data) {
				return nil
			}
		}
	})
}

// close ends a worker that has nothing to do and waits until it is gone.
func (p *process) close(grace time.Duration) {
	p.closes.Store(true)
	late := time.AfterFunc(grace, func() { p.kill(errClosing) })
	defer late.Stop()
	go func() {
		if p.w.Send(&wire.Goodbye{}) != nil {
			p.kill(errClosing)
		}
	}()
	<-p.exited
}

// Why workers end, beside errors of the protocol and of package shm.
var (
	errEnded   = errors.New("ended")
	errClosing = errors.New("was closed")
	errStore   = errors.New("did not take a constant in time")
)

// selfPath is the program of this process, on Linux also if its file was replaced since.
func selfPath() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// A tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

var _ io.Writer = (*tail)(nil)

// Write implements [io.Writer].
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b[max(0, len(b)-stderrTail):]...)
	t.b = append(t.b[:0], t.b[max(0, len(t.b)-stderrTail):]...)
	return len(b), nil
}

// last returns the first line of a panic or else the last line, printable.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(t.b), []byte("\n"))
	line := lines[len(lines)-1]
	for _, l := range lines {
		if bytes.HasPrefix(l, []byte("panic:")) || bytes.HasPrefix(l, []byte("fatal error:")) {
			line = l
			break
		}
	}
	return strings.ToValidUTF8(string(line), "\uFFFD")
}
