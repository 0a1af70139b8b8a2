package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sporeengine/spore/engine/internal/gate"
	"github.com/sporeengine/spore/engine/internal/wz"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/snapshot"
)

// Config configures an [Engine]. Only Runtimes is required.
type Config struct {
	// Runtimes are the languages the engine can run, at most one per Language.
	// One that is never used costs nothing: a runtime is compiled and booted
	// when its language is first needed.
	Runtimes []runtimes.Runtime

	// Limits are the ceiling and the default for every call.
	Limits Limits

	// Isolation says where guests run: in this process, or in processes of
	// their own.
	Isolation Isolation

	// Workers bounds the guests of one language that run at the same time.
	// Zero means GOMAXPROCS.
	//
	// In Subprocess mode it is the number of worker processes of one language,
	// each of which serves one tenant, and one call, sleeps included, at a time. Zero then
	// means four times GOMAXPROCS. They are started as they are needed. With
	// more tenants than processes, the one that was idle for longest is
	// replaced, which takes as long as starting an engine.
	Workers int

	// Guests bounds the calls and compilations in progress, of all languages,
	// those whose guest sleeps included; zero means DefaultGuests. GuestMemory
	// bounds the sum of their Limits.Memory in bytes, of which most use only
	// a part; zero means DefaultGuestMemory. What finds no room waits for it
	// until its context ends. Whose turn it is depends on [Options.Tenant].
	Guests      int
	GuestMemory int64

	// Instances bounds the instances that are open; zero means DefaultInstances.
	// [Component.Open] fails beyond it. Parking says where their state is kept.
	Instances int
	Parking   Parking

	// Fetch returns the component with a digest, from [Component.Snapshot], when Resume
	// needs one that is not open. The engine closes what it returns and keeps the component open. It must be safe
	// for concurrent use. Nil means that there are no others.
	Fetch func(ctx context.Context, component snapshot.Digest) (*snapshot.Snapshot, error)

	// ImageMemory bounds the bytes of component images that are kept mapped.
	// Those least recently rendered are dropped and rebuilt when they are
	// needed again, which takes milliseconds. Zero means DefaultImageMemory.
	ImageMemory int64

	// VerifyReset compares the whole memory of a guest with its image after
	// each call, before another can have it, which takes milliseconds: for
	// tests, and for a share of a fleet. A call whose memory is found to differ
	// fails with [ErrReset], whatever its result; the memory is thrown away,
	// counted in Stats.BadResets and reported to Log.
	VerifyReset bool

	// CacheDir keeps machine code and booted runtimes between runs of the
	// program, which makes its start many times faster. It is created if
	// missing and must be private to the user: who can write there can run
	// code in this process. It may be shared by several processes. A cache
	// that cannot be used is reported to Log and does not stop the engine.
	// Empty means no cache; see [DefaultCacheDir].
	CacheDir string

	// Tracer observes what the engine does. Nil costs nothing.
	Tracer Tracer

	// Tenants bounds for how many tenants totals are kept, a few hundred bytes each: see
	// [Engine.Tenants]. Zero means DefaultTenants.
	Tenants int

	// Progress is called before and after first-time work that takes seconds,
	// on the goroutine that does it. Nil means a line on standard error if
	// that is a terminal and the work takes long.
	Progress func(Progress)

	// Log receives warnings about the engine's own troubles, such as an
	// unusable cache. Nil means slog.Default().
	Log *slog.Logger
}

// Values of fields of [Config] that are zero.
const (
	DefaultGuests      = 1024
	DefaultGuestMemory = 2 << 30
	DefaultImageMemory = 1 << 30
	DefaultInstances   = 1 << 20
)

// lowerers is how many sources are lowered at once. It takes a millisecond or
// two; what takes much longer is an attack, which must not get more.
const lowerers = 2

// An Engine compiles and renders components.
type Engine struct {
	cfg        Config
	languages  map[string]*language // by language name, and by extension
	cache      *cache
	images     *imageCache
	counters   counters
	components components
	instances  instances
	tenants    tenants
	parking    *parking
	guests     *gate.Gate // admits calls and compilations
	lowering   *gate.Gate // admits what is lowered

	resetMemory func(*snapshot.Memory) error // Reset, but in tests
	workerArgs  []string                     // of worker processes: workerName, but in tests
	interpret   bool                         // guests are interpreted; only in tests

	closing atomic.Bool   // tells running guests to stop
	closed  chan struct{} // closed with it

	mu     sync.Mutex
	active int        // calls in progress; guarded by mu
	idle   *sync.Cond // active has become zero
}

