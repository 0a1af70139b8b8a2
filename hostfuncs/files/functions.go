package files

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/sporeengine/spore/hostfuncs"
)

// Codes of errors that guests get, beside [hostfuncs.CodeInvalid], [hostfuncs.CodeQuota] and
// [hostfuncs.CodeDenied].
const (
	CodeNotFound = "not_found"
	CodeExists   = "exists" // something else is there, or in the directory
)

// Bounds of one call.
const (
	maxRead = 1 << 20 // bytes that files.read returns
	maxList = 1000    // entries that files.list returns
)

type readArgument struct {
	Path   string `json:"path"`
	Offset int64  `json:"offset,omitempty" jsonschema:"in bytes"`
	Length int64  `json:"length,omitempty" jsonschema:"in bytes, at most and by default 1 MiB"`
	Binary bool   `json:"binary,omitempty" jsonschema:"the contents are wanted as bytes"`
}

type readResult struct {
	Text  string           `json:"text" jsonschema:"as UTF-8, empty if it is in bytes"`
	Bytes *hostfuncs.Bytes `json:"bytes,omitempty" jsonschema:"the contents if binary was asked for"`
	Next  int64            `json:"next" jsonschema:"offset of what follows; the size at the end"`
	Size  int64            `json:"size" jsonschema:"of the file, in bytes"`
}

type writeArgument struct {
	Path   string          `json:"path"`
	Text   string          `json:"text,omitempty"`
	Bytes  hostfuncs.Bytes `json:"bytes,omitempty" jsonschema:"binary contents, instead of text"`
	Append bool            `json:"append,omitempty" jsonschema:"add to the file's end"`
}

type writeResult struct {
	Size int64 `json:"size" jsonschema:"of the file, in bytes"`
}

type listArgument struct {
	Path  string `json:"path,omitempty" jsonschema:"a directory; the workspace itself if there is none"`
	After string `json:"after,omitempty" jsonschema:"the last name of the list before"`
	Limit int    `json:"limit,omitempty" jsonschema:"at most and by default 1000"`
}

type listResult struct {
	Entries []listEntry `json:"entries" jsonschema:"ordered by name"`
	More    bool        `json:"more" jsonschema:"there are more entries"`
}

type listEntry struct {
	Name string `json:"name"`
	Dir  bool   `json:"dir"`
	Size int64  `json:"size" jsonschema:"of a file, in bytes"`
}

type pathArgument struct {
	Path string `json:"path"`
}

type statResult struct {
	Dir  bool  `json:"dir"`
	Size int64 `json:"size" jsonschema:"of a file, in bytes"`
}

type removeArgument struct {
	Path      string `json:"path"`
	Recursive bool   `json:"recursive,omitempty" jsonschema:"a directory with all that is in it"`
}

type renameArgument struct {
	From string `json:"from"`
	To   string `json:"to" jsonschema:"a file there is replaced"`
}

// Functions returns files.read, list, stat, write, mkdir, remove and rename on o. For a workspace that is only read,
// put the first three into the set.
func (o *Overlay) Functions() []hostfuncs.Func {
	const paths = " Paths are relative, such as data/a.csv, without . and .. elements."
	return []hostfuncs.Func{
		hostfuncs.New("files.read", "Reads a file, or a part of one."+paths, o.guestRead),
		hostfuncs.New("files.list", "Lists a directory."+paths, o.guestList),
		hostfuncs.New("files.stat", "Tells whether a path is a directory, and how large a file is.",
			func(_ context.Context, q pathArgument) (statResult, error) {
				i, err := o.Stat(q.Path)
				if err != nil {
					return statResult{}, guestError(err)
				}
				return statResult{i.IsDir(), sizeOf(i)}, nil
			}),
		hostfuncs.New("files.write", "Writes a file, and makes the directories above it."+paths,
			func(_ context.Context, q writeArgument) (writeResult, error) {
				if q.Text != "" && q.Bytes != nil {
					return writeResult{}, hostfuncs.Errorf(hostfuncs.CodeInvalid, "there are both text and bytes")
				}
				data := q.Bytes
				if q.Text != "" {
					data = []byte(q.Text)
				}
				size, err := o.write(q.Path, data, q.Append)
				return writeResult{size}, guestError(pathError("write", q.Path, err))
			}),
		hostfuncs.New("files.mkdir", "Makes a directory, and those above it. It may be there already.",
			func(_ context.Context, q pathArgument) (struct{}, error) {
				return struct{}{}, guestError(o.Mkdir(q.Path))
			}),
		hostfuncs.New("files.remove", "Removes a file or an empty directory.",
			func(_ context.Context, q removeArgument) (struct{}, error) {
				if q.Recursive {
					return struct{}{}, guestError(o.RemoveAll(q.Path))
				}
				return struct{}{}, guestError(o.Remove(q.Path))
			}),
		hostfuncs.New("files.rename", "Moves a file. Directories cannot be moved.",
			func(_ context.Context, q renameArgument) (struct{}, error) {
				return struct{}{}, guestError(o.Rename(q.From, q.To))
			}),
	}
}

