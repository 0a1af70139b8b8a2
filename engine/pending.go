package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sporeengine/spore/engine/internal/abi"
	"github.com/sporeengine/spore/hostfuncs"
)

// A PendingCall is a host call that a component waits for while its instance is idle.
type PendingCall struct {
	Number   uint32          // for Answer and Retry
	Name     string          // of the function; "spore.sleep" for a sleep
	Argument hostfuncs.Value // of the guest, checked when the call was made
	Key      string          // idempotency key, see [hostfuncs.Caller]

	// Due is when a sleep ends: an answer is not needed, but Continue, then. It is of the guest's clock
	// if the environment is Fixed. Zero for other calls.
	Due time.Time

	// Interrupted says that the function was under way when the instance was suspended: it is
	// not known whether it has done anything. Otherwise it returned [hostfuncs.ErrLater].
	Interrupted bool
	// Answered says that Answer or Retry has been called for it.
	Answered bool
}

// Pending returns the host calls that the instance waits for, in the order in which
// they were made. During a call it returns those from before.
func (in *Instance) Pending(ctx context.Context) ([]PendingCall, error) {
	at, st, _, err := in.look(ctx)
	if err != nil {
		return nil, err
	}
	in.Component().engine.parking.free(at)
	var list []PendingCall
	for _, p := range st.Pending {
		text, buffers, err := abi.ParseFrame(p.Frame)
		if err != nil {
			return nil, err
		}
		list = append(list, PendingCall{Number: p.ID, Name: p.Name, Argument: hostfuncs.Value{JSON: text, Buffers: buffers},
			Key: p.Key, Interrupted: !p.Later, Answered: p.Reply != nil || p.Again})
	}
	for _, s := range st.Sleeps {
		due := time.Unix(0, s.Due)
		if st.Fixed != nil {
			due = time.Unix(0, st.Fixed.Start+s.Due).UTC()
		}
		list = append(list, PendingCall{Number: s.ID, Name: abi.SleepCall, Due: due})
	}
	slices.SortFunc(list, func(a, b PendingCall) int { return int(int64(a.Number) - int64(b.Number)) })
	return list, nil
}

// Answer gives the answer to a pending call: value, which is anything that
// [encoding/json] accepts or a [hostfuncs.Value], or an error, of which the component learns what
// [hostfuncs.ForGuest] says. The component gets it by the next Continue or Call; until then it is part of the instance,
// also of its snapshots and forks. The error is [ErrNoCall] if there is no such call, if it is a sleep, or if it has
// been answered, and a [*LimitError] naming State if there is no room for the answer in what the instance may keep.
func (in *Instance) Answer(ctx context.Context, number uint32, value any, failure error) error {
	v, err := answerValue(value)
	if failure == nil && err != nil {
		return fmt.Errorf("engine: answer to host call %d: %w", number, err)
	}
	reply := abi.Reply(true, v.JSON, v.Buffers...)
	if failure != nil {
		shown := hostfuncs.ForGuest(failure)
		reply = errorReply(shown.Code, shown.Message)
	}
	if int64(len(reply)) > in.Component().engine.cfg.Limits.Memory/2 {
		return fmt.Errorf("engine: answer to host call %d: %d bytes are more than a guest can take", number, len(reply))
	}
	return in.amend(ctx, number, func(p *pendingState) { p.Reply = reply })
}

func answerValue(value any) (v hostfuncs.Value, err error) {
	switch value := value.(type) {
	case hostfuncs.Value:
		v = value
	default:
		v.JSON, err = json.Marshal(value)
	}
	if err == nil {
		err = checkValue(v)
	}
	return v, err
}

// Retry makes the next Continue call the function of a pending call again, with the same
// key. It is for calls that were interrupted, if the function can tell by the key whether it has
// done its work, or if doing it twice does no harm. Errors are those of Answer.
func (in *Instance) Retry(ctx context.Context, number uint32) error {
	return in.amend(ctx, number, func(p *pendingState) { p.Again = true })
}

// amend changes a pending call of an instance at which no method is at work. A store, in which the state may be,
// is waited for without a lock; whoever has changed the state meanwhile goes first.
func (in *Instance) amend(ctx context.Context, number uint32, change func(*pendingState)) error {
	for {
		if err := in.usable(); err != nil {
			return err
		}
		at, st, lines, err := in.look(ctx)
		if err != nil {
			return err
		}
		done, err := in.exchange(at, number, st, lines, change)
		in.Component().engine.parking.free(at)
		if done || err != nil {
			return err
		}
	}
}

// usable returns why a method could not be at work now.
func (in *Instance) usable() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.closed:
		return ErrClosed
	case in.work != nil:
		return in.work.busy()
	}
	return nil
}

// exchange changes a pending call of st, which is the state at, and reports whether that is still
// the instance's.
func (in *Instance) exchange(at parked, number uint32, st *state, lines []byte, change func(*pendingState)) (done bool, err error) {
	i := slices.IndexFunc(st.Pending, func(p pendingState) bool { return p.ID == number && p.Reply == nil && !p.Again })
	if i < 0 {
		return false, fmt.Errorf("%w: number %d", ErrNoCall, number)
	}
	change(&st.Pending[i])
	b, err := st.append(nil)
	if err != nil {
		return false, err
	}
	b = append(b, lines...)
	if most := in.limits().State; int64(len(b)) > most {
		return false, &LimitError{Limit: limitState, Max: most}
	}
	parking := in.Component().engine.parking
	next, err := parking.park(b)
	if err != nil {
		return false, err
	}
	old := next // of which there is no need if the instance is another by now
	defer func() { parking.free(old) }()
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed || in.work != nil || in.state != at {
		return false, nil
	}
	old, in.state = in.state, next
	return true, nil
}
