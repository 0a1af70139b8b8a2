package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/snapshot"
	"github.com/sporeengine/spore/snapshot/store"
)

// killedWorker is the name of a process that works on instances until it is killed.
const killedWorker = "spore-test-killed"

// ledgers are components that count, and tell the host each number before they have it.
var ledgers = map[string]string{
	"ledger.js": `import { call } from "spore";
let n = 0;
export const render = () => n;
export const add = async () => { await call("app.mark", { n: n + 1 }); return ++n; };
export const ask = async () => { await call("app.mark", { n: n + 1 }); n += await call("app.ask", {}); return n; };`,
	"ledger.py": `import spore
n = 0
def render(): return n
async def add():
    global n
    await spore.call("app.mark", {"n": n + 1})
    n += 1
    return n
async def ask():
    global n
    await spore.call("app.mark", {"n": n + 1})
    n += await spore.call("app.ask", {})
    return n`,
}

// TestInstancesKilled kills a process again and again while it calls, parks, suspends, stores and resumes
// instances, some of them in the middle of an await. What was acknowledged must be there, and goes on in another
// process. The host function sees each number under one key, however often the call was made.
//
// SPORE_KILLS is the number of kills; 15 unless it is set.
func TestInstancesKilled(t *testing.T) {
	kills := 15
	if testing.Short() {
		kills = 5
	}
	if s := os.Getenv("SPORE_KILLS"); s != "" {
		var err error
		kills, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	dir := t.TempDir()
	tried, acked, keys := map[string]int{}, map[string]int{}, map[string]string{}
	acks := 0
	for round := range kills {
		// The clock jumps, so that the leases of the dead are over.
		offset := time.Duration(round) * time.Hour
		cmd := exec.Command(os.Args[0])
		cmd.Args = []string{killedWorker, dir, offset.String(), sharedCache}
		var out bytes.Buffer
		began := make(chan struct{})
		var failure bytes.Buffer
		cmd.Stdout, cmd.Stderr = &firstWrite{&out, began}, &failure
		require.NoError(t, cmd.Start())
		ended := make(chan struct{})
		go func() {
			cmd.Wait() // the error is that it was killed; what is wrong it says
			close(ended)
		}()
		select {
		case <-began:
		case <-ended: // by itself
		}
		time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
		cmd.Process.Kill()
		<-ended
		require.Empty(t, failure.String(), "round %d", round)
		for line := range strings.Lines(out.String()) {
			var what, id, key string
			var n int
			_, err := fmt.Sscan(line, &what, &id, &n, &key)
			require.NoError(t, err, "the process says %q", line)
			switch what {
			case "try":
				tried[id] = max(tried[id], n)
			case "ack":
				acked[id] = max(acked[id], n)
				acks++
			case "mark":
				at := fmt.Sprint(id, " ", n)
				if was, ok := keys[key]; ok {
					require.Equal(t, was, at, "one key for two calls")
				}
				keys[key] = at
			default:
				t.Fatalf("the process says %q", line)
			}
		}
	}
	w, err := newKillWorker(dir, time.Duration(kills)*time.Hour, shared)
	require.NoError(t, err)
	defer w.store.Close()
	for id, n := range acked {
		l, in, err := w.take(t.Context(), id)
		require.NoError(t, err, "%s, of which %d is acknowledged", id, n)
		_, err = w.finish(t.Context(), in)
		require.NoError(t, err)
		got, err := strconv.Atoi(text(t, in, "render", nil))
		require.NoError(t, err)
		// A call that waits for an answer has that before it.
		require.GreaterOrEqual(t, got, n, id)
		require.LessOrEqual(t, got, tried[id], id)
		require.NoError(t, in.Close())
		_, err = l.Release(t.Context())
		require.NoError(t, err)
	}
	t.Logf("%d kills, %d acknowledged states of %d instances, %d host calls", kills, acks, len(acked), len(keys))
	require.Greater(t, acks, kills/4)
}

// A firstWrite closes a channel at the first write.
type firstWrite struct {
	b     *bytes.Buffer
	began chan struct{}
}

func (w *firstWrite) Write(p []byte) (int, error) {
	if w.b.Len() == 0 {
		close(w.began)
	}
	return w.b.Write(p)
}

// A killWorker works on instances that it keeps in a directory.
type killWorker struct {
	engine     *engine.Engine
	store      *store.Dir
	sessions   *store.Sessions
	components map[string]*engine.Component
	id         string // of the session at hand
}

func newKillWorker(dir string, offset time.Duration, e *engine.Engine) (*killWorker, error) {
	w := &killWorker{engine: e, components: map[string]*engine.Component{}}
	var err error
	if w.store, err = store.OpenDir(filepath.Join(dir, "sessions")); err != nil {
		return nil, err
	}
	w.sessions, err = store.NewSessions(store.SessionsConfig{Store: w.store, Keys: []store.Key{{ID: 1, Secret: [store.KeyBytes]byte{1}}},
		Now: func() time.Time { return time.Now().Add(offset) }})
	if err != nil {
		return nil, err
	}
	for name, code := range ledgers {
		if w.components[name], err = e.Compile(context.Background(), engine.Source{Name: name, Code: []byte(code)}); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// say is one write, which a pipe takes whole or not at all.
func say(what, id string, n int, key string) {
	os.Stdout.WriteString(fmt.Sprintln(what, id, n, key))
}

func (w *killWorker) options() *engine.Options {
	mark := hostfuncs.New("app.mark", "", func(ctx context.Context, arg struct {
		N int `json:"n"`
	}) (int, error) {
		say("mark", w.id, arg.N, hostfuncs.CallerOf(ctx).Key)
		return arg.N, nil
	})
	ask := hostfuncs.New("app.ask", "", func(context.Context, struct{}) (int, error) { return 0, hostfuncs.ErrLater })
	grants, err := hostfuncs.NewSet(mark, ask)
	if err != nil {
		panic(err)
	}
	return &engine.Options{Grants: grants}
}

// take resumes a session, or begins it.
func (w *killWorker) take(ctx context.Context, id string) (*store.Lease, *engine.Instance, error) {
	w.id = id
	name, _, _ := strings.Cut(id, "-")
	c := w.components[name]
	token, err := w.sessions.Recover(ctx, "acme", id)
	if errors.Is(err, store.ErrNotFound) {
		in, err := c.Open(ctx, w.options())
		if err != nil {
			return nil, nil, err
		}
		defer in.Close()
		r, err := w.record(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		say("try", id, 0, "-")
		if token, err = w.sessions.Save(ctx, r); err != nil {
			return nil, nil, err
		}
		say("ack", id, 0, "-")
	} else if err != nil {
		return nil, nil, err
	}
	l, err := w.sessions.Take(ctx, token, store.Want{Tenant: "acme", Component: c.Digest()})
	if err != nil {
		return nil, nil, err
	}
	d, err := snapshot.ParseDelta(l.Record().Payload, 1<<20)
	if err != nil {
		return nil, nil, err
	}
	in, err := w.engine.Resume(ctx, d, w.options())
	return l, in, err
}

func (w *killWorker) record(ctx context.Context, in *engine.Instance) (store.Record, error) {
	d, err := in.Snapshot(ctx)
	if err != nil {
		return store.Record{}, err
	}
	b, err := d.MarshalBinary()
	return store.Record{Tenant: "acme", ID: w.id, Component: in.Component().Digest(), Payload: b}, err
}

// finish answers what the instance waits for, and reports whether it did.
func (w *killWorker) finish(ctx context.Context, in *engine.Instance) (bool, error) {
	pending, err := in.Pending(ctx)
	if err != nil || len(pending) == 0 {
		return false, err
	}
	if len(pending) != 1 || pending[0].Name != "app.ask" || pending[0].Interrupted {
		return false, fmt.Errorf("waits for %+v", pending)
	}
	if err := in.Answer(ctx, pending[0].Number, 1, nil); err != nil {
		return false, err
	}
	_, err = in.Continue(ctx)
	return true, err
}

// step takes a session a few numbers further.
func (w *killWorker) step(ctx context.Context, id string) error {
	l, in, err := w.take(ctx, id)
	if err != nil {
		return err
	}
	defer in.Close()
	waits, err := w.finish(ctx, in)
	if err != nil {
		return err
	}
	r, err := in.Call(ctx, "render", nil)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.Text())
	if err != nil {
		return err
	}
	save := func(n int) error {
		r, err := w.record(ctx, in)
		if err == nil {
			err = l.Checkpoint(ctx, r.Payload)
		}
		if err == nil {
			say("ack", id, n, "-")
		}
		return err
	}
	if waits {
		if err := save(n); err != nil {
			return err
		}
	}
	for range 1 + rand.IntN(4) {
		function := []string{"add", "ask"}[rand.IntN(2)]
		say("try", id, n+1, "-")
		switch _, err := in.Call(ctx, function, nil); {
		case function == "ask" && errors.Is(err, engine.ErrSuspended):
			if rand.IntN(2) == 0 { // left as it waits
				if err := save(n); err != nil {
					return err
				}
				_, err := l.Release(ctx)
				return err
			}
			if _, err := w.finish(ctx, in); err != nil {
				return err
			}
		case err != nil:
			return err
		}
		n++
		if rand.IntN(2) == 0 {
			if err := in.Park(ctx); err != nil {
				return err
			}
		}
		if err := save(n); err != nil {
			return err
		}
	}
	last, err := w.record(ctx, in)
	if err != nil {
		return err
	}
	_, err = l.Save(ctx, last)
	return err
}

// runKilled is the process.
func runKilled(args []string) error {
	offset, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	spill, err := store.OpenDir(filepath.Join(args[0], "parked"))
	if err != nil {
		return err
	}
	e, err := engine.New(engine.Config{Runtimes: allRuntimes(), CacheDir: args[2], Log: slog.New(slog.DiscardHandler), Limits: engine.Limits{CallTime: time.Minute},
		Parking: engine.Parking{CompressAfter: time.Millisecond, StoreAfter: 2 * time.Millisecond, Store: spill}})
	if err != nil {
		return err
	}
	w, err := newKillWorker(args[0], offset, e)
	if err != nil {
		return err
	}
	for {
		id := fmt.Sprintf("%s-%d", []string{"ledger.js", "ledger.py"}[rand.IntN(2)], rand.IntN(3))
		if err := w.step(context.Background(), id); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
}
