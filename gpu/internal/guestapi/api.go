// Package guestapi is what the module gpu offers to components, in every language. The modules' tables, their typings and
// the page for authors are made from it and from the table of operations.
package guestapi

import "github.com/sporeengine/spore/gpu/tensor"

// A Func is a function that makes arrays. Names and arguments are those of the array API standard where this has the function.
type Func struct {
	Name string

	// Op is the operation that does the work. Its documentation is the function's.
	Op tensor.Op

	// Params are the positional arguments, Options what is given by name.
	Params, Options []Param

	// Creates tells that no array is the first argument, so that it is no method.
	Creates bool

	Returns Returns
	Doc     string // what the operation's documentation does not say
	Alone   bool   // Doc is all there is to say
}

// Documentation says what f does.
func (f *Func) Documentation() string {
	if f.Alone {
		return f.Doc
	}
	doc := f.Op.Info().Doc
	if f.Doc != "" {
		doc += "; " + f.Doc
	}
	return doc
}

// Returns says which results of the operation a function returns.
type Returns uint8

// What functions return.
const (
	First  Returns = iota // an array
	Second                // the second result
	Both                  // a list of both
)

// A Param is an argument.
type Param struct {
	Name    string
	Kind    Kind
	Default string // in JavaScript, empty if it has to be given; None, True and False in Python are null, true and false
}

// A Kind is what an argument takes.
type Kind uint8

// The kinds of arguments.
const (
	Any     Kind = iota // an array, or what asarray makes one of
	Data                // what asarray takes
	Several             // a list of arrays
	Number              // a plain number of the array's type
	Shape               // lengths, or one
	Axis                // a dimension, negative from the end
	Axes                // one, several, or null for all
	Index               // what slice takes
	Int                 //
	Float               //
	Bool                //
	Seed                // of 64 bits
	DType               // the name of a type of elements
)

// Aliases are further names of functions and methods, in languages that have no operators for arrays.
var Aliases = map[string]string{
	"sub": "subtract", "mul": "multiply", "div": "divide", "mod": "remainder", "neg": "negative",
	"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
	"and": "bitwise_and", "or": "bitwise_or", "not": "logical_not", "cumsum": "cumulative_sum",
}

// Nearest has functions for names that other libraries have, and that are not here.
var Nearest = map[string]string{
	"array": "asarray", "tensor": "asarray", "from_numpy": "asarray", "frombuffer": "asarray",
	"dot": "matmul", "mm": "matmul", "bmm": "matmul", "einsum": "matmul", "tensordot": "matmul", "inner": "matmul", "conv2d": "matmul",
	"transpose": "permute_dims", "permute": "permute_dims", "swapaxes": "permute_dims", "moveaxis": "permute_dims",
	"view": "reshape", "flatten": "reshape", "ravel": "reshape", "unsqueeze": "expand_dims", "stack": "concat", "concatenate": "concat", "cat": "concat",
	"hstack": "concat", "vstack": "concat", "expand": "broadcast_to", "tile": "broadcast_to", "repeat": "broadcast_to", "flip": "slice", "narrow": "slice",
	"gather": "take", "index_select": "take", "nonzero": "where", "select": "where", "masked_fill": "where",
	"power": "pow", "absolute": "abs", "square": "multiply", "reciprocal": "divide", "true_divide": "divide", "fmod": "remainder",
	"relu": "maximum", "gelu": "erf", "silu": "sigmoid", "logistic": "sigmoid", "tan": "sin", "log2": "log", "log10": "log", "exp2": "exp", "trunc": "astype",
	"isfinite": "isnan", "isinf": "isnan", "logical_and": "bitwise_and", "logical_or": "bitwise_or", "invert": "logical_not",
	"std": "var", "norm": "sum", "prod": "sum", "average": "mean", "median": "sort", "amax": "max", "amin": "min", "histogram": "sum",
	"cumprod": "cumulative_sum", "batch_norm": "layer_norm", "log_softmax": "softmax", "rand": "random_uniform", "randn": "random_normal", "random": "random_uniform",
	"empty": "zeros", "zeros_like": "zeros", "ones_like": "ones", "full_like": "full", "identity": "eye", "cast": "astype", "to": "astype", "type": "astype",
	"numpy": "asarray", "clamp": "clip",
}

