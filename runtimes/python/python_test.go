package python

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/sporeengine/spore/runtimes"
)

func TestModuleMatchesItsDigest(t *testing.T) {
	rt := Runtime()
	dec, err := zstd.NewReader(bytes.NewReader(rt.Module))
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	h := sha256.New()
	if _, err := dec.WriteTo(h); err != nil {
		t.Fatal(err)
	}
	if got := h.Sum(nil); !bytes.Equal(got, rt.SHA256[:]) {
		t.Errorf("python.wasm has SHA-256 %x, SHA256SUMS says %x", got, rt.SHA256)
	}
	if got := sha256.Sum256(rt.Module); got != digest("python.wasm.zst") {
		t.Errorf("python.wasm.zst has SHA-256 %x, SHA256SUMS says %x", got, digest("python.wasm.zst"))
	}
}

func TestModuleIsSmall(t *testing.T) {
	const limit = 4 << 20
	if n := len(Runtime().Module); n > limit {
		t.Errorf("python.wasm.zst has %d bytes, more than %d", n, limit)
	}
}

func TestRuntime(t *testing.T) {
	rt := Runtime()
	if rt.ABI != runtimes.ABIVersion || rt.Language != "python" || rt.Lower != nil {
		t.Errorf("unexpected runtime %+v", rt)
	}
	if digest("no such file") != ([32]byte{}) {
		t.Error("digest of an unknown file is not zero")
	}
}
