package hostfuncs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sporeengine/spore/hostfuncs"
)

// A thing says when it is closed.
type thing struct {
	name   string
	err    error
	log    *[]string
	closed atomic.Int64
}

func (r *thing) Close() error {
	r.closed.Add(1)
	if r.log != nil {
		*r.log = append(*r.log, r.name)
	}
	return r.err
}

type other struct{ io.Closer }

func code(err error) string {
	if err == nil {
		return ""
	}
	return hostfuncs.ForGuest(err).Code
}

func TestHandles(t *testing.T) {
	var h, elsewhere hostfuncs.Handles
	ctx, foreign := hostfuncs.WithHandles(context.Background(), &h), hostfuncs.WithHandles(context.Background(), &elsewhere)
	a, b := &thing{}, &thing{err: errors.New("b does not close")}
	na, err := hostfuncs.Hold(ctx, a)
	require.NoError(t, err)
	nb, err := hostfuncs.Hold(ctx, b)
	require.NoError(t, err)
	assert.NotEqual(t, na, nb)
	assert.Equal(t, 2, h.Len())

	got, err := hostfuncs.Held[*thing](ctx, na)
	require.NoError(t, err)
	assert.Same(t, a, got)
	_, err = hostfuncs.Held[io.Closer](ctx, na)
	assert.NoError(t, err, "an interface will do")
	for name, err := range map[string]error{
		"of another type":        second(hostfuncs.Held[*other](ctx, na)),
		"of another interface":   second(hostfuncs.Held[io.Reader](ctx, na)),
		"of another instance":    second(hostfuncs.Held[*thing](foreign, na)),
		"a guess":                second(hostfuncs.Held[*thing](ctx, na-1)),
		"no instance":            second(hostfuncs.Held[*thing](context.Background(), na)),
		"release, elsewhere":     hostfuncs.Release(foreign, na),
		"release, of nothing":    hostfuncs.Release(ctx, 0),
		"release by no instance": hostfuncs.Release(context.Background(), na),
	} {
		assert.Equal(t, hostfuncs.CodeBadHandle, code(err), name)
	}

	require.NoError(t, hostfuncs.Release(ctx, na))
	assert.EqualValues(t, 1, a.closed.Load())
	assert.Equal(t, hostfuncs.CodeBadHandle, code(hostfuncs.Release(ctx, na)))
	assert.Equal(t, hostfuncs.CodeBadHandle, code(second(hostfuncs.Held[*thing](ctx, na))))
	assert.ErrorIs(t, hostfuncs.Release(ctx, nb), b.err)
	assert.Zero(t, h.Len())
}

func second[T any](_ T, err error) error { return err }

func TestHoldTakesWhatItCannotHold(t *testing.T) {
	h := hostfuncs.Handles{Max: 1}
	ctx := hostfuncs.WithHandles(context.Background(), &h)
	n, err := hostfuncs.Hold(ctx, &thing{})
	require.NoError(t, err)
	refused := &thing{err: errors.New("does not close")}
	_, err = hostfuncs.Hold(ctx, refused)
	assert.Equal(t, hostfuncs.CodeTooManyHandles, code(err))
	assert.ErrorIs(t, err, refused.err)
	_, err = hostfuncs.Hold(context.Background(), refused)
	assert.Equal(t, hostfuncs.CodeTooManyHandles, code(err))
	assert.EqualValues(t, 2, refused.closed.Load())

	require.NoError(t, hostfuncs.Release(ctx, n))
	n, err = hostfuncs.Hold(ctx, &thing{})
	require.NoError(t, err)
	require.NoError(t, h.Close())
	_, err = hostfuncs.Hold(ctx, refused)
	assert.Equal(t, hostfuncs.CodeCanceled, code(err))
	assert.EqualValues(t, 3, refused.closed.Load())
	assert.Equal(t, hostfuncs.CodeBadHandle, code(hostfuncs.Release(ctx, n)))
}

func TestHandlesClose(t *testing.T) {
	var h hostfuncs.Handles
	ctx := hostfuncs.WithHandles(context.Background(), &h)
	var order []string
	var want []error
	for i := range 5 {
		r := &thing{name: fmt.Sprint(i), log: &order}
		if i%2 == 0 {
			r.err = fmt.Errorf("error %d", i)
			want = append(want, r.err)
		}
		_, err := hostfuncs.Hold(ctx, r)
		require.NoError(t, err)
	}
	_, err := hostfuncs.Hold(ctx, panics{})
	require.NoError(t, err)
	err = h.Close()
	for _, w := range want {
		assert.ErrorIs(t, err, w)
	}
	assert.ErrorContains(t, err, "panicked: no")
	assert.Equal(t, []string{"4", "3", "2", "1", "0"}, order)
	assert.Zero(t, h.Len())
	assert.NoError(t, h.Close())
	assert.Len(t, order, 5)
}

