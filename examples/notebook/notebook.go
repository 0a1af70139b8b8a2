package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sporeengine/spore/engine"
)

// A cell is source that was run, what came of it, and the state of the interpreter
// after it. Cells never change, and each knows the one before it: a notebook is a cell
// with all that came before. So to go back is to show an earlier cell, and to fork a
// notebook is to run two cells after the same one. It costs what they differ in.
type cell struct {
	ID       string
	Before   *cell // nil: it is the empty beginning
	Number   int   // 0: the beginning
	Language *language
	Code     string
	Shown    *engine.Cell
	Problem  string        // instead of a value
	Took     time.Duration // of fork and run

	mu    sync.Mutex       // held while state is forked
	state *engine.Instance // never called
	after atomic.Int64     // cells that were run after this one
}

// fork returns an instance in the state after c.
func (c *cell) fork(ctx context.Context) (*engine.Instance, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Fork(ctx)
}

// Cells returns the notebook: all cells up to this one.
func (c *cell) Cells() []*cell {
	if c.Before == nil {
		return nil
	}
	return append(c.Before.Cells(), c)
}

// After returns how many cells were run after this one.
func (c *cell) After() int64 { return c.after.Load() }

// Next returns the number of those.
func (c *cell) Next() int { return c.Number + 1 }

// A language is one in which cells can be written.
type language struct {
	Name, File string // of what notebooks begin with
	Example    string // a first cell
	component  *engine.Component
}

// A shelf has all cells. Whoever knows the ID of one has the notebook.
type shelf struct {
	mu    sync.RWMutex
	cells map[string]*cell // by ID; guarded by mu
}

func (s *shelf) get(id string) *cell {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.cells[id]
}

func (s *shelf) put(c *cell) *cell {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ID = rand.Text() // 128 bits that nobody can guess
	s.cells[c.ID] = c
	return c
}

// begin returns an empty notebook.
func (s *shelf) begin(ctx context.Context, l *language) (*cell, error) {
	in, err := l.component.Open(ctx, nil)
	if err != nil {
		return nil, err
	}
	return s.put(&cell{Language: l, state: in}), nil
}

// run runs code after a cell, in a fork of its state. A problem of the code is shown in
// the new cell; its state is then what Instance.Exec leaves behind.
func (s *shelf) run(ctx context.Context, before *cell, code string) (*cell, error) {
	start := time.Now()
	fork, err := before.fork(ctx)
	if err != nil {
		return nil, err
	}
	c := &cell{Before: before, Number: before.Number + 1, Language: before.Language, Code: code, state: fork}
	c.Shown, err = fork.Exec(ctx, fmt.Sprintf("cell %d", c.Number), code)
	c.Took = time.Since(start)
	if errors.Is(err, engine.ErrSuspended) { // it waits for more than a notebook can give
		fork.Close()
		if c.state, err = before.fork(ctx); err != nil {
			return nil, err
		}
		err = engine.ErrSuspended
	}
	if err != nil {
		if c.Problem = explain(err); c.Problem == "" {
			return nil, errors.Join(err, c.state.Close())
		}
	}
	before.after.Add(1)
	return s.put(c), nil
}
