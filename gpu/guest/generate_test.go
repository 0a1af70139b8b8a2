package guest_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/internal/guestapi"
	"github.com/sporeengine/spore/gpu/tensor"
)

var update = flag.Bool("update", false, "write what is generated")

// TestGenerated keeps what is made from the tables as they are.
func TestGenerated(t *testing.T) {
	for path, made := range map[string]string{
		"js/tables.js": tables(),
		"gpu.d.ts":     declarations(),
		"README.md":    page(),
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

// region returns a file with what is between two lines replaced.
func region(t *testing.T, path, begin, end, text string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	head, rest, found := strings.Cut(string(b), begin)
	require.True(t, found, begin)
	_, tail, found := strings.Cut(rest, end)
	require.True(t, found, end)
	return head + begin + text + end + tail
}

// tables returns js/tables.js.
func tables() string {
	var b strings.Builder
	names, sizes, kinds := []string{"''"}, []string{"0"}, []string{"0"}
	for _, d := range tensor.DTypes() {
		names = append(names, fmt.Sprintf("'%s'", d))
		sizes = append(sizes, fmt.Sprint(d.Size()))
		kinds = append(kinds, fmt.Sprint(kindsOf(d == tensor.Bool, d.IsInt(), d.IsFloat())))
	}
	b.WriteString("// The tables of operations. Made by go test ./gpu/guest -update.\n")
	fmt.Fprintf(&b, "// By number: names, bytes of an element, and kinds: 1 bool, 2 integer, 4 float.\nconst DTYPES = [%s];\nconst SIZES = [%s];\nconst KINDS = [%s];\n",
		strings.Join(names, ", "), strings.Join(sizes, ", "), strings.Join(kinds, ", "))

	var specs []string // of attributes, each once
	var ops strings.Builder
	for _, op := range tensor.Ops() {
		i := op.Info()
		var attrs []string
		for _, a := range i.Attrs {
			s := fmt.Sprintf("['%s', '%s', %d, %d]", a.Kind, a.Name, a.Min, a.Max)
			at := slices.Index(specs, s)
			if at < 0 {
				at = len(specs)
				specs = append(specs, s)
			}
			attrs = append(attrs, fmt.Sprint(at))
		}
		r := i.DTypeRule
		first := r.First
		if r.Result != 0 {
			first = int(r.Result)
		}
		fmt.Fprintf(&ops, "  ['%s', %d, %d, %d, '%s', %d, %d, '%s', [%s]],\n", i.Name, op, i.Arity, i.Results, r.Name, kindsOf(r.Bool, r.Int, r.Float), first, i.ShapeRule, strings.Join(attrs, ", "))
	}
	fmt.Fprintf(&b, "// Attributes: kind, name, smallest and largest value.\nconst ATTRS = [\n  %s,\n];\n", strings.Join(specs, ",\n  "))
	fmt.Fprintf(&b, "// Operations: name, number, inputs, results, rule of types with its kinds and its number, rule of shapes, attributes.\nconst OPS = {};\nfor (const [name, number, arity, results, types, kinds, first, shape, attrs] of [\n%s]) OPS[name] = { name, number, arity, results, types, kinds, first, shape, attrs: attrs.map((i) => ATTRS[i]) };\n", &ops)

	var creators []string
	for _, f := range guestapi.Funcs() {
		if f.Creates {
			creators = append(creators, fmt.Sprintf("'%s'", f.Name))
		}
	}
	fmt.Fprintf(&b, "// Functions that are no methods.\nconst CREATORS = [%s];\n", strings.Join(creators, ", "))
	fmt.Fprintf(&b, "const ALIASES = {%s };\n", pairs(guestapi.Aliases))
	fmt.Fprintf(&b, "// What there is for names of other libraries.\nconst NEAREST = {%s };\n", pairs(guestapi.Nearest))
	return b.String()
}

func kindsOf(bools, ints, floats bool) (k int) {
	for i, has := range []bool{bools, ints, floats} {
		if has {
			k |= 1 << i
		}
	}
	return k
}

func pairs(m map[string]string) string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, fmt.Sprintf(" %s: '%s'", k, m[k]))
	}
	return strings.Join(list, ",")
}

var typeScript = map[guestapi.Kind]string{
	guestapi.Any: "Arg", guestapi.Data: "Data", guestapi.Several: "Arg[]", guestapi.Number: "Scalar", guestapi.Shape: "number | number[]",
	guestapi.Axis: "number", guestapi.Axes: "number | number[]", guestapi.Index: "Index", guestapi.Int: "number", guestapi.Float: "number",
	guestapi.Bool: "boolean", guestapi.Seed: "number | bigint", guestapi.DType: "DType",
}

