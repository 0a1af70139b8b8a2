package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
)

// TestIsAFileSystem has what is in an overlay checked as a file system, over several others.
func TestIsAFileSystem(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, base()))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	for name, below := range map[string]fs.FS{"map": base(), "directory": os.DirFS(dir), "root": root.FS(), "none": nil, "overlay": New(base(), Quota{}), "plain": plain{base()}} {
		t.Run(name, func(t *testing.T) {
			o := New(below, Quota{})
			require.NoError(t, o.WriteFile("a", []byte("a new one")))
			require.NoError(t, o.WriteFile("n/o/p", nil))
			require.NoError(t, o.Mkdir("n/q"))
			expected := []string{"a", "n/o/p", "n/q"}
			if below != nil {
				require.NoError(t, fstest.TestFS(o, append(expected, "d/x", "d/e/f/w")...))
				require.NoError(t, o.RemoveAll("d/e"))
				require.NoError(t, o.WriteFile("d/e", []byte("a file now")))
				require.NoError(t, o.Remove("d/y"))
				_, err := o.Stat("d/e/z")
				assert.ErrorIs(t, err, fs.ErrNotExist)
				_, err = o.Stat("d/x/y/z")
				assert.ErrorIs(t, err, fs.ErrNotExist)
				expected = append(expected, "d/x", "d/e")
			}
			require.NoError(t, fstest.TestFS(o, expected...))
		})
	}
	assert.FileExists(t, filepath.Join(dir, "d", "y"), "nothing below is written to")
}

// plain is a file system whose files can only be read from the beginning.
type plain struct{ fs.FS }

func (p plain) Open(name string) (fs.File, error) {
	f, err := p.FS.Open(name)
	if _, ok := f.(fs.ReadDirFile); ok || err != nil {
		return f, err
	}
	return struct{ fs.File }{f}, nil
}

func TestLinksAndOtherFiles(t *testing.T) {
	dir := t.TempDir()
	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("s"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("a"), 0o600))
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "out")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	require.NoError(t, os.Symlink("a", filepath.Join(dir, "in")))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	o := New(root.FS(), Quota{})
	v, err := call(o, "files.read", `{"path":"in"}`)
	require.NoError(t, err)
	assert.JSONEq(t, `{"text":"a","next":1,"size":1}`, v)
	_, err = call(o, "files.read", `{"path":"out"}`)
	require.Error(t, err, "a root's FS does not follow links out of it")
	assert.NotContains(t, hostfuncs.ForGuest(err).Message, outside)
	v, err = call(o, "files.list", `{}`)
	require.NoError(t, err)
	assert.JSONEq(t, `{"entries":[{"name":"a","dir":false,"size":1},{"name":"in","dir":false,"size":1}],"more":false}`, v)

	// What is neither file nor directory is not opened: a pipe would block.
	below := base()
	below["pipe"] = &fstest.MapFile{Mode: fs.ModeNamedPipe}
	o = New(below, Quota{})
	for _, name := range []string{"files.read", "files.stat", "files.write", "files.remove"} {
		_, err = call(o, name, `{"path":"pipe"}`)
		assert.Equal(t, hostfuncs.CodeDenied, code(err), name)
	}
}

func TestQuota(t *testing.T) {
	o := New(base(), Quota{Bytes: 10, Entries: 4, Path: 8, Depth: 3})
	long := strings.Repeat("l", 9)
	require.NoError(t, o.WriteFile("n", []byte("0123456")))
	assert.ErrorIs(t, o.WriteFile("m", []byte("0123")), ErrQuota)
	assert.ErrorIs(t, o.WriteFile("m", make([]byte, 1000)), ErrQuota)
	require.NoError(t, o.WriteFile("n", []byte("0123456789")))
	_, err := o.write("n", []byte("a"), true)
	assert.ErrorIs(t, err, ErrQuota)
	_, err = o.write("a", []byte("a"), true)
	assert.ErrorIs(t, err, ErrQuota, "the contents from below count")
	assert.ErrorIs(t, o.Rename("a", "b"), ErrQuota)
	require.NoError(t, o.Rename("n", "m"), "it needs no more than before")
	require.NoError(t, o.WriteFile("m", nil))
	used, entries := o.Usage()
	assert.Zero(t, used)
	assert.Equal(t, 1, entries)
	require.NoError(t, o.Mkdir("1/2/3"))
	assert.ErrorIs(t, o.Mkdir("2"), ErrQuota)
	assert.ErrorIs(t, o.Remove("a"), ErrQuota, "that something is removed takes an entry")
	assert.ErrorIs(t, o.Rename("m", "1/2/4/5"), errLong)
	assert.ErrorIs(t, o.Rename("m", long), errLong)
	require.NoError(t, o.RemoveAll("1"))
	require.NoError(t, o.Remove("a"))
	require.NoError(t, o.WriteFile("a/b", nil), "a directory in place of the file needs one entry more")
	assert.ErrorIs(t, o.WriteFile("a/c/d", nil), ErrQuota)
	_, err = o.Stat("a/c")
	assert.ErrorIs(t, err, fs.ErrNotExist, "all or nothing")

	// A file below may be too large to be touched.
	o = New(base(), Quota{Bytes: 4})
	_, err = o.write("g/h", nil, true)
	assert.ErrorIs(t, err, ErrQuota)
	require.NoError(t, o.Rename("d/y", "y"))
}

