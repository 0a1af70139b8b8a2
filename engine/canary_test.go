package engine_test

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/engine/internal/wasmtest"
	"github.com/sporeengine/spore/snapshot"
)

// A canary is a secret of tenant A: 16 random bytes, which travel as hex digits
// where text is wanted.
type canary [16]byte

func newCanary() (c canary) {
	crand.Read(c[:])
	return c
}

func (c canary) text() string { return hex.EncodeToString(c[:]) }

// in returns how the secret is found in b: as bytes, as text in one byte or in
// two bytes for each character, as the interpreters keep it.
func (c canary) in(b []byte) string {
	text := c.text()
	var wide []byte
	for _, d := range []byte(text) {
		wide = append(wide, d, 0)
	}
	switch {
	case bytes.Contains(b, c[:]):
		return "as bytes"
	// Half of it is a secret too.
	case bytes.Contains(b, []byte(text[:16])) || bytes.Contains(b, []byte(text[16:])):
		return "as text"
	case bytes.Contains(b, wide[:32]) || bytes.Contains(b, wide[32:]):
		return "as wide text"
	}
	return ""
}

// canarySources are tenant A: they put their secret wherever a guest can put
// something, and end in the way that is asked for. What they return shows that
// they had it.
var canarySources = map[string]string{
	"a.js": `
const kept = [], table = new Map();
export async function render({ secret, end }) {
	kept.push(secret, secret.split("").reverse(), { [secret]: secret }, secret + "\u20ac");
	table.set(secret, new TextEncoder().encode(secret.repeat(1000)));
	const raw = new Uint8Array(1 << 20); // behind the image
	for (let i = 0; i < 16; i++) raw[i] = parseInt(secret.substr(i * 2, 2), 16);
	for (let n = 16; n < raw.length; n *= 2) raw.copyWithin(n, 0, n);
	kept.push(raw, new RegExp(secret), Symbol.for(secret), Function("return '" + secret + "'"));
	console.log(secret); console.error(JSON.stringify(kept[2]));
	globalThis[secret] = secret;
	if (end == "throw") throw new Error(secret);
	if (end == "spin") for (;;) { kept.push(secret + kept.length); kept.length = Math.min(kept.length, 50_000); }
	if (end == "memory") for (;;) kept.push(raw.slice());
	if (end == "trap") { const f = n => [n + secret].map(f); f("") }
	if (end == "sleep") await new Promise(r => setTimeout(r, 2));
	if (end == "cancel") await new Promise(r => setTimeout(r, 1e6));
	return secret.length + secret;
}`,
	"a.py": `
import asyncio, re, sys
kept, table = [], {}
async def render(p):
    secret, end = p["secret"], p["end"]
    kept.extend([secret, list(secret), {secret: secret}, secret + "\u20ac", secret.encode("utf-16-le")])
    table[secret] = bytearray((secret * 1000).encode())
    raw = bytes.fromhex(secret) * 65536
    kept.extend([raw, re.compile(secret), sys.intern(secret), eval(repr(secret))])
    print(secret); print(table[secret], file=sys.stderr, end="")
    setattr(sys, "x" + secret, secret)
    if end == "throw": raise ValueError(secret)
    if end == "spin":
        while True:
            kept.append(secret + str(len(kept)))
            del kept[50_000:]  # so that it is the time that ends it
    if end == "memory":
        while True: kept.append(bytearray(raw))
    if end == "trap":
        def f(n): return f(n + secret)
        f("")
    if end == "sleep": await asyncio.sleep(0.002)
    if end == "cancel": await asyncio.sleep(1e6)
    return str(len(secret)) + secret
`,
}

// canaryEnds are the ends of tenant A's renders, as for judgeEnd.
var canaryEnds = map[string]string{
	"return": "", "throw": "error", "spin": "CallTime", "memory": "Memory", "trap": "error", "sleep": "", "cancel": "canceled",
}

