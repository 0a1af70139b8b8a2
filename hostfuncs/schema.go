package hostfuncs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"
)

// Schema returns the JSON schemas (draft 2020-12) of f's argument and result. They are nil for a
// Func that [Raw] made. A binary value is an object with the one member $bytes.
func (f Func) Schema() (in, out json.RawMessage) { return f.in.text, f.out.text }

// A schema is the schema of a Go type. The zero schema allows everything.
type schema struct {
	text     json.RawMessage
	root     *jsonschema.Schema
	resolved *jsonschema.Resolved
	codec    codec // nil if the type holds nothing binary
}

func schemaFor[T any](name string) schema {
	s, err := schemaOf(reflect.TypeFor[T]())
	if err != nil {
		panic(fmt.Sprintf("hostfuncs: %s: %v", name, err))
	}
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

// encode encodes what v points to.
func (s schema) encode(v any) (Value, error) {
	if s.codec != nil {
		return encodeValue(s.codec, reflect.ValueOf(v).Elem())
	}
	b, err := json.Marshal(v)
	return Value{JSON: b}, err
}
