package clock_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/hostfuncs/clock"
)

func now(t *testing.T, opts clock.Options, arg string) (string, error) {
	t.Helper()
	set, err := hostfuncs.NewSet(clock.Functions(opts)...)
	require.NoError(t, err)
	f, ok := set.Lookup("clock.now")
	require.True(t, ok)
	v, err := f.Call(context.Background(), hostfuncs.Value{JSON: json.RawMessage(arg)})
	return string(v.JSON), err
}

func TestNow(t *testing.T) {
	east, west := time.FixedZone("East", 5*3600+1800), time.FixedZone("West", -3600)
	at := time.Date(2026, 11, 25, 23, 1, 2, 345_678_901, time.UTC)
	opts := clock.Options{Zones: []*time.Location{east, west}, Now: func() time.Time { return at }}

	got, err := now(t, opts, "")
	require.NoError(t, err)
	assert.JSONEq(t, `{"unix_ms":1795647662345,"time":"2026-11-26T04:31:02.345+05:30","zone":"East","offset":19800}`, got)
	got, err = now(t, opts, `{"zone":"West"}`)
	require.NoError(t, err)
	assert.JSONEq(t, `{"unix_ms":1795647662345,"time":"2026-11-25T22:01:02.345-01:00","zone":"West","offset":-3600}`, got)
	_, err = now(t, opts, `{"zone":"UTC"}`)
	assert.Equal(t, hostfuncs.CodeDenied, hostfuncs.ForGuest(err).Code, "only what the host offers")

	opts = clock.Options{Resolution: time.Minute, Now: opts.Now}
	got, err = now(t, opts, "{}")
	require.NoError(t, err)
	assert.JSONEq(t, `{"unix_ms":1795647660000,"time":"2026-11-25T23:01:00.000Z","zone":"UTC","offset":0}`, got)
}

func TestZeroOptionsAreTheClockOfTheHost(t *testing.T) {
	before := time.Now().UnixMilli()
	got, err := now(t, clock.Options{}, "")
	require.NoError(t, err)
	var r struct {
		UnixMS int64 `json:"unix_ms"`
	}
	require.NoError(t, json.Unmarshal([]byte(got), &r))
	assert.LessOrEqual(t, before, r.UnixMS)
	assert.LessOrEqual(t, r.UnixMS, time.Now().UnixMilli())
}

// A clock that is an hour fast and shows whole minutes.
func ExampleFunctions() {
	start := time.Date(2026, 11, 25, 8, 59, 30, 0, time.UTC) // time.Now() elsewhere
	grants, err := hostfuncs.NewSet(clock.Functions(clock.Options{
		Resolution: time.Minute,
		Now:        func() time.Time { return start.Add(time.Hour) },
	})...)
	if err != nil {
		log.Fatal(err)
	}
	f, _ := grants.Lookup("clock.now")
	v, err := f.Call(context.Background(), hostfuncs.Value{}) // as a guest: await call("clock.now")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(v.JSON))
	// Output: {"unix_ms":1795600740000,"time":"2026-11-25T09:59:00.000Z","zone":"UTC","offset":0}
}
