package hostfuncs

import (
	"context"
	"errors"
	"fmt"
)

// Codes of errors that guests get. Functions may use others.
const (
	CodeInvalid    = "invalid_argument" // the argument is not what the function takes
	CodeDenied     = "denied"           // Func.Check refused it
	CodeNotGranted = "not_granted"      // there is no function of this name
	CodeQuota      = "quota"            // Func.MaxCalls or Func.MaxBytes is used up
	CodeTooLarge   = "too_large"        // the argument or the result is
	CodeTooMany    = "too_many_calls"   // too many calls are pending
	CodeTimeout    = "timeout"          // Func.Timeout has passed
	CodeCanceled   = "canceled"         // the host gave the call up
	CodeCannotWait = "cannot_wait"      // the answer comes later, and this call of the component cannot wait for it
	CodeInternal   = "internal"         // anything else, about which the guest learns nothing

	CodeBadHandle      = "bad_handle"       // no such [Handle], or one of another kind
	CodeTooManyHandles = "too_many_handles" // Handles.Max are held, or none can be
)

// ErrLater is what a function returns whose answer comes from outside, minutes or days
// from now: a person has to approve, a job has to end. The call then stays pending, and
// the embedder answers it by engine.Instance.Answer, perhaps in another process. What the
// function itself does is to get the answer under way; Caller.Key names the call for that.
//
// It can be returned to an awaited call of an engine.Instance. Others, renders and blocking
// calls, get [CodeCannotWait].
var ErrLater = errors.New("hostfuncs: the answer comes later")

// An Error is an error that the guest sees in full. Code is stable and meant for
// programs, Message for people.
type Error struct{ Code, Message string }

// Errorf returns an [*Error].
func Errorf(code, format string, args ...any) *Error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// A PanicError is the error of a function that panicked. The program goes on.
type PanicError struct {
	Func  string
	Value any    // what it panicked with
	Stack []byte // as [runtime/debug.Stack] prints it
}

// Error implements error.
func (e *PanicError) Error() string {
	return fmt.Sprintf("hostfuncs: %s panicked: %v", e.Func, e.Value)
}

// A timeoutError is what the host sees of a call that took too long.
type timeoutError struct {
	shown *Error
	cause error
}

func (e *timeoutError) Error() string   { return e.shown.Error() }
func (e *timeoutError) Unwrap() []error { return []error{e.shown, e.cause} }

// A deniedError is the error of Func.Check.
type deniedError struct{ cause error }

func (e *deniedError) Error() string { return "hostfuncs: denied: " + e.cause.Error() }
func (e *deniedError) Unwrap() error { return e.cause }

// ForGuest returns what a guest may know of an error: an [*Error] as it is, and
// of all others only a code.
func ForGuest(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok && e != nil { // a nil *Error that became an error is a mistake
		return e
	}
	if _, ok := errors.AsType[*deniedError](err); ok {
		return Errorf(CodeDenied, "the host does not allow this")
	}
	if errors.Is(err, context.Canceled) {
		return Errorf(CodeCanceled, "the host gave the call up")
	}
	return Errorf(CodeInternal, "the host function failed")
}
