// Package hostfuncs defines the capabilities that a host grants to guests.
//
// A guest starts with no authority at all. What it may do is exactly the [Set]
// that a call was given: each [Func] in it is one capability. There is no
// global registry and no default set.
//
// The package does not depend on the engine, so that a library can offer
// capabilities without linking a WebAssembly runtime.
//
// # Ready-made capabilities
//
// Each is a package of its own below this one, with a function that takes
// Options, whose zero value is safe, and returns functions for a set:
//
//	grants, err := hostfuncs.NewSet(slices.Concat(
//		clock.Functions(clock.Options{Resolution: time.Second}),
//		kv.Functions(kv.Options{Backend: store}),
//		[]hostfuncs.Func{weather},
//	)...)
//
// What can fail, such as opening a store, is done before and is one of the
// Options. Functions panics if these contradict each other, as [New] does.
package hostfuncs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

// Values of fields of a [Func] that are zero.
const (
	DefaultTimeout   = 10 * time.Second
	DefaultMaxArg    = 1 << 20
	DefaultMaxResult = 4 << 20
)

// A Func is one capability: a function of the host with a name. Make it with
// [New] or [Raw], change its exported fields if need be, and put it into a
// [Set], which keeps a copy.
type Func struct {
	Name string // by which guests call it
	Doc  string // what it does, for whoever writes components, be it a model

	// Timeout bounds one call: its context ends, and the guest gets an error of
	// code [CodeTimeout] whether the function has returned or not.
	Timeout time.Duration

	// Quick says that the function returns at once, whatever its argument: it
	// neither waits nor computes for long. It is then called on the goroutine of the guest, which saves some ten
	// microseconds and does without Timeout.
	Quick bool

	// MaxCalls bounds the calls of this function during one call of a component,
	// pending ones included. Zero means no bound of its own.
	MaxCalls int64

	// MaxBytes bounds what this function takes and returns during one call of a
	// component, JSON and buffers of all its calls together. A result that goes over it is not
	// given to the guest, but what the function did is done. Zero means no bound of its own.
	MaxBytes int64

	// MaxArg and MaxResult bound the argument and the result of a call, JSON and
	// buffers, in bytes.
	MaxArg, MaxResult int64

	// Check, if not nil, sees the argument before the function does and may refuse
	// it: this is where a capability is narrowed, to some keys or some hosts. An [*Error] is shown to
	// the guest; of another error it gets [CodeDenied] and no text.
	Check func(ctx context.Context, arg Value) error

	in, out schema
	call    func(ctx context.Context, arg Value) (Value, error)
}

// A Value is what crosses between guest and host: JSON, and binary buffers to
// which it refers as {"$bytes": i}, each exactly once.
type Value struct {
	JSON    json.RawMessage // empty: no value
	Buffers [][]byte
}

// Size returns the number of bytes of v, JSON and buffers, which is what the bounds of a [Func] count.
func (v Value) Size() int64 {
	n := int64(len(v.JSON))
	for _, b := range v.Buffers {
		n += int64(len(b))
	}
	return n
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)

// isName reports whether a function may have this name. Those of "spore" are the engine's own.
func isName(name string) bool {
	return validName.MatchString(name) && len(name) <= 100 && name != "spore" && !strings.HasPrefix(name, "spore.")
}

// New returns a Func that decodes the guest's one argument into In, calls fn and
// encodes its result, both as JSON with binary values beside it: see [Bytes]. A [Value] in In or Out
// stands for any value, with the binary ones in it.
//
//	weather := hostfuncs.New("weather.today", "The weather in a city.",
//		func(ctx context.Context, q struct{ City string }) (Forecast, error) {
//			return client.Today(ctx, q.City)
//		})
//
// The argument is checked against the schema of In (see [Func.Schema]): members that are
// missing, misspelt or of another type are an error that says so. A
// member is optional if its tag has omitempty or omitzero; a tag jsonschema describes it. A guest that calls without an argument
// means {}. Use struct{} for no argument or no result.
//
// fn runs with the host's authority, on a goroutine of its own, and its argument
// was written by untrusted code. It must be safe for concurrent use and return
// when ctx is done. The guest sees errors that are an [*Error]; of all others,
// and of panics, it learns nothing but [CodeInternal].
//
// New panics if the name is not of the form "kv.get" or begins with "spore.", or
// if JSON cannot carry In or Out, as these are written in the program.
func New[In, Out any](name, doc string, fn func(ctx context.Context, in In) (Out, error)) Func {
	f := Raw(name, doc, nil)
	f.in, f.out = schemaFor[In](name), schemaFor[Out](name)
	in, out := f.in, f.out
	f.call = func(ctx context.Context, arg Value) (Value, error) {
		var v In
		if err := in.decode(arg, &v); err != nil {
			return Value{}, Errorf(CodeInvalid, "%s: %s", name, oneLine(err.Error()))
		}
		result, err := fn(ctx, v)
		if err != nil {
			return Value{}, err
		}
		return out.encode(&result)
	}
	return f
}

