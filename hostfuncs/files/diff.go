package files

import (
	"bytes"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// A Change is how one path differs from what is below.
type Change struct {
	Path string
	Kind ChangeKind
	Dir  bool   // the path is a directory, or was one that is Removed with all that was in it
	Data []byte // contents of the file, if it was Added or Changed; not to be changed
}

// A ChangeKind says what happened to a path.
type ChangeKind string

// The kinds of changes. Directories are never Changed.
const (
	Added   ChangeKind = "added"
	Changed ChangeKind = "changed"
	Removed ChangeKind = "removed"
)

// Diff returns how o differs from what is below it, ordered by path, such that a program which makes the changes
// in this order makes the same files. If a file has taken the place of a directory, or the other way round, the path is first
// Removed and then Added. Files that were written with the contents they had are no changes.
//
// The contents are as hostile as the guest that wrote them. Paths are valid ones ([fs.ValidPath]) without control characters and
// backslashes; write them to a disk with an [os.Root], which follows no link out of it.
func (o *Overlay) Diff() ([]Change, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	var out []Change
	for _, name := range slices.Sorted(maps.Keys(o.entries)) {
		e := o.entries[name]
		below, err := o.statBase(name)
		if err != nil && !isNotExist(err) {
			return nil, pathError("diff", name, err)
		}
		there := err == nil
		if there && (e.kind == removed || below.IsDir() != (e.kind == dir)) {
			out = append(out, Change{Path: name, Kind: Removed, Dir: below.IsDir()})
			there = false
		}
		data := e.data[:len(e.data):len(e.data)]
		switch {
		case e.kind == removed:
		case !there:
			out = append(out, Change{Path: name, Kind: Added, Dir: e.kind == dir, Data: data})
		case e.kind == dir:
			if out, err = o.diffDir(out, name); err != nil {
				return nil, pathError("diff", name, err)
			}
		default:
			same, err := o.isSame(name, below, data)
			if err != nil {
				return nil, pathError("diff", name, err)
			}
			if !same {
				out = append(out, Change{Path: name, Kind: Changed, Data: data})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// diffDir adds what is missing in a directory that was made where there had been one.
func (o *Overlay) diffDir(out []Change, name string) ([]Change, error) {
	list, err := fs.ReadDir(o.base, name)
	for _, d := range list {
		p := path.Join(name, d.Name())
		if _, ok := o.entries[p]; !ok { // else it has its own turn
			out = append(out, Change{Path: p, Kind: Removed, Dir: d.IsDir()})
		}
	}
	return out, err
}

// isSame reports whether a file of the base has these contents.
func (o *Overlay) isSame(name string, below fs.FileInfo, data []byte) (bool, error) {
	if below.Size() != int64(len(data)) {
		return false, nil
	}
	old, err := fs.ReadFile(o.base, name)
	return bytes.Equal(old, data), err
}
