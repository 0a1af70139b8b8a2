package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/sporeengine/spore/snapshot"
)

// instanceMeta is what the delta of an instance says beside its memory and globals.
type instanceMeta struct {
	Version  int    `json:"version"`
	Instance string `json:"instance"` // its ID
	Epoch    uint32 `json:"epoch"`
	Language string `json:"language"`
	Name     string `json:"name"` // of the component
	LastID   uint32 `json:"lastID"`
	stateRest
}

// metaVersion is the version of instanceMeta.
const metaVersion = 1

// Snapshot returns the instance as a value, to be stored and given to [Engine.Resume], perhaps in
// another process. It holds what differs from the component's image, which it names by its
// digest, and the calls that are pending; no grants, limits or other options. The instance stays open: to
// suspend one, take its snapshot, store it and close it.
//
// In a snapshot can be read what the component knows, the secrets of host functions too, and not what it has known: memory is wiped when
// it is given up. What an interpreter holds on to is not given up, however. In Python that is garbage in cycles until gc.collect has
// run, texts that were names of attributes, patterns in the cache of re, and what was deleted from a database of sqlite3 that is open. In
// JavaScript it is garbage in cycles until the collector runs, if an instance has a thousand objects of its own (smaller ones are
// searched after each call), a whole string if more than a kilobyte was cut out of it and is kept, and what objects refer to that were made when the
// component was loaded. What was computed from a secret, as the hash of a string, may stay anywhere.
//
// A guest is in a state that can be captured whenever it does not run, so a snapshot can be
// taken at any time but during a call ([ErrBusy]), and while it holds nothing of the host ([ErrHolds]).
func (in *Instance) Snapshot(ctx context.Context) (*snapshot.Delta, error) {
	ctx, w, err := in.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer in.end(w)
	if err := first(ctx.Err(), in.capturable()); err != nil {
		return nil, err
	}
	ctx, end := in.trace(ctx, OpSnapshot)
	d, err := in.snapshot(ctx)
	end(Outcome{Err: err})
	return d, err
}

func (in *Instance) snapshot(ctx context.Context) (*snapshot.Delta, error) {
	st, lines, err := in.load(ctx)
	if err != nil {
		return nil, err
	}
	c := in.Component()
	info := c.snapshot.Info()
	if len(lines) == 0 { // there was no call yet
		st.globals = c.snapshot.Globals()
		lines = binary.LittleEndian.AppendUint32(nil, uint32(info.MemoryBytes/snapshot.WasmPageSize))
	}
	meta, err := json.Marshal(instanceMeta{metaVersion, in.ID(), in.epoch, c.meta.Language, c.meta.Name, st.lastID, st.stateRest})
	if err != nil {
		return nil, err
	}
	return snapshot.NewDelta(snapshot.DeltaParams{Runtime: info.Runtime, Base: c.Digest(), Lines: lines, Globals: st.globals, Meta: meta})
}

// Resume returns the instance whose snapshot is d, in the state in which it was taken: pending
// calls and all, with the same ID, and without running anything. opt says afresh what it may do. Its clock
// is the present one and its randomness new, unless the environment was Fixed.
//
// The component has to be open in the engine, or [Config].Fetch to supply it; else the error wraps
// [ErrMismatch] and names the component's digest. A forged snapshot can do what the component's tenant
// can do and no more, but it can be any state: authenticate what crosses a trust boundary. Whoever
// resumes a snapshot twice gets two instances with one ID, whose host calls have the same keys. So does who resumes it
// because the process that went on from it was killed: the calls that it makes again come with the keys of
// those that were lost, by which their functions can tell that they have been there.
func (e *Engine) Resume(ctx context.Context, d *snapshot.Delta, opt *Options) (*Instance, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	base := d.Info().Base
	if c := e.components.find(base); c != nil {
		return c.Resume(ctx, d, opt)
	}
	op := Op{Kind: OpResume, Digest: base}
	if opt != nil {
		op.Tenant = opt.Tenant
	}
	ctx, end := e.trace(ctx, op)
	var in *Instance
	c, err := e.components.get(ctx, e, base)
	if err == nil {
		in, err = c.resume(d, opt)
	}
	end(Outcome{Err: err, Instance: in})
	return in, err
}

