package engine

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// DefaultCacheDir returns the directory for Config.CacheDir that suits a
// program of its own: "spore" in the user's cache directory.
func DefaultCacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("engine: no cache directory: %w", err)
	}
	return filepath.Join(dir, "spore"), nil
}

// A cache is a private directory of files and directories that are written
// once: each is made under a temporary name and then renamed, so that several
// processes can share it and none ever sees half of an entry.
//
// A cache only saves time. Its methods report trouble to the log and go on as
// if the entry did not exist.
type cache struct {
	dir string // empty: no cache
	log *slog.Logger
}

// openCache makes sure that dir exists and is private.
func openCache(dir string, log *slog.Logger) *cache {
	c := &cache{log: log}
	if dir == "" {
		return c
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = checkPrivate(dir)
	}
	if err != nil {
		c.warn("cache directory cannot be used, going on without", dir, err)
		return c
	}
	c.dir = dir
	return c
}

func (c *cache) warn(what, path string, err error) {
	c.log.Warn("spore: "+what, slog.String("path", path), slog.Any("error", err))
}

// path returns the path of an entry, or "" without a cache.
func (c *cache) path(name string) string {
	if c.dir == "" {
		return ""
	}
	return filepath.Join(c.dir, name)
}

// read calls use with the path of entry name, if it exists, and reports
// whether that went well. An entry that use refuses is removed.
func (c *cache) read(name string, use func(path string) error) bool {
	path := c.path(name)
	if path == "" {
		return false
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return false
	}
	err := use(path)
	if err == nil {
		return true
	}
	c.warn("cache entry cannot be used, building it anew", path, err)
	if err := os.RemoveAll(path); err != nil {
		c.warn("cache entry cannot be removed", path, err)
	}
	return false
}

// write makes the file entry name from what fill writes.
func (c *cache) write(name string, fill func(io.Writer) error) {
	path := c.path(name)
	if path == "" {
		return
	}
	if err := writeFile(path, fill); err != nil {
		c.warn("cache entry cannot be written", path, err)
	}
}

// writeFile makes the file at path whole or not at all.
func writeFile(path string, fill func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "tmp-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	err = fill(w)
	if err == nil {
		err = w.Flush()
	}
	err = errors.Join(err, f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// manifestName is the file in a directory entry that lists the others.
const manifestName = "MANIFEST"

// writeDir makes the directory entry name from what fill puts into the
// directory that it is given. The error is that of fill. Without a cache fill
// gets an empty name.
func (c *cache) writeDir(name string, fill func(dir string) error) error {
	path := c.path(name)
	if path == "" {
		return fill("")
	}
	tmp, err := os.MkdirTemp(c.dir, "tmp-*")
	if err != nil {
		c.warn("cache entry cannot be written", path, err)
		return fill("")
	}
	defer os.RemoveAll(tmp) // what Rename has moved is no longer there
	if err := fill(tmp); err != nil {
		// The cause may be the directory, for example a full disk.
		c.warn("cache entry cannot be written", path, err)
		return fill("")
	}
	err = writeManifest(tmp)
	if err == nil {
		// A directory that is in the way came from another process, and is as good.
		if err = os.Rename(tmp, path); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	if err != nil {
		c.warn("cache entry cannot be written", path, err)
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// writeManifest lists the files under dir with their sizes and checksums.
func writeManifest(dir string) error {
	lines, err := manifest(dir)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, manifestName), []byte(lines), 0o600)
}

// checkManifest compares the files under dir with its manifest. It finds
// accidents, not attacks: who can write to the cache can write the manifest.
func checkManifest(dir string) error {
	want, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return err
	}
	got, err := manifest(dir)
	if err != nil {
		return err
	}
	if got != string(want) {
		return errors.New("files do not match their checksums")
	}
	return nil
}

func manifest(dir string) (string, error) {
	var lines strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == manifestName {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		sum := crc32.New(castagnoli)
		n, err := io.Copy(sum, f)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%08x %d %s\n", sum.Sum32(), n, filepath.ToSlash(rel))
		return nil
	})
	return lines.String(), err
}
