package hostfuncs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// Bytes is a binary value in a type of [New]. It is another name of []byte, which is
// what guests see as Uint8Array or bytes wherever it stands in a type:
// in structs, slices, maps and behind pointers. It travels beside the JSON, without base64.
//
// What a function gets belongs to it, but is a part of one larger allocation, the whole argument:
// clone a small buffer that is kept for long. What it returns must not change after that.
// A nil one is empty; use *Bytes for one that may be absent.
//
// Types that say themselves how they are encoded, and the contents of
// interfaces, are left to encoding/json.
type Bytes = []byte

// bytesKey is the reserved member that refers to a buffer.
const bytesKey = "$bytes"

// renumber returns a JSON text in which number has been applied to each
// reference to a buffer, in their order. The text must be valid.
func renumber(text json.RawMessage, number func(int) (int, error)) (json.RawMessage, error) {
	if !bytes.Contains(text, []byte(bytesKey)) && !bytes.Contains(text, []byte(`\u00`)) {
		return text, nil // the key can be written in no other way
	}
	r := renumberer{text: text, json: json.NewDecoder(bytes.NewReader(text)), number: number}
	r.json.UseNumber()
	if err := r.value(); err != nil {
		return nil, err
	}
	return append(r.out, text[r.copied:]...), nil
}

type renumberer struct {
	text   []byte
	json   *json.Decoder // of text
	number func(int) (int, error)
	out    []byte
	copied int // how much of text is in out
}

// value goes through one value. Its depth is limited by encoding/json, which
// has found the text to be valid.
func (r *renumberer) value() error {
	t, err := r.json.Token()
	switch t {
	case json.Delim('['):
		for err == nil && r.json.More() {
			err = r.value()
		}
	case json.Delim('{'):
		for first := true; err == nil && r.json.More(); first = false {
			if t, err = r.json.Token(); err != nil {
				return err
			}
			if t != bytesKey {
				err = r.value()
			} else if err = r.reference(); err == nil && (!first || r.json.More()) {
				err = fmt.Errorf("%s has members beside it", bytesKey)
			}
		}
	default:
		return err
	}
	if err == nil {
		_, err = r.json.Token() // the end
	}
	return err
}

// reference replaces the number of a buffer.
func (r *renumberer) reference() error {
	t, err := r.json.Token()
	if err != nil {
		return err
	}
	n, _ := t.(json.Number)
	i, err := strconv.Atoi(string(n))
	if err != nil {
		return fmt.Errorf("%s is no number of a buffer", bytesKey)
	}
	if i, err = r.number(i); err != nil {
		return err
	}
	end := int(r.json.InputOffset())
	r.out = strconv.AppendInt(append(r.out, r.text[r.copied:end-len(n)]...), int64(i), 10)
	r.copied = end
	return nil
}
