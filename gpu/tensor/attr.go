package tensor

import (
	"fmt"
	"math"
)

// An AttrKind is the type of an attribute. It says which field of [Attr] has the
// value.
type AttrKind uint8

// The kinds of attributes.
const (
	AttrInt    AttrKind = iota + 1 // Int
	AttrBool                       // Int, 0 or 1
	AttrInts                       // Ints
	AttrShape                      // Ints, none of them negative
	AttrFloat                      // Bits of a float64, finite
	AttrScalar                     // Bits of a float64 if the node's dtype is a float, of an int64 otherwise
	AttrSeed                       // Bits
)

// String returns the name of the kind.
func (k AttrKind) String() string {
	return [...]string{"", "int", "bool", "ints", "shape", "float", "scalar", "seed"}[k]
}

// An AttrSpec is an attribute in the op table.
type AttrSpec struct {
	Name string
	Kind AttrKind

	// Min and Max bound an int and each of ints.
	Min, Max int64

	// Default is what [Builder.Apply] takes if it is not told: a value as it takes
	// it, or nil if it has to be told.
	Default any

	Doc string
}

// An Attr is the value of an attribute, see [AttrKind].
type Attr struct {
	Int  int64
	Ints []int
	Bits uint64
}

// attr returns the attribute of a name that the op table has for n.
func (n *Node) attr(name string) *Attr {
	for i, a := range table[n.Op].attrs {
		if a.Name == name {
			return &n.Attrs[i]
		}
	}
	panic(fmt.Sprintf("tensor: %s has no attribute %q", n.Op, name))
}

// Int returns the value of an int. Like its siblings it panics if the op table has no
// such attribute for n.
func (n *Node) Int(name string) int { return int(n.attr(name).Int) }

// Bool returns the value of a bool.
func (n *Node) Bool(name string) bool { return n.attr(name).Int != 0 }

// Ints returns the value of ints or of a shape. It must not be written to.
func (n *Node) Ints(name string) []int { return n.attr(name).Ints }

// Float returns the value of a float, or of a scalar of a node whose dtype is one.
func (n *Node) Float(name string) float64 { return math.Float64frombits(n.attr(name).Bits) }

// Bits returns the value of a seed, or the bits of a scalar.
func (n *Node) Bits(name string) uint64 { return n.attr(name).Bits }

// check tells what is wrong with the value a of s in a node of type d.
func (s *AttrSpec) check(a *Attr, d DType) error {
	switch s.Kind {
	case AttrInt, AttrBool:
		if a.Int < s.Min || a.Int > s.Max {
			return fmt.Errorf("%s is %d: it is from %d to %d", s.Name, a.Int, s.Min, s.Max)
		}
	case AttrInts, AttrShape:
		if len(a.Ints) > maxAttrEntries {
			return fmt.Errorf("%s has %d entries: at most %d are supported", s.Name, len(a.Ints), maxAttrEntries)
		}
		for _, v := range a.Ints {
			if int64(v) < s.Min || int64(v) > s.Max {
				return fmt.Errorf("%s has an entry %d: they are from %d to %d", s.Name, v, s.Min, s.Max)
			}
		}
	case AttrFloat:
		if f := math.Float64frombits(a.Bits); !(f >= 0) || math.IsInf(f, 0) {
			return fmt.Errorf("%s is %v: it is finite and not negative", s.Name, f)
		}
	case AttrScalar:
		if v := int64(a.Bits); d == Bool && v != 0 && v != 1 || d == Uint8 && v != int64(uint8(v)) || d == Int32 && v != int64(int32(v)) {
			return fmt.Errorf("%s is %d: that is no %s", s.Name, v, d)
		}
	}
	return nil
}