// New returns an engine. It starts nothing: a language's runtime is compiled
// when it is first used.
func New(cfg Config) (*Engine, error) {
	problems := cfg.Limits.fill(DefaultLimits())
	if cfg.Workers < 0 {
		problems = append(problems, "Workers is negative")
	}
	if cfg.Workers == 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
		if cfg.Isolation == Subprocess {
			cfg.Workers *= 4
		}
	}
	switch cfg.Isolation {
	case InProcess:
	case Subprocess:
		problems = append(problems, checkServed(cfg.Runtimes)...)
	default:
		problems = append(problems, fmt.Sprintf("Isolation is %d", cfg.Isolation))
	}
	if cfg.ImageMemory < 0 {
		problems = append(problems, "ImageMemory is negative")
	}
	if cfg.Guests < 0 {
		problems = append(problems, "Guests is negative")
	}
	if cfg.GuestMemory < 0 {
		problems = append(problems, "GuestMemory is negative")
	}
	if cfg.Instances < 0 || int64(cfg.Instances) > math.MaxUint32 {
		problems = append(problems, "Instances is negative, or more than there can be")
	}
	if cfg.Tenants < 0 {
		problems = append(problems, "Tenants is negative")
	}
	if cfg.Parking.Memory < 0 || cfg.Parking.CompressAfter < 0 || cfg.Parking.StoreAfter < 0 {
		problems = append(problems, "a field of Parking is negative")
	}
	cfg.Instances = cmp.Or(cfg.Instances, DefaultInstances)
	cfg.Parking.Memory = cmp.Or(cfg.Parking.Memory, DefaultParkingMemory)
	cfg.Parking.CompressAfter = cmp.Or(cfg.Parking.CompressAfter, DefaultCompressAfter)
	cfg.Parking.StoreAfter = cmp.Or(cfg.Parking.StoreAfter, DefaultStoreAfter)
	cfg.ImageMemory = cmp.Or(cfg.ImageMemory, DefaultImageMemory)
	cfg.Guests = cmp.Or(cfg.Guests, DefaultGuests)
	cfg.GuestMemory = cmp.Or(cfg.GuestMemory, DefaultGuestMemory)
	if cfg.GuestMemory >= 0 && cfg.Limits.Memory > cfg.GuestMemory {
		problems = append(problems, "Limits.Memory is more than GuestMemory: no guest would ever find room")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Progress == nil {
		cfg.Progress = terminalProgress()
	}
	e := &Engine{cfg: cfg, languages: map[string]*language{}, closed: make(chan struct{})}
	e.guests = gate.New(gate.Amount{Slots: int64(cfg.Guests), Bytes: cfg.GuestMemory})
	e.lowering = gate.New(gate.Amount{Slots: lowerers})
	e.resetMemory = (*snapshot.Memory).Reset
	e.workerArgs = []string{workerName}
	e.interpret = wz.Interpret
	e.idle = sync.NewCond(&e.mu)
	e.images = &imageCache{max: cfg.ImageMemory, idlePerImage: cfg.Workers}
	if len(cfg.Runtimes) == 0 {
		problems = append(problems, "Runtimes is empty")
	}
	for _, rt := range cfg.Runtimes {
		problems = append(problems, e.addRuntime(rt)...)
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrConfig, strings.Join(problems, "; "))
	}
	e.instances.max = cfg.Instances
	e.tenants.max = cmp.Or(cfg.Tenants, DefaultTenants)
	var err error
	if e.parking, err = newParking(cfg.Parking, cfg.Log); err != nil {
		return nil, err
	}
	e.parking.tracer = cfg.Tracer
	e.cache = openCache(cfg.CacheDir, cfg.Log)
	return e, nil
}

// addRuntime registers rt under its language and extensions.
func (e *Engine) addRuntime(rt runtimes.Runtime) (problems []string) {
	if rt.ABI != runtimes.ABIVersion {
		problems = append(problems, fmt.Sprintf("runtime %q speaks version %d of the guest ABI, want %d", rt.Language, rt.ABI, runtimes.ABIVersion))
	}
	if rt.Language == "" || len(rt.Module) == 0 {
		problems = append(problems, fmt.Sprintf("runtime %q has no language or no module", rt.Language))
	}
	l := &language{engine: e, runtime: rt, workers: gate.New(gate.Amount{Slots: int64(e.cfg.Workers)})}
	if e.cfg.Isolation == Subprocess {
		l.processes = newProcesses(l, e.cfg.Workers)
	}
	for _, name := range append([]string{rt.Language}, rt.Extensions...) {
		if _, dup := e.languages[name]; dup {
			problems = append(problems, fmt.Sprintf("two runtimes for %q", name))
		}
		e.languages[name] = l
	}
	return problems
}

// language finds the runtime for src and completes its name with an extension
// if the language was given as one ("tsx").
func (e *Engine) language(src *Source) (*language, error) {
	ext := filepath.Ext(src.Name)
	if src.Language == "" {
		if l := e.languages[ext]; l != nil && ext != "" {
			return l, nil
		}
		return nil, fmt.Errorf("%w: Source.Language is empty and the name %q has no known extension", ErrNoRuntime, src.Name)
	}
	if l := e.languages[src.Language]; l != nil && src.Language[0] != '.' {
		return l, nil
	}
	dialect := "." + src.Language
	l := e.languages[dialect]
	if l == nil {
		return nil, fmt.Errorf("%w: %q", ErrNoRuntime, src.Language)
	}
	if ext != dialect {
		src.Name += dialect
	}
	return l, nil
}

