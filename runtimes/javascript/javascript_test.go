package javascript_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
)

func TestModuleHasItsDigest(t *testing.T) {
	rt := javascript.Runtime()
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	module, err := dec.DecodeAll(rt.Module, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := sha256.Sum256(module); got != rt.SHA256 {
		t.Errorf("the module has the digest %x, the runtime says %x", got, rt.SHA256)
	}
	sums, err := os.ReadFile("SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%x  quickjs.wasm\n%x  quickjs.wasm.zst\n", rt.SHA256, sha256.Sum256(rt.Module))
	if string(sums) != want {
		t.Errorf("SHA256SUMS has\n%swant\n%s", sums, want)
	}
	if len(rt.Module) > 2<<20 {
		t.Errorf("the compressed module has %d bytes", len(rt.Module))
	}
}

func TestRuntime(t *testing.T) {
	rt := javascript.Runtime()
	if rt.ABI != runtimes.ABIVersion || rt.Language != "javascript" || rt.Name == "" || rt.Version == "" || rt.Lower == nil {
		t.Errorf("Runtime() = %+v", rt)
	}
	for _, ext := range rt.Extensions {
		if !strings.HasPrefix(ext, ".") {
			t.Errorf("extension %q", ext)
		}
	}
}
