package cuda

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// A diskCache keeps compiled kernels for the next process, each in a file named by a hash of all that it is made from. The zero value keeps nothing. Its
// methods may be called by many goroutines and processes at the same time. Its directory must not be writable by others:
// what is found there is run.
type diskCache struct {
	dir   string
	limit int64 // bytes
}

// cacheMagic is the first line of an entry; the hash of its key and of its code follow, and the code.
const cacheMagic = "spore kernel 1\n"

// cacheKey names a kernel: what it was compiled from, for what and by what.
type cacheKey [sha256.Size]byte

func keyOf(source, arch, compiler string) cacheKey {
	h := sha256.New()
	for _, s := range []string{arch, compiler, source} {
		sum := sha256.Sum256([]byte(s)) // so that no part can pass for another
		h.Write(sum[:])
	}
	return cacheKey(h.Sum(nil))
}

// open makes the directory, if it is not there. One that others can write to is refused: they could have this process run their code.
func (c *diskCache) open() error {
	if c.dir == "" {
		return nil
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return fmt.Errorf("cuda: cache: %w", err)
	}
	info, err := os.Stat(c.dir)
	if err != nil {
		return fmt.Errorf("cuda: cache: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("cuda: cache: %s can be written to by others (%s)", c.dir, info.Mode().Perm())
	}
	c.prune()
	return nil
}

// path returns the file of an entry.
func (c *diskCache) path(k cacheKey) string { return filepath.Join(c.dir, hex.EncodeToString(k[:])) }

// get returns what was kept, nil if there is nothing or it is damaged.
func (c *diskCache) get(k cacheKey) []byte {
	if c.dir == "" {
		return nil
	}
	b, err := os.ReadFile(c.path(k))
	if err != nil {
		return nil
	}
	code, ok := parseEntry(k, b)
	if !ok {
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(c.path(k), now, now) // only for prune's sake
	return code
}

// parseEntry checks the contents of a file.
func parseEntry(k cacheKey, b []byte) (code []byte, ok bool) {
	b, ok = bytes.CutPrefix(b, []byte(cacheMagic))
	if !ok || len(b) < 2*sha256.Size {
		return nil, false
	}
	key, sum, code := b[:sha256.Size], b[sha256.Size:2*sha256.Size], b[2*sha256.Size:]
	got := sha256.Sum256(code)
	if len(code) == 0 || !bytes.Equal(key, k[:]) || !bytes.Equal(sum, got[:]) {
		return nil, false
	}
	return code, true
}

// put keeps code. A failure costs time only, so it is not reported.
func (c *diskCache) put(k cacheKey, code []byte) {
	if c.dir == "" {
		return
	}
	f, err := os.CreateTemp(c.dir, ".new-*")
	if err != nil {
		return
	}
	sum := sha256.Sum256(code)
	_, err = f.Write(slices.Concat([]byte(cacheMagic), k[:], sum[:], code))
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), c.path(k)) // whole or not at all
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
}

// prune removes the files that were not used for the longest time until the rest keeps to the limit.
func (c *diskCache) prune() {
	if c.dir == "" {
		return
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	var files []fs.FileInfo
	total := int64(0)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files = append(files, info)
			total += info.Size()
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, f := range files {
		if total <= c.limit {
			return
		}
		if os.Remove(filepath.Join(c.dir, f.Name())) == nil {
			total -= f.Size()
		}
	}
}
