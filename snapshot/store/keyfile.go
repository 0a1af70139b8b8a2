package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// KeyFile reads a key, number 0, from a file of [KeyBytes] bytes. If there is none it makes one with a new key, which only
// its owner may read, and in which no other process finds less than the whole key. A key belongs elsewhere than what it protects: whoever can
// read both can read the sessions.
func KeyFile(path string) (Key, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = newKeyFile(path); err == nil {
			b, err = os.ReadFile(path) // another process may have been first
		}
	}
	if err != nil {
		return Key{}, fmt.Errorf("store: key: %w", err)
	}
	if len(b) != KeyBytes {
		return Key{}, fmt.Errorf("store: key: %s has %d bytes, want %d", path, len(b), KeyBytes)
	}
	return Key{Secret: [KeyBytes]byte(b)}, nil
}

// newKeyFile makes the file, or leaves the one that has come there meanwhile.
func newKeyFile(path string) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".key-") // for its owner only
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(tmp.Name())) }()
	secret := make([]byte, KeyBytes)
	rand.Read(secret) // never fails
	_, err = tmp.Write(secret)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}