// What a guest gets no handle of is not held.
func TestWhatTheGuestDoesNotLearnOfIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hostfuncs.Handles
		ctx := hostfuncs.WithHandles(context.Background(), &h)
		r := &thing{err: errors.New("does not close")}
		var fail error
		wait := time.Duration(0)
		f := hostfuncs.New("a.open", "", func(ctx context.Context, _ none) (hostfuncs.Handle, error) {
			n, err := hostfuncs.Hold(ctx, r)
			time.Sleep(wait)
			return n, errors.Join(err, fail)
		})
		f.Timeout = time.Minute
		_, err := callIn(ctx, f, "{}")
		require.NoError(t, err)
		assert.Equal(t, 1, h.Len())

		fail = hostfuncs.Errorf("no_such_file", "there is no such file")
		_, err = callIn(ctx, f, "{}")
		assert.Equal(t, "no_such_file", code(err))
		assert.ErrorIs(t, err, r.err)
		assert.Equal(t, 1, h.Len())
		assert.EqualValues(t, 1, r.closed.Load())

		fail, wait = nil, time.Hour
		_, err = callIn(ctx, f, "{}")
		assert.Equal(t, hostfuncs.CodeTimeout, code(err))
		assert.Equal(t, 2, h.Len(), "the function has not returned")
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, 1, h.Len())
		assert.EqualValues(t, 2, r.closed.Load())
	})
}

// A call that is taken back takes with it what it held.
func TestHandlesCloseAfter(t *testing.T) {
	var h hostfuncs.Handles
	ctx, cancel := context.WithCancel(hostfuncs.WithHandles(context.Background(), &h))
	assert.Zero(t, h.Last())
	kept, a, b, late := &thing{}, &thing{}, &thing{err: errors.New("does not close")}, &thing{}
	n, err := hostfuncs.Hold(ctx, kept)
	require.NoError(t, err)
	require.Equal(t, n, h.Last())
	na, err := hostfuncs.Hold(ctx, a)
	require.NoError(t, err)
	_, err = hostfuncs.Hold(ctx, b)
	require.NoError(t, err)
	cancel()
	assert.ErrorIs(t, h.CloseAfter(n), b.err)
	_, err = hostfuncs.Hold(ctx, late)
	assert.Equal(t, hostfuncs.CodeCanceled, code(err))
	assert.Equal(t, []int64{0, 1, 1, 1}, []int64{kept.closed.Load(), a.closed.Load(), b.closed.Load(), late.closed.Load()})
	assert.Equal(t, 1, h.Len())

	ctx = hostfuncs.WithHandles(context.Background(), &h)
	assert.Equal(t, hostfuncs.CodeBadHandle, code(second(hostfuncs.Held[*thing](ctx, na))))
	assert.NoError(t, second(hostfuncs.Held[*thing](ctx, n)))
	again, err := hostfuncs.Hold(ctx, &thing{})
	require.NoError(t, err)
	assert.Greater(t, again, na, "no number comes twice")
	require.NoError(t, h.Close())
	assert.EqualValues(t, 1, kept.closed.Load())
}

type panics struct{}

func (panics) Close() error { panic("no") }

func TestHandleNumbersAreExactInJSONAndNeverComeBack(t *testing.T) {
	h := hostfuncs.Handles{Max: 1}
	ctx := hostfuncs.WithHandles(context.Background(), &h)
	before := hostfuncs.Handle(0)
	for range 10_000 {
		n, err := hostfuncs.Hold(ctx, &thing{})
		require.NoError(t, err)
		require.Greater(t, n, before)
		require.Less(t, n, hostfuncs.Handle(1<<53))
		require.Equal(t, n, hostfuncs.Handle(float64(n)))
		require.NoError(t, hostfuncs.Release(ctx, n))
		before = n
	}
}

