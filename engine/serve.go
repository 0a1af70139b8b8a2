package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sporeengine/spore/engine/internal/jail"
	"github.com/sporeengine/spore/engine/internal/wire"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/snapshot"
)

// greeting precedes the first frame of a worker: what the program's packages
// print while they are initialized comes before.
var greeting = []byte("\x00spore-worker\n")

// workerStart is what a worker process is told first.
type workerStart struct {
	Language    string   `json:"language"`
	SHA256      [32]byte `json:"sha256"`
	Limits      Limits   `json:"limits"`
	ImageMemory int64    `json:"imageMemory"`
	VerifyReset bool     `json:"verifyReset"`
	CacheDir    string   `json:"cacheDir"`
}

// workerReady is its answer, once it is locked up.
type workerReady struct {
	Error   string          `json:"error,omitempty"` // why it cannot serve
	Base    snapshot.Digest `json:"base"`            // of the runtime's image
	Globals int             `json:"globals"`         // of the runtime's module
	Jail    jail.Report     `json:"jail"`
}

// workerNote is what it says before that: progress, or a warning.
type workerNote struct {
	Progress *Progress `json:"progress,omitempty"`
	Warning  string    `json:"warning,omitempty"`
}

// A server is a worker process, whose parent is at the other end of in and out.
type server struct {
	in     *wire.Reader
	out    *os.File
	buf    []byte
	engine *Engine
	lang   *language

	components map[snapshot.Digest]*Component // that the parent knows it has

	hosts   atomic.Pointer[hostWaits] // where replies to host calls go
	suspend chan struct{}             // closed when the instance in progress is to be suspended

	call   *call        // in progress, or the last one
	used   Usage        // by the request in progress
	finish func() error // what remains to be done when the answer is sent: to reset the guest's memory

	// Reading belongs to the main goroutine, which waits for the next request,
	// but while it serves one that takes long it belongs to watch.
	watchNow func()            // makes watch read at once
	watching bool              // watch reads, and will send what it has read
	requests chan wire.Message // what it has read
}

// watchAfter is how long a request runs before anybody looks whether the parent
// wants it stopped. A goroutine that always did would cost every request some
// twenty microseconds: one that has read has to wake another.
const watchAfter = 2 * time.Millisecond

// serveWorker is the main function of a worker process. It returns the exit
// status.
func serveWorker(in, out *os.File, rts []runtimes.Runtime) int {
	// The parent decides when to stop; it ends in will end this process as well.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// A guest and the Go runtime's own work.
	runtime.GOMAXPROCS(2)
	os.Stdout = os.Stderr // nobody else writes to the parent
	s := &server{in: wire.NewReader(in), out: out, components: map[snapshot.Digest]*Component{}, requests: make(chan wire.Message)}
	if _, err := out.Write(greeting); err != nil {
		return 1
	}
	ready, err := s.prepare(rts)
	if err != nil {
		ready.Error = err.Error()
	}
	if err := s.sendJSON(wire.TypeReady, ready); err != nil || ready.Error != "" {
		return 1
	}
	for {
		if err := s.do(s.next()); err != nil {
			fmt.Fprintln(os.Stderr, "spore: worker:", err)
			return 1
		}
	}
}

// prepare makes the language ready and then locks the process up.
func (s *server) prepare(rts []runtimes.Runtime) (ready workerReady, err error) {
	t, body, err := s.in.Next(1 << 20)
	if err != nil {
		return ready, err
	}
	var start workerStart
	if t != wire.TypeStart {
		return ready, fmt.Errorf("%w: frame of type %d comes first", wire.ErrProtocol, t)
	}
	if err := json.Unmarshal(body, &start); err != nil {
		return ready, err
	}
	rt, ok := findServed(rts, start.Language, start.SHA256)
	if !ok {
		return ready, fmt.Errorf("engine.ServeWorker was not given this %s runtime", start.Language)
	}
	if s.engine, err = New(Config{
		Runtimes: []runtimes.Runtime{rt}, Limits: start.Limits, Workers: 1, Guests: 1, GuestMemory: start.Limits.Memory,
		ImageMemory: start.ImageMemory, VerifyReset: start.VerifyReset, CacheDir: start.CacheDir,
		Progress: func(p Progress) { s.sendJSON(wire.TypeProgress, workerNote{Progress: &p}) },
		Log:      slog.New(&noteHandler{send: func(text string) { s.sendJSON(wire.TypeProgress, workerNote{Warning: text}) }}),
	}); err != nil {
		return ready, err
	}
	s.lang = s.engine.languages[start.Language]
	p, err := s.lang.prepare(context.Background())
	if err != nil {
		return ready, err
	}
	// From now on there is nobody to read what is not an answer.
	s.engine.cfg.Progress = func(Progress) {}
	s.engine.cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	ready.Base, ready.Globals = p.base.digest, len(p.base.globals)
	ready.Jail, err = jail.Enter()
	return ready, err
}

