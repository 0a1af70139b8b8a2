package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/engine"
)

// A struck is an instance that many goroutines use at once.
type struck struct {
	in  *engine.Instance
	low atomic.Int64 // what its counter is at least: calls that have returned
	top atomic.Int64 // and at most: calls that were begun as well
}

// TestInstanceHammer uses a few instances from many goroutines in every way, with contexts
// that end at any time. A call counts if it returns no error, and does not if it does; nothing in between.
func TestInstanceHammer(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 60
	}
	opt := &engine.Options{Grants: faultSet(t)}
	for _, mode := range []engine.Isolation{engine.InProcess, engine.Subprocess} {
		for name, code := range callers {
			t.Run(fmt.Sprintf("%v/%s", mode, name), func(t *testing.T) {
				e := unverified(t, engine.Config{Isolation: mode, Workers: 2, Parking: engine.Parking{CompressAfter: time.Millisecond}})
				c := compile(t, e, name, code)
				list := make([]*struck, 4)
				for i := range list {
					in, err := c.Open(t.Context(), opt)
					require.NoError(t, err)
					list[i] = &struck{in: in}
				}
				var wg sync.WaitGroup
				for g := range 8 {
					wg.Go(func() {
						r := rand.New(rand.NewPCG(5, uint64(g)))
						for range rounds {
							if err := list[r.IntN(len(list))].strike(r, c, opt); err != nil {
								t.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				for _, s := range list {
					if err := s.settle(); err != nil {
						t.Fatal(err)
					}
					n, err := strconv.ParseInt(text(t, s.in, "render", nil), 10, 64)
					require.NoError(t, err)
					require.Equal(t, s.low.Load(), n)
					require.NoError(t, s.in.Close())
				}
				require.Zero(t, e.Stats().Instances)
				require.Eventually(t, func() bool { return engine.SlabEntries(e) == 0 }, 10*time.Second, time.Millisecond)
			})
		}
	}
}

// excused reports whether err is one that a method of an instance in use may return.
func excused(ctx context.Context, err error) bool {
	return err == nil || errors.Is(err, engine.ErrBusy) || errors.Is(err, engine.ErrSuspended) || errors.Is(err, engine.ErrNoCall) ||
		ctx.Err() != nil && errors.Is(err, ctx.Err())
}

func (s *struck) strike(r *rand.Rand, c *engine.Component, opt *engine.Options) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if r.IntN(3) == 0 {
		defer time.AfterFunc(time.Duration(r.IntN(2000))*time.Microsecond, cancel).Stop()
	}
	switch k := r.IntN(20); {
	case k < 8:
		return s.add(ctx, "add", 1)
	case k < 10:
		// It counts once when it begins to wait, and once more when it ends.
		return s.add(ctx, "wait", 2)
	case k < 12:
		s.in.Suspend()
		return nil
	case k < 15:
		return s.goOn(ctx)
	case k < 16:
		low := s.low.Load()
		f, err := s.in.Fork(ctx)
		if err != nil {
			return s.must(ctx, "fork", err)
		}
		return s.copied(f, low)
	case k < 18:
		low := s.low.Load()
		d, err := s.in.Snapshot(ctx)
		if err != nil {
			return s.must(ctx, "snapshot", err)
		}
		f, err := c.Resume(context.Background(), d, opt)
		if err != nil {
			return err
		}
		return s.copied(f, low)
	case k < 19:
		return s.must(ctx, "park", s.in.Park(ctx))
	default:
		_, err := s.in.Pending(ctx)
		return s.must(ctx, "pending", err)
	}
}

func (s *struck) must(ctx context.Context, what string, err error) error {
	if !excused(ctx, err) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (s *struck) add(ctx context.Context, function string, n int64) error {
	s.top.Add(n)
	_, err := s.in.Call(ctx, function, props{"name": "app.slow"})
	switch {
	case err == nil:
		s.low.Add(n)
	case errors.Is(err, engine.ErrSuspended):
		// Of this call, or of one that was suspended before: what is pending tells.
		return nil
	default:
		s.top.Add(-n)
	}
	return s.must(ctx, function, err)
}

// goOn answers what is pending and continues.
func (s *struck) goOn(ctx context.Context) error {
	list, err := s.in.Pending(ctx)
	if err != nil {
		return s.must(ctx, "pending", err)
	}
	for _, p := range list {
		if err := s.in.Answer(ctx, p.Number, nil, nil); !excused(ctx, err) {
			return fmt.Errorf("answer: %w", err)
		}
	}
	r, err := s.in.Continue(ctx)
	if err == nil && r.Text() != "null" {
		s.low.Add(2) // of a call that was suspended
	}
	return s.must(ctx, "continue", err)
}

// settle ends what is in progress, and answers it.
func (s *struck) settle() error {
	for range 3 {
		if err := s.goOn(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

// copied checks a copy that was made after the counter was low, and closes it.
func (s *struck) copied(f *engine.Instance, low int64) error {
	defer f.Close()
	r, err := f.Call(context.Background(), "render", nil)
	if errors.Is(err, engine.ErrSuspended) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	n, err := strconv.ParseInt(r.Text(), 10, 64)
	if err != nil || n < low || n > s.top.Load() {
		return fmt.Errorf("a copy is at %s, made between %d and %d", r.Text(), low, s.top.Load())
	}
	return nil
}
