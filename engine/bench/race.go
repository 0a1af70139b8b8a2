package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"time"
)

// A contender does the work of a race in its own way.
type contender struct {
	name  string
	state string // what is left of the work before: fresh, kept, or neither
	batch int    // samples a round
	// run does the work n times and checks what comes out, outside the time
	// that it returns.
	run   func(ctx context.Context, n int) (samples, error)
	close func() error // nil: nothing to close

	took samples
}

const (
	fresh = "fresh"
	kept  = "kept"
)

// each makes a contender's run of a function that does the work once, and
// checks that the function returns want.
func each(want string, work func(ctx context.Context) (string, error)) func(context.Context, int) (samples, error) {
	return func(ctx context.Context, n int) (samples, error) {
		s := make(samples, 0, n)
		for range n {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			start := time.Now()
			got, err := work(ctx)
			took := time.Since(start)
			if err != nil {
				return nil, err
			}
			if err := compare(got, want); err != nil {
				return nil, err
			}
			s = append(s, took)
		}
		return s, nil
	}
}

func compare(got, want string) error {
	if got != want {
		return fmt.Errorf("wrong output:\n got %q\nwant %q", got, want)
	}
	return nil
}

// race lets the contenders take turns, so that a slow moment of the machine
// hits all of them, and keeps their samples. A first round, not counted, warms
// them up. The garbage of one contender is collected before the next has its
// turn, so that each pays for its own.
func race(ctx context.Context, rounds int, contenders []*contender) error {
	for round := -1; round < rounds; round++ {
		for _, c := range contenders {
			runtime.GC()
			s, err := c.run(ctx, c.batch)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if round >= 0 {
				c.took = append(c.took, s...)
			}
		}
	}
	return nil
}

// control is a contender whose work never changes: by how much its times
// differ is the noise of the machine.
func control(batch int) *contender {
	data := make([]byte, 64<<10)
	want := fmt.Sprintf("%x", sha256.Sum256(data))
	return &contender{
		name:  "control: SHA-256 of 64 KiB in Go",
		batch: batch,
		run: each(want, func(context.Context) (string, error) {
			return fmt.Sprintf("%x", sha256.Sum256(data)), nil
		}),
	}
}

func closeAll(contenders []*contender) (err error) {
	for _, c := range contenders {
		if c.close == nil {
			continue
		}
		if cerr := c.close(); cerr != nil && err == nil {
			err = fmt.Errorf("%s: %w", c.name, cerr)
		}
	}
	return err
}
