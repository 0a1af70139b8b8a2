package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/sporeengine/spore/snapshot/store"
)

// A session is parked in a directory, taken once and parked again.
func ExampleSessions() {
	dir, err := os.MkdirTemp("", "sessions-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	disk, err := store.OpenDir(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer disk.Close()
	key := store.Key{ID: 1}
	rand.Read(key.Secret[:]) // a server keeps its key where it keeps its other secrets
	sessions, err := store.NewSessions(store.SessionsConfig{Store: disk, Keys: []store.Key{key}})
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	token, err := sessions.Save(ctx, store.Record{Tenant: "acme", ID: "cart-7", Payload: []byte("one apple")})
	if err != nil {
		log.Fatal(err)
	}

	// Later, perhaps in another process:
	lease, err := sessions.Take(ctx, token, store.Want{Tenant: "acme"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = sessions.Take(ctx, token, store.Want{Tenant: "acme"})
	fmt.Println("a second time:", errors.Is(err, store.ErrTaken))

	session := lease.Record()
	session.Payload = append([]byte("a pear and "), session.Payload...)
	token, err = lease.Save(ctx, session)
	if err != nil {
		log.Fatal(err)
	}

	lease, err = sessions.Take(ctx, token, store.Want{Tenant: "acme"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("run %d: %s\n", lease.Generation(), lease.Record().Payload)
	// Output:
	// a second time: true
	// run 2: a pear and one apple
}
