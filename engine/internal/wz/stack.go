package wz

import (
	"reflect"

	"github.com/tetratelabs/wazero/api"
)

// keepStack is the largest native stack, in bytes, that a worker keeps for its
// next call. wazero has one for each exported function that was called, on the Go
// heap. It doubles it when a guest recurses, from 10 KiB up to 84 MB, where the
// guest overflows it, and never gives one back.
//
// There is no point in a lower bound: the deepest recursion that QuickJS allows
// itself needs between 21 and 42 MB.
const keepStack = 512 << 10

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
