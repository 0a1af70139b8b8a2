package files

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
)

// TestFunctions has calls of guests, one after the other, on one workspace.
func TestFunctions(t *testing.T) {
	o := New(base(), Quota{Bytes: 100})
	for _, c := range []struct{ name, arg, want string }{
		{"read", `{"path":"a"}`, `{"text":"aaa","next":3,"size":3}`},
		{"read", `{"path":"a","offset":1,"length":1}`, `{"text":"a","next":2,"size":3}`},
		{"read", `{"path":"a","offset":5}`, `{"text":"","next":5,"size":3}`},
		{"read", `{"path":"a","offset":9007199254740991,"length":9007199254740991}`, `{"text":"","next":9007199254740991,"size":3}`},
		{"read", `{"path":"a","offset":-1}`, "invalid_argument"},
		{"read", `{"path":"a","length":-1}`, "invalid_argument"},
		{"read", `{"path":"a","binary":true}`, `{"text":"","bytes":{"$bytes":0},"next":3,"size":3} "aaa"`},
		{"read", `{"path":"d/e/f/w","binary":true}`, `{"text":"","bytes":{"$bytes":0},"next":0,"size":0} ""`},
		{"read", `{"path":"none"}`, "not_found"},
		{"read", `{"path":"a/none"}`, "not_found"},
		{"read", `{"path":"d"}`, "invalid_argument"},
		{"read", `{"path":"."}`, "invalid_argument"},
		{"read", `{"path":""}`, "invalid_argument"},
		{"read", `{"path":"/a"}`, "invalid_argument"},
		{"read", `{"path":"../a"}`, "invalid_argument"},
		{"read", `{"path":"d/../a"}`, "invalid_argument"},
		{"read", `{"path":"./a"}`, "invalid_argument"},
		{"read", `{"path":"a\u0000"}`, "not_found"},
		{"read", fmt.Sprintf(`{"path":"%sa"}`, strings.Repeat("a/", 100_000)), "not_found"},
		{"read", `{}`, "invalid_argument"},
		{"stat", `{"path":"d"}`, `{"dir":true,"size":0}`},
		{"stat", `{"path":"."}`, `{"dir":true,"size":0}`},
		{"stat", `{"path":"d/y"}`, `{"dir":false,"size":4}`},
		{"stat", `{"path":"d/none"}`, "not_found"},
		{"list", `{}`, `{"entries":[{"name":"a","dir":false,"size":3},{"name":"d","dir":true,"size":0},{"name":"g","dir":true,"size":0}],"more":false}`},
		{"list", `{"path":"d","limit":2}`, `{"entries":[{"name":"e","dir":true,"size":0},{"name":"x","dir":false,"size":2}],"more":true}`},
		{"list", `{"path":"d","limit":2,"after":"x"}`, `{"entries":[{"name":"y","dir":false,"size":4}],"more":false}`},
		{"list", `{"path":"a"}`, "invalid_argument"},
		{"list", `{"path":"none"}`, "not_found"},
		{"list", `{"path":".."}`, "invalid_argument"},
		{"write", `{"path":"n/o","text":"öä"}`, `{"size":4}`},
		{"read", `{"path":"n/o","length":3}`, `{"text":"ö","next":2,"size":4}`},
		{"read", `{"path":"n/o","length":1}`, `{"text":"�","next":1,"size":4}`},
		{"read", `{"path":"n/o","offset":1}`, `{"text":"�ä","next":4,"size":4}`},
		{"write", `{"path":"n/o","append":true,"bytes":{"$bytes":0}}`, `{"size":6}`},
		{"read", `{"path":"n/o","offset":4,"binary":true}`, `{"text":"","bytes":{"$bytes":0},"next":6,"size":6} "\xff\x00"`},
		{"write", `{"path":"n/o","text":"a","bytes":{"$bytes":0}}`, "invalid_argument"},
		{"write", `{"path":"n/o"}`, `{"size":0}`},
		{"write", `{"path":"a","append":true,"text":"b"}`, `{"size":4}`},
		{"read", `{"path":"a"}`, `{"text":"aaab","next":4,"size":4}`},
		{"write", `{"path":"a/b","text":"x"}`, "invalid_argument"},
		{"write", `{"path":"d","text":"x"}`, "invalid_argument"},
		{"write", `{"path":"../x","text":"x"}`, "invalid_argument"},
		{"write", `{"path":"x\n","text":"x"}`, "invalid_argument"},
		{"write", `{"path":"..\\x","text":"x"}`, "invalid_argument"},
		{"write", fmt.Sprintf(`{"path":%q}`, strings.Repeat("x", DefaultPath+1)), "invalid_argument"},
		{"write", fmt.Sprintf(`{"path":"x","text":%q}`, strings.Repeat("x", 101)), "quota"},
		{"mkdir", `{"path":"m/k"}`, `{}`},
		{"mkdir", `{"path":"m/k"}`, `{}`},
		{"mkdir", `{"path":"a"}`, "exists"},
		{"mkdir", `{"path":"a/b"}`, "invalid_argument"},
		{"mkdir", `{"path":"."}`, "invalid_argument"},
		{"remove", `{"path":"m"}`, "exists"},
		{"remove", `{"path":"m/k"}`, `{}`},
		{"remove", `{"path":"m"}`, `{}`},
		{"remove", `{"path":"m"}`, "not_found"},
		{"remove", `{"path":"."}`, "invalid_argument"},
		{"remove", `{"path":".","recursive":true}`, "invalid_argument"},
		{"remove", `{"path":"d","recursive":true}`, `{}`},
		{"read", `{"path":"d/x"}`, "not_found"},
		{"list", `{"path":"d/e"}`, "not_found"},
		{"mkdir", `{"path":"d"}`, `{}`},
		{"list", `{"path":"d"}`, `{"entries":[],"more":false}`},
		{"rename", `{"from":"g/h","to":"d/h"}`, `{}`},
		{"rename", `{"from":"g/h","to":"d/h"}`, "not_found"},
		{"rename", `{"from":"d","to":"e"}`, "invalid_argument"},
		{"rename", `{"from":"d/h","to":"g"}`, "invalid_argument"},
		{"rename", `{"from":"d/h","to":"d/h/i"}`, "invalid_argument"},
		{"rename", `{"from":"d/h","to":"a"}`, `{}`},
		{"read", `{"path":"a"}`, `{"text":"hhhhh","next":5,"size":5}`},
	} {
		var buffers [][]byte
		if strings.Contains(c.arg, "$bytes") {
			buffers = [][]byte{{0xff, 0}}
		}
		got, err := call(o, "files."+c.name, c.arg, buffers...)
		if err != nil {
			e, ok := errors.AsType[*hostfuncs.Error](err)
			require.True(t, ok, "%s(%s): %v", c.name, c.arg, err)
			got = e.Code
		}
		assert.Equal(t, c.want, got, "%s(%.100s): %v", c.name, c.arg, err)
	}
	changes, err := o.Diff()
	require.NoError(t, err)
	assert.Equal(t, []Change{
		{Path: "a", Kind: Changed, Data: []byte("hhhhh")},
		{Path: "d/e", Kind: Removed, Dir: true},
		{Path: "d/x", Kind: Removed},
		{Path: "d/y", Kind: Removed},
		{Path: "g/h", Kind: Removed},
		{Path: "n", Kind: Added, Dir: true},
		{Path: "n/o", Kind: Added},
	}, normal(changes))
}

