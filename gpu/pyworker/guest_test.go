package pyworker_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/cpu"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
	"github.com/sporeengine/spore/runtimes/python"
)

const inJavaScript = `import gpu from "gpu";
export async function render() {
  const doubled = await gpu.call("double", { x: [[1, 2], [3, 4]] });
  const upper = await gpu.call("upper", { text: ["one", "zwölf"] });
  const seen = [];
  for await (const part of gpu.stream("count", { n: gpu.asarray(1000n) })) {
    seen.push(part.i.item());
    if (seen.length === 50) break;
  }
  let code = "";
  try { await gpu.call("misbehave", { how: "invalid" }); } catch (e) { code = e.code + ": " + e.message; }
  return [doubled.y.tolist(), doubled.rows, upper.text, upper.length.tolist(), seen.length, seen[49], code];
}`

const inPython = `import gpu

def render(p):
    doubled = gpu.call("double", x=[[1.0, 2.0], [3.0, 4.0]])
    upper = gpu.call("upper", text=["one", "zwölf"])
    seen = []
    for part in gpu.stream("count", n=gpu.asarray(1000, dtype="int64")):
        seen.append(part["i"].item())
        if len(seen) == 50:
            break
    try:
        gpu.call("misbehave", how="invalid")
    except gpu.Error as e:
        code = str(e)
    return [doubled["y"].tolist(), doubled["rows"], upper["text"], upper["length"].tolist(), len(seen), seen[49], code]
`

func TestMain(m *testing.M) {
	gpu.ServeWorker(func() (gpu.Backend, error) { return cpu.New(cpu.Options{}) }) // for programs
	os.Exit(m.Run())
}

// TestGuests calls models as components do, by the module gpu.
func TestGuests(t *testing.T) {
	p := newPool(t, "testdata/models.py", gpu.Config{})
	functions, streams, err := p.Models(t.Context())
	require.NoError(t, err)
	programs, err := gpu.NewPool(gpu.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, programs.Close()) }()
	grants, err := hostfuncs.Set{}.WithModules(gpu.Module(programs, gpu.Options{Functions: functions, Streams: streams}))
	require.NoError(t, err)
	cacheDir, err := engine.DefaultCacheDir()
	require.NoError(t, err)
	e, err := engine.New(engine.Config{CacheDir: cacheDir, Runtimes: []runtimes.Runtime{javascript.Runtime(), python.Runtime()}, Limits: engine.Limits{CallTime: time.Minute}})
	require.NoError(t, err)
	defer func() { require.NoError(t, e.Close()) }()
	for name, code := range map[string]string{"a.js": inJavaScript, "a.py": inPython} {
		c, err := e.Compile(t.Context(), engine.Source{Name: name, Code: []byte(code), Modules: grants.Modules()})
		require.NoError(t, err)
		r, err := c.Render(t.Context(), nil, &engine.Options{Grants: grants})
		require.NoError(t, err, name)
		var got []any
		require.NoError(t, r.Decode(&got))
		type list = []any
		require.Equal(t, list{list{list{2., 4.}, list{6., 8.}}, 2., list{"ONE", "ZWÖLF"}, list{3., 5.}, 50., 49., "invalid_argument: misbehave refuses its inputs"}, got, name)
	}
	require.Eventually(t, func() bool { return programs.Stats().Streaming == 0 }, 5*time.Second, time.Millisecond, "who leaves the loop ends the stream")
}