func TestUnmarshalChecks(t *testing.T) {
	o := New(base(), Quota{})
	require.NoError(t, o.WriteFile("d/e/new", []byte("0123456789")))
	require.NoError(t, o.RemoveAll("g"))
	b, err := o.MarshalBinary()
	require.NoError(t, err)
	for i := range b {
		assert.ErrorIs(t, New(base(), Quota{}).UnmarshalBinary(b[:i]), ErrFormat)
	}
	assert.ErrorIs(t, New(base(), Quota{}).UnmarshalBinary(append(b, 0)), ErrFormat)
	assert.ErrorIs(t, New(base(), Quota{Bytes: 9}).UnmarshalBinary(b), ErrFormat)
	assert.ErrorIs(t, New(base(), Quota{Entries: 1}).UnmarshalBinary(b), ErrQuota)
	assert.ErrorIs(t, new(Overlay).UnmarshalBinary(b), ErrFormat)
	err = New(nil, Quota{}).UnmarshalBinary(b)
	assert.ErrorIs(t, err, ErrFormat)
	assert.ErrorIs(t, err, fs.ErrNotExist, "there is no such directory below")
	for name, entries := range map[string]string{
		"outside":                    "\x01\x01\x04../x\x00",
		"absolute":                   "\x01\x01\x02/x\x00",
		"the root":                   "\x01\x02\x01.",
		"control character":          "\x01\x01\x02x\n\x00",
		"not UTF-8":                  "\x01\x01\x01\xff\x00",
		"kind":                       "\x01\x03\x01x",
		"order":                      "\x02\x02\x01y\x02\x01x",
		"twice":                      "\x02\x02\x01y\x02\x01y",
		"in a file":                  "\x02\x01\x01y\x00\x01\x03y/z\x00",
		"in a file below":            "\x01\x01\x03a/b\x00",
		"in what is removed":         "\x02\x00\x01d\x01\x03d/x\x00",
		"in no directory":            "\x01\x01\x03q/x\x00",
		"removed from a new one":     "\x02\x02\x01d\x00\x03d/x",
		"below a new one":            "\x02\x02\x01d\x01\x05d/e/q\x00",
		"a number that is too long":  "\x81\x00\x02\x01y",
		"a length that is no number": "\x01\x01\x01y\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
	} {
		assert.ErrorIs(t, New(base(), Quota{}).UnmarshalBinary([]byte(magic+entries)), ErrFormat, name)
	}
	require.NoError(t, New(nil, Quota{}).UnmarshalBinary([]byte(magic+"\x01\x00\x01y")), "what is not there any more needs no removal")
}

// TestHammer has many guests use one workspace, its clones and its bytes at once.
func TestHammer(t *testing.T) {
	o := New(base(), Quota{Bytes: 1 << 20, Entries: 100})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			own := fmt.Sprint("d/own", i)
			for n := range 100 {
				want := fmt.Sprint(i, " ", n, " ")
				_, err := call(o, "files.write", fmt.Sprintf(`{"path":%q,"text":%q,"append":true}`, own, want))
				assert.NoError(t, err)
				assert.NoError(t, o.WriteFile("shared/x", []byte(want)))
				b, err := o.ReadFile("shared/x")
				if err == nil {
					assert.Len(t, strings.Fields(string(b)), 2)
				}
				switch n % 10 {
				case 0:
					c := o.Clone()
					_, err := c.write(own, []byte("only here"), true)
					assert.NoError(t, err)
					data, err := c.MarshalBinary()
					assert.NoError(t, err)
					assert.NoError(t, New(base(), Quota{}).UnmarshalBinary(data))
				case 1:
					_, err := o.Diff()
					assert.NoError(t, err)
					err = o.RemoveAll("shared")
					assert.True(t, err == nil || errors.Is(err, fs.ErrNotExist))
				case 2:
					_, err := call(o, "files.list", `{"path":"d"}`)
					assert.NoError(t, err)
				}
			}
			b, err := o.ReadFile(own)
			assert.NoError(t, err)
			assert.Len(t, strings.Fields(string(b)), 200)
			assert.NotContains(t, string(b), "only")
		})
	}
	wg.Wait()
}

func TestOpenFiles(t *testing.T) {
	o := New(base(), Quota{})
	require.NoError(t, o.WriteFile("n", []byte("old")))
	f, err := o.Open("n")
	require.NoError(t, err)
	_, err = o.write("n", []byte(" and new"), true)
	require.NoError(t, err)
	require.NoError(t, o.Remove("n"))
	b, err := io.ReadAll(f)
	require.NoError(t, err)
	assert.Equal(t, "old", string(b), "what was in it when it was opened")
	_, err = o.ReadDir("a")
	assert.ErrorIs(t, err, errNotDir)
	_, err = o.ReadFile("d")
	assert.ErrorIs(t, err, errIsDir)
}

// code is the code that a guest gets of an error.
func code(err error) string {
	if err == nil {
		return ""
	}
	return hostfuncs.ForGuest(err).Code
}

// call calls a function of o as a guest does.
func call(o *Overlay, name, arg string, buffers ...[]byte) (string, error) {
	set, err := hostfuncs.NewSet(o.Functions()...)
	if err != nil {
		return "", err
	}
	f, _ := set.Lookup(name)
	v, err := f.Call(context.Background(), hostfuncs.Value{JSON: json.RawMessage(arg), Buffers: buffers})
	for _, b := range v.Buffers {
		v.JSON = append(v.JSON, fmt.Sprintf(" %q", b)...)
	}
	return string(v.JSON), err
}
