package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// base is what is below in most tests.
func base() fstest.MapFS {
	return fstest.MapFS{
		"a":       {Data: []byte("aaa")},
		"d/x":     {Data: []byte("xx")},
		"d/y":     {Data: []byte("yyyy")},
		"d/e/z":   {Data: []byte("z")},
		"d/e/f/w": {Data: nil},
		"g/h":     {Data: []byte("hhhhh")},
	}
}

// A model is a file system that is written to in the simplest way: the contents of files, and nil for directories.
type model map[string]*string

func modelOf(t testing.TB, fsys fs.FS) model {
	m := model{}
	require.NoError(t, fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == "." {
			return err
		}
		m[p] = nil
		if !d.IsDir() {
			b, err := fs.ReadFile(fsys, p)
			m[p] = new(string)
			*m[p] = string(b)
			return err
		}
		return nil
	}))
	return m
}

func (m model) isDir(p string) bool  { s, ok := m[p]; return ok && s == nil || p == "." }
func (m model) isFile(p string) bool { return m[p] != nil }

// parents makes the directories above p.
func (m model) parents(p string) bool {
	var missing []string
	for p = path.Dir(p); p != "."; p = path.Dir(p) {
		if m.isFile(p) {
			return false
		}
		missing = append(missing, p)
	}
	for _, p := range missing {
		m[p] = nil
	}
	return true
}

func (m model) write(p, data string, add bool) bool {
	if m.isDir(p) || !m.parents(p) {
		return false
	}
	if old := m[p]; add && old != nil {
		data = *old + data
	}
	m[p] = &data
	return true
}

func (m model) mkdir(p string) bool {
	if m.isFile(p) || !m.parents(p) {
		return false
	}
	m[p] = nil
	return true
}

func (m model) remove(p string, all bool) bool {
	if _, ok := m[p]; !ok {
		return false
	}
	var gone []string
	for other := range m {
		if other == p || strings.HasPrefix(other, p+"/") {
			gone = append(gone, other)
		}
	}
	if len(gone) > 1 && !all {
		return false
	}
	for _, p := range gone {
		delete(m, p)
	}
	return true
}

func (m model) rename(from, to string) bool {
	data := m[from]
	if data == nil {
		return false
	}
	if from == to {
		return true
	}
	if m.isDir(to) || !m.parents(to) {
		return false
	}
	delete(m, from)
	m[to] = data
	return true
}

// apply makes the changes of a diff, in their order, and fails if one makes no sense.
func (m model) apply(t testing.TB, changes []Change) {
	for _, c := range changes {
		_, there := m[c.Path]
		require.Equal(t, c.Kind != Added, there, "%+v", c)
		switch {
		case c.Kind == Removed:
			require.Equal(t, c.Dir, m.isDir(c.Path), "%+v", c)
			require.True(t, m.remove(c.Path, true))
		case c.Dir:
			require.True(t, m.isDir(path.Dir(c.Path)), "%+v", c)
			m[c.Path] = nil
		default:
			require.True(t, m.isDir(path.Dir(c.Path)), "%+v", c)
			require.True(t, c.Kind == Added || *m[c.Path] != string(c.Data), "%+v", c)
			s := string(c.Data)
			m[c.Path] = &s
		}
	}
}

func (m model) String() string {
	var b strings.Builder
	for _, p := range slices.Sorted(maps.Keys(m)) {
		if m[p] == nil {
			fmt.Fprintf(&b, "%s/\n", p)
		} else {
			fmt.Fprintf(&b, "%s %q\n", p, *m[p])
		}
	}
	return b.String()
}

