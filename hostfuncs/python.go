package hostfuncs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// pythonHead is what module spore has whatever is granted.
const pythonHead = `from typing import Any, Literal, NotRequired, TypedDict, overload

class HostError(Exception):
    code: str
    message: str
    call: int

async def emit(value: Any, /) -> None:
    """Gives one part of a streamed result, and waits until more is wanted."""
def emit_sync(value: Any, /) -> None: ...
def display(*objects: Any, raw: bool = False) -> None:
    """Shows values in a cell, in the richest forms they have."""

`

// Python returns declarations (.pyi) for the functions of s, by which an editor or
// a model knows what spore.call takes and returns. Behind them are those of its modules, each after a
// line "# gpu.pyi" with the name of the file that an editor wants it in.
func (s Set) Python() string {
	p := &pythonTypes{names: map[string]bool{}}
	var calls [2]strings.Builder // overloads of a function stand together
	overload := ""
	var shown []Func
	for f := range s.All() {
		if !s.behind(f.Name, "python") {
			shown = append(shown, f)
		}
	}
	if len(shown) > 1 {
		overload = "@overload\n" // a single one is an error
	}
	for _, f := range shown {
		class := camel(f.Name)
		arg, result := p.of(f.in.root, class+"Argument"), p.of(f.out.root, class+"Result")
		param := ""
		switch {
		case isEmpty(f.in.root):
		case f.in.root == nil || len(f.in.root.Required) == 0:
			param = ", arg: " + arg + " = ..."
		default:
			param = ", arg: " + arg
		}
		for i, def := range []string{"async def call", "def call_sync"} {
			fmt.Fprintf(&calls[i], "%s%s(name: Literal[%q]%s, /) -> %s:%s\n", overload, def, f.Name, param, result, docstring(f.Doc))
		}
	}
	text := pythonHead + p.classes.String() + calls[0].String() + calls[1].String()
	for _, m := range s.modules {
		if typings := m.Typings["python"]; typings != "" {
			text += fmt.Sprintf("\n# %s.pyi\n%s\n", m.Name, strings.TrimSpace(typings))
		}
	}
	return text
}

// pythonTypes collects the classes that types need.
type pythonTypes struct {
	classes strings.Builder
	names   map[string]bool
}

// of returns a type that has the values of s; name is for a class of its own.
func (p *pythonTypes) of(s *jsonschema.Schema, name string) string {
	if s == nil {
		return "Any"
	}
	if len(s.Enum) > 0 {
		return "Literal[" + strings.Join(literals(s.Enum), ", ") + "]"
	}
	var alternatives []string
	for _, t := range types(s) {
		switch t {
		case "string":
			alternatives = append(alternatives, "str")
		case "boolean":
			alternatives = append(alternatives, "bool")
		case "null":
			alternatives = append(alternatives, "None")
		case "integer":
			alternatives = append(alternatives, "int")
		case "number":
			alternatives = append(alternatives, "float")
		case "array":
			alternatives = append(alternatives, "list["+p.of(s.Items, name+"Item")+"]")
		case "object":
			if isBytes(s) {
				alternatives = append(alternatives, "bytes")
			} else {
				alternatives = append(alternatives, p.object(s, name))
			}
		}
	}
	if len(alternatives) == 0 {
		return "Any"
	}
	return strings.Join(alternatives, " | ")
}

func (p *pythonTypes) object(s *jsonschema.Schema, name string) string {
	if len(s.Properties) == 0 {
		if isFalse(s.AdditionalProperties) {
			return "dict[str, Any]"
		}
		return "dict[str, " + p.of(s.AdditionalProperties, name+"Value") + "]"
	}
	for p.names[name] {
		name += "_"
	}
	p.names[name] = true
	// Written as a call, because members need not be names of Python.
	var b strings.Builder
	fmt.Fprintf(&b, "%s = TypedDict(%q, {\n", name, name)
	for _, member := range properties(s) {
		m := s.Properties[member]
		t := p.of(m, name+camel(member))
		if !slices.Contains(s.Required, member) {
			t = "NotRequired[" + t + "]"
		}
		note := ""
		if m.Description != "" {
			note = "  # " + strings.Join(strings.Fields(m.Description), " ")
		}
		fmt.Fprintf(&b, "    %q: %s,%s\n", member, t, note)
	}
	b.WriteString("})\n\n")
	p.classes.WriteString(b.String()) // behind the classes of its members
	return name
}

// docstring returns the body of a declaration.
func docstring(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return " ..."
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), `"`, `\"`)
	return "\n    \"\"\"" + strings.ReplaceAll(text, "\n", "\n    ") + "\"\"\""
}

// camel makes the name of a class: kv.get_all becomes KvGetAll.
func camel(name string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
