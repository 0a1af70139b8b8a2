//go:build linux && (amd64 || arm64)

package snapshot

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// openMappings counts the mappings of all images, memories and slabs of the
// process.
var openMappings atomic.Int64

// maxMappings is how many mappings this package makes at most: seven eighths of
// what the kernel grants the process, because a Go program that gets no more
// dies when its heap next grows. An eighth of the default is 8,191; DESIGN.md says
// how many a program was seen to need.
var maxMappings = sync.OnceValue(func() int64 {
	const defaultMapCount = 65530 // DEFAULT_MAX_MAP_COUNT of the kernel
	n := int64(defaultMapCount)
	if b, err := os.ReadFile("/proc/sys/vm/max_map_count"); err == nil {
		if v, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && v > 0 {
			n = v
		}
	}
	return n / 8 * 7
})

// mapFile maps the first size bytes of a file privately.
func mapFile(fd, size, prot int) ([]byte, error) { return mmap(fd, size, prot, 0) }

// mapAnonymous maps size bytes of zeros, which take memory when they are touched.
func mapAnonymous(size int) ([]byte, error) {
	return mmap(-1, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANONYMOUS)
}

// mmap makes a private mapping. It does not go through unix.Mmap, which keeps each
// mapping in a map on the heap under a lock.
func mmap(fd, size, prot, flags int) ([]byte, error) {
	if openMappings.Add(1) > maxMappings() {
		openMappings.Add(-1)
		return nil, ErrTooMany
	}
	p, err := unix.MmapPtr(fd, 0, nil, uintptr(size), prot, flags|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil {
		openMappings.Add(-1)
		return nil, fmt.Errorf("snapshot: mmap of %d bytes: %w", size, err)
	}
	// The kernel has just mapped size bytes at p, and the Go runtime knows
	// nothing of this memory, so that it neither moves nor frees it. It stays
	// until unmap.
	return unsafe.Slice((*byte)(p), size), nil
}

// unmap undoes mapFile and mapAnonymous. Nothing may use b any more, nor slices of it.
func unmap(b []byte) error {
	// b is what mapFile returned, so that this is the start of the mapping.
	if err := unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b))); err != nil {
		return fmt.Errorf("snapshot: munmap: %w", err)
	}
	openMappings.Add(-1)
	return nil
}

// addressOf returns the address of mapped memory, which never moves.
func addressOf(mem []byte) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(mem)))
}

// pmScanArg is struct pm_scan_arg of linux/fs.h.
type pmScanArg struct {
	size, flags                          uint64
	start, end, walkEnd                  uint64
	vec, vecLen, maxPages                uint64
	inverted, mask, anyOf, returnedFlags uint64
}

// pageRegion is struct page_region of linux/fs.h, whose third field, the
// categories of the pages, is not asked for.
type pageRegion struct{ start, end, _ uint64 }

const (
	pagemapScan   = 0xc0606610 // PAGEMAP_SCAN, _IOWR('f', 16, struct pm_scan_arg)
	pageIsFile    = 1 << 2
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
)

// regions receives the answer of one scan. 512 is the length of the kernel's own
// buffer.
type regions [512]pageRegion

// regionPool keeps regions off the stacks of goroutines, which move, and out of
// the memories, of which there may be tens of thousands.
var regionPool = sync.Pool{New: func() any { return new(regions) }}

// scan finds the regions of mem that hold private pages, by their addresses and
// at most as many as fit, and returns their number.
func (v *regions) scan(pagemap int, mem []byte) (int, bool) {
	base := uint64(addressOf(mem))
	arg := pmScanArg{
		size:  uint64(unsafe.Sizeof(pmScanArg{})),
		start: base,
		end:   base + uint64(len(mem)),
		// v comes from regionPool, so it is on the heap, where nothing moves,
		// and KeepAlive below keeps it there while the kernel writes to it.
		vec:    uint64(uintptr(unsafe.Pointer(v))),
		vecLen: uint64(len(v)),
		// Not of a file, and either in memory or in the swap: what a private
		// mapping of a file has only where a copy was made. The kernel wants
		// the bits that are inverted in the mask too.
		inverted: pageIsFile,
		mask:     pageIsFile,
		anyOf:    pageIsPresent | pageIsSwapped,
	}
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(pagemap), pagemapScan, uintptr(unsafe.Pointer(&arg)))
	runtime.KeepAlive(v)
	if errno != 0 || n > uintptr(len(v)) {
		return 0, false
	}
	return int(n), true
}
