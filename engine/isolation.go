package engine

import (
	"fmt"
	"os"
	"slices"
	"sync/atomic"

	"github.com/sporeengine/spore/runtimes"
)

// Isolation says where guests run.
type Isolation int

const (
	// InProcess runs guests in this process, where WebAssembly keeps them from
	// its memory.
	InProcess Isolation = iota

	// Subprocess runs guests in worker processes, for tenants who are hostile to
	// each other. What a guest would have to break is then not only WebAssembly,
	// an interpreter and wazero, but the kernel as well.
	//
	// A worker process is this program, started once more, whose main function
	// calls [ServeWorker] first. It serves one language and, from its first call
	// on, one pair of tenants only: that of the component's source and that of
	// the call. Source is parsed and compiled there as well. The process has
	// no environment, no open files of this one, and on Linux (amd64 and arm64), before it
	// sees the first byte of a tenant's, it gives up files, the network, other processes, new
	// programs and new machine code (seccomp, landlock). Elsewhere it is
	// only a process of its own.
	//
	// A process that dies, or that does not keep its time limits or the protocol,
	// fails the call that it was working on, with [*WorkerError], or with
	// [*LimitError] if it had to be ended; others do not notice.
	//
	// See DESIGN.md for what each mode protects from and what it costs. Set
	// Config.CacheDir, or every worker process compiles its interpreter.
	Subprocess
)

// String returns the name of the constant.
func (i Isolation) String() string {
	switch i {
	case InProcess:
		return "InProcess"
	case Subprocess:
		return "Subprocess"
	}
	return fmt.Sprintf("Isolation(%d)", int(i))
}

// A WorkerError says that a worker process failed in the middle of a call: it
// died, or sent what no worker sends. It is not known how far the call got. The
// next call gets another process.
type WorkerError struct {
	// Reason says what happened, for people. It may hold the last line that
	// the process wrote to its standard error.
	Reason string
}

// Error implements error.
func (e *WorkerError) Error() string { return "engine: worker process " + e.Reason }

// workerName is the name by which a program knows that it is a worker process:
// os.Args[0].
const workerName = "spore-worker"

// servedRuntimes are what ServeWorker was called with.
var servedRuntimes atomic.Pointer[[]runtimes.Runtime]

// ServeWorker makes the program a worker process if an engine has started it as
// one, and then does not return. In any other process it returns at once.
//
// A program that uses [Subprocess] calls it first thing in main, with the
// runtimes that its engines use:
//
//	func main() {
//		engine.ServeWorker(javascript.Runtime(), python.Runtime())
//		...
//
// A test does so in TestMain. Variables and init functions of the program's
// packages are initialized before, in every worker process too: they should
// neither start anything nor hold secrets.
func ServeWorker(rts ...runtimes.Runtime) {
	rts = slices.Clone(rts)
	servedRuntimes.Store(&rts)
	if len(os.Args) > 0 && os.Args[0] == workerName {
		os.Exit(serveWorker(os.Stdin, os.Stdout, rts))
	}
}

// findServed returns the runtime that ServeWorker was given for language.
func findServed(rts []runtimes.Runtime, language string, sha256 [32]byte) (runtimes.Runtime, bool) {
	i := slices.IndexFunc(rts, func(rt runtimes.Runtime) bool { return rt.Language == language && rt.SHA256 == sha256 })
	if i < 0 {
		return runtimes.Runtime{}, false
	}
	return rts[i], true
}

// checkServed returns what is wrong with the runtimes of a configuration whose
// guests run in worker processes.
func checkServed(rts []runtimes.Runtime) (problems []string) {
	served := servedRuntimes.Load()
	if served == nil {
		return []string{"Isolation is Subprocess and main does not begin with engine.ServeWorker"}
	}
	for _, rt := range rts {
		if _, ok := findServed(*served, rt.Language, rt.SHA256); !ok {
			problems = append(problems, fmt.Sprintf("engine.ServeWorker was not given the runtime %q", rt.Language))
		}
	}
	return problems
}
