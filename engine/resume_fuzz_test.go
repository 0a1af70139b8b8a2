package engine_test

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/snapshot"
)

// FuzzResume resumes snapshots with sound checksums whose memory, globals, lines and description are
// what whoever can write snapshots wants them to be. The engine refuses them, or the instance lives as
// guests do: every call ends in time with a result or a typed error, it can be captured, forked and
// closed, and a sound instance of the same component goes on.
//
// edits is a list of pairs of 32-bit words, a place and what goes there: in the lines, or with the
// highest bit set in the globals.
func FuzzResume(f *testing.F) {
	const callTime = 100 * time.Millisecond
	e, err := engine.New(engine.Config{
		Runtimes: allRuntimes(), CacheDir: sharedCache, VerifyReset: true, Log: slog.New(slog.DiscardHandler),
		Limits: engine.Limits{Memory: 64 << 20, CallTime: time.Minute, HostTime: time.Second},
	})
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, e.Close()) })
	opt := &engine.Options{Grants: faultSet(f)}
	hostile := &engine.Options{Grants: opt.Grants, Limits: engine.Limits{CallTime: callTime}}
	type victim struct {
		sound  *engine.Instance
		asleep *snapshot.Delta // in a call
		idle   *snapshot.Delta
	}
	var victims []victim
	for _, name := range []string{"caller.js", "caller.py"} {
		var v victim
		c := compile(f, e, name, callers[name])
		v.sound, err = c.Open(context.Background(), opt)
		require.NoError(f, err)
		f.Cleanup(func() { v.sound.Close() })
		_, err = v.sound.Call(context.Background(), "add", nil)
		require.NoError(f, err)
		v.idle, err = v.sound.Snapshot(context.Background())
		require.NoError(f, err)
		in, err := c.Open(context.Background(), opt)
		require.NoError(f, err)
		_, err = in.Call(context.Background(), "all", props{"name": "app.later", "count": 3})
		require.ErrorIs(f, err, engine.ErrSuspended)
		v.asleep, err = in.Snapshot(context.Background())
		require.NoError(f, err)
		require.NoError(f, in.Close())
		victims = append(victims, v)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for way := range uint8(4) {
		f.Add(way, []byte{}, []byte{})
		d := victims[way&1].asleep
		f.Add(way|2, []byte{}, d.Meta())
		for _, n := range []int{1, 30, 1000} {
			var edits []byte
			for range n {
				edits = binary.LittleEndian.AppendUint32(edits, rnd.Uint32()>>1|uint32(rnd.IntN(8)/7)<<31)
				edits = binary.LittleEndian.AppendUint32(edits, rnd.Uint32()>>rnd.IntN(32))
			}
			f.Add(way, edits, []byte{})
		}
	}
	f.Fuzz(func(t *testing.T, way uint8, edits, meta []byte) {
		v := victims[way&1]
		d := v.idle
		if way&2 != 0 {
			d = v.asleep
		}
		p := params(d)
		for ; len(edits) >= 8; edits = edits[8:] {
			place, value := binary.LittleEndian.Uint32(edits), binary.LittleEndian.Uint32(edits[4:])
			if place>>31 == 1 {
				p.Globals[int(place&^(1<<31))%len(p.Globals)] = uint64(value)
			} else {
				binary.LittleEndian.PutUint32(p.Lines[int(place)%(len(p.Lines)-3):], value)
			}
		}
		if len(meta) > 0 {
			p.Meta = meta
		}
		forged, err := snapshot.NewDelta(p)
		if err != nil {
			return // lines that are none
		}
		begin := time.Now()
		if err := use(e, forged, hostile); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > 20*time.Second { // a fuzzer's machine is busy
			t.Fatalf("took %v", took)
		}
		r, err := v.sound.Call(context.Background(), "render", nil)
		if err != nil || r.Text() != "1" {
			t.Fatalf("the sound instance: %v, %v", r, err)
		}
		if s := e.Stats(); s.Instances != len(victims) {
			t.Fatalf("%d instances are open", s.Instances)
		}
	})
}

// use does what can be done with an instance, which must not be more than that.
func use(e *engine.Engine, d *snapshot.Delta, opt *engine.Options) error {
	ctx := context.Background()
	typed := func(r *engine.Result, err error) error {
		if err != nil && !errors.Is(err, engine.ErrSuspended) && !errors.Is(err, engine.ErrInstance) && !errors.Is(err, engine.ErrMismatch) &&
			outcomeOf(r, err).short == "untyped" {
			return err
		}
		return checkError(err)
	}
	in, err := e.Resume(ctx, d, opt)
	if err != nil {
		return typed(nil, err)
	}
	defer in.Close()
	list, err := in.Pending(ctx)
	if err != nil {
		return err
	}
	for _, p := range list {
		if err := in.Answer(ctx, p.Number, nil, nil); err != nil && !errors.Is(err, engine.ErrNoCall) {
			return err
		}
	}
	for range 2 {
		if err := typed(in.Continue(ctx)); err != nil {
			return err
		}
	}
	if err := typed(in.Call(ctx, "wait", props{"name": "app.nothing"})); err != nil {
		return err
	}
	fork, err := in.Fork(ctx)
	if err != nil {
		return err
	}
	defer fork.Close()
	if err := typed(fork.Call(ctx, "render", nil)); err != nil {
		return err
	}
	d, err = in.Snapshot(ctx)
	if err != nil {
		return err
	}
	again, err := e.Resume(ctx, d, opt)
	if err != nil {
		return err
	}
	return again.Close()
}
