//go:build linux && (amd64 || arm64)

package snapshot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// variants lists what a kernel may offer: everything, no PAGEMAP_SCAN (before
// Linux 6.7), no /proc, and no memfd.
func variants() []variant {
	v := []variant{copyVariant()}
	for _, s := range []struct {
		name string
		scan scanner
	}{{"ioctl", scanIoctl}, {"pread", scanPread}, {"no scan", scanNone}} {
		v = append(v, variant{s.name, func(mem []byte, max int64) (*Image, error) {
			b, err := newMapImage(contentsOf(mem), max)
			if err != nil {
				return nil, err
			}
			if _, ok := s.scan(b.pagemap, b.mem, nil); !ok && s.name != "no scan" {
				b.close()
				return nil, fmt.Errorf("%s is not available here", s.name)
			}
			b.scanner = s.scan
			return newImage(b, int64(len(mem)), max), nil
		}})
	}
	return v
}

// mapped returns the backing of m.
func mapped(m *Memory) *mapMemory { return m.backing.(*mapMemory) }

// newMapped returns a memory of a new image that uses page sharing.
func newMapped(t testing.TB, mem []byte, max int64) *Memory {
	t.Helper()
	img, err := NewImage(mem, max)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	m := newMemory(t, img)
	if _, ok := m.backing.(*mapMemory); !ok {
		t.Skip("memfd_create is not available here")
	}
	return m
}

// TestScanOnlyAfterFaults checks the assumption on which everything rests: a
// write that makes a page private is seen, and one that does not is not.
func TestScanOnlyAfterFaults(t *testing.T) {
	m := newMapped(t, testMemory(4<<20), 4<<20)
	touch := func(step int) {
		write(m, func(b []byte) {
			for i := 0; i < len(b); i += step {
				b[i]++
			}
		})
	}
	touch(16 * PageSize)
	if !mapped(m).stale {
		t.Fatal("page faults were not noticed")
	}
	resetAndVerify(t, m)
	private := m.Private()
	if want := 4 << 20 / (16 * PageSize); private < want || private > 2*want {
		t.Errorf("%d private pages, want %d", private, want)
	}

	// The same pages again: no fault. Another goroutine's faults do not count,
	// but the garbage collector may cause one on this thread.
	scans := 0
	for range 100 {
		touch(16 * PageSize)
		if mapped(m).stale {
			scans++
		}
		resetAndVerify(t, m)
	}
	if scans > 50 {
		t.Errorf("%d of 100 runs that touch known pages needed a scan", scans)
	}
	if m.Private() != private {
		t.Errorf("%d private pages, before %d", m.Private(), private)
	}
}

func TestBudget(t *testing.T) {
	// The first run makes 40 pages private, and each later one others.
	m := newMapped(t, testMemory(32<<20), 32<<20)
	page := os.Getpagesize()
	drops := 0
	for round := range 200 {
		write(m, func(b []byte) {
			for i := range 40 {
				b[(round*40+i)*page%len(b)]++
			}
		})
		before := mapped(m).count
		resetAndVerify(t, m)
		if mapped(m).count < before {
			drops++
		}
		if most := mapped(m).budget() + 40*page; mapped(m).count > most {
			t.Fatalf("%d private bytes, at most %d wanted", mapped(m).count, most)
		}
	}
	if want := 200 * 40 * page / minBudget; drops < want/2 || drops > want {
		t.Errorf("dropped %d times, want about %d", drops, want)
	}

	// One run that is beyond any budget.
	write(m, func(b []byte) {
		for i := 0; i < len(b); i += page {
			b[i]++
		}
	})
	resetAndVerify(t, m)
	if m.Private() != 0 {
		t.Errorf("%d private pages after a reset beyond the budget", m.Private())
	}
}

func TestLockedMemory(t *testing.T) {
	m := newMapped(t, testMemory(2*WasmPageSize), 4*WasmPageSize)
	if err := unix.Mlock(mapped(m).buf); err != nil {
		t.Skip("mlock: ", err)
	}
	// No fault any more, and each reset wants to drop, which fails.
	mapped(m).image.scanner = scanNone
	for range 3 {
		write(m, func([]byte) {
			b, _ := m.Grow(4 * WasmPageSize)
			for i := range b {
				b[i] ^= 0xff
			}
		})
		resetAndVerify(t, m)
	}
}

