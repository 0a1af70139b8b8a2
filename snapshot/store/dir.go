package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sporeengine/spore/snapshot/store/internal/entry"
)

// A Dir is a store in a directory of a local disk, which any number of processes
// may use at once. What it acknowledges survives kill -9 and a loss of power, as
// far as the disk does what it is told.
//
// Not on a network file system: what their locks are worth depends on the
// server.
type Dir struct {
	root   string
	closed atomic.Bool

	// slots bounds the calls that use the disk at once, each of which holds a
	// descriptor or two and, while it waits for the disk, a thread.
	slots chan struct{}

	// ready says which shards are known to exist on disk.
	ready [shards]atomic.Bool
}

// A Dir's directory holds:
//
//	objects/abc/KEY   the entry of a key, '/' in it written as '+'
//	locks/abc         empty: who changes something in objects/abc holds its lock
//	tmp/abc           the file that the holder of the lock is writing
//
// A shard, abc, is three hexadecimal digits of the key's SHA-256. With a million
// keys there are some 250 files in a directory.
const (
	shardDigits = 3
	shards      = 1 << (4 * shardDigits)
	objects     = "objects"
	locks       = "locks"
	tmp         = "tmp"
	dirSlots    = 64
)

// OpenDir opens the store in the directory at path, which it makes if it does
// not exist, readable by its owner only. A directory that someone else could
// write to is refused. What crashed processes have left half-written is removed.
func OpenDir(path string) (*Dir, error) {
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	d := &Dir{root: root, slots: make(chan struct{}, dirSlots)}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := checkPrivate(root); err != nil {
		return nil, fmt.Errorf("store: %s: %w", root, err)
	}
	for _, name := range []string{objects, locks, tmp} {
		if err := os.MkdirAll(filepath.Join(root, name), 0o700); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
	}
	// The names of the directories must be on disk before an entry can be.
	if err := syncDir(root); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	syncDir(filepath.Dir(root)) // which need not be readable, if root was there before
	if err := d.clean(); err != nil {
		return nil, err
	}
	return d, nil
}

// clean removes the temporary files that nobody is writing.
func (d *Dir) clean() error {
	left, err := os.ReadDir(filepath.Join(d.root, tmp))
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for _, e := range left {
		if len(e.Name()) != shardDigits {
			continue // not ours
		}
		unlock, err := d.tryLock(e.Name())
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		if unlock == nil {
			continue // someone is at work
		}
		err = os.Remove(filepath.Join(d.root, tmp, e.Name()))
		unlock()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("store: %w", err)
		}
	}
	return nil
}

// A location is where the entry of a key is.
type location struct {
	key   string
	shard string // its three digits
	index int    // and as a number
	path  string
}

func (d *Dir) locate(key string) location {
	sum := sha256.Sum256([]byte(key))
	index := int(sum[0])<<4 | int(sum[1])>>4
	shard := fmt.Sprintf("%03x", index)
	return location{key, shard, index, filepath.Join(d.root, objects, shard, strings.ReplaceAll(key, "/", "+"))}
}

