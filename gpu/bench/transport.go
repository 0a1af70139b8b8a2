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
	ways := []struct {
		name string
		evaluator
	}{{"shared memory", inProcess{shared.For("a")}}, {"pipes", inProcess{pipes.For("a")}}, {"grpc-go over loopback", grpc}}
	for _, c := range []struct{ bytes, calls int }{{small, 500}, {large, 10}} {
		in := bytes.Repeat([]byte{0, 0, 0x80, 0x3f}, c.bytes/4) // 1.0
		var want []byte
		took := make([]times, len(ways))
		for round := range rounds + 1 {
			for i, way := range ways {
				var t times
				err := t.add(c.calls, func() error {
					out, err := way.evaluate(context.Background(), in)
					if want == nil {
						want = out
					}
					if err == nil && !bytes.Equal(out, want) {
						err = fmt.Errorf("%s: a wrong answer", way.name)
					}
					return err
				})
				if err != nil {
					return err
				}
				if round > 0 { // the first is for warming up
					took[i] = append(took[i], t...)
				}
			}
		}
		for i, way := range ways {
			fmt.Printf("%7d B in, 64 B out: %-22s %v  %5.1f times as fast as gRPC at p50\n", c.bytes, way.name, took[i],
				float64(took[len(ways)-1].quantile(.5))/float64(took[i].quantile(.5)))
		}
	}
	return nil
}
