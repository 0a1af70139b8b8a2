package hostfuncs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
)

type digest []byte

type inner struct {
	Sum digest `json:"sum,omitempty"`
}

type word string

// everything has binary values wherever a type can have them.
type everything struct {
	inner
	Plain   []byte                     `json:"plain"`
	Named   hostfuncs.Bytes            `json:"named" jsonschema:"an image"`
	Pointer *hostfuncs.Bytes           `json:"pointer,omitempty"`
	List    [][]byte                   `json:"list,omitempty"`
	Pair    [2]hostfuncs.Bytes         `json:"pair,omitzero"`
	Map     map[word]hostfuncs.Bytes   `json:"map,omitempty"`
	Deep    map[string][]*inner        `json:"deep,omitempty"`
	Value   hostfuncs.Value            `json:"value,omitzero"`
	Maybe   *hostfuncs.Value           `json:"maybe,omitempty"`
	Raw     json.RawMessage            `json:"raw,omitempty"`
	Number  int                        `json:"n,omitempty"`
	At      time.Time                  `json:"at,omitzero"`
	Ignored func()                     `json:"-"`
	NoTag   string                     // by its own name
	Any     any                        `json:"any,omitempty"`
	Address net.IP                     `json:"-"`
	Odd     map[string]json.RawMessage `json:"odd <name>,omitempty"`
}

// echo returns what it gets, decoded and encoded.
func echo() hostfuncs.Func {
	return hostfuncs.New("a.echo", "", func(_ context.Context, e everything) (everything, error) { return e, nil })
}

func buffers(b ...string) (out [][]byte) {
	for _, s := range b {
		out = append(out, []byte(s))
	}
	return out
}

func TestBinaryValues(t *testing.T) {
	arg := hostfuncs.Value{Buffers: buffers("plain", "named", "p", "l0", "", "v1", "v0", "m", "d", "sum", "p0", "p1"), JSON: json.RawMessage(`{
		"plain": {"$bytes": 0}, "named": {"$bytes":1}, "pointer": {"\u0024bytes": 2}, "list": [{"$bytes":3},{"$bytes":4}],
		"value": [{"x":{"$bytes":6}}, null, "$bytes", {"$bytes":5}], "maybe": "m", "map": {"k<": {"$bytes":7}},
		"deep": {"a": [null, {"sum":{"$bytes":8}}, {}], "b": null}, "sum": {"$bytes":9}, "raw": {"x": 1.50},
		"pair": [{"$bytes":10},{"$bytes":11}], "n": 3, "at": "2026-11-25T00:00:00Z", "NoTag": "é", "any": [1], "odd <name>": {"r": null}}`)}
	var got everything
	f := hostfuncs.New("a.keep", "", func(_ context.Context, e everything) (everything, error) {
		got = e
		return e, nil
	})
	v, err := f.Call(context.Background(), arg)
	require.NoError(t, err)
	p := hostfuncs.Bytes("p")
	assert.Equal(t, everything{
		inner: inner{digest("sum")}, Plain: []byte("plain"), Named: []byte("named"), Pointer: &p,
		List: buffers("l0", ""), Pair: [2]hostfuncs.Bytes{[]byte("p0"), []byte("p1")},
		Map: map[word]hostfuncs.Bytes{"k<": []byte("m")}, Deep: map[string][]*inner{"a": {nil, {digest("d")}, {}}, "b": nil},
		Value:  hostfuncs.Value{JSON: json.RawMessage(`[{"x":{"$bytes":0}}, null, "$bytes", {"$bytes":1}]`), Buffers: buffers("v0", "v1")},
		Maybe:  &hostfuncs.Value{JSON: json.RawMessage(`"m"`)},
		Raw:    json.RawMessage(`{"x": 1.50}`),
		Number: 3, At: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), NoTag: "é", Any: []any{1.0},
		Odd: map[string]json.RawMessage{"r": json.RawMessage("null")},
	}, got)
	assert.Equal(t, buffers("sum", "plain", "named", "p", "l0", "", "p0", "p1", "m", "d", "v0", "v1"), v.Buffers)
	assert.Equal(t, `{"sum":{"$bytes":0},"plain":{"$bytes":1},"named":{"$bytes":2},"pointer":{"$bytes":3},"list":[{"$bytes":4},{"$bytes":5}],`+
		`"pair":[{"$bytes":6},{"$bytes":7}],"map":{"k\u003c":{"$bytes":8}},"deep":{"a":[null,{"sum":{"$bytes":9}},{}],"b":null},`+
		`"value":[{"x":{"$bytes":10}}, null, "$bytes", {"$bytes":11}],"maybe":"m","raw":{"x":1.50},"n":3,"at":"2026-11-25T00:00:00Z",`+
		`"NoTag":"é","any":[1],"odd \u003cname\u003e":{"r":null}}`, string(v.JSON))

	// What is nil or empty.
	v, err = echo().Call(context.Background(), hostfuncs.Value{JSON: json.RawMessage(`{"plain":{"$bytes":1},"named":{"$bytes":0},"NoTag":"","pointer":null,"list":null}`), Buffers: buffers("", "x")})
	require.NoError(t, err)
	assert.Equal(t, `{"plain":{"$bytes":0},"named":{"$bytes":1},"NoTag":""}`, string(v.JSON))
	nothing := hostfuncs.New("a.nothing", "", func(context.Context, none) (struct {
		B hostfuncs.Bytes
		P *hostfuncs.Bytes
		L []hostfuncs.Bytes
		M map[string]hostfuncs.Bytes
		V hostfuncs.Value
		S struct {
			B hostfuncs.Bytes `json:",omitempty"`
		}
	}, error) {
		return struct {
			B hostfuncs.Bytes
			P *hostfuncs.Bytes
			L []hostfuncs.Bytes
			M map[string]hostfuncs.Bytes
			V hostfuncs.Value
			S struct {
				B hostfuncs.Bytes `json:",omitempty"`
			}
		}{}, nil
	})
	v, err = nothing.Call(context.Background(), hostfuncs.Value{})
	require.NoError(t, err)
	assert.Equal(t, `{"B":{"$bytes":0},"P":null,"L":null,"M":null,"V":null,"S":{}}`, string(v.JSON))
	assert.Len(t, v.Buffers, 1)
}

