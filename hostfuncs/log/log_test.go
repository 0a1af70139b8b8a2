package log_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	stdlog "log"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/hostfuncs/log"
)

var caller = hostfuncs.Caller{Tenant: "acme", Component: "a.tsx", Number: 7}

// noTime leaves the time out of records.
func noTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// write returns what is logged.
func write(arg string) (string, error) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: noTime}))
	f := log.Functions(log.Options{Logger: logger})[0]
	_, err := f.Call(hostfuncs.WithCaller(context.Background(), caller), hostfuncs.Value{JSON: json.RawMessage(arg)})
	return out.String(), err
}

func TestWrite(t *testing.T) {
	const who = ` msg=guest tenant=acme component=a.tsx call=7 guest.message=`
	for arg, want := range map[string]string{
		`{"message":"hi"}`:                             `level=INFO` + who + `hi`,
		`{"message":"a b","level":"error"}`:            `level=ERROR` + who + `"a b"`,
		`{"message":"","attrs":{}}`:                    `level=INFO` + who + `""`,
		`{"message":"hi","level":"debug"}`:             ``,
		`{"message":"m","attrs":{"n":1.5,"b":true}}`:   `level=INFO` + who + `m guest.attrs.b=true guest.attrs.n=1.5`,
		`{"message":"m","attrs":{"z":null,"a":"x y"}}`: `level=INFO` + who + `m guest.attrs.a="x y" guest.attrs.z=<nil>`,
		`{"message":"m","attrs":{"o":{"tenant":1}}}`:   `level=INFO` + who + `m guest.attrs.o="{\"tenant\":1}"`,
	} {
		got, err := write(arg)
		if assert.NoError(t, err, arg) {
			assert.Equal(t, want, strings.TrimSuffix(got, "\n"), arg)
		}
	}
	for arg, code := range map[string]string{
		`{"message":"m","level":"fatal"}`: hostfuncs.CodeInvalid,
		`{"message":5}`:                   hostfuncs.CodeInvalid,
		`{"message":"m","attrs":{"":1}}`:  hostfuncs.CodeInvalid,
		`{"message":"m","attrs":{"` + strings.Repeat("k", log.MaxAttrKey+1) + `":1}}`: hostfuncs.CodeInvalid,
		`{"message":"m","attrs":` + manyAttrs() + `}`:                                 hostfuncs.CodeTooLarge,
		`{"message":"` + strings.Repeat("x", 64<<10) + `"}`:                           hostfuncs.CodeTooLarge,
	} {
		got, err := write(arg)
		if assert.Error(t, err, arg) {
			assert.Equal(t, code, hostfuncs.ForGuest(err).Code)
			assert.Empty(t, got)
		}
	}
}

func manyAttrs() string {
	m := map[string]int{}
	for i := range log.MaxAttrs + 1 {
		m[fmt.Sprint(i)] = i
	}
	b, _ := json.Marshal(m)
	return string(b)
}

// A naive is a handler that quotes nothing, as those for terminals do.
type naive struct {
	slog.Handler
	out *bytes.Buffer
}

func (h naive) Handle(_ context.Context, r slog.Record) error {
	fmt.Fprintf(h.out, "%s %s", r.Level, r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(h.out, " %s=%v", a.Key, a.Value)
		return true
	})
	h.out.WriteByte('\n')
	return nil
}

func TestNothingIsInjected(t *testing.T) {
	var out bytes.Buffer
	f := log.Functions(log.Options{Logger: slog.New(naive{slog.NewTextHandler(&out, nil), &out})})[0]
	logged := func(arg map[string]any) string {
		text, err := json.Marshal(arg)
		require.NoError(t, err)
		out.Reset()
		_, err = f.Call(hostfuncs.WithCaller(context.Background(), caller), hostfuncs.Value{JSON: text})
		require.NoError(t, err)
		return out.String()
	}
	assert.Equal(t, `INFO guest tenant=acme component=a.tsx call=7 guest=[message=a\nERROR b\r\x1b[31m\u202eé\u2028\ufffd\x00]`+"\n",
		logged(map[string]any{"message": "a\nERROR b\r\x1b[31m\u202eé\u2028\ufffd\x00"}))
	assert.Equal(t, `INFO guest tenant=acme component=a.tsx call=7 guest=[message=m attrs=[\nmsg=1 tenant=x\ny]]`+"\n",
		logged(map[string]any{"message": "m", "attrs": map[string]any{"\nmsg": 1, "tenant": "x\ny"}}))
	long := logged(map[string]any{"message": strings.Repeat("é", log.MaxMessage), "attrs": map[string]any{"a": strings.Repeat("x", 5000), "b": []string{strings.Repeat("y", 5000)}}})
	assert.Less(t, len(long), log.MaxMessage+2*log.MaxAttrValue+200)
	assert.Equal(t, 3, strings.Count(long, " …"))
	assert.NotContains(t, long, "\ufffd", "no character is cut in two")
}

func ExampleFunctions() {
	logger := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: noTime}))
	grants, err := hostfuncs.NewSet(log.Functions(log.Options{Logger: logger})...)
	if err != nil {
		stdlog.Fatal(err)
	}
	f, _ := grants.Lookup("log.write")
	ctx := hostfuncs.WithCaller(context.Background(), hostfuncs.Caller{Tenant: "acme", Component: "cart.tsx", Number: 1})
	// As a guest: await call("log.write", { level: "warn", message: "slow", attrs: { ms: 412 } })
	_, err = f.Call(ctx, hostfuncs.Value{JSON: json.RawMessage(`{"level":"warn","message":"slow","attrs":{"ms":412}}`)})
	if err != nil {
		stdlog.Fatal(err)
	}
	// Output: {"level":"WARN","msg":"guest","tenant":"acme","component":"cart.tsx","call":1,"guest":{"message":"slow","attrs":{"ms":412}}}
}
