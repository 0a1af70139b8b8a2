package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
)

// hostCallers are components that make the host calls in their props, all at once,
// and return what became of each.
var hostCallers = map[string]string{
	"calls.js": `import { call, callSync, HostError } from "spore";
const one = async c => {
	try { return { v: (c.sync ? callSync(c.name, c.arg) : await call(c.name, c.arg)) ?? null } }
	catch (e) { if (!(e instanceof HostError)) throw e; return { code: e.code, message: e.message } }
};
export const render = async p => p.bare ? await call(p.bare, {}) : await Promise.all(p.calls.map(one));`,
	"calls.py": `import asyncio, spore
async def one(c):
    args = [c["arg"]] if "arg" in c else []
    try:
        return {"v": spore.call_sync(c["name"], *args) if c.get("sync") else await spore.call(c["name"], *args)}
    except spore.HostError as e:
        return {"code": e.code, "message": e.message}
async def render(p):
    if "bare" in p:
        return await spore.call(p["bare"], {})
    return list(await asyncio.gather(*[one(c) for c in p["calls"]]))`,
}

var errNoRows = errors.New("postgres://user:hunter2@db: no rows")

type addition struct {
	A int `json:"a" jsonschema:"the first"`
	B int `json:"b,omitempty"`
}

// hostSet has functions that end in every way.
func hostSet(t testing.TB) hostfuncs.Set {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	tune := func(f hostfuncs.Func, change func(*hostfuncs.Func)) hostfuncs.Func {
		change(&f)
		return f
	}
	type none = struct{}
	meet := make(chan struct{})
	var arrived atomic.Int64
	s, err := hostfuncs.NewSet(
		hostfuncs.New("math.add", "Adds.", func(_ context.Context, in addition) (int, error) { return in.A + in.B, nil }),
		hostfuncs.New("app.nothing", "", func(context.Context, none) (none, error) { return none{}, nil }),
		tune(hostfuncs.New("app.quick", "", func(_ context.Context, in addition) (int, error) { return 100 / (in.A - in.B), nil }),
			func(f *hostfuncs.Func) { f.Quick = true }),
		hostfuncs.New("app.refuse", "", func(context.Context, none) (none, error) {
			return none{}, fmt.Errorf("wrapped: %w", hostfuncs.Errorf("no_stock", "nothing is left"))
		}),
		hostfuncs.New("app.fail", "", func(context.Context, none) (none, error) { return none{}, errNoRows }),
		hostfuncs.New("app.panic", "", func(context.Context, none) (none, error) { panic("hunter2") }),
		tune(hostfuncs.New("app.hang", "", func(context.Context, none) (none, error) { <-hang; return none{}, nil }),
			func(f *hostfuncs.Func) { f.Timeout = 30 * time.Millisecond }),
		tune(hostfuncs.New("app.wait", "", func(ctx context.Context, _ none) (none, error) { <-ctx.Done(); return none{}, ctx.Err() }),
			func(f *hostfuncs.Func) { f.Timeout = time.Minute }),
		hostfuncs.New("app.meet", "", func(ctx context.Context, _ none) (int, error) {
			if arrived.Add(1) == maxMeet {
				close(meet)
			}
			select {
			case <-meet:
				return maxMeet, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}),
		hostfuncs.Raw("app.echo", "", func(_ context.Context, v hostfuncs.Value) (hostfuncs.Value, error) { return v, nil }),
		hostfuncs.Raw("app.junk", "", func(context.Context, hostfuncs.Value) (hostfuncs.Value, error) {
			return hostfuncs.Value{JSON: []byte(`{"a":`)}, nil
		}),
		hostfuncs.Raw("app.lost", "", func(context.Context, hostfuncs.Value) (hostfuncs.Value, error) {
			return hostfuncs.Value{JSON: []byte(`{"$bytes":1}`), Buffers: [][]byte{{1}}}, nil
		}),
		tune(hostfuncs.New("app.once", "", func(context.Context, none) (int, error) { return 1, nil }),
			func(f *hostfuncs.Func) { f.MaxCalls = 1 }),
		tune(hostfuncs.New("app.small", "", func(_ context.Context, in struct {
			N    int    `json:"n"`
			Text string `json:"text,omitempty"`
		}) (string, error) {
			return strings.Repeat("x", in.N), nil
		}), func(f *hostfuncs.Func) { f.MaxArg, f.MaxResult = 100, 100 }),
		tune(hostfuncs.New("app.door", "", func(context.Context, none) (int, error) { return 1, nil }),
			func(f *hostfuncs.Func) {
				f.Check = func(context.Context, hostfuncs.Value) error { return errNoRows }
			}),
		hostfuncs.New("app.who", "", func(ctx context.Context, _ none) (hostfuncs.Caller, error) { return hostfuncs.CallerOf(ctx), nil }),
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// maxMeet is how many calls app.meet waits for.
const maxMeet = 60

type hostCase struct {
	Name string          `json:"name"`
	Arg  json.RawMessage `json:"arg,omitempty"`
	Sync bool            `json:"sync,omitempty"`

	want string // a JSON object: the value, or the error's code and part of its message
}

var hostCases = []hostCase{
	{Name: "math.add", Arg: json.RawMessage(`{"a":1,"b":2}`), want: `{"v":3}`},
	{Name: "math.add", Arg: json.RawMessage(`{"a":1}`), want: `{"v":1}`},
	{Name: "math.add", Arg: json.RawMessage(`{"a":1,"c":2}`), want: `{"code":"invalid_argument","message":"c"}`},
	{Name: "math.add", Arg: json.RawMessage(`{"a":"1"}`), want: `{"code":"invalid_argument","message":"a"}`},
	{Name: "math.add", Arg: json.RawMessage(`{"a":1.5}`), want: `{"code":"invalid_argument","message":"a"}`},
	{Name: "math.add", Arg: json.RawMessage(`[1]`), want: `{"code":"invalid_argument","message":"math.add"}`},
	{Name: "math.add", want: `{"code":"invalid_argument","message":"a"}`},
	{Name: "app.nothing", want: `{"v":{}}`},
	{Name: "app.quick", Arg: json.RawMessage(`{"a":3,"b":1}`), want: `{"v":50}`},
	{Name: "app.quick", Arg: json.RawMessage(`{"a":1,"b":1}`), want: `{"code":"internal","message":"the host function failed"}`},
	{Name: "app.refuse", want: `{"code":"no_stock","message":"nothing is left"}`},
	{Name: "app.fail", want: `{"code":"internal","message":"the host function failed"}`},
	{Name: "app.panic", want: `{"code":"internal","message":"the host function failed"}`},
	{Name: "app.hang", want: `{"code":"timeout","message":"30ms"}`},
	{Name: "app.junk", want: `{"code":"internal","message":"the host function failed"}`},
	{Name: "app.lost", want: `{"code":"internal","message":"the host function failed"}`},
	{Name: "app.door", want: `{"code":"denied","message":"the host does not allow this"}`},
	{Name: "app.small", Arg: json.RawMessage(`{"n":90}`), want: `{"v":"` + strings.Repeat("x", 90) + `"}`},
	{Name: "app.small", Arg: json.RawMessage(`{"n":1000}`), want: `{"code":"too_large","message":"1002 bytes"}`},
	{Name: "app.small", Arg: json.RawMessage(`{"n":1,"text":"` + strings.Repeat("y", 100) + `"}`), want: `{"code":"too_large","message":"at most 100"}`},
	{Name: "app.small", Arg: json.RawMessage(`{"n":1,"text":"` + strings.Repeat("y", 3<<20) + `"}`), want: `{"code":"too_large","message":"app.small"}`},
	{Name: "app.absent", want: `{"code":"not_granted","message":"app.absent"}`},
	{Name: "spore.secret", want: `{"code":"not_granted","message":"spore.secret"}`},
	{Name: strings.Repeat("n", 5000), want: `{"code":"not_granted","message":"nnn"}`},
	{Name: "app.echo", Arg: json.RawMessage(`{"ä":[1,null,"\u0000"],"__proto__":{"x":1}}`), want: `{"v":{"ä":[1,null,"\u0000"],"__proto__":{"x":1}}}`},
}

func hostEngines(t *testing.T) map[string]*engine.Engine {
	quiet := slog.New(slog.DiscardHandler) // panics are logged
	return map[string]*engine.Engine{
		"in process": newEngine(t, engine.Config{Log: quiet}),
		"subprocess": newEngine(t, engine.Config{Log: quiet, Isolation: engine.Subprocess, Workers: 2}),
	}
}

func TestHostCalls(t *testing.T) {
	grants := hostSet(t)
	for mode, e := range hostEngines(t) {
		for name, code := range hostCallers {
			t.Run(mode+"/"+name, func(t *testing.T) {
				c := compile(t, e, name, code)
				calls := slices.Clone(hostCases)
				for _, hc := range hostCases {
					hc.Sync = true
					calls = append(calls, hc)
				}
				var audited []engine.HostCall
				var mu sync.Mutex
				opt := &engine.Options{Grants: grants, Tenant: "t", Audit: func(h engine.HostCall) {
					mu.Lock()
					defer mu.Unlock()
					audited = append(audited, h)
				}}
				r, err := c.Render(t.Context(), map[string]any{"calls": calls}, opt)
				if err != nil {
					t.Fatal(err)
				}
				var got []struct {
					V             json.RawMessage
					Code, Message string
				}
				if err := r.Decode(&got); err != nil || len(got) != len(calls) {
					t.Fatalf("%d results, %v", len(got), err)
				}
				for i, hc := range calls {
					var want struct {
						V             json.RawMessage
						Code, Message string
					}
					json.Unmarshal([]byte(hc.want), &want)
					if !sameJSON(got[i].V, want.V) || got[i].Code != want.Code || !strings.Contains(got[i].Message, want.Message) {
						t.Errorf("%.40s(%.60s) sync %v: got %s %s %.200s, want %s", hc.Name, hc.Arg, hc.Sync, got[i].V, got[i].Code, got[i].Message, hc.want)
					}
					if strings.Contains(got[i].Message, "hunter2") {
						t.Errorf("%s: the guest sees %q", hc.Name, got[i].Message)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				// What no function takes need not get as far as the embedder.
				if len(audited) < len(calls)-2 {
					t.Errorf("%d of %d calls were audited", len(audited), len(calls))
				}
				for _, h := range audited {
					if h.Tenant != "t" || h.Component != name || h.Number == 0 || h.Duration < 0 || h.Argument == 0 || h.Result == 0 {
						t.Errorf("audited %+v", h)
					}
				}
				if r.Usage.Host <= 0 {
					t.Errorf("usage %+v", r.Usage)
				}
			})
		}
	}
}

// sameJSON reports whether two JSON texts have the same value.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	json.Unmarshal(a, &x)
	json.Unmarshal(b, &y)
	xs, _ := json.Marshal(x)
	ys, _ := json.Marshal(y)
	return bytes.Equal(xs, ys)
}

// Calls that are awaited together run together.
func TestHostCallsAreConcurrent(t *testing.T) {
	for mode, e := range hostEngines(t) {
		for name, code := range hostCallers {
			calls := slices.Repeat([]hostCase{{Name: "app.meet"}}, maxMeet)
			got := render(t, compile(t, e, name, code), map[string]any{"calls": calls}, &engine.Options{Grants: hostSet(t)})
			if n := strings.Count(got, `"v"`); n != maxMeet {
				t.Errorf("%s, %s: %d of %d calls met: %s", mode, name, n, maxMeet, got)
			}
		}
	}
}

func TestHostErrorsReachTheEmbedder(t *testing.T) {
	grants := hostSet(t)
	for mode, e := range hostEngines(t) {
		for name, code := range hostCallers {
			c := compile(t, e, name, code)
			_, err := c.Render(t.Context(), map[string]string{"bare": "app.fail"}, &engine.Options{Grants: grants})
			var ge *engine.GuestError
			if !errors.As(err, &ge) || ge.HostCall != 1 || !errors.Is(err, errNoRows) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s, %s: %+v", mode, name, err)
			}
			_, err = c.Render(t.Context(), map[string]string{"bare": "app.panic"}, &engine.Options{Grants: grants})
			var pe *hostfuncs.PanicError
			if !errors.As(err, &pe) || pe.Func != "app.panic" || pe.Value != "hunter2" || len(pe.Stack) == 0 {
				t.Errorf("%s, %s: %+v", mode, name, err)
			}
		}
	}
}

// What a call may do ends with the call, and what it was granted is not granted to the next.
func TestHostCallsEndWithTheCall(t *testing.T) {
	for mode, e := range hostEngines(t) {
		for name, code := range hostCallers {
			t.Run(mode+"/"+name, func(t *testing.T) {
				grants := hostSet(t)
				c := compile(t, e, name, code)
				wait := map[string]any{"bare": "app.wait"}
				sync := map[string]any{"calls": []hostCase{{Name: "app.wait", Sync: true}}}
				begun, ended := make(chan struct{}, 1), make(chan string, 1)
				f := hostfuncs.New("app.wait", "", func(ctx context.Context, _ struct{}) (struct{}, error) {
					begun <- struct{}{}
					<-ctx.Done()
					return struct{}{}, ctx.Err()
				})
				f.Timeout = time.Minute
				waits, err := hostfuncs.NewSet(f)
				if err != nil {
					t.Fatal(err)
				}
				opt := func(l engine.Limits) *engine.Options {
					return &engine.Options{Grants: waits, Limits: l, Audit: func(h engine.HostCall) { ended <- h.Func }}
				}
				for _, props := range []any{wait, sync} {
					_, err := c.Render(t.Context(), props, opt(engine.Limits{HostTime: 20 * time.Millisecond}))
					if le, ok := errors.AsType[*engine.LimitError](err); !ok || le.Limit != "HostTime" {
						t.Errorf("HostTime: %v", err)
					}
					<-begun
					<-ended // the function has seen the end of its context
					ctx, cancel := context.WithCancel(t.Context())
					go func() { <-begun; cancel() }()
					_, err = c.Render(ctx, props, opt(engine.Limits{}))
					cancel()
					if !errors.Is(err, context.Canceled) {
						t.Errorf("context: %v", err)
					}
					<-ended
				}
				// Time that it waits for the host is not the guest's own.
				slow, err := hostfuncs.NewSet(hostfuncs.New("app.slow", "", func(context.Context, struct{}) (int, error) {
					time.Sleep(1100 * time.Millisecond)
					return 5, nil
				}))
				if err != nil {
					t.Fatal(err)
				}
				l := engine.Limits{CallTime: time.Second}
				for _, block := range []bool{false, true} {
					r, err := c.Render(t.Context(), map[string]any{"calls": []hostCase{{Name: "app.slow", Sync: block}}}, &engine.Options{Grants: slow, Limits: l})
					if err != nil || r.Usage.Host < time.Second {
						t.Errorf("slow host, sync %v: %v, %+v", block, err, r)
					}
				}
				if got := render(t, c, map[string]any{"calls": []hostCase{{Name: "app.slow"}}}, nil); !strings.Contains(got, "not_granted") {
					t.Errorf("without grants: %s", got)
				}
				if got := render(t, c, map[string]any{"calls": []hostCase{{Name: "app.once"}, {Name: "app.once"}}}, &engine.Options{Grants: grants}); !strings.Contains(got, "quota") || !strings.Contains(got, `"v"`) {
					t.Errorf("MaxCalls: %s", got)
				}
			})
		}
	}
}

// With a fixed environment equal functions make equal runs, in whatever order they
// return.
func TestHostCallsWithAFixedEnvironment(t *testing.T) {
	grants, err := hostfuncs.NewSet(hostfuncs.New("app.jitter", "", func(_ context.Context, in addition) (int, error) {
		time.Sleep(rand.N(2 * time.Millisecond))
		return in.A, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	const code = `import { call } from "spore";
const sleep = ms => new Promise(r => setTimeout(r, ms));
export async function render() {
	const order = [];
	await Promise.all([...Array(20).keys()].map(async a => { order.push(await call("app.jitter", { a })); await sleep(a % 3); order.push(-a) }));
	return { order, now: Date.now(), r: Math.random() };
}`
	for mode, e := range hostEngines(t) {
		c := compile(t, e, "fixed.js", code)
		want := ""
		for range 5 {
			got := render(t, c, nil, &engine.Options{Grants: grants, Fixed: &engine.Fixed{Seed: 3}})
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("%s: %s, before %s", mode, got, want)
			}
		}
	}
}

func TestHostBuffers(t *testing.T) {
	const js = `import { call, callSync } from "spore";
export async function render() {
	const a = new Uint8Array(300000).map((_, i) => i * 7), b = new Uint8Array(0);
	const x = await call("app.echo", { a, b: [b, "t"] }), y = callSync("app.echo", a);
	return [x.a.length, x.a.every((v, i) => v === (i * 7) % 256), x.b[0].length, x.b[1], y.length, y.every((v, i) => v === (i * 7) % 256)];
}`
	const py = `import spore
async def render(p):
    a = bytes(i * 7 % 256 for i in range(300000))
    x = await spore.call("app.echo", {"a": a, "b": [b"", "t"]})
    y = spore.call_sync("app.echo", a)
    return [len(x["a"]), x["a"] == a, len(x["b"][0]), x["b"][1], len(y), y == a]`
	grants := hostSet(t)
	for mode, e := range hostEngines(t) {
		for name, code := range map[string]string{"buffers.js": js, "buffers.py": py} {
			got := render(t, compile(t, e, name, code), nil, &engine.Options{Grants: grants})
			if want := `[300000,true,0,"t",300000,true]`; !sameJSON([]byte(got), []byte(want)) {
				t.Errorf("%s, %s: %s, want %s", mode, name, got, want)
			}
		}
	}
}

// A secret that a host function returns is nowhere in the image afterwards, nor in
// what the next render can see.
func TestHostSecretsDoNotStay(t *testing.T) {
	const secret = "s3cr3t-4f9a1c77e2"
	grants, err := hostfuncs.NewSet(hostfuncs.New("app.secret", "", func(context.Context, struct{}) (string, error) { return secret, nil }))
	if err != nil {
		t.Fatal(err)
	}
	for mode, e := range hostEngines(t) {
		for name, code := range map[string]string{
			"secret.js": `import { call } from "spore"; globalThis.kept = []; export async function render(p) { if (p.get) kept.push(await call("app.secret")); return String(kept.length) + kept }`,
			"secret.py": "import spore\nkept = []\nasync def render(p):\n    if p.get('get'): kept.append(await spore.call('app.secret'))\n    return str(len(kept)) + str(kept)",
		} {
			c := compile(t, e, name, code)
			before := snapshotBytes(t, c)
			for range 3 {
				if got := render(t, c, map[string]bool{"get": true}, &engine.Options{Grants: grants}); !strings.Contains(got, secret) || got[0] != '1' {
					t.Errorf("%s, %s: %s", mode, name, got)
				}
				if got := render(t, c, nil, nil); strings.Contains(got, secret) || got[0] != '0' {
					t.Errorf("%s, %s: the next render: %s", mode, name, got)
				}
			}
			s, err := c.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var raw bytes.Buffer
			if _, err := s.WriteRaw(&raw); err != nil {
				t.Fatal(err)
			}
			if after := snapshotBytes(t, c); !bytes.Equal(before, after) || bytes.Contains(raw.Bytes(), []byte(secret)) {
				t.Errorf("%s, %s: the image has changed", mode, name)
			}
			s.Close()
		}
	}
}

// Many guests make calls that end in all ways while others come and go.
func TestHostCallsHammer(t *testing.T) {
	rounds := 30
	if testing.Short() {
		rounds = 5
	}
	before := runtime.NumGoroutine()
	t.Run("", func(t *testing.T) {
		grants := hostSet(t)
		for mode, e := range hostEngines(t) {
			var wg sync.WaitGroup
			for name, code := range hostCallers {
				c := compile(t, e, name, code)
				for worker := range 4 {
					wg.Go(func() {
						rnd := rand.New(rand.NewPCG(uint64(worker), 1))
						for range rounds {
							calls := []hostCase{}
							for range rnd.IntN(20) {
								hc := hostCases[rnd.IntN(len(hostCases))]
								hc.Sync = rnd.IntN(4) == 0
								calls = append(calls, hc)
							}
							if rnd.IntN(5) == 0 {
								calls = append(calls, hostCase{Name: "app.wait"})
							}
							ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rnd.IntN(60))*time.Millisecond)
							_, err := c.Render(ctx, map[string]any{"calls": calls}, &engine.Options{Grants: grants, Tenant: fmt.Sprint(worker % 2)})
							if err != nil && ctx.Err() == nil {
								t.Errorf("%s, %s: %v", mode, name, err)
							}
							cancel()
						}
					})
				}
			}
			wg.Wait()
		}
	})
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
