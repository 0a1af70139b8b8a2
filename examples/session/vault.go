package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/snapshot"
	"github.com/sporeengine/spore/snapshot/store"
)

// lease is for how long a session belongs to a server that has died.
var lease = 5 * time.Second // a variable for tests

// A vault is what this server keeps on disk: sessions, sealed, and the components
// of which they are instances.
type vault struct {
	store    store.Store
	sessions *store.Sessions
}

// openVault opens the vault in a directory, which it makes if there is none.
func openVault(dir string) (*vault, error) {
	st, err := store.OpenDir(filepath.Join(dir, "store"))
	if err != nil {
		return nil, err
	}
	key, err := loadKey(filepath.Join(dir, "key"))
	if err != nil {
		return nil, err
	}
	sessions, err := store.NewSessions(store.SessionsConfig{Store: st, Keys: []store.Key{key}, Lease: lease, MaxSkew: lease / 5, MaxPayload: maxState})
	return &vault{st, sessions}, err
}

// loadKey reads the key from a file, which it makes if there is none. A server that
// is not an example keeps its key elsewhere than what the key protects.
func loadKey(path string) (key store.Key, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		b = make([]byte, store.KeyBytes)
		rand.Read(b) // never fails
		err = os.WriteFile(path, b, 0o600)
	}
	if err == nil && len(b) != store.KeyBytes {
		err = fmt.Errorf("%s has %d bytes, want %d", path, len(b), store.KeyBytes)
	}
	copy(key.Secret[:], b)
	return key, err
}

// keep stores a component, so that its sessions outlive the next version of it.
func (v *vault) keep(ctx context.Context, c *engine.Component) error {
	s, err := c.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		return err
	}
	_, err = v.store.Put(ctx, store.ImageKey(c.Digest()), b.Bytes(), store.Absent)
	if errors.Is(err, store.ErrConflict) {
		return nil // it is there
	}
	return err
}

// fetch is the reverse of keep, for engine.Config.
func (v *vault) fetch(ctx context.Context, d snapshot.Digest) (*snapshot.Snapshot, error) {
	b, _, err := v.store.Get(ctx, store.ImageKey(d))
	if err != nil {
		return nil, err
	}
	return snapshot.Read(bytes.NewReader(b))
}
