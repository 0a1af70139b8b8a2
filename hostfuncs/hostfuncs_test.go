package hostfuncs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
)

type none = struct{}

type query struct {
	City string            `json:"city" jsonschema:"where, as people write it"`
	Days int               `json:"days,omitempty"`
	Tags []string          `json:"tags,omitempty"`
	Near *place            `json:"near,omitempty"`
	Opt  map[string]string `json:"opt-s,omitempty"`
}

type place struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

type forecast struct {
	High []float64 `json:"high"`
	Rain bool      `json:"rain"`
}

func weather() hostfuncs.Func {
	return hostfuncs.New("weather.today", "The weather in a city.\nToday, or for some days.", func(_ context.Context, q query) (forecast, error) {
		return forecast{High: []float64{float64(len(q.City)), float64(q.Days)}}, nil
	})
}

func call(f hostfuncs.Func, arg string) (string, error) {
	v, err := f.Call(context.Background(), hostfuncs.Value{JSON: json.RawMessage(arg)})
	return string(v.JSON), err
}

func TestNewDecodesStrictly(t *testing.T) {
	f := weather()
	for arg, want := range map[string]string{
		`{"city":"Oslo","days":3}`:                       `{"high":[4,3],"rain":false}`,
		`{"city":"Oslo","near":{"lat":1,"lon":2}}`:       `{"high":[4,0],"rain":false}`,
		`{"city":"","tags":[],"opt-s":{"a":"b"}}`:        `{"high":[0,0],"rain":false}`,
		`{"city":"x","days":2,"tags":["a"],"near":null}`: `{"high":[1,2],"rain":false}`,
	} {
		got, err := call(f, arg)
		if assert.NoError(t, err, arg) {
			assert.JSONEq(t, want, got, arg)
		}
	}
	for arg, says := range map[string]string{
		``:                              "city",
		`{}`:                            "city",
		`{"City":"Oslo"}`:               "City",
		`{"city":5}`:                    "city",
		`{"city":"a","days":"3"}`:       "days",
		`{"city":"a","days":1e30}`:      "",
		`{"city":"a","near":{"lat":1}}`: "lon",
		`{"city":"a","tags":[1]}`:       "tags",
		`{"city":"a"} {}`:               "",
		`null`:                          "",
		`[`:                             "",
		`{"city":"a","__proto__":{}}`:   "__proto__",
	} {
		_, err := call(f, arg)
		e, ok := errors.AsType[*hostfuncs.Error](err)
		if assert.True(t, ok, "%s: %v", arg, err) {
			assert.Equal(t, hostfuncs.CodeInvalid, e.Code, arg)
			assert.Contains(t, e.Message, says, arg)
			assert.True(t, strings.HasPrefix(e.Message, "weather.today"), e.Message)
		}
	}
	for _, arg := range []string{
		`{"city":"a","city":"b"}`,
		`{"city":"a","c\u0069ty":"b"}`,
		`{"city":"a","tags":["x:y","\"z\":"],"tags":[]}`,
		`{"city":"a","opt-s":{"a":"1"},"opt-s":{}}`,
		`{"city":"a","near":{"lat":1,"lat":2,"lon":3}}`,
		`{"city":"a","near":{"LON":1},"near":{"lat":1,"lon":2}}`,
	} {
		_, err := call(f, arg)
		assert.ErrorContains(t, err, "two members", arg)
	}
	_, err := call(f, `{"city":":\":\\","opt-s":{":":":"}}`)
	assert.NoError(t, err)
	_, err = call(f, `{"city":["`+strings.Repeat(`a\n`, 10_000)+`"]}`)
	if assert.Error(t, err) {
		assert.Less(t, len(err.Error()), 1000, "an error does not repeat all of the argument")
		assert.NotContains(t, err.Error(), "\n")
	}
	_, err = f.Call(context.Background(), hostfuncs.Value{JSON: json.RawMessage(`{"city":{"$bytes":0}}`), Buffers: [][]byte{{1}}})
	assert.ErrorContains(t, err, "binary")
}