// Resume is [Engine.Resume] of an instance of this component.
func (c *Component) Resume(ctx context.Context, d *snapshot.Delta, opt *Options) (*Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	op := Op{Kind: OpResume, Tenant: c.tenant, Language: c.meta.Language, Component: c.meta.Name, Digest: c.Digest()}
	if opt != nil {
		op.Tenant = cmp.Or(opt.Tenant, c.tenant)
	}
	_, end := c.engine.trace(ctx, op)
	in, err := c.resume(d, opt)
	end(Outcome{Err: err, Instance: in})
	return in, err
}

func (c *Component) resume(d *snapshot.Delta, opt *Options) (*Instance, error) {
	in, err := c.newInstance(opt)
	if err != nil {
		return nil, err
	}
	if err := in.become(d); err != nil {
		in.opt.Store(nil) // its block may stay
		return nil, err
	}
	return in, nil
}

// become makes a new instance the one whose snapshot is d, and opens it.
func (in *Instance) become(d *snapshot.Delta) (err error) {
	c, info := in.Component(), d.Info()
	if info.Runtime != c.language.runtime.SHA256 {
		return fmt.Errorf("%w: the instance was made with the %s module %v, this engine has %x", ErrMismatch, c.meta.Language, info.Runtime, c.language.runtime.SHA256)
	}
	if info.Base != c.Digest() {
		return fmt.Errorf("%w: the instance is one of component %v, not of %v", ErrMismatch, info.Base, c.Digest())
	}
	if size := c.snapshot.Info().MemoryBytes; info.MemoryBytes < size {
		return fmt.Errorf("%w: its memory of %d bytes is smaller than the component's, %d", ErrInstance, info.MemoryBytes, size)
	}
	limits := in.options().Limits
	limits.fill(c.engine.cfg.Limits)
	if info.MemoryBytes > limits.Memory {
		return &LimitError{Limit: limitMemory, Max: limits.Memory}
	}
	var meta instanceMeta
	dec := json.NewDecoder(bytes.NewReader(d.Meta()))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&meta); err != nil {
		return fmt.Errorf("%w: %v", ErrInstance, err)
	}
	if meta.Version != metaVersion {
		return fmt.Errorf("%w: it has version %d, this engine knows %d", ErrInstance, meta.Version, metaVersion)
	}
	if len(meta.Instance) != hex.EncodedLen(len(in.id)) {
		return fmt.Errorf("%w: it has no ID", ErrInstance)
	}
	if _, err := hex.Decode(in.id[:], []byte(meta.Instance)); err != nil {
		return fmt.Errorf("%w: it has no ID", ErrInstance)
	}
	st := &state{lastID: meta.LastID, globals: d.Globals(), stateRest: meta.stateRest}
	if want := len(c.snapshot.Globals()); len(st.globals) != want {
		return fmt.Errorf("%w: it has %d globals, the module has %d", ErrInstance, len(st.globals), want)
	}
	if err := st.check(); err != nil {
		return fmt.Errorf("%w: %v", ErrInstance, err)
	}
	b, err := st.append(nil)
	if err != nil {
		return err
	}
	b = append(b, d.Lines()...)
	if int64(len(b)) > limits.State {
		return &LimitError{Limit: limitState, Max: limits.State}
	}
	in.epoch, in.fresh, in.suspended = meta.Epoch, true, st.Call != nil
	if in.state, err = c.engine.parking.park(b); err != nil {
		return err
	}
	if err := c.engine.instances.add(in); err != nil {
		c.engine.parking.free(in.state)
		return err
	}
	return nil
}
