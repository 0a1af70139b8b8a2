package guest_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/snapshot"
)

func floats(x ...float32) (b []byte) {
	for _, f := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}

const keeping = `import gpu from "gpu";
const db = gpu.constant([[1, 0], [0, 1], [1, 1]]);       // before anything can be called
let lazy: any, done: any;
export async function first() {
  done = gpu.asarray([1, 2]).mul(2);
  await gpu.evaluate(done);
  lazy = db.matmul(done).add(gpu.asarray([10, 20, 30])).cumsum();
  return null;
}
export async function next() {
  const r = [...await lazy.data()];
  lazy = lazy.add(1);
  return r;
}
export const search = async ({ q }: { q: number[] }) => db.matmul(q).tolist();
`

// TestConstants has arrays that are not evaluated, arrays that are, and constants, in instances that are forked, saved and
// resumed where nobody knows the constant.
func TestConstants(t *testing.T) {
	other := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	eachWorld(t, func(t *testing.T, w *world) {
		c := w.compile(t, "keeping.tsx", keeping)
		call := func(in *engine.Instance, f string, arg any) []any {
			t.Helper()
			r, err := in.Call(t.Context(), f, arg)
			require.NoError(t, err)
			var out []any
			require.NoError(t, r.Decode(&out))
			return out
		}
		in, err := c.Open(t.Context(), w.options())
		require.NoError(t, err)
		defer in.Close()
		type list = []any
		call(in, "first", nil)
		require.Equal(t, 1, w.count("gpu.eval"))
		require.Zero(t, w.count("gpu.constant"), "it was not used")

		fork, err := in.Fork(t.Context())
		require.NoError(t, err)
		defer fork.Close()
		delta, err := in.Snapshot(t.Context())
		require.NoError(t, err)

		want, want1 := list{12., 36., 72.}, list{13., 37., 73.}
		require.Equal(t, want, call(in, "next", nil))
		require.Equal(t, want1, call(in, "next", nil))
		require.Equal(t, 1, w.count("gpu.constant"), "sent once")
		require.Equal(t, want, call(fork, "next", nil))
		require.Equal(t, 1, w.pool.Stats().Constants, "one for both")
		require.Equal(t, 2, w.count("gpu.constant"))

		// Once an instance has used it, its clones need not send it.
		w.reset()
		clone, err := in.Fork(t.Context())
		require.NoError(t, err)
		defer clone.Close()
		require.Equal(t, list{3., 4., 7.}, call(clone, "search", map[string]any{"q": list{3, 4}}))
		require.Zero(t, w.count("gpu.constant"))

		// The host forgets it: it is sent again, once.
		id := gpu.IDOf(typeOf(t, "float32", []int{3, 2}), floats(1, 0, 0, 1, 1, 1))
		w.pool.For("t").DropConstant(id)
		require.Equal(t, list{3., 4., 7.}, call(clone, "search", map[string]any{"q": list{3, 4}}))
		require.Equal(t, 1, w.count("gpu.constant"))
		require.Equal(t, 3, w.count("gpu.eval"))

		// Elsewhere, twice: before it was used, and after.
		used, err := in.Snapshot(t.Context())
		require.NoError(t, err)
		other.reset()
		for _, d := range []struct {
			delta *snapshot.Delta
			want  list
		}{{delta, want}, {used, list{14., 38., 74.}}} {
			there, err := c.Resume(t.Context(), d.delta, other.options())
			require.NoError(t, err)
			require.Equal(t, d.want, call(there, "next", nil))
			require.Equal(t, list{3., 4., 7.}, call(there, "search", map[string]any{"q": list{3, 4}}))
			require.NoError(t, there.Close())
			other.pool.For("t").DropConstant(id)
		}
		require.Equal(t, 2, other.count("gpu.constant"))
	})
}

// TestSharedConstant has a constant of the embedder's, of which a component knows the name.
func TestSharedConstant(t *testing.T) {
	w := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	typ := typeOf(t, "float32", []int{2})
	id, err := w.pool.ShareConstant(typ, floats(5, 6))
	require.NoError(t, err)
	c := w.compile(t, "a.js", `import gpu from "gpu";
export const render = ({ digest }) => gpu.constant({ digest, dtype: "float32", shape: [2] }).add(1).tolist();`)
	var out []any
	w.render(t, c, map[string]any{"digest": id.String()}, &out)
	require.Equal(t, []any{6., 7.}, out)
	w.pool.DropShared(id)
	_, err = c.Render(t.Context(), map[string]any{"digest": id.String()}, w.options())
	var ge *engine.GuestError
	require.ErrorAs(t, err, &ge)
	require.Equal(t, "a constant is not here, or of another type", ge.Message)
	require.Zero(t, w.count("gpu.constant"))
}

// TestSuspended has an instance that is suspended while it waits for an evaluation, and goes on elsewhere, where the constant is not known.
func TestSuspended(t *testing.T) {
	other := newWorld(t, shared, gpu.Config{}, gpu.Options{})
	eachWorld(t, func(t *testing.T, w *world) {
		c := w.compile(t, "suspended.ts", `import gpu from "gpu";
const c = gpu.constant([1, 2, 3]);
export async function work({ x }: { x: number[] }) {
  const y = c.mul(x);
  await gpu.evaluate(y);
  return y.sum().data().then((d) => d[0]);
}`)
		in, err := c.Open(t.Context(), w.options())
		require.NoError(t, err)
		defer in.Close()
		w.before = func(name string) error {
			if name == "gpu.eval" {
				in.Suspend()
			}
			return nil
		}
		arg := map[string]any{"x": []int{1, 1, 2}}
		_, err = in.Call(t.Context(), "work", arg)
		require.ErrorIs(t, err, engine.ErrSuspended)
		d, err := in.Snapshot(t.Context())
		require.NoError(t, err)

		other.reset()
		there, err := c.Resume(t.Context(), d, other.options())
		require.NoError(t, err)
		defer there.Close()
		pending, err := there.Pending(t.Context())
		require.NoError(t, err)
		require.Len(t, pending, 1)
		require.Equal(t, "gpu.eval", pending[0].Name)
		require.NoError(t, there.Retry(t.Context(), pending[0].Number))
		r, err := there.Continue(t.Context())
		require.NoError(t, err)
		require.Equal(t, "9", r.Text())
		require.Equal(t, 1, other.count("gpu.constant"))
		require.Equal(t, 3, other.count("gpu.eval"), "the first found the constant missing")
		other.pool.For("t").DropConstant(gpu.IDOf(typeOf(t, "float32", []int{3}), floats(1, 2, 3)))
	})
}