// enter begins a call, and leave ends it.
func (d *Dir) enter(ctx context.Context) (leave func(), err error) {
	if d.closed.Load() {
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case d.slots <- struct{}{}:
		return func() { <-d.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// tryLock locks a shard, or returns nil if someone else, in this process or in
// another, has it. The system gives the lock back if the process ends.
func (d *Dir) tryLock(shard string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(d.root, locks, shard), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if ok, err := tryLockFile(f); !ok {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// lock locks a shard. It asks again and again, rather than wait in the system,
// where it could not be called back.
func (d *Dir) lock(ctx context.Context, shard string) (unlock func(), err error) {
	for wait := 100 * time.Microsecond; ; wait = min(2*wait, 10*time.Millisecond) {
		if unlock, err := d.tryLock(shard); unlock != nil || err != nil {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// Get implements [Store].
func (d *Dir) Get(ctx context.Context, key string) ([]byte, Version, error) {
	if err := CheckKey(key); err != nil {
		return nil, Absent, err
	}
	leave, err := d.enter(ctx)
	if err != nil {
		return nil, Absent, err
	}
	defer leave()
	at := d.locate(key)
	if lockReads {
		unlock, err := d.lock(ctx, at.shard)
		if err != nil {
			return nil, Absent, dirError(key, err)
		}
		defer unlock()
	}
	b, err := readEntry(at.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Absent, fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	if err != nil {
		return nil, Absent, dirError(key, err)
	}
	version := Version(entry.Version(b))
	data, err := entry.Decode(key, b)
	if err != nil {
		return nil, version, fmt.Errorf("%w: %s: %w", ErrCorrupt, key, err)
	}
	return data, version, nil
}

// readEntry reads a file, and of one that is too long no more than is needed to
// see it.
func readEntry(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, min(info.Size(), entry.HeaderBytes+MaxValueBytes+1))
	n, err := io.ReadFull(f, b)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil // it has shrunk, which the checksum will tell
	}
	return b[:n], err
}

// version returns the version of the entry at path, Absent if there is none.
func (at location) version() (Version, error) {
	f, err := os.Open(at.path)
	if errors.Is(err, fs.ErrNotExist) {
		return Absent, nil
	}
	if err != nil {
		return Absent, err
	}
	defer f.Close()
	b := make([]byte, entry.HeaderBytes)
	n, err := io.ReadFull(f, b)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return Absent, err
	}
	return Version(entry.Version(b[:n])), nil
}

// Put implements [Store].
func (d *Dir) Put(ctx context.Context, key string, data []byte, ifVersion Version) (Version, error) {
	if err := checkPut(key, data); err != nil {
		return Absent, err
	}
	head := entry.Header(key, data)
	err := d.change(ctx, key, func(at location, is Version) error {
		if is != ifVersion {
			return fmt.Errorf("%w: %s", ErrConflict, key)
		}
		if err := d.makeShard(at); err != nil {
			return dirError(key, err)
		}
		temp := filepath.Join(d.root, tmp, at.shard)
		err := writeFile(temp, head, data)
		if err == nil {
			err = rename(temp, at.path)
		}
		if err != nil {
			os.Remove(temp)
			return dirError(key, err)
		}
		return nil
	})
	if err != nil {
		return Absent, err
	}
	return Version(entry.Version(head)), nil
}

// Delete implements [Store].
func (d *Dir) Delete(ctx context.Context, key string, ifVersion Version) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	return d.change(ctx, key, func(at location, is Version) error {
		if is == Absent {
			return fmt.Errorf("%w: %s", ErrNotFound, key)
		}
		if is != ifVersion {
			return fmt.Errorf("%w: %s", ErrConflict, key)
		}
		return dirError(key, remove(at.path, filepath.Join(d.root, tmp, at.shard)))
	})
}

// change calls f, which changes the entry of key, with the lock on it and with
// the version that it has. Then it waits until that is on disk.
func (d *Dir) change(ctx context.Context, key string, f func(at location, is Version) error) error {
	leave, err := d.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	at := d.locate(key)
	unlock, err := d.lock(ctx, at.shard)
	if err != nil {
		return dirError(key, err)
	}
	defer unlock()
	is, err := at.version()
	if err != nil {
		return dirError(key, err)
	}
	if err := f(at, is); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(at.path)); err != nil {
		// It is never ErrFull: the change can be seen already.
		return fmt.Errorf("store: %s: %w", key, err)
	}
	return nil
}

// makeShard makes the directory of an entry, and sees to it that its name is on
// disk, which another process that made it may not have got to.
func (d *Dir) makeShard(at location) error {
	if d.ready[at.index].Load() {
		return nil
	}
	if err := os.Mkdir(filepath.Dir(at.path), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := syncDir(filepath.Join(d.root, objects)); err != nil {
		return err
	}
	d.ready[at.index].Store(true)
	return nil
}

// writeFile writes a file and waits until it is on disk.
func writeFile(path string, parts ...[]byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	for _, b := range parts {
		if _, err = f.Write(b); err != nil {
			break
		}
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// dirError makes the error of a system call one of the store, if it is one.
func dirError(key string, err error) error {
	if err == nil {
		return nil
	}
	if isFull(err) {
		return fmt.Errorf("%w: %s: %w", ErrFull, key, err)
	}
	return fmt.Errorf("store: %s: %w", key, err)
}

// List implements [Store].
func (d *Dir) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		dirs, err := d.readDir(ctx, filepath.Join(d.root, objects))
		for _, shard := range dirs {
			if !shard.IsDir() {
				continue
			}
			var files []fs.DirEntry
			if files, err = d.readDir(ctx, filepath.Join(d.root, objects, shard.Name())); err != nil {
				break
			}
			for _, file := range files {
				key := strings.ReplaceAll(file.Name(), "+", "/")
				if !strings.HasPrefix(key, prefix) || CheckKey(key) != nil {
					continue
				}
				info, err := file.Info()
				if err != nil || !info.Mode().IsRegular() {
					continue // it has gone meanwhile, or is not ours
				}
				if !yield(Info{Key: key, Size: info.Size(), Modified: info.ModTime()}, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(Info{}, err)
		}
	}
}

func (d *Dir) readDir(ctx context.Context, path string) ([]fs.DirEntry, error) {
	leave, err := d.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return entries, nil
}

// Close implements [Store].
func (d *Dir) Close() error {
	d.closed.Store(true)
	return nil
}
