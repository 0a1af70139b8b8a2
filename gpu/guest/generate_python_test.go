package guest_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/gpu/guest"
	"github.com/sporeengine/spore/gpu/internal/guestapi"
	"github.com/sporeengine/spore/gpu/tensor"
	"github.com/sporeengine/spore/runtimes/python"
)

// TestGeneratedPython is TestGenerated for Python.
func TestGeneratedPython(t *testing.T) {
	for path, made := range map[string]string{
		"py/tables.py": region(t, "py/tables.py", "# region generated\n", "# endregion generated\n", pythonTables()),
		"gpu.pyi":      pythonDeclarations(),
	} {
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(made), 0o644))
		}
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		if string(got) != made {
			t.Errorf("%s is not what the tables say (go test ./gpu/guest -update rewrites it)", path)
		}
	}
}

// pythonTables returns the tables of py/tables.py.
func pythonTables() string {
	var b strings.Builder
	names, sizes, kinds := []string{`""`}, []string{"0"}, []string{"0"}
	for _, d := range tensor.DTypes() {
		names = append(names, fmt.Sprintf("%q", d.String()))
		sizes = append(sizes, fmt.Sprint(d.Size()))
		kinds = append(kinds, fmt.Sprint(kindsOf(d == tensor.Bool, d.IsInt(), d.IsFloat())))
	}
	fmt.Fprintf(&b, "# By number: names, bytes of an element, and kinds: 1 bool, 2 integer, 4 float.\n_DTYPES = [%s]\n_SIZES = [%s]\n_KINDS = [%s]\n",
		strings.Join(names, ", "), strings.Join(sizes, ", "), strings.Join(kinds, ", "))

	var specs []string // of attributes, each once
	var ops strings.Builder
	for _, op := range tensor.Ops() {
		i := op.Info()
		var attrs strings.Builder
		for _, a := range i.Attrs {
			s := fmt.Sprintf("(%q, %q, %d, %d)", a.Kind.String(), a.Name, a.Min, a.Max)
			at := slices.Index(specs, s)
			if at < 0 {
				at = len(specs)
				specs = append(specs, s)
			}
			fmt.Fprintf(&attrs, "%d, ", at)
		}
		r := i.DTypeRule
		first := r.First
		if r.Result != 0 {
			first = int(r.Result)
		}
		fmt.Fprintf(&ops, "    (%q, %d, %d, %d, %q, %d, %d, %q, (%s)),\n", i.Name, op, i.Arity, i.Results, r.Name, kindsOf(r.Bool, r.Int, r.Float), first, i.ShapeRule, strings.TrimSuffix(attrs.String(), " "))
	}
	fmt.Fprintf(&b, "# Attributes: kind, name, smallest and largest value.\n_ATTRS = [\n    %s,\n]\n", strings.Join(specs, ",\n    "))
	fmt.Fprintf(&b, "# Operations: name, number, inputs, results, rule of types with its kinds and its number, rule of shapes, attributes.\n_TABLE = [\n%s]\n", &ops)

	var creators []string
	for _, f := range guestapi.Funcs() {
		if f.Creates {
			creators = append(creators, fmt.Sprintf("%q", f.Name))
		}
	}
	fmt.Fprintf(&b, "# Functions that are no methods.\n_CREATORS = [%s]\n", strings.Join(creators, ", "))
	// In Python the aliases are what operators are for.
	nearest := maps.Clone(guestapi.Nearest)
	maps.Copy(nearest, guestapi.Aliases)
	var list []string
	for _, k := range slices.Sorted(maps.Keys(nearest)) {
		list = append(list, fmt.Sprintf("%q: %q", k, nearest[k]))
	}
	fmt.Fprintf(&b, "# What there is for names of other libraries.\n_NEAREST = {%s}\n", strings.Join(list, ", "))
	return b.String()
}

var pythonTypes = map[guestapi.Kind]string{
	guestapi.Any: "Arg", guestapi.Data: "Data", guestapi.Several: "Sequence[Arg]", guestapi.Number: "Scalar", guestapi.Shape: "Shape",
	guestapi.Axis: "int", guestapi.Axes: "int | tuple[int, ...]", guestapi.Index: "Index", guestapi.Int: "int", guestapi.Float: "float",
	guestapi.Bool: "Bool", guestapi.Seed: "int", guestapi.DType: "DType",
}

