package gpu

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/sporeengine/spore/gpu/tensor"
	"github.com/sporeengine/spore/hostfuncs"
)

// Codes of errors that guests get beside those of package hostfuncs.
const (
	CodeUnsupported   = "unsupported"        // the backend has not this operation
	CodeStaleConstant = "stale_constant"     // the constant is not here: send its contents again
	CodeExhausted     = "resource_exhausted" // the device has not so much memory
	CodeUnavailable   = "unavailable"        // no worker can serve now; the same call may be made again
)

// Options of [Functions]. The zero value allows programs and constants within the bounds of the pool, and no
// function.
type Options struct {
	// Functions are what gpu.call can call.
	Functions []*Function

	// Streams are what gpu.stream can call.
	Streams []*Stream

	// MaxBytes bounds the argument and the result of a call, and a part of a stream, in bytes; 64 MiB if it is not positive.
	MaxBytes int64
}

// defaultMaxBytes is that of Options.MaxBytes.
const defaultMaxBytes = 64 << 20

type guestFunctions struct {
	pool    *Pool
	opts    Options
	byName  map[string]*Function
	streams map[string]*Stream
	listing []functionInfo
}

// Functions returns gpu.eval, gpu.constant, gpu.call, gpu.stream, gpu.next, gpu.close and gpu.info, by which guests use the
// pool. Tenants are those of the calls (see [hostfuncs.CallerOf]); quotas hold for a tenant, not for an instance. An instance that has a stream in
// progress cannot be captured.
//
// It panics if two of Options.Functions and Options.Streams have the same name.
func Functions(p *Pool, opts Options) []hostfuncs.Func {
	positive(&opts.MaxBytes, defaultMaxBytes)
	g := &guestFunctions{pool: p, opts: opts, byName: map[string]*Function{}, streams: map[string]*Stream{}}
	list := func(f functionInfo) {
		if g.byName[f.Name] != nil || g.streams[f.Name] != nil {
			panic(fmt.Sprintf("gpu: there are two functions %q", f.Name))
		}
		g.listing = append(g.listing, f)
	}
	slowest, longest := p.cfg.Timeout, time.Duration(0)
	for _, f := range opts.Functions {
		list(functionInfo{Name: f.Name, Doc: f.Doc})
		f.prepare(p)
		g.byName[f.Name] = f
		slowest = max(slowest, f.Timeout)
	}
	for _, f := range opts.Streams {
		list(functionInfo{Name: f.Name, Doc: f.Doc, Stream: true})
		f = f.withDefaults()
		g.streams[f.Name] = f
		longest = max(longest, f.Timeout)
	}
	eval := hostfuncs.New("gpu.eval", "Evaluates a tensor program on the inputs and returns its outputs.", g.eval)
	constant := hostfuncs.New("gpu.constant", "Keeps a tensor on the device for later calls and returns its digest, by which programs name it. With the digest alone it tells whether the tensor is still there: an error of code stale_constant if not.", g.constant)
	call := hostfuncs.New("gpu.call", "Calls a function of the host that works on tensors.", g.call)
	stream := hostfuncs.New("gpu.stream", "Calls a function of the host that answers in parts, which gpu.next returns.", g.stream)
	next := hostfuncs.New("gpu.next", "Waits for the next part of a stream. After the last, and after an error, the stream is closed.", g.next)
	end := hostfuncs.New("gpu.close", "Closes a stream, which may have ended before.", g.closeStream)
	info := hostfuncs.New("gpu.info", "What the device is and can do.", g.info)
	funcs := []hostfuncs.Func{eval, constant, call, stream, next, end, info}
	for i := range funcs {
		funcs[i].Timeout = p.cfg.Timeout + p.cfg.Grace + time.Second // the pool itself is to be the first that gives up
		funcs[i].MaxArg, funcs[i].MaxResult = opts.MaxBytes, opts.MaxBytes
		switch funcs[i].Name {
		case "gpu.call":
			funcs[i].Timeout += slowest - p.cfg.Timeout
		case "gpu.next":
			funcs[i].Timeout = longest + time.Second // likewise
		case "gpu.close":
			funcs[i].Quick = true
		}
	}
	return funcs
}

type evalArg struct {
	Program   hostfuncs.Bytes   `json:"program" jsonschema:"as FORMAT.md describes it"`
	Inputs    []hostfuncs.Bytes `json:"inputs,omitempty" jsonschema:"contents of the inputs: little endian, row major"`
	Constants []string          `json:"constants,omitempty" jsonschema:"digests of the constants"`
}

