package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sporeengine/spore/gpu"
	"github.com/sporeengine/spore/gpu/tensor"
)

// deadlyBytes is the length of the input that kills a worker.
const deadlyBytes = 1

var deadly = must(func(b *tensor.Builder) tensor.Value {
	x := b.Input(tensor.Uint8, deadlyBytes)
	return b.Apply(tensor.Add, nil, x, x)
})

// recovery measures from the death of a worker to the next call that succeeds.
func recovery(rounds int) error {
	for _, standby := range []bool{false, true} {
		p, err := newPool(gpu.Config{Standby: standby})
		if err != nil {
			return err
		}
		defer p.Close()
		e, in := inProcess{p.For("a")}, make([]byte, small)
		var took times
		for range rounds * 2 {
			for !standby || p.Stats().Standby == 0 { // the one that is there has answered
				if _, err := e.evaluate(context.Background(), in); err != nil {
					return err
				}
				if !standby {
					break
				}
			}
			// The death is part of what is measured: it takes some hundred microseconds until it is noticed.
			err := took.add(1, func() error {
				err := p.For("a").Eval(context.Background(), deadly, [][]byte{{0}}, nil, [][]byte{{0}})
				if !errors.Is(err, gpu.ErrUnavailable) {
					return fmt.Errorf("the worker lives: %v", err)
				}
				_, err = e.evaluate(context.Background(), in)
				return err
			})
			if err != nil {
				return err
			}
		}
		fmt.Printf("worker kills itself to next good call, standby %-5v: %v\n", standby, took)
	}
	return nil
}
