package cpu_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"math"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

// Which of some vectors, which stay on the device, is most like another one?
func Example() {
	ctx := context.Background()
	backend, err := cpu.New(cpu.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer backend.Close()

	b := tensor.NewBuilder(tensor.Limits{})
	vectors := b.Constant(tensor.Float32, 3, 2)
	query := b.Input(tensor.Float32, 2)
	best := b.Apply(tensor.TopK, tensor.Attrs{"k": 2}, b.Apply(tensor.MatMul, nil, vectors, query))
	program, err := b.Build(best, best+1) // scores and indices
	if err != nil {
		log.Fatal(err)
	}

	data := float32s(1, 0, 0, 1, 0.6, 0.8)
	id := gpu.IDOf(program.Constants()[0], data)
	if err := backend.PutConstant(ctx, id, program.Constants()[0], data); err != nil {
		log.Fatal(err)
	}
	scores, indices := make([]byte, 2*4), make([]byte, 2*8)
	err = backend.Eval(ctx, program, [][]byte{float32s(1, 2)}, []gpu.ConstantID{id}, [][]byte{scores, indices})
	if err != nil {
		log.Fatal(err)
	}
	for i := range 2 {
		score := math.Float32frombits(binary.LittleEndian.Uint32(scores[4*i:]))
		fmt.Printf("vector %d: %.1f\n", binary.LittleEndian.Uint64(indices[8*i:]), score)
	}
	// Output:
	// vector 2: 2.2
	// vector 1: 2.0
}

func float32s(numbers ...float32) []byte {
	var b []byte
	for _, x := range numbers {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}
