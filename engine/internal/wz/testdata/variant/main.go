// Command variant compiles an empty module into a directory and prints the variant that an ordinary program has.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/sporeengine/spore/engine/internal/wz"
	"github.com/sporeengine/spore/snapshot/rewrite"
)

func main() {
	code, err := wz.Compile(context.Background(), &rewrite.Module{Wasm: []byte("\x00asm\x01\x00\x00\x00")}, os.Args[1], false)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code.Close()
	fmt.Println(wz.Variant())
}
