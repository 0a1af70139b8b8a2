package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/snapshot"
)

// params takes a snapshot of an instance apart.
func params(d *snapshot.Delta) snapshot.DeltaParams {
	return snapshot.DeltaParams{Runtime: d.Info().Runtime, Base: d.Info().Base, Lines: bytes.Clone(d.Lines()), Globals: d.Globals(), Meta: d.Meta()}
}

// sleeper returns an instance that waits for an answer and for a time.
func sleeper(t testing.TB, e *engine.Engine, opt *engine.Options) (*engine.Instance, *snapshot.Delta) {
	t.Helper()
	c := compile(t, e, "caller.js", callers["caller.js"])
	in, err := c.Open(context.Background(), opt)
	require.NoError(t, err)
	t.Cleanup(func() { in.Close() })
	_, err = in.Call(context.Background(), "race", props{"name": "app.later"})
	require.ErrorIs(t, err, engine.ErrSuspended)
	d, err := in.Snapshot(context.Background())
	require.NoError(t, err)
	return in, d
}

// TestResumeRefuses forges snapshots in every part.
func TestResumeRefuses(t *testing.T) {
	opt := &engine.Options{Grants: faultSet(t), Limits: engine.Limits{Memory: 32 << 20}}
	_, d := sleeper(t, shared, opt)
	meta := func(change func(map[string]any)) func(*snapshot.DeltaParams) {
		return func(p *snapshot.DeltaParams) {
			var m map[string]any
			require.NoError(t, json.Unmarshal(p.Meta, &m))
			change(m)
			var err error
			p.Meta, err = json.Marshal(m)
			require.NoError(t, err)
		}
	}
	set := func(name string, value any) func(*snapshot.DeltaParams) {
		return meta(func(m map[string]any) { m[name] = value })
	}
	pending := func(name string, value any) func(*snapshot.DeltaParams) {
		return meta(func(m map[string]any) { m["pending"].([]any)[0].(map[string]any)[name] = value })
	}
	call := func(name string, value any) func(*snapshot.DeltaParams) {
		return meta(func(m map[string]any) { m["call"].(map[string]any)[name] = value })
	}
	pages := func(n uint32) func(*snapshot.DeltaParams) {
		return func(p *snapshot.DeltaParams) { p.Lines = binary.LittleEndian.AppendUint32(nil, n) }
	}
	for name, c := range map[string]struct {
		forge func(*snapshot.DeltaParams)
		want  error
		limit string
	}{
		"runtime":          {func(p *snapshot.DeltaParams) { p.Runtime[0]++ }, engine.ErrMismatch, ""},
		"component":        {func(p *snapshot.DeltaParams) { p.Base[0]++ }, engine.ErrMismatch, ""},
		"too few globals":  {func(p *snapshot.DeltaParams) { p.Globals = nil }, engine.ErrInstance, ""},
		"too many globals": {func(p *snapshot.DeltaParams) { p.Globals = append(p.Globals, 1) }, engine.ErrInstance, ""},
		"too little":       {pages(1), engine.ErrInstance, ""},
		"too much":         {pages(600), nil, "Memory"},
		"no meta":          {func(p *snapshot.DeltaParams) { p.Meta = nil }, engine.ErrInstance, ""},
		"no JSON":          {func(p *snapshot.DeltaParams) { p.Meta = p.Meta[1:] }, engine.ErrInstance, ""},
		"unknown field":    {set("more", 1), engine.ErrInstance, ""},
		"version":          {set("version", 2), engine.ErrInstance, ""},
		"no ID":            {set("instance", ""), engine.ErrInstance, ""},
		"short ID":         {set("instance", "00ff"), engine.ErrInstance, ""},
		"long ID":          {set("instance", strings.Repeat("00ff", 100)), engine.ErrInstance, ""},
		"ID":               {set("instance", strings.Repeat("x", 32)), engine.ErrInstance, ""},
		"epoch":            {set("epoch", -1), engine.ErrInstance, ""},
		"last ID":          {set("lastID", 0), engine.ErrInstance, ""},
		"sleep":            {set("sleeps", []any{props{"id": 2, "due": -5}}), engine.ErrInstance, ""},
		"sleep twice":      {set("sleeps", []any{props{"id": 2, "due": 1}, props{"id": 2, "due": 1}}), engine.ErrInstance, ""},
		"frame":            {pending("frame", []byte{1}), engine.ErrInstance, ""},
		"argument":         {pending("frame", []byte{1, 0, 0, 0, 0, 0, 0, 0, '{'}), engine.ErrInstance, ""},
		"reply":            {pending("reply", []byte{1, 2}), engine.ErrInstance, ""},
		"empty reply":      {pending("reply", []byte{}), engine.ErrInstance, ""},
		"number":           {pending("id", 1<<20), engine.ErrInstance, ""},
		"function":         {call("function", ""), engine.ErrInstance, ""},
		"time":             {call("time", -1), engine.ErrInstance, ""},
		"budget":           {call("made", props{"app.later": -1}), engine.ErrInstance, ""},
		"clock":            {set("fixed", props{"start": 0, "elapsed": -1, "random": []byte{}}), engine.ErrInstance, ""},
		"random":           {set("fixed", props{"start": 0, "elapsed": 1, "random": []byte("x")}), engine.ErrInstance, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := params(d)
			c.forge(&p)
			forged, err := snapshot.NewDelta(p)
			require.NoError(t, err)
			before := shared.Stats()
			_, err = shared.Resume(t.Context(), forged, opt)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
			} else {
				require.Equal(t, c.limit, limitOf(err))
			}
			require.Equal(t, before.Instances, shared.Stats().Instances)
			require.Equal(t, before.Parked, shared.Stats().Parked)
		})
	}
	small := *opt
	small.Limits.State = 1 << 10
	_, err := shared.Resume(t.Context(), d, &small)
	require.Equal(t, "State", limitOf(err))
}

