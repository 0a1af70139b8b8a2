package snapshot

import "bytes"

// copyImage and copyMemory are the backing that works everywhere: each memory is
// a copy of the image, and a reset compares it with the image and repairs what
// differs. The memory is allocated in the full length to which it may grow, so
// that it never moves; operating systems supply the pages when they are touched.
type copyImage struct {
	mem []byte
	max int64
}

// newCopyImage returns a copying backing of an image.
func newCopyImage(c contents, max int64) imageBacking {
	mem := make([]byte, c.size)
	for at, b := range c.pages {
		copy(mem[at:], b)
	}
	return &copyImage{mem, max}
}

func (i *copyImage) bytes() []byte { return i.mem }

func (i *copyImage) newMemory() (memoryBacking, error) {
	buf := make([]byte, i.max)
	copy(buf, i.mem)
	return &copyMemory{image: i.mem, buf: buf}, nil
}

func (i *copyImage) close() error { return nil }

// copyMemory is a memory on the Go heap.
type copyMemory struct {
	image    []byte
	buf      []byte
	all      [1]run // what candidates returns
	repaired int    // pages that differed in the last reset
}

func (m *copyMemory) bytes() []byte { return m.buf }
func (m *copyMemory) enter()        {}
func (m *copyMemory) leave()        {}
func (m *copyMemory) close() error  { return nil }

func (m *copyMemory) private(int64) int { return m.repaired }

func (m *copyMemory) reset(extent int64) error {
	m.repaired = 0
	for at := int64(0); at < extent; at += PageSize {
		page, want := m.buf[at:at+PageSize], pageOf(m.image, at)
		if !bytes.Equal(page, want) {
			copy(page, want)
			m.repaired++
		}
	}
	return nil
}

func (m *copyMemory) candidates(extent int64) []run {
	m.all[0] = run{0, int(extent)}
	return m.all[:]
}

// zeroPage is what an image has behind its end.
var zeroPage [PageSize]byte

// pageOf returns the page of image at offset at, zeros behind its end.
func pageOf(image []byte, at int64) []byte {
	if at < int64(len(image)) {
		return image[at : at+PageSize]
	}
	return zeroPage[:]
}
