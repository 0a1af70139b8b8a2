package gpu_test

import (
	"context"
	"encoding/binary"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

// TestCPUWorker compares the CPU backend in a worker with the same in this process: a search over a constant, and an error.
func TestCPUWorker(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	here, err := cpu.New(cpu.Options{})
	require.NoError(t, err)
	defer here.Close()
	bothTransports(t, func(t *testing.T, c gpu.Config) {
		c.Command = []string{self, "cpu"}
		there := newPool(t, c).For("a")
		require.Equal(t, here.Info(), there.Info())

		const rows, width, k = 3000, 64, 10
		b := tensor.NewBuilder(tensor.Limits{})
		q, db := b.Input(tensor.Float32, width, 1), b.Constant(tensor.Float32, rows, width)
		scores := b.Apply(tensor.Reshape, tensor.Attrs{"shape": []int{rows}}, b.Apply(tensor.MatMul, nil, db, q))
		top := b.Apply(tensor.TopK, tensor.Attrs{"axis": 0, "k": k}, scores)
		search, err := b.Build(top, top+1)
		require.NoError(t, err)
		data, query := make([]float32, rows*width), make([]float32, width)
		for i := range data {
			data[i] = float32((i*7919)%1000) / 1000
		}
		for i := range query {
			query[i] = float32((i*31)%100) / 100
		}
		id := gpu.IDOf(search.Constants()[0], raw(data))
		eval := func(b gpu.Backend) [][]byte {
			require.NoError(t, b.PutConstant(context.Background(), id, search.Constants()[0], raw(data)))
			out := [][]byte{make([]byte, 4*k), make([]byte, 8*k)}
			require.NoError(t, b.Eval(t.Context(), search, [][]byte{raw(query)}, []gpu.ConstantID{id}, out))
			return out
		}
		require.Equal(t, eval(here), eval(there))

		b = tensor.NewBuilder(tensor.Limits{})
		x, i := b.Input(tensor.Float32, 4), b.Input(tensor.Int64, 1)
		take, err := b.Build(b.Apply(tensor.Take, tensor.Attrs{"axis": 0}, x, i))
		require.NoError(t, err)
		err = there.Eval(t.Context(), take, [][]byte{raw(counting(4, 0)), binary.LittleEndian.AppendUint64(nil, 1000)}, nil, [][]byte{make([]byte, 4)})
		var node *tensor.NodeError
		require.ErrorAs(t, err, &node)
		require.Equal(t, tensor.Take, node.Op)
		require.Len(t, node.In, 2)
	})
}
