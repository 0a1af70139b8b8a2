//go:build linux && (amd64 || arm64)

package snapshot

import (
	"encoding/binary"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A scanner appends the private pages of mem to runs, in bytes from its start.
// It returns false if it cannot tell.
type scanner func(pagemap int, mem []byte, runs []run) ([]run, bool)

// pagemap is /proc/self/pagemap, opened by the first image and never closed, and
// the fastest scanner that works with it.
var pagemap struct {
	mu   sync.Mutex
	fd   int     // guarded by mu
	scan scanner // guarded by mu; nil until pagemap is open
}

// bestScanner returns the fastest scanner that works here and the file that it
// wants; probe is some mapped memory. A failure may pass (there can be too many
// open files), so it is not remembered.
func bestScanner(probe []byte) (int, scanner) {
	pagemap.mu.Lock()
	defer pagemap.mu.Unlock()
	if pagemap.scan != nil {
		return pagemap.fd, pagemap.scan
	}
	fd, err := unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, scanNone
	}
	for _, s := range []scanner{scanIoctl, scanPread} {
		if _, ok := s(fd, probe[:os.Getpagesize()], nil); ok {
			pagemap.fd, pagemap.scan = fd, s
			return fd, s
		}
	}
	unix.Close(fd)
	return -1, scanNone
}

// scanIoctl asks by the ioctl PAGEMAP_SCAN, which Linux has since 6.7. Its cost
// depends on the pages that are present and not on the length of mem.
func scanIoctl(pagemap int, mem []byte, runs []run) ([]run, bool) {
	v := regionPool.Get().(*regions)
	defer regionPool.Put(v)
	base := uint64(addressOf(mem))
	for at := 0; at < len(mem); {
		n, ok := v.scan(pagemap, mem[at:])
		if !ok {
			return runs, false
		}
		for _, r := range v[:n] {
			runs = appendRun(runs, run{int(r.start - base), int(r.end - base)})
		}
		// The kernel also says where it stopped, but wrongly if it had more to
		// report than its own buffer holds. A vector that is not full is the
		// sure sign of the end.
		if n < len(v) {
			break
		}
		at = int(v[n-1].end - base)
	}
	return runs, true
}

// Bits of an entry of /proc/self/pagemap, which the kernel's document
// Documentation/admin-guide/mm/pagemap.rst describes.
const (
	pagemapFile    = 1 << 61 // page of a file or shared
	pagemapSwapped = 1 << 62
	pagemapPresent = 1 << 63
)

// scanPread reads /proc/self/pagemap, eight bytes a page. Its cost depends on
// the length of mem.
func scanPread(pagemap int, mem []byte, runs []run) ([]run, bool) {
	page := os.Getpagesize()
	buf := make([]byte, 32<<10)
	base := int64(addressOf(mem)) / int64(page) * 8
	for i, pages := 0, len(mem)/page; i < pages; {
		b := buf[:min(len(buf), (pages-i)*8)]
		n, err := unix.Pread(pagemap, b, base+int64(i)*8)
		if err != nil || n < 8 {
			return runs, false
		}
		for b = b[:n]; len(b) >= 8; b = b[8:] {
			e := binary.NativeEndian.Uint64(b)
			if e&(pagemapPresent|pagemapSwapped) != 0 && e&pagemapFile == 0 {
				runs = appendRun(runs, run{i * page, (i + 1) * page})
			}
			i++
		}
	}
	return runs, true
}

// scanNone is for systems without /proc: it never knows, so that a memory in
// which there was a page fault is dropped as a whole.
func scanNone(_ int, _ []byte, runs []run) ([]run, bool) { return runs, false }
