package tensor_test

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/tensor"
)

// search is a program of some operations: what of a constant is most like an input.
func search(t testing.TB) *tensor.Program {
	b := tensor.NewBuilder(tensor.Limits{})
	db := b.Constant(tensor.Float16, 1000, 384)
	q := b.Input(tensor.Float32, 384)
	scores := b.Apply(tensor.MatMul, nil, b.AsType(db, tensor.Float32), q)
	best := b.Apply(tensor.TopK, tensor.Attrs{"k": 10}, scores)
	p, err := b.Build(best, best+1)
	require.NoError(t, err)
	return p
}

// kitchen has every kind of attribute, and a node of more than two inputs.
func kitchen(t testing.TB) *tensor.Program {
	b := tensor.NewBuilder(tensor.Limits{})
	x := b.Input(tensor.Float32, 4, 6)
	y := b.Create(tensor.RandomNormal, tensor.Float32, tensor.Attrs{"shape": tensor.Shape{4, 1}, "seed": uint64(1 << 63)})
	z := b.Apply(tensor.Clip, nil, b.Apply(tensor.Add, nil, x, y), b.Full(tensor.Float32, -1), b.Full(tensor.Float32, math.Inf(1)))
	z = b.Apply(tensor.Slice, tensor.Attrs{"start": []int{3, 0}, "step": []int{-1, 2}, "count": []int{4, 3}}, z)
	z = b.Apply(tensor.Concat, tensor.Attrs{"axis": 1}, z, x, x, z)
	v := b.Apply(tensor.Var, tensor.Attrs{"axes": []int{0, 1}, "keepdims": true, "correction": 1.0}, z)
	n := b.Create(tensor.Arange, tensor.Int64, tensor.Attrs{"n": 3, "start": -5, "step": int64(math.MinInt64)})
	p, err := b.Build(z, v, n, z)
	require.NoError(t, err)
	return p
}

func TestProgram(t *testing.T) {
	p := search(t)
	require.Equal(t, []tensor.Type{{DType: tensor.Float32, Shape: tensor.Shape{384}}}, p.Inputs())
	require.Equal(t, "float16(1000, 384)", p.Constants()[0].String())
	require.Equal(t, "float32(10,)", p.Outputs()[0].String())
	require.Equal(t, "int64(10,)", p.Outputs()[1].String())
	c := p.Cost()
	require.EqualValues(t, 4*384, c.InputBytes)
	require.EqualValues(t, 2*1000*384, c.ConstantBytes)
	require.EqualValues(t, 10*(4+8), c.OutputBytes)
	require.Greater(t, c.Work, int64(2*1000*384))
	require.Greater(t, c.Peak, int64(4*1000*384))
	require.Equal(t, search(t).Key(), p.Key())
	require.NotEqual(t, kitchen(t).Key(), p.Key())
}

// roundTrip checks that a program is the same after it was encoded and decoded.
func roundTrip(t testing.TB, p *tensor.Program) {
	t.Helper()
	q, err := tensor.Decode(p.Encode(), tensor.Limits{})
	require.NoError(t, err)
	require.Equal(t, p.Encode(), q.Encode())
	require.Equal(t, p.Cost(), q.Cost())
	require.Equal(t, p.OutputValues(), q.OutputValues())
	require.Equal(t, p.NumValues(), q.NumValues())
	for v := range p.NumValues() {
		require.True(t, p.Type(v).Equal(q.Type(v)))
	}
}

func TestRoundTrip(t *testing.T) {
	roundTrip(t, search(t))
	roundTrip(t, kitchen(t))
}

