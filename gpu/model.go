package gpu

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/sporeengine/spore/gpu/internal/wire"
	"github.com/sporeengine/spore/hostfuncs"
)

// A Model is something that a worker process computes beside programs, as the worker describes it. [Pool.Models] makes functions of
// them that guests can call.
type Model struct {
	Name    string      `json:"name"`
	Doc     string      `json:"doc,omitempty"`
	Inputs  []ModelData `json:"inputs"`
	Outputs []ModelData `json:"outputs"`

	// Stream says that the model answers with parts, each of which has all Outputs.
	Stream bool `json:"stream,omitempty"`

	// Batch says that all inputs and outputs have a first dimension of any length, along which calls can be stacked and answers divided.
	// MaxBatch and MaxDelay are those of [Function]; MaxRows bounds the first dimension in one call, if it is positive.
	Batch    bool          `json:"batch,omitempty"`
	MaxBatch int           `json:"max_batch,omitempty"`
	MaxDelay time.Duration `json:"max_delay_ns,omitempty"`
	MaxRows  int           `json:"max_rows,omitempty"`

	Parallel int           `json:"parallel,omitempty"`   // calls that the model works on at the same time
	Timeout  time.Duration `json:"timeout_ns,omitempty"` // of a call; that of the pool if it is not positive
}

// ModelData describes an input or output of a [Model].
type ModelData struct {
	Name     string `json:"name"`
	Datatype string `json:"datatype"` // of KServe v2, see [Tensor]
	Shape    []int  `json:"shape"`    // -1 is any length
}

// Bounds of what a worker says about its models.
const (
	maxModels    = 1000
	maxModelData = 100 // inputs, and outputs
	maxModelName = 100 // bytes
	maxModelDoc  = 10_000
	maxModelText = 1 << 10 // bytes of an error
	maxHeader    = 1 << 20 // bytes of the header of a request or of a result
)

var errModels = fmt.Errorf("%w: description of models", wire.ErrProtocol)

