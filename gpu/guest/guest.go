// Package guest has the sources of the module gpu, by which components use package gpu. README.md describes it for
// those who write components.
//
// The parts that depend on the table of operations are made by this package's tests: go test ./gpu/guest -update.
package guest

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"maps"
	"sync"
)

// Doc says what the module is for.
const Doc = "Arrays that are computed on the host's device, which may be a GPU, and functions of the host that work on them."

// packed has the files of js and py, and the declarations, so that programs which link the package carry a quarter of their
// size: go test ./gpu/guest -update makes it anew.
//
//go:embed modules.json.gz
var packed []byte

// A module is the contents of packed, by language.
type module struct {
	Sources map[string]string `json:"sources"`
	Typings map[string]string `json:"typings"`
}

var unpacked = sync.OnceValue(func() (m module) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		err = json.NewDecoder(r).Decode(&m)
	}
	if err != nil {
		panic(err) // it is embedded
	}
	return m
})

// Sources returns the module's code by language, as hostfuncs.Module has it.
func Sources() map[string]string { return maps.Clone(unpacked().Sources) }

// Typings returns its declarations by language.
func Typings() map[string]string { return maps.Clone(unpacked().Typings) }

// gpu.pyc is of one interpreter: go test ./gpu/guest -update makes it anew.
//
//go:embed gpu.pyc
var pythonPrecompiled []byte

// Precompiled returns what interpreters have made of the code, by language.
func Precompiled() map[string][]byte {
	return map[string][]byte{"python": pythonPrecompiled}
}