// Raw returns a Func that gets and returns values as they are, with their
// buffers. The argument belongs to fn, and is not more than JSON of limited size: what it means
// has to be checked. For the rest it is like [New].
func Raw(name, doc string, fn func(ctx context.Context, arg Value) (Value, error)) Func {
	if !isName(name) {
		panic(fmt.Sprintf("hostfuncs: name %q", name))
	}
	return Func{Name: name, Doc: doc, Timeout: DefaultTimeout, MaxArg: DefaultMaxArg, MaxResult: DefaultMaxResult, call: fn}
}

// Call calls f as a guest would, within its bounds but MaxCalls and MaxBytes. It is how
// the engine calls it, and how a capability is tested without one.
//
// It returns when ctx is done even if the function does not; that goes on
// then, and what it returns is lost. A panic is a [*PanicError].
func (f Func) Call(ctx context.Context, arg Value) (Value, error) {
	if f.call == nil {
		return Value{}, fmt.Errorf("hostfuncs: %q was made without New or Raw", f.Name)
	}
	if n := arg.Size(); n > f.maxArg() {
		return Value{}, Errorf(CodeTooLarge, "%s takes no argument of %d bytes, at most %d", f.Name, n, f.maxArg())
	}
	timeout := f.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	if f.Quick {
		v, _, err := f.guarded(ctx, arg)
		return f.bounded(v, err)
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	type result struct {
		v   Value
		err error
	}
	done := make(chan result, 1)
	var over atomic.Bool // somebody has decided what the outcome is
	go func() {
		v, u, err := f.guarded(limited, arg)
		if over.CompareAndSwap(false, true) {
			done <- result{v, err}
		} else {
			_ = u.takeBack() // of an error nobody would learn
		}
	}()
	var r result
	select {
	case r = <-done:
	case <-limited.Done():
		if over.CompareAndSwap(false, true) {
			r.err = limited.Err()
		} else {
			r = <-done // both are true, and the result is there
		}
	}
	if r.err != nil && limited.Err() != nil && ctx.Err() == nil {
		return Value{}, &timeoutError{Errorf(CodeTimeout, "%s took more than %v", f.Name, timeout), r.err}
	}
	return f.bounded(r.v, r.err)
}

// bounded refuses results that are too large.
func (f Func) bounded(v Value, err error) (Value, error) {
	if err != nil {
		return Value{}, err
	}
	if n := v.Size(); n > f.maxResult() {
		return Value{}, Errorf(CodeTooLarge, "%s returned %d bytes, more than %d", f.Name, n, f.maxResult())
	}
	return v, nil
}

// guarded calls the function, whose panic is an error. u may be nil.
func (f Func) guarded(ctx context.Context, arg Value) (_ Value, u *uses, err error) {
	if h := handlesOf(ctx); h != nil {
		u = &uses{table: h}
		ctx = context.WithValue(ctx, usesKey{}, u)
		defer func() {
			if closed := u.end(err != nil); closed != nil {
				err = errors.Join(err, closed)
			}
		}()
	}
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Func: f.Name, Value: p, Stack: debug.Stack()}
		}
	}()
	if f.Check != nil {
		if err := f.Check(ctx, arg); err != nil {
			return Value{}, u, &deniedError{err}
		}
	}
	v, err := f.call(ctx, arg)
	return v, u, err
}

func (f Func) maxArg() int64    { return bound(f.MaxArg, DefaultMaxArg) }
func (f Func) maxResult() int64 { return bound(f.MaxResult, DefaultMaxResult) }

func bound(n, otherwise int64) int64 {
	if n <= 0 {
		return otherwise
	}
	return n
}
