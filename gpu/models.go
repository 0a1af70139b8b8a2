package gpu

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/sporeengine/spore/gpu/internal/shm"
	"github.com/sporeengine/spore/hostfuncs"
)

// modelCredit is how many parts of a stream a worker may send that were not taken.
const modelCredit = 8

// Models returns what the workers serve beside programs as functions and streams for [Options], the same ones each time. It starts a worker if
// none serves, and waits for it until ctx is done. If no worker can be started the error matches [ErrUnavailable].
//
// The models of the first worker are those of the pool: a later one that describes others does not serve. The pool is fair to tenants in calls of models as
// any [Function] is; they do not wait in the queue of programs, and are not served by Config.Fallback.
//
// Only workers that take their calls through pipes can serve models, see Config.Pipes.
func (p *Pool) Models(ctx context.Context) ([]*Function, []*Stream, error) {
	if _, err := p.acquire(ctx, time.Now().Add(forever)); err != nil {
		return nil, nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*Function{}, p.functions...), append([]*Stream{}, p.modelStreams...), nil
}

// forever is for who waits until ctx is done: starts that fail end in quarantine before.
const forever = 365 * 24 * time.Hour

// adopt takes a worker's models, or compares them with those of the first.
func (p *Pool) adopt(w *process) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.adopted {
		p.adopted, p.models = true, w.info.Models
		for i := range p.models {
			if m := &p.models[i]; m.Stream {
				p.modelStreams = append(p.modelStreams, p.modelStream(m))
			} else {
				p.functions = append(p.functions, p.function(m))
			}
		}
		return nil
	}
	if len(p.models)+len(w.info.Models) > 0 && !reflect.DeepEqual(p.models, w.info.Models) {
		return errors.New("its models are not those of the first worker")
	}
	return nil
}

// function makes a function of a model.
func (p *Pool) function(m *Model) *Function {
	f := &Function{Name: m.Name, Doc: m.doc(), Check: m.accept, MaxBatch: 1, MaxDelay: m.MaxDelay, Parallel: max(m.Parallel, 1), Timeout: m.Timeout}
	positive(&f.Timeout, p.cfg.Timeout)
	if m.Batch {
		f.MaxBatch, f.Key = max(m.MaxBatch, 1), m.key
	}
	f.Run = func(ctx context.Context, batch []*Request) error { return p.runModel(ctx, m, batch) }
	return f
}

// key is the same for requests that can be stacked: only first dimensions differ.
func (m *Model) key(r *Request) string {
	text, err := json.Marshal(r.Parameters) // in the order of the names
	if err != nil {
		return fmt.Sprintf("%p", r) // it fails when it is sent, alone
	}
	for i := range r.Inputs {
		text = fmt.Append(text, r.Inputs[i].Shape[1:])
	}
	return string(text)
}

