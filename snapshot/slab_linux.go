//go:build linux && (amd64 || arm64)

package snapshot

import "golang.org/x/sys/unix"

// mapSlab is memory of a slab in one anonymous mapping, which is as long as the
// slab may become: the kernel supplies pages when they are touched, and a chunk
// that is given back is one whose pages are dropped. So a slab of any size is one
// of the mappings of which a process may have only some 65,000.
type mapSlab struct{ mem []byte }

func newSlabMemory(chunks int) (slabMemory, error) {
	mem, err := mapAnonymous(chunks * chunkBytes)
	if err != nil {
		return nil, err
	}
	// Otherwise the kernel may fill up huge pages, of which chunks are an eighth,
	// also with what was given back. Kernels without huge pages refuse.
	_ = unix.Madvise(mem, unix.MADV_NOHUGEPAGE)
	return &mapSlab{mem}, nil
}

func (m *mapSlab) take(int) {}

func (m *mapSlab) bytes(chunk int) []byte {
	return m.mem[chunk*chunkBytes : (chunk+1)*chunkBytes]
}

// give drops the pages. Memory that is locked (mlockall) stays, for the next use.
func (m *mapSlab) give(chunk int) { _ = unix.Madvise(m.bytes(chunk), unix.MADV_DONTNEED) }

func (m *mapSlab) close() error {
	mem := m.mem
	m.mem = nil
	return unmap(mem)
}
