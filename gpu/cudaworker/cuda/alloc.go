package cuda

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/sporeengine/spore/gpu"
)

// An allocator keeps device memory that was freed, as allocating it takes long and waits for the device. It belongs to the executor.
type allocator struct {
	d     driver
	limit int64 // of what is in use and kept together: bytes

	used, kept int64
	free       map[int64][]block // by size
}

// A block is device memory.
type block struct {
	ptr   devPtr
	size  int64
	owner uint64 // who has written to it last: a tenant, 0 if that is not known
}

func newAllocator(d driver, limit int64) *allocator {
	return &allocator{d: d, limit: limit, free: map[int64][]block{}}
}

// sizeClass rounds up: to eighths of a power of two, at least 64 KiB, so that blocks fit other programs again.
func sizeClass(bytes int64) int64 {
	const smallest = 64 << 10
	if bytes <= smallest {
		return smallest
	}
	step := int64(1) << max(bits.Len64(uint64(bytes-1))-4, 16)
	return (bytes + step - 1) / step * step
}

// alloc returns a block of at least bytes. dirty tells whether there may be data of another tenant in it. Want of memory is
// [gpu.ErrMemory].
func (a *allocator) alloc(bytes int64, tenant uint64) (b block, dirty bool, err error) {
	size := sizeClass(bytes)
	if list := a.free[size]; len(list) > 0 {
		i := slices.IndexFunc(list, func(b block) bool { return b.owner == tenant })
		if i < 0 {
			i = len(list) - 1
		}
		b = list[i]
		a.free[size] = slices.Delete(list, i, i+1)
		a.kept -= size
		a.used += size
		return block{b.ptr, size, tenant}, tenant == 0 || b.owner != tenant, nil
	}
	if a.used+size > a.limit {
		return block{}, false, fmt.Errorf("%w: %d bytes of the device", gpu.ErrMemory, bytes)
	}
	if a.used+a.kept+size > a.limit {
		if err := a.trim(); err != nil {
			return block{}, false, err
		}
	}
	p, err := a.d.memAlloc(size)
	if isKind(err, outOfMemory) && a.kept > 0 {
		if err := a.trim(); err != nil {
			return block{}, false, err
		}
		p, err = a.d.memAlloc(size)
	}
	if isKind(err, outOfMemory) {
		return block{}, false, fmt.Errorf("%w: %w", gpu.ErrMemory, err)
	}
	if err != nil {
		return block{}, false, err
	}
	a.used += size
	return block{p, size, tenant}, true, nil // what another process has left
}

// release takes a block back, of which nothing is read or written any more.
func (a *allocator) release(b block) {
	a.used -= b.size
	a.kept += b.size
	a.free[b.size] = append(a.free[b.size], b)
}

// trim gives all that is kept back to the device.
func (a *allocator) trim() error {
	for size, list := range a.free {
		for len(list) > 0 {
			b := list[len(list)-1]
			list = list[:len(list)-1]
			a.free[size] = list
			a.kept -= size
			if err := a.d.memFree(b.ptr); err != nil {
				return err
			}
		}
		delete(a.free, size)
	}
	return nil
}
