// Command pack compresses a WebAssembly module in the way in which it is
// committed, and writes the digests of both forms to standard output.
//
//	pack in.wasm out.wasm.zst
package main

import (
	"crypto/sha256"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: pack in.wasm out.wasm.zst")
	}
	in, out := os.Args[1], os.Args[2]
	module, err := os.ReadFile(in)
	if err != nil {
		log.Fatal(err)
	}
	// One goroutine: the output must not depend on the machine.
	enc, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedBestCompression),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(8<<20))
	if err != nil {
		log.Fatal(err)
	}
	packed := enc.EncodeAll(module, nil)
	if err := os.WriteFile(out, packed, 0o644); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%x  %s\n", sha256.Sum256(module), filepath.Base(in))
	fmt.Printf("%x  %s\n", sha256.Sum256(packed), filepath.Base(out))
}
