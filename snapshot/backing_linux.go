//go:build linux && (amd64 || arm64)

package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// newImageBacking returns a backing that shares pages. A sandbox may forbid
// memfd_create; then memories are copies.
func newImageBacking(c contents, max int64) (imageBacking, error) {
	i, err := newMapImage(c, max)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return newCopyImage(c, max), nil
	}
	if err != nil {
		return nil, err
	}
	return i, nil
}

// mapImage is an image in a sealed memory file.
//
// The file is as long as a memory may become: a hole behind the image supplies
// the zeros into which memories grow, so that each takes one mapping, of which
// the kernel grants a process only some 65,000. The seals make the contents
// immutable and the length too, without which a truncation would end every
// process that has the file mapped.
type mapImage struct {
	fd      int
	mem     []byte // the image, mapped read-only
	max     int
	pagemap int // for scanner; shared by all images
	scanner scanner
}

// newMapImage makes a memory file of c.
func newMapImage(c contents, max int64) (_ *mapImage, err error) {
	i := &mapImage{fd: -1, max: int(max)}
	defer func() {
		if err != nil {
			i.close()
		}
	}()
	if i.fd, err = memfd(); err != nil {
		return nil, fmt.Errorf("snapshot: memfd_create: %w", err)
	}
	if err = unix.Ftruncate(i.fd, max); err != nil {
		return nil, fmt.Errorf("snapshot: length of an image: %w", err)
	}
	var runs []run // what is not a hole
	for at, b := range c.pages {
		runs = appendRun(runs, run{int(at), int(at) + len(b)})
		for len(b) > 0 {
			n, err := unix.Pwrite(i.fd, b, at)
			if err != nil {
				return nil, fmt.Errorf("snapshot: write of an image: %w", err)
			}
			at, b = at+int64(n), b[n:]
		}
	}
	if err = seal(i.fd); err != nil {
		return nil, fmt.Errorf("snapshot: seal of an image: %w", err)
	}
	// Private although it is never written to: before Linux 6.7 a file that is
	// sealed against writing could not be mapped shared, not even read-only.
	if i.mem, err = mapFile(i.fd, int(c.size), unix.PROT_READ); err != nil {
		return nil, err
	}
	// Faults are taken now rather than in the first resets. Pages of zeros are
	// left out, since reading a hole allocates it. This is an optimisation,
	// which kernels before 5.14 do not have.
	for _, r := range runs {
		if unix.Madvise(i.mem[r.start:r.end], unix.MADV_POPULATE_READ) != nil {
			break
		}
	}
	i.pagemap, i.scanner = bestScanner(i.mem)
	return i, nil
}

// seal makes a memory file immutable. No mapping of it can be written through,
// so a seal against future writes is a seal against all. Unlike F_SEAL_WRITE it
// does not look for pages that somebody else refers to, which takes time and
// fails with EBUSY while the kernel's own scanners (DAMON, for one) hold one.
// Kernels before 5.1 have only F_SEAL_WRITE.
func seal(fd int) error {
	const length = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, length|unix.F_SEAL_FUTURE_WRITE)
	if errors.Is(err, unix.EINVAL) {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, length|unix.F_SEAL_WRITE)
	}
	return err
}

// memfd makes an anonymous file in memory. Kernels from 6.3 on want to be told
// that it will not be executed, and older ones do not know the flag.
func memfd() (int, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("spore-image", flags|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate("spore-image", flags)
	}
	return fd, err
}

func (i *mapImage) bytes() []byte { return i.mem }

func (i *mapImage) newMemory() (memoryBacking, error) {
	buf, err := mapFile(i.fd, i.max, unix.PROT_READ|unix.PROT_WRITE)
	if err != nil {
		return nil, err
	}
	// In a process that locks its memory (mlockall) the mapping may come with
	// private pages, before there was any fault.
	return &mapMemory{image: i, buf: buf, first: true, stale: true}, nil
}

func (i *mapImage) close() error {
	var errs []error
	if i.mem != nil {
		errs = append(errs, unmap(i.mem))
		i.mem = nil
	}
	if i.fd >= 0 {
		errs = append(errs, unix.Close(i.fd))
		i.fd = -1
	}
	return errors.Join(errs...)
}

// Bounds of the budget of private pages, in bytes.
const (
	minBudget = 1 << 20
	maxBudget = 16 << 20
)