// Where a type has no other member, it may be the binary value or any value.
func TestBinaryValuesAlone(t *testing.T) {
	reverse := hostfuncs.New("a.reverse", "", func(_ context.Context, b hostfuncs.Bytes) (hostfuncs.Bytes, error) {
		out := bytes.Clone(b)
		reflect.Swapper(out)(0, len(out)-1)
		return out, nil
	})
	v, err := reverse.Call(context.Background(), hostfuncs.Value{JSON: json.RawMessage(` {"$bytes":0}`), Buffers: buffers("abc")})
	require.NoError(t, err)
	assert.Equal(t, hostfuncs.Value{JSON: json.RawMessage(`{"$bytes":0}`), Buffers: buffers("cba")}, v)

	id := hostfuncs.New("a.id", "", func(_ context.Context, v hostfuncs.Value) (hostfuncs.Value, error) { return v, nil })
	in := hostfuncs.Value{JSON: json.RawMessage(`[1,{"$bytes":0}]`), Buffers: buffers("abc")}
	v, err = id.Call(context.Background(), in)
	require.NoError(t, err)
	assert.Equal(t, in, v)
}

func TestBinaryValuesAreDecodedStrictly(t *testing.T) {
	f := echo()
	const rest = `,"named":{"$bytes":1},"NoTag":""}`
	for name, c := range map[string]struct {
		arg string
		n   int
	}{
		"too few buffers":       {`{"plain":{"$bytes":0}` + rest, 1},
		"one twice":             {`{"plain":{"$bytes":1}` + rest, 2},
		"one not at all":        {`{"plain":{"$bytes":0}` + rest, 3},
		"negative":              {`{"plain":{"$bytes":-1}` + rest, 2},
		"not an integer":        {`{"plain":{"$bytes":0.5}` + rest, 2},
		"an integer as 0.0":     {`{"plain":{"$bytes":0.0}` + rest, 2},
		"beyond int":            {`{"plain":{"$bytes":1e99}` + rest, 2},
		"no number":             {`{"plain":{"$bytes":"0"}` + rest, 2},
		"another member":        {`{"plain":{"$bytes":0,"x":1}` + rest, 2},
		"twice the key":         {`{"plain":{"$bytes":0,"$bytes":0}` + rest, 2},
		"a string":              {`{"plain":"YQ=="` + rest, 1},
		"an array":              {`{"plain":[1,2]` + rest, 1},
		"null":                  {`{"plain":null` + rest, 1},
		"unknown member":        {`{"plain":{"$bytes":0},"x":1` + rest, 2},
		"unknown inside":        {`{"plain":{"$bytes":0},"deep":{"a":[{"x":{"$bytes":2}}]}` + rest, 3},
		"name of another case":  {`{"Plain":{"$bytes":0}` + rest, 2},
		"member twice":          {`{"plain":{"$bytes":0},"plain":{"$bytes":2}` + rest, 3},
		"where any goes":        {`{"plain":{"$bytes":0},"any":{"$bytes":2}` + rest, 3},
		"in raw JSON":           {`{"plain":{"$bytes":0},"raw":{"$bytes":2}` + rest, 3},
		"in a value, beside":    {`{"plain":{"$bytes":0},"value":{"$bytes":2,"a":1}` + rest, 3},
		"in a value, behind":    {`{"plain":{"$bytes":0},"value":{"a":1,"$bytes":2}` + rest, 3},
		"in a value, no number": {`{"plain":{"$bytes":0},"value":{"$bytes":{"$bytes":2}}` + rest, 3},
		"in a value, twice":     {`{"plain":{"$bytes":0},"value":[{"$bytes":2},{"$bytes":2}]` + rest, 3},
		"an array too long":     {`{"plain":{"$bytes":0},"pair":[{"$bytes":2},{"$bytes":3},{"$bytes":4}]` + rest, 5},
	} {
		v, err := f.Call(context.Background(), hostfuncs.Value{JSON: json.RawMessage(c.arg), Buffers: make([][]byte, c.n)})
		e, ok := errors.AsType[*hostfuncs.Error](err)
		if assert.True(t, ok, "%s: %s, %v", name, v.JSON, err) {
			assert.Equal(t, hostfuncs.CodeInvalid, e.Code, name)
		}
	}
	_, err := weather().Call(context.Background(), hostfuncs.Value{JSON: json.RawMessage(`{"city":"a"}`), Buffers: buffers("x")})
	assert.ErrorContains(t, err, "takes no binary values")
}