// enter registers a call, so that Close can wait for it. leave ends it.
func (e *Engine) enter() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing.Load() {
		return ErrClosed
	}
	e.active++
	return nil
}

// stay is enter for what goes on after a call that has entered.
func (e *Engine) stay() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.active++
}

func (e *Engine) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.active--; e.active == 0 {
		e.idle.Broadcast()
	}
}

// wait takes amount from g for tenant, which gives it back by g.Release. It waits
// until ctx ends or the engine is closed.
func (e *Engine) wait(ctx context.Context, g *gate.Gate, tenant string, amount gate.Amount, what string) error {
	waited, err := g.Acquire(ctx, tenant, amount)
	if waited {
		e.counters.waits.Add(1)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gate.ErrClosed):
		return ErrClosed
	}
	return fmt.Errorf("engine: waiting for %s: %w", what, err)
}

// admit makes room for a guest with the given limits. The caller dismisses it.
func (e *Engine) admit(ctx context.Context, tenant string, memory int64) error {
	return e.wait(ctx, e.guests, tenant, gate.Amount{Slots: 1, Bytes: memory}, "room for a guest")
}

func (e *Engine) dismiss(tenant string, memory int64) {
	e.guests.Release(tenant, gate.Amount{Slots: 1, Bytes: memory})
}

// Close ends running guests, waits for the calls they belong to, and releases
// everything the engine and its components own.
func (e *Engine) Close() error {
	e.mu.Lock()
	first := !e.closing.Swap(true)
	if first {
		close(e.closed)
		e.guests.Close()
		e.lowering.Close()
		for name, l := range e.languages {
			if name == l.runtime.Language {
				l.workers.Close()
			}
		}
		e.mu.Unlock()
		e.instances.cancel() // a store may be waited for, or a consumer
		e.parking.cancel()
		for _, l := range e.languages {
			if l.processes != nil {
				l.processes.close() // which ends the calls that they serve
			}
		}
		e.mu.Lock()
	}
	for e.active > 0 {
		e.idle.Wait()
	}
	e.mu.Unlock()
	var err error
	if first {
		err = errors.Join(e.instances.close(), e.parking.close())
	}
	err = errors.Join(err, e.images.close())
	for _, l := range e.languages {
		err = errors.Join(err, l.close())
	}
	return err
}

// Stats are counters of an engine since New, and its present use of memory.
type Stats struct {
	Components  int    // compiled or loaded, and not closed
	Compiles    uint64 // components compiled or loaded
	Renders     uint64 // calls begun
	Errors      uint64 // of them, those that failed
	Limits      uint64 // of them, those ended by a limit
	Waits       uint64 // calls that waited for room or for a worker
	Guests      int    // calls and compilations in progress
	GuestMemory int64  // sum of their Limits.Memory
	Waiting     int    // those that wait for room now
	BadResets   uint64 // calls that ended with ErrReset
	Images      int    // component images mapped
	ImageBytes  int64  // their size
	ImageBuilds uint64 // images mapped again after they had been dropped
	Memories    int    // idle guest memories, ready for a render

	Instances   int   // open
	Parked      int   // states that are kept for them
	ParkedBytes int64 // the memory that takes
	Packed      int   // of the states, those that are compressed
	Stored      int   // and those that are in Parking.Store

	// In Subprocess mode images and memories are those of other processes, and
	// not counted.
	Processes     int    // worker processes
	ProcessStarts uint64 // started since New
	ProcessEnds   uint64 // of them, those that have ended, for whatever reason
}

type counters struct {
	components                               atomic.Int64
	compiles, renders, errors, limits, waits atomic.Uint64
	badResets, processStarts, processEnds    atomic.Uint64
}

// Stats returns counters. It is cheap enough to be scraped.
func (e *Engine) Stats() Stats {
	c := &e.counters
	s := Stats{
		Components: int(c.components.Load()),
		Compiles:   c.compiles.Load(),
		Renders:    c.renders.Load(),
		Errors:     c.errors.Load(),
		Limits:     c.limits.Load(),
		Waits:      c.waits.Load(),
		BadResets:  c.badResets.Load(),

		ProcessStarts: c.processStarts.Load(),
		ProcessEnds:   c.processEnds.Load(),
	}
	for name, l := range e.languages {
		if l.processes != nil && name == l.runtime.Language {
			s.Processes += l.processes.count()
		}
	}
	used, waiting := e.guests.Used()
	s.Guests, s.GuestMemory, s.Waiting = int(used.Slots), used.Bytes, waiting
	e.images.stats(&s)
	s.Instances = e.instances.len()
	e.parking.stats(&s)
	return s
}
