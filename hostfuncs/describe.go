package hostfuncs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// TypeScript returns declarations (.d.ts) for the functions of s, by which an
// editor or a model knows what call of the module "spore" takes and returns, and those of its modules.
func (s Set) TypeScript() string {
	var b strings.Builder
	b.WriteString("declare module \"spore\" {\n")
	b.WriteString("  export class HostError extends Error { code: string; }\n")
	comment(&b, "  ", "An aborted signal gives the call up: its promise is rejected with the signal's reason.")
	b.WriteString("  export interface CallOptions { signal?: AbortSignal; }\n")
	comment(&b, "  ", "Hands one part of the result to whoever reads it, an element as HTML, and waits until the next is wanted.")
	b.WriteString("  export function emit(value: any): Promise<void>;\n")
	for f := range s.All() {
		if s.behind(f.Name, "javascript") {
			continue
		}
		arg, result := parameter("argument", typeScript(f.in.root, "  "), f.in.root), typeScript(f.out.root, "  ")
		comment(&b, "  ", f.Doc)
		fmt.Fprintf(&b, "  export function call(name: %q%s, options?: CallOptions): Promise<%s>;\n", f.Name, cmp.Or(arg, ", argument?: undefined"), result)
		comment(&b, "  ", f.Doc)
		fmt.Fprintf(&b, "  export function callSync(name: %q%s): %s;\n", f.Name, arg, result)
	}
	b.WriteString("}\n")
	for _, m := range s.modules {
		if text := m.Typings["javascript"]; text != "" {
			b.WriteString("\n")
			comment(&b, "", m.Doc)
			fmt.Fprintf(&b, "declare module %q {\n%s}\n", m.Name, indented(text, "  "))
		}
	}
	return b.String()
}

// parameter returns ", name: type", without what a function does not take.
func parameter(name, typ string, s *jsonschema.Schema) string {
	switch {
	case isEmpty(s):
		return ""
	case s == nil || len(s.Required) == 0:
		return ", " + name + "?: " + typ
	}
	return ", " + name + ": " + typ
}

// isEmpty reports whether s is the schema of struct{}.
func isEmpty(s *jsonschema.Schema) bool {
	return s != nil && s.Type == "object" && len(s.Properties) == 0 && isFalse(s.AdditionalProperties)
}

// isFalse reports whether s allows nothing.
func isFalse(s *jsonschema.Schema) bool { return s != nil && s.Not != nil }

// typeScript returns a type that has the values of s.
func typeScript(s *jsonschema.Schema, indent string) string {
	if s == nil {
		return "any"
	}
	if len(s.Enum) > 0 {
		return strings.Join(literals(s.Enum), " | ")
	}
	var alternatives []string
	for _, t := range types(s) {
		switch t {
		case "string", "boolean", "null":
			alternatives = append(alternatives, t)
		case "integer", "number":
			alternatives = append(alternatives, "number")
		case "array":
			alternatives = append(alternatives, "Array<"+typeScript(s.Items, indent)+">")
		case "object":
			if isBytes(s) {
				alternatives = append(alternatives, "Uint8Array")
			} else {
				alternatives = append(alternatives, typeScriptObject(s, indent))
			}
		}
	}
	if len(alternatives) == 0 {
		return "any"
	}
	return strings.Join(alternatives, " | ")
}

func typeScriptObject(s *jsonschema.Schema, indent string) string {
	if len(s.Properties) == 0 {
		if isFalse(s.AdditionalProperties) {
			return "{}"
		}
		return "Record<string, " + typeScript(s.AdditionalProperties, indent) + ">"
	}
	var b strings.Builder
	b.WriteString("{\n")
	for _, name := range properties(s) {
		p := s.Properties[name]
		comment(&b, indent+"  ", p.Description)
		optional := "?"
		if slices.Contains(s.Required, name) {
			optional = ""
		}
		fmt.Fprintf(&b, "%s  %s%s: %s;\n", indent, quoted(name), optional, typeScript(p, indent+"  "))
	}
	b.WriteString(indent + "}")
	return b.String()
}

// Describe returns the functions of s as plain text, for a model's prompt, and what its modules are for. Which functions a
// module calls is not in it.
func (s Set) Describe() string {
	var b strings.Builder
	for _, m := range s.modules {
		fmt.Fprintf(&b, "module %s (import it)\n", m.Name)
		for line := range strings.Lines(strings.TrimSpace(m.Doc)) {
			b.WriteString("  " + strings.TrimSpace(line) + "\n")
		}
	}
	for f := range s.All() {
		if s.behind(f.Name, "") {
			continue
		}
		fmt.Fprintf(&b, "%s(%s) returns %s\n", f.Name,
			strings.TrimPrefix(parameter("argument", typeScript(f.in.root, "  "), f.in.root), ", "), typeScript(f.out.root, "  "))
		for line := range strings.Lines(strings.TrimSpace(f.Doc)) {
			b.WriteString("  " + strings.TrimSpace(line) + "\n")
		}
	}
	return b.String()
}

// comment writes a documentation comment, which its text cannot end.
func comment(b *strings.Builder, indent, text string) {
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	text = strings.ReplaceAll(text, "*/", "*\u2215")
	fmt.Fprintf(b, "%s/** %s */\n", indent, strings.ReplaceAll(text, "\n", "\n"+indent+" * "))
}

// quoted returns the name of a member, in quotes unless it is a plain word.
func quoted(name string) string {
	if isIdentifier(name) {
		return name
	}
	b, _ := json.Marshal(name) // strings always marshal
	return string(b)
}

func isIdentifier(name string) bool {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// types returns the JSON types that s allows, none for all.
func types(s *jsonschema.Schema) []string {
	switch {
	case s.Type != "":
		return []string{s.Type}
	case len(s.Types) == len(allTypes):
		return nil
	}
	return s.Types
}

// properties returns the names of s's members in their order.
func properties(s *jsonschema.Schema) []string {
	names := slices.Sorted(maps.Keys(s.Properties))
	at := map[string]int{}
	for i, n := range s.PropertyOrder {
		at[n] = i + 1
	}
	slices.SortStableFunc(names, func(a, b string) int { return at[a] - at[b] })
	return names
}

// literals returns the values of an enumeration as they are written in JSON.
func literals(values []any) []string {
	var out []string
	for _, v := range values {
		b, _ := json.Marshal(v) // what came from a schema marshals
		out = append(out, string(b))
	}
	return out
}
