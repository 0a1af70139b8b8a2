package guest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu/cpu/oracle"
	"github.com/sporeengine/spore/gpu/tensor"
)

// A testCase is one of testdata/cases.json, which testdata/README.md describes.
type testCase struct {
	Name  string          `json:"name"`
	Steps json.RawMessage `json:"steps"`
	Out   []string        `json:"out"`
	Want  []struct {
		DType string `json:"dtype"`
		Shape []int  `json:"shape"`
		Data  []any  `json:"data"`
	} `json:"want,omitempty"`
	Near  bool `json:"near,omitempty"`
	Error *struct {
		Code string  `json:"code"`
		Op   *string `json:"op"`
		Text string  `json:"text"`
	} `json:"error,omitempty"`
}

// A testResult is what a guest made of a case.
type testResult struct {
	Out []struct {
		DType string `json:"dtype"`
		Shape []int  `json:"shape"`
		Data  buffer `json:"data"`
	} `json:"out"`
	Error *struct {
		Code string `json:"code"`
		Op   string `json:"op"`
		Text string `json:"text"`
	} `json:"error"`
}

// A buffer is a binary value in JSON.
type buffer struct {
	Index int `json:"$bytes"`
	bytes []byte
}

func loadCases(t *testing.T) (cases []testCase) {
	t.Helper()
	b, err := os.ReadFile("testdata/cases.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &cases))
	names := map[string]bool{}
	for _, c := range cases {
		require.False(t, names[c.Name], c.Name)
		names[c.Name] = true
	}
	return cases
}

// runners are the components that run cases, one for each language.
var runners = []string{"run.js", "run.py"}

// TestCases runs the cases in each language and each isolation mode. All have the same results, byte by byte, which are
// those that are listed and those of the oracle, and every operation is among them.
func TestCases(t *testing.T) {
	cases := loadCases(t)
	var first []testResult
	eachWorld(t, func(t *testing.T, w *world) {
		for _, runner := range runners {
			t.Run(runner, func(t *testing.T) {
				c := w.runner(t, runner)
				w.reset()
				results := w.run(t, c, cases)
				require.Len(t, results, len(cases))
				for i := range cases {
					checkCase(t, &cases[i], &results[i])
				}
				w.checkPrograms(t, tensor.Ops())
				if first == nil {
					first = results
				}
				require.Equal(t, first, results)
			})
		}
	})
}

// runner compiles one of runners.
func (w *world) runner(t *testing.T, name string) *engine.Component {
	t.Helper()
	code, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return w.compile(t, name, string(code))
}

// run has a runner run cases.
func (w *world) run(t *testing.T, c *engine.Component, cases []testCase) (results []testResult) {
	t.Helper()
	r, err := c.Render(t.Context(), map[string]any{"cases": cases}, w.options())
	require.NoError(t, err)
	require.NoError(t, r.Decode(&results))
	for i := range results {
		for j := range results[i].Out {
			b := &results[i].Out[j].Data
			b.bytes = r.Buffers[b.Index]
			b.Index = 0
		}
	}
	return results
}

func checkCase(t *testing.T, c *testCase, r *testResult) {
	t.Helper()
	if c.Error != nil || r.Error != nil {
		if c.Error == nil || r.Error == nil {
			t.Errorf("%s: error %+v, want %+v", c.Name, r.Error, c.Error)
		} else if r.Error.Code != c.Error.Code || c.Error.Op != nil && r.Error.Op != *c.Error.Op || !bytes.Contains([]byte(r.Error.Text), []byte(c.Error.Text)) {
			t.Errorf("%s: error %+v, want %+v", c.Name, *r.Error, *c.Error)
		}
		return
	}
	if len(r.Out) != len(c.Out) {
		t.Fatalf("%s: %d results", c.Name, len(r.Out))
	}
	for i, w := range c.Want {
		got := r.Out[i]
		typ := typeOf(t, w.DType, w.Shape)
		want := oracle.New(typ)
		for j, v := range w.Data {
			if typ.DType.IsFloat() {
				want.Floats[j] = number(t, v)
			} else {
				n, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
				require.NoError(t, err, c.Name)
				want.Ints[j] = n
			}
		}
		if got.DType != w.DType || fmt.Sprint(got.Shape) != fmt.Sprint(w.Shape) || !close(typ, got.Data.bytes, want.Encode(), c.Near) {
			t.Errorf("%s: result %d is %s%v %x, want %s%v %v", c.Name, i, got.DType, got.Shape, got.Data.bytes, w.DType, w.Shape, w.Data)
		}
	}
}

func number(t *testing.T, v any) float64 {
	if s, ok := v.(string); ok {
		f, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err)
		return f
	}
	return v.(float64)
}

func typeOf(t *testing.T, dtype string, shape []int) tensor.Type {
	for _, d := range tensor.DTypes() {
		if d.String() == dtype {
			return tensor.Type{DType: d, Shape: shape}
		}
	}
	t.Fatalf("dtype %q", dtype)
	return tensor.Type{}
}

// close reports whether two contents are equal, up to rounding of functions such as exp if near.
func close(typ tensor.Type, a, b []byte, near bool) bool {
	if len(a) != len(b) || int64(len(a)) != typ.Bytes() {
		return false
	}
	if bytes.Equal(a, b) {
		return true
	}
	x, y := oracle.Decode(typ, a), oracle.Decode(typ, b)
	if !typ.DType.IsFloat() {
		return false
	}
	eps := map[tensor.DType]float64{tensor.Float16: 0x1p-10, tensor.BFloat16: 0x1p-7, tensor.Float32: 0x1p-23, tensor.Float64: 0x1p-52}[typ.DType]
	for i, f := range x.Floats {
		g := y.Floats[i]
		switch {
		case f == g || math.IsNaN(f) && math.IsNaN(g):
		case !near || math.Abs(f-g) > 16*eps*max(1, math.Abs(g)) || math.IsNaN(f) || math.IsNaN(g):
			return false
		}
	}
	return true
}