// runModel has a worker work on a batch. The error is one of the whole batch.
func (p *Pool) runModel(ctx context.Context, m *Model, batch []*Request) error {
	h := &modelHeader{Model: m.Name, Parameters: batch[0].Parameters}
	data := make([][]byte, len(m.Inputs))
	rows := 0
	for i := range m.Inputs {
		stack := make([][]byte, len(batch))
		shape := append([]int{}, batch[0].Inputs[i].Shape...)
		if m.Batch {
			shape[0] = 0
		}
		for j, r := range batch {
			stack[j] = r.Inputs[i].Data
			if m.Batch {
				shape[0] += r.Inputs[i].Shape[0]
			}
		}
		if data[i] = stack[0]; len(stack) > 1 {
			data[i] = bytes.Join(stack, nil)
		}
		if m.Batch {
			rows = shape[0]
		}
		h.Inputs = append(h.Inputs, tensorHeader{m.Inputs[i].Name, m.Inputs[i].Datatype, shape, tensorParameters{int64(len(data[i]))}})
	}
	var outputs []Tensor
	var parameters map[string]any
	err := p.withWorker(ctx, func(w *process, deadline time.Time) (err error) {
		outputs, parameters, err = w.model(ctx, deadline, m, h, data, rows)
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range batch {
		r.Outputs, r.Parameters = append([]Tensor{}, outputs...), parameters
	}
	if len(batch) > 1 {
		return unstack(batch, outputs)
	}
	return nil
}

// unstack divides the outputs of a batch among its requests.
func unstack(batch []*Request, outputs []Tensor) error {
	for i := range outputs {
		data := outputs[i].Data
		for _, r := range batch {
			t := &r.Outputs[i]
			n := r.Inputs[0].Shape[0]
			end, err := t.rows(data, n)
			if err != nil {
				return err
			}
			t.Shape = append([]int{n}, t.Shape[1:]...)
			t.Data, data = data[:end:end], data[end:]
		}
	}
	return nil
}

// modelStream makes a stream of a model.
func (p *Pool) modelStream(m *Model) *Stream {
	s := &Stream{Name: m.Name, Doc: m.doc(), Check: m.accept, Timeout: m.Timeout}
	s.Run = func(ctx context.Context, r *Request, emit func(Part) error) error {
		h := &modelHeader{Model: m.Name, Parameters: r.Parameters}
		var data [][]byte
		for i := range r.Inputs {
			in := &r.Inputs[i]
			h.Inputs = append(h.Inputs, tensorHeader{in.Name, in.Datatype, in.Shape, tensorParameters{int64(len(in.Data))}})
			data = append(data, in.Data)
		}
		return p.withWorker(ctx, func(w *process, deadline time.Time) error {
			return w.modelStream(ctx, deadline, m, h, data, emit)
		})
	}
	return s
}

// withWorker calls f with a worker that models can be called on.
func (p *Pool) withWorker(ctx context.Context, f func(w *process, deadline time.Time) error) (err error) {
	begin := time.Now()
	p.stats.calls.Add(1)
	defer func() { p.stats.ended(err, time.Since(begin)) }()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = begin.Add(p.cfg.Timeout)
	}
	w, err := p.acquire(ctx, deadline)
	if err != nil {
		return err
	}
	if err = p.closedOr(f(w, deadline)); err == nil && !w.answered.Load() {
		p.proved(w)
	}
	return err
}

// modelCall has the worker do one call of a model. Its result is in open, unless there is an error.
func (p *process) modelCall(ctx context.Context, op uint32, deadline time.Time, m *Model, h *modelHeader, data [][]byte, open *shm.Open) error {
	in, err := encodeModelCall(h, open.Credit, data)
	if err != nil {
		return err
	}
	a, err := p.do(ctx, &shm.Call{Op: op, In: in, Deadline: deadline, Open: open})
	if err != nil {
		return err
	}
	if a.Code != codeOK {
		return modelError(m, a, open.Result)
	}
	return nil
}

// model has the worker do one call of a model that answers once. rows is what the first dimension of each output has to be, if the model is one for
// batches.
func (p *process) model(ctx context.Context, deadline time.Time, m *Model, h *modelHeader, data [][]byte, rows int) ([]Tensor, map[string]any, error) {
	open := &shm.Open{}
	if err := p.modelCall(ctx, opModel, deadline, m, h, data, open); err != nil {
		return nil, nil, err
	}
	outputs, parameters, err := decodeModelResult(m, open.Result)
	for i := range outputs {
		if m.Batch && outputs[i].Shape[0] != rows {
			err = errModelResult
		}
	}
	if err != nil {
		p.kill(err)
		return nil, nil, p.lost()
	}
	return outputs, parameters, nil
}

// modelStream has the worker do one call of a model that answers in parts.
func (p *process) modelStream(ctx context.Context, deadline time.Time, m *Model, h *modelHeader, data [][]byte, emit func(Part) error) error {
	open := &shm.Open{Credit: modelCredit, Part: func(_ context.Context, b []byte) error {
		outputs, parameters, err := decodeModelResult(m, b)
		if err != nil {
			p.kill(err)
			return p.lost()
		}
		return emit(Part{Parameters: parameters, Outputs: outputs})
	}}
	err := p.modelCall(ctx, opStream, deadline, m, h, data, open)
	if err == nil && len(open.Result) > 0 {
		p.kill(errModelResult)
		return p.lost()
	}
	return err
}

var errRefused = errors.New("it refuses its inputs")

// modelError is the error of a call that a worker answered with a code and a text for people.
func modelError(m *Model, a shm.Answer, text []byte) error {
	text = bytes.TrimSpace(text[:min(len(text), maxModelText)])
	e := &ModelError{Model: m.Name, Text: strings.ToValidUTF8(string(text), "\uFFFD")}
	switch a.Code {
	case codeArgument:
		e.err = errRefused
		return &answered{hostfuncs.Errorf(hostfuncs.CodeInvalid, "%s refuses its inputs", m.Name), e}
	case codeMemory:
		e.err = ErrMemory
	case codeCanceled:
		e.err = context.Canceled
	default:
		e.err = errModel
	}
	return e
}

// echo is the model that every worker with models has, under no name. It answers with its input.
var echo = Model{
	Inputs:  []ModelData{{"x", "UINT8", []int{echoBytes}}},
	Outputs: []ModelData{{"x", "UINT8", []int{echoBytes}}},
}

// echoBytes is more than a pipe holds, so that a worker which does not read while it writes is noticed.
const echoBytes = 256 << 10

// modelTrial has a new worker with models answer something. What their device computes it does not say.
func modelTrial(w *process, timeout time.Duration) error {
	if w.piped == nil {
		return errors.New("serves models, which need Config.Pipes")
	}
	data := make([]byte, echoBytes)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	h := &modelHeader{Inputs: []tensorHeader{{"x", "UINT8", []int{echoBytes}, tensorParameters{echoBytes}}}}
	outputs, _, err := w.model(context.Background(), time.Now().Add(timeout), &echo, h, [][]byte{data}, 0)
	if err == nil && !bytes.Equal(outputs[0].Data, data) {
		err = errCanary
	}
	return err
}