// checkModels tells whether what a worker says about its models makes sense.
func checkModels(all []Model) error {
	if len(all) > maxModels {
		return fmt.Errorf("%w: there are %d", errModels, len(all))
	}
	names := map[string]bool{}
	for i := range all {
		m := &all[i]
		if !isModelName(m.Name) || names[m.Name] || len(m.Doc) > maxModelDoc {
			return fmt.Errorf("%w: a name or text of one is strange, or two have the same", errModels)
		}
		names[m.Name] = true
		if m.MaxBatch < 0 || m.MaxDelay < 0 || m.MaxRows < 0 || m.Parallel < 0 || m.Parallel > 1000 || m.Timeout < 0 || m.Batch && m.Stream || m.Batch && len(m.Inputs) == 0 {
			return fmt.Errorf("%w: %s", errModels, m.Name)
		}
		for _, data := range [...][]ModelData{m.Inputs, m.Outputs} {
			if err := checkModelData(m, data); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkModelData(m *Model, data []ModelData) error {
	if len(data) > maxModelData {
		return fmt.Errorf("%w: %s has too many inputs or outputs", errModels, m.Name)
	}
	names := map[string]bool{}
	for _, d := range data {
		_, known := datatypes[d.Datatype]
		if !isModelName(d.Name) || names[d.Name] || !known || len(d.Shape) > maxRank {
			return fmt.Errorf("%w: an input or output of %s", errModels, m.Name)
		}
		names[d.Name] = true
		for _, n := range d.Shape {
			if n < -1 || n > math.MaxInt32 {
				return fmt.Errorf("%w: a shape of %s", errModels, m.Name)
			}
		}
		if m.Batch && (len(d.Shape) == 0 || d.Shape[0] != -1) {
			return fmt.Errorf("%w: %s cannot be stacked along %s", errModels, m.Name, d.Name)
		}
	}
	return nil
}

// isModelName allows what needs no quotes in a text.
func isModelName(s string) bool {
	return s != "" && len(s) <= maxModelName && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == ""
}

// doc is the text about the model for whoever writes components.
func (m *Model) doc() string {
	list := func(all []ModelData) string {
		var s []string
		for _, d := range all {
			s = append(s, d.String())
		}
		if s == nil {
			return "nothing"
		}
		return strings.Join(s, ", ")
	}
	s := strings.TrimSpace(m.Doc)
	if s != "" {
		s += "\n"
	}
	verb := "Returns "
	if m.Stream {
		verb = "Each part is "
	}
	return s + "Takes " + list(m.Inputs) + ". " + verb + list(m.Outputs) + "."
}

// String returns the name, datatype and shape, with "?" for any length.
func (d ModelData) String() string {
	dims := make([]string, len(d.Shape))
	for i, n := range d.Shape {
		if dims[i] = "?"; n >= 0 {
			dims[i] = fmt.Sprint(n)
		}
	}
	return d.Name + " " + d.Datatype + "[" + strings.Join(dims, ",") + "]"
}

// fits returns what is wrong with t for its place, in words for guests.
func (d *ModelData) fits(t *Tensor) error {
	ok := t.Datatype == d.Datatype && len(t.Shape) == len(d.Shape)
	for i := 0; ok && i < len(d.Shape); i++ {
		ok = d.Shape[i] == -1 || d.Shape[i] == t.Shape[i]
	}
	if !ok {
		return fmt.Errorf("%.100q is %.20s%.100s, not %s", t.Name, t.Datatype, fmt.Sprint(t.Shape), d)
	}
	return t.check()
}

// accept checks the tensors of a request against what the model takes and puts them in its order. The error is for guests.
func (m *Model) accept(r *Request) error {
	inputs, err := inOrder(m.Inputs, r.Inputs)
	if err != nil {
		return hostfuncs.Errorf(hostfuncs.CodeInvalid, "%s: input %s", m.Name, err)
	}
	r.Inputs = inputs
	if !m.Batch {
		return nil
	}
	n := inputs[0].Shape[0]
	for i := range inputs {
		if inputs[i].Shape[0] != n {
			return hostfuncs.Errorf(hostfuncs.CodeInvalid, "%s: the first dimensions of the inputs differ", m.Name)
		}
	}
	if n == 0 || m.MaxRows > 0 && n > m.MaxRows {
		return hostfuncs.Errorf(hostfuncs.CodeInvalid, "%s: the first dimension is %d: it has to be at least 1%s", m.Name, n, m.atMost())
	}
	return nil
}

func (m *Model) atMost() string {
	if m.MaxRows == 0 {
		return ""
	}
	return fmt.Sprintf(" and at most %d", m.MaxRows)
}

// inOrder returns the tensors in the order of their descriptions, each of which one has to fit.
func inOrder(data []ModelData, all []Tensor) ([]Tensor, error) {
	if len(all) != len(data) {
		return nil, fmt.Errorf("list: there are %d, not %d", len(all), len(data))
	}
	ordered := make([]Tensor, len(data))
	for i := range data {
		j := slices.IndexFunc(all, func(t Tensor) bool { return t.Name == data[i].Name })
		if j < 0 {
			return nil, fmt.Errorf("%q is missing", data[i].Name)
		}
		if err := data[i].fits(&all[j]); err != nil {
			return nil, err
		}
		ordered[i] = all[j]
	}
	return ordered, nil
}

// modelHead is the length of what comes before the header of a request to a model, or of its result.
const modelHead = 8

// modelHeader is a request or a result without the tensors' contents, as KServe v2 with its binary data extension has it.
type modelHeader struct {
	Model      string         `json:"model_name,omitempty"`
	Parameters map[string]any `json:"parameters,omitempty"`
	Inputs     []tensorHeader `json:"inputs,omitempty"`
	Outputs    []tensorHeader `json:"outputs,omitempty"`
}

type tensorHeader struct {
	Name       string           `json:"name"`
	Datatype   string           `json:"datatype"`
	Shape      []int            `json:"shape"`
	Parameters tensorParameters `json:"parameters"`
}

type tensorParameters struct {
	Size int64 `json:"binary_data_size"`
}

// encodeModelCall returns the parts of a request. data are the contents of the inputs, each in pieces.
func encodeModelCall(h *modelHeader, credit int, data [][]byte) ([][]byte, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	if len(text) > maxHeader {
		return nil, hostfuncs.Errorf(hostfuncs.CodeTooLarge, "parameters of more than %d bytes", maxHeader)
	}
	head := binary.LittleEndian.AppendUint32(make([]byte, 0, modelHead+len(text)), uint32(len(text)))
	head = binary.LittleEndian.AppendUint32(head, uint32(credit))
	return append([][]byte{append(head, text...)}, data...), nil
}

var errModelResult = fmt.Errorf("%w: result of a model", wire.ErrProtocol)

// decodeModelResult reads a result of m, whose tensors share the memory of b.
func decodeModelResult(m *Model, b []byte) (outputs []Tensor, parameters map[string]any, err error) {
	if len(b) < modelHead {
		return nil, nil, errModelResult
	}
	n := int64(binary.LittleEndian.Uint32(b))
	if n > maxHeader || n > int64(len(b)-modelHead) || align(modelHead+n) > int64(len(b)) {
		return nil, nil, errModelResult
	}
	var h modelHeader
	d := json.NewDecoder(strings.NewReader(string(b[modelHead : modelHead+n])))
	if err := d.Decode(&h); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errModelResult, err)
	}
	if _, err := d.Token(); err != io.EOF || len(h.Outputs) > maxModelData {
		return nil, nil, errModelResult
	}
	sizes := make([]int64, len(h.Outputs))
	for i, o := range h.Outputs {
		if sizes[i] = o.Parameters.Size; sizes[i] < 0 {
			return nil, nil, errModelResult
		}
	}
	parts, err := divide(b[align(modelHead+n):], sizes)
	if err != nil {
		return nil, nil, errModelResult
	}
	for i, o := range h.Outputs {
		outputs = append(outputs, Tensor{Name: o.Name, Datatype: o.Datatype, Shape: append([]int{}, o.Shape...), Data: parts[i]})
	}
	if outputs, err = inOrder(m.Outputs, outputs); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errModelResult, err)
	}
	return outputs, h.Parameters, nil
}

// rows returns where the first n rows of the tensor end in data, which begins with them.
func (t *Tensor) rows(data []byte, n int) (int, error) {
	each := int64(1)
	for _, d := range t.Shape[1:] {
		each *= int64(d)
	}
	if size := datatypes[t.Datatype]; size > 0 {
		return int(int64(n) * each * size), nil
	}
	at := 0
	for range int64(n) * each {
		if len(data)-at < 4 {
			return 0, errElements
		}
		size := int64(binary.LittleEndian.Uint32(data[at:]))
		if size > int64(len(data)-at-4) {
			return 0, errElements
		}
		at += 4 + int(size)
	}
	return at, nil
}

// A ModelError is a model that failed. Guests learn that it did, and whether it was for want of memory or for their inputs.
type ModelError struct {
	Model string

	// Text is what the worker has to say: the type and the text of an exception. It is not for guests.
	Text string

	err error
}

// Error implements error.
func (e *ModelError) Error() string {
	return fmt.Sprintf("gpu: model %s: %s: %s", e.Model, e.err, e.Text)
}

// Unwrap returns [ErrMemory], [context.Canceled] or another error that says what kind of a failure it is.
func (e *ModelError) Unwrap() error { return e.err }

var errModel = errors.New("it failed")