func TestNewPanicsForWhatTheProgramGotWrong(t *testing.T) {
	for _, name := range []string{"", "A", "a.", ".a", "a b", "a-b", "ä", "spore", "spore.sleep", "1a", strings.Repeat("a", 101)} {
		assert.Panics(t, func() { hostfuncs.Raw(name, "", nil) }, name)
	}
	assert.Panics(t, func() {
		hostfuncs.New("a", "", func(context.Context, struct{ F func() }) (none, error) { return none{}, nil })
	})
	assert.Panics(t, func() {
		hostfuncs.New("a", "", func(context.Context, none) (map[int]chan int, error) { return nil, nil })
	})
}

func TestBounds(t *testing.T) {
	echo := hostfuncs.Raw("a.echo", "", func(_ context.Context, v hostfuncs.Value) (hostfuncs.Value, error) {
		return hostfuncs.Value{JSON: v.JSON, Buffers: append(v.Buffers, v.Buffers...)}, nil
	})
	echo.MaxArg, echo.MaxResult = 10, 12
	code := func(v hostfuncs.Value) string {
		_, err := echo.Call(context.Background(), v)
		if err == nil {
			return ""
		}
		return hostfuncs.ForGuest(err).Code
	}
	one := json.RawMessage(`[]`)
	assert.Equal(t, "", code(hostfuncs.Value{JSON: one, Buffers: [][]byte{make([]byte, 5)}}))
	assert.Equal(t, hostfuncs.CodeTooLarge, code(hostfuncs.Value{JSON: one, Buffers: [][]byte{make([]byte, 9)}}))
	assert.Equal(t, hostfuncs.CodeTooLarge, code(hostfuncs.Value{JSON: one, Buffers: [][]byte{make([]byte, 6)}}))
}

func TestCallEndsInTime(t *testing.T) {
	hang := make(chan none)
	defer close(hang)
	f := hostfuncs.New("a.hang", "", func(context.Context, none) (none, error) { return <-hang, nil })
	f.Timeout = 10 * time.Millisecond
	_, err := call(f, "{}")
	assert.Equal(t, hostfuncs.CodeTimeout, hostfuncs.ForGuest(err).Code)
	assert.ErrorIs(t, err, context.DeadlineExceeded)

	f.Timeout = time.Hour
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = f.Call(ctx, hostfuncs.Value{})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	_, isShown := errors.AsType[*hostfuncs.Error](err)
	assert.False(t, isShown, "the caller's own deadline is not a timeout of the function")
}

func TestErrorsForGuests(t *testing.T) {
	secret := errors.New("password is hunter2")
	for name, c := range map[string]struct {
		err  error
		want *hostfuncs.Error
	}{
		"shown":    {hostfuncs.Errorf("gone", "it is %s", "gone"), &hostfuncs.Error{Code: "gone", Message: "it is gone"}},
		"wrapped":  {errors.Join(secret, hostfuncs.Errorf("gone", "it is gone")), &hostfuncs.Error{Code: "gone", Message: "it is gone"}},
		"other":    {secret, &hostfuncs.Error{Code: hostfuncs.CodeInternal, Message: "the host function failed"}},
		"nil":      {(*hostfuncs.Error)(nil), &hostfuncs.Error{Code: hostfuncs.CodeInternal, Message: "the host function failed"}},
		"canceled": {context.Canceled, &hostfuncs.Error{Code: hostfuncs.CodeCanceled, Message: "the host gave the call up"}},
	} {
		assert.Equal(t, c.want, hostfuncs.ForGuest(c.err), name)
	}
	for _, quick := range []bool{false, true} {
		f := hostfuncs.New("a.check", "", func(context.Context, none) (none, error) { panic(secret) })
		f.Quick = quick
		_, err := call(f, "")
		p, ok := errors.AsType[*hostfuncs.PanicError](err)
		require.True(t, ok)
		assert.Equal(t, secret, p.Value)
		assert.Contains(t, string(p.Stack), "hostfuncs_test")
		assert.Equal(t, hostfuncs.CodeInternal, hostfuncs.ForGuest(err).Code)

		f.Check = func(_ context.Context, v hostfuncs.Value) error { return secret }
		_, err = call(f, "")
		assert.ErrorIs(t, err, secret)
		assert.Equal(t, &hostfuncs.Error{Code: hostfuncs.CodeDenied, Message: "the host does not allow this"}, hostfuncs.ForGuest(err))
		f.Check = func(context.Context, hostfuncs.Value) error { return hostfuncs.Errorf("closed", "come back tomorrow") }
		_, err = call(f, "")
		assert.Equal(t, "closed", hostfuncs.ForGuest(err).Code)
	}
	_, err := hostfuncs.Func{Name: "a"}.Call(context.Background(), hostfuncs.Value{})
	assert.Error(t, err)
}