// A mapMemory is a private mapping of a memory file.
//
// The kernel gives it a copy of a page when the page is first written to, which
// costs some two microseconds, ten times as much as copying the page. So a
// reset does not give such pages back, but overwrites them from the image, and
// the next run finds them private already. Invariants between Leave and Enter,
// unless stale is set:
//
//   - every page that is private is in runs;
//   - every page that is not in runs equals the image.
//
// What a run has made private can be asked of the kernel (scanner), but most
// runs write only to pages that earlier runs have written to, and then no page
// fault happens. So the kernel is asked only if the thread had a page fault
// during the run. Every private copy begins with a fault of the thread that
// writes, be it in user mode or in a system call.
type mapMemory struct {
	image *mapImage
	buf   []byte // everything up to the maximum

	runs  []run // private pages, ascending, in bytes
	count int   // sum of the lengths of runs, in bytes
	stale bool  // a page may have become private that is not in runs

	before int64 // page faults of the thread at enter
	usual  int   // bytes that one run makes private, a decaying maximum
	first  bool  // no page has become private since the memory was made or dropped
}

// appendRun appends r, and joins it to the last run if that ends where r starts.
func appendRun(runs []run, r run) []run {
	if n := len(runs); n > 0 && runs[n-1].end == r.start {
		runs[n-1].end = r.end
		return runs
	}
	return append(runs, r)
}

func (m *mapMemory) bytes() []byte { return m.buf }

func (m *mapMemory) enter() { m.before = threadFaults() }

func (m *mapMemory) leave() {
	if n := threadFaults(); n < 0 || n != m.before {
		m.stale = true
	}
}

// threadFaults returns the number of page faults of the calling thread, −1 if it
// cannot be known. Faults that had to wait for a page to come from the swap
// count as major ones.
func threadFaults() int64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &u) != nil {
		return -1
	}
	return u.Minflt + u.Majflt
}

func (m *mapMemory) reset(extent int64) error {
	if !m.refresh(extent) || m.count > m.budget() {
		return m.drop(extent)
	}
	for _, r := range m.runs {
		m.restore(r)
	}
	return nil
}

// budget returns how many private bytes a reset restores by copying. Beyond it
// all of them are dropped: a guest that touches other pages in each run would
// otherwise make each reset copy all that was ever touched, and keep them.
func (m *mapMemory) budget() int {
	return min(max(2*m.usual, minBudget), maxBudget)
}

// restore copies a range back from the image.
func (m *mapMemory) restore(r run) {
	if r.start < len(m.image.mem) {
		end := min(r.end, len(m.image.mem))
		copy(m.buf[r.start:end], m.image.mem[r.start:end])
		r.start = end
	}
	// Behind the image the file is a hole. Reading it would allocate it.
	clear(m.buf[r.start:max(r.start, r.end)])
}

// drop gives all private pages back to the kernel. The call takes about as long
// for a range as for the whole, because it interrupts all processors on which
// the process runs; for the same reason dropping single pages does not pay.
func (m *mapMemory) drop(extent int64) error {
	if err := unix.Madvise(m.buf[:extent], unix.MADV_DONTNEED); err != nil {
		// Memory that is locked (mlockall) cannot be dropped. Compare it all.
		for at := int64(0); at < extent; at += PageSize {
			if !bytes.Equal(m.buf[at:at+PageSize], pageOf(m.image.mem, at)) {
				m.restore(run{int(at), int(at + PageSize)})
			}
		}
		m.stale = true
		return nil
	}
	m.runs, m.count = m.runs[:0], 0
	m.stale = false
	m.first = true
	return nil
}

// refresh brings runs up to date. It returns false if that is not possible.
func (m *mapMemory) refresh(extent int64) bool {
	if !m.stale {
		return true
	}
	runs, ok := m.image.scanner(m.image.pagemap, m.buf[:extent], m.runs[:0])
	if !ok {
		m.runs, m.count = m.runs[:0], 0
		return false
	}
	m.runs, m.count = runs, 0
	for _, r := range runs {
		m.count += r.end - r.start
	}
	m.stale = false
	if m.first && m.count > 0 {
		m.first = false
		m.usual = max(m.count, m.usual-m.usual/8)
	}
	return true
}

func (m *mapMemory) private(extent int64) int {
	m.refresh(extent)
	return m.count / os.Getpagesize()
}

func (m *mapMemory) candidates(extent int64) []run {
	if !m.refresh(extent) {
		// What is in runs while they are stale is not used by anyone.
		m.runs = append(m.runs[:0], run{0, int(extent)})
	}
	return m.runs
}

func (m *mapMemory) close() error {
	buf := m.buf
	m.buf, m.runs = nil, nil
	return unmap(buf)
}