// filled returns a template with what it names in double braces.
func filled(path string, values ...string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(values); i += 2 {
		values[i] = "{{" + values[i] + "}}"
	}
	return strings.NewReplacer(values...).Replace(string(b))
}

// page returns README.md.
func page() string {
	var b strings.Builder
	group := tensor.Group("")
	for _, f := range guestapi.Funcs() {
		i := f.Op.Info()
		if i.Group != group {
			group = i.Group
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			fmt.Fprintf(&b, "### %s%s\n\n| | |\n|---|---|\n", strings.ToUpper(string(group[:1])), group[1:])
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", signature(f), f.Documentation())
	}
	b.WriteByte('\n')
	var names, dtypes []string
	for _, alias := range slices.Sorted(maps.Keys(guestapi.Aliases)) {
		names = append(names, fmt.Sprintf("`%s` (%s)", alias, guestapi.Aliases[alias]))
	}
	for _, d := range tensor.DTypes() {
		dtypes = append(dtypes, d.String())
	}
	return filled("README.md.in", "functions", b.String(), "aliases", strings.Join(names, ", "), "dtypes", strings.Join(dtypes, ", "), "count", fmt.Sprint(len(tensor.Ops())),
		"nodes", fmt.Sprint(tensor.DefaultNodes), "rank", fmt.Sprint(tensor.DefaultRank), "elements", fmt.Sprint(tensor.DefaultElements), "memory", fmt.Sprint(tensor.DefaultPeak>>20))
}

// signature returns how f is called, in the manner of Python.
func signature(f guestapi.Func) string {
	var list []string
	for _, p := range f.Params {
		s := p.Name
		if p.Default != "" {
			s += "=" + p.Default
		}
		list = append(list, s)
	}
	if len(f.Options) > 0 {
		list = append(list, "*")
	}
	for _, p := range f.Options {
		list = append(list, p.Name+"="+p.Default)
	}
	s := f.Name + "(" + strings.Join(list, ", ") + ")"
	if f.Returns == guestapi.Both {
		s += " → [elements, indices]"
	}
	return s
}

// declarations returns gpu.d.ts.
func declarations() string {
	var functions, aliases strings.Builder
	var methods []string
	for _, f := range guestapi.Funcs() {
		functions.WriteString(declared(f))
		if !f.Creates {
			methods = append(methods, fmt.Sprintf("'%s'", f.Name))
		}
	}
	for _, alias := range slices.Sorted(maps.Keys(guestapi.Aliases)) {
		fmt.Fprintf(&aliases, "  %s: Method<(typeof gpu)['%s']>;\n", alias, guestapi.Aliases[alias])
	}
	var dtypes, names []string
	for _, d := range tensor.DTypes() {
		dtypes = append(dtypes, fmt.Sprintf("'%s'", d))
		names = append(names, fmt.Sprintf("export const %s: '%[1]s';\n", d))
	}
	return filled("gpu.d.ts.in", "functions", functions.String(), "methods", strings.Join(methods, " | "), "aliases", aliases.String(),
		"dtypes", strings.Join(dtypes, " | "), "constants", strings.Join(names, ""))
}

// declared returns the declaration of a function with its documentation.
func declared(f guestapi.Func) string {
	doc := f.Documentation()
	var list []string
	for _, p := range f.Params {
		s := p.Name + ": " + typeScript[p.Kind]
		if p.Default != "" {
			s = p.Name + "?: " + typeScript[p.Kind] + " | null"
		}
		list = append(list, s)
	}
	if len(f.Options) > 0 {
		var opts, short []string
		for _, p := range f.Options {
			s := p.Name + "?: " + typeScript[p.Kind]
			if p.Kind == guestapi.Axes || p.Default == "null" {
				s += " | null"
			}
			opts = append(opts, s)
			switch {
			case p.Kind == guestapi.Axis || p.Kind == guestapi.Axes || p.Kind == guestapi.DType:
				short = append(short, typeScript[p.Kind]+" | ")
			}
			if p.Default != "null" {
				doc += fmt.Sprintf("; %s is %s if not given", p.Name, p.Default)
			}
		}
		list = append(list, fmt.Sprintf("options?: %s{ %s }", strings.Join(short, ""), strings.Join(opts, "; ")))
	}
	result := "GpuArray"
	if f.Returns == guestapi.Both {
		result = "[GpuArray, GpuArray]"
	}
	if f.Name == "var" { // which no function can be called in TypeScript
		return fmt.Sprintf("/** %s */\nfunction var_(%s): %s;\nexport { var_ as var };\n", doc, strings.Join(list, ", "), result)
	}
	return fmt.Sprintf("/** %s */\nexport function %s(%s): %s;\n", doc, f.Name, strings.Join(list, ", "), result)
}