// plant renders with a secret.
func plant(t *testing.T, c *engine.Component, end string) canary {
	t.Helper()
	secret := newCanary()
	opt := &engine.Options{Limits: engine.Limits{Console: 40 << 10}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	switch end {
	case "spin":
		opt.Limits.CallTime = 150 * time.Millisecond
	case "cancel":
		time.AfterFunc(150*time.Millisecond, cancel)
	}
	res, err := c.Render(ctx, map[string]any{"secret": secret.text(), "end": end}, opt)
	// A limit that ends it says nothing; the rest of the ends must show that
	// the secret was there.
	if err := judgeEnd(canaryEnds[end], "32"+secret.text(), res, err); err != nil {
		t.Errorf("%s, %s: %v", c.Name(), end, err)
	}
	if ge, ok := errors.AsType[*engine.GuestError](err); ok && end == "throw" && ge.Message != secret.text() {
		t.Errorf("%s: error %q without its own secret", c.Name(), ge.Message)
	}
	return secret
}

// rawEngine returns an engine with both interpreters and a hand-written guest,
// which share nothing but the process and the engine.
func rawEngine(t *testing.T, cfg engine.Config) *engine.Engine {
	cfg.Runtimes = append(allRuntimes(), wasmtest.Guest{}.Runtime())
	return newEngine(t, cfg)
}

// TestCanaryBetweenTenants: no secret of a render is in the memory that the next
// one gets, be it of the same component or another, in or behind its length, or
// in anything that the engine keeps or hands out.
func TestCanaryBetweenTenants(t *testing.T) {
	e := rawEngine(t, engine.Config{Workers: 1, Limits: engine.Limits{Memory: 40 << 20}})
	b := compileRaw(t, e, "tenant b")
	var secrets []canary
	var tenants []*engine.Component
	for name, code := range canarySources {
		// The same source on behalf of two tenants has the same image, but
		// memories of its own.
		a := compile(t, e, name, code)
		tenants = append(tenants, a)
		for end := range canaryEnds {
			secret := plant(t, a, end)
			secrets = append(secrets, secret)
			// The slot that the render has used.
			if n := e.Stats().Memories; n == 0 {
				t.Fatal("no memory is idle")
			}
			searched := 0
			if err := engine.IdleMemories(a, func(mem []byte) {
				searched += len(mem)
				if how := secret.in(mem); how != "" {
					t.Errorf("%s, %s: the next memory of %d bytes holds the secret %s", name, end, len(mem), how)
				}
			}); err != nil {
				t.Error(err)
			}
			if searched < 40<<20 {
				t.Errorf("searched %d bytes only", searched)
			}
			// Tenant B searches whatever it can reach, before and after growth.
			p := new(wasmtest.Prog).Scan(secret).Grow(24).Store(wasmtest.Scratch+72, 0).Scan(secret)
			if got := render(t, b, p, nil); got != "00000000" {
				t.Errorf("%s, %s: another tenant finds the secret %s times", name, end, got)
			}
		}
	}
	for _, a := range tenants {
		searchSnapshot(t, e, a, secrets)
	}
	searchFiles(t, sharedCache, secrets)
}

// TestCanaryOnOneSlot alternates tenants on one component of a hand-written
// guest, and so on one memory. The guest searches all that it can reach for
// the secret of the one before, which it left in every corner and in its
// globals.
func TestCanaryOnOneSlot(t *testing.T) {
	const maxPages = 48
	e := newRaw(t, wasmtest.Guest{}, engine.Config{Workers: 1, Limits: engine.Limits{Memory: maxPages << 16}})
	c := compileRaw(t, e, "both")
	found := func(secret canary) string {
		// The second search covers what growth adds.
		return render(t, c, new(wasmtest.Prog).Scan(secret).Scan([16]byte{}).Grow(0), nil) +
			render(t, c, new(wasmtest.Prog).Scan(secret), nil) +
			render(t, c, new(wasmtest.Prog).Grow(maxPages-8).Store(wasmtest.Scratch+72, 0).Scan(secret), nil)
	}
	clean := strings.Repeat("0", 7) + "8" + strings.Repeat("0", 16)
	for end, want := range map[uint32]string{
		wasmtest.Deaths: "", wasmtest.DieUnreachable: "trap", wasmtest.DieLoop: "CallTime", wasmtest.DieExit: "exit", wasmtest.DieRecursion: "Stack",
	} {
		secret := newCanary()
		p := new(wasmtest.Prog)
		for _, at := range []uint32{wasmtest.Room, wasmtest.Free, wasmtest.Free + 4093, 8<<16 - 16} {
			p.Bytes(at, secret[:])
		}
		p.Grow(maxPages - 8)
		for at := uint32(8 << 16); at < maxPages<<16; at += 5 * 4096 {
			p.Bytes(at+at/4096, secret[:])
		}
		p.SetGlobals(uint32(secret[0])<<8 + 1)
		opt := &engine.Options{}
		if end < wasmtest.Deaths {
			p.Die(end)
		} else {
			// It finds its own, so that the search is one.
			p.Store(wasmtest.Scratch+72, 0).Scan(secret)
		}
		if end == wasmtest.DieLoop {
			opt.Limits.CallTime = 50 * time.Millisecond
		}
		planted := 4 + ((maxPages-8)<<16+5*4096-1)/(5*4096)
		res, err := c.Render(t.Context(), p, opt)
		if err := judgeEnd(want, fmt.Sprintf("%08x", planted), res, err); err != nil {
			t.Errorf("end %d: %v", end, err)
		}
		if got := found(secret); got != clean {
			t.Errorf("end %d: the next tenant finds %s, want %s", end, got, clean)
		}
		if got := render(t, c, new(wasmtest.Prog).Globals(), nil); got != "00000009" {
			t.Errorf("end %d: the next tenant's globals are %s", end, got)
		}
	}
}

// searchSnapshot looks for secrets in what a component's snapshot is made of:
// its bytes, as a file and unpacked, and what it adds to its runtime's image.
func searchSnapshot(t *testing.T, e *engine.Engine, c *engine.Component, secrets []canary) {
	t.Helper()
	file := snapshotBytes(t, c)
	s, err := snapshot.Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	memory, err := s.Memory(engine.BaseMemory(c))
	if err != nil {
		t.Fatal(err)
	}
	// What is in the source is in the snapshot: the search works.
	if !bytes.Contains(memory, []byte("secret")) {
		t.Errorf("%s: the unpacked snapshot does not even hold its source", c.Name())
	}
	for where, b := range map[string][]byte{"file": file, "memory": memory, "description": s.Meta()} {
		for _, secret := range secrets {
			if how := secret.in(b); how != "" {
				t.Errorf("%s: the snapshot's %s holds a secret %s", c.Name(), where, how)
			}
		}
	}
}

// searchFiles looks for secrets in the files of a directory.
func searchFiles(t *testing.T, dir string, secrets []canary) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		for _, secret := range secrets {
			if how := secret.in(b); how != "" {
				t.Errorf("%s holds a secret %s", d.Name(), how)
			}
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("searched %d files: %v", files, err)
	}
}

