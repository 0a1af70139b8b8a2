// Pack compresses a file with zstd, always to the same bytes.
//
//	go run ./runtimes/javascript/build/pack quickjs.wasm quickjs.wasm.zst
package main

import (
	"fmt"
	"os"

	"github.com/klauspost/compress/zstd"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pack input-file output-file")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func pack(input, output string) error {
	data, err := os.ReadFile(input)
	if err != nil {
		return err
	}
	// One goroutine: with more, where blocks end could depend on timing.
	enc, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedBestCompression),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(8<<20))
	if err != nil {
		return err
	}
	return os.WriteFile(output, enc.EncodeAll(data, nil), 0o644)
}