// TestSnapshotIsDamaged: not a byte of a stored snapshot can be another, or missing.
func TestSnapshotIsDamaged(t *testing.T) {
	_, d := sleeper(t, shared, &engine.Options{Grants: faultSet(t)})
	var b bytes.Buffer
	_, err := d.WriteTo(&b)
	require.NoError(t, err)
	file := b.Bytes()
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		at := r.IntN(len(file))
		damaged := bytes.Clone(file)
		damaged[at] ^= 1 << r.IntN(8)
		_, err := snapshot.ReadDelta(bytes.NewReader(damaged), 64<<20)
		require.Error(t, err, "byte %d of %d", at, len(file))
		_, err = snapshot.ReadDelta(bytes.NewReader(file[:at]), 64<<20)
		require.Error(t, err, "%d bytes of %d", at, len(file))
	}
}

// TestUpgrade: sessions of a component that was replaced go on once the old one can be had.
func TestUpgrade(t *testing.T) {
	opt := &engine.Options{Grants: faultSet(t)}
	old := newEngine(t, engine.Config{})
	in, d := sleeper(t, old, opt)
	image, err := in.Component().Snapshot(t.Context())
	require.NoError(t, err)

	// Whoever is asleep while its component is closed cannot be called, but captured.
	require.NoError(t, in.Component().Close())
	_, err = in.Continue(t.Context())
	require.ErrorIs(t, err, engine.ErrClosed)
	d2, err := in.Snapshot(t.Context())
	require.NoError(t, err)
	require.Equal(t, d.Lines(), d2.Lines())
	require.Equal(t, d.Globals(), d2.Globals())

	for _, mode := range []engine.Isolation{engine.InProcess, engine.Subprocess} {
		t.Run(mode.String(), func(t *testing.T) {
			fetch := false
			e := newEngine(t, engine.Config{Isolation: mode, Workers: 1, Fetch: func(_ context.Context, digest snapshot.Digest) (*snapshot.Snapshot, error) {
				if !fetch {
					return nil, errNoRows
				}
				return image.Clone()
			}})
			next := compile(t, e, "caller.js", callers["caller.js"]+"\nexport const v2 = () => 2;")
			_, err := next.Resume(t.Context(), d2, opt)
			require.ErrorIs(t, err, engine.ErrMismatch)
			require.ErrorContains(t, err, next.Digest().String())
			require.ErrorContains(t, err, image.Digest().String())
			_, err = e.Resume(t.Context(), d2, opt)
			require.ErrorIs(t, err, engine.ErrMismatch)
			require.ErrorIs(t, err, errNoRows)
			fetch = true
			there, err := e.Resume(t.Context(), d2, opt)
			require.NoError(t, err)
			defer there.Close()
			list, err := there.Pending(t.Context())
			require.NoError(t, err)
			require.Len(t, list, 2)
			require.NoError(t, there.Answer(t.Context(), list[0].Number, nil, nil))
			r, err := there.Continue(t.Context())
			require.NoError(t, err)
			require.Equal(t, "answer", r.Text())
		})
	}
}

