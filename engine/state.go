package engine

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sporeengine/spore/engine/internal/abi"
)

// A state is what an instance is while nothing of it runs, beside the lines of its
// memory. Of most instances it is two numbers, so there is a short form for that: the
// encoding is
//
//	flags u8 | last ID u32 | number of globals u16 | globals, u64 each | lines
//
// or, if stateMore is set in flags, with the length of a JSON text, u32, and that, of
// stateRest, in front of the lines. Little endian. It comes from other processes too.
type state struct {
	lastID  uint32 // number of the last host call
	fresh   bool   // the next start gets new randomness
	globals []uint64
	stateRest
}

// stateRest is what only some instances have.
type stateRest struct {
	Fixed   *fixedState    `json:"fixed,omitempty"`
	Sleeps  []sleepState   `json:"sleeps,omitempty"`
	Pending []pendingState `json:"pending,omitempty"`
	Call    *callState     `json:"call,omitempty"`    // in progress
	Cells   []cellState    `json:"cells,omitempty"`   // oldest first
	Modules []string       `json:"modules,omitempty"` // that cells have brought along
}

// A cellState is the source map of a cell that was run in the instance.
type cellState struct {
	Name string `json:"name"`
	Map  []byte `json:"map"`
}

// Bounds of the source maps that an instance keeps. The oldest go first.
const (
	maxCells     = 64
	maxCellBytes = 1 << 20
)

// withCell returns cells and one more.
func withCell(cells []cellState, c cellState) []cellState {
	out := slices.DeleteFunc(slices.Clone(cells), func(old cellState) bool { return old.Name == c.Name })
	out = append(out, c)
	bytes := 0
	for i := len(out) - 1; i >= 0; i-- {
		if bytes += len(out[i].Map); bytes > maxCellBytes || len(out)-i > maxCells {
			return out[i+1:]
		}
	}
	return out
}

// positions returns the positions in cells and in what p knows.
func (s *stateRest) positions(p *positions) *positions {
	for _, c := range s.Cells {
		p = &positions{file: c.Name, json: c.Map, more: p}
	}
	return p
}

// A fixedState is a fixedEnv.
type fixedState struct {
	Start   int64  `json:"start"`
	Elapsed int64  `json:"elapsed"`
	Random  []byte `json:"random"`
}

// A sleepState is a sleep.
type sleepState struct {
	ID  uint32 `json:"id"`
	Due int64  `json:"due"` // nanoseconds since 1970, or of the fixed clock
}

// A pendingState is a host call that was not settled.
type pendingState struct {
	ID    uint32 `json:"id"`
	Name  string `json:"name"`
	Frame []byte `json:"frame"`
	Key   string `json:"key,omitempty"`
	Later bool   `json:"later,omitempty"` // its function has said so; else it was under way when the instance was suspended
	Reply []byte `json:"reply,omitempty"` // of the guest ABI, if the host has answered
	Again bool   `json:"again,omitempty"` // its function is to be called again
}

// A callState is what remains of the limits of a call in progress.
type callState struct {
	Function  string        `json:"function"`
	Time      time.Duration `json:"time"`
	HostTime  time.Duration `json:"hostTime"`
	Fuel      int64         `json:"fuel"`
	HostCalls int64         `json:"hostCalls"`
	budgets
}

// Flags of an encoded state.
const (
	stateFresh = 1 << iota
	stateMore
	stateFlags = iota // number of flags
)

// plain reports whether s has a short form.
func (s *state) plain() bool {
	return s.Fixed == nil && len(s.Sleeps) == 0 && len(s.Pending) == 0 && s.Call == nil && len(s.Cells) == 0 && len(s.Modules) == 0
}

// append appends the encoding of s, but for the lines, to dst.
func (s *state) append(dst []byte) ([]byte, error) {
	var flags byte
	if s.fresh {
		flags |= stateFresh
	}
	if !s.plain() {
		flags |= stateMore
	}
	dst = append(dst, flags)
	dst = binary.LittleEndian.AppendUint32(dst, s.lastID)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(s.globals)))
	for _, g := range s.globals {
		dst = binary.LittleEndian.AppendUint64(dst, g)
	}
	if flags&stateMore == 0 {
		return dst, nil
	}
	text, err := json.Marshal(&s.stateRest)
	if err != nil {
		return nil, err
	}
	if len(text) > maxStateRest {
		return nil, &LimitError{Limit: limitState, Max: maxStateRest}
	}
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(text))), text...), nil
}

// errState is wrapped by the errors of parseState.
var errState = errors.New("engine: malformed state of an instance")

