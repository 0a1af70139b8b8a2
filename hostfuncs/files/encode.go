package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
)

// ErrFormat is the error of bytes that [Overlay.MarshalBinary] did not write, or whose files do
// not fit the quota or what is below.
var ErrFormat = errors.New("files: bad overlay")

// magic begins an encoded overlay; its last byte is the version of the format. Behind it are the number of
// entries and the entries, ordered by path: kind, path, and the contents of files. Numbers are unsigned
// varints, and stand before what they are the length of.
const magic = "SPFS\x01"

// MarshalBinary returns what was written and removed, without what is below. Equal overlays have equal
// bytes. They are not authenticated: whoever can change them can change the files.
func (o *Overlay) MarshalBinary() ([]byte, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	b := make([]byte, 0, o.bytes+64*int64(len(o.entries)))
	b = binary.AppendUvarint(append(b, magic...), uint64(len(o.entries)))
	for _, name := range slices.Sorted(maps.Keys(o.entries)) {
		e := o.entries[name]
		b = append(b, byte(e.kind))
		b = append(binary.AppendUvarint(b, uint64(len(name))), name...)
		if e.kind == file {
			b = append(binary.AppendUvarint(b, uint64(len(e.data))), e.data...)
		}
	}
	return b, nil
}

// UnmarshalBinary replaces all that was written to o, which [New] has made, by what MarshalBinary returned. What is below must be what was
// below then, at least have the directories that were written to. The quota of o holds. An error matches [ErrFormat], and o
// is as before.
func (o *Overlay) UnmarshalBinary(b []byte) error {
	rest, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok {
		return fmt.Errorf("%w: it does not begin as one of this version", ErrFormat)
	}
	r := reader{rest}
	n := r.number()
	c := &Overlay{base: o.base, quota: o.quota, entries: map[string]entry{}}
	last := ""
	for ; n > 0 && r.rest != nil; n-- {
		e := entry{kind: kind(r.byte())}
		name := string(r.bytes(uint64(o.quota.Path)))
		if e.kind == file {
			e.data = bytes.Clone(r.bytes(uint64(o.quota.Bytes - c.bytes)))
		}
		if r.rest == nil {
			break
		}
		if err := c.check(name, e, last); err != nil {
			return fmt.Errorf("%w: entry %.100q: %w", ErrFormat, name, err)
		}
		if len(c.entries) >= o.quota.Entries {
			return fmt.Errorf("%w: %w", ErrFormat, ErrQuota)
		}
		c.entries[name], c.bytes, last = e, c.bytes+int64(len(e.data)), name
	}
	if n > 0 || r.rest == nil || len(r.rest) > 0 {
		return fmt.Errorf("%w: truncated, too large or with something behind it", ErrFormat)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.entries, o.bytes = c.entries, c.bytes
	return nil
}

// check makes sure that an entry, which comes behind the one named last, could have been made in o.
func (o *Overlay) check(name string, e entry, last string) error {
	if err := o.checkWritable(name); err != nil {
		return err
	}
	if name <= last {
		return errors.New("is not in order")
	}
	if e.kind > dir {
		return errors.New("is of no kind")
	}
	// Above an entry are only directories, and behind one that was made here all is made here.
	above := path.Dir(name)
	if i, err := o.stat(above); err != nil {
		return fmt.Errorf("directory %q: %w", above, err)
	} else if !i.IsDir() {
		return errInWay
	}
	if _, ok := o.find(above); ok && e.kind == removed {
		return errors.New("is removed from nothing")
	}
	return nil
}

// A reader reads from bytes. Once something was not there, rest is nil.
type reader struct{ rest []byte }

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.rest = nil
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// number reads an unsigned varint in its shortest form.
func (r *reader) number() uint64 {
	n, length := binary.Uvarint(r.rest)
	if length <= 0 || length > 1 && r.rest[length-1] == 0 {
		r.rest = nil
		return 0
	}
	r.rest = r.rest[length:]
	return n
}

// bytes reads a number, which is at most most, and as many bytes.
func (r *reader) bytes(most uint64) []byte {
	n := r.number()
	if n > most || n > uint64(len(r.rest)) {
		r.rest = nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
