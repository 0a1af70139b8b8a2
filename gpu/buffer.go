package gpu

import (
	"errors"
	"sync"

	"github.com/sporeengine/spore/gpu/internal/shm"
)

// A Buffer is memory of this process that workers can read. Inputs that lie in one, or in a part of one that begins at a multiple of 64 bytes, are not
// copied on their way to a worker: it reads them where they are. What is otherwise true of inputs stays true, so a program that
// has no use for the speed need not care whether its inputs lie in a buffer. Inputs of type bool are copied.
//
// A buffer lives until it is freed; a worker that dies, or goes mad, does not change what is in it. Where memory cannot
// be shared (not Linux, Config.Pipes, Config.Fallback) it is common memory, and all else is the same.
//
// It is safe for concurrent use, but for its contents: they must not change while an evaluation reads them. If they do, the
// evaluation has a wrong result, or fails, but nothing else happens.
type Buffer struct {
	pool   *Pool
	tenant string
	size   int64 // that counts
	memory *shm.Buffer
}

// buffers are those of a pool.
type buffers struct {
	once sync.Once
	all  *shm.Buffers // set once

	mu    sync.Mutex
	bytes map[string]int64 // by tenant; guarded by mu
	sum   int64            // guarded by mu
	count int              // guarded by mu
}

// granule is what sizes of buffers are multiples of.
const granule = 4096

// NewBuffer returns a buffer of n bytes that are zero. It counts in Quota.Buffers of the tenant and in Config.BufferBytes, as a multiple of 4096 bytes, until
// it is freed. The error is [ErrQuota], [ErrMemory], [ErrClosed], or [ErrArgument] if n is negative.
func (p *Pool) NewBuffer(tenant string, n int) (*Buffer, error) {
	if n < 0 {
		return nil, ErrArgument
	}
	size := max(int64(n), 1)
	if size > p.cfg.Quota.Buffers {
		return nil, ErrQuota
	}
	size += -size & (granule - 1)
	b := &p.buffers
	b.mu.Lock()
	defer b.mu.Unlock()
	if size > p.cfg.Quota.Buffers-b.bytes[tenant] {
		return nil, ErrQuota
	}
	m, err := p.sharedBuffers().New(n)
	switch {
	case errors.Is(err, shm.ErrTooLarge):
		return nil, ErrMemory
	case err != nil:
		return nil, ErrClosed
	}
	if b.bytes == nil {
		b.bytes = map[string]int64{}
	}
	b.bytes[tenant] += size
	b.sum += size
	b.count++
	return &Buffer{p, tenant, size, m}, nil
}

// Bytes returns the memory of the buffer. It must not be used when the buffer has been freed.
func (b *Buffer) Bytes() []byte { return b.memory.Bytes() }

// Free gives the memory back, when all evaluations that use it have returned. It is zero before another buffer gets it. A later
// evaluation of what was in it is [ErrArgument]. A second Free does nothing.
//
// A buffer that is not freed is lost: the garbage collector cannot know who has its bytes. It may be freed after its pool was closed.
func (b *Buffer) Free() {
	if !b.memory.Free() {
		return
	}
	all := &b.pool.buffers
	all.mu.Lock()
	defer all.mu.Unlock()
	all.sum -= b.size
	all.count--
	if all.bytes[b.tenant] -= b.size; all.bytes[b.tenant] == 0 {
		delete(all.bytes, b.tenant)
	}
}

// sharedBuffers returns the memory of all buffers, which is made when a worker or a buffer is first asked for.
func (p *Pool) sharedBuffers() *shm.Buffers {
	p.buffers.once.Do(func() {
		all, err := shm.NewBuffers(p.cfg.BufferBytes, !p.cfg.Pipes)
		if err != nil {
			p.cfg.Log.Warn("spore: gpu buffers are not shared", "error", err)
			all, _ = shm.NewBuffers(p.cfg.BufferBytes, false)
		}
		p.buffers.all = all
	})
	return p.buffers.all
}

// close gives back what no buffer is in.
func (b *buffers) close() error {
	b.once.Do(func() { b.all, _ = shm.NewBuffers(0, false) }) // so that there will be none
	return b.all.Close()
}

// used returns how many buffers there are and their bytes.
func (b *buffers) used() (count int, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count, b.sum
}
