package gpu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/internal/shm"
	"github.com/sporeengine/spore/gpu/internal/wire"
	"github.com/sporeengine/spore/gpu/tensor"
)

// joined returns parts as the transport puts them together.
func joined(parts [][]byte) (b []byte) {
	for _, p := range parts {
		b = append(append(b, p...), make([]byte, align(int64(len(p)))-int64(len(p)))...)
	}
	return b
}

// request is one of a program with a constant, three inputs, one of them empty, and two outputs.
func request(t testing.TB) (p *tensor.Program, in, out []byte) {
	b := tensor.NewBuilder(tensor.Limits{})
	x, y, c := b.Input(tensor.Float32, 5), b.Input(tensor.Float32, 5), b.Constant(tensor.Float32, 5)
	b.Input(tensor.Int64, 0)
	z := b.Apply(tensor.Add, nil, b.Apply(tensor.Multiply, nil, x, y), c)
	p, err := b.Build(z, b.Apply(tensor.Sum, tensor.Attrs{"axes": []int{0}}, z))
	require.NoError(t, err)
	op, parts := encodeEval(p, requestInputs, []ConstantID{{9}}, nil)
	require.EqualValues(t, opEval, op)
	return p, joined(parts), make([]byte, 128)
}

var requestInputs = [][]byte{bytes.Repeat([]byte{1}, 20), bytes.Repeat([]byte{2}, 20), {}}

// testBuffers are buffers in which the inputs of request lie at 64 and 128.
func testBuffers() []byte {
	b := make([]byte, 192)
	copy(b[64:], requestInputs[0])
	copy(b[128:], requestInputs[1])
	return b
}

// TestPlacedRequest has some of the inputs lie in buffers.
func TestPlacedRequest(t *testing.T) {
	p, _, out := request(t)
	var known programs
	for _, at := range [][]int64{{64, 128, notPlaced}, {notPlaced, 128, notPlaced}, {64, notPlaced, notPlaced}, {notPlaced, notPlaced, notPlaced}} {
		op, parts := encodeEval(p, requestInputs, []ConstantID{{9}}, at)
		require.EqualValues(t, opEvalPlaced, op)
		setTenant(parts, 1<<32-2)
		in, buffers := joined(parts), testBuffers()
		e, err := known.decodeEval(in, out, true, buffers)
		require.NoError(t, err)
		require.EqualValues(t, 1<<32-2, e.tenant)
		require.Equal(t, requestInputs, e.inputs)
		for i, where := range at {
			if where != notPlaced {
				buffers[where]++
				require.Equal(t, buffers[where], e.inputs[i][0], "it is not a copy")
			}
		}
		for n := range len(in) {
			_, err := known.decodeEval(in[:n], out, true, buffers)
			require.Error(t, err, "%d bytes", n)
		}
		_, err = known.decodeEval(in, out, false, buffers)
		require.Error(t, err, "another operation")
	}
	for _, at := range [][]int64{{64, 129, notPlaced}, {64, 192, notPlaced}, {64, 176, notPlaced}, {-64, 128, notPlaced}, {64, 1 << 62, notPlaced},
		{64, -1 << 63, notPlaced}, {64, 128}, {64, 128, notPlaced, notPlaced}, {64}} {
		_, parts := encodeEval(p, append(requestInputs, []byte{}), []ConstantID{{9}}, at)
		_, err := known.decodeEval(joined(parts), out, true, testBuffers())
		require.ErrorIs(t, err, wire.ErrProtocol, "%v", at)
	}
	_, parts := encodeEval(p, requestInputs, []ConstantID{{9}}, []int64{64, 128, 0})
	_, err := known.decodeEval(joined(parts), out, true, nil)
	require.ErrorIs(t, err, wire.ErrProtocol, "there are no buffers")
}

func TestRequest(t *testing.T) {
	p, in, out := request(t)
	var known programs
	for range 2 {
		e, err := known.decodeEval(in, out, false, nil)
		require.NoError(t, err)
		require.Equal(t, p.Key(), e.program.Key())
		require.Equal(t, [][]byte{bytes.Repeat([]byte{1}, 20), bytes.Repeat([]byte{2}, 20), {}}, e.inputs)
		require.Equal(t, []ConstantID{{9}}, e.constants)
		require.Equal(t, 20, len(e.outputs[0]))
		require.Equal(t, 4, len(e.outputs[1]))
		e.outputs[1][0] = 7
		require.Equal(t, byte(7), out[shm.Align], "outputs are parts of the result's memory")
	}
	for n := range len(in) {
		_, err := known.decodeEval(in[:n], out, false, nil)
		require.Error(t, err, "%d bytes", n)
	}
	_, err := known.decodeEval(in, out[:64], false, nil)
	require.Error(t, err)
}

// FuzzRequest gives a worker what no host sends.
func FuzzRequest(f *testing.F) {
	_, in, out := request(f)
	f.Add(in, len(out))
	p, _, _ := request(f)
	_, parts := encodeEval(p, requestInputs, []ConstantID{{9}}, []int64{64, 128, notPlaced})
	f.Add(joined(parts), len(out))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0}, 0)
	f.Fuzz(func(t *testing.T, in []byte, n int) {
		var known programs
		e, err := known.decodeEval(in, make([]byte, max(0, min(n, 1<<16))), true, testBuffers())
		if err != nil {
			return
		}
		if err := CheckBuffers(e.program, e.inputs, e.constants, e.outputs); err != nil && len(e.constants) == len(e.program.ConstantValues()) && !errors.Is(err, ErrArgument) {
			t.Fatal(err)
		}
	})
}

// FuzzType checks that the description of a constant has one form.
func FuzzType(f *testing.F) {
	f.Add(appendType(nil, tensor.Type{DType: tensor.Float32, Shape: tensor.Shape{2, 300, 0}}))
	f.Add([]byte{7, 255, 255, 255, 255, 15})
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, err := parseType(b)
		if err == nil && !bytes.Equal(appendType(nil, kind), b) {
			t.Fatalf("%v of %x", kind, b)
		}
	})
}

// TestAnswers takes each error of a backend to the host, and garbage.
func TestAnswers(t *testing.T) {
	p, _, _ := request(t)
	for _, err := range []error{nil, ErrArgument, ErrConstant, ErrMemory, context.Canceled, errors.ErrUnsupported} {
		require.ErrorIs(t, decodeAnswer(encodeAnswer(err), p), err)
		if err != nil {
			require.ErrorIs(t, decodeAnswer(encodeAnswer(fmt.Errorf("in a secret place: %w", err)), p), err)
		}
	}
	var node *tensor.NodeError
	require.ErrorAs(t, decodeAnswer(encodeAnswer(&tensor.NodeError{Node: 4, Err: errors.New("secret")}), p), &node)
	require.Equal(t, tensor.Multiply, node.Op)
	require.NotContains(t, node.Error(), "secret")
	for _, a := range []shm.Answer{{Code: codeNode, Detail: 1 << 31}, {Code: codeInternal}, {Code: 1 << 30, Detail: 9}, encodeAnswer(errors.New("?"))} {
		require.ErrorIs(t, decodeAnswer(a, p), errWorker)
	}
}
