// Package files gives guests a workspace of files: a file system of yours that they read, and over it,
// in memory and within a quota, what they write.
//
// An [Overlay] is one workspace. The embedder makes it, for a call or for a session, grants its
// [Overlay.Functions], and later asks for its [Overlay.Diff], reads it as the [fs.FS] that it is, or
// takes its bytes to where the session goes on. What is below it is never written to.
//
// A guest names files by paths as [fs.ValidPath] has them, so that there is no way out of the workspace but by
// what the file system below makes of a path: [os.DirFS] follows symbolic links wherever they lead, the FS
// of an [os.Root] only to what is inside. Use the latter for directories that others can write to.
//
// Files have no owner, mode or time: a guest learns nothing by them, and equal work leaves equal bytes.
package files

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"strings"
	"sync"
	"syscall"
)

// Values of fields of a [Quota] that are zero.
const (
	DefaultBytes   = 16 << 20
	DefaultEntries = 1000
	DefaultPath    = 512
	DefaultDepth   = 16
)

// A Quota bounds what an overlay holds. The memory for it is at most some twice Bytes, and some hundred bytes and
// the path for each entry.
type Quota struct {
	Bytes   int64 // of the contents of files that were written, together
	Entries int   // files and directories that were written, and removals of what is below
	Path    int   // length of a path that is written, in bytes
	Depth   int   // elements of a path that is written
}

var (
	// ErrQuota is the error of a write for which the quota has no room.
	ErrQuota = errors.New("the quota is used up")

	errIsDir     = errors.New("is a directory")
	errNotDir    = errors.New("is not a directory")
	errInWay     = errors.New("has a file where a directory is needed")
	errNotEmpty  = errors.New("is a directory that is not empty")
	errNotFile   = errors.New("is neither a file nor a directory")
	errCharacter = errors.New("has a backslash or a control character")
	errLong      = errors.New("is too long or too deep a path")
)

// An Overlay is a file system in memory over another one. It implements [fs.FS]. It is safe for concurrent use, if
// the file system below is.
type Overlay struct {
	base  fs.FS // nil: there is nothing below
	quota Quota

	mu      sync.RWMutex
	entries map[string]entry // by path; guarded by mu
	bytes   int64            // of contents; guarded by mu
}

// An entry is what an overlay has at a path. It hides what is below at that path and
// behind it: a directory that is an entry was made here, and is empty but for other entries.
type entry struct {
	kind kind
	data []byte // never changed, but appended to: whoever has it does not look behind its length
}

type kind byte

const (
	removed kind = iota
	file
	dir
)

// New returns an overlay over base, which may be nil, in which nothing has been written. base must return
// from its methods in good time, as who writes waits for it, and its directories are read whole.
func New(base fs.FS, q Quota) *Overlay {
	q.Bytes = positive(q.Bytes, DefaultBytes)
	q.Entries = positive(q.Entries, DefaultEntries)
	q.Path = positive(q.Path, DefaultPath)
	q.Depth = positive(q.Depth, DefaultDepth)
	return &Overlay{base: base, quota: q, entries: map[string]entry{}}
}

func positive[T int | int64](n, otherwise T) T {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Clone returns an overlay with the same files over the same base, for a fork of a session. They share contents
// until one of them changes.
func (o *Overlay) Clone() *Overlay {
	o.mu.RLock()
	defer o.mu.RUnlock()
	c := &Overlay{base: o.base, quota: o.quota, entries: make(map[string]entry, len(o.entries)), bytes: o.bytes}
	for name, e := range o.entries {
		e.data = e.data[:len(e.data):len(e.data)] // only o appends in place
		c.entries[name] = e
	}
	return c
}

// Usage returns how much of the quota is used: bytes of contents, and entries.
func (o *Overlay) Usage() (bytes int64, entries int) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.bytes, len(o.entries)
}

// find returns the entry that decides about a path, removed if one above hides it. There is none if the
// base decides. The caller holds mu, at least for reading.
func (o *Overlay) find(name string) (e entry, ok bool) {
	if e, ok := o.entries[name]; ok {
		return e, true
	}
	// Only so far down can there be an entry, however long the path is that a guest asks for.
	depth := 0
	for i := 0; i < len(name) && i <= o.quota.Path && depth < o.quota.Depth; i++ {
		if name[i] != '/' {
			continue
		}
		if _, ok := o.entries[name[:i]]; ok {
			return entry{kind: removed}, true
		}
		depth++
	}
	return entry{}, false
}

// stat describes what is at a path. The caller holds mu, at least for reading.
func (o *Overlay) stat(name string) (fs.FileInfo, error) {
	if e, ok := o.find(name); ok {
		if e.kind == removed {
			return nil, fs.ErrNotExist
		}
		return info{path.Base(name), e}, nil
	}
	return o.statBase(name)
}

// statBase describes what the base has at a path, hidden or not.
func (o *Overlay) statBase(name string) (fs.FileInfo, error) {
	if o.base == nil {
		if name == "." {
			return info{".", entry{kind: dir}}, nil
		}
		return nil, fs.ErrNotExist
	}
	i, err := fs.Stat(o.base, name)
	switch {
	case err != nil && isNotExist(err):
		return nil, fs.ErrNotExist
	case err != nil:
		return nil, err
	case !i.IsDir() && !i.Mode().IsRegular():
		return nil, errNotFile // to open a pipe could take for ever
	}
	return i, nil
}