// normal has no difference between no and empty contents.
func normal(changes []Change) []Change {
	for i := range changes {
		if len(changes[i].Data) == 0 {
			changes[i].Data = nil
		}
	}
	return changes
}

// failing is a file system whose errors tell what is no guest's business.
type failing struct{ fstest.MapFS }

func (f failing) Open(name string) (fs.File, error) {
	if name == "a" {
		return nil, &fs.PathError{Op: "open", Path: "/srv/secret/a", Err: errors.New("disk /dev/sda1 is on fire")}
	}
	if name == "d/x" {
		return nil, &fs.PathError{Op: "open", Path: "/srv/secret/d/x", Err: fs.ErrPermission}
	}
	return f.MapFS.Open(name)
}

func (f failing) Stat(name string) (fs.FileInfo, error) { return f.MapFS.Stat(name) }

func TestErrorsFromBelowStayThere(t *testing.T) {
	o := New(failing{base()}, Quota{})
	for path, want := range map[string]string{"a": hostfuncs.CodeInternal, "d/x": hostfuncs.CodeDenied} {
		for _, f := range []string{`files.read {"path":%q}`, `files.write {"path":%q,"append":true}`, `files.rename {"from":%q,"to":"new"}`} {
			name, arg, _ := strings.Cut(fmt.Sprintf(f, path), " ")
			_, err := call(o, name, arg)
			assert.Equal(t, want, code(err), f)
			assert.NotRegexp(t, "srv|sda", hostfuncs.ForGuest(err).Message)
		}
	}
	_, err := call(o, "files.read", `{"path":"a"}`)
	assert.ErrorContains(t, err, "on fire", "the host learns it")
}