// pythonValue writes a default of guestapi, which is JavaScript's.
func pythonValue(s string) string {
	if v, ok := map[string]string{"null": "None", "true": "True", "false": "False"}[s]; ok {
		return v
	}
	return s
}

// pythonDeclarations returns gpu.pyi.
func pythonDeclarations() string {
	var functions, methods strings.Builder
	for _, f := range guestapi.Funcs() {
		doc := strings.ReplaceAll(strings.ReplaceAll(f.Documentation(), "null", "None"), `\`, `\\`)
		over := ""
		if f.Op == tensor.Constant {
			over = "@overload\n"
		}
		fmt.Fprintf(&functions, "%sdef %s(%s) -> %s:\n    \"\"\"%s\"\"\"\n", over, f.Name, pythonParams(f, false), pythonResult(f), doc)
		if over != "" {
			functions.WriteString("@overload\ndef constant(*, digest: str, dtype: DType, shape: Shape) -> Array:\n    \"\"\"One that the embedder shares, or that was made elsewhere.\"\"\"\n")
		}
		if !f.Creates {
			fmt.Fprintf(&methods, "    def %s(%s) -> %s: ...\n", f.Name, pythonParams(f, true), pythonResult(f))
		}
	}
	var dtypes, names []string
	for _, d := range tensor.DTypes() {
		dtypes = append(dtypes, fmt.Sprintf("%q", d.String()))
		names = append(names, fmt.Sprintf("%s: Final = %[1]q\n", d.String()))
	}
	return filled("gpu.pyi.in", "functions", functions.String(), "methods", methods.String(), "dtypes", strings.Join(dtypes, ", "), "constants", strings.Join(names, ""))
}

func pythonResult(f guestapi.Func) string {
	if f.Returns == guestapi.Both {
		return "tuple[Array, Array]"
	}
	return "Array"
}

// pythonParams returns the parameters of a function, or of the method that it is, too.
func pythonParams(f guestapi.Func, method bool) string {
	var list []string
	for i, p := range f.Params {
		switch {
		case method && i == 0:
			list = append(list, "self")
		default:
			list = append(list, pythonParam(p))
		}
		// What comes first has no name that counts.
		if i == 0 || p.Kind == guestapi.Any && p.Default == "" && i < 3 {
			list = slices.DeleteFunc(list, func(s string) bool { return s == "/" })
			list = append(list, "/")
		}
	}
	if len(f.Options) > 0 {
		list = append(list, "*")
		for _, p := range f.Options {
			list = append(list, pythonParam(p))
		}
	}
	return strings.Join(list, ", ")
}

func pythonParam(p guestapi.Param) string {
	s := p.Name + ": " + pythonTypes[p.Kind]
	if p.Default == "" {
		return s
	}
	if p.Default == "null" || p.Kind == guestapi.Axes {
		s += " | None"
	}
	return s + " = " + pythonValue(p.Default)
}

// TestPrecompiledPython keeps gpu.pyc of the module and of the interpreter as they are. If it is not, all works and is slower.
func TestPrecompiledPython(t *testing.T) {
	source := guest.Sources()["python"]
	if *update {
		// TestGeneratedPython may have written tables that are not embedded yet.
		b, err := os.ReadFile("py/tables.py")
		require.NoError(t, err)
		_, rest, found := strings.Cut(source, "# endregion generated\n")
		require.True(t, found)
		head, _, found := strings.Cut(string(b), "# endregion generated\n")
		require.True(t, found)
		source = head + "# endregion generated\n" + rest
		c, err := shared.Compile(t.Context(), engine.Source{Name: "a.py", Code: []byte("import marshal, zlib\ndef render(p):\n    return zlib.compress(marshal.dumps(compile(p, '<gpu>', 'exec', 0, True)), 9)\n")})
		require.NoError(t, err)
		defer c.Close()
		r, err := c.Render(t.Context(), source, nil)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile("gpu.pyc", python.Precompiled(source, r.Buffers[0]), 0o644))
	}
	b, err := os.ReadFile("gpu.pyc")
	require.NoError(t, err)
	head := python.Precompiled(source, nil)
	require.True(t, len(b) > len(head) && bytes.HasPrefix(b, head), "gpu.pyc is of another source or interpreter (go test ./gpu/guest -update rewrites it)")
}
