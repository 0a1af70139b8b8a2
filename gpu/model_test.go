package gpu

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/internal/wire"
)

// encodeResult is what a worker sends: the header and the padded tensors.
func encodeResult(header string, tensors ...string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(header)))
	b = append(binary.LittleEndian.AppendUint32(b, 0), header...)
	for _, t := range append([]string{""}, tensors...) {
		b = append(append(b, make([]byte, align(int64(len(b)))-int64(len(b)))...), t...)
	}
	return append(b, make([]byte, align(int64(len(b)))-int64(len(b)))...)
}

var resultModel = Model{Name: "m", Outputs: []ModelData{{"a", "FP32", []int{-1, 2}}, {"b", "BYTES", []int{}}}}

const resultHeader = `{"outputs": [{"name": "b", "datatype": "BYTES", "shape": [], "parameters": {"binary_data_size": 6}},
	{"name": "a", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}}], "parameters": {"x": [1]}}`

func TestModelResult(t *testing.T) {
	good := encodeResult(resultHeader, "\x02\x00\x00\x00hi", "12345678")
	outputs, parameters, err := decodeModelResult(&resultModel, good)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"x": []any{1.0}}, parameters)
	require.Equal(t, []Tensor{{"a", "FP32", []int{1, 2}, []byte("12345678")}, {"b", "BYTES", []int{}, []byte("\x02\x00\x00\x00hi")}}, outputs)

	for n := range good {
		_, _, err := decodeModelResult(&resultModel, good[:n])
		require.ErrorIs(t, err, wire.ErrProtocol, "%d bytes", n)
	}
	for name, bad := range map[string][]byte{
		"more":            append(bytes.Clone(good), make([]byte, 64)...),
		"no JSON":         encodeResult("{", "\x02\x00\x00\x00hi", "12345678"),
		"JSON twice":      encodeResult(resultHeader+"{}", "\x02\x00\x00\x00hi", "12345678"),
		"negative size":   encodeResult(strings.Replace(resultHeader, "6}", "-6}", 1), "\x02\x00\x00\x00hi", "12345678"),
		"enormous size":   encodeResult(strings.Replace(resultHeader, "6}", "9223372036854775807}", 1), "\x02\x00\x00\x00hi", "12345678"),
		"no number":       encodeResult(strings.Replace(resultHeader, "6}", "1e400}", 1), "\x02\x00\x00\x00hi", "12345678"),
		"other shape":     encodeResult(strings.Replace(resultHeader, "[1, 2]", "[2, 1]", 1), "\x02\x00\x00\x00hi", "12345678"),
		"more rows":       encodeResult(strings.Replace(resultHeader, "[1, 2]", "[2, 2]", 1), "\x02\x00\x00\x00hi", "12345678"),
		"enormous shape":  encodeResult(strings.Replace(resultHeader, "[1, 2]", "[4611686018427387905, 2]", 1), "\x02\x00\x00\x00hi", "12345678"),
		"negative shape":  encodeResult(strings.Replace(resultHeader, "[1, 2]", "[-1, 2]", 1), "\x02\x00\x00\x00hi", "12345678"),
		"other datatype":  encodeResult(strings.Replace(resultHeader, "FP32", "INT32", 1), "\x02\x00\x00\x00hi", "12345678"),
		"other name":      encodeResult(strings.Replace(resultHeader, `"a"`, `"c"`, 1), "\x02\x00\x00\x00hi", "12345678"),
		"the same twice":  encodeResult(strings.Replace(resultHeader, `"b", "datatype": "BYTES", "shape": []`, `"a", "datatype": "FP32", "shape": [0, 2]`, 1), "", "12345678"),
		"a wrong element": encodeResult(resultHeader, "\x03\x00\x00\x00hi", "12345678"),
	} {
		_, _, err := decodeModelResult(&resultModel, bad)
		require.ErrorIs(t, err, wire.ErrProtocol, name)
	}
}

