// Package python is the Python runtime: CPython compiled to WebAssembly, with
// the standard library, Jinja2 and the time zone database inside. LIMITS.md says
// how it differs from CPython on other platforms, and build/ makes the module.
package python

import (
	_ "embed"
	"encoding/hex"
	"strings"

	"github.com/sporeengine/spore/runtimes"
)

//go:embed python.wasm.zst
var module []byte

//go:embed SHA256SUMS
var sums string

// Runtime returns the Python runtime.
func Runtime() runtimes.Runtime {
	return runtimes.Runtime{
		Language:   "python",
		Extensions: []string{".py"},
		Name:       "cpython",
		Version:    "3.13.15",
		ABI:        runtimes.ABIVersion,
		Module:     module,
		SHA256:     digest("python.wasm"),
		Link:       Link,
		LinkCell:   LinkCell,
		Taken:      strings.Fields(taken),
	}
}

// digest returns what SHA256SUMS says of a file; zero, which no module matches,
// if it says nothing.
func digest(name string) (sum [32]byte) {
	for line := range strings.Lines(sums) {
		if hash, file, ok := strings.Cut(strings.TrimSpace(line), "  "); ok && file == name {
			b, err := hex.DecodeString(hash)
			if err == nil && len(b) == len(sum) {
				return [32]byte(b)
			}
		}
	}
	return sum
}
