package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/snapshot/store"
)

// A world is what the workflow can act on.
type world struct {
	store store.Store // of the bank
	bank  time.Duration
	out   io.Writer
}

type (
	goods struct {
		Item  string `json:"item"`
		Count int    `json:"count"`
	}
	price struct {
		Total int `json:"total"` // €
	}
	question struct {
		Question string `json:"question"`
	}
	yesNo struct {
		Yes bool `json:"yes"`
	}
	payment struct {
		Amount int `json:"amount"` // €
	}
	receipt struct {
		Number string `json:"number"`
	}
)

func grants(w *world) (hostfuncs.Set, error) {
	return hostfuncs.NewSet(
		hostfuncs.New("shop.price", "What goods cost.", w.price),
		hostfuncs.New("person.ask", "Asks a person, who may take days to answer.", w.ask),
		hostfuncs.New("bank.pay", "Pays.", w.pay),
	)
}

func (w *world) price(_ context.Context, g goods) (price, error) {
	fmt.Fprintf(w.out, "Shop: %d × %s cost %d €.\n", g.Count, g.Item, 80*g.Count)
	return price{80 * g.Count}, nil
}

// ask leaves the answer to somebody else: see worker.wait. A program with users would send
// a mail here.
func (w *world) ask(context.Context, question) (yesNo, error) { return yesNo{}, hostfuncs.ErrLater }

// pay pays once for each call of the workflow, however often it is made: the key of the
// call is the same after a process has died.
func (w *world) pay(ctx context.Context, p payment) (r receipt, err error) {
	r.Number = rand.Text()[:6]
	b, err := json.Marshal(r)
	if err != nil {
		return r, err
	}
	key := "payments/" + hostfuncs.CallerOf(ctx).Key
	_, err = w.store.Put(ctx, key, b, store.Absent)
	switch {
	case err == nil:
		fmt.Fprintf(w.out, "Bank: %d € paid, receipt %s.\n", p.Amount, r.Number)
	case errors.Is(err, store.ErrConflict):
		if b, _, err = w.store.Get(ctx, key); err == nil {
			err = json.Unmarshal(b, &r)
		}
		fmt.Fprintf(w.out, "Bank: this was paid already, receipt %s.\n", r.Number)
	}
	select { // the way back is long enough for you to kill the process
	case <-time.After(w.bank):
	case <-ctx.Done():
		err = errors.Join(err, ctx.Err())
	}
	return r, err
}