// FuzzModelResult has results of a worker gone mad. What is accepted has to fit the model.
func FuzzModelResult(f *testing.F) {
	f.Add(encodeResult(resultHeader, "\x02\x00\x00\x00hi", "12345678"))
	f.Add(encodeResult(`{"outputs": []}`))
	f.Add([]byte("\xff\xff\xff\xff\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		outputs, _, err := decodeModelResult(&resultModel, b)
		if err != nil {
			if !errors.Is(err, wire.ErrProtocol) {
				t.Fatal(err)
			}
			return
		}
		for i, o := range outputs {
			if err := o.check(); err != nil || o.Name != resultModel.Outputs[i].Name || o.Datatype != resultModel.Outputs[i].Datatype {
				t.Fatal(o, err)
			}
		}
		// Its rows can be taken one by one and are all of it.
		a, left := &outputs[0], outputs[0].Data
		for range a.Shape[0] {
			end, err := a.rows(left, 1)
			if err != nil || end != 8 {
				t.Fatal(end, err)
			}
			left = left[end:]
		}
		if len(left) > 0 {
			t.Fatal(len(left))
		}
	})
}

// FuzzModels has descriptions of models. What is accepted is safe to make functions of.
func FuzzModels(f *testing.F) {
	for _, m := range [][]Model{{resultModel}, {{Name: "b", Batch: true, Inputs: []ModelData{{"x", "BYTES", []int{-1}}}, MaxRows: 3, Doc: "text"}}} {
		text, err := json.Marshal(m)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var all []Model
		if json.Unmarshal(text, &all) != nil || checkModels(all) != nil {
			return
		}
		p := &Pool{cfg: Config{Timeout: 1}}
		for i := range all {
			m := &all[i]
			if doc := p.function(m).Doc + p.modelStream(m).Doc; !strings.Contains(doc, "Takes ") {
				t.Fatal(doc)
			}
			r := &Request{}
			for _, d := range m.Inputs { // with one row and nothing in it
				in := Tensor{Name: d.Name, Datatype: d.Datatype, Shape: append([]int{}, d.Shape...)}
				elements := 1
				for j := range in.Shape {
					if in.Shape[j] < 0 {
						in.Shape[j] = 1
					}
					if elements *= in.Shape[j]; elements > 1000 {
						return
					}
				}
				in.Data = make([]byte, elements*max(int(datatypes[d.Datatype]), 4-4*min(int(datatypes[d.Datatype]), 1)))
				r.Inputs = append(r.Inputs, in)
			}
			want := append([]Tensor{}, r.Inputs...)
			if err := m.accept(r); err != nil || !reflect.DeepEqual(want, append([]Tensor{}, r.Inputs...)) {
				t.Fatal(err, r.Inputs)
			}
		}
	})
}

func TestUnstack(t *testing.T) {
	word := func(s string) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s }
	batch := []*Request{}
	for _, n := range []int{1, 2, 1} {
		batch = append(batch, &Request{Inputs: []Tensor{{Shape: []int{n}}}})
	}
	outputs := []Tensor{
		{Name: "w", Datatype: "BYTES", Shape: []int{4}, Data: []byte(word("a") + word("") + word("ccc") + word("d"))},
		{Name: "n", Datatype: "UINT16", Shape: []int{4, 2}, Data: []byte("0123456789abcdef")},
	}
	for _, r := range batch {
		r.Outputs = append([]Tensor{}, outputs...)
	}
	require.NoError(t, unstack(batch, outputs))
	var got []string
	for _, r := range batch {
		got = append(got, string(r.Outputs[0].Data), string(r.Outputs[1].Data))
		require.Equal(t, r.Inputs[0].Shape[0], r.Outputs[1].Shape[0])
	}
	require.Equal(t, []string{word("a"), "0123", word("") + word("ccc"), "456789ab", word("d"), "cdef"}, got)
	require.Equal(t, []int{4}, outputs[0].Shape)
}
