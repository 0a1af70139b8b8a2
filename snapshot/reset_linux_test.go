//go:build linux && (amd64 || arm64)

package snapshot

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pageOuts asks the kernel to page memories out and measures what came of it.
type pageOuts struct {
	asked   int // how often
	private int // private pages that were present before, in sum
	swapped int // of them, those in the swap afterwards
	gone    int // pages of the image that were mapped before and are not any more
	refused error
}

// swap asks the kernel to page out all of m.
func (o *pageOuts) swap(t *testing.T, m *Memory) {
	mm, ok := m.backing.(*mapMemory)
	if !ok {
		return
	}
	private, file, _ := residency(t, mm.buf)
	o.asked++
	if err := unix.Madvise(mm.buf, unix.MADV_PAGEOUT); err != nil {
		o.refused = err
		return
	}
	_, after, swapped := residency(t, mm.buf)
	o.private += private
	o.swapped += swapped
	o.gone += max(file-after, 0)
}

func (o *pageOuts) String() string {
	if o.asked == 0 {
		return "no page was swapped out: these memories are copies"
	}
	s := fmt.Sprintf("%d page-outs: of %d private pages %d went to the swap; %d pages of images were unmapped",
		o.asked, o.private, o.swapped, o.gone)
	if o.swapped == 0 {
		s += "; NOTE: this machine has no swap, so no private page ever left memory"
	}
	if o.refused != nil {
		s += fmt.Sprintf("; MADV_PAGEOUT: %v", o.refused)
	}
	return s
}

// residency counts, by the kernel's page table, the pages of a mapping that are
// private, that are of the file, and that are in the swap.
func residency(t *testing.T, mem []byte) (private, file, swapped int) {
	t.Helper()
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Skip("the page table cannot be read: ", err)
	}
	defer f.Close()
	page := os.Getpagesize()
	entries := make([]byte, len(mem)/page*8)
	if _, err := f.ReadAt(entries, int64(addressOf(mem))/int64(page)*8); err != nil {
		t.Skip("the page table cannot be read: ", err)
	}
	for ; len(entries) > 0; entries = entries[8:] {
		switch e := binary.NativeEndian.Uint64(entries); {
		case e&pagemapSwapped != 0:
			swapped++
		case e&pagemapPresent == 0:
		case e&pagemapFile != 0:
			file++
		default:
			private++
		}
	}
	return private, file, swapped
}

// TestResetThatSkipsIsFound plants the bug that the property test looks for: a
// reset that overlooks one of the regions that the kernel reports. Verify must
// find it, whichever region that is.
func TestResetThatSkipsIsFound(t *testing.T) {
	for skip := range 3 {
		t.Run(fmt.Sprint(skip), func(t *testing.T) {
			m := newMapped(t, testMemory(1<<20), 2<<20)
			scan := mapped(m).image.scanner
			mapped(m).image.scanner = func(fd int, mem []byte, runs []run) ([]run, bool) {
				runs, ok := scan(fd, mem, runs)
				if skip < len(runs) {
					runs = slices.Delete(runs, skip, skip+1)
				}
				return runs, ok
			}
			touched := []int{3 * PageSize, 50 * PageSize, 1<<20 + 70*PageSize}
			write(m, func([]byte) {
				b, _ := m.Grow(2 << 20)
				for _, at := range touched {
					b[at] ^= 0x80
				}
			})
			if err := m.Reset(); err != nil {
				t.Fatal(err)
			}
			err := m.Verify()
			if want := fmt.Sprintf("1 bytes differ from the image, the first at %#x", touched[skip]); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Verify: %v, want %s", err, want)
			}
		})
	}
}
