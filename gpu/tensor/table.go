package tensor

// Attributes that several operations have.
var (
	shapeAttr = AttrSpec{Name: "shape", Kind: AttrShape, Max: maxLength, Doc: "lengths of the result"}
	axisAttr  = AttrSpec{Name: "axis", Kind: AttrInt, Max: maxRank - 1, Default: 0, Doc: "dimension, from 0"}
	axesAttr  = AttrSpec{Name: "axes", Kind: AttrInts, Max: maxRank - 1, Doc: "dimensions in ascending order, from 0"}
	keepAttr  = AttrSpec{Name: "keepdims", Kind: AttrBool, Max: 1, Default: false, Doc: "keep the axes, with length 1"}
	countAttr = AttrSpec{Name: "n", Kind: AttrInt, Max: maxLength, Doc: "length of the result"}
	seedAttr  = AttrSpec{Name: "seed", Kind: AttrSeed, Default: uint64(0), Doc: "of the generator"}
)

// table has every operation. Everything else is made from it: validation, cost,
// documents, modules of guests, and the inputs of tests. It is filled by init as the
// rules that it names look attributes up in it.
var table [numOps + 1]spec

func init() {
	table = [numOps + 1]spec{
		AsArray:  {name: "asarray", group: GroupCreate, attrs: []AttrSpec{shapeAttr}, dtypes: declared(kindAny), shapes: given, work: each(1), doc: "data that each call brings: input number i of the program is its i-th asarray"},
		Constant: {name: "constant", group: GroupCreate, attrs: []AttrSpec{shapeAttr}, dtypes: declared(kindAny), shapes: given, work: each(1), doc: "data that lives on the device: constant number i of the program is its i-th constant"},
		Zeros:    {name: "zeros", group: GroupCreate, attrs: []AttrSpec{shapeAttr}, dtypes: declared(kindAny), shapes: given, work: each(1), doc: "all 0"},
		Ones:     {name: "ones", group: GroupCreate, attrs: []AttrSpec{shapeAttr}, dtypes: declared(kindAny), shapes: given, work: each(1), doc: "all 1"},
		Full: {name: "full", group: GroupCreate, attrs: []AttrSpec{shapeAttr, {Name: "value", Kind: AttrScalar, Doc: "of all elements"}},
			dtypes: declared(kindAny), shapes: given, work: each(1), doc: "all of one value, rounded to the dtype"},
		Arange: {name: "arange", group: GroupCreate, attrs: []AttrSpec{countAttr, {Name: "start", Kind: AttrScalar, Default: 0, Doc: "first value"}, {Name: "step", Kind: AttrScalar, Default: 1, Doc: "between values"}},
			dtypes: declared(kindNumeric), shapes: counted, work: each(2), doc: "start + i·step, of floats computed in float64, of integers modulo their range"},
		Linspace: {name: "linspace", group: GroupCreate, attrs: []AttrSpec{countAttr, {Name: "start", Kind: AttrScalar, Doc: "first value"}, {Name: "stop", Kind: AttrScalar, Doc: "end"}, {Name: "endpoint", Kind: AttrBool, Max: 1, Default: true, Doc: "stop is the last value"}},
			dtypes: declared(kindFloat), shapes: counted, work: each(4), doc: "n values at even distances: start + i·((stop - start)/(n-1)), or /n without endpoint, computed in float64; the last is stop with endpoint"},
		Eye: {name: "eye", group: GroupCreate, attrs: []AttrSpec{{Name: "rows", Kind: AttrInt, Max: maxLength, Doc: "rows"}, {Name: "cols", Kind: AttrInt, Max: maxLength, Doc: "columns"}, {Name: "k", Kind: AttrInt, Min: -maxLength, Max: maxLength, Default: 0, Doc: "diagonal, above the main one if positive"}},
			dtypes: declared(kindAny), shapes: matrix, work: each(1), doc: "1 where column - row = k, 0 elsewhere"},
		RandomUniform: {name: "random_uniform", group: GroupCreate, attrs: []AttrSpec{shapeAttr, seedAttr}, dtypes: declared(kindFloat), shapes: given, work: each(12),
			doc: "from [0, 1), multiples of 2^-p for a mantissa of p bits: the highest p bits of Philox4x32-10 of the counter i/4 (of two words for float64: i/2), so equal on every backend"},
		RandomNormal: {name: "random_normal", group: GroupCreate, attrs: []AttrSpec{shapeAttr, seedAttr}, dtypes: declared(kindFloat), shapes: given, work: each(40), accuracy: few,
			doc: "of mean 0 and variance 1: sqrt(-2·log(1-u))·cos(2π·v) and …·sin(2π·v) of pairs u, v of uniform float64 values"},

		Abs:        {name: "abs", group: GroupUnary, arity: 1, dtypes: same(kindNumeric), shapes: unchanged, work: each(1), doc: "absolute value; the smallest integer stays as it is"},
		Negative:   {name: "negative", group: GroupUnary, arity: 1, dtypes: same(kindNumeric), shapes: unchanged, work: each(1), doc: "-x, of integers modulo their range"},
		Sign:       {name: "sign", group: GroupUnary, arity: 1, dtypes: same(kindNumeric), shapes: unchanged, work: each(1), doc: "-1, 0 or 1; 0 of -0; NaN of NaN"},
		Sqrt:       {name: "sqrt", group: GroupUnary, arity: 1, dtypes: same(kindFloat), shapes: unchanged, work: each(4), doc: "square root, NaN of negative numbers"},
		Rsqrt:      {name: "rsqrt", group: GroupUnary, arity: 1, dtypes: same(kindFloat), shapes: unchanged, work: each(6), accuracy: few, doc: "1/sqrt(x)"},
		Exp:        {name: "exp", group: GroupUnary, arity: 1, dtypes: same(kindFloat), shapes: unchanged, work: each(12), accuracy: few, doc: "e to the power of x"},
		Log:        {name: "log", group: GroupUnary, arity: 1, dtypes: same(kindFloat), shapes: unchanged, work: each(12), accuracy: few, doc: "natural logarithm, NaN of negative numbers"},
		Log1p:      {name: "log1p", group: GroupUnary, arity: 1, dtypes: same(kindFloat), shapes: unchanged, work: each(16), accuracy: few, doc: "log(1 + x), accurate near 0"},
		Expm1:      {name: "expm1", group: GroupUnary, arity: 1, dtypes: same(kindFloat), shapes: unchanged, work: each(16), accuracy: few, doc: "exp(x) - 1, accurate near 0"},
		Sin:        {name: "sin", group: GroupUnary, arity: 1, dtypes: same(kindFloat), shapes: unchanged, work: each(16), accuracy: few, doc: "sine of x radians"},
		Cos:        {name: "cos", group: GroupUnary, arity: 1, dtypes: same(kindFloat), shapes: unchanged, work: each(16), accuracy: few, doc: "cosine of x radians"},
		Tanh:       {name: "tanh", group: GroupUnary, arity: 1, dtypes: same(kindFloat), shapes: unchanged, work: each(16), accuracy: few, doc: "hyperbolic tangent"},
		Sigmoid:    {name: "sigmoid", group: GroupUnary, arity: 1, dtypes: same(kindFloat), shapes: unchanged, work: each(16), accuracy: few, doc: "1/(1 + exp(-x))"},
		Erf:        {name: "erf", group: GroupUnary, arity: 1, dtypes: same(kindFloat), shapes: unchanged, work: each(24), accuracy: few, doc: "error function"},
		Floor:      {name: "floor", group: GroupUnary, arity: 1, dtypes: same(kindNumeric), shapes: unchanged, work: each(1), doc: "largest integer that is not above x"},
		Ceil:       {name: "ceil", group: GroupUnary, arity: 1, dtypes: same(kindNumeric), shapes: unchanged, work: each(1), doc: "smallest integer that is not below x"},
		Round:      {name: "round", group: GroupUnary, arity: 1, dtypes: same(kindNumeric), shapes: unchanged, work: each(1), doc: "nearest integer, of two the even one"},
		IsNaN:      {name: "isnan", group: GroupUnary, arity: 1, dtypes: fixed(kindNumeric, Bool), shapes: unchanged, work: each(1), doc: "whether x is NaN"},
		LogicalNot: {name: "logical_not", group: GroupUnary, arity: 1, dtypes: same(kindBool), shapes: unchanged, work: each(1), doc: "not x"},
		AsType: {name: "astype", group: GroupUnary, arity: 1, dtypes: converted, shapes: unchanged, work: each(1),
			doc: "to the node's dtype: floats rounded to the nearest, to integers towards 0 and to the ends of the range, NaN to 0; integers modulo the range; to bool whether x is not 0"},

		Add:          {name: "add", group: GroupBinary, arity: 2, dtypes: promoted(kindNumeric, 0), shapes: stretched, work: each(1), doc: "x + y, of integers modulo their range"},
		Subtract:     {name: "subtract", group: GroupBinary, arity: 2, dtypes: promoted(kindNumeric, 0), shapes: stretched, work: each(1), doc: "x - y, of integers modulo their range"},
		Multiply:     {name: "multiply", group: GroupBinary, arity: 2, dtypes: promoted(kindNumeric, 0), shapes: stretched, work: each(1), doc: "x · y, of integers modulo their range"},
		Divide:       {name: "divide", group: GroupBinary, arity: 2, dtypes: promoted(kindFloat, 0), shapes: stretched, work: each(4), doc: "x / y"},
		FloorDivide:  {name: "floor_divide", group: GroupBinary, arity: 2, dtypes: promoted(kindNumeric, 0), shapes: stretched, work: each(24), doc: "x // y as in Python: the integer q for which x = q·y + remainder(x, y), found as NumPy does: round((x - remainder)/y), of floats in float64; 0 of integers where y is 0"},
		Remainder:    {name: "remainder", group: GroupBinary, arity: 2, dtypes: promoted(kindNumeric, 0), shapes: stretched, work: each(24), doc: "x % y as in Python, with the sign of y; 0 of integers where y is 0"},
		Pow:          {name: "pow", group: GroupBinary, arity: 2, dtypes: promoted(kindNumeric, 0), shapes: stretched, work: each(32), accuracy: powers, doc: "x to the power of y, as in C; of integers modulo their range, and 1/x^-y towards 0 (0 if x is 0) where y is negative"},
		Minimum:      {name: "minimum", group: GroupBinary, arity: 2, dtypes: promoted(kindNumeric, 0), shapes: stretched, work: each(1), doc: "the smaller one, NaN if one is NaN, -0 before 0"},
		Maximum:      {name: "maximum", group: GroupBinary, arity: 2, dtypes: promoted(kindNumeric, 0), shapes: stretched, work: each(1), doc: "the larger one, NaN if one is NaN, -0 before 0"},
		Equal:        {name: "equal", group: GroupBinary, arity: 2, dtypes: fixed(kindAny, Bool), shapes: stretched, work: each(1), doc: "x = y, false if one is NaN"},
		NotEqual:     {name: "not_equal", group: GroupBinary, arity: 2, dtypes: fixed(kindAny, Bool), shapes: stretched, work: each(1), doc: "x ≠ y, true if one is NaN"},
		Less:         {name: "less", group: GroupBinary, arity: 2, dtypes: fixed(kindNumeric, Bool), shapes: stretched, work: each(1), doc: "x < y, false if one is NaN"},
		LessEqual:    {name: "less_equal", group: GroupBinary, arity: 2, dtypes: fixed(kindNumeric, Bool), shapes: stretched, work: each(1), doc: "x ≤ y, false if one is NaN"},
		Greater:      {name: "greater", group: GroupBinary, arity: 2, dtypes: fixed(kindNumeric, Bool), shapes: stretched, work: each(1), doc: "x > y, false if one is NaN"},
		GreaterEqual: {name: "greater_equal", group: GroupBinary, arity: 2, dtypes: fixed(kindNumeric, Bool), shapes: stretched, work: each(1), doc: "x ≥ y, false if one is NaN"},
		BitwiseAnd:   {name: "bitwise_and", group: GroupBinary, arity: 2, dtypes: promoted(kindBool|kindInt, 0), shapes: stretched, work: each(1), doc: "and of the bits, of bools logical"},
		BitwiseOr:    {name: "bitwise_or", group: GroupBinary, arity: 2, dtypes: promoted(kindBool|kindInt, 0), shapes: stretched, work: each(1), doc: "or of the bits, of bools logical"},
		Where:        {name: "where", group: GroupBinary, arity: 3, dtypes: promoted(kindAny, 1), shapes: stretched, work: each(1), doc: "the second input where the first is true, the third elsewhere"},
		Clip:         {name: "clip", group: GroupBinary, arity: 3, dtypes: promoted(kindNumeric, 0), shapes: stretched, work: each(2), doc: "minimum(maximum(x, low), high): high where low is above it"},

		Sum:  {name: "sum", group: GroupReduce, arity: 1, attrs: []AttrSpec{axesAttr, keepAttr}, dtypes: summed, shapes: reduced(true), work: over(1), accuracy: sums, doc: "sum over the axes, 0 of no elements; of integers modulo 2^64"},
		Mean: {name: "mean", group: GroupReduce, arity: 1, attrs: []AttrSpec{axesAttr, keepAttr}, dtypes: same(kindFloat), shapes: reduced(true), work: over(1), accuracy: sums, doc: "sum divided by the number of elements, NaN of none"},
		Var: {name: "var", group: GroupReduce, arity: 1, attrs: []AttrSpec{axesAttr, keepAttr, {Name: "correction", Kind: AttrFloat, Default: 0.0, Doc: "taken from the number of elements"}},
			dtypes: same(kindFloat), shapes: reduced(true), work: over(4), accuracy: spread, doc: "sum of (x - mean)² divided by n - correction; NaN if this is not positive"},
		Min:           {name: "min", group: GroupReduce, arity: 1, attrs: []AttrSpec{axesAttr, keepAttr}, dtypes: same(kindNumeric), shapes: reduced(false), work: over(1), doc: "smallest element, NaN if one is NaN"},
		Max:           {name: "max", group: GroupReduce, arity: 1, attrs: []AttrSpec{axesAttr, keepAttr}, dtypes: same(kindNumeric), shapes: reduced(false), work: over(1), doc: "largest element, NaN if one is NaN"},
		ArgMin:        {name: "argmin", group: GroupReduce, arity: 1, attrs: []AttrSpec{axisAttr, keepAttr}, dtypes: fixed(kindNumeric, Int64), shapes: reducedOne, work: over(2), doc: "index of the first smallest element, of the first NaN if there is one"},
		ArgMax:        {name: "argmax", group: GroupReduce, arity: 1, attrs: []AttrSpec{axisAttr, keepAttr}, dtypes: fixed(kindNumeric, Int64), shapes: reducedOne, work: over(2), doc: "index of the first largest element, of the first NaN if there is one"},
		Any:           {name: "any", group: GroupReduce, arity: 1, attrs: []AttrSpec{axesAttr, keepAttr}, dtypes: fixed(kindAny, Bool), shapes: reduced(true), work: over(1), doc: "whether an element is not 0 (NaN is not); false of no elements"},
		All:           {name: "all", group: GroupReduce, arity: 1, attrs: []AttrSpec{axesAttr, keepAttr}, dtypes: fixed(kindAny, Bool), shapes: reduced(true), work: over(1), doc: "whether all elements are not 0 (NaN is not); true of no elements"},
		CumulativeSum: {name: "cumulative_sum", group: GroupReduce, arity: 1, attrs: []AttrSpec{axisAttr}, dtypes: summed, shapes: alongAxis, work: rows(2), accuracy: sums, doc: "sum of the elements up to each, itself among them, along the axis"},

		Reshape:     {name: "reshape", group: GroupShape, arity: 1, attrs: []AttrSpec{shapeAttr}, dtypes: same(kindAny), shapes: reshaped, work: each(1), doc: "the elements in row-major order in another shape"},
		PermuteDims: {name: "permute_dims", group: GroupShape, arity: 1, attrs: []AttrSpec{{Name: "axes", Kind: AttrInts, Max: maxRank - 1, Doc: "dimension of the input for each of the result"}}, dtypes: same(kindAny), shapes: permuted, work: each(1), doc: "dimensions in another order: a transposition"},
		ExpandDims:  {name: "expand_dims", group: GroupShape, arity: 1, attrs: []AttrSpec{axisAttr}, dtypes: same(kindAny), shapes: expanded, work: each(1), doc: "one dimension of length 1 more"},
		Squeeze:     {name: "squeeze", group: GroupShape, arity: 1, attrs: []AttrSpec{axesAttr}, dtypes: same(kindAny), shapes: squeezed, work: each(1), doc: "without dimensions of length 1"},
		BroadcastTo: {name: "broadcast_to", group: GroupShape, arity: 1, attrs: []AttrSpec{shapeAttr}, dtypes: same(kindAny), shapes: broadcastTo, work: each(1), doc: "elements repeated along dimensions of length 1 or that are missing"},
		Concat:      {name: "concat", group: GroupShape, arity: variadic, attrs: []AttrSpec{axisAttr}, dtypes: promoted(kindAny, 0), shapes: joined, work: each(1), doc: "up to 255 inputs one behind the other along the axis"},
		Slice: {name: "slice", group: GroupShape, arity: 1, attrs: []AttrSpec{
			{Name: "start", Kind: AttrInts, Max: maxLength, Doc: "first element of each dimension"},
			{Name: "step", Kind: AttrInts, Min: -maxLength, Max: maxLength, Doc: "from element to element of each dimension"},
			{Name: "count", Kind: AttrShape, Max: maxLength, Doc: "elements of each dimension"}},
			dtypes: same(kindAny), shapes: sliced, work: each(1), doc: "elements start + i·step of each dimension"},
		Take: {name: "take", group: GroupShape, arity: 2, attrs: []AttrSpec{axisAttr}, dtypes: indexed, shapes: taken, work: each(2), doc: "elements along the axis at the indices, where a negative one counts from the end; an index out of range is an error"},

		MatMul: {name: "matmul", group: GroupLinear, arity: 2, attrs: []AttrSpec{{Name: "tf32", Kind: AttrBool, Max: 1, Default: false, Doc: "float32 may be rounded to 10 bits of mantissa before it is multiplied, where that is faster"}},
			dtypes: promoted(kindNumeric, 0), shapes: multiplied, work: products, accuracy: sums, doc: "product of matrices; float16 and bfloat16 are summed in float32, integers modulo their range"},
		Softmax: {name: "softmax", group: GroupLinear, arity: 1, attrs: []AttrSpec{axisAttr}, dtypes: same(kindFloat), shapes: alongAxis, work: rows(16), accuracy: norms, doc: "exp(x - max) divided by its sum along the axis"},
		LayerNorm: {name: "layer_norm", group: GroupLinear, arity: 1, attrs: []AttrSpec{axisAttr, {Name: "eps", Kind: AttrFloat, Default: 1e-5, Doc: "added to the variance"}},
			dtypes: same(kindFloat), shapes: alongAxis, work: rows(8), accuracy: norms, doc: "(x - mean)/sqrt(var + eps) along the axis"},

		TopK: {name: "topk", group: GroupSearch, arity: 1, indices: true, attrs: []AttrSpec{axisAttr, {Name: "k", Kind: AttrInt, Max: maxLength, Doc: "how many"}, {Name: "largest", Kind: AttrBool, Max: 1, Default: true, Doc: "the largest elements, else the smallest"}},
			dtypes: same(kindNumeric), shapes: selected, work: sorting, doc: "the k largest elements along the axis, the largest first, and their indices; of equal ones the first; NaN is larger than all"},
		Sort: {name: "sort", group: GroupSearch, arity: 1, indices: true, attrs: []AttrSpec{axisAttr, {Name: "descending", Kind: AttrBool, Max: 1, Default: false, Doc: "the largest first"}},
			dtypes: same(kindNumeric), shapes: alongAxis, work: sorting, doc: "the elements along the axis in order, and their indices; equal ones stay in order; NaN is larger than all"},
	}
	// The accuracy that most operations have is not repeated in the table.
	for i := range table {
		if s := &table[i]; s.name != "" && s.accuracy == (accuracy{}) {
			s.accuracy = exact
		}
	}
}
