package tensor

import "fmt"

// A DType is the type of the elements of a tensor. Its numbers are part of the
// encoding of programs.
type DType uint8

// The element types. All are stored little-endian.
const (
	Bool     DType = 1 // one byte, 0 or 1
	Uint8    DType = 2
	Int32    DType = 3
	Int64    DType = 4
	Float16  DType = 5 // IEEE 754 binary16
	BFloat16 DType = 6 // upper half of a binary32
	Float32  DType = 7
	Float64  DType = 8
)

// dtypes has what is to be known about each element type.
var dtypes = [...]struct {
	name string
	size int
	kind kind
}{
	Bool:     {"bool", 1, kindBool},
	Uint8:    {"uint8", 1, kindInt},
	Int32:    {"int32", 4, kindInt},
	Int64:    {"int64", 8, kindInt},
	Float16:  {"float16", 2, kindFloat},
	BFloat16: {"bfloat16", 2, kindFloat},
	Float32:  {"float32", 4, kindFloat},
	Float64:  {"float64", 8, kindFloat},
}

// A kind is a set of element types, as bits, so that operations can say which of
// them they take.
type kind uint8

const (
	kindBool kind = 1 << iota
	kindInt
	kindFloat

	kindNumeric = kindInt | kindFloat
	kindAny     = kindBool | kindInt | kindFloat
)

// String returns the words for k in error messages.
func (k kind) String() string {
	switch k {
	case kindBool:
		return "bool"
	case kindInt:
		return "integers"
	case kindFloat:
		return "floats"
	case kindNumeric:
		return "numbers"
	case kindBool | kindInt:
		return "bool or integers"
	}
	return "any"
}

// DTypes returns all element types.
func DTypes() []DType {
	return []DType{Bool, Uint8, Int32, Int64, Float16, BFloat16, Float32, Float64}
}

// Valid tells whether d is one of the constants.
func (d DType) Valid() bool { return d >= Bool && int(d) < len(dtypes) }

// Size returns the bytes of an element, 0 if d is not valid.
func (d DType) Size() int {
	if !d.Valid() {
		return 0
	}
	return dtypes[d].size
}

// IsFloat tells whether d is a floating point type.
func (d DType) IsFloat() bool { return d.Valid() && dtypes[d].kind == kindFloat }

// IsInt tells whether d is an integer type. Bool is none.
func (d DType) IsInt() bool { return d.Valid() && dtypes[d].kind == kindInt }

// String returns the name in the array API standard.
func (d DType) String() string {
	if !d.Valid() {
		return fmt.Sprintf("dtype(%d)", uint8(d))
	}
	return dtypes[d].name
}

// in tells whether d is of kind k.
func (d DType) in(k kind) bool { return dtypes[d].kind&k != 0 }

// Promote returns the type that values of both types are converted to when they
// meet in an operation, by the rules of the array API standard: the larger one of
// the same kind; float16 and bfloat16 meet in float32. There is none for types of
// different kinds: such programs must say astype.
func Promote(a, b DType) (DType, bool) {
	switch {
	case !a.Valid() || !b.Valid() || dtypes[a].kind != dtypes[b].kind:
		return 0, false
	case a == Float16 && b == BFloat16 || a == BFloat16 && b == Float16:
		return Float32, true
	}
	return max(a, b), true // the constants of a kind are in order of size
}