// isNotExist reports whether err says that there is nothing at a path, be it because a
// file is where a directory would have to be.
func isNotExist(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// changes are entries to be set, or deleted if nil.
type changes map[string]*entry

// commit makes changes, all or none. The caller holds mu.
func (o *Overlay) commit(c changes) error {
	bytes, count := o.bytes, len(o.entries)
	for name, e := range c {
		if old, ok := o.entries[name]; ok {
			bytes, count = bytes-int64(len(old.data)), count-1
		}
		if e != nil {
			bytes, count = bytes+int64(len(e.data)), count+1
		}
	}
	if bytes > o.bytes && bytes > o.quota.Bytes || count > len(o.entries) && count > o.quota.Entries {
		return ErrQuota
	}
	for name, e := range c {
		if e == nil {
			delete(o.entries, name)
		} else {
			o.entries[name] = *e
		}
	}
	o.bytes = bytes
	return nil
}

// checkWritable finds out whether a path may come into being.
func (o *Overlay) checkWritable(name string) error {
	switch {
	case !fs.ValidPath(name) || name == ".":
		return fs.ErrInvalid
	case len(name) > o.quota.Path || strings.Count(name, "/") >= o.quota.Depth:
		return errLong
	case strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\\' }):
		return errCharacter // whoever writes a diff to a disk or a terminal would regret it
	}
	return nil
}

// addParents adds the directories above a path that are missing to c.
func (o *Overlay) addParents(c changes, name string) error {
	for i, r := range name {
		if r != '/' {
			continue
		}
		switch i, err := o.stat(name[:i]); {
		case err == nil && !i.IsDir():
			return errInWay
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		case err == nil:
			continue
		}
		c[name[:i]] = &entry{kind: dir}
	}
	return nil
}

// addFile adds a file to c. Its data belongs to o from now on.
func (o *Overlay) addFile(c changes, name string, data []byte) error {
	if err := o.checkWritable(name); err != nil {
		return err
	}
	switch i, err := o.stat(name); {
	case err == nil && i.IsDir():
		return errIsDir
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	c[name] = &entry{file, data}
	return o.addParents(c, name)
}

// addRemoval adds the removal of a path, and of all behind it, to c.
func (o *Overlay) addRemoval(c changes, name string) {
	for other := range o.entries {
		if other == name || strings.HasPrefix(other, name+"/") {
			c[other] = nil
		}
	}
	if e, ok := o.find(path.Dir(name)); ok && e.kind == dir {
		return // what is below is hidden by the parent
	}
	if _, err := o.statBase(name); !errors.Is(err, fs.ErrNotExist) {
		c[name] = &entry{kind: removed}
	}
}

// write is WriteFile, or adds to the file's end.
func (o *Overlay) write(name string, data []byte, add bool) (size int64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if int64(len(data)) > o.quota.Bytes {
		return 0, ErrQuota
	}
	if e, own := o.entries[name]; add && own && e.kind == file {
		data = append(e.data, data...)
	} else {
		var old []byte
		if add {
			if old, err = o.contents(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return 0, err
			}
		}
		data = append(old, data...)
	}
	c := changes{}
	if err := o.addFile(c, name, data); err != nil {
		return 0, err
	}
	return int64(len(data)), o.commit(c)
}

// contents returns all of a file, which must fit into the quota. The caller holds mu.
func (o *Overlay) contents(name string) ([]byte, error) {
	data, size, err := o.read(name, 0, o.quota.Bytes)
	if err == nil && size > int64(len(data)) {
		return nil, ErrQuota
	}
	return data, err
}

// WriteFile writes a file, of which it keeps a copy, and makes the directories above it. It is what the guest's files.write
// does, quota included.
func (o *Overlay) WriteFile(name string, data []byte) error {
	_, err := o.write(name, data, false)
	return pathError("write", name, err)
}

// Mkdir makes a directory and those above it. It may be there already.
func (o *Overlay) Mkdir(name string) error { return pathError("mkdir", name, o.mkdir(name)) }

func (o *Overlay) mkdir(name string) error {
	if err := o.checkWritable(name); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	c := changes{}
	if err := o.addParents(c, name+"/"); err != nil {
		if i, e := o.stat(name); e == nil && !i.IsDir() {
			return fs.ErrExist
		}
		return err
	}
	return o.commit(c)
}

// Remove removes a file or an empty directory.
func (o *Overlay) Remove(name string) error { return pathError("remove", name, o.remove(name, false)) }

// RemoveAll removes what is at a path, and all behind it. There must be something.
func (o *Overlay) RemoveAll(name string) error {
	return pathError("remove", name, o.remove(name, true))
}

func (o *Overlay) remove(name string, all bool) error {
	if !fs.ValidPath(name) || name == "." {
		return fs.ErrInvalid
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	i, err := o.stat(name)
	if err != nil {
		return err
	}
	if i.IsDir() && !all {
		list, err := o.readDir(name)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			return errNotEmpty
		}
	}
	c := changes{}
	o.addRemoval(c, name)
	return o.commit(c)
}

// Rename moves a file, also to where there is one. Directories cannot be moved.
func (o *Overlay) Rename(from, to string) error { return pathError("rename", from, o.rename(from, to)) }

func (o *Overlay) rename(from, to string) error {
	if !fs.ValidPath(from) || from == "." {
		return fs.ErrInvalid
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	data, err := o.contents(from)
	if err != nil || from == to {
		return err
	}
	c := changes{}
	if err := o.addFile(c, to, data); err != nil {
		return err
	}
	removal := changes{}
	o.addRemoval(removal, from)
	maps.Copy(c, removal)
	return o.commit(c)
}

// pathError adds to an error what was done to which path.
func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}
