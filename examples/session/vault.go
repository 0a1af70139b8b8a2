package main

import (
	"context"
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
	key, err := store.KeyFile(filepath.Join(dir, "key")) // a server that is not an example keeps it elsewhere
	if err != nil {
		return nil, err
	}
	sessions, err := store.NewSessions(store.SessionsConfig{Store: st, Keys: []store.Key{key}, Lease: lease, MaxSkew: lease / 5, MaxPayload: maxState})
	return &vault{st, sessions}, err
}

// keep stores a component, so that its sessions outlive the next version of it.
func (v *vault) keep(ctx context.Context, c *engine.Component) error {
	s, err := c.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	return store.PutImage(ctx, v.store, s)
}

// fetch is the reverse of keep, for engine.Config.
func (v *vault) fetch(ctx context.Context, d snapshot.Digest) (*snapshot.Snapshot, error) {
	return store.GetImage(ctx, v.store, d)
}
