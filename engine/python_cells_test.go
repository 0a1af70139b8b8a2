package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
)

func TestPythonCells(t *testing.T) {
	eachOf(t, map[string]string{"cells.py": "base = 40\ndef render(p): return str(base)\n"}, &engine.Options{Grants: askSet(t)}, testPythonCells)
}

func testPythonCells(t *testing.T, in *engine.Instance) {
	run := func(code string) (*engine.Cell, error) {
		t.Helper()
		return in.Exec(t.Context(), "cell 1", code)
	}
	cell, err := run("import sys\nfrom spore import display\nprint('before', end='')\ndisplay({'text/html': '<b>', 'image/png': b'\\x89PNG'}, raw=True)\nprint('after', file=sys.stderr)\nbase += 2\n{'base': base}")
	require.NoError(t, err)
	require.Equal(t, "{'base': 42}", cell.Text)
	require.JSONEq(t, `{"base": 42}`, string(cell.Data["application/json"]))
	require.Equal(t, []engine.Output{
		{Stream: "stdout", Text: "before"},
		{Stream: "display", Data: map[string][]byte{"text/html": []byte("<b>"), "image/png": []byte("\x89PNG")}},
		{Stream: "stderr", Text: "after"},
	}, cell.Outputs)
	require.Equal(t, "42", text(t, in, "render", props{}))

	// What is displayed may be as large as Python's display lets it: 2 MiB.
	cell, err = run("from spore import display\ndisplay({'image/png': b'x' * (3 << 19)}, raw=True)")
	require.NoError(t, err)
	require.Len(t, cell.Outputs[0].Data["image/png"], 3<<19)

	// Errors: what was printed until then is there, and what was done stays.
	cell, err = run("print('printed')\nbase = 50\n1 / 0")
	var guest *engine.GuestError
	require.ErrorAs(t, err, &guest)
	require.Equal(t, "ZeroDivisionError", guest.Name)
	require.Contains(t, guest.Trace, "1 / 0")
	require.Equal(t, "cell 1", guest.Stack[0].File)
	require.Equal(t, 3, guest.Stack[0].Line)
	require.Equal(t, []engine.Output{{Stream: "stdout", Text: "printed"}}, cell.Outputs)
	require.Equal(t, "50", text(t, in, "render", props{}))
	_, err = run("x = (1,\ny = 2")
	var source *engine.SourceError
	require.ErrorAs(t, err, &source)
	require.Equal(t, "cell 1", source.Diagnostics[0].File)

	// Limits take a cell back.
	_, err = in.Exec(t.Context(), "", "base = 60\nx = [0]\nwhile True: x += x")
	var limit *engine.LimitError
	require.ErrorAs(t, err, &limit)
	require.Equal(t, "50", text(t, in, "render", props{}))
	_, err = run("from spore import display\nwhile True: display('x' * 100_000)")
	require.Error(t, err)
	_, err = run("class R:\n    def _repr_html_(self): return 'x' * (100 << 20)\nR()")
	if err != nil {
		require.ErrorAs(t, err, &limit)
	}
	require.Equal(t, "50", text(t, in, "render", props{}))

	// A cell that waits for an answer from outside.
	_, err = run("import spore\nv = await spore.call('app.ask', {'q': 'why'})\nv['by'] + base")
	require.ErrorIs(t, err, engine.ErrSuspended)
	pending, err := in.Pending(t.Context())
	require.NoError(t, err)
	require.Len(t, pending, 1)
	require.NoError(t, in.Answer(t.Context(), pending[0].Number, props{"by": 5}, nil))
	_, err = in.Continue(t.Context())
	require.NoError(t, err)
	cell, err = run("_")
	require.NoError(t, err)
	require.Equal(t, "55", cell.Text)
}

func TestPythonStreams(t *testing.T) {
	eachOf(t, map[string]string{"cells.py": pythonStreams}, nil, testPythonStreams)
}

const pythonStreams = `
import asyncio, spore
done = []
async def parts(p):
    try:
        for i in range(p["n"]): yield f"part {i}"
    finally:
        done.append(p["n"])
def plain(p):
    while True:
        yield {"n": p["n"]}
        p["n"] += 1
        if p["n"] == 3: return "end"
async def together(p):
    async def emit(name):
        for i in range(3): await spore.emit(f"{name}{i}")
    async with asyncio.TaskGroup() as g:
        for name in "abc": g.create_task(emit(name))
async def late(p):
    try:
        async with asyncio.timeout(0.005):
            while True: await spore.emit("x")
    except TimeoutError:
        return "late"
def render(p): return done
`

func testPythonStreams(t *testing.T, in *engine.Instance) {
	read := func(function string, arg any, most int) (parts []string, last string) {
		t.Helper()
		for p, err := range in.Stream(t.Context(), function, arg) {
			require.NoError(t, err)
			if p.Last {
				return parts, p.Text()
			}
			parts = append(parts, p.Text())
			if len(parts) == most {
				break
			}
			if function == "late" {
				time.Sleep(10 * time.Millisecond)
			}
		}
		return parts, ""
	}
	parts, last := read("parts", props{"n": 3}, -1)
	require.Equal(t, []string{"part 0", "part 1", "part 2"}, parts)
	require.Equal(t, "null", last)
	parts, last = read("plain", props{"n": 1}, -1)
	require.Equal(t, []string{`{"n":1}`, `{"n":2}`}, parts)
	require.Equal(t, "end", last)
	parts, _ = read("together", props{}, -1)
	require.Len(t, parts, 9)
	require.Equal(t, "[3]", text(t, in, "render", props{}))

	// A reader that leaves takes the call back; one that is slow is told nothing of it.
	parts, _ = read("parts", props{"n": 1_000_000}, 5)
	require.Len(t, parts, 5)
	require.Equal(t, "[3]", text(t, in, "render", props{}))
	_, last = read("late", props{}, -1)
	require.Equal(t, "late", last)

	// Nobody reads.
	_, err := in.Call(t.Context(), "parts", props{"n": 3})
	var guest *engine.GuestError
	require.ErrorAs(t, err, &guest)
	require.Equal(t, "HostError", guest.Name)
}

// TestPythonCellsHammer runs many notebooks side by side.
func TestPythonCellsHammer(t *testing.T) {
	e := newEngine(t, engine.Config{})
	c := compile(t, e, "cells.py", "def render(p): return 'fine'")
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			in, err := c.Open(context.Background(), nil)
			require.NoError(t, err)
			defer in.Close()
			for n := range 20 {
				cell, err := in.Exec(t.Context(), fmt.Sprint("cell ", n), fmt.Sprintf("import asyncio\nawait asyncio.sleep(0)\nv = globals().get('v', %d) + 1\nv", i*100))
				require.NoError(t, err)
				require.Equal(t, fmt.Sprint(i*100+n+1), cell.Text)
				if n == 10 {
					in2, err := in.Fork(t.Context())
					require.NoError(t, err)
					require.NoError(t, in.Close())
					defer in2.Close()
					in = in2
				}
			}
		})
	}
}
