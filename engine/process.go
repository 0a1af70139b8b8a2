package engine

import (
	"bytes"
	"container/list"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sporeengine/spore/engine/internal/wire"
	"github.com/sporeengine/spore/snapshot"
)

// Times that a worker process gets beyond the limits of a call.
const (
	// processGrace is what may pass after the time limit of a call, at which the
	// process itself ends the guest, until the process is ended. Only one that is broken or
	// stopped needs it.
	processGrace = 2 * time.Second
	// cancelGrace is the same for a call whose context has ended.
	cancelGrace = time.Second
	// startTime bounds the start of a process, which compiles the interpreter if
	// it is not in the cache.
	startTime = 2 * time.Minute
)

// Bounds of what a worker process may send and keep.
const (
	maxGreeting   = 64 << 10 // bytes of noise before it
	maxNote       = 64 << 10
	maxErrorFrame = 1 << 20 // an error of the guest ABI as JSON in JSON
	stderrTail    = 2 << 10
	maxComponents = 1024     // that a process keeps
	maxDeltas     = 64 << 20 // bytes of their snapshots
)

// A process is a worker process, seen from its parent. One goroutine at a time,
// but for kill.
type process struct {
	engine *Engine
	cmd    *exec.Cmd
	in     *os.File // what the process reads
	out    *os.File // what it writes
	frames *wire.Reader
	stderr *tail
	ready  workerReady

	exited chan struct{} // closed when it is reaped
	status string        // how it ended; set before exited is closed

	writing sync.Mutex
	buf     []byte // guarded by writing
	lastID  uint64

	owner string // whose calls it serves; see ownerOf
	bound bool   // whether it has an owner

	evicted bool        // it was ended to make room; guarded by processes.mu
	late    atomic.Bool // it was ended because it took too long
	dead    bool        // it was ended, or will be

	// The components that it keeps, those least recently used at the end.
	components map[snapshot.Digest]*list.Element
	used       list.List // of kept
	deltas     int64     // bytes of their snapshots
	forget     []wire.Message
}

// kept is a component that a process keeps.
type kept struct {
	digest snapshot.Digest
	bytes  int64
}

// startProcess starts a worker process. It is not ready yet.
func startProcess(e *Engine) (*process, error) {
	exe, err := selfExecutable()
	if err != nil {
		return nil, err
	}
	childIn, in, err := newPipe()
	if err != nil {
		return nil, err
	}
	out, childOut, err := newPipe()
	if err != nil {
		return nil, errors.Join(err, childIn.Close(), in.Close())
	}
	p := &process{engine: e, in: in, out: out, frames: wire.NewReader(out), stderr: &tail{},
		exited: make(chan struct{}), components: map[snapshot.Digest]*list.Element{}}
	p.cmd = &exec.Cmd{Path: exe, Args: e.workerArgs, Env: []string{}, Dir: workerDir,
		Stdin: childIn, Stdout: childOut, Stderr: p.stderr, SysProcAttr: workerAttr(),
		WaitDelay: 5 * time.Second}
	err = p.cmd.Start()
	childIn.Close()
	childOut.Close()
	if err != nil {
		return nil, errors.Join(err, in.Close(), out.Close())
	}
	return p, nil
}

// reap waits for the end of the process.
func (p *process) reap() {
	err := p.cmd.Wait()
	p.in.Close()
	p.out.Close()
	p.status = "ended: " + p.cmd.ProcessState.String()
	if p.cmd.ProcessState == nil {
		p.status = fmt.Sprintf("ended: %v", err)
	}
	if line := p.stderr.last(); line != "" {
		p.status += ": " + line
	}
	close(p.exited)
}

// kill ends the process. It may be called at any time and by anybody.
func (p *process) kill() { p.cmd.Process.Kill() }

// watch ends the process after d, unless the timer is stopped before.
func (p *process) watch(d time.Duration) *time.Timer {
	return time.AfterFunc(d, func() {
		p.late.Store(true)
		p.kill()
	})
}

// handshake makes a new process serve rt. It returns what went wrong, in words
// that follow "worker process".
func (p *process) handshake(start workerStart) error {
	defer p.watch(startTime).Stop()
	b, err := json.Marshal(start)
	if err != nil {
		return err
	}
	if err := p.send(wire.Raw{Type: wire.TypeStart, Body: b}); err != nil {
		return err
	}
	if err := p.frames.Skip(greeting, maxGreeting); err != nil {
		return fmt.Errorf("does not begin with engine.ServeWorker: %w", err)
	}
	for {
		t, body, err := p.frames.Next(maxNote)
		if err != nil {
			return err
		}
		switch t {
		case wire.TypeProgress:
			var n workerNote
			if err := json.Unmarshal(body, &n); err != nil {
				return fmt.Errorf("%w: %w", wire.ErrProtocol, err)
			}
			if n.Progress != nil {
				p.engine.cfg.Progress(*n.Progress)
			}
			if n.Warning != "" {
				p.engine.cfg.Log.Warn("spore: worker process: " + n.Warning)
			}
		case wire.TypeReady:
			if err := json.Unmarshal(body, &p.ready); err != nil {
				return fmt.Errorf("%w: %w", wire.ErrProtocol, err)
			}
			if p.ready.Error != "" {
				return errors.New(p.ready.Error)
			}
			return nil
		default:
			return fmt.Errorf("%w: frame of type %d before it is ready", wire.ErrProtocol, t)
		}
	}
}