// TestDecodeIsStrict changes each byte of an encoding, and cuts it everywhere: what is
// still a program is another one, in canonical form.
func TestDecodeIsStrict(t *testing.T) {
	for _, p := range []*tensor.Program{search(t), kitchen(t)} {
		good := p.Encode()
		for i := range good {
			for _, bit := range []byte{1, 2, 0x10, 0x80} {
				bad := p.Encode()
				bad[i] ^= bit
				q, err := tensor.Decode(bad, tensor.Limits{})
				if err == nil {
					require.Equal(t, bad, q.Encode())
					require.NotEqual(t, p.Key(), q.Key())
				} else {
					requireTyped(t, err)
				}
			}
			_, err := tensor.Decode(good[:i], tensor.Limits{})
			require.ErrorIs(t, err, tensor.ErrFormat)
		}
		_, err := tensor.Decode(append(good, 0), tensor.Limits{})
		require.ErrorIs(t, err, tensor.ErrFormat)
	}
}

func requireTyped(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, tensor.ErrFormat) && !errors.Is(err, tensor.ErrInvalid) && !errors.Is(err, tensor.ErrLimit) {
		t.Fatalf("%v is of no known kind", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(search(f).Encode())
	f.Add(kitchen(f).Encode())
	f.Add([]byte("GPX1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := tensor.Decode(data, tensor.Limits{})
		if err != nil {
			requireTyped(t, err)
			return
		}
		require.Equal(t, data, p.Encode())
		require.NoError(t, p.Check(tensor.Limits{}))
		roundTrip(t, p)
		for _, typ := range p.Outputs() {
			require.LessOrEqual(t, typ.Bytes(), p.Cost().Peak)
		}
	})
}

// TestErrors holds the texts that guests see.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		build func(b *tensor.Builder) tensor.Value
		want  string
	}{
		{func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.Add, nil, b.Input(tensor.Float32, 2, 3), b.Input(tensor.Float32, 4))
		}, "tensor: node 2: add(float32(2, 3), float32(4,)): shapes (2, 3) and (4,) cannot be broadcast"},
		{func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.Add, nil, b.Input(tensor.Float32, 2), b.Input(tensor.Int32, 2))
		}, "tensor: node 2: add(float32(2,), int32(2,)): float32 and int32 do not mix: use astype"},
		{func(b *tensor.Builder) tensor.Value { return b.Apply(tensor.Sqrt, nil, b.Input(tensor.Int32)) },
			"tensor: node 1: sqrt(int32()): int32 is not supported: floats are"},
		{func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.MatMul, nil, b.Input(tensor.Float32, 2, 3), b.Input(tensor.Float32, 2, 3))
		}, "tensor: node 2: matmul(float32(2, 3), float32(2, 3)): inner lengths 3 and 2 differ"},
		{func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.Max, tensor.Attrs{"axes": []int{0}}, b.Input(tensor.Float32, 0, 3))
		}, "tensor: node 1: max(float32(0, 3)): axis 0 has no elements"},
		{func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{1, 0}}, b.Input(tensor.Float32, 2, 3))
		}, "tensor: node 1: sum(float32(2, 3)): axes are [1 0]: ascending order is expected"},
		{func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.Slice, tensor.Attrs{"start": []int{1}, "step": []int{2}, "count": []int{3}}, b.Input(tensor.Bool, 5))
		}, "tensor: node 1: slice(bool(5,)): elements 1 to 5 of axis 0, whose length is 5"},
		{func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.TopK, tensor.Attrs{"k": 6}, b.Input(tensor.Float32, 5))
		}, "tensor: node 1: topk(float32(5,)): k is 6, axis 0 has length 5"},
		{func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.Reshape, tensor.Attrs{"shape": []int{7}}, b.Input(tensor.Float32, 2, 3))
		}, "tensor: node 1: reshape(float32(2, 3)): (7,) has 7 elements, not 6"},
		{func(b *tensor.Builder) tensor.Value { return b.Full(tensor.Uint8, 256, 2) },
			"tensor: node 0: full(): value is 256: that is no uint8"},
		{func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.Where, nil, b.Input(tensor.Uint8), b.Input(tensor.Bool), b.Input(tensor.Bool))
		}, "tensor: node 3: where(uint8(), bool(), bool()): input 0 is uint8: bool is expected"},
		{func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.Take, nil, b.Input(tensor.Float32, 5), b.Input(tensor.Float32, 1))
		}, "tensor: node 2: take(float32(5,), float32(1,)): indices are float32: int32 or int64 is expected"},
		{func(b *tensor.Builder) tensor.Value { return b.Apply(tensor.Add, nil, b.Input(tensor.Float32)) },
			"tensor: node 1: add(float32()): 1 inputs: 2 are expected"},
		{func(b *tensor.Builder) tensor.Value { return b.Apply(tensor.Negative, nil, 3) },
			"tensor: node 0: negative(): input 0 is value 3: there are 0 before it"},
	} {
		b := tensor.NewBuilder(tensor.Limits{})
		_, err := b.Build(c.build(b))
		require.EqualError(t, err, c.want)
		require.ErrorIs(t, err, tensor.ErrInvalid)
		var node *tensor.NodeError
		require.ErrorAs(t, err, &node)
	}
	for _, build := range []func(b *tensor.Builder) tensor.Value{
		func(b *tensor.Builder) tensor.Value { return b.Create(tensor.Full, tensor.Float32, nil) },
		func(b *tensor.Builder) tensor.Value { return b.Full(tensor.Float32, "one") },
		func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{0}, "axis": 0}, b.Input(tensor.Float32, 2))
		},
		func(b *tensor.Builder) tensor.Value { return b.Apply(tensor.Op(0), nil) },
		func(b *tensor.Builder) tensor.Value { return b.Apply(tensor.Op(73), nil) },
		func(b *tensor.Builder) tensor.Value { return 7 },
		func(b *tensor.Builder) tensor.Value {
			return b.Create(tensor.Zeros, 99, tensor.Attrs{"shape": []int{}})
		},
		func(b *tensor.Builder) tensor.Value { return b.Input(tensor.Float32, -1) },
	} {
		b := tensor.NewBuilder(tensor.Limits{})
		_, err := b.Build(build(b))
		require.ErrorIs(t, err, tensor.ErrInvalid)
	}
}

