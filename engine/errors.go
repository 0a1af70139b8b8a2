package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sporeengine/spore/runtimes"
)

// Errors. Test with [errors.Is]; messages may change.
var (
	// ErrClosed means that the engine or component was closed, before the call
	// or during it.
	ErrClosed = errors.New("engine: closed")
	// ErrConfig means that a Config or Options cannot be used. The message
	// names every field that is wrong.
	ErrConfig = errors.New("engine: invalid configuration")
	// ErrNoRuntime means that Config.Runtimes has no runtime for a language.
	ErrNoRuntime = errors.New("engine: no runtime for language")
	// ErrMismatch means that a snapshot belongs to another version of a runtime
	// than the engine has, or to another component. The text has the digests.
	ErrMismatch = errors.New("engine: snapshot belongs to another runtime")
	// ErrBusy means that another goroutine is using the instance. Nothing has changed.
	ErrBusy = errors.New("engine: instance in use by another goroutine")
	// ErrSuspended means that a call of an instance has not ended: it waits for answers
	// that only come from outside, or for a time that is far away. See [Instance.Pending].
	ErrSuspended = errors.New("engine: the call waits for answers from outside")
	// ErrInstance means that a delta is not the snapshot of an instance.
	ErrInstance = errors.New("engine: not the snapshot of an instance")
	// ErrHolds means that an instance cannot be captured, because it holds resources of
	// the host ([hostfuncs.Hold]), which cannot be in two places. The text says how many.
	ErrHolds = errors.New("engine: instance holds resources of the host")
	// ErrNoCall means that no host call of that number waits for an answer.
	ErrNoCall = errors.New("engine: no such host call is pending")
	// ErrReset means that the memory of a guest could not be taken back to its
	// image after the call, or was found to differ from it; see
	// [Config.VerifyReset]. No other call has seen this memory or will. After a
	// call that has failed anyway this happens later, and is only counted and
	// logged, unless VerifyReset is set.
	ErrReset = errors.New("engine: reset of a guest failed")
)

// A SourceError says why source did not compile.
type SourceError struct {
	Diagnostics []runtimes.Diagnostic // at least one
}

// Error implements error. It has a line for each diagnostic.
func (e *SourceError) Error() string {
	var b strings.Builder
	b.WriteString("engine: source does not compile")
	for _, d := range e.Diagnostics {
		fmt.Fprintf(&b, "\n%s:%d:%d: %s", d.File, d.Line, d.Column, d.Text)
	}
	return b.String()
}

// Kinds of a [GuestError].
const (
	KindThrown  = "error"   // an exception that the component did not catch
	KindResult  = "result"  // the result cannot be turned into text or JSON
	KindMissing = "missing" // the component has no such function
	KindExit    = "exit"    // the component ended its interpreter
	KindStuck   = "stuck"   // it waits for something that cannot happen
	KindTrap    = "trap"    // the interpreter itself failed, or broke the guest ABI
)

// A GuestError is an error of the component. Its texts come from the guest and
// are untrusted.
type GuestError struct {
	Kind    string  // one of the Kind constants
	Name    string  // class of the exception, such as "TypeError"
	Message string  // its text
	Stack   []Frame // innermost first, in positions of the component's source
	Trace   string  // the stack as text

	// HostCall is the number of the host call whose error the component did not
	// catch, if it says so, and else 0. The error of the host function is wrapped.
	HostCall uint32

	cause error // of that host call
}

// Unwrap returns the error of the host function, if that is what failed. A component may
// have thrown an old one again.
func (e *GuestError) Unwrap() error { return e.cause }

// Error implements error.
func (e *GuestError) Error() string {
	var b strings.Builder
	b.WriteString("engine: component failed: ")
	if e.Name != "" {
		b.WriteString(e.Name + ": ")
	}
	b.WriteString(e.Message)
	if len(e.Stack) > 0 {
		f := e.Stack[0]
		fmt.Fprintf(&b, " (%s:%d:%d)", f.File, f.Line, f.Column)
	}
	return b.String()
}

// A Frame is a position in source.
type Frame struct {
	Func, File   string
	Line, Column int // 1-based, 0 if unknown; Column counts bytes of UTF-8
}

// A LimitError says which limit ended a call.
type LimitError struct {
	// Limit is the name of a field of [Limits]; or "Stack": the guest recursed
	// more deeply than the interpreter's native stack can go; or "Instances" or
	// "ParkingMemory": the engine's bounds of open instances and of their state.
	Limit string
	// Max is its value in the unit of the field, nanoseconds for a time.
	Max int64
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("engine: limit exceeded: %s (%s)", e.Limit, limitText(e.Limit, e.Max))
}
