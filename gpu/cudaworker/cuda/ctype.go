package cuda

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/sporeengine/spore/gpu/tensor"
)

// How dtypes are written in kernels. Nothing else of a program gets into the source but what is chosen by this package: numbers are
// parameters.

// suffix ends the names of functions that read and write elements of d.
func suffix(d tensor.DType) string {
	return [...]string{tensor.Bool: "bool", tensor.Uint8: "u8", tensor.Int32: "i32", tensor.Int64: "i64",
		tensor.Float16: "f16", tensor.BFloat16: "bf16", tensor.Float32: "f32", tensor.Float64: "f64"}[d]
}

// ctype is the type that values of d are computed in.
func ctype(d tensor.DType) string {
	return [...]string{tensor.Bool: "u8", tensor.Uint8: "u8", tensor.Int32: "i32", tensor.Int64: "i64",
		tensor.Float16: "f32", tensor.BFloat16: "f32", tensor.Float32: "f32", tensor.Float64: "f64"}[d]
}

func half(d tensor.DType) bool { return d == tensor.Float16 || d == tensor.BFloat16 }

// cast is an expression that converts x, a value of from, to the value of to.
func cast(from, to tensor.DType, x string) string {
	a, b := ctype(from), ctype(to)
	switch {
	case from == to:
		return x
	case to == tensor.Bool:
		return fmt.Sprintf("(u8)(%s != 0)", x)
	case half(to):
		switch {
		case a == "f64":
			x = "odd_f32(" + x + ")"
		case a != "f32":
			x = "odd_f32(odd_f64((i64)" + x + "))"
		}
		return fmt.Sprintf("rnd_%s(%s)", suffix(to), x)
	case a == b:
		return x
	case from.IsFloat() && !to.IsFloat():
		return fmt.Sprintf("f64_to_%s((f64)%s)", b, x)
	}
	return fmt.Sprintf("(%s)%s", b, x)
}

// fromF64 is an expression that rounds x, of type f64, to d.
func fromF64(d tensor.DType, x string) string {
	return cast(tensor.Float64, d, "("+x+")")
}

// exactOps give results that need no rounding to float16 and bfloat16.
var exactOps = map[tensor.Op]bool{tensor.Abs: true, tensor.Negative: true, tensor.Sign: true, tensor.Floor: true, tensor.Ceil: true,
	tensor.Round: true, tensor.Minimum: true, tensor.Maximum: true, tensor.Clip: true}

// comparisons are operators of C.
var comparisons = map[tensor.Op]string{tensor.Equal: "==", tensor.NotEqual: "!=", tensor.Less: "<", tensor.LessEqual: "<=",
	tensor.Greater: ">", tensor.GreaterEqual: ">="}

// apply is an expression for an elementwise operation with a result of type out on values of types in.
func apply(op tensor.Op, out tensor.DType, in []tensor.DType, x []string) string {
	if op == tensor.AsType {
		return cast(in[0], out, x[0])
	}
	if op == tensor.Where {
		return fmt.Sprintf("(%s ? %s : %s)", x[0], cast(in[1], out, x[1]), cast(in[2], out, x[2]))
	}
	d := in[0] // what is computed in: the common type of the inputs
	for _, t := range in[1:] {
		d, _ = tensor.Promote(d, t)
	}
	args := make([]string, len(x))
	for i := range x {
		args[i] = cast(in[i], d, x[i])
	}
	list := strings.Join(args, ", ")
	if c, ok := comparisons[op]; ok {
		return fmt.Sprintf("(u8)(%s %s %s)", args[0], c, args[1])
	}
	switch op {
	case tensor.LogicalNot:
		return fmt.Sprintf("(u8)!%s", args[0])
	case tensor.Clip:
		t := ctype(d)
		return fmt.Sprintf("minimum_%s(maximum_%s(%s, %s), %s)", t, t, args[0], args[1], args[2])
	case tensor.FloorDivide, tensor.Remainder:
		if d.IsFloat() {
			for i := range args {
				args[i] = "(f64)" + args[i]
			}
			return fromF64(d, fmt.Sprintf("%s_f64(%s)", op, strings.Join(args, ", ")))
		}
	}
	e := fmt.Sprintf("%s_%s(%s)", op, ctype(d), list)
	if half(out) && !exactOps[op] {
		e = fmt.Sprintf("rnd_%s(%s)", suffix(out), e)
	}
	return e
}

//go:embed prelude.h
var preludeBase string

//go:embed prelude_float.h
var preludeFloat string

//go:embed prelude_int.h
var preludeInt string

//go:embed prelude_end.h
var preludeEnd string

// prelude is what every kernel begins with.
var prelude = preludeBase +
	strings.NewReplacer("TYPE", "f32", "SUF", "f").Replace(preludeFloat) +
	strings.NewReplacer("TYPE", "f64", "SUF", "").Replace(preludeFloat) +
	integers("u8", "u32", "0") + integers("i32", "u32", "") + integers("i64", "u64", "") +
	preludeEnd

// integers is the prelude for an integer type. negative replaces what is true only where there are negative numbers.
func integers(ctype, unsigned, negative string) string {
	s := "#undef NEGATIVE\n#define NEGATIVE(x) (x)\n"
	if negative != "" {
		s = "#undef NEGATIVE\n#define NEGATIVE(x) " + negative + "\n"
	}
	return s + strings.NewReplacer("TYPE", ctype, "UNSIGNED", unsigned).Replace(preludeInt)
}