func (o *Overlay) guestRead(_ context.Context, q readArgument) (readResult, error) {
	if q.Offset < 0 || q.Length < 0 {
		return readResult{}, hostfuncs.Errorf(hostfuncs.CodeInvalid, "offset or length is negative")
	}
	if !fs.ValidPath(q.Path) {
		return readResult{}, guestError(pathError("read", q.Path, fs.ErrInvalid))
	}
	if q.Length == 0 || q.Length > maxRead {
		q.Length = maxRead
	}
	o.mu.RLock()
	data, size, err := o.read(q.Path, q.Offset, q.Length)
	o.mu.RUnlock()
	if err != nil {
		return readResult{}, guestError(pathError("read", q.Path, err))
	}
	if q.Binary {
		return readResult{Bytes: &data, Next: q.Offset + int64(len(data)), Size: size}, nil
	}
	if q.Offset+int64(len(data)) < size {
		data = wholeCharacters(data)
	}
	return readResult{Text: strings.ToValidUTF8(string(data), "\ufffd"), Next: q.Offset + int64(len(data)), Size: size}, nil
}

// wholeCharacters returns b without a character at its end of which something is missing, unless there is
// nothing else.
func wholeCharacters(b []byte) []byte {
	for i := len(b) - 1; i > 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return b[:i]
			}
			break
		}
	}
	return b
}

func (o *Overlay) guestList(_ context.Context, q listArgument) (listResult, error) {
	if q.Path == "" {
		q.Path = "."
	}
	if q.Limit <= 0 || q.Limit > maxList {
		q.Limit = maxList
	}
	list, err := o.ReadDir(q.Path)
	if err != nil {
		return listResult{}, guestError(err)
	}
	r := listResult{Entries: []listEntry{}}
	for _, d := range list {
		if d.Name() <= q.After {
			continue
		}
		if len(r.Entries) == q.Limit {
			r.More = true
			break
		}
		// What a link leads to, as the guest will find it; what cannot be read is left out.
		i, err := o.Stat(path.Join(q.Path, d.Name()))
		if err != nil {
			continue
		}
		r.Entries = append(r.Entries, listEntry{d.Name(), i.IsDir(), sizeOf(i)})
	}
	return r, nil
}

// sizeOf is the size of a file. That of a directory means nothing.
func sizeOf(i fs.FileInfo) int64 {
	if i.IsDir() {
		return 0
	}
	return i.Size()
}

// guestError returns what a guest may know of an error: its own path, and why in words of this package. What the
// file system below says stays with the host.
func guestError(err error) error {
	e, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return err
	}
	for _, c := range []struct {
		err  error
		code string
		text string
	}{
		{fs.ErrNotExist, CodeNotFound, "does not exist"},
		{fs.ErrInvalid, hostfuncs.CodeInvalid, "is not a path inside the workspace"},
		{fs.ErrPermission, hostfuncs.CodeDenied, "may not be read"},
		{fs.ErrExist, CodeExists, "is a file"},
		{ErrQuota, hostfuncs.CodeQuota, "does not fit: the quota is used up"},
		{errNotEmpty, CodeExists, errNotEmpty.Error()},
		{errIsDir, hostfuncs.CodeInvalid, errIsDir.Error()},
		{errNotDir, hostfuncs.CodeInvalid, errNotDir.Error()},
		{errInWay, hostfuncs.CodeInvalid, errInWay.Error()},
		{errNotFile, hostfuncs.CodeDenied, errNotFile.Error()},
		{errCharacter, hostfuncs.CodeInvalid, errCharacter.Error()},
		{errLong, hostfuncs.CodeInvalid, errLong.Error()},
	} {
		if errors.Is(e.Err, c.err) {
			return hostfuncs.Errorf(c.code, "%.200q %s", e.Path, c.text)
		}
	}
	return err
}