func TestNewRefusesBinaryTypesThatItCannotCarry(t *testing.T) {
	type B = hostfuncs.Bytes
	type cyclic struct {
		B    B
		Next *cyclic
	}
	for name, make := range map[string]func(){
		"keys":         func() { newFor[map[int]B]() },
		"keys of text": func() { newFor[map[textKey]B]() },
		"twice": func() {
			newFor[struct {
				inner
				Other B `json:"sum"`
			}]()
		},
		"in a string": func() {
			newFor[struct {
				B B
				N int `json:",string"`
			}]()
		},
		"embedded by name": func() {
			newFor[struct {
				B     B
				inner `json:"inner"`
			}]()
		},
		"embedded pointer": func() {
			newFor[struct {
				B B
				*inner
			}]()
		},
		"reserved": func() {
			newFor[struct {
				N int `json:"$bytes"`
			}]()
		},
		"cycle": func() { newFor[cyclic]() },
	} {
		assert.Panics(t, make, name)
	}
	// Without binary values all this is left to encoding/json.
	assert.NotPanics(t, func() { newFor[map[textKey]int]() })
}

type textKey string

func (textKey) MarshalText() ([]byte, error) { return nil, nil }

func newFor[T any]() hostfuncs.Func {
	return hostfuncs.New("a", "", func(context.Context, T) (T, error) { panic("not called") })
}

