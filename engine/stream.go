package engine

import (
	"context"
	"encoding/json"
	"iter"
	"math"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/hostfuncs"
)

// A Part is a part of a streamed result.
type Part struct {
	*Result
	Last bool // it is what the function returned, with the usage of the whole call
}

// Stream is [Instance.Call] for a function that yields its result in parts: a generator, or one that calls
// spore.emit. It yields each of them when the component emits it, and last what the function
// returns. The component waits while the loop's body runs, off the clock.
//
// The call is over when the loop ends. If the loop is left early, by break, return or panic,
// the call is taken back, as if its context had ended. After an error, ErrSuspended too, the sequence ends: a
// stream that was suspended goes on by [Instance.Continue], of which nobody takes parts, so that emitting
// more is an error. Parts and result together have at most Limits.Output bytes.
func (in *Instance) Stream(ctx context.Context, function string, arg any) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		parts := make(chan emitted)
		done := make(chan struct{})
		var last *Result
		var err error
		var panicked any // the call did, in what the embedder gave it: a console, a tracer, a MarshalJSON
		defer func() {   // also if the loop's body panics
			cancel()
			<-done
		}()
		k := &call{function: function, onHold: new(func(bool)), kind: OpStream}
		k.emit = emitter(k, parts, in.limits())
		go func() {
			defer close(done)
			// Here nobody could recover it, and it would end the program.
			defer func() { panicked = recover() }()
			last, err = in.call(ctx, k, arg)
		}()
		for {
			select {
			case p := <-parts:
				if !yield(Part{Result: p.part}, nil) {
					return
				}
				close(p.more)
			case <-done:
				if panicked != nil {
					panic(panicked)
				}
				if err != nil {
					yield(Part{}, err)
				} else {
					yield(Part{last, true}, nil)
				}
				return
			}
		}
	}
}

// Stream renders props as [Component.Render] does, in parts, as [Instance.Stream] does.
func (c *Component) Stream(ctx context.Context, props any, opt *Options) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		in, err := c.Open(ctx, opt)
		if err != nil {
			yield(Part{}, err)
			return
		}
		defer in.Close()
		in.Stream(ctx, "render", props)(yield)
	}
}

// limits returns the limits of the instance's calls.
func (in *Instance) limits() Limits {
	l := in.options().Limits
	l.fill(in.Component().engine.cfg.Limits)
	return l
}

// An emitted is a part on its way to the consumer, who closes more when he is done with it.
type emitted struct {
	part *Result
	more chan struct{}
}

// emitter returns the host function that sends parts to the consumer of a stream.
func emitter(k *call, parts chan<- emitted, limits Limits) *hostfuncs.Func {
	f := hostfuncs.Raw("emit", "", func(ctx context.Context, arg hostfuncs.Value) (hostfuncs.Value, error) {
		if k.emitted.Add(arg.Size()) > limits.Output {
			return hostfuncs.Value{}, hostfuncs.Errorf(hostfuncs.CodeTooLarge, "the parts have more than %d bytes", limits.Output)
		}
		if int64(abi.Depth(arg.JSON)) > limits.Depth {
			return hostfuncs.Value{}, hostfuncs.Errorf(hostfuncs.CodeInvalid, "the part is nested more than %d levels deep", limits.Depth)
		}
		if hold := *k.onHold; hold != nil {
			hold(true)
			defer hold(false)
		}
		// The answer comes when the consumer wants more, so that he can still leave: what the
		// component does then is taken back.
		p := emitted{partOf(arg), make(chan struct{})}
		select {
		case parts <- p:
		case <-ctx.Done():
			return hostfuncs.Value{}, ctx.Err()
		}
		select {
		case <-p.more:
			return hostfuncs.Value{JSON: []byte("null")}, nil
		case <-ctx.Done():
			return hostfuncs.Value{}, ctx.Err()
		}
	})
	f.Timeout = math.MaxInt64 // the consumer takes the time it needs
	f.MaxArg = limits.Output
	return &f
}

// partOf makes a result of an emitted value.
func partOf(v hostfuncs.Value) *Result {
	var s string
	if len(v.JSON) > 0 && v.JSON[0] == '"' && json.Unmarshal(v.JSON, &s) == nil {
		return &Result{isText: true, data: []byte(s)}
	}
	r := &Result{data: v.JSON, Buffers: v.Buffers}
	if len(r.data) == 0 {
		r.data = []byte("null")
	}
	return r
}