// parseState decodes a state, which shares no memory with b, and returns the lines, which
// do. The number of globals is not checked.
func parseState(b []byte) (s *state, lines []byte, err error) {
	bad := func(what string) (*state, []byte, error) {
		return nil, nil, fmt.Errorf("%w: %s", errState, what)
	}
	const head = 1 + 4 + 2
	if len(b) < head {
		return bad("it ends in its head")
	}
	flags := b[0]
	if flags>>stateFlags != 0 {
		return bad("unknown flags")
	}
	s = &state{lastID: binary.LittleEndian.Uint32(b[1:]), fresh: flags&stateFresh != 0}
	n := int(binary.LittleEndian.Uint16(b[5:]))
	if b = b[head:]; len(b) < 8*n {
		return bad("it ends in its globals")
	}
	s.globals = make([]uint64, n, max(n, 4))
	for i := range s.globals {
		s.globals[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	b = b[8*n:]
	if flags&stateMore == 0 {
		return s, b, nil
	}
	if len(b) < 4 {
		return bad("it ends in a length")
	}
	size := binary.LittleEndian.Uint32(b)
	if b = b[4:]; uint64(size) > uint64(len(b)) {
		return bad("it ends in its details")
	}
	dec := json.NewDecoder(bytes.NewReader(b[:size]))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s.stateRest); err != nil {
		return bad(err.Error())
	}
	if dec.InputOffset() != int64(size) {
		return bad("something follows its details")
	}
	if err := s.check(); err != nil {
		return bad(err.Error())
	}
	return s, b[size:], nil
}

// check returns what cannot be in s.
func (s *state) check() error {
	if len(s.Sleeps) > maxPending || len(s.Pending) > maxPending {
		return errors.New("too many host calls")
	}
	if len(s.Cells) > maxCells {
		return errors.New("too many cells")
	}
	if err := checkModules(s.Modules); err != nil {
		return err
	}
	seen := make(map[uint32]bool, len(s.Sleeps)+len(s.Pending))
	number := func(id uint32) error {
		if id == 0 || id > s.lastID || seen[id] {
			return fmt.Errorf("host call %d of %d", id, s.lastID)
		}
		seen[id] = true
		return nil
	}
	for _, p := range s.Sleeps {
		if err := number(p.ID); err != nil {
			return err
		}
		if p.Due < 0 {
			return errors.New("a sleep that was due before the clock began")
		}
	}
	for _, p := range s.Pending {
		if err := number(p.ID); err != nil {
			return err
		}
		if text, buffers, err := abi.ParseFrame(p.Frame); err != nil {
			return err
		} else if err := checkJSON(text, buffers); err != nil {
			return fmt.Errorf("argument of host call %d: %w", p.ID, err)
		}
		if p.Reply != nil {
			if _, _, err := abi.ParseFrame(p.Reply[min(1, len(p.Reply)):]); err != nil {
				return err
			}
		}
	}
	if f := s.Fixed; f != nil {
		if f.Elapsed < 0 || f.Elapsed > maxElapsed {
			return errors.New("a clock out of range")
		}
		if err := new(rand.ChaCha8).UnmarshalBinary(f.Random); err != nil {
			return err
		}
	}
	if c := s.Call; c != nil {
		if c.Function == "" {
			return errors.New("a call of no function")
		}
		if c.Time < 0 || c.HostTime < 0 || c.Fuel < 0 || c.HostCalls < 0 {
			return errors.New("a limit below zero")
		}
		for _, used := range []map[string]int64{c.Made, c.Used} {
			for _, n := range used {
				if n < 0 {
					return errors.New("a budget below zero")
				}
			}
		}
	}
	return nil
}

// wall returns the time at which a sleep is due as it is stored, and monotonic the one
// of the guest's clock.
func (g *guest) wall(due int64) int64 {
	if g.fixed != nil {
		return due
	}
	return saturate(time.Now().UnixNano(), due-g.Clock(false))
}

func (g *guest) monotonic(due int64) int64 {
	if g.fixed != nil {
		return due
	}
	return saturate(g.Clock(false), saturate(due, -time.Now().UnixNano()))
}

// saturate adds two numbers, but not beyond what an int64 can hold.
func saturate(a, b int64) int64 {
	switch c := a + b; {
	case a > 0 && b > 0 && c < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && c >= 0:
		return math.MinInt64
	default:
		return c
	}
}

// restore makes g what s says. Its limits and host waits are set already, and its memory
// is that of s.
func (g *guest) restore(s *state) error {
	g.globals, g.lastID = s.globals, s.lastID
	if s.Fixed != nil {
		g.fixed = &fixedEnv{start: s.Fixed.Start, elapsed: s.Fixed.Elapsed, random: new(rand.ChaCha8)}
		if err := g.fixed.random.UnmarshalBinary(s.Fixed.Random); err != nil {
			return fmt.Errorf("%w: %v", errState, err)
		}
	}
	for _, p := range s.Sleeps {
		g.made++
		g.sleeps.add(sleep{p.ID, g.monotonic(p.Due), g.made})
	}
	for _, p := range s.Pending {
		// What was under way when the instance was suspended is not done again by itself.
		g.host.add(p.ID, &hostWait{name: p.Name, frame: p.Frame, later: p.Reply == nil && !p.Again, said: p.Later && !p.Again})
		if p.Reply != nil {
			g.host.push(p.ID, p.Reply, nothing)
		}
	}
	if c := s.Call; c != nil {
		g.left = min(g.left, c.Time)
		g.fuel = min(g.fuel, c.Fuel)
		g.calls = min(g.calls, c.HostCalls)
		g.host.left = min(g.host.left, c.HostTime)
	}
	return nil
}

// save is the reverse of restore. function is the call in progress, empty if there is none.
func (g *guest) save(function string) (*state, error) {
	s := &state{lastID: g.lastID, globals: g.globals}
	if f := g.fixed; f != nil {
		random, err := f.random.MarshalBinary()
		if err != nil {
			return nil, err
		}
		s.Fixed = &fixedState{f.start, f.elapsed, random}
	}
	for _, p := range g.sleeps.sorted() {
		s.Sleeps = append(s.Sleeps, sleepState{p.id, g.wall(p.due)})
	}
	s.Pending = g.host.pendingCalls()
	if function != "" {
		s.Call = &callState{Function: function, Time: max(g.left, 0), HostTime: max(g.host.left, 0), Fuel: max(g.fuel, 0), HostCalls: max(g.calls, 0)}
	}
	return s, nil
}