// TestFetchOnce: a component that many sessions want is fetched once; who waits for it waits
// as long as its own context lets it, and delays no others.
func TestFetchOnce(t *testing.T) {
	opt := &engine.Options{Grants: faultSet(t)}
	in, d := sleeper(t, shared, opt)
	image, err := in.Component().Snapshot(t.Context())
	require.NoError(t, err)
	other := compile(t, shared, "other.js", callers["caller.js"])
	otherImage, err := other.Snapshot(t.Context())
	require.NoError(t, err)
	second, err := other.Open(t.Context(), opt)
	require.NoError(t, err)
	defer second.Close()
	d2, err := second.Snapshot(t.Context())
	require.NoError(t, err)

	var fetched atomic.Int64
	begun, release := make(chan struct{}), make(chan struct{})
	e := newEngine(t, engine.Config{Fetch: func(ctx context.Context, digest snapshot.Digest) (*snapshot.Snapshot, error) {
		if digest == otherImage.Digest() {
			return otherImage.Clone()
		}
		if fetched.Add(1) == 1 { // the first one gives up
			close(begun)
			<-ctx.Done()
			return nil, ctx.Err()
		}
		<-release
		return image.Clone()
	}})
	first, giveUp := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := e.Resume(first, d, opt)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the first: %v", err)
		}
	})
	<-begun
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = e.Resume(short, d, opt)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	for range 8 {
		wg.Go(func() {
			in, err := e.Resume(context.Background(), d, opt)
			if err != nil {
				t.Error(err)
				return
			}
			in.Close()
		})
	}
	there, err := e.Resume(t.Context(), d2, opt) // while the other is being fetched
	require.NoError(t, err)
	require.NoError(t, there.Close())
	giveUp()
	close(release)
	wg.Wait()
	require.Equal(t, int64(2), fetched.Load())
	require.Equal(t, 2, e.Stats().Components)
}

// TestInstancesBound: there are only so many, of whatever origin.
func TestInstancesBound(t *testing.T) {
	opt := &engine.Options{Grants: faultSet(t)}
	e := newEngine(t, engine.Config{Instances: 2})
	in, d := sleeper(t, e, opt)
	f, err := in.Fork(t.Context())
	require.NoError(t, err)
	parked := e.Stats().Parked
	_, err = in.Fork(t.Context())
	require.Equal(t, "Instances", limitOf(err))
	_, err = e.Resume(t.Context(), d, opt)
	require.Equal(t, "Instances", limitOf(err))
	none, err := in.Component().Open(t.Context(), opt)
	require.Equal(t, "Instances", limitOf(err))
	require.Nil(t, none)
	require.Equal(t, parked, e.Stats().Parked)
	require.NoError(t, f.Close())
	f, err = in.Fork(t.Context())
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// TestStateBound: a call that leaves too much is taken back.
func TestStateBound(t *testing.T) {
	sources := map[string]string{
		"keeper.js": `let n = 0, kept = []; export const render = () => n;
export const keep = p => { n++; kept.push("x".repeat(p.bytes)); if (p.fail) throw new Error("no"); return n }`,
		"keeper.py": `n = 0; kept = []
def render(): return n
def keep(p):
    global n
    n += 1
    kept.append("x" * p["bytes"])
    if p.get("fail"): raise ValueError("no")
    return n`,
	}
	opt := &engine.Options{Limits: engine.Limits{State: 256 << 10}}
	eachOf(t, sources, opt, func(t *testing.T, in *engine.Instance) {
		require.Equal(t, "1", text(t, in, "keep", props{"bytes": 1000}))
		for _, fail := range []bool{false, true} {
			_, err := in.Call(t.Context(), "keep", props{"bytes": 1 << 20, "fail": fail})
			require.Equal(t, "State", limitOf(err), fmt.Sprint(err))
			require.Equal(t, "1", text(t, in, "render", nil))
		}
		require.Equal(t, "2", text(t, in, "keep", props{"bytes": 1000}))
	})
}
