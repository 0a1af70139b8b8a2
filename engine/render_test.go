package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
)

func TestRenderReturnsTextOrJSON(t *testing.T) {
	for _, c := range []struct{ name, code, props, text, json string }{
		{"element.tsx", `export default (p: {n: number}) => <b id="x">{p.n}</b>`, `{"n":7}`, `<b id="x">7</b>`, `"\u003cb id=\"x\"\u003e7\u003c/b\u003e"`},
		{"tree.js", `export function render(p) { return {h1: p.a, list: [1, null, true]} }`, `{"a":"é"}`, `{"h1":"é","list":[1,null,true]}`, ``},
		{"nothing.js", `export function render() {}`, `{}`, `null`, ``},
		{"async.tsx", `export async function render() { await new Promise(r => setTimeout(r, 1)); return <i>late</i> }`, `{}`, `<i>late</i>`, `"\u003ci\u003elate\u003c/i\u003e"`},
		{"text.py", "def render(p):\n    return f\"<b>{p['n']:.2f}</b>\"", `{"n":7}`, `<b>7.00</b>`, `"\u003cb\u003e7.00\u003c/b\u003e"`},
		{"tree.py", "def render(p):\n    return {'h1': p['a'], 'list': [1, None, True]}", `{"a":"é"}`, `{"h1":"é","list":[1,null,true]}`, ``},
		{"nothing.py", "def render(p):\n    pass", `{}`, `null`, ``},
		{"async.py", "import asyncio\nasync def render(p):\n    await asyncio.sleep(0.001)\n    return 'late'", `{}`, `late`, `"late"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := compile(t, shared, c.name, c.code).Render(t.Context(), json.RawMessage(c.props), nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.Text() != c.text {
				t.Errorf("text is %s, want %s", r.Text(), c.text)
			}
			if c.json == "" {
				c.json = c.text
			}
			if string(r.JSON()) != c.json {
				t.Errorf("JSON is %s, want %s", r.JSON(), c.json)
			}
			if r.Usage.Guest <= 0 || r.Usage.Memory <= 0 {
				t.Errorf("usage is %+v", r.Usage)
			}
		})
	}
}

func TestBinaryResultsTravelBesideTheJSON(t *testing.T) {
	for name, code := range map[string]string{
		"bytes.js": `export function render() { return {png: new Uint8Array([1, 0, 255]), n: 1} }`,
		"bytes.py": "def render(p):\n    return {'png': bytes([1, 0, 255]), 'n': 1}",
	} {
		r, err := compile(t, shared, name, code).Render(t.Context(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(r.JSON()), `{"png":{"$bytes":0},"n":1}`; got != want {
			t.Errorf("%s: JSON is %s, want %s", name, got, want)
		}
		if len(r.Buffers) != 1 || !bytes.Equal(r.Buffers[0], []byte{1, 0, 255}) {
			t.Errorf("%s: buffers are %v", name, r.Buffers)
		}
	}
}

// Nothing that one render does may be seen by another.
func TestRendersStartFromTheSameState(t *testing.T) {
	for name, code := range map[string]string{
		"count.js": `let n = 0; export function render() { globalThis.x = (globalThis.x ?? 0) + 1; return [++n, globalThis.x] }`,
		"count.py": "n = 0\ndef render(p):\n    global n\n    n += 1\n    return [n, n]",
	} {
		c := compile(t, shared, name, code)
		for range 20 {
			if got := strings.ReplaceAll(render(t, c, nil, nil), " ", ""); got != "[1,1]" {
				t.Fatalf("%s: %s", name, got)
			}
		}
	}
}

const (
	randomJS = `export function render() { return [Math.random(), crypto.randomUUID()].join() }`
	randomPy = "import random, uuid, secrets\nmine = random.Random()\ndef render(p):\n    return f'{random.random()},{mine.random()},{uuid.uuid4()},{secrets.token_hex(8)}'"
)

func TestRandomnessDiffersUnlessFixed(t *testing.T) {
	for name, code := range map[string]string{"random.js": randomJS, "random.py": randomPy} {
		c := compile(t, shared, name, code)
		seen := map[string]bool{}
		const n = 50
		for range n {
			for _, part := range strings.Split(render(t, c, nil, nil), ",") {
				if seen[part] {
					t.Fatalf("%s: %s came twice", name, part)
				}
				seen[part] = true
			}
		}
		fixed := &engine.Options{Fixed: &engine.Fixed{Now: time.Unix(1e9, 0), Seed: 7}}
		first := render(t, c, nil, fixed)
		if second := render(t, c, nil, fixed); first != second {
			t.Errorf("%s: fixed renders differ: %s and %s", name, first, second)
		}
		other := &engine.Options{Fixed: &engine.Fixed{Now: time.Unix(1e9, 0), Seed: 8}}
		for i, part := range strings.Split(render(t, c, nil, other), ",") {
			if part == strings.Split(first, ",")[i] {
				t.Errorf("%s: seeds 7 and 8 both give %s", name, part)
			}
		}
	}
}

func TestFixedClock(t *testing.T) {
	fixed := &engine.Options{Fixed: &engine.Fixed{Now: time.Date(2001, 2, 3, 4, 5, 6, 7e6, time.UTC)}}
	js := compile(t, shared, "clock.js", `
		const loaded = new Date().toISOString();
		export async function render() {
			const a = new Date().toISOString();
			await new Promise(r => setTimeout(r, 3600_000));
			return [loaded, a, new Date().toISOString()];
		}`)
	if got, want := render(t, js, nil, fixed), `["2026-01-01T00:00:00.000Z","2001-02-03T04:05:06.007Z","2001-02-03T05:05:06.007Z"]`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	py := compile(t, shared, "clock.py", `
import asyncio, datetime, time
loaded = datetime.datetime.now(datetime.timezone.utc)
async def render(p):
    a = datetime.datetime.now(datetime.timezone.utc)
    await asyncio.sleep(1800)
    time.sleep(1800)
    return [str(loaded), str(a), str(datetime.datetime.now(datetime.timezone.utc))]
`)
	if got, want := render(t, py, nil, fixed), `["2026-01-01 00:00:00+00:00","2001-02-03 04:05:06.007000+00:00","2001-02-03 05:05:06.007000+00:00"]`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFixedNeedsNoClock(t *testing.T) {
	c := compile(t, shared, "year.js", `export const render = () => new Date().getFullYear()`)
	if got := render(t, c, nil, &engine.Options{Fixed: &engine.Fixed{}}); got != "2026" {
		t.Errorf("zero clock shows %s", got)
	}
	for _, year := range []int{1969, 2201, 9999} {
		opt := &engine.Options{Fixed: &engine.Fixed{Now: time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)}}
		if _, err := c.Render(t.Context(), nil, opt); !errors.Is(err, engine.ErrConfig) {
			t.Errorf("clock in %d: %v", year, err)
		}
	}
}

func TestClockIsLive(t *testing.T) {
	for name, code := range map[string]string{
		"now.js": `export function render() { return Date.now() }`,
		"now.py": "import time\ndef render(p):\n    return int(time.time() * 1000)",
	} {
		r, err := compile(t, shared, name, code).Render(t.Context(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var ms int64
		if err := r.Decode(&ms); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(time.UnixMilli(ms)); d < 0 || d > time.Minute {
			t.Errorf("%s: clock is %v off", name, d)
		}
	}
}

// Many sleepers need no worker: they all wait at the same time.
func TestSleepersDoNotHoldWorkers(t *testing.T) {
	e := newEngine(t, engine.Config{Workers: 1})
	for name, code := range map[string]string{
		"sleep.js": `export async function render() { await new Promise(r => setTimeout(r, 200)); return "ok" }`,
		"sleep.py": "import asyncio\nasync def render(p):\n    await asyncio.gather(asyncio.sleep(0.2), asyncio.sleep(0.1))\n    return 'ok'",
	} {
		c := compile(t, e, name, code)
		const n = 20
		errs := make(chan error, n)
		for range n {
			go func() {
				r, err := c.Render(context.Background(), nil, nil)
				if err == nil && r.Text() != "ok" {
					err = errors.New(r.Text())
				}
				errs <- err
			}()
		}
		for range n {
			if err := <-errs; err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}

func TestConsoleGoesToTheLogger(t *testing.T) {
	for _, c := range []struct{ name, code, want string }{
		{"log.js", `export function render() { console.log("a %s", "b", {c: 1}); console.warn("w"); console.error(new Error("e").message); console.debug("d"); return "" }`,
			"INFO a b { c: 1 }\nWARN w\nERROR e\nDEBUG d\n"},
		{"log.py", "import sys\ndef render(p):\n    print('a', {'b': 1})\n    print('w', file=sys.stderr)\n    print('no newline %s', end='')\n    return ''",
			"INFO a {'b': 1}\nWARN w\nINFO no newline %s\n"},
	} {
		var out bytes.Buffer
		h := slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == slog.MessageKey {
				return slog.Attr{}
			}
			return a
		}})
		render(t, compile(t, shared, c.name, c.code), nil, &engine.Options{Console: slog.New(h)})
		var got strings.Builder
		for line := range strings.Lines(out.String()) {
			line = strings.NewReplacer("level=", "", "component="+c.name+" ", "").Replace(strings.TrimSpace(line))
			level, text, _ := strings.Cut(line, " text=")
			if strings.HasPrefix(text, `"`) {
				if err := json.Unmarshal([]byte(text), &text); err != nil {
					t.Fatal(err)
				}
			}
			got.WriteString(level + " " + text + "\n")
		}
		if got.String() != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got.String(), c.want)
		}
	}
}
