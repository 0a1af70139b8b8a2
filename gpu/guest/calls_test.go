package guest_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/hostfuncs"
)

// echo returns what it gets, and says what that is.
func echo() *gpu.Function {
	return &gpu.Function{Name: "echo", Doc: "Echoes.", Run: func(_ context.Context, batch []*gpu.Request) error {
		for _, r := range batch {
			if r.Parameters["fail"] == true {
				r.Err = hostfuncs.Errorf("sad", "it is told to fail")
				continue
			}
			var said []string
			for _, in := range r.Inputs {
				said = append(said, fmt.Sprintf("%s %s%v %x", in.Name, in.Datatype, in.Shape, in.Data))
			}
			r.Parameters["said"] = said
			r.Outputs = append(r.Inputs, gpu.Tensor{Datatype: "UINT16", Shape: []int{2}, Data: []byte{1, 0, 2, 1}},
				gpu.Tensor{Name: "blob", Datatype: "BYTES", Shape: []int{1}, Data: []byte{2, 0, 0, 0, 0xff, 0xfe}})
		}
		return nil
	}}
}

// counter counts up to n and then waits until nobody listens, if it is told to.
func counter(ended chan error) *gpu.Stream {
	return &gpu.Stream{Name: "count", Run: func(ctx context.Context, r *gpu.Request, emit func(gpu.Part) error) error {
		n, _ := r.Parameters["n"].(float64)
		for i := range uint64(n) {
			part := gpu.Part{Parameters: map[string]any{"text": fmt.Sprint("t", i)},
				Outputs: []gpu.Tensor{{Name: "x", Datatype: "INT64", Shape: []int{1}, Data: binary.LittleEndian.AppendUint64(nil, i)}}}
			if err := emit(part); err != nil {
				ended <- context.Cause(ctx)
				return err
			}
		}
		if r.Parameters["fail"] == true {
			return hostfuncs.Errorf("sad", "no more")
		}
		return nil
	}}
}

const calling = `import gpu, { call, stream, GpuError } from "gpu";
export async function functions() {
  const lazy = gpu.asarray([1, 2]).mul(2);
  const r = await call("echo", { lazy, u: new Uint8Array([7]), list: [[1], [2]], texts: ["a", "ö"], model: "x", n: 3, deep: { a: [1] }, nothing: undefined });
  return { said: r.said, model: r.model, n: r.n, deep: r.deep, lazy: r.lazy.add(1).tolist(), u: [r.u.dtype, ...r.u.tolist()], texts: r.texts,
    numbers: [r.output4.constructor.name, ...r.output4], blob: [r.blob[0].constructor.name, ...r.blob[0]] };
}
export const blocking = () => gpu.callSync("echo", { x: gpu.ones([1]) }).x.item();
export async function parts({ n }: { n: number }) {
  const all: any[] = [];
  for await (const t of stream("count", { n })) all.push(t.text, t.x.item());
  return all;
}
export async function early() {
  for await (const t of gpu.stream("count", { n: 1000 })) if (t.x.item() === 3) return t.text;
}
export async function sad() {
  const all: any[] = [];
  try {
    for await (const t of gpu.stream("count", { n: 2, fail: true })) all.push(t.text);
  } catch (e: any) { all.push(e instanceof GpuError, e.code, e.message); }
  try { await call("echo", { fail: true }); } catch (e: any) { all.push(e instanceof GpuError, e.code, e.message); }
  try { for await (const t of stream("none")); } catch (e: any) { all.push(e.code); }
  return all;
}
export const info = async () => [await gpu.info(), gpu.infoSync()];
let held: any;
export async function hold() { held = stream("count", { n: 5 }); return (await held.next()).value.text; }
export const drop = async () => { await held.return(); };
`

// TestCalls calls functions and streams of the embedder.
func TestCalls(t *testing.T) {
	ended := make(chan error, 16)
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{Functions: []*gpu.Function{echo()}, Streams: []*gpu.Stream{counter(ended)}})
	c := w.compile(t, "calling.tsx", calling)
	in, err := c.Open(t.Context(), w.options())
	require.NoError(t, err)
	defer in.Close()
	call := func(f string, arg any) string {
		t.Helper()
		r, err := in.Call(t.Context(), f, arg)
		require.NoError(t, err, f)
		return r.Text()
	}
	require.JSONEq(t, `{"said": ["lazy FP32[2] 0000004000008040", "u UINT8[1] 07", "list FP32[2 1] 0000803f00000040", "texts BYTES[2] 010000006102000000c3b6"],
		"model": "x", "n": 3, "deep": {"a": [1]}, "lazy": [3, 5], "u": ["uint8", 7], "texts": ["a", "ö"], "numbers": ["Uint16Array", 1, 258], "blob": ["Uint8Array", 255, 254]}`, call("functions", nil))
	require.Equal(t, "1", call("blocking", nil))
	require.JSONEq(t, `["t0", 0, "t1", 1, "t2", 2]`, call("parts", map[string]any{"n": 3}))
	require.JSONEq(t, `[]`, call("parts", map[string]any{"n": 0}))
	require.Zero(t, w.count("gpu.close"))
	require.Equal(t, "t3", call("early", nil))
	require.Equal(t, 1, w.count("gpu.close"), "leaving the loop ends the stream")
	require.Error(t, <-ended)
	require.JSONEq(t, `["t0", "t1", true, "sad", "no more", true, "sad", "it is told to fail", "not_granted"]`, call("sad", nil))
	require.True(t, strings.HasPrefix(call("info", nil), `[{"backend":"cpu"`))

	// A stream that is held keeps the instance from being captured.
	require.Equal(t, "t0", call("hold", nil))
	_, err = in.Snapshot(t.Context())
	require.ErrorIs(t, err, engine.ErrHolds)
	call("drop", nil)
	_, err = in.Snapshot(t.Context())
	require.NoError(t, err)
}
