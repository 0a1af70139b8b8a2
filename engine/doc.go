// Package engine runs generated components in WebAssembly sandboxes.
//
// Source becomes a [Component] once, which is slow (milliseconds); a component
// is rendered many times, each from the same state, which is fast
// (microseconds), because a render starts on a copy-on-write view of the
// component's memory image.
//
//	eng, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{javascript.Runtime()}})
//	...
//	defer eng.Close()
//
//	card, err := eng.Compile(ctx, engine.Source{Name: "card.tsx", Code: src})
//	...
//	res, err := card.Render(ctx, props, nil) // nil: no capabilities, default limits
//	...
//	io.WriteString(w, res.Text())
//
// # Concurrency
//
// [Engine] and [Component] are safe for concurrent use. Renders run on up to
// [Config.Workers] goroutines of the callers at once; further calls wait for a
// worker or for their context to end.
//
// # Lifetime
//
// Close what you open, in any order: closing an Engine ends what runs and
// closes its components. After Close every method returns [ErrClosed].
//
// # Host functions
//
// A component can call the functions in [Options.Grants], see package hostfuncs, and
// nothing else. Those that it awaits run concurrently, on goroutines of their own. It can import
// the modules in [Source.Modules], by which functions are more convenient to use: see [hostfuncs.Module].
//
// # Isolation
//
// Guests run in this process, or with [Subprocess] in locked up worker processes,
// for which main begins with [ServeWorker].
//
// # Errors
//
// Bad source is a [*SourceError], an error of the component a [*GuestError], a
// limit that it ran into a [*LimitError]. Whatever a component did, its next
// render starts from the same state as its first.
package engine