func TestSet(t *testing.T) {
	f := func(name string) hostfuncs.Func {
		return hostfuncs.Raw(name, name, func(context.Context, hostfuncs.Value) (hostfuncs.Value, error) { return hostfuncs.Value{}, nil })
	}
	names := func(s hostfuncs.Set) (n []string) {
		for f := range s.All() {
			n = append(n, f.Name)
		}
		return n
	}
	s, err := hostfuncs.NewSet(f("b"), f("a.x"))
	require.NoError(t, err)
	more, err := s.With(f("c"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a.x", "b"}, names(s), "a set is immutable")
	assert.Equal(t, []string{"a.x", "b", "c"}, names(more))
	assert.Equal(t, []string{"c"}, names(more.Only("c", "absent")))
	assert.Empty(t, names(hostfuncs.Set{}))
	_, ok := s.Only("b").Lookup("a.x")
	assert.False(t, ok)
	_, err = s.With(f("b"))
	assert.ErrorContains(t, err, `"b"`)
	_, err = s.With(hostfuncs.Func{Name: "z"})
	assert.ErrorContains(t, err, `"z"`)
	renamed := f("b")
	renamed.Name = "Not A Name"
	_, err = s.With(renamed)
	assert.ErrorContains(t, err, "Not A Name")
	renamed.Name = "spore.sleep"
	_, err = s.With(renamed)
	assert.ErrorContains(t, err, "spore.sleep", "the engine's own")
	// A change afterwards does not reach the set.
	b := f("d")
	withB, err := s.With(b)
	require.NoError(t, err)
	b.MaxCalls = 5
	got, _ := withB.Lookup("d")
	assert.Zero(t, got.MaxCalls)
}

func TestCaller(t *testing.T) {
	c := hostfuncs.Caller{Tenant: "t", Component: "a.tsx", Number: 7}
	assert.Equal(t, c, hostfuncs.CallerOf(hostfuncs.WithCaller(context.Background(), c)))
	assert.Zero(t, hostfuncs.CallerOf(context.Background()))
}

func TestSchema(t *testing.T) {
	in, out := weather().Schema()
	for _, s := range []json.RawMessage{in, out} {
		assert.True(t, json.Valid(s))
	}
	assert.Contains(t, string(in), "where, as people write it")
	assert.Contains(t, string(out), "rain")
	in, out = hostfuncs.Raw("a", "", nil).Schema()
	assert.Nil(t, in)
	assert.Nil(t, out)
}

func FuzzCall(f *testing.F) {
	fn := weather()
	for _, arg := range []string{`{"city":"Oslo","days":3}`, `{"near":{"lat":1e400}}`, `[[[]]]`, `{"city":"\ud800"}`, ``, `{"city":{"$bytes":0}}`, `{"city":"a","tags":[{"\u0024bytes":0}]}`} {
		f.Add([]byte(arg))
	}
	f.Fuzz(func(t *testing.T, arg []byte) {
		v, err := fn.Call(context.Background(), hostfuncs.Value{JSON: bytes.Clone(arg)})
		if err != nil {
			if e, ok := errors.AsType[*hostfuncs.Error](err); !ok || e.Code != hostfuncs.CodeInvalid && e.Code != hostfuncs.CodeTooLarge {
				t.Fatalf("%q: %v", arg, err)
			}
			return
		}
		if !json.Valid(v.JSON) {
			t.Fatalf("%q: %q", arg, v.JSON)
		}
	})
}
