package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

// links are ten elementwise operations, on the value so far and two vectors.
var links = []func(b *tensor.Builder, v, x, y tensor.Value) tensor.Value{
	withNumber(tensor.Multiply, 2), withY(tensor.Add), withNumber(tensor.Subtract, 0.5), withNumber(tensor.Maximum, 0), withX(tensor.Multiply),
	alone(tensor.Abs), withNumber(tensor.Minimum, 6), withY(tensor.Add), alone(tensor.Negative), withNumber(tensor.Multiply, 0.25),
}

func withNumber(op tensor.Op, c float64) func(b *tensor.Builder, v, x, y tensor.Value) tensor.Value {
	return func(b *tensor.Builder, v, _, _ tensor.Value) tensor.Value {
		return b.Apply(op, nil, v, b.Full(tensor.Float32, c))
	}
}

func withX(op tensor.Op) func(b *tensor.Builder, v, x, y tensor.Value) tensor.Value {
	return func(b *tensor.Builder, v, x, _ tensor.Value) tensor.Value { return b.Apply(op, nil, v, x) }
}

func withY(op tensor.Op) func(b *tensor.Builder, v, x, y tensor.Value) tensor.Value {
	return func(b *tensor.Builder, v, _, y tensor.Value) tensor.Value { return b.Apply(op, nil, v, y) }
}

func alone(op tensor.Op) func(b *tensor.Builder, v, x, y tensor.Value) tensor.Value {
	return func(b *tensor.Builder, v, _, _ tensor.Value) tensor.Value { return b.Apply(op, nil, v) }
}

// chains compares ten operations in one program with ten programs of one operation each. Both are evaluated by the CPU backend in this
// process, on one core, into memory that was there before: what is saved is work, not calls to a worker nor allocations.
func chains(rounds int) error {
	backend, err := cpu.New(cpu.Options{Procs: 1})
	if err != nil {
		return err
	}
	defer backend.Close()
	for _, n := range []int{1 << 16, 1 << 20, 1 << 22} {
		x, y := uniform(n), uniform(n)
		results := [][]byte{make([]byte, 4*n), make([]byte, 4*n)}
		fused := must(func(b *tensor.Builder) tensor.Value {
			x, y := b.Input(tensor.Float32, n), b.Input(tensor.Float32, n)
			v := x
			for _, link := range links {
				v = link(b, v, x, y)
			}
			return v
		})
		var single []*tensor.Program
		for _, link := range links {
			single = append(single, must(func(b *tensor.Builder) tensor.Value {
				v, x, y := b.Input(tensor.Float32, n), b.Input(tensor.Float32, n), b.Input(tensor.Float32, n)
				return link(b, v, x, y)
			}))
		}
		eval := func(p *tensor.Program, in [][]byte, out []byte) error {
			return gpu.Backend(backend).Eval(context.Background(), p, in, nil, [][]byte{out})
		}
		calls := max(1, 1<<21/n)
		fmt.Printf("a chain of ten elementwise operations on %d float32, one core:\n", n)
		err := compare(rounds, []way{
			{"ten programs of one operation", calls, func() error {
				v := x
				for i, p := range single {
					out := results[i%2]
					if err := eval(p, [][]byte{v, x, y}, out); err != nil {
						return err
					}
					v = out
				}
				return nil
			}},
			{"one program, fused", calls, func() error { return eval(fused, [][]byte{x, y}, results[0]) }},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// uniform returns n float32 from 0 to 1.
func uniform(n int) []byte {
	r := rand.New(rand.NewPCG(1, 1))
	b := make([]byte, 0, 4*n)
	for range n {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(r.Float32()))
	}
	return b
}

// products measures matrix products on one core.
func products(rounds int) error {
	backend, err := cpu.New(cpu.Options{Procs: 1})
	if err != nil {
		return err
	}
	defer backend.Close()
	fmt.Println("products of square matrices of float32, one core:")
	for _, n := range []int{128, 512, 1024} {
		p := must(func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.MatMul, nil, b.Input(tensor.Float32, n, n), b.Input(tensor.Float32, n, n))
		})
		in, out := uniform(n*n), make([]byte, 4*n*n)
		var took times
		for range max(1, rounds/4) {
			err := took.add(max(1, 1<<27/(n*n*n)), func() error {
				return backend.Eval(context.Background(), p, [][]byte{in, in}, nil, [][]byte{out})
			})
			if err != nil {
				return err
			}
		}
		flops := 2 * float64(n) * float64(n) * float64(n)
		fmt.Printf("  %4d × %-4d  %5.1f GFLOP/s at p50, %5.1f at best\n", n, n, flops/float64(took.quantile(.5)), flops/float64(took.quantile(0)))
	}
	return nil
}
