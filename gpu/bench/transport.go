package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

// The requests: 64 bytes there and back, and 4 MiB there and 64 bytes back.
const (
	small = 64
	large = 4 << 20
)

// programs are what is computed, by the length of the input.
var programs = map[int]*tensor.Program{
	small: must(func(b *tensor.Builder) tensor.Value {
		x := b.Input(tensor.Float32, small/4)
		return b.Apply(tensor.Add, nil, x, x)
	}),
	large: must(func(b *tensor.Builder) tensor.Value {
		return b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{1}}, b.Input(tensor.Float32, 16, large/64))
	}),
}

func must(f func(*tensor.Builder) tensor.Value) *tensor.Program {
	b := tensor.NewBuilder(tensor.Limits{})
	p, err := b.Build(f(b))
	if err != nil {
		panic(err)
	}
	return p
}

// transport compares a pool with gRPC. Both evaluate with the CPU backend in another process.
func transport(rounds int) error {
	shared, err := newPool(gpu.Config{})
	if err != nil {
		return err
	}
	defer shared.Close()
	pipes, err := newPool(gpu.Config{Pipes: true})
	if err != nil {
		return err
	}
	defer pipes.Close()
	grpc, err := startGRPC()
	if err != nil {
		return err
	}
	defer grpc.end()
	backend, err := open()
	if err != nil {
		return err
	}
	defer backend.Close()
	for _, c := range []struct{ bytes, calls int }{{small, 200}, {large, 10}} {
		buffer, err := shared.NewBuffer("a", c.bytes)
		if err != nil {
			return err
		}
		defer buffer.Free()
		in := bytes.Repeat([]byte{0, 0, 0x80, 0x3f}, c.bytes/4) // 1.0
		copy(buffer.Bytes(), in)
		var want []byte
		var ways []way
		for _, w := range []struct {
			name string
			evaluator
			in []byte
		}{
			{"grpc-go over loopback", grpc, in},
			{"shared memory, copied", inProcess{shared.For("a")}, in},
			{"shared memory, in place", inProcess{shared.For("a")}, buffer.Bytes()},
			{"pipes", inProcess{pipes.For("a")}, in},
			{"the work alone, no way at all", inProcess{backend}, in},
		} {
			ways = append(ways, way{w.name, c.calls, func() error {
				out, err := w.evaluate(context.Background(), w.in)
				if want == nil {
					want = out
				}
				if err == nil && !bytes.Equal(out, want) {
					err = fmt.Errorf("%s: a wrong answer", w.name)
				}
				return err
			}})
		}
		fmt.Printf("%d B in, 64 B out:\n", c.bytes)
		if err := compare(rounds, ways); err != nil {
			return err
		}
	}
	return nil
}
