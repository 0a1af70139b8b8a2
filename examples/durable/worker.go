package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/snapshot"
	"github.com/sporeengine/spore/snapshot/store"
)

// lease is for how long an order belongs to a process that has died.
var lease = 10 * time.Second // a variable for tests

// orderID names the order in the store. A shop has one for each.
const orderID = "order"

// A worker takes orders out of the store, lets them go on, and puts them back.
type worker struct {
	eng      *engine.Engine
	workflow *engine.Component
	options  engine.Options
	sessions *store.Sessions
	out      io.Writer
}

// A step is how far an order has come.
type step struct {
	result  *engine.Result       // nil: it waits
	pending []engine.PendingCall // for this
}

// start makes an order and stores it as soon as it waits.
func (w *worker) start(ctx context.Context, order any) (step, error) {
	in, err := w.workflow.Open(ctx, &w.options)
	if err != nil {
		return step{}, err
	}
	defer in.Close()
	r, err := in.Call(ctx, "order", order)
	return w.keep(ctx, in, r, err, func(b []byte) error {
		_, err := w.sessions.Save(ctx, store.Record{Tenant: w.workflow.Name(), ID: orderID, Component: w.workflow.Digest(), Payload: b})
		return err
	})
}

// goOn takes the order, gives it an answer if there is one, lets it go on until it waits
// again, and stores it. If the process dies meanwhile, the next finds the order as it was
// stored last, and calls of the host come again with the keys that they had.
func (w *worker) goOn(ctx context.Context, number uint32, answer any) (s step, err error) {
	l, err := w.take(ctx)
	if err != nil {
		return s, err
	}
	ctx, cancel := context.WithDeadline(ctx, l.Until())
	defer cancel()
	d, err := snapshot.ParseDelta(l.Record().Payload, store.DefaultMaxPayload)
	if err != nil {
		return s, err
	}
	in, err := w.eng.Resume(ctx, d, &w.options)
	if err != nil {
		return s, err
	}
	defer in.Close()
	if answer != nil {
		if err := in.Answer(ctx, number, answer, nil); err != nil {
			return s, err
		}
		b, err := state(ctx, in)
		if err != nil {
			return s, err
		}
		if err := l.Checkpoint(ctx, b); err != nil { // from here on the answer counts
			return s, err
		}
	}
	r, err := in.Continue(ctx)
	s, err = w.keep(ctx, in, r, err, func(b []byte) error {
		_, err := l.Save(ctx, store.Record{Component: in.Component().Digest(), Payload: b})
		return err
	})
	if s.result != nil {
		err = l.Delete(ctx)
	}
	return s, err
}

// keep looks at what a call returned. If the order waits, it is saved.
func (w *worker) keep(ctx context.Context, in *engine.Instance, r *engine.Result, err error, save func([]byte) error) (s step, _ error) {
	if err == nil {
		fmt.Fprintln(w.out, r.Text())
		return step{result: r}, nil
	}
	if !errors.Is(err, engine.ErrSuspended) {
		return s, err
	}
	if s.pending, err = in.Pending(ctx); err != nil {
		return s, err
	}
	b, err := state(ctx, in)
	if err != nil {
		return s, err
	}
	return s, save(b)
}

// state returns what an instance is, as bytes.
func state(ctx context.Context, in *engine.Instance) ([]byte, error) {
	d, err := in.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return d.MarshalBinary()
}

// take takes the order from the store. If a process that was killed had it, take waits until its lease has ended.
func (w *worker) take(ctx context.Context) (*store.Lease, error) {
	for said := false; ; said = true {
		token, err := w.sessions.Recover(ctx, w.workflow.Name(), orderID)
		if err == nil {
			return w.sessions.Take(ctx, token, store.Want{Tenant: w.workflow.Name()})
		}
		if !errors.Is(err, store.ErrTaken) {
			return nil, err
		}
		if !said {
			fmt.Fprintln(w.out, "Somebody is working on the order, or has died. Waiting.")
		}
		time.Sleep(50 * time.Millisecond)
	}
}
