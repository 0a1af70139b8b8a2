package hostfuncs

import "context"

// A Caller says who calls a function.
type Caller struct {
	Tenant    string // engine.Options.Tenant
	Component string // its name
	Number    uint32 // of the host call, counted by the guest from 1

	// Key identifies the call for ever, so that the outside can tell whether it has
	// seen it (an idempotency key). It is the same after the instance was suspended and
	// resumed, and another in a fork, and after a call that failed and was taken back.
	// Empty in a render, which is never resumed.
	Key string
}

type callerKey struct{}

// WithCaller returns a context that carries c. It is for the engine, and for tests.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns who calls, from the context that a function was given.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
