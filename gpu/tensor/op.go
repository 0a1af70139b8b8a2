package tensor

import "fmt"

// An Op is an operation. Its numbers are part of the encoding of programs: they are
// never changed and never used again.
type Op uint16

// The operations, by group.
const (
	AsArray Op = iota + 1
	Constant
	Zeros
	Ones
	Full
	Arange
	Linspace
	Eye
	RandomUniform
	RandomNormal

	Abs
	Negative
	Sign
	Sqrt
	Rsqrt
	Exp
	Log
	Log1p
	Expm1
	Sin
	Cos
	Tanh
	Sigmoid
	Erf
	Floor
	Ceil
	Round
	IsNaN
	LogicalNot
	AsType

	Add
	Subtract
	Multiply
	Divide
	FloorDivide
	Remainder
	Pow
	Minimum
	Maximum
	Equal
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
	BitwiseAnd
	BitwiseOr
	Where
	Clip

	Sum
	Mean
	Var
	Min
	Max
	ArgMin
	ArgMax
	Any
	All
	CumulativeSum

	Reshape
	PermuteDims
	ExpandDims
	Squeeze
	BroadcastTo
	Concat
	Slice
	Take

	MatMul
	Softmax
	LayerNorm
	TopK
	Sort

	numOps = iota
)

// Ops returns all operations, by number.
func Ops() []Op {
	ops := make([]Op, numOps)
	for i := range ops {
		ops[i] = Op(i + 1)
	}
	return ops
}

// Valid tells whether o is one of the constants.
func (o Op) Valid() bool { return o >= 1 && o <= numOps }

// String returns the name: that of the array API standard where this has the
// operation.
func (o Op) String() string {
	if !o.Valid() {
		return fmt.Sprintf("op(%d)", uint16(o))
	}
	return table[o].name
}

// A Group is a class of operations that are alike.
type Group string

// The groups.
const (
	GroupCreate Group = "create"
	GroupUnary  Group = "unary"
	GroupBinary Group = "binary and ternary"
	GroupReduce Group = "reduce"
	GroupShape  Group = "shape"
	GroupLinear Group = "linear algebra and neural networks"
	GroupSearch Group = "search"
)

const (
	variadic       = -1  // arity: one input or more
	maxInputs      = 255 // of a node
	maxAttrEntries = 64  // entries of an attribute that is a list: more than any rank
)

// Info is what the table says of an operation, for those who make documents, modules
// of guests and tests of it.
type Info struct {
	Op    Op
	Name  string
	Group Group

	// Arity is the number of inputs, -1 for one or more.
	Arity int

	// Results is the number of values that the operation defines.
	Results int

	Attrs []AttrSpec

	// DTypeRule and ShapeRule are the rules for those who infer types too, as modules of guests do.
	DTypeRule DTypeRule
	ShapeRule string // given counted matrix unchanged axis stretched reduced reduced-nonempty reduced-one reshaped permuted expanded squeezed broadcast joined sliced taken multiplied selected

	// DTypes, Shapes, Work and Accuracy say in words what the rules are.
	DTypes, Shapes, Work, Accuracy string

	// ULP is how far a backend's floating point result may be from the exact one,
	// in units in the last place. It is 0 for exact (correctly rounded) results, and
	// -1 if Accuracy says more.
	ULP float64

	Doc string
}

// Info returns what the table says of o, which must be valid.
func (o Op) Info() Info {
	s := &table[o]
	return Info{
		Op: o, Name: s.name, Group: s.group, Arity: s.arity, Results: s.results(), Attrs: s.attrs,
		DTypeRule: s.dtypes.rule, ShapeRule: s.shapes.name,
		DTypes: s.dtypes.doc, Shapes: s.shapes.doc, Work: s.work.doc,
		Accuracy: s.accuracy.doc, ULP: s.accuracy.ulp, Doc: s.doc,
	}
}

// Results returns the number of values that o defines. It is 2 for those operations
// that return indices too.
func (o Op) Results() int { return table[o].results() }

// Elementwise tells whether each element of the result depends only on the elements
// of the (broadcast) inputs at the same place, so that chains can be fused.
func (o Op) Elementwise() bool {
	g := table[o].group
	return g == GroupUnary || g == GroupBinary
}

// spec is a row of the table.
type spec struct {
	name     string
	group    Group
	arity    int
	indices  bool // the second result are indices
	attrs    []AttrSpec
	dtypes   dtypeRule
	shapes   shapeRule
	work     workRule
	accuracy accuracy
	doc      string
}

func (s *spec) results() int {
	if s.indices {
		return 2
	}
	return 1
}

// accuracy is what backends promise of a result.
type accuracy struct {
	ulp float64
	doc string
}

var (
	exact  = accuracy{0, "exact: correctly rounded"}
	few    = accuracy{4, "4 ulp"}
	powers = accuracy{16, "16 ulp"}
	sums   = accuracy{-1, "as summed in the result's dtype in any order: n·eps·Σ|terms|"}
	spread = accuracy{-1, "n·eps relative to the mean square of the inputs"}
	norms  = accuracy{-1, "16·eps absolute to a result of size 1, and inputs' rounding"}
)