// A resource that a function uses is closed when that returns, whatever ends
// meanwhile: the call, the handle, or the instance.
func TestWhatIsInUseIsNotClosed(t *testing.T) {
	for name, end := range map[string]func(ctx context.Context, h *hostfuncs.Handles, n hostfuncs.Handle) error{
		"instance": func(_ context.Context, h *hostfuncs.Handles, _ hostfuncs.Handle) error { return h.Close() },
		"handle": func(ctx context.Context, _ *hostfuncs.Handles, n hostfuncs.Handle) error {
			return hostfuncs.Release(ctx, n)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h hostfuncs.Handles
				ctx := hostfuncs.WithHandles(context.Background(), &h)
				r := &thing{}
				n, err := hostfuncs.Hold(ctx, r)
				require.NoError(t, err)
				f := hostfuncs.New("a.use", "", func(ctx context.Context, n hostfuncs.Handle) (none, error) {
					for range 2 { // twice is not two users
						if _, err := hostfuncs.Held[*thing](ctx, n); err != nil {
							return none{}, err
						}
					}
					time.Sleep(time.Hour)
					assert.Zero(t, r.closed.Load())
					return none{}, nil
				})
				f.Timeout = time.Minute
				done := make(chan error)
				go func() {
					_, err := callIn(ctx, f, fmt.Sprint(n))
					done <- err
				}()
				synctest.Wait()
				require.NoError(t, end(ctx, &h, n))
				assert.Equal(t, hostfuncs.CodeTimeout, code(<-done))
				assert.Zero(t, r.closed.Load(), "the function has not returned")
				time.Sleep(time.Hour)
				synctest.Wait()
				assert.EqualValues(t, 1, r.closed.Load())
			})
		})
	}
}

func TestErrorOfTheLastCloseIsThatOfTheCall(t *testing.T) {
	var h hostfuncs.Handles
	ctx := hostfuncs.WithHandles(context.Background(), &h)
	r := &thing{err: errors.New("does not close")}
	n, err := hostfuncs.Hold(ctx, r)
	require.NoError(t, err)
	f := hostfuncs.New("a.close", "", func(ctx context.Context, n hostfuncs.Handle) (none, error) {
		if _, err := hostfuncs.Held[*thing](ctx, n); err != nil {
			return none{}, err
		}
		return none{}, hostfuncs.Release(ctx, n)
	})
	f.Quick = true
	_, err = callIn(ctx, f, fmt.Sprint(n))
	assert.ErrorIs(t, err, r.err)
	assert.Equal(t, hostfuncs.CodeInternal, code(err))
}

func callIn(ctx context.Context, f hostfuncs.Func, arg string) (string, error) {
	v, err := f.Call(ctx, hostfuncs.Value{JSON: json.RawMessage(arg)})
	return string(v.JSON), err
}

// TestHammerHandles opens, uses and releases from many goroutines while the
// instance is closed, and counts.
func TestHammerHandles(t *testing.T) {
	const goroutines, rounds = 8, 200
	for range 20 {
		var h hostfuncs.Handles
		ctx := hostfuncs.WithHandles(context.Background(), &h)
		var mu sync.Mutex
		var all []*thing
		var numbers []hostfuncs.Handle
		hold := hostfuncs.New("a.hold", "", func(ctx context.Context, _ none) (hostfuncs.Handle, error) {
			r := &thing{}
			n, err := hostfuncs.Hold(ctx, r)
			mu.Lock()
			defer mu.Unlock()
			all, numbers = append(all, r), append(numbers, n)
			return n, err
		})
		use := hostfuncs.New("a.use", "", func(ctx context.Context, n hostfuncs.Handle) (none, error) {
			r, err := hostfuncs.Held[*thing](ctx, n)
			if err == nil && r.closed.Load() != 0 {
				t.Error("closed in use")
			}
			return none{}, err
		})
		release := hostfuncs.New("a.release", "", func(ctx context.Context, n hostfuncs.Handle) (none, error) {
			return none{}, hostfuncs.Release(ctx, n)
		})
		use.Quick = true
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(g), 1))
				for i := range rounds {
					f, arg := hold, "{}"
					if i > 0 && rng.IntN(4) > 0 {
						mu.Lock()
						arg = fmt.Sprint(numbers[rng.IntN(len(numbers))])
						mu.Unlock()
						f = use
						if rng.IntN(3) == 0 {
							f = release
						}
					}
					switch _, err := callIn(ctx, f, arg); code(err) {
					case "", hostfuncs.CodeBadHandle, hostfuncs.CodeTooManyHandles, hostfuncs.CodeCanceled:
					default:
						t.Error(err)
					}
					if g == 0 && i == rounds/2 {
						if err := h.Close(); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		for _, r := range all {
			if n := r.closed.Load(); n != 1 {
				t.Fatalf("closed %d times", n)
			}
		}
	}
}
