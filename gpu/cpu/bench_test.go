package cpu

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/tensor"
)

// benchmark runs p on zeros, or what fill makes of them.
func benchmark(b *testing.B, backend *Backend, p *tensor.Program, fill func(data []byte)) {
	b.Helper()
	var inputs, outputs [][]byte
	for _, t := range p.Inputs() {
		inputs = append(inputs, of(make([]int64, (t.Bytes()+7)/8)).bytesOf(8)[:t.Bytes()])
		fill(inputs[len(inputs)-1])
	}
	for _, t := range p.Outputs() {
		outputs = append(outputs, of(make([]int64, (t.Bytes()+7)/8)).bytesOf(8)[:t.Bytes()])
	}
	for b.Loop() {
		require.NoError(b, backend.Eval(context.Background(), p, inputs, nil, outputs))
	}
}

// fillUniform writes float32 from 0 to 1.
func fillUniform(data []byte) {
	v, _ := vecOf(data, 4)
	state := uint32(1)
	for i := range as[float32](v) {
		state = state*1664525 + 1013904223
		as[float32](v)[i] = float32(state>>8) / (1 << 24)
	}
}

// BenchmarkMatMul measures square products of float32 on one core and on all of them.
func BenchmarkMatMul(b *testing.B) {
	for _, procs := range []int{1, 0} {
		for _, n := range []int{64, 128, 512, 1024} {
			backend := newBackend(b, Options{Procs: procs})
			b.Run(fmt.Sprintf("procs=%d/%d", backend.options.Procs, n), func(b *testing.B) {
				p := build(b, func(b *tensor.Builder) []tensor.Value {
					return []tensor.Value{b.Apply(tensor.MatMul, nil, b.Input(tensor.Float32, n, n), b.Input(tensor.Float32, n, n))}
				})
				benchmark(b, backend, p, fillUniform)
				b.ReportMetric(2*math.Pow(float64(n), 3)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

// links are ten elementwise operations on v and two vectors.
var links = []func(b *tensor.Builder, v, x, y tensor.Value) tensor.Value{
	func(b *tensor.Builder, v, _, _ tensor.Value) tensor.Value {
		return b.Apply(tensor.Multiply, nil, v, b.Full(tensor.Float32, 2))
	},
	func(b *tensor.Builder, v, _, y tensor.Value) tensor.Value { return b.Apply(tensor.Add, nil, v, y) },
	func(b *tensor.Builder, v, _, _ tensor.Value) tensor.Value {
		return b.Apply(tensor.Subtract, nil, v, b.Full(tensor.Float32, 0.5))
	},
	func(b *tensor.Builder, v, _, _ tensor.Value) tensor.Value {
		return b.Apply(tensor.Maximum, nil, v, b.Full(tensor.Float32, 0))
	},
	func(b *tensor.Builder, v, x, _ tensor.Value) tensor.Value { return b.Apply(tensor.Multiply, nil, v, x) },
	func(b *tensor.Builder, v, _, _ tensor.Value) tensor.Value { return b.Apply(tensor.Abs, nil, v) },
	func(b *tensor.Builder, v, _, _ tensor.Value) tensor.Value {
		return b.Apply(tensor.Minimum, nil, v, b.Full(tensor.Float32, 6))
	},
	func(b *tensor.Builder, v, _, y tensor.Value) tensor.Value { return b.Apply(tensor.Add, nil, v, y) },
	func(b *tensor.Builder, v, _, _ tensor.Value) tensor.Value { return b.Apply(tensor.Negative, nil, v) },
	func(b *tensor.Builder, v, _, _ tensor.Value) tensor.Value {
		return b.Apply(tensor.Multiply, nil, v, b.Full(tensor.Float32, 0.25))
	},
}

// chain is the program of all links on n float32.
func chain(t testing.TB, n int) *tensor.Program {
	return build(t, func(b *tensor.Builder) []tensor.Value {
		x, y := b.Input(tensor.Float32, n), b.Input(tensor.Float32, n)
		v := x
		for _, link := range links {
			v = link(b, v, x, y)
		}
		return []tensor.Value{v}
	})
}

// BenchmarkChain measures the same chain in one program, fused and not, and as ten
// programs of one operation each, as a guest runs that asks for each result.
func BenchmarkChain(b *testing.B) {
	for _, n := range []int{1 << 16, 1 << 20, 1 << 24} {
		p := chain(b, n)
		for _, o := range []struct {
			name string
			Options
		}{{"fused", Options{}}, {"op-by-op", Options{OpByOp: true}}} {
			b.Run(fmt.Sprintf("%d/%s", n, o.name), func(b *testing.B) {
				b.SetBytes(int64(12 * n))
				benchmark(b, newBackend(b, o.Options), p, fillUniform)
			})
		}
		b.Run(fmt.Sprintf("%d/ten-programs", n), func(b *testing.B) {
			b.SetBytes(int64(12 * n))
			backend := newBackend(b, Options{})
			var programs []*tensor.Program
			for _, link := range links {
				programs = append(programs, build(b, func(b *tensor.Builder) []tensor.Value {
					v, x, y := b.Input(tensor.Float32, n), b.Input(tensor.Float32, n), b.Input(tensor.Float32, n)
					return []tensor.Value{link(b, v, x, y)}
				}))
			}
			x, y := make([]byte, 4*n), make([]byte, 4*n)
			fillUniform(x)
			fillUniform(y)
			for b.Loop() {
				v := x
				for _, p := range programs {
					out := make([]byte, 4*n)
					require.NoError(b, backend.Eval(context.Background(), p, [][]byte{v, x, y}, nil, [][]byte{out}))
					v = out
				}
			}
		})
	}
}

// BenchmarkOps measures single operations on a million float32.
func BenchmarkOps(b *testing.B) {
	backend := newBackend(b, Options{})
	for name, f := range map[string]func(b *tensor.Builder, x tensor.Value) tensor.Value{
		"exp":  func(b *tensor.Builder, x tensor.Value) tensor.Value { return b.Apply(tensor.Exp, nil, x) },
		"tanh": func(b *tensor.Builder, x tensor.Value) tensor.Value { return b.Apply(tensor.Tanh, nil, x) },
		"sum": func(b *tensor.Builder, x tensor.Value) tensor.Value {
			return b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{0, 1}}, x)
		},
		"sum-rows": func(b *tensor.Builder, x tensor.Value) tensor.Value {
			return b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{1}}, x)
		},
		"sum-cols": func(b *tensor.Builder, x tensor.Value) tensor.Value {
			return b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{0}}, x)
		},
		"var": func(b *tensor.Builder, x tensor.Value) tensor.Value {
			return b.Apply(tensor.Var, tensor.Attrs{"axes": []int{0, 1}}, x)
		},
		"softmax": func(b *tensor.Builder, x tensor.Value) tensor.Value {
			return b.Apply(tensor.Softmax, tensor.Attrs{"axis": 1}, x)
		},
		"sort-rows": func(b *tensor.Builder, x tensor.Value) tensor.Value {
			return b.Apply(tensor.Sort, tensor.Attrs{"axis": 1}, x)
		},
		"topk-10": func(b *tensor.Builder, x tensor.Value) tensor.Value {
			return b.Apply(tensor.TopK, tensor.Attrs{"k": 10}, b.Apply(tensor.Reshape, tensor.Attrs{"shape": []int{1 << 20}}, x))
		},
		"float16": func(b *tensor.Builder, x tensor.Value) tensor.Value { return b.AsType(x, tensor.Float16) },
		"transposed": func(b *tensor.Builder, x tensor.Value) tensor.Value {
			return b.Apply(tensor.PermuteDims, tensor.Attrs{"axes": []int{1, 0}}, x)
		},
		"matvec": func(b *tensor.Builder, x tensor.Value) tensor.Value {
			return b.Apply(tensor.MatMul, nil, x, b.Input(tensor.Float32, 1024))
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(4 << 20)
			p := build(b, func(b *tensor.Builder) []tensor.Value {
				return []tensor.Value{f(b, b.Input(tensor.Float32, 1024, 1024))}
			})
			benchmark(b, backend, p, fillUniform)
		})
	}
}

// BenchmarkSmall measures what an evaluation costs beside its work.
func BenchmarkSmall(b *testing.B) {
	b.ReportAllocs()
	benchmark(b, newBackend(b, Options{}), chain(b, 16), fillUniform)
}
