package kv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// DefaultMemory is used if NewMemory is given no bound.
const DefaultMemory = 64 << 20

// ErrFull means that a backend has no room for what an update stores. Guests see it
// as [hostfuncs.CodeQuota].
var ErrFull = errors.New("kv: the store is full")

// perItem is what an item takes beside its key and its value: the map's entry, the index,
// and what the allocator rounds up. An estimate.
const perItem = 128

// A Memory is a [Backend] that forgets everything when the process ends. It holds
// its items on the heap, within a bound.
type Memory struct {
	max int64

	mu     sync.RWMutex
	spaces map[string]*memorySpace // guarded by mu
	bytes  int64                   // guarded by mu
}

// A memorySpace is a map with an index: inserting moves the keys behind, 16 bytes each.
type memorySpace struct {
	items map[string][]byte
	keys  []string // sorted
}

// NewMemory returns an empty backend that holds at most so many bytes: keys, values and 128 bytes for each
// item. Zero means [DefaultMemory].
func NewMemory(maxBytes int64) *Memory {
	if maxBytes <= 0 {
		maxBytes = DefaultMemory
	}
	return &Memory{max: maxBytes, spaces: map[string]*memorySpace{}}
}

// View implements [Backend].
func (m *Memory) View(_ context.Context, space string, fn func(Tx) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s := m.spaces[space]
	if s == nil {
		s = &memorySpace{}
	}
	return fn(&memoryTx{space: s, readOnly: true})
}

// Update implements [Backend].
func (m *Memory) Update(_ context.Context, space string, fn func(Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.spaces[space]
	if s == nil {
		s = &memorySpace{items: map[string][]byte{}}
	}
	tx := &memoryTx{space: s}
	done := false
	defer func() {
		if !done { // also if fn panicked
			tx.rollback()
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if tx.grown > 0 && m.bytes+tx.grown > m.max {
		return fmt.Errorf("%w: it holds %d bytes", ErrFull, m.max)
	}
	done = true
	m.bytes += tx.grown
	if len(s.keys) > 0 {
		m.spaces[space] = s
	} else {
		delete(m.spaces, space)
	}
	return nil
}

// A memoryTx changes the space at once, and remembers how it was.
type memoryTx struct {
	space    *memorySpace
	readOnly bool
	grown    int64
	undo     []Pair // former items in the order of the changes; nil: there was none
}

func (t *memoryTx) Get(key string) ([]byte, error) { return t.space.items[key], nil }

func (t *memoryTx) Put(key string, value []byte) error { return t.change(key, bytes.Clone(value)) }

func (t *memoryTx) Delete(key string) error { return t.change(key, nil) }

func (t *memoryTx) change(key string, value []byte) error {
	if t.readOnly {
		return errors.New("kv: change in a view")
	}
	t.undo = append(t.undo, Pair{key, t.space.items[key]})
	t.grown += t.space.set(key, value)
	return nil
}

func (t *memoryTx) rollback() {
	for _, p := range slices.Backward(t.undo) {
		t.space.set(p.Key, p.Value)
	}
}

func (t *memoryTx) Scan(from string, n int) ([]Pair, error) {
	i, _ := slices.BinarySearch(t.space.keys, from)
	var out []Pair
	for _, k := range t.space.keys[i:min(len(t.space.keys), i+n)] {
		out = append(out, Pair{k, t.space.items[k]})
	}
	return out, nil
}

// set stores a value, or removes the item if that is nil. It returns by how
// many bytes the space has grown.
func (s *memorySpace) set(key string, value []byte) (grown int64) {
	old, ok := s.items[key]
	if ok {
		grown -= size(key, old)
	}
	i, _ := slices.BinarySearch(s.keys, key)
	switch {
	case value == nil && ok:
		delete(s.items, key)
		s.keys = slices.Delete(s.keys, i, i+1)
	case value != nil && !ok:
		s.keys = slices.Insert(s.keys, i, key)
	}
	if value != nil {
		s.items[key] = value
		grown += size(key, value)
	}
	return grown
}

func size(key string, value []byte) int64 { return int64(len(key)+len(value)) + perItem }
