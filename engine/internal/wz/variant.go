package wz

import (
	"fmt"
	"runtime/debug"
	"sync"

	"golang.org/x/sys/cpu"
)

// Variant is a part of the keys of cached machine code: it tells apart what wazero keeps apart in one directory. These are its version as the build
// has it, which test binaries do not have, and the features of the processor. A program that took another's code for its own would
// find nothing in it and write beside it, which spoils it for the other.
var Variant = sync.OnceValue(func() string {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version // which wazero takes if it does not find itself
		for _, m := range info.Deps {
			if m.Path == "github.com/tetratelabs/wazero" {
				version = m.Version
			}
		}
	}
	// From where wazero has them too. It looks at a few only, so that machines may differ for us that do not for it.
	return fmt.Sprintf("%s %+v %+v", version, cpu.X86, cpu.ARM64)
})