type evalResult struct {
	Outputs []hostfuncs.Bytes `json:"outputs" jsonschema:"contents of the outputs"`
}

func (g *guestFunctions) eval(ctx context.Context, a evalArg) (evalResult, error) {
	prog, err := tensor.Decode(a.Program, g.pool.cfg.Limits)
	if err != nil {
		return evalResult{}, forGuest(err)
	}
	if n := prog.Cost().OutputBytes; n > g.opts.MaxBytes {
		return evalResult{}, hostfuncs.Errorf(hostfuncs.CodeTooLarge, "the outputs have %d bytes, more than %d", n, g.opts.MaxBytes)
	}
	ids := make([]ConstantID, len(a.Constants))
	for i, s := range a.Constants {
		if ids[i], err = parseID(s); err != nil {
			return evalResult{}, err
		}
	}
	outputs, err := g.pool.eval(ctx, hostfuncs.CallerOf(ctx).Tenant, prog, a.Inputs, ids, func() [][]byte {
		outputs := [][]byte{}
		for _, t := range prog.Outputs() {
			outputs = append(outputs, make([]byte, t.Bytes()))
		}
		return outputs
	})
	if err != nil {
		return evalResult{}, forGuest(err)
	}
	return evalResult{outputs}, nil
}

func parseID(s string) (id ConstantID, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, hostfuncs.Errorf(hostfuncs.CodeInvalid, "a digest has %d hexadecimal digits", 2*len(id))
	}
	return ConstantID(b), nil
}

type constantArg struct {
	Digest string           `json:"digest,omitempty" jsonschema:"of a constant that was sent before"`
	DType  string           `json:"dtype,omitempty" jsonschema:"such as float32"`
	Shape  []int            `json:"shape,omitempty"`
	Data   *hostfuncs.Bytes `json:"data,omitempty" jsonschema:"contents: little endian, row major"`
}

type constantResult struct {
	Digest string `json:"digest" jsonschema:"by which gpu.eval knows the constant; it stays valid when the instance is resumed elsewhere"`
}

// constant keeps a tensor, or finds one by its digest. The digest is all that a guest has of it: nothing of the
// host is in its memory that a snapshot could not carry.
func (g *guestFunctions) constant(ctx context.Context, a constantArg) (constantResult, error) {
	tenant := hostfuncs.CallerOf(ctx).Tenant
	if a.Data == nil {
		id, err := parseID(a.Digest)
		if err != nil {
			return constantResult{}, err
		}
		if err := g.pool.fetch(ctx, time.Now().Add(g.pool.cfg.Timeout), tenant, []ConstantID{id}); err != nil {
			return constantResult{}, forGuest(err)
		}
		if !g.pool.constants.has(tenant, id) {
			return constantResult{}, forGuest(ErrConstant)
		}
		return constantResult{id.String()}, nil
	}
	t, err := parseTensorType(a.DType, a.Shape)
	if err != nil {
		return constantResult{}, err
	}
	if int64(len(*a.Data)) != t.Bytes() {
		return constantResult{}, hostfuncs.Errorf(hostfuncs.CodeInvalid, "%v has %d bytes, not %d", t, t.Bytes(), len(*a.Data))
	}
	id := IDOf(t, *a.Data)
	if a.Digest != "" && a.Digest != id.String() {
		return constantResult{}, hostfuncs.Errorf(hostfuncs.CodeInvalid, "the contents are not those of the digest")
	}
	if err := g.pool.putTrusted(tenant, id, t, *a.Data); err != nil {
		return constantResult{}, forGuest(err)
	}
	return constantResult{id.String()}, nil
}

// maxRank bounds the dimensions of what comes from guests outside of programs.
const maxRank = 32

func parseTensorType(dtype string, shape []int) (tensor.Type, error) {
	all := tensor.DTypes()
	i := slices.IndexFunc(all, func(d tensor.DType) bool { return d.String() == dtype })
	if i < 0 {
		return tensor.Type{}, hostfuncs.Errorf(hostfuncs.CodeInvalid, "unknown dtype %.20q", dtype)
	}
	if len(shape) > maxRank {
		return tensor.Type{}, hostfuncs.Errorf(hostfuncs.CodeInvalid, "%d dimensions, at most %d", len(shape), maxRank)
	}
	for _, n := range shape {
		if n < 0 || n > math.MaxInt32 {
			return tensor.Type{}, hostfuncs.Errorf(hostfuncs.CodeInvalid, "a dimension of length %d", n)
		}
	}
	return tensor.Type{DType: all[i], Shape: append(tensor.Shape{}, shape...)}, nil
}

