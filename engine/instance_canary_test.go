package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
)

// tellers are components that keep secrets, or only see them.
var tellers = map[string]string{
	"keeper.js": `import { call, callSync } from "spore";
let kept = null, n = 0;
export const render = () => ++n;
export const keep = p => { kept = [p.secret, new TextEncoder().encode(p.secret)]; return ++n };
export const fails = p => { kept = p.secret; throw new Error(p.secret) };
export const doomed = async p => { kept = p.secret; for (;;) await call("app.secret", {}) };
export const see = async () => (await call("app.secret", {})).length;
export const seeSync = () => callSync("app.secret", {}).length;`,
	"keeper.py": `import spore
kept = None
n = 0
def render():
    global n
    n += 1
    return n
def keep(p):
    global kept, n
    kept = [p["secret"], bytearray(p["secret"].encode())]
    n += 1
    return n
def fails(p):
    global kept
    kept = p["secret"]
    raise ValueError(p["secret"])
async def doomed(p):
    global kept
    kept = p["secret"]
    while True: await spore.call("app.secret", {})
async def see(): return len(await spore.call("app.secret", {}))
def seeSync(): return len(spore.call_sync("app.secret", {}))`,
}

// tellingSet has a function that tells a secret.
func tellingSet(t testing.TB, secret canary) hostfuncs.Set {
	s, err := hostfuncs.NewSet(hostfuncs.Raw("app.secret", "", func(context.Context, hostfuncs.Value) (hostfuncs.Value, error) {
		b, err := json.Marshal(secret.text())
		return hostfuncs.Value{JSON: b}, err
	}))
	require.NoError(t, err)
	return s
}

// TestSecretsOfInstances: what one instance keeps, or has seen, is in none of another tenant's: not in its
// state, where the memory and the place in the slab were that of the first, nor in its
// snapshots. What a call did that was taken back is not in its own either.
func TestSecretsOfInstances(t *testing.T) {
	for _, mode := range []engine.Isolation{engine.InProcess, engine.Subprocess} {
		e := newEngine(t, engine.Config{Isolation: mode, Workers: 1})
		for name, code := range tellers {
			t.Run(fmt.Sprintf("%v/%s", mode, name), func(t *testing.T) {
				c := compile(t, e, name, code)
				var secrets []canary
				clean := func(where string, b []byte) {
					t.Helper()
					for _, s := range secrets {
						require.Empty(t, s.in(b), where)
					}
				}
				open := func(tenant string, secret canary) *engine.Instance {
					in, err := c.Open(t.Context(), &engine.Options{Tenant: tenant, Grants: tellingSet(t, secret), Limits: engine.Limits{HostCalls: 20}})
					require.NoError(t, err)
					return in
				}
				for round, way := range []string{"keep", "fails", "doomed", "see", "seeSync"} {
					a := open("a", newCanary())
					before := captured(t, a)
					secret := newCanary()
					secrets = append(secrets, secret)
					_, err := a.Call(t.Context(), way, props{"secret": secret.text()})
					switch way {
					case "doomed":
						require.Equal(t, "HostCalls", limitOf(err))
						after := captured(t, a)
						require.Equal(t, before, after, "taken back")
						clean("of a call that was taken back", after.Lines)
					case "keep", "fails":
						require.NotEmpty(t, secret.in(captured(t, a).Lines), "the search is one")
					}
					if round%2 == 0 {
						engine.Tidy(e)
					}
					require.NoError(t, a.Close())

					b := open("b", newCanary())
					for range 3 {
						text(t, b, "render", nil)
						text(t, b, "see", nil)
						clean("state of b", captured(t, b).Lines)
					}
					raw := captured(t, b)
					engine.Tidy(e)
					require.Equal(t, raw, captured(t, b), "compressed")
					d, err := b.Snapshot(t.Context())
					require.NoError(t, err)
					var file bytes.Buffer
					_, err = d.WriteTo(&file)
					require.NoError(t, err)
					clean("snapshot", file.Bytes())
					clean("description", d.Meta())
					clean("lines", d.Lines())
					require.NoError(t, b.Close())
				}
				if mode == engine.InProcess {
					require.NoError(t, engine.IdleMemories(c, func(mem []byte) { clean("memory that waits for a call", mem) }))
				}
			})
		}
	}
}

// captured returns what an instance is.
func captured(t *testing.T, in *engine.Instance) *engine.Captured {
	t.Helper()
	s, err := engine.StateOf(t.Context(), in)
	require.NoError(t, err)
	return s
}