func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		limits tensor.Limits
		build  func(b *tensor.Builder) tensor.Value
	}{
		"nodes": {tensor.Limits{Nodes: 2}, func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.Negative, nil, b.Apply(tensor.Negative, nil, b.Input(tensor.Float32)))
		}},
		"rank":     {tensor.Limits{Rank: 2}, func(b *tensor.Builder) tensor.Value { return b.Input(tensor.Float32, 1, 1, 1) }},
		"elements": {tensor.Limits{Elements: 10}, func(b *tensor.Builder) tensor.Value { return b.Input(tensor.Float32, 11) }},
		"bytes":    {tensor.Limits{Bytes: 40}, func(b *tensor.Builder) tensor.Value { return b.Input(tensor.Float32, 1) }},
		"work": {tensor.Limits{Work: 1000}, func(b *tensor.Builder) tensor.Value {
			return b.Apply(tensor.MatMul, nil, b.Input(tensor.Float32, 10, 10), b.Input(tensor.Float32, 10, 10))
		}},
		"peak": {tensor.Limits{Peak: 1000}, func(b *tensor.Builder) tensor.Value { return b.Full(tensor.Float32, 1, 300) }},
		"absurd": {tensor.Limits{}, func(b *tensor.Builder) tensor.Value {
			return b.Full(tensor.Float64, 1, math.MaxInt32, math.MaxInt32, math.MaxInt32, math.MaxInt32)
		}},
		"many outputs of a broadcast": {tensor.Limits{}, func(b *tensor.Builder) tensor.Value {
			x := b.Full(tensor.Float64, 1)
			for range 40 {
				y := b.Apply(tensor.BroadcastTo, tensor.Attrs{"shape": []int{1 << 20}}, x)
				x = b.Apply(tensor.Concat, nil, y, b.Apply(tensor.Reshape, tensor.Attrs{"shape": []int{1 << 20}}, y))
				x = b.Apply(tensor.Slice, tensor.Attrs{"start": []int{0}, "step": []int{1}, "count": []int{1}}, x)
			}
			return b.Apply(tensor.BroadcastTo, tensor.Attrs{"shape": []int{1 << 26}}, x)
		}},
	} {
		b := tensor.NewBuilder(c.limits)
		_, err := b.Build(c.build(b))
		require.ErrorIs(t, err, tensor.ErrLimit, name)

		// A host checks the same of a program that was made elsewhere.
		b = tensor.NewBuilder(tensor.Limits{Nodes: 1 << 20, Rank: 32, Elements: math.MaxInt64, Bytes: 1 << 30, Work: math.MaxInt64, Peak: math.MaxInt64})
		p, err := b.Build(c.build(b))
		require.NoError(t, err, name)
		require.ErrorIs(t, p.Check(c.limits), tensor.ErrLimit, name)
		_, err = tensor.Decode(p.Encode(), c.limits)
		require.ErrorIs(t, err, tensor.ErrLimit, name)
	}
	_, err := tensor.NewBuilder(tensor.Limits{}).Build()
	require.ErrorIs(t, err, tensor.ErrInvalid)
}

