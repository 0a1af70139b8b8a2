package pyworker_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

// TestNoPrograms has a program come to workers that evaluate none, one with a constant too.
func TestNoPrograms(t *testing.T) {
	p := newPool(t, "testdata/models.py", gpu.Config{})
	backend := p.For("a")
	data, out := floats(1, 2), make([]byte, 8)
	kind := tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{2}}
	id := gpu.IDOf(kind, data)
	require.NoError(t, backend.PutConstant(t.Context(), id, kind, data))

	b := tensor.NewBuilder(tensor.Limits{})
	x := b.Input(tensor.Float32, 2)
	program, err := b.Build(b.Apply(tensor.Add, nil, x, x))
	require.NoError(t, err)
	require.ErrorIs(t, backend.Eval(t.Context(), program, [][]byte{data}, nil, [][]byte{out}), errors.ErrUnsupported)

	b = tensor.NewBuilder(tensor.Limits{})
	x = b.Constant(tensor.Float32, 2)
	program, err = b.Build(b.Apply(tensor.Add, nil, x, x))
	require.NoError(t, err)
	require.Error(t, backend.Eval(t.Context(), program, nil, []gpu.ConstantID{id}, [][]byte{out}))
	require.Zero(t, p.Stats().Died+p.Stats().Killed+p.Stats().Mad)
}