// TestCanaryIsFoundWithoutReset: if memories were not reset, the searches of the
// other tests would find the secrets.
func TestCanaryIsFoundWithoutReset(t *testing.T) {
	e, err := engine.New(engine.Config{
		Runtimes: append(allRuntimes(), wasmtest.Guest{}.Runtime()), CacheDir: sharedCache, Workers: 1,
		Limits: engine.Limits{CallTime: 20 * time.Second, Memory: 40 << 20},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	engine.SetReset(e, func(*snapshot.Memory) error { return nil })
	for name, code := range canarySources {
		a := compile(t, e, name, code)
		secret, found := plant(t, a, "return"), ""
		if err := engine.IdleMemories(a, func(mem []byte) { found += secret.in(mem) }); err != nil {
			t.Error(err)
		}
		if found == "" {
			t.Errorf("%s: no secret in memory that was not reset", name)
		}
	}
	c, secret := compileRaw(t, e, "both"), newCanary()
	render(t, c, new(wasmtest.Prog).Bytes(wasmtest.Free+5, secret[:]), nil)
	if got := render(t, c, new(wasmtest.Prog).Scan(secret), nil); got != "00000001" {
		t.Errorf("a guest finds the secret %s times in memory that was not reset", got)
	}
}

// TestCanaryIsFound makes sure that the search of the host is one.
func TestCanaryIsFound(t *testing.T) {
	c := newCanary()
	wide := bytes.Join(bytes.Split([]byte(c.text()), nil), []byte{0})
	for how, b := range map[string][]byte{
		"as bytes": append([]byte("x"), c[:]...), "as text": []byte("<" + c.text()[:16]), "as wide text": append(wide, 0), "": wide[:30],
	} {
		if got := c.in(b); got != how {
			t.Errorf("%q is found %q, want %q", b, got, how)
		}
	}
}
