package engine

import (
	"fmt"
	"time"
)

// Limits bound what a guest may use. A zero field means the engine's value, and
// in [Config] the documented default; there is no value for "no limit".
type Limits struct {
	// Memory is the size of a guest's linear memory in bytes, of which the
	// interpreter takes a few MiB: default 64 MiB, at most 4 GiB.
	Memory int64
	// CallTime bounds the time a guest takes for one call, whether it computes
	// or sleeps: default 1 s.
	CallTime time.Duration
	// CompileTime is CallTime for loading a component: default 5 s.
	CompileTime time.Duration
	// Fuel bounds the work of one call, and of loading a component, in a unit
	// that is the same on every machine: the WebAssembly instructions that the
	// guest may have executed at most (see [rewrite.Module.Budget]), and some for
	// what the host does in its imports. With a
	// Fixed environment a call that runs out of fuel does so at the same
	// point every time. The default of 2⁴⁰, some minutes of computing, leaves it
	// to CallTime to end a call.
	Fuel int64
	// HostCalls bounds the host calls of one call, of which sleeping is one:
	// default 10,000.
	HostCalls int64
	// HostTime bounds the time that a call waits for host functions, which does not
	// count as CallTime: default 30 s.
	HostTime time.Duration
	// Output bounds the result of a call in bytes: default 4 MiB.
	Output int64
	// Depth bounds how deep the arrays and objects of a result are nested:
	// default 1,000, at most 10,000, which is where encoding/json gives up.
	Depth int64
	// Console bounds what a guest prints during one call, in bytes: default
	// 64 KiB.
	Console int64
	// Source bounds the source of a component and its name, in bytes: default
	// 1 MiB.
	Source int64
	// State bounds what an [Instance] keeps between two calls, in bytes: what its
	// memory differs in from the component's image. Default 16 MiB.
	State int64
}

// DefaultLimits returns the value of each field of Config.Limits that is zero.
func DefaultLimits() Limits {
	return Limits{
		Memory:      64 << 20,
		CallTime:    time.Second,
		CompileTime: 5 * time.Second,
		Fuel:        1 << 40,
		HostCalls:   10_000,
		HostTime:    30 * time.Second,
		Output:      4 << 20,
		Depth:       1000,
		Console:     64 << 10,
		Source:      1 << 20,
		State:       16 << 20,
	}
}

// Names of the limits, as LimitError reports them.
const (
	limitMemory      = "Memory"
	limitCallTime    = "CallTime"
	limitCompileTime = "CompileTime"
	limitFuel        = "Fuel"
	limitHostCalls   = "HostCalls"
	limitHostTime    = "HostTime"
	limitOutput      = "Output"
	limitDepth       = "Depth"
	limitConsole     = "Console"
	limitSource      = "Source"
	limitState       = "State"
	limitStack       = "Stack"
	limitInstances   = "Instances"
	limitParking     = "ParkingMemory"
)

const (
	wasmPage  = 64 << 10
	maxMemory = 4<<30 - wasmPage // the last page stays free, so that lengths fit into 32 bits
	maxDepth  = 10_000           // encoding/json reads no more
)

// knownLimit reports whether a LimitError of this package can have a name.
func knownLimit(name string) bool {
	known := name == limitStack || name == limitInstances || name == limitParking
	new(Limits).each(Limits{}, func(n string, _ *int64, _ int64) { known = known || n == name })
	return known
}

func limitText(name string, max int64) string {
	switch name {
	case limitCallTime, limitCompileTime, limitHostTime:
		return time.Duration(max).String()
	case limitStack:
		return "native stack of the interpreter"
	case limitFuel:
		return fmt.Sprintf("%d instructions", max)
	case limitHostCalls:
		return fmt.Sprintf("%d host calls", max)
	case limitDepth:
		return fmt.Sprintf("%d levels", max)
	case limitInstances:
		return fmt.Sprintf("%d instances", max)
	}
	return fmt.Sprintf("%d bytes", max)
}

// each calls f for every limit of l and its counterpart in of.
func (l *Limits) each(of Limits, f func(name string, v *int64, of int64)) {
	f(limitMemory, &l.Memory, of.Memory)
	f(limitCallTime, (*int64)(&l.CallTime), int64(of.CallTime))
	f(limitCompileTime, (*int64)(&l.CompileTime), int64(of.CompileTime))
	f(limitFuel, &l.Fuel, of.Fuel)
	f(limitHostCalls, &l.HostCalls, of.HostCalls)
	f(limitHostTime, (*int64)(&l.HostTime), int64(of.HostTime))
	f(limitOutput, &l.Output, of.Output)
	f(limitDepth, &l.Depth, of.Depth)
	f(limitConsole, &l.Console, of.Console)
	f(limitSource, &l.Source, of.Source)
	f(limitState, &l.State, of.State)
}

// fill replaces zero fields by those of def and returns what is wrong.
func (l *Limits) fill(def Limits) (problems []string) {
	l.each(def, func(name string, v *int64, def int64) {
		switch {
		case *v == 0:
			*v = def
		case *v < 0:
			problems = append(problems, fmt.Sprintf("Limits.%s is negative", name))
		}
	})
	if l.Memory > maxMemory {
		problems = append(problems, fmt.Sprintf("Limits.Memory is more than %d bytes", int64(maxMemory)))
	}
	if l.Depth > maxDepth {
		problems = append(problems, fmt.Sprintf("Limits.Depth is more than %d", maxDepth))
	}
	l.Memory &^= wasmPage - 1 // memory grows by whole WebAssembly pages
	return problems
}

// lower is fill for the limits of one call, which may not exceed those of the
// engine.
func (l *Limits) lower(ceiling Limits) (problems []string) {
	l.each(ceiling, func(name string, v *int64, ceiling int64) {
		if *v > ceiling {
			problems = append(problems, fmt.Sprintf("Limits.%s is higher than the engine's", name))
		}
	})
	return append(problems, l.fill(ceiling)...)
}