type functionInfo struct {
	Name   string `json:"name"`
	Doc    string `json:"doc"`
	Stream bool   `json:"stream,omitempty" jsonschema:"whether it answers in parts, to gpu.stream"`
}

type infoResult struct {
	Backend   string         `json:"backend" jsonschema:"such as cpu or cuda, or unavailable"`
	Device    string         `json:"device"`
	Ops       []string       `json:"ops" jsonschema:"operations of programs"`
	Functions []functionInfo `json:"functions" jsonschema:"of gpu.call and gpu.stream"`
	MaxBytes  int64          `json:"max_bytes" jsonschema:"of the argument or the result of a call"`
	Limits    limitsInfo     `json:"limits" jsonschema:"of programs"`
}

type limitsInfo struct {
	Nodes    int   `json:"nodes"`
	Rank     int   `json:"rank"`
	Elements int64 `json:"elements" jsonschema:"of a tensor"`
	Work     int64 `json:"work" jsonschema:"operations"`
	Memory   int64 `json:"memory" jsonschema:"bytes at one time"`
}

func (g *guestFunctions) info(ctx context.Context, _ struct{}) (infoResult, error) {
	l := g.pool.cfg.Limits
	positive(&l.Nodes, tensor.DefaultNodes)
	positive(&l.Rank, tensor.DefaultRank)
	positive(&l.Elements, tensor.DefaultElements)
	positive(&l.Work, tensor.DefaultWork)
	positive(&l.Peak, tensor.DefaultPeak)
	r := infoResult{Backend: "unavailable", Ops: []string{}, Functions: append([]functionInfo{}, g.listing...), MaxBytes: g.opts.MaxBytes,
		Limits: limitsInfo{l.Nodes, l.Rank, l.Elements, l.Work, l.Peak}}
	i, err := g.pool.Info(ctx)
	if errors.Is(err, ErrUnavailable) {
		return r, nil
	}
	if err != nil {
		return infoResult{}, forGuest(err)
	}
	r.Backend, r.Device = i.Name, i.Device
	for _, op := range i.Ops {
		r.Ops = append(r.Ops, op.String())
	}
	return r, nil
}

// An answered error is what a guest is told, and what the embedder can find out.
type answered struct {
	shown *hostfuncs.Error
	cause error
}

func (e *answered) Error() string   { return e.shown.Message + ": " + e.cause.Error() }
func (e *answered) Unwrap() []error { return []error{e.shown, e.cause} }

// forGuest returns an error whose part for guests is one of a few texts, with an operation and its types at most. What
// a worker or a system call has to say stays with the host.
func forGuest(err error) error {
	if code, text := describe(err); code != "" {
		return &answered{hostfuncs.Errorf(code, "%s", text), err}
	}
	return err // of which a guest learns nothing
}

func describe(err error) (code, text string) {
	var node *tensor.NodeError
	switch {
	case errors.Is(err, tensor.ErrFormat), errors.Is(err, tensor.ErrInvalid), errors.Is(err, tensor.ErrLimit), errors.Is(err, ErrArgument):
		return hostfuncs.CodeInvalid, err.Error() // of the program and of lengths alone, by the host's own check
	case errors.As(err, &node):
		return hostfuncs.CodeInvalid, (&tensor.NodeError{Node: node.Node, Op: node.Op, In: node.In, Err: errData}).Error()
	case errors.Is(err, ErrConstant):
		return CodeStaleConstant, "a constant is not here, or of another type"
	case errors.Is(err, ErrQuota):
		return hostfuncs.CodeQuota, "too many calls or bytes are in progress, or the constants are too large"
	case errors.Is(err, ErrMemory):
		return CodeExhausted, "there is not so much memory"
	case errors.Is(err, context.DeadlineExceeded):
		return hostfuncs.CodeTimeout, "it took too long"
	case errors.Is(err, context.Canceled):
		return hostfuncs.CodeCanceled, "the host gave the call up"
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrClosed):
		return CodeUnavailable, "no device can serve now"
	case errors.Is(err, errors.ErrUnsupported):
		return CodeUnsupported, "the device has not all operations of the program"
	}
	return "", ""
}
