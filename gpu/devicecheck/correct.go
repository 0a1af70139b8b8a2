package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"time"

	"github.com/sporeengine/spore/gpu/cudaworker/cuda"
	"github.com/sporeengine/spore/gpu/internal/conformance"
	"github.com/sporeengine/spore/gpu/tensor"
)

// opening reports what opening the device took. That it is open says that all symbols are there.
// Versions are in the line above the table.
func opening(c *config, b *cuda.Backend, t *table) {
	t.pass("a", "libraries, symbols, context", t.opened.Round(time.Millisecond).String())
	free, total, err := b.DeviceMemory()
	if err != nil {
		t.fail("a", "memory", err)
		return
	}
	t.pass("a", "memory of the device that is in use", fmt.Sprintf("%d of %d MiB", (total-free)>>20, total>>20))
	pool, err := c.newPool()
	if err != nil {
		t.fail("a", "a worker that stands by", err)
		return
	}
	defer pool.Close()
	if _, err := pool.Info(context.Background()); err != nil {
		t.fail("a", "a worker that stands by", err)
		return
	}
	with, _, err := b.DeviceMemory()
	if err != nil {
		t.fail("a", "memory", err)
		return
	}
	t.pass("a", "memory of a worker that stands by", fmt.Sprintf("%d MiB", (free-with)>>20))
}

// A caseT is the T of package conformance for a program that is no test.
type caseT struct{ err error }

func (c *caseT) Helper() {}
func (c *caseT) Errorf(format string, args ...any) {
	c.err = errors.Join(c.err, fmt.Errorf(format, args...))
}
func (c *caseT) FailNow() { panic(errStop) }
func (c *caseT) Fatalf(format string, args ...any) {
	c.Errorf(format, args...)
	c.FailNow()
}

// compare compares one case with the oracle.
func compare(b *cuda.Backend, op tensor.Op, d tensor.DType, i int) (done bool, err error) {
	m := conformance.NewMaker(rand.New(rand.NewPCG(rand.Uint64(), uint64(i)))) // another case in each run
	m.Large, m.Tame = i%4 == 0, op.Info().ULP < 0
	p, err := m.Case(op, d)
	if errors.Is(err, tensor.ErrInvalid) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var c caseT
	defer func() {
		if r := recover(); r != nil && r != any(errStop) {
			panic(r)
		}
		err = c.err
	}()
	conformance.Compare(&c, b, p, m, op, false)
	return true, nil
}

// operations compares every operation with the oracle, and fused programs with those that are not.
func operations(c *config, b *cuda.Backend, t *table) {
	poisoned := c.cuda
	poisoned.Poison = true
	pb, err := cuda.New(poisoned)
	if err != nil {
		t.fail("b", "a second backend", err)
		return
	}
	defer pb.Close()
	cases, ops := 0, 0
	for _, op := range tensor.Ops() {
		if !slices.Contains(b.Info().Ops, op) {
			t.skip("b", op.String(), "the backend has not got it")
			continue
		}
		var err error
		n := 0
		for _, d := range tensor.DTypes() {
			for i := range c.rounds {
				var done bool
				if done, err = compare(pb, op, d, i); err != nil {
					break
				}
				if done {
					n++
				}
			}
			if err != nil {
				break
			}
		}
		if err == nil && n == 0 {
			err = errors.New("no case was made")
		}
		if err != nil {
			t.fail("b", op.String(), err)
			continue
		}
		cases += n
		ops++
	}
	if ops > 0 {
		t.pass("b", fmt.Sprintf("%d operations against the oracle, memory poisoned", ops), fmt.Sprintf("%d cases", cases))
	}
}

// zeroing has a tenant read the memory of another one.
func zeroing(c *config, b *cuda.Backend, t *table) {
	n := c.size(1<<30, 1<<20)
	if err := b.CheckZeroing(n); err != nil {
		t.fail("g", "memory of another tenant is zero", err)
		return
	}
	t.pass("g", "memory of another tenant is zero", fmt.Sprintf("%d MiB", n>>20))
}

// sanitizer runs the operations under compute-sanitizer.
func sanitizer(c *config, _ *cuda.Backend, t *table) {
	path, err := exec.LookPath("compute-sanitizer")
	if err != nil {
		t.skip("f", "compute-sanitizer", "it is not there")
		return
	}
	for _, tool := range []string{"memcheck", "initcheck", "racecheck"} {
		args := slices.Concat([]string{"--tool", tool, "--error-exitcode", "9"}, c.command, []string{"-only", "ops", "-rounds", "4"})
		if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
			t.fail("f", "compute-sanitizer "+tool, fmt.Errorf("%w: %s", err, out[max(0, len(out)-120):]))
		} else {
			t.pass("f", "compute-sanitizer "+tool, "no error")
		}
	}
}
