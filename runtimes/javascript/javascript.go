// Package javascript is the JavaScript runtime: QuickJS-ng compiled to
// WebAssembly, with React and the globals that components use already loaded.
//
// Components are written as ES modules in JavaScript, TypeScript, JSX or TSX.
// LIMITS.md tells what they can rely on.
package javascript

import (
	_ "embed"
	"encoding/hex"

	"github.com/sporeengine/spore/runtimes"
)

//go:embed quickjs.wasm.zst
var module []byte

// Runtime returns the runtime. Its fields are shared by all callers and must
// not be changed.
func Runtime() runtimes.Runtime {
	r := runtimes.Runtime{
		Language:   "javascript",
		Extensions: []string{".js", ".mjs", ".jsx", ".ts", ".tsx"},
		Name:       "quickjs-ng",
		Version:    "0.17.0",
		ABI:        runtimes.ABIVersion,
		Module:     module,
		Lower:      Lower,
		LowerCell:  LowerCell,
		Link:       Link,
		LinkCell:   LinkCell,
		Taken:      cellModules,
	}
	sum, err := hex.DecodeString(digest)
	if err != nil || len(sum) != len(r.SHA256) {
		panic("javascript: digest.go is damaged")
	}
	copy(r.SHA256[:], sum)
	return r
}
