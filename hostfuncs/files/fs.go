package files

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

var (
	_ fs.ReadDirFS  = (*Overlay)(nil)
	_ fs.ReadFileFS = (*Overlay)(nil)
	_ fs.StatFS     = (*Overlay)(nil)
)

// Open implements [fs.FS]. A file shows what was in it when it was opened.
func (o *Overlay) Open(name string) (fs.File, error) {
	f, err := o.open(name)
	return f, pathError("open", name, err)
}

func (o *Overlay) open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	i, err := o.stat(name)
	if err != nil {
		return nil, err
	}
	if i.IsDir() {
		list, err := o.readDir(name)
		return &openDir{info: i, list: list}, err
	}
	if e, ok := o.entries[name]; ok {
		return &openFile{Reader: *bytes.NewReader(e.data), info: i}, nil
	}
	return o.base.Open(name)
}

// Stat implements [fs.StatFS].
func (o *Overlay) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, pathError("stat", name, fs.ErrInvalid)
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	i, err := o.stat(name)
	return i, pathError("stat", name, err)
}

// ReadFile implements [fs.ReadFileFS].
func (o *Overlay) ReadFile(name string) ([]byte, error) {
	o.mu.RLock()
	e, ok := o.entries[name]
	o.mu.RUnlock()
	if ok && e.kind == file {
		return bytes.Clone(e.data), nil
	}
	f, err := o.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	return data, pathError("read", name, err)
}

// ReadDir implements [fs.ReadDirFS].
func (o *Overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := o.open(name)
	if err != nil {
		return nil, pathError("readdir", name, err)
	}
	d, ok := f.(*openDir)
	if !ok {
		f.Close()
		return nil, pathError("readdir", name, errNotDir)
	}
	return d.list, nil
}

// readDir lists the directory at a path, sorted by name. The caller holds mu, at least for reading.
func (o *Overlay) readDir(name string) ([]fs.DirEntry, error) {
	var list []fs.DirEntry
	if e, own := o.find(name); !own && o.base != nil {
		below, err := fs.ReadDir(o.base, name)
		if err != nil {
			return nil, err
		}
		for _, d := range below {
			if _, hidden := o.entries[path.Join(name, d.Name())]; !hidden {
				list = append(list, d)
			}
		}
	} else if own && e.kind != dir {
		return nil, errNotDir
	}
	for p, e := range o.entries {
		if path.Dir(p) == name && e.kind != removed {
			list = append(list, fs.FileInfoToDirEntry(info{path.Base(p), e}))
		}
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}

// read returns up to n bytes of a file from an offset on, which nobody must change, and the size of the whole
// file. The caller holds mu, at least for reading.
func (o *Overlay) read(name string, offset, n int64) (data []byte, size int64, err error) {
	i, err := o.stat(name)
	if err != nil {
		return nil, 0, err
	}
	if i.IsDir() {
		return nil, 0, errIsDir
	}
	if e, ok := o.entries[name]; ok {
		size = int64(len(e.data))
		from, to := min(offset, size), min(offset+n, size)
		return e.data[from:to:to], size, nil
	}
	f, err := o.base.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	size = i.Size()
	n = max(0, min(n, size-offset)) // a file that grows is read to where it ended
	switch r := f.(type) {
	case io.ReaderAt:
		data, err = io.ReadAll(io.NewSectionReader(r, offset, n))
	case io.Seeker:
		if _, err = r.Seek(offset, io.SeekStart); err == nil {
			data, err = io.ReadAll(io.LimitReader(f, n))
		}
	default:
		if _, err = io.CopyN(io.Discard, f, min(offset, size)); err == nil {
			data, err = io.ReadAll(io.LimitReader(f, n))
		}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("files: reading below: %w", err)
	}
	return data, size, nil
}

// info is the fs.FileInfo of an entry.
type info struct {
	name string
	e    entry
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return int64(len(i.e.data)) }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.e.kind == dir }
func (i info) Sys() any           { return nil }

func (i info) Mode() fs.FileMode {
	if i.IsDir() {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

// An openFile is a file that was written.
type openFile struct {
	bytes.Reader
	info fs.FileInfo
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

// An openDir is a directory.
type openDir struct {
	info fs.FileInfo
	list []fs.DirEntry
	at   int // how much of list has been read
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, pathError("read", d.info.Name(), errIsDir)
}

// ReadDir implements [fs.ReadDirFile].
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := d.list[d.at:]
	if n > 0 {
		if len(rest) == 0 {
			return nil, io.EOF
		}
		rest = rest[:min(n, len(rest))]
	}
	d.at += len(rest)
	return slices.Clone(rest), nil
}