// next returns the next request.
func (s *server) next() wire.Message {
	if s.watching {
		s.watching = false
		return <-s.requests
	}
	return s.read()
}

// read returns what the parent sends next. Its end, by which the pipe is closed,
// ends this process, whatever a guest does.
func (s *server) read() wire.Message {
	t, body, err := s.in.Next(wire.MaxFrame)
	if err != nil {
		os.Exit(0)
	}
	// A copy, because watch reads while the request is served.
	m, err := wire.Parse(t, bytes.Clone(body))
	if err != nil {
		fmt.Fprintln(os.Stderr, "spore: worker:", err)
		os.Exit(1)
	}
	return m
}

// do serves one request. The error is one of the process.
func (s *server) do(m wire.Message) error {
	switch m := m.(type) {
	case *wire.Compile:
		return s.answer(m.ID, func(ctx context.Context) (wire.Message, error) { return s.compile(ctx, m) })
	case *wire.Render:
		return s.answer(m.ID, func(ctx context.Context) (wire.Message, error) { return s.render(ctx, m) })
	case *wire.Cancel, *wire.HostReply, *wire.Suspend:
		return nil // of a request that has its answer
	case *wire.Forget:
		if c := s.components[m.Digest]; c != nil {
			delete(s.components, m.Digest)
			return c.Close()
		}
		return nil
	}
	return fmt.Errorf("%w: the parent sent %T", wire.ErrProtocol, m)
}

// answer sends what serve returns, which the parent can stop by the context.
func (s *server) answer(id uint64, serve func(context.Context) (wire.Message, error)) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.suspend = make(chan struct{})
	suspend := sync.OnceFunc(func() { close(s.suspend) })
	watch := time.AfterFunc(watchAfter, func() {
		for {
			switch m := s.read().(type) {
			case *wire.Cancel:
				if m.ID == id {
					cancel()
				}
			case *wire.HostReply:
				if w := s.hosts.Load(); w != nil && m.ID == id {
					if len(m.Reply) == 0 {
						m.Reply = nil
					}
					w.push(uint32(m.Call), m.Reply, nothing)
				}
			case *wire.Suspend:
				if m.ID == id {
					suspend()
				}
			default:
				s.requests <- m // there is none before the answer
				return
			}
		}
	})
	s.watchNow = func() {
		if watch.Stop() {
			watch.Reset(0)
		}
	}
	s.call, s.used = nil, Usage{}
	m, err := serve(ctx)
	s.hosts.Store(nil)
	s.watching = !watch.Stop()
	if err != nil {
		b, err := json.Marshal(encodeError(err))
		if err != nil {
			return err
		}
		failed := &wire.Failed{ID: id, Usage: s.used.encode(), Error: b}
		if k := s.call; k != nil && k.session != nil && survives(err) {
			failed.State = k.session.next
		}
		m = failed
	}
	if err := s.send(m); err != nil {
		return err
	}
	if s.finish != nil {
		err, s.finish = s.finish(), nil
		return err // after which there must not be another request
	}
	return nil
}

func (s *server) compile(ctx context.Context, m *wire.Compile) (*wire.Compiled, error) {
	src := Source{Language: s.lang.runtime.Language, Name: string(m.Name), Code: m.Code}
	c, err := s.engine.compileHere(ctx, s.lang, src, decodeModules(m.Modules), &s.used)
	if err != nil {
		return nil, err
	}
	s.keep(c)
	var b bytes.Buffer
	if _, err := c.snapshot.WriteRaw(&b); err != nil {
		return nil, err
	}
	return &wire.Compiled{ID: m.ID, Usage: s.used.encode(), Snapshot: b.Bytes()}, nil
}