func TestReturnedValuesAreChecked(t *testing.T) {
	for name, v := range map[string]hostfuncs.Value{
		"not JSON":          {JSON: json.RawMessage(`1,"admin":true`)},
		"a buffer too many": {JSON: json.RawMessage(`1`), Buffers: buffers("x")},
		"none, and a buffer": {
			Buffers: buffers("x")},
		"one twice":   {JSON: json.RawMessage(`[{"$bytes":0},{"$bytes":0}]`), Buffers: buffers("x")},
		"beyond":      {JSON: json.RawMessage(`[{"$bytes":1}]`), Buffers: buffers("x")},
		"beside":      {JSON: json.RawMessage(`{"$bytes":0,"a":1}`), Buffers: buffers("x")},
		"not a index": {JSON: json.RawMessage(`{"$bytes":true}`)},
	} {
		f := hostfuncs.New("a", "", func(context.Context, none) (struct{ V hostfuncs.Value }, error) {
			return struct{ V hostfuncs.Value }{v}, nil
		})
		_, err := f.Call(context.Background(), hostfuncs.Value{})
		require.Error(t, err, name)
		assert.Equal(t, hostfuncs.CodeInternal, code(err), name)
	}
}

// FuzzBytes decodes a value with buffers and encodes it. What is accepted stays the same when
// that is done again.
func FuzzBytes(f *testing.F) {
	for _, arg := range []string{
		`{"plain":{"$bytes":0},"named":{"$bytes":1},"NoTag":""}`,
		`{"plain":{"$bytes":1},"named":{"$bytes":0},"NoTag":"","value":[{"$bytes":2}]}`,
		`{"plain":{"$bytes":1},"named":{"$bytes":0},"NoTag":"","deep":{"":[null,{"sum":{"\u0024bytes":2}}]},"pair":[{"$bytes":3},{"$bytes":4}]}`,
		`{"plain":{"$bytes":0},"named":{"$bytes":1},"NoTag":"","maybe":null,"raw":{"$bytes":2},"any":{"$bytes":3}}`,
		`{"plain":{"$bytes":00},"named":{"$bytes":-1}}`, `{"$bytes":0}`, `null`, ``,
	} {
		f.Add(arg, uint8(2))
		f.Add(arg, uint8(5))
	}
	fn := echo()
	f.Fuzz(func(t *testing.T, arg string, n uint8) {
		in := hostfuncs.Value{JSON: json.RawMessage(arg)}
		for i := range n {
			in.Buffers = append(in.Buffers, []byte{i})
		}
		once, err := fn.Call(context.Background(), in)
		if err != nil {
			if e, ok := errors.AsType[*hostfuncs.Error](err); !ok || e.Code != hostfuncs.CodeInvalid {
				t.Fatalf("%q: %v", arg, err)
			}
			return
		}
		if !json.Valid(once.JSON) || len(once.Buffers) > len(in.Buffers)+2 {
			t.Fatalf("%q: %s with %d buffers", arg, once.JSON, len(once.Buffers))
		}
		twice, err := fn.Call(context.Background(), once)
		if err != nil || fmt.Sprint(twice) != fmt.Sprint(once) {
			t.Fatalf("%q: %s, then %s, %v", arg, once.JSON, twice.JSON, err)
		}
	})
}

// TestResultsAreNotEscaped has HTML in results with and without binary parts, which must not grow.
func TestResultsAreNotEscaped(t *testing.T) {
	const html = `<a href="&">`
	plain := hostfuncs.New("a.plain", "", func(context.Context, none) (string, error) { return html, nil })
	binary := hostfuncs.New("a.binary", "", func(context.Context, none) (out struct {
		S string            `json:"s"`
		M map[string]string `json:"m"`
		B hostfuncs.Bytes   `json:"b"`
	}, err error) {
		out.S, out.M = html, map[string]string{"<": ">"}
		return out, nil
	})
	got, err := call(plain, "")
	require.NoError(t, err)
	assert.Equal(t, `"<a href=\"&\">"`, got)
	got, err = call(binary, "")
	require.NoError(t, err)
	assert.Equal(t, `{"s":"<a href=\"&\">","m":{"<":">"},"b":{"$bytes":0}}`, got)
}
