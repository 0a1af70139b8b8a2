package store

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Mem is a store in memory, for tests and for what need not survive the
// process. It holds a bounded number of bytes.
type Mem struct {
	mu      sync.Mutex
	entries map[string]memEntry
	free    int64
	max     int64
	writes  uint64 // so many Puts succeeded: the number is the version
	closed  bool
}

type memEntry struct {
	data     []byte
	version  Version
	modified time.Time
}

// memOverhead is about what an entry needs besides its key and value.
const memOverhead = 128

// NewMem returns an empty store for values of maxBytes bytes in all, with their
// keys and 128 bytes for each. If it is full, Put returns ErrFull.
func NewMem(maxBytes int64) *Mem {
	return &Mem{entries: map[string]memEntry{}, free: maxBytes, max: maxBytes}
}

func memSize(key string, data []byte) int64 { return int64(len(key)+len(data)) + memOverhead }

// enter locks m, unless it is closed, the context has ended or err says that the
// call is wrong.
func (m *Mem) enter(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return ErrClosed
	}
	return nil
}

// Get implements [Store].
func (m *Mem) Get(ctx context.Context, key string) ([]byte, Version, error) {
	if err := m.enter(ctx, CheckKey(key)); err != nil {
		return nil, Absent, err
	}
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	if !ok {
		return nil, Absent, fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	return bytes.Clone(e.data), e.version, nil
}

// Put implements [Store].
func (m *Mem) Put(ctx context.Context, key string, data []byte, ifVersion Version) (Version, error) {
	if err := m.enter(ctx, checkPut(key, data)); err != nil {
		return Absent, err
	}
	defer m.mu.Unlock()
	old, ok := m.entries[key]
	if old.version != ifVersion {
		return Absent, fmt.Errorf("%w: %s", ErrConflict, key)
	}
	need := memSize(key, data)
	if need > m.max {
		return Absent, fmt.Errorf("%w: %s: %d bytes in a store of %d", ErrTooLarge, key, need, m.max)
	}
	if ok {
		need -= memSize(key, old.data)
	}
	if need > m.free {
		return Absent, fmt.Errorf("%w: %s", ErrFull, key)
	}
	m.free -= need
	m.writes++
	v := Version(strconv.FormatUint(m.writes, 10))
	m.entries[key] = memEntry{data: append([]byte{}, data...), version: v, modified: time.Now()}
	return v, nil
}

// Delete implements [Store].
func (m *Mem) Delete(ctx context.Context, key string, ifVersion Version) error {
	if err := m.enter(ctx, CheckKey(key)); err != nil {
		return err
	}
	defer m.mu.Unlock()
	old, ok := m.entries[key]
	if !ok {
		return fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	if old.version != ifVersion {
		return fmt.Errorf("%w: %s", ErrConflict, key)
	}
	delete(m.entries, key)
	m.free += memSize(key, old.data)
	return nil
}

// List implements [Store].
func (m *Mem) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := m.enter(ctx, nil); err != nil {
			yield(Info{}, err)
			return
		}
		infos := make([]Info, 0, len(m.entries))
		for key, e := range m.entries {
			if strings.HasPrefix(key, prefix) {
				infos = append(infos, Info{Key: key, Size: int64(len(e.data)), Modified: e.modified})
			}
		}
		m.mu.Unlock() // the loop's body may call methods
		for _, info := range infos {
			if err := ctx.Err(); err != nil {
				yield(Info{}, err)
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

// Close implements [Store]. It drops what is stored.
func (m *Mem) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.entries = true, nil
	return nil
}