// FuzzOverlay makes what the input says in an overlay, in copies of it, and in the model, which must agree.
func FuzzOverlay(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05"))
	f.Add([]byte("\x03\x01\x00\x02\x01\x00\x00\x02\x07"))
	f.Add([]byte("\x05\x01\x05\x02\x04\x07\x02\x01\x00\x03\x02\x00\x00\x04\x09"))
	paths := []string{"a", "d", "d/x", "d/e", "d/e/z", "d/e/f", "g", "g/h", "new", "new/er", "a/b", "d/x/y", "d/e/f/w", "d.x", "d/n"}
	f.Fuzz(func(t *testing.T, in []byte) {
		below := base()
		o, m := New(below, Quota{}), modelOf(t, below)
		if len(in) > 300 {
			in = in[:300]
		}
		var former *Overlay // and what was in it
		var was string
		for ; len(in) >= 3; in = in[3:] {
			p, data := paths[int(in[1])%len(paths)], strings.Repeat(string(rune('A'+in[2]%26)), int(in[2]%5))
			var ok bool
			var err error
			switch in[0] % 8 {
			case 0:
				ok, err = m.write(p, data, false), o.WriteFile(p, []byte(data))
			case 1:
				ok = m.write(p, data, true)
				_, err = o.write(p, []byte(data), true)
				err = pathError("write", p, err)
			case 2:
				ok, err = m.remove(p, false), o.Remove(p)
			case 3:
				ok, err = m.remove(p, true), o.RemoveAll(p)
			case 4:
				ok, err = m.mkdir(p), o.Mkdir(p)
			case 5:
				to := paths[int(in[2])%len(paths)]
				ok, err = m.rename(p, to), o.Rename(p, to)
			case 6:
				ok, former, was = true, o, m.String()
				o = o.Clone()
			case 7:
				b, e := o.MarshalBinary()
				require.NoError(t, e)
				o = New(below, Quota{})
				ok, err = true, o.UnmarshalBinary(b)
			}
			require.Equal(t, ok, err == nil, "%d %s: %v\n%s", in[0]%8, p, err, m)
			if pe, isPath := errors.AsType[*fs.PathError](err); err != nil && in[0]%8 != 7 {
				require.True(t, isPath)
				require.Equal(t, p, pe.Path)
			}
		}
		require.Equal(t, m.String(), modelOf(t, o).String())
		if former != nil {
			require.Equal(t, was, modelOf(t, former).String(), "a clone is independent")
		}
		changes, err := o.Diff()
		require.NoError(t, err)
		fresh := modelOf(t, below)
		fresh.apply(t, changes)
		require.Equal(t, m.String(), fresh.String())
		used, entries := o.Usage()
		var sum int64
		for _, e := range o.entries {
			sum += int64(len(e.data))
		}
		require.Equal(t, sum, used)
		require.Len(t, o.entries, entries)
		if len(changes) == 0 {
			require.Equal(t, modelOf(t, below).String(), m.String())
		}
	})
}

// FuzzUnmarshal makes sure that what can be decoded is a file system, within its quota, and encoded
// the same again.
func FuzzUnmarshal(f *testing.F) {
	o := New(base(), Quota{})
	for _, step := range []func() error{
		func() error { return o.WriteFile("a", []byte("new")) },
		func() error { return o.RemoveAll("d") },
		func() error { return o.WriteFile("d/x", nil) },
		func() error { return o.Mkdir("d/e") },
		func() error { return o.Remove("g/h") },
	} {
		b, err := o.MarshalBinary()
		require.NoError(f, err)
		f.Add(b)
		require.NoError(f, step())
	}
	f.Add([]byte(magic + "\x01\x01\x01b\xff\xff\xff\xff\x0f"))
	f.Add([]byte(magic + "\x80\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		q := Quota{Bytes: 100, Entries: 10, Path: 20, Depth: 3}
		o := New(base(), q)
		require.NoError(t, o.WriteFile("before", nil))
		if err := o.UnmarshalBinary(b); err != nil {
			require.ErrorIs(t, err, ErrFormat)
			_, err := o.Stat("before")
			require.NoError(t, err)
			return
		}
		again, err := o.MarshalBinary()
		require.NoError(t, err)
		if !bytes.Equal(b, again) {
			t.Fatalf("%q became %q", b, again)
		}
		used, entries := o.Usage()
		require.True(t, used <= q.Bytes && entries <= q.Entries)
		m := modelOf(t, o)
		changes, err := o.Diff()
		require.NoError(t, err)
		fresh := modelOf(t, base())
		fresh.apply(t, changes)
		require.Equal(t, m.String(), fresh.String())
		for p, e := range o.entries {
			if e.kind == file {
				require.True(t, m.isFile(p), p)
			}
		}
	})
}
