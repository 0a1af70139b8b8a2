package wz

import (
	"reflect"

	"github.com/tetratelabs/wazero/api"
)

// Sizes of native stacks in bytes. wazero keeps one for each exported function
// that was called, on the Go heap, and doubles it when a guest recurses, from
// 10 KiB to some 84 MB. It never gives one back.
const (
	// keepStack is the largest that a worker keeps for its next call.
	keepStack = 512 << 10
	// maxStack ends a guest, at its next tick, that has more. Interpreters
	// bound their recursion by their own stacks in linear memory and so stay
	// below, with few exceptions: QuickJS needs 21 MB for its deepest.
	maxStack = 32 << 20
)

// stackField is the index of the field "stack" in the struct behind wazero's
// exported functions. wazero has no way to ask for the size, so stackBytes reads
// the field, without changing anything; a test notices if it moves.
const stackField = 1

// hasStack reports whether f has such a stack. Functions of wazero's interpreter
// have not: it bounds the depth of calls by itself.
func hasStack(f api.Function) bool {
	v := reflect.Indirect(reflect.ValueOf(f))
	return v.Kind() == reflect.Struct && v.NumField() > stackField &&
		v.Type().Field(stackField).Name == "stack" && v.Field(stackField).Kind() == reflect.Slice
}

// stackBytes returns the size of the native stack of the export that runs or ran
// last.
func (w *Worker) stackBytes() int {
	if !w.hasStack {
		return 0
	}
	return reflect.ValueOf(w.running).Elem().Field(stackField).Len()
}