func TestPagesInTheSwap(t *testing.T) {
	m := newMapped(t, testMemory(4<<20), 4<<20)
	out := 0
	for round := range 5 {
		write(m, func(b []byte) {
			for i := round * PageSize; i < len(b); i += 8 * PageSize {
				b[i]++
			}
		})
		if err := unix.Madvise(mapped(m).buf, unix.MADV_PAGEOUT); err != nil {
			t.Skip("MADV_PAGEOUT: ", err)
		}
		if p, err := os.ReadFile("/proc/self/status"); err == nil {
			var kb int
			if _, rest, ok := strings.Cut(string(p), "VmSwap:"); ok {
				fmt.Sscan(rest, &kb)
			}
			out += kb
		}
		resetAndVerify(t, m)
	}
	if out == 0 {
		t.Log("nothing was swapped out: no swap on this machine")
	}
}

func TestTooMany(t *testing.T) {
	m := newMapped(t, testMemory(WasmPageSize), WasmPageSize)
	limit := maxMappings()
	if limit < 1000 || limit > 1<<40 {
		t.Fatalf("limit of %d mappings", limit)
	}
	n := openMappings.Load()
	openMappings.Add(limit - n)
	defer openMappings.Add(n - limit)
	if _, err := m.Image().NewMemory(); !errors.Is(err, ErrTooMany) {
		t.Errorf("NewMemory at the limit: %v", err)
	}
	if _, err := NewImage(testMemory(WasmPageSize), WasmPageSize); !errors.Is(err, ErrTooMany) {
		t.Errorf("NewImage at the limit: %v", err)
	}
	if now := openMappings.Load(); now != limit {
		t.Errorf("%d mappings counted after a refusal, %d before", now, limit)
	}
}

// leaks returns the number of mappings and descriptors of image files.
func leaks(t *testing.T) (mappings, files int) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip("no /proc: ", err)
	}
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		to, _ := os.Readlink(fd)
		if strings.Contains(to, "spore-image") {
			files++
		}
	}
	return strings.Count(string(maps), "spore-image"), files
}

func TestNothingLeaks(t *testing.T) {
	mappings, files := leaks(t)
	counted := openMappings.Load()

	img, err := NewImage(testMemory(1<<20), 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	var memories []*Memory
	for range 20 {
		m, err := img.NewMemory()
		if err != nil {
			t.Fatal(err)
		}
		write(m, func([]byte) {
			b, _ := m.Grow(32 << 20)
			b[len(b)-1] = 1
		})
		resetAndVerify(t, m)
		memories = append(memories, m)
	}
	if m, f := leaks(t); m != mappings+21 || f != files+1 {
		t.Errorf("%d mappings and %d files for 20 memories and their image, want 21 and 1", m-mappings, f-files)
	}
	if n := openMappings.Load() - counted; n != 21 {
		t.Errorf("%d mappings counted, want 21", n)
	}
	img.Close()
	for _, m := range memories {
		m.Close()
	}
	if m, f := leaks(t); m != mappings || f != files || openMappings.Load() != counted {
		t.Errorf("%d mappings (%d counted) and %d files are left", m-mappings, openMappings.Load()-counted, f-files)
	}
}

func TestImageFileIsSealed(t *testing.T) {
	m := newMapped(t, testMemory(WasmPageSize), 2*WasmPageSize)
	fd := mapped(m).image.fd
	if err := unix.Ftruncate(fd, 0); err != unix.EPERM {
		t.Errorf("ftruncate: %v", err)
	}
	if err := unix.Ftruncate(fd, 1<<20); err != unix.EPERM {
		t.Errorf("ftruncate: %v", err)
	}
	if _, err := unix.Pwrite(fd, []byte{1}, 0); err != unix.EPERM {
		t.Errorf("pwrite: %v", err)
	}
	if _, err := unix.Mmap(fd, 0, WasmPageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != unix.EPERM {
		t.Errorf("writable mapping: %v", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_FUTURE_WRITE); err != unix.EPERM {
		t.Errorf("another seal: %v", err)
	}
}

func TestCyclesDoNotAllocate(t *testing.T) {
	m := newMapped(t, testMemory(1<<20), 1<<20)
	n := testing.AllocsPerRun(100, func() {
		m.Enter()
		m.Bytes()[5]++
		m.Leave()
		mapped(m).stale = true
		if err := m.Reset(); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
