package hostfuncs

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// plainCodec is encoding/json, for parts that have nothing binary in them.
type plainCodec struct{}

func (plainCodec) decode(d *decoder, v reflect.Value) error {
	return d.json.Decode(v.Addr().Interface())
}

func (plainCodec) encode(e *encoder, v reflect.Value) error {
	if v.CanAddr() {
		v = v.Addr() // which may have methods that its value lacks
	}
	b, err := marshal(v.Interface())
	e.out = append(e.out, b...)
	return err
}

// bytesCodec is for []byte. Nil is an empty buffer.
type bytesCodec struct{}

func (bytesCodec) decode(d *decoder, v reflect.Value) error {
	i := -1
	if err := d.object(func(string) error { return d.json.Decode(&i) }); err != nil {
		return err
	}
	b, err := d.buffer(i)
	if err == nil {
		v.SetBytes(b)
	}
	return err
}

func (bytesCodec) encode(e *encoder, v reflect.Value) error {
	e.out = appendReference(e.out, len(e.buffers))
	e.buffers = append(e.buffers, v.Bytes())
	return nil
}

func appendReference(dst []byte, i int) []byte {
	return append(strconv.AppendInt(append(dst, `{"$bytes":`...), int64(i), 10), '}')
}

// valueCodec is for [Value], whose references count its own buffers.
type valueCodec struct{}

func (valueCodec) decode(d *decoder, v reflect.Value) error {
	var text json.RawMessage
	if err := d.json.Decode(&text); err != nil {
		return err
	}
	var out Value
	var err error
	out.JSON, err = renumber(text, func(i int) (int, error) {
		b, err := d.buffer(i)
		out.Buffers = append(out.Buffers, b)
		return len(out.Buffers) - 1, err
	})
	v.Set(reflect.ValueOf(out))
	return err
}

func (valueCodec) encode(e *encoder, v reflect.Value) error {
	in := v.Interface().(Value)
	if len(in.JSON) == 0 {
		in.JSON = json.RawMessage("null")
	}
	if !json.Valid(in.JSON) {
		return errors.New("hostfuncs: a Value is not JSON")
	}
	used := make([]bool, len(in.Buffers))
	text, err := renumber(in.JSON, func(i int) (int, error) {
		if i < 0 || i >= len(used) || used[i] {
			return 0, fmt.Errorf("bad reference to buffer %d", i)
		}
		used[i] = true
		e.buffers = append(e.buffers, in.Buffers[i])
		return len(e.buffers) - 1, nil
	})
	if err == nil && slices.Contains(used, false) {
		err = errors.New("a buffer is not referred to")
	}
	if err != nil {
		return fmt.Errorf("hostfuncs: a Value: %w", err)
	}
	e.out = append(e.out, text...)
	return nil
}

type pointerCodec struct{ elem codec }

func (c pointerCodec) decode(d *decoder, v reflect.Value) error {
	if d.null() {
		v.SetZero()
		return nil
	}
	v.Set(reflect.New(v.Type().Elem()))
	return c.elem.decode(d, v.Elem())
}

func (c pointerCodec) encode(e *encoder, v reflect.Value) error {
	if v.IsNil() {
		e.out = append(e.out, "null"...)
		return nil
	}
	return c.elem.encode(e, v.Elem())
}

type sliceCodec struct{ elem codec }

func (c sliceCodec) decode(d *decoder, v reflect.Value) error {
	if d.null() {
		v.SetZero()
		return nil
	}
	if err := d.open('['); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for n := 0; d.json.More(); n++ {
		v.Grow(1)
		v.SetLen(n + 1)
		if err := c.elem.decode(d, v.Index(n)); err != nil {
			return err
		}
	}
	_, err := d.json.Token()
	return err
}

func (c sliceCodec) encode(e *encoder, v reflect.Value) error {
	if v.IsNil() {
		e.out = append(e.out, "null"...)
		return nil
	}
	return arrayCodec(c).encode(e, v)
}

type arrayCodec struct{ elem codec }

func (c arrayCodec) decode(d *decoder, v reflect.Value) error {
	if err := d.open('['); err != nil {
		return err
	}
	for n := 0; d.json.More(); n++ {
		if n == v.Len() {
			return fmt.Errorf("more than %d elements", n)
		}
		if err := c.elem.decode(d, v.Index(n)); err != nil {
			return err
		}
	}
	_, err := d.json.Token()
	return err
}

func (c arrayCodec) encode(e *encoder, v reflect.Value) error {
	e.out = append(e.out, '[')
	for i := range v.Len() {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		if err := c.elem.encode(e, v.Index(i)); err != nil {
			return err
		}
	}
	e.out = append(e.out, ']')
	return nil
}

// mapCodec is for maps whose keys are strings.
type mapCodec struct{ elem codec }

func (c mapCodec) decode(d *decoder, v reflect.Value) error {
	if d.null() {
		v.SetZero()
		return nil
	}
	t := v.Type()
	v.Set(reflect.MakeMap(t))
	return d.object(func(name string) error {
		elem := reflect.New(t.Elem()).Elem()
		if err := c.elem.decode(d, elem); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), elem)
		return nil
	})
}

func (c mapCodec) encode(e *encoder, v reflect.Value) error {
	if v.IsNil() {
		e.out = append(e.out, "null"...)
		return nil
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	e.out = append(e.out, '{')
	for i, k := range keys {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		key, err := json.Marshal(k.String())
		if err != nil {
			return err
		}
		e.out = append(append(e.out, key...), ':')
		if err := c.elem.encode(e, v.MapIndex(k)); err != nil {
			return err
		}
	}
	e.out = append(e.out, '}')
	return nil
}

// structCodec is for structs. Embedded ones have been dissolved into their fields.
type structCodec struct {
	fields  []member
	members map[string]int // of fields, by their names in JSON
}

type member struct {
	codec
	index     []int  // as reflect has it
	key       string // as it is written in JSON, with the colon
	omitEmpty bool
	omitZero  bool
}

func (c structCodec) decode(d *decoder, v reflect.Value) error {
	return d.object(func(name string) error {
		i, ok := c.members[name]
		if !ok {
			return fmt.Errorf("unknown member %.100q", name)
		}
		return c.fields[i].decode(d, v.FieldByIndex(c.fields[i].index))
	})
}

func (c structCodec) encode(e *encoder, v reflect.Value) error {
	sep := byte('{')
	for _, m := range c.fields {
		f := v.FieldByIndex(m.index)
		if m.omitEmpty && isEmptyValue(f) || m.omitZero && isZeroValue(f) {
			continue
		}
		e.out = append(append(e.out, sep), m.key...)
		sep = ','
		if err := m.encode(e, f); err != nil {
			return err
		}
	}
	if sep == '{' {
		e.out = append(e.out, '{')
	}
	e.out = append(e.out, '}')
	return nil
}

// isEmptyValue is what encoding/json means by omitempty.
func isEmptyValue(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// isZeroValue is what encoding/json means by omitzero.
func isZeroValue(v reflect.Value) bool {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return true
	}
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
		return z.IsZero()
	}
	return v.IsZero()
}