var (
	x        = Param{Name: "x", Kind: Any}
	dtype    = Param{"dtype", DType, `"float32"`}
	keepdims = Param{"keepdims", Bool, "false"}
	anyAxes  = Param{"axis", Axes, "null"}
	last     = Param{"axis", Axis, "-1"}
	first    = Param{"axis", Axis, "0"}
	lone     = Param{"axis", Axis, "null"}
	shape    = Param{Name: "shape", Kind: Shape}
	seed     = Param{"seed", Seed, "0"}
)

// special are the functions that are not one operation of its inputs without attributes.
var special = map[tensor.Op][]Func{
	tensor.AsArray: {{Name: "asarray", Creates: true, Params: []Param{{Name: "data", Kind: Data}}, Options: []Param{{"dtype", DType, "null"}, {"shape", Shape, "null"}},
		Alone: true, Doc: "an array of data that the component has; one length of shape may be -1"}},
	tensor.Constant: {{Name: "constant", Creates: true, Params: []Param{{Name: "data", Kind: Data}}, Options: []Param{{"dtype", DType, "null"}, {"shape", Shape, "null"}},
		Alone: true, Doc: "an array of data that stay on the device: sent at the first use only, and named by their contents, so that it survives snapshots and clones share it"}},
	tensor.Zeros: {{Name: "zeros", Creates: true, Params: []Param{shape}, Options: []Param{dtype}}},
	tensor.Ones:  {{Name: "ones", Creates: true, Params: []Param{shape}, Options: []Param{dtype}}},
	tensor.Full:  {{Name: "full", Creates: true, Params: []Param{shape, {Name: "fill_value", Kind: Number}}, Options: []Param{{"dtype", DType, "null"}}, Doc: "of the type that asarray gives the value"}},
	tensor.Arange: {{Name: "arange", Creates: true, Params: []Param{{Name: "start", Kind: Number}, {"stop", Number, "null"}, {"step", Number, "1"}}, Options: []Param{{"dtype", DType, "null"}},
		Doc: "up to start and from 0 if there is no stop; of the type that asarray gives the numbers"}},
	tensor.Linspace: {{Name: "linspace", Creates: true, Params: []Param{{Name: "start", Kind: Float}, {Name: "stop", Kind: Float}, {Name: "num", Kind: Int}}, Options: []Param{dtype, {"endpoint", Bool, "true"}}}},
	tensor.Eye:      {{Name: "eye", Creates: true, Params: []Param{{Name: "n_rows", Kind: Int}, {"n_cols", Int, "null"}}, Options: []Param{{"k", Int, "0"}, dtype}, Doc: "square if n_cols is not given"}},

	tensor.RandomUniform: {{Name: "random_uniform", Creates: true, Params: []Param{shape}, Options: []Param{dtype, seed}, Doc: "the same for the same seed"}},
	tensor.RandomNormal:  {{Name: "random_normal", Creates: true, Params: []Param{shape}, Options: []Param{dtype, seed}, Doc: "the same for the same seed"}},

	tensor.AsType: {{Name: "astype", Params: []Param{x, {Name: "dtype", Kind: DType}}, Alone: true,
		Doc: "to another type: floats rounded to the nearest, to integers towards 0 and to the ends of the range, NaN to 0; integers modulo the range; to bool whether x is not 0"}},
	tensor.Where: {{Name: "where", Params: []Param{{Name: "condition", Kind: Any}, {Name: "x1", Kind: Any}, {Name: "x2", Kind: Any}}}},
	tensor.Clip:  {{Name: "clip", Params: []Param{x, {"min", Any, "null"}, {"max", Any, "null"}}, Doc: "without a bound that is null"}},

	tensor.Sum:           {reduce("sum")},
	tensor.Mean:          {reduce("mean")},
	tensor.Var:           {reduce("var", Param{"correction", Float, "0"})},
	tensor.Min:           {reduce("min")},
	tensor.Max:           {reduce("max")},
	tensor.Any:           {reduce("any")},
	tensor.All:           {reduce("all")},
	tensor.ArgMin:        {{Name: "argmin", Params: []Param{x}, Options: []Param{lone, keepdims}, Doc: "in the flattened array without an axis"}},
	tensor.ArgMax:        {{Name: "argmax", Params: []Param{x}, Options: []Param{lone, keepdims}, Doc: "in the flattened array without an axis"}},
	tensor.CumulativeSum: {{Name: "cumulative_sum", Params: []Param{x}, Options: []Param{lone}, Doc: "the axis may be left out if there is one only"}},

	tensor.Reshape:     {{Name: "reshape", Params: []Param{x, shape}, Doc: "one length may be -1"}},
	tensor.PermuteDims: {{Name: "permute_dims", Params: []Param{x, {Name: "axes", Kind: Axes}}}},
	tensor.ExpandDims:  {{Name: "expand_dims", Params: []Param{x}, Options: []Param{first}}},
	tensor.Squeeze:     {{Name: "squeeze", Params: []Param{x, {Name: "axis", Kind: Axes}}}},
	tensor.BroadcastTo: {{Name: "broadcast_to", Params: []Param{x, shape}}},
	tensor.Concat:      {{Name: "concat", Creates: true, Params: []Param{{Name: "arrays", Kind: Several}}, Options: []Param{first}, Doc: "flattened if the axis is null"}},
	tensor.Slice:       {{Name: "slice", Params: []Param{x, {Name: "index", Kind: Index}}, Alone: true, Doc: "a part: a number or a range for each axis"}},
	tensor.Take:        {{Name: "take", Params: []Param{x, {Name: "indices", Kind: Any}}, Options: []Param{lone}, Doc: "the axis may be left out if there is one only"}},

	tensor.MatMul:    {{Name: "matmul", Params: []Param{{Name: "x1", Kind: Any}, {Name: "x2", Kind: Any}}, Options: []Param{{"tf32", Bool, "false"}}}},
	tensor.Softmax:   {{Name: "softmax", Params: []Param{x}, Options: []Param{last}}},
	tensor.LayerNorm: {{Name: "layer_norm", Params: []Param{x}, Options: []Param{last, {"eps", Float, "1e-5"}}}},
	tensor.TopK:      {{Name: "topk", Params: []Param{x, {Name: "k", Kind: Int}}, Options: []Param{last, {"largest", Bool, "true"}}, Returns: Both}},
	tensor.Sort: {{Name: "sort", Params: []Param{x}, Options: []Param{last, {"descending", Bool, "false"}}, Doc: "this returns the elements"},
		{Name: "argsort", Params: []Param{x}, Options: []Param{last, {"descending", Bool, "false"}}, Returns: Second, Doc: "this returns the indices"}},
}

func reduce(name string, more ...Param) Func {
	return Func{Name: name, Params: []Param{x}, Options: append([]Param{anyAxes, keepdims}, more...)}
}

// Funcs returns all functions, in the order of their operations.
func Funcs() []Func {
	var all []Func
	for _, op := range tensor.Ops() {
		list, ok := special[op]
		if !ok {
			f := Func{Name: op.String(), Params: []Param{x}}
			if op.Info().Arity == 2 {
				f.Params = []Param{{Name: "x1", Kind: Any}, {Name: "x2", Kind: Any}}
			}
			list = []Func{f}
		}
		for _, f := range list {
			f.Op = op
			all = append(all, f)
		}
	}
	return all
}
