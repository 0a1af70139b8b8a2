package tensor_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/gpu/tensor"
)

var update = flag.Bool("update", false, "write OPS.md")

// TestDocs keeps OPS.md as the table is. The numbers of operations are in it, so a
// change of one, which would break all programs there are, shows.
func TestDocs(t *testing.T) {
	const path = "../OPS.md"
	want := docs()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	if string(got) != want {
		t.Errorf("%s is not what the table says (go test ./gpu/tensor -update rewrites it)", path)
	}
}

func docs() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Operations

Made from the table in tensor/table.go by its tests. There are %d operations. Names are those of the Python array API
standard (2024.12) where it has the operation. How programs are encoded: [FORMAT.md](FORMAT.md).

Types of elements, by number: %s.
Types are promoted inside of their kind (bool; integers; floats) to the larger one, float16 and bfloat16 to float32;
kinds do not mix. Shapes broadcast as in the standard. Attributes have the value in brackets if the Go builder is not
told another one; an encoded program has all of them.

*Accuracy* is how far a backend may be from the exact result of its (rounded) inputs. The CPU backend is closer.
NaN comes out where it goes in, which of its bits is open.
`, len(tensor.Ops()), strings.Join(dtypeList(), ", "))
	group := tensor.Group("")
	for _, op := range tensor.Ops() {
		i := op.Info()
		if i.Group != group {
			group = i.Group
			fmt.Fprintf(&b, "\n## %s%s\n\n| | operation | types | shape | work | accuracy | |\n|---|---|---|---|---|---|---|\n", strings.ToUpper(string(group[:1])), group[1:])
		}
		arity := fmt.Sprint(i.Arity)
		if i.Arity < 0 {
			arity = "n"
		}
		name := fmt.Sprintf("`%s`/%s", i.Name, arity)
		if i.Results == 2 {
			name += ", two results"
		}
		doc := i.Doc
		for _, a := range i.Attrs {
			doc += fmt.Sprintf("<br>`%s`: %s, %s", a.Name, a.Kind, a.Doc)
			if a.Default != nil {
				doc += fmt.Sprintf(" (%v)", a.Default)
			}
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s | %s |\n", op, name, i.DTypes, i.Shapes, i.Work, i.Accuracy, doc)
	}
	return b.String()
}

func dtypeList() []string {
	var list []string
	for _, d := range tensor.DTypes() {
		list = append(list, fmt.Sprintf("%d %s", d, d))
	}
	return list
}

// TestTable holds what every row of the table has to have.
func TestTable(t *testing.T) {
	names := map[string]bool{}
	require.Len(t, tensor.Ops(), 72)
	for _, op := range tensor.Ops() {
		i := op.Info()
		for _, s := range []string{i.Name, string(i.Group), i.Doc, i.DTypes, i.Shapes, i.Work, i.Accuracy, i.DTypeRule.Name, i.ShapeRule} {
			require.NotEmpty(t, s, "%+v", i)
		}
		require.False(t, names[i.Name], "two of %s", i.Name)
		names[i.Name] = true
		for _, a := range i.Attrs {
			require.NotEmpty(t, a.Name)
			require.NotEmpty(t, a.Doc)
			require.NotZero(t, a.Kind)
			require.LessOrEqual(t, a.Min, a.Max)
		}
	}
	require.False(t, tensor.Op(0).Valid())
	require.False(t, tensor.Op(73).Valid())
	require.Equal(t, "op(73)", tensor.Op(73).String())
}
