package hostfuncs

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A codec carries values of one type between Go and a [Value], as encoding/json
// does but for binary parts, which travel as buffers. It is made once, by
// [New], and only for types that have such parts: see compile.
//
// What it decodes has been found to be valid JSON that fits the type's schema.
type codec interface {
	decode(d *decoder, v reflect.Value) error // v can be set
	encode(e *encoder, v reflect.Value) error
}

// A decoder reads the argument of one call.
type decoder struct {
	text    []byte
	json    *json.Decoder // of text
	buffers [][]byte
	used    []bool // which buffers have been referred to
}

// An encoder writes the result of one call.
type encoder struct {
	out     []byte
	buffers [][]byte
}

// decodeValue decodes arg into v. Each buffer has to be referred to once, from
// where the type takes one.
func decodeValue(c codec, arg Value, v reflect.Value) error {
	d := &decoder{text: arg.JSON, json: json.NewDecoder(bytes.NewReader(arg.JSON)), buffers: arg.Buffers, used: make([]bool, len(arg.Buffers))}
	d.json.DisallowUnknownFields()
	if err := c.decode(d, v); err != nil {
		return err
	}
	if i := slices.Index(d.used, false); i >= 0 {
		return fmt.Errorf("buffer %d is given where no binary value is taken", i)
	}
	return nil
}

// encodeValue is the inverse of decodeValue.
func encodeValue(c codec, v reflect.Value) (Value, error) {
	var e encoder
	err := c.encode(&e, v)
	return Value{JSON: e.out, Buffers: e.buffers}, err
}

// buffer returns buffer i, the first time.
func (d *decoder) buffer(i int) ([]byte, error) {
	if i < 0 || i >= len(d.buffers) || d.used[i] {
		return nil, fmt.Errorf("bad reference to buffer %d", i)
	}
	d.used[i] = true
	return d.buffers[i], nil
}

// null skips a null, if that is what comes next.
func (d *decoder) null() bool {
	rest := bytes.TrimLeft(d.text[d.json.InputOffset():], " \t\r\n:,")
	if len(rest) == 0 || rest[0] != 'n' {
		return false
	}
	_, _ = d.json.Token()
	return true
}

// open skips what begins an object or an array.
func (d *decoder) open(delim json.Delim) error {
	t, err := d.json.Token()
	if err == nil && t != delim {
		err = fmt.Errorf("%v where %v was expected", t, delim)
	}
	return err
}

// object calls member for each member of an object. Two of the same name are an error, so that
// no buffer is lost with the first.
func (d *decoder) object(member func(name string) error) error {
	if err := d.open('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for d.json.More() {
		t, err := d.json.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		if seen[name] {
			return fmt.Errorf("two members %.100q", name)
		}
		seen[name] = true
		if err := member(name); err != nil {
			return err
		}
	}
	_, err := d.json.Token()
	return err
}

// A compiler makes codecs.
type compiler struct {
	path   map[reflect.Type]bool // types around the one at hand
	binary map[reflect.Type]bool // types that travel as buffers
}

// compile returns the codec of t, or nil if encoding/json will do: t has no binary parts.
func (c *compiler) compile(t reflect.Type) (codec, error) {
	if t == reflect.TypeFor[Value]() {
		return valueCodec{}, nil
	}
	if codesItself(t) {
		return nil, nil
	}
	if c.path[t] {
		return nil, nil // schemaFor refuses cycles
	}
	c.path[t] = true
	defer delete(c.path, t)
	switch t.Kind() {
	case reflect.Pointer:
		return wrap(c, t, func(elem codec) codec { return pointerCodec{elem} })
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 && !codesItself(t.Elem()) {
			c.binary[t] = true
			return bytesCodec{}, nil
		}
		return wrap(c, t, func(elem codec) codec { return sliceCodec{elem} })
	case reflect.Array:
		return wrap(c, t, func(elem codec) codec { return arrayCodec{elem} })
	case reflect.Map:
		if t.Key().Kind() != reflect.String || codesItself(t.Key()) {
			if elem, err := c.compile(t.Elem()); elem != nil || err != nil {
				return nil, fmt.Errorf("%v has binary values, and keys that are no strings", t)
			}
			return nil, nil
		}
		return wrap(c, t, func(elem codec) codec { return mapCodec{elem} })
	case reflect.Struct:
		return c.compileStruct(t)
	}
	return nil, nil
}

// wrap returns the codec of a type that is made of others.
func wrap(c *compiler, t reflect.Type, with func(elem codec) codec) (codec, error) {
	elem, err := c.compile(t.Elem())
	if elem == nil || err != nil {
		return nil, err
	}
	return with(elem), nil
}

// compileStruct returns the codec of a struct. Its members are those of encoding/json; what that
// decides by rules of precedence is an error.
func (c *compiler) compileStruct(t reflect.Type) (codec, error) {
	s := structCodec{members: map[string]int{}}
	binary := false
	var odd error
	for _, f := range reflect.VisibleFields(t) {
		tag, hasTag := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		if f.Anonymous {
			if hasTag || f.Type.Kind() != reflect.Struct {
				odd = fmt.Errorf("%v embeds %v", t, f.Type)
			}
			continue // the fields of f are visible themselves
		}
		if !f.IsExported() || tag == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if name == bytesKey {
			return nil, fmt.Errorf("%v has a member %s, which is reserved", t, bytesKey)
		}
		if _, twice := s.members[name]; twice {
			odd = fmt.Errorf("%v has two members %q", t, name)
		}
		elem, err := c.compile(f.Type)
		if err != nil {
			return nil, err
		}
		binary = binary || elem != nil
		if elem == nil {
			elem = plainCodec{}
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		m := member{codec: elem, index: f.Index, key: string(key) + ":"}
		for _, o := range strings.Split(options, ",") {
			m.omitEmpty = m.omitEmpty || o == "omitempty"
			m.omitZero = m.omitZero || o == "omitzero"
			if o == "string" {
				odd = fmt.Errorf("%v has a number in a string", t)
			}
		}
		s.members[name] = len(s.fields)
		s.fields = append(s.fields, m)
	}
	switch {
	case !binary:
		return nil, nil
	case odd != nil:
		return nil, fmt.Errorf("%w, and binary values", odd)
	}
	return s, nil
}

var codingInterfaces = []reflect.Type{
	reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.Unmarshaler](),
	reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
}

// codesItself reports whether t says how it is encoded.
func codesItself(t reflect.Type) bool {
	return slices.ContainsFunc(codingInterfaces, func(i reflect.Type) bool {
		return t.Implements(i) || reflect.PointerTo(t).Implements(i)
	})
}