// TestPeak holds the count of memory on a chain, of which two tensors live at a time.
func TestPeak(t *testing.T) {
	b := tensor.NewBuilder(tensor.Limits{})
	x := b.Input(tensor.Float32, 1000)
	for range 10 {
		x = b.Apply(tensor.Negative, nil, x)
	}
	p, err := b.Build(x)
	require.NoError(t, err)
	require.EqualValues(t, 3*4000, p.Cost().Peak) // and the input
	require.EqualValues(t, 10*1000+1000, p.Cost().Work)
	require.EqualValues(t, 10*8000, p.Cost().Traffic)
}

func TestPromote(t *testing.T) {
	for _, c := range []struct {
		a, b, want tensor.DType
	}{
		{tensor.Bool, tensor.Bool, tensor.Bool},
		{tensor.Uint8, tensor.Int32, tensor.Int32},
		{tensor.Uint8, tensor.Int64, tensor.Int64},
		{tensor.Float16, tensor.BFloat16, tensor.Float32},
		{tensor.Float16, tensor.Float32, tensor.Float32},
		{tensor.BFloat16, tensor.Float64, tensor.Float64},
		{tensor.Bool, tensor.Uint8, 0},
		{tensor.Int64, tensor.Float32, 0},
		{0, tensor.Float32, 0},
		{99, 99, 0},
	} {
		for range 2 {
			d, ok := tensor.Promote(c.a, c.b)
			require.Equal(t, c.want != 0, ok)
			require.Equal(t, c.want, d)
			c.a, c.b = c.b, c.a
		}
	}
}

func TestBroadcast(t *testing.T) {
	for _, c := range []struct{ a, b, want tensor.Shape }{
		{tensor.Shape{}, tensor.Shape{}, tensor.Shape{}},
		{tensor.Shape{3}, tensor.Shape{}, tensor.Shape{3}},
		{tensor.Shape{2, 1, 4}, tensor.Shape{3, 1}, tensor.Shape{2, 3, 4}},
		{tensor.Shape{0, 1}, tensor.Shape{5}, tensor.Shape{0, 5}},
		{tensor.Shape{1}, tensor.Shape{0}, tensor.Shape{0}},
		{tensor.Shape{2}, tensor.Shape{3}, nil},
		{tensor.Shape{2}, tensor.Shape{0}, nil},
	} {
		for range 2 {
			s, err := tensor.Broadcast(c.a, c.b)
			require.Equal(t, c.want == nil, err != nil)
			require.Equal(t, c.want, s)
			c.a, c.b = c.b, c.a
		}
	}
}