// keep makes c the component of its digest.
func (s *server) keep(c *Component) {
	if old := s.components[c.Digest()]; old != nil {
		old.Close() // equal to c
	}
	s.components[c.Digest()] = c
}

func (s *server) render(ctx context.Context, m *wire.Render) (*wire.Result, error) {
	if len(m.Snapshot) > 0 {
		// The parent has verified it.
		snap, err := snapshot.ReadTrusted(bytes.NewReader(m.Snapshot))
		if err != nil {
			return nil, err
		}
		defer snap.Close()
		c, err := s.engine.Load(ctx, snap)
		if err != nil {
			return nil, err
		}
		s.keep(c)
	}
	c := s.components[m.Digest]
	if c == nil {
		return nil, fmt.Errorf("component %v is not here", snapshot.Digest(m.Digest))
	}
	call := &call{ctx: ctx, function: string(m.Function), arg: m.Arg, modules: decodeModules(m.Modules)}
	if err := call.limits.decode(m.Limits); err != nil {
		return nil, err
	}
	if m.Fixed {
		call.fixed = &Fixed{Now: time.Unix(0, m.Now), Seed: m.Seed}
	}
	if m.Console {
		call.console = slog.New(&noteHandler{min: slog.LevelDebug, record: func(level slog.Level, text string) error {
			return s.send(&wire.Console{ID: m.ID, Level: int64(level), Text: []byte(text)})
		}})
	}
	if m.Grants > 0 {
		call.start = func(w *hostWaits) (startCall, func(uint32)) {
			s.hosts.Store(w)
			giveUp := func(id uint32) { s.send(&wire.GiveUp{ID: m.ID, Call: uint64(id)}) }
			return func(id uint32, blocking bool, name string, frame []byte) ([]byte, bool, error) {
				if int64(len(frame)) > m.Grants {
					return errorReply(hostfuncs.CodeTooLarge, fmt.Sprintf("%s takes no argument of %d bytes", name[:min(len(name), maxCallName)], len(frame))), true, nil
				}
				s.watchNow()
				return nil, false, s.send(&wire.HostCall{ID: m.ID, Call: uint64(id), Blocking: blocking, Name: []byte(name[:min(len(name), maxCallName)]), Frame: frame})
			}, giveUp
		}
	}
	if m.Session {
		call.session = &session{from: &state{}, goOn: m.GoOn, suspend: s.suspend, maxBytes: call.limits.State}
		if len(m.State) > 0 {
			var err error
			if call.session.from, call.session.lines, err = parseState(m.State); err != nil {
				return nil, err
			}
		}
	}
	s.call = call
	var finish func() error
	a, err := c.local(call, &finish)
	s.used = a.usage
	if finish != nil && s.engine.cfg.VerifyReset {
		err = first(finish(), err)
	} else {
		s.finish = finish
	}
	if err != nil {
		return nil, err
	}
	r := &wire.Result{ID: m.ID, Status: int64(a.status), Usage: s.used.encode(), Data: a.data}
	if call.session != nil {
		r.State = call.session.next
	}
	return r, nil
}

func (s *server) sendJSON(t wire.Type, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.send(wire.Raw{Type: t, Body: b})
}

func (s *server) send(m wire.Message) (err error) {
	if s.buf, err = wire.Append(s.buf[:0], m); err != nil {
		return err
	}
	_, err = s.out.Write(s.buf)
	if cap(s.buf) > 1<<20 {
		s.buf = nil
	}
	return err
}

// A noteHandler turns records of a logger into messages to the parent.
type noteHandler struct {
	min    slog.Level
	send   func(text string)                         // the whole record
	record func(level slog.Level, text string) error // what a component printed
}

func (h *noteHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.min }
func (h *noteHandler) WithAttrs([]slog.Attr) slog.Handler           { return h }
func (h *noteHandler) WithGroup(string) slog.Handler                { return h }

func (h *noteHandler) Handle(_ context.Context, r slog.Record) error {
	if h.record != nil {
		var text string
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "text" {
				text = a.Value.String()
			}
			return true
		})
		return h.record(r.Level, text)
	}
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	h.send(text)
	return nil
}

var errTooShort = errors.New("too few numbers")