func (p *process) send(messages ...wire.Message) (err error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.buf = p.buf[:0]
	for _, m := range messages {
		if p.buf, err = wire.Append(p.buf, m); err != nil {
			return err
		}
	}
	_, err = p.in.Write(p.buf)
	if cap(p.buf) > 1<<20 {
		p.buf = nil
	}
	return err
}

// An exchange is a request and what its answer may be.
type exchange struct {
	id       uint64
	messages []wire.Message
	limit    time.Duration // how long the process itself lets it take
	limited  *LimitError   // the error if it takes too long
	max      int           // bytes of a frame of the answer
	console  func(level int64, text []byte) error
	host     func(*wire.HostCall) error // takes a host call, whose memory is that of the frame
	giveUp   func(call uint32)
	suspend  <-chan struct{}   // closed when the instance is to be suspended
	onHold   *func(waits bool) // set to what says that the embedder, not the process, takes its time
}

// do sends a request and returns the answer, which is valid until the next. After
// an error other than a LimitError from the process itself, it is dead.
func (p *process) do(ctx context.Context, x *exchange) (wire.Message, error) {
	dog := p.guard(x.limit + processGrace)
	ended := false
	defer func() {
		dog.stop()
		// What the embedder gave the call may panic, in the middle of it.
		p.dead = p.dead || p.late.Load() || !ended
	}()
	if x.onHold != nil {
		*x.onHold = dog.hold
	}
	// A process drops what is about a request that it has not got.
	sent := make(chan struct{})
	if x.suspend != nil {
		over := make(chan struct{})
		defer close(over)
		go func() {
			select {
			case <-x.suspend:
				<-sent
				p.send(&wire.Suspend{ID: x.id}) // if it fails, so does the exchange
			case <-over:
			}
		}()
	}
	if ctx.Done() != nil {
		canceled := make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			defer close(canceled)
			dog.hurry()
			<-sent
			p.send(&wire.Cancel{ID: x.id}) // if it fails, so does the exchange
		})
		defer func() {
			if !stop() {
				<-canceled
			}
		}()
	}
	err := p.send(x.messages...)
	close(sent)
	var m wire.Message
	if err == nil {
		m, err = p.exchange(x)
	}
	ended = true
	if err == nil {
		return m, nil
	}
	p.dead = true
	p.kill()
	<-p.exited
	switch {
	case p.engine.closing.Load():
		return nil, ErrClosed
	case ctx.Err() != nil:
		return nil, interrupted(ctx)
	case p.late.Load():
		return nil, x.limited
	case errors.Is(err, wire.ErrProtocol):
		return nil, &WorkerError{Reason: err.Error()}
	}
	return nil, &WorkerError{Reason: p.status}
}

// exchange takes what the process sends until that is the answer.
func (p *process) exchange(x *exchange) (wire.Message, error) {
	for {
		t, body, err := p.frames.Next(x.max)
		if err != nil {
			return nil, err
		}
		m, err := wire.Parse(t, body)
		if err != nil {
			return nil, err
		}
		var id uint64
		switch m := m.(type) {
		case *wire.Console:
			if x.console == nil || m.ID != x.id {
				return nil, fmt.Errorf("%w: output that was not asked for", wire.ErrProtocol)
			}
			if err := x.console(m.Level, m.Text); err != nil {
				return nil, err
			}
			continue
		case *wire.HostCall:
			if x.host == nil || m.ID != x.id {
				return nil, fmt.Errorf("%w: a host call where none can be", wire.ErrProtocol)
			}
			if err := x.host(m); err != nil {
				return nil, err
			}
			continue
		case *wire.GiveUp:
			if x.host == nil || m.ID != x.id {
				return nil, fmt.Errorf("%w: a host call is given up where none can be", wire.ErrProtocol)
			}
			x.giveUp(uint32(m.Call))
			continue
		case *wire.Result:
			id = m.ID
		case *wire.Compiled:
			id = m.ID
		case *wire.Failed:
			id = m.ID
		default:
			return nil, fmt.Errorf("%w: frame of type %d", wire.ErrProtocol, t)
		}
		if id != x.id {
			return nil, fmt.Errorf("%w: an answer to request %d instead of %d", wire.ErrProtocol, id, x.id)
		}
		return m, nil
	}
}

// nextID returns the number of a new request.
func (p *process) nextID() uint64 {
	p.lastID++
	return p.lastID
}

// has reports whether the process has a component, which is about to be used.
func (p *process) has(d snapshot.Digest) bool {
	el := p.components[d]
	if el != nil {
		p.used.MoveToFront(el)
	}
	return el != nil
}

// uses notes that the process gets a component that it has not. If these become too
// many, the next request makes it forget others.
func (p *process) uses(d snapshot.Digest, bytes int64) {
	k := kept{d, bytes}
	for n := p.used.Back(); n != nil && (p.used.Len() >= maxComponents || p.deltas+k.bytes > maxDeltas); n = p.used.Back() {
		old := p.used.Remove(n).(kept)
		delete(p.components, old.digest)
		p.deltas -= old.bytes
		p.forget = append(p.forget, &wire.Forget{Digest: old.digest})
	}
	p.components[d] = p.used.PushFront(k)
	p.deltas += k.bytes
}

// drop notes that the process does not have a component after all.
func (p *process) drop(d snapshot.Digest) {
	if el := p.components[d]; el != nil {
		p.deltas -= p.used.Remove(el).(kept).bytes
		delete(p.components, d)
	}
}

// A tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

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

var _ io.Writer = (*tail)(nil)
