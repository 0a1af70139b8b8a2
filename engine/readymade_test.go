package engine_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/hostfuncs/clock"
	"github.com/sporeengine/spore/hostfuncs/kv"
	"github.com/sporeengine/spore/hostfuncs/log"
	"github.com/sporeengine/spore/hostfuncs/random"
)

// keepers store bytes that the host made, in the midst of JSON, and read them again.
var keepers = map[string]string{
	"keep.js": `import { call } from "spore";
export const render = async p => {
	const noise = await call("random.bytes", { n: 1000 });
	const { version } = await call("kv.put", { key: "a", value: { name: "é", parts: [noise, new Uint8Array(0)] } });
	const got = await call("kv.get", { key: "a" });
	const same = got.value.parts[0].every((b, i) => b === noise[i]) && got.value.parts[0].length === 1000 && got.value.parts[1].length === 0;
	let conflict;
	try { await call("kv.put", { key: "a", value: 1, if_version: version + 1 }) } catch (e) { conflict = e.code }
	await call("log.write", { level: "warn", message: "a\nb", attrs: { n: 1 } });
	const now = await call("clock.now");
	return [same, noise instanceof Uint8Array, got.value.name, version, conflict, (await call("kv.list", {})).keys.length, now.zone];
};`,
	"keep.py": `import spore
async def render(p):
    noise = await spore.call("random.bytes", {"n": 1000})
    version = (await spore.call("kv.put", {"key": "a", "value": {"name": "é", "parts": [noise, b""]}}))["version"]
    got = await spore.call("kv.get", {"key": "a"})
    same = got["value"]["parts"] == [noise, b""] and len(noise) == 1000
    try:
        await spore.call("kv.put", {"key": "a", "value": 1, "if_version": version + 1})
        conflict = None
    except spore.HostError as e:
        conflict = e.code
    await spore.call("log.write", {"level": "warn", "message": "a\nb", "attrs": {"n": 1}})
    now = await spore.call("clock.now")
    return [same, isinstance(noise, bytes), got["value"]["name"], version, conflict, len((await spore.call("kv.list", {}))["keys"]), now["zone"]]`,
}

func TestReadyMadeFunctions(t *testing.T) {
	for name, code := range keepers {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			grants, err := hostfuncs.NewSet(slices.Concat(
				clock.Functions(clock.Options{}), kv.Functions(kv.Options{}), random.Functions(random.Options{}),
				log.Functions(log.Options{Logger: slog.New(slog.NewTextHandler(&out, nil))}),
			)...)
			require.NoError(t, err)
			c, err := shared.Compile(context.Background(), engine.Source{Name: name, Code: []byte(code)})
			require.NoError(t, err)
			res, err := c.Render(context.Background(), nil, &engine.Options{Grants: grants, Tenant: "acme"})
			require.NoError(t, err)
			assert.Equal(t, `[true,true,"é",1,"conflict",1,"UTC"]`, strings.ReplaceAll(string(res.JSON()), " ", ""))
			assert.Contains(t, out.String(), `level=WARN msg=guest tenant=acme component=`+name+` call=`)
			assert.Contains(t, out.String(), `guest.message=a\nb guest.attrs.n=1`)
		})
	}
}
