package random_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/hostfuncs/random"
)

func call(opts random.Options, n int) ([]byte, error) {
	v, err := random.Functions(opts)[0].Call(context.Background(), hostfuncs.Value{JSON: fmt.Appendf(nil, `{"n":%d}`, n)})
	if err != nil {
		return nil, err
	}
	return v.Buffers[0], nil
}

func TestBytes(t *testing.T) {
	a, err := call(random.Options{}, 32)
	require.NoError(t, err)
	b, err := call(random.Options{}, 32)
	require.NoError(t, err)
	assert.Len(t, a, 32)
	assert.NotEqual(t, a, b)
	none, err := call(random.Options{}, 0)
	require.NoError(t, err)
	assert.Empty(t, none)

	for _, n := range []int{-1, random.DefaultMaxBytes + 1, 1 << 40} {
		_, err = call(random.Options{}, n)
		assert.Equal(t, hostfuncs.CodeTooLarge, hostfuncs.ForGuest(err).Code, n)
	}
	large, err := call(random.Options{MaxBytes: 8 << 20}, 8<<20)
	require.NoError(t, err, "MaxResult follows")
	assert.Len(t, large, 8<<20)
}

func TestSource(t *testing.T) {
	b, err := call(random.Options{Source: iotest.OneByteReader(strings.NewReader("abcd"))}, 3)
	require.NoError(t, err)
	assert.Equal(t, "abc", string(b))
	broken := errors.New("no entropy in /dev/secret")
	_, err = call(random.Options{Source: iotest.ErrReader(broken)}, 3)
	assert.ErrorIs(t, err, broken)
	assert.Equal(t, hostfuncs.CodeInternal, hostfuncs.ForGuest(err).Code)
}

func ExampleFunctions() {
	grants, err := hostfuncs.NewSet(random.Functions(random.Options{MaxBytes: 32})...)
	if err != nil {
		log.Fatal(err)
	}
	f, _ := grants.Lookup("random.bytes")
	// As a guest: new Uint8Array of await call("random.bytes", { n: 16 })
	v, err := f.Call(context.Background(), hostfuncs.Value{JSON: json.RawMessage(`{"n":16}`)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(v.JSON), len(v.Buffers[0]))
	// Output: {"$bytes":0} 16
}
