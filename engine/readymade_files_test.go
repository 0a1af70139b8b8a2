package engine_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/hostfuncs/fetch"
	workspaces "github.com/sporeengine/spore/hostfuncs/files"
)

// downloaders read a file, post it to the URL in their props, and store the response, each as bytes.
var downloaders = map[string]string{
	"down.js": `import { call } from "spore";
export const render = async ({ url }) => {
	const { bytes } = await call("files.read", { path: "in.bin", binary: true });
	const r = await call("fetch.request", { url, method: "POST", bytes, binary: true });
	await call("files.write", { path: "out/" + r.headers["x-name"], bytes: r.bytes });
	const text = (await call("fetch.request", { url, method: "POST", body: "<é>" })).body;
	const codes = [];
	for (const [name, arg] of [["fetch.request", { url: "https://169.254.169.254/" }], ["files.read", { path: "../x" }]])
		await call(name, arg).catch(e => codes.push(e.code));
	return { status: r.status, bytes: [...r.bytes], text, codes };
};`,
	"down.py": `import spore
async def render(p):
    data = (await spore.call("files.read", {"path": "in.bin", "binary": True}))["bytes"]
    r = await spore.call("fetch.request", {"url": p["url"], "method": "POST", "bytes": data, "binary": True})
    await spore.call("files.write", {"path": "out/" + r["headers"]["x-name"], "bytes": r["bytes"]})
    text = (await spore.call("fetch.request", {"url": p["url"], "method": "POST", "body": "<é>"}))["body"]
    codes = []
    for name, arg in ("fetch.request", {"url": "https://169.254.169.254/"}), ("files.read", {"path": "../x"}):
        try:
            await spore.call(name, arg)
        except spore.HostError as e:
            codes.append(e.code)
    return {"status": r["status"], "bytes": list(r["bytes"]), "text": text, "codes": codes}`,
}

// TestFetchAndFiles has guests of both languages use these capabilities, with binary values.
func TestFetchAndFiles(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, "Bearer of-the-host", r.Header.Get("Authorization"))
		w.Header().Set("X-Name", "reversed")
		slices.Reverse(body)
		w.Write(body)
	}))
	defer server.Close()
	at := netip.MustParseAddrPort(server.Listener.Addr().String())
	functions, err := fetch.Functions(fetch.Options{Rules: []fetch.Rule{{
		Host: at.Addr().String(), HTTP: true, Ports: []uint16{at.Port()}, Methods: []string{"POST"},
		Addresses: []netip.Prefix{netip.PrefixFrom(at.Addr(), at.Addr().BitLen())},
		Headers:   map[string]string{"Authorization": "Bearer of-the-host"},
	}}})
	require.NoError(t, err)
	for name, code := range downloaders {
		workspace := workspaces.New(fstest.MapFS{"in.bin": {Data: []byte{0, 1, 0xff}}}, workspaces.Quota{})
		grants, err := hostfuncs.NewSet(append(workspace.Functions(), functions...)...)
		require.NoError(t, err)
		r, err := compile(t, shared, name, code).Render(context.Background(), map[string]string{"url": server.URL}, &engine.Options{Grants: grants})
		require.NoError(t, err, name)
		// Backwards the two bytes of é are no character.
		assert.JSONEq(t, `{"status":200,"bytes":[255,1,0],"text":">�<","codes":["denied","invalid_argument"]}`, string(r.JSON()), name)
		b, err := workspace.ReadFile("out/reversed")
		require.NoError(t, err)
		assert.Equal(t, []byte{0xff, 1, 0}, b)
	}
}
