package gpu_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
	"github.com/sporeengine/spore/hostfuncs"
)

// A host reads what it wants to have computed into memory that workers see.
func ExamplePool_NewBuffer() {
	self, _ := os.Executable()
	pool, err := gpu.NewPool(gpu.Config{Command: []string{self, "cpu"}}) // or none: a main that begins with gpu.ServeWorker
	if err != nil {
		panic(err)
	}
	defer pool.Close()
	b := tensor.NewBuilder(tensor.Limits{})
	program, err := b.Build(b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{0}}, b.Input(tensor.Float32, 1<<20)))
	if err != nil {
		panic(err)
	}

	buffer, err := pool.NewBuffer("tenant", 4<<20)
	if err != nil {
		panic(err)
	}
	defer buffer.Free()
	file := strings.NewReader(strings.Repeat("\x00\x00\x80\x3f", 1<<20)) // 1.0, a million times
	if _, err := io.ReadFull(file, buffer.Bytes()); err != nil {
		panic(err)
	}
	sum := make([]byte, 4)
	if err := pool.For("tenant").Eval(context.Background(), program, [][]byte{buffer.Bytes()}, nil, [][]byte{sum}); err != nil {
		panic(err)
	}
	fmt.Println(math.Float32frombits(binary.LittleEndian.Uint32(sum)))
	// Output: 1.048576e+06
}

// A function that answers word by word.
func ExampleStream() {
	pool, err := gpu.NewPool(gpu.Config{})
	if err != nil {
		panic(err)
	}
	defer pool.Close()
	speak := &gpu.Stream{Name: "speak", Doc: "Says each word of a text.",
		Run: func(ctx context.Context, r *gpu.Request, emit func(gpu.Part) error) error {
			text, _ := r.Parameters["text"].(string)
			for word := range strings.FieldsSeq(text) {
				if err := emit(gpu.Part{Parameters: map[string]any{"word": word}}); err != nil {
					return err // nobody wants more
				}
			}
			return nil
		}}
	grants, err := hostfuncs.NewSet(gpu.Functions(pool, gpu.Options{Streams: []*gpu.Stream{speak}})...)
	if err != nil {
		panic(err)
	}

	// What the module gpu of guests does.
	ctx := hostfuncs.WithHandles(context.Background(), &hostfuncs.Handles{})
	call := func(name, arg string) string {
		f, _ := grants.Lookup(name)
		v, err := f.Call(ctx, hostfuncs.Value{JSON: []byte(arg)})
		if err != nil {
			panic(err)
		}
		return string(v.JSON)
	}
	stream := call("gpu.stream", `{"function": "speak", "parameters": {"text": "so it goes"}}`) // {"stream": a number}
	for range 4 {
		fmt.Println(call("gpu.next", stream))
	}
	// Output:
	// {"part":{"parameters":{"word":"so"},"outputs":[]}}
	// {"part":{"parameters":{"word":"it"},"outputs":[]}}
	// {"part":{"parameters":{"word":"goes"},"outputs":[]}}
	// {"done":true}
}
