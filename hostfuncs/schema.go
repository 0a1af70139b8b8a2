package hostfuncs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"
)

// Schema returns the JSON schemas (draft 2020-12) of f's argument and result. They are nil for a
// Func that [Raw] made. A binary value is an object with the one member $bytes.
func (f Func) Schema() (in, out json.RawMessage) {
	return bytes.Clone(f.in.text), bytes.Clone(f.out.text)
}

// A schema is the schema of a Go type. The zero schema allows everything.
type schema struct {
	text     json.RawMessage
	root     *jsonschema.Schema
	resolved *jsonschema.Resolved
	codec    codec // nil if the type holds nothing binary
}

// schemas are those that were made, by type: capabilities are often made anew for
// each session, and a schema takes longer than all else.
var schemas sync.Map

func schemaFor[T any](name string) schema {
	t := reflect.TypeFor[T]()
	if s, ok := schemas.Load(t); ok {
		return s.(schema)
	}
	s, err := schemaOf(t)
	if err != nil {
		panic(fmt.Sprintf("hostfuncs: %s: %v", name, err))
	}
	schemas.Store(t, s)
	return s
}

func schemaOf(t reflect.Type) (s schema, err error) {
	c := compiler{path: map[reflect.Type]bool{}, binary: map[reflect.Type]bool{}}
	if s.codec, err = c.compile(t); err != nil {
		return s, err
	}
	special := map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[Value]():           {Types: allTypes},
		reflect.TypeFor[json.RawMessage](): {Types: allTypes},
	}
	for b := range c.binary {
		special[b] = bytesSchema()
	}
	if s.root, err = jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: special}); err != nil {
		return s, err
	}
	if s.resolved, err = s.root.Resolve(nil); err != nil {
		return s, err
	}
	s.text, err = json.Marshal(s.root)
	return s, err
}

// allTypes are the types of JSON: together, any value.
var allTypes = []string{"null", "boolean", "number", "string", "array", "object"}

// bytesSchema returns the schema of a reference to a buffer.
func bytesSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Type:                 "object",
		Properties:           map[string]*jsonschema.Schema{bytesKey: {Type: "integer", Minimum: jsonschema.Ptr(0.0)}},
		Required:             []string{bytesKey},
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
	}
}

// isBytes reports whether s is that of a binary value, which may be null besides.
func isBytes(s *jsonschema.Schema) bool { return s.Properties[bytesKey] != nil }

// decode checks arg and decodes it into what v points to.
func (s schema) decode(arg Value, v any) error {
	if len(arg.JSON) == 0 {
		arg.JSON = json.RawMessage("{}")
	}
	if s.codec == nil && len(arg.Buffers) > 0 {
		return errors.New("it takes no binary values")
	}
	if string(arg.JSON) == "{}" && isEmpty(s.root) {
		return json.Unmarshal(arg.JSON, v)
	}
	var plain any
	if err := json.Unmarshal(arg.JSON, &plain); err != nil {
		return err
	}
	// encoding/json merges what is there twice, and only the last of it was in what is validated.
	if members(arg.JSON) != membersOf(plain) {
		return errors.New("an object has two members of the same name")
	}
	if err := s.resolved.Validate(plain); err != nil {
		return err
	}
	if s.codec != nil {
		return decodeValue(s.codec, arg, reflect.ValueOf(v).Elem())
	}
	dec := json.NewDecoder(bytes.NewReader(arg.JSON))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

// members counts the members of all objects in a text, which must be valid JSON.
func members(text []byte) (n int) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ':':
			n++
		case '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		}
	}
	return n
}

// membersOf counts them in what was decoded of it.
func membersOf(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		n = len(v)
		for _, m := range v {
			n += membersOf(m)
		}
	case []any:
		for _, e := range v {
			n += membersOf(e)
		}
	}
	return n
}

// oneLine shortens the text of an error that may repeat all of an argument.
func oneLine(text string) string {
	const most = 500
	more := ""
	if len(text) > most {
		text, more = text[:most], "…"
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ") + more
}

// encode encodes what v points to.
func (s schema) encode(v any) (Value, error) {
	if s.codec != nil {
		return encodeValue(s.codec, reflect.ValueOf(v).Elem())
	}
	b, err := marshal(v)
	return Value{JSON: b}, err
}

// marshal is json.Marshal, but leaves <, > and & as they are. Nobody puts a frame into HTML, and HTML in
// a result would take half as much again, or six times in the worst case.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
